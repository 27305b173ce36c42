//! Reads the answers of reads: lenient in what a field holds, strict in what a list proves.
//!
//! A list that cannot be read is a failure and never empty; one whose `count` does not match, or with a
//! member that cannot be read, is incomplete and proves no absence.

use std::collections::HashSet;

use super::answer::Failure;
use super::fault::json_bytes;
use super::model::{Cluster, Listing, NodeType, Snapshot};
use super::operation::Operation;
use super::outcome::{failure, garbled, is_success_code, service_time};
use super::redact::Redactor;
use super::transport::Response;
use super::wire::cluster::ClusterWire;
use super::wire::lenient::Member;
use super::wire::list::{
    ClusterDetail, ClusterList, Envelope, Members, NodeTypeList, ProjectList, ReadAnswer,
    SnapshotDetail, SnapshotList, Wire,
};
use super::wire::snapshot::SnapshotWire;

/// `GET clusters` (reference 5.1.2).
pub fn clusters(response: &Response, redactor: &Redactor) -> Result<Listing<Cluster>, Failure> {
    listing::<ClusterList, _>(Operation::ListClusters, response, redactor, |one| &one.id)
}

/// `GET snapshots` (reference 5.2.2).
pub fn snapshots(response: &Response, redactor: &Redactor) -> Result<Listing<Snapshot>, Failure> {
    listing::<SnapshotList, _>(Operation::ListSnapshots, response, redactor, |one| &one.id)
}

/// `GET clusters/{id}` (reference 5.1.3). The answer must be about that id.
pub fn cluster(response: &Response, id: &str, redactor: &Redactor) -> Result<Cluster, Failure> {
    let is_it = |cluster: &Cluster| cluster.id.eq_ignore_ascii_case(id);
    detail::<ClusterDetail, ClusterWire>(Operation::GetCluster, response, redactor, is_it)
}

/// `GET snapshots/{id}` (reference 5.2.3). The answer must be about that id.
pub fn snapshot(response: &Response, id: &str, redactor: &Redactor) -> Result<Snapshot, Failure> {
    let is_it = |snapshot: &Snapshot| snapshot.id.eq_ignore_ascii_case(id);
    detail::<SnapshotDetail, SnapshotWire>(Operation::GetSnapshot, response, redactor, is_it)
}

/// What was asked for, all of it, and nothing beside it that takes it back.
fn detail<A: ReadAnswer<Member<W>>, W: Wire>(
    operation: Operation,
    response: &Response,
    redactor: &Redactor,
    is_it: impl Fn(&W::Model) -> bool,
) -> Result<W::Model, Failure> {
    let (payload, envelope) = parsed::<A, _>(operation, response, redactor)?;
    let Some(wire) = payload.0 else {
        return Err(without_payload(
            operation,
            response,
            "it holds nothing",
            redactor,
        ));
    };
    let told = wire.into_model().filter(|(model, _)| is_it(model));
    let what = match told {
        None => "the answer is about something else",
        Some(_) if is_refusal(&envelope) => "the answer bears an error beside what was asked for",
        Some((_, false)) => "the answer lacks the name, the status or the task",
        Some((model, true)) => return Ok(model),
    };
    Err(garbled(response, what, redactor))
}

/// `GET node-types` (reference 5.1.4). A type without a name is left out: nothing can be ordered by it.
pub fn node_types(response: &Response, redactor: &Redactor) -> Result<Vec<NodeType>, Failure> {
    let (members, _) = read::<NodeTypeList, _>(Operation::ListNodeTypes, response, redactor)?;
    let (types, _) = written(members, response, redactor)?;
    Ok(types
        .into_iter()
        .filter_map(|wire| {
            Some(NodeType {
                id: wire.id.0.unwrap_or_default(),
                spec_name: wire.spec_name.0?,
            })
        })
        .collect())
}

