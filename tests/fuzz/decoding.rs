//! Target: the decoding of answers.
//!
//! Whatever arrives: nothing panics. A list, a detail, a project is only ever made of a whole document with a good
//! status that bears no error code; what was cut off is a failure, never a shorter list. A list is complete if
//! and only if it is a 200 whose `count` is the number of members and each member is an object with an id, a
//! name and a status of its own. A detail is about the id asked for. "Absent" is said only by a 2xx or 4xx that
//! bears a code which means it. An empty answer of any kind is written out by the service, never concluded.

use bytes::Bytes;
use dws_operator::dws::answer::{Class, Failure, Meaning};
use dws_operator::dws::decode;
use dws_operator::dws::model::{Cluster, Listing, Snapshot};
use dws_operator::dws::redact::Redactor;
use dws_operator::dws::transport::Response;
use http::HeaderMap;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::corpus::{self, ID};
use super::edits::{Carried, Edit, carried, document, edits};
use super::engine::{Judgement, caught, fails, holds};

const PROJECT: &str = "eu-west-0";

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

/// What an answer says, read without the client.
struct Said {
    status: u16,
    document: Option<Value>,
    exact: bool,
    cut: bool,
}

/// A text, a number or a bool as text; anything else, and an empty text, is none.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl Said {
    fn at(&self, name: &str) -> &Value {
        self.document
            .as_ref()
            .map_or(&Value::Null, |document| &document[name])
    }

    fn members(&self, list: &str) -> &[Value] {
        self.at(list).as_array().map_or(&[], Vec::as_slice)
    }

    /// It bears something in the place of an error code that is not the code of success.
    fn takes_itself_back(&self) -> bool {
        let first = ["error_code", "errCode"].iter().map(|name| self.at(name));
        let code = first
            .into_iter()
            .find(|code| !code.is_null() && **code != "");
        let refused = code.is_some_and(|code| {
            let code = text(code).unwrap_or_default();
            !code.eq_ignore_ascii_case("DWS.0000")
        });
        refused && text(self.at("job_id")).is_none()
    }

    /// Something was read out of it, so it is a whole object, of good status, that holds this member.
    fn is_answer(&self, member: &str) -> Judgement {
        prop_assert!(
            (200..=202).contains(&self.status),
            "{} read as an answer",
            self.status
        );
        prop_assert!(!self.cut, "read although it was cut off");
        let object = self.document.as_ref().and_then(Value::as_object);
        prop_assert!(
            object.is_some_and(|object| object.contains_key(member)),
            "no {member}"
        );
        prop_assert!(!self.takes_itself_back(), "an error taken for an answer");
        Ok(())
    }

    fn proves(&self, list: &str) -> bool {
        let members = self.members(list);
        let count = number(self.at("count"));
        let mut seen = Vec::new();
        #[allow(clippy::cast_precision_loss)]
        let counted = count == Some(members.len() as f64);
        self.status == 200
            && self.at(list).is_array()
            && counted
            && members.iter().all(|member| {
                // A task that is no text is none that can be known to be over.
                let odd = match &member["task_status"] {
                    Value::Object(object) => !object.is_empty(),
                    Value::Array(list) => !list.is_empty(),
                    _ => false,
                };
                let named = !odd
                    && member.is_object()
                    && text(&member["name"]).is_some()
                    && text(&member["status"]).is_some();
                let id = text(&member["id"]).filter(|id| !id.trim().is_empty());
                let fresh = id.as_ref().is_some_and(|id| !seen.contains(id));
                seen.extend(id);
                named && fresh
            })
    }

    fn judge_list(
        &self,
        list: &str,
        result: Result<(Vec<String>, bool), Failure>,
        by_id: bool,
    ) -> Judgement {
        match result {
            Ok((items, complete)) => {
                self.is_answer(list)?;
                for id in &items {
                    let there = self
                        .members(list)
                        .iter()
                        .any(|member| text(&member["id"]).as_ref() == Some(id));
                    prop_assert!(there, "{id} out of nothing");
                }
                let proves = self.proves(list);
                prop_assert!(proves || !complete, "{list} called complete");
                prop_assert!(
                    complete || !proves || !self.exact,
                    "{list} is complete and is not called so"
                );
                prop_assert!(
                    !complete || items.len() == self.members(list).len(),
                    "members lost"
                );
                Ok(())
            }
            Err(failure) => {
                let usable =
                    self.proves(list) && !self.takes_itself_back() && !self.cut && self.exact;
                prop_assert!(!usable, "a good list refused: {failure}");
                self.judge_failure(&failure, by_id, list == "snapshot")
            }
        }
    }

    fn judge_detail(
        &self,
        member: &str,
        result: Result<String, Failure>,
        snapshot: bool,
    ) -> Judgement {
        match result {
            Ok(id) => {
                self.is_answer(member)?;
                let told = self.at(member);
                prop_assert!(told.is_object(), "{told} taken for a {member}");
                prop_assert_eq!(text(&told["id"]), Some(id.clone()));
                prop_assert!(id.eq_ignore_ascii_case(ID), "about {id}");
                Ok(())
            }
            Err(failure) => self.judge_failure(&failure, true, snapshot),
        }
    }

    fn judge_project(&self, result: Result<Option<String>, Failure>) -> Judgement {
        let named = |project: &&Value| text(&project["name"]).is_some();
        let projects = self.members("projects");
        match result {
            Ok(Some(id)) => {
                self.is_answer("projects")?;
                let is_it = |project: &Value| {
                    project["name"] == PROJECT && text(&project["id"]) == Some(id.clone())
                };
                prop_assert!(projects.iter().any(is_it), "project {id} out of nothing");
            }
            Ok(None) => {
                self.is_answer("projects")?;
                prop_assert!(
                    self.at("projects").is_array(),
                    "no list taken for an empty one"
                );
                prop_assert!(
                    projects.iter().filter(named).count() == projects.len(),
                    "a project that cannot be read taken for none"
                );
            }
            Err(failure) => self.judge_failure(&failure, false, false)?,
        }
        Ok(())
    }

    /// The failure says "absent" only where the answer does.
    fn judge_failure(&self, failure: &Failure, by_id: bool, snapshot: bool) -> Judgement {
        let says_absent = failure.meaning.class() == Class::Absent
            || matches!(
                failure.meaning,
                Meaning::Absent | Meaning::AbsentOrForbidden
            );
        if !says_absent {
            return Ok(());
        }
        let status = self.status;
        let speaks = matches!(status, 200..=202 | 204 | 400..=407 | 409..=428 | 430..=499);
        prop_assert!(speaks, "{status} taken for an absence");
        let codes: Vec<String> = [
            self.document.as_ref().unwrap_or(&Value::Null),
            self.at("error"),
        ]
        .into_iter()
        .flat_map(|object| {
            ["error_code", "errCode", "errorCode", "code"].map(|name| text(&object[name]))
        })
        .flatten()
        .map(|code| code.trim().to_uppercase())
        .collect();
        let mut known = vec!["DWS.0015", "DWS.0047", "DWS.3027"];
        known.extend(snapshot.then_some("DWS.5149"));
        let not_found = by_id && matches!(status, 404 | 410);
        let means_it = |code: &String| {
            known.contains(&code.as_str()) || (not_found && code.starts_with("DWS."))
        };
        prop_assert!(codes.iter().any(means_it), "{codes:?} taken for an absence");
        Ok(())
    }
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
