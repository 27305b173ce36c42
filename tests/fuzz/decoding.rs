//! Target: the decoding of answers.
//!
//! Whatever arrives: nothing panics. A list, a detail, a project is only ever made of a whole document with a good
//! status that bears no error code; what was cut off is a failure, never a shorter list. A list is complete if
//! and only if it is a 200 whose `count` is the number of members and each member is an object with an id, a
//! name and a status of its own. A detail is about the id asked for. "Absent" is said only by a 2xx or 4xx that
//! bears a code which means it. An empty answer of any kind is written out by the service, never concluded.

use bytes::Bytes;
use dws_operator::dws::answer::{Failure, Meaning};
use dws_operator::dws::decode;
use dws_operator::dws::model::{Cluster, Listing, Snapshot};
use dws_operator::dws::redact::Redactor;
use dws_operator::dws::transport::Response;
use http::HeaderMap;
use proptest::prelude::*;
use proptest::sample::Index;

use super::corpus::{self, ID};
use super::edits::{Carried, Edit, carried, document, edits};
use super::engine::{Judgement, caught, fails, holds};
use super::said::{Said, text};

pub const PROJECT: &str = "eu-west-0";

/// One answer: which seed, what became of it, and how it came through.
type Case = (Index, Vec<Edit>, Carried, u16);

fn cases() -> impl Strategy<Value = Case> {
    let status = prop_oneof![
        6 => Just(200_u16),
        1 => prop::sample::select(vec![201, 202, 203, 204, 206, 304, 400, 401, 403, 404, 410, 429, 500, 502, 504]),
        1 => any::<u16>(),
    ];
    (any::<Index>(), edits(corpus::NAMES), carried(), status)
}

/// What is tested: ours, or a broken variant.
struct Decoder {
    clusters: fn(&Response) -> Result<Listing<Cluster>, Failure>,
    cluster: fn(&Response) -> Result<Cluster, Failure>,
    project: fn(&Response) -> Result<Option<String>, Failure>,
}

const OURS: Decoder = Decoder {
    clusters: |response| decode::clusters(response, &Redactor::default()),
    cluster: |response| decode::cluster(response, ID, &Redactor::default()),
    project: |response| decode::project_id(response, PROJECT, &Redactor::default()),
};

fn snapshots(response: &Response) -> Result<Listing<Snapshot>, Failure> {
    decode::snapshots(response, &Redactor::default())
}

fn property(decoder: &Decoder, (which, edits, carried, status): &Case) -> Judgement {
    let mut seed = which.get(corpus::documents()).clone();
    for edit in edits {
        edit.apply(&mut seed);
    }
    let whole = seed.to_string().into_bytes();
    let response = Response {
        status: *status,
        headers: HeaderMap::new(),
        body: Bytes::from(carried.apply(&whole)),
    };
    let said = Said {
        status: *status,
        document: document(&response.body),
        // A flipped byte can name a member twice, which our own reader of the document overlooks.
        exact: !matches!(carried, Carried::Flipped(..)),
        cut: matches!(carried, Carried::Cut(_)) && seed.is_object(),
    };

    let clusters = (decoder.clusters)(&response);
    said.judge_list(
        "clusters",
        clusters.map(|list| ids(list, |cluster| cluster.id)),
        false,
    )?;
    let snapshots = snapshots(&response);
    said.judge_list(
        "snapshots",
        snapshots.map(|list| ids(list, |snapshot| snapshot.id)),
        false,
    )?;

    let cluster = (decoder.cluster)(&response);
    said.judge_detail("cluster", cluster.map(|cluster| cluster.id), false)?;
    let snapshot = decode::snapshot(&response, ID, &Redactor::default());
    said.judge_detail("snapshot", snapshot.map(|snapshot| snapshot.id), true)?;

    said.judge_project((decoder.project)(&response))?;
    if let Ok(types) = decode::node_types(&response, &Redactor::default()) {
        said.is_answer("node_types")?;
        for kind in types {
            let named = said
                .members("node_types")
                .iter()
                .any(|member| text(&member["spec_name"]) == Some(kind.spec_name.clone()));
            prop_assert!(named, "node type {} out of nothing", kind.spec_name);
        }
    }
    Ok(())
}

