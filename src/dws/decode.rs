//! Reads the answers of reads: lenient in what a field holds, strict in what a list proves.
//!
//! A list that cannot be read is a failure and never empty; one whose `count` does not match, or with a
//! member that cannot be read, is incomplete and proves no absence.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::Failure;
use super::fault::json_bytes;
use super::model::{Cluster, Listing, NodeType, Snapshot};
use super::operation::Operation;
use super::outcome::{failure, garbled, is_success_code, service_time};
use super::redact::Redactor;
use super::transport::Response;
use super::wire::cluster::ClusterWire;
use super::wire::list::{
    ClusterList, ListAnswer, Members, NodeTypeList, ProjectList, SnapshotList, Wire,
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
    #[derive(Deserialize)]
    struct Detail {
        cluster: ClusterWire,
    }
    let detail: Detail = read(Operation::GetCluster, response, redactor)?;
    match detail.cluster.into_model() {
        Some((cluster, _)) if cluster.id.eq_ignore_ascii_case(id) => Ok(cluster),
        _ => Err(garbled(
            response,
            "the answer is about another cluster",
            redactor,
        )),
    }
}

/// `GET snapshots/{id}` (reference 5.2.3). The answer must be about that id.
pub fn snapshot(response: &Response, id: &str, redactor: &Redactor) -> Result<Snapshot, Failure> {
    #[derive(Deserialize)]
    struct Detail {
        snapshot: SnapshotWire,
    }
    let detail: Detail = read(Operation::GetSnapshot, response, redactor)?;
    match detail.snapshot.into_model() {
        Some((snapshot, _)) if snapshot.id.eq_ignore_ascii_case(id) => Ok(snapshot),
        _ => Err(garbled(
            response,
            "the answer is about another snapshot",
            redactor,
        )),
    }
}

/// `GET node-types` (reference 5.1.4). A type without a name is left out: nothing can be ordered by it.
pub fn node_types(response: &Response, redactor: &Redactor) -> Result<Vec<NodeType>, Failure> {
    let found = members::<NodeTypeList, _>(Operation::ListNodeTypes, response, redactor)?;
    Ok(found
        .items
        .into_iter()
        .filter_map(|wire| {
            Some(NodeType {
                id: wire.id.0.unwrap_or_default(),
                spec_name: wire.spec_name.0?,
            })
        })
        .collect())
}

/// `GET /v3/projects` (reference 6.4): the id of the project of that name, where there is one.
pub fn project_id(
    response: &Response,
    name: &str,
    redactor: &Redactor,
) -> Result<Option<String>, Failure> {
    let found = members::<ProjectList, _>(Operation::ListProjects, response, redactor)?;
    Ok(found
        .items
        .into_iter()
        .find(|project| project.name.0.as_deref() == Some(name))
        .and_then(|project| project.id.0))
}

fn listing<A: ListAnswer<W>, W: Wire>(
    operation: Operation,
    response: &Response,
    redactor: &Redactor,
    id: fn(&W::Model) -> &str,
) -> Result<Listing<W::Model>, Failure> {
    let Found {
        items,
        is_complete: mut complete,
    } = members::<A, W>(operation, response, redactor)?;
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

/// The members of a list.
struct Found<M> {
    items: Vec<M>,
    /// All could be read, and `count` says as many.
    is_complete: bool,
}

fn members<A: ListAnswer<W>, W: Wire>(
    operation: Operation,
    response: &Response,
    redactor: &Redactor,
) -> Result<Found<W::Model>, Failure> {
    let (members, envelope) = read::<A>(operation, response, redactor)?.into_parts();
    let refused = envelope
        .error_code
        .0
        .is_some_and(|code| !is_success_code(&code));
    if refused && envelope.job_id.0.is_none() {
        return Err(failure(operation, response, redactor));
    }
    let told = envelope.count.0.and_then(|told| usize::try_from(told).ok());
    match members {
        Members::List {
            items,
            count,
            whole,
        } => Ok(Found {
            items,
            is_complete: whole && told == Some(count),
        }),
        // Nobody said that there are none: as good as a list without `count`.
        Members::Null => Ok(Found {
            items: Vec::new(),
            is_complete: false,
        }),
        Members::Missing => Err(garbled(response, "the answer is no list", redactor)),
    }
}

fn read<T: DeserializeOwned>(
    operation: Operation,
    response: &Response,
    redactor: &Redactor,
) -> Result<T, Failure> {
    if !matches!(response.status, 200..=202) {
        return Err(failure(operation, response, redactor));
    }
    let json = json_bytes(&response.body);
    serde_json::from_slice(&json).map_err(|error| {
        // A 200 can be an error: it then says so, in either style.
        let failed = failure(operation, response, redactor);
        match failed.code {
            Some(_) => failed,
            None => garbled(
                response,
                &format!("the answer cannot be read ({error})"),
                redactor,
            ),
        }
    })
}

#[cfg(test)]
mod tests;
