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
use super::wire::lenient::Text;
use super::wire::list::{
    ClusterList, DetailEnvelope, ListAnswer, Members, NodeTypeList, ProjectList, SnapshotList, Wire,
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
        #[serde(flatten)]
        envelope: DetailEnvelope,
    }
    let detail: Detail = read(Operation::GetCluster, response, redactor)?;
    let told = detail.cluster.into_model();
    let told = told.filter(|(cluster, _)| cluster.id.eq_ignore_ascii_case(id));
    whole(response, told, &detail.envelope, redactor)
}

/// `GET snapshots/{id}` (reference 5.2.3). The answer must be about that id.
pub fn snapshot(response: &Response, id: &str, redactor: &Redactor) -> Result<Snapshot, Failure> {
    #[derive(Deserialize)]
    struct Detail {
        snapshot: SnapshotWire,
        #[serde(flatten)]
        envelope: DetailEnvelope,
    }
    let detail: Detail = read(Operation::GetSnapshot, response, redactor)?;
    let told = detail.snapshot.into_model();
    let told = told.filter(|(snapshot, _)| snapshot.id.eq_ignore_ascii_case(id));
    whole(response, told, &detail.envelope, redactor)
}

/// What was asked for, all of it, and nothing beside it that takes it back.
fn whole<M>(
    response: &Response,
    told: Option<(M, bool)>,
    envelope: &DetailEnvelope,
    redactor: &Redactor,
) -> Result<M, Failure> {
    let what = match told {
        None => "the answer is about something else",
        Some(_) if envelope.is_refusal() => "the answer bears an error beside what was asked for",
        Some((_, false)) => "the answer lacks the name, the status or the task",
        Some((model, true)) => return Ok(model),
    };
    Err(garbled(response, what, redactor))
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
    if is_refusal(&envelope.error_code, &envelope.job_id) {
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

impl DetailEnvelope {
    fn is_refusal(&self) -> bool {
        let code = Text(self.error_code.0.clone().or(self.err_code.0.clone()));
        is_refusal(&code, &self.job_id)
    }
}

/// A code beside what was asked for takes it back, unless it says success or a job stands with it.
fn is_refusal(code: &Text, job_id: &Text) -> bool {
    let refused = code.0.as_ref().is_some_and(|code| !is_success_code(code));
    refused && job_id.0.is_none()
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