fn ids<T>(list: Listing<T>, id: fn(T) -> String) -> (Vec<String>, bool) {
    (list.items.into_iter().map(id).collect(), list.complete)
}

#[test]
fn no_answer_is_taken_for_more_than_it_says() {
    holds("decoding", "mutated answers", 3_000, &cases(), |case| {
        property(&OURS, &case)
    });
}

/// Every way to cut every seed, as it stands and in base64.
#[test]
fn what_is_cut_off_is_a_failure_at_every_byte() {
    let mut cuts = 0;
    for seed in corpus::documents() {
        let whole = seed.to_string().into_bytes();
        for carried in [
            Carried::Whole,
            Carried::Marked,
            Carried::Base64 { padded: true },
        ] {
            let body = carried.apply(&whole);
            for at in 0..body.len() {
                let response = Response {
                    status: 200,
                    headers: HeaderMap::new(),
                    body: Bytes::copy_from_slice(&body[..at]),
                };
                let same = document(&body[..at]).is_some_and(|read| read == *seed);
                cuts += 1;
                let read = (OURS.clusters)(&response).is_ok()
                    || snapshots(&response).is_ok()
                    || (OURS.cluster)(&response).is_ok()
                    || (OURS.project)(&response).is_ok();
                assert!(!read || same, "{} of {} bytes of {seed}", at, body.len());
            }
        }
    }
    super::figures::figure(
        "fuzz",
        &format!("decoding: {cuts} cuts, at every byte of every seed"),
    );
}

#[test]
fn broken_decoders_are_caught() {
    let believes_any_count = Decoder {
        clusters: |response| {
            (OURS.clusters)(response).map(|list| Listing {
                complete: true,
                ..list
            })
        },
        ..OURS
    };
    let takes_noise_for_nothing = Decoder {
        clusters: |response| {
            let list = (OURS.clusters)(response);
            list.or_else(|failure| match failure.meaning {
                Meaning::Garbled => Ok(Listing::default()),
                _ => Err(failure),
            })
        },
        ..OURS
    };
    let takes_404_for_absence = Decoder {
        cluster: |response| {
            (OURS.cluster)(response).map_err(|failure| match failure.http {
                Some(404) => Failure {
                    meaning: Meaning::Absent,
                    ..failure
                },
                _ => failure,
            })
        },
        ..OURS
    };
    let reads_what_arrived = Decoder {
        clusters: |response| {
            let whole = |end: &str| {
                let mut body = response.body.to_vec();
                body.extend(end.bytes());
                (OURS.clusters)(&Response {
                    body: Bytes::from(body),
                    ..response.clone()
                })
            };
            ["", "}", "]}", "}]}", "\"}]}"]
                .into_iter()
                .map(whole)
                .find(Result::is_ok)
                .unwrap_or_else(|| whole(""))
        },
        ..OURS
    };
    let takes_no_list_for_no_project = Decoder {
        project: |response| Ok((OURS.project)(response).unwrap_or(None)),
        ..OURS
    };
    let any_detail = Decoder {
        cluster: |response| {
            let other = document(&response.body)
                .and_then(|said| said["cluster"]["id"].as_str().map(str::to_owned));
            decode::cluster(
                response,
                &other.unwrap_or_else(|| ID.to_owned()),
                &Redactor::default(),
            )
        },
        ..OURS
    };
    let fails = |broken: &Decoder| fails(&cases(), |case| property(broken, &case));
    caught(
        "decoding",
        &[
            (
                "a list is complete whatever it counts",
                fails(&believes_any_count),
            ),
            (
                "what cannot be read is an empty list",
                fails(&takes_noise_for_nothing),
            ),
            ("a 404 is an absence", fails(&takes_404_for_absence)),
            (
                "a list that was cut off is read as far as it goes",
                fails(&reads_what_arrived),
            ),
            (
                "no list of projects means no project",
                fails(&takes_no_list_for_no_project),
            ),
            ("a detail of another cluster", fails(&any_detail)),
        ],
    );
}