/// `GET /v3/projects` (reference 6.4): the id of the project of that name, where there is one. `None` says
/// that there is none, so no project that cannot be read is among those that are listed.
pub fn project_id(
    response: &Response,
    name: &str,
    redactor: &Redactor,
) -> Result<Option<String>, Failure> {
    let (members, _) = read::<ProjectList, _>(Operation::ListProjects, response, redactor)?;
    let (projects, whole) = written(members, response, redactor)?;
    let mut named = projects
        .into_iter()
        .filter(|project| project.name.0.as_deref() == Some(name));
    match named.find_map(|project| project.id.0) {
        Some(id) => Ok(Some(id)),
        None if whole => Ok(None),
        None => {
            let what = "the answer lists a project that cannot be read";
            Err(garbled(response, what, redactor))
        }
    }
}

fn listing<A: ReadAnswer<Members<W>>, W: Wire>(
    operation: Operation,
    response: &Response,
    redactor: &Redactor,
    id: fn(&W::Model) -> &str,
) -> Result<Listing<W::Model>, Failure> {
    let (members, envelope) = read::<A, _>(operation, response, redactor)?;
    let told = envelope.count.0.and_then(|told| usize::try_from(told).ok());
    let (items, mut complete) = match members {
        Members::List {
            items,
            count,
            whole,
        } => (items, whole && told == Some(count)),
        // Nobody said that there are none: as good as a list without `count`.
        Members::Null => (Vec::new(), false),
        Members::Missing => return Err(garbled(response, NO_LIST, redactor)),
    };
    complete &= response.status == 200;
    // One thing twice stands where another should be.
    let mut seen = HashSet::with_capacity(items.len());
    complete &= items.iter().all(|item| seen.insert(id(item)));
    Ok(Listing {
        items,
        complete,
        service_time: service_time(&response.headers),
    })
}

const NO_LIST: &str = "the answer is no list";

/// The members of a list that is written out, and whether all of them could be read.
fn written<W: Wire>(
    members: Members<W>,
    response: &Response,
    redactor: &Redactor,
) -> Result<(Vec<W::Model>, bool), Failure> {
    match members {
        Members::List { items, whole, .. } => Ok((items, whole)),
        Members::Null | Members::Missing => Err(garbled(response, NO_LIST, redactor)),
    }
}

/// A code beside what was asked for takes it back, unless it says success or a job stands with it.
fn is_refusal(envelope: &Envelope) -> bool {
    let code = envelope.error_code.as_deref();
    code.is_some_and(|code| !is_success_code(code)) && envelope.job_id.0.is_none()
}

/// The payload of an answer that is a success and does not take itself back, and what stands beside it.
fn read<A: ReadAnswer<P>, P>(
    operation: Operation,
    response: &Response,
    redactor: &Redactor,
) -> Result<(P, Envelope), Failure> {
    let (payload, envelope) = parsed::<A, P>(operation, response, redactor)?;
    if is_refusal(&envelope) {
        return Err(failure(operation, response, redactor));
    }
    Ok((payload, envelope))
}

fn parsed<A: ReadAnswer<P>, P>(
    operation: Operation,
    response: &Response,
    redactor: &Redactor,
) -> Result<(P, Envelope), Failure> {
    if !matches!(response.status, 200..=202) {
        return Err(failure(operation, response, redactor));
    }
    let json = json_bytes(&response.body);
    // What no field takes is skipped unread: that it is text is seen here, or it would not be seen at all.
    let text = std::str::from_utf8(&json).map_err(serde::de::Error::custom);
    let why = match text.and_then(serde_json::from_str::<Member<A>>) {
        Ok(Member(Some(answer))) => return Ok(answer.into_parts()),
        Ok(Member(None)) => "it is no object".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(without_payload(operation, response, &why, redactor))
}

/// A 200 can be an error: it then says so, in either style.
fn without_payload(
    operation: Operation,
    response: &Response,
    why: &str,
    redactor: &Redactor,
) -> Failure {
    let failed = failure(operation, response, redactor);
    match failed.code {
        Some(_) => failed,
        None => garbled(
            response,
            &format!("the answer cannot be read ({why})"),
            redactor,
        ),
    }
}

#[cfg(test)]
mod tests;
