//! Tables of the snapshot's plan: situation in, one readable line out, no I/O.
//!
//! [`Facts`] builds a situation and answers the plan's reads from it; [`Facts::plan`] gives the decision as
//! a line such as `call Snapshot #1; Ready=False/Snapshotting; Synced=True/Snapshotting; Reconciling`.
//! [`working`], [`waiting`], [`stalled`] and [`out_of_sync`] write the usual lines for one reason.

mod absorb;
mod adopt;
mod begin;
mod delete;
mod fixture;
mod follow;
mod properties;
mod settle;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use secrecy::SecretString;

use super::plan;
use crate::api::cluster::LocalRef;
use crate::api::cluster_status::{AccountRef, LastFailure};
use crate::api::names;
use crate::api::snapshot::SnapshotDeletionPolicy;
use crate::api::{
    Baseline, DwsCluster, DwsClusterSpec, DwsClusterStatus, DwsSnapshot, DwsSnapshotSpec,
    DwsSnapshotStatus, Operation, OperationKind, OperationPhase, Target,
};
use crate::core::conditions as core_conditions;
use crate::core::facts::{
    Absence, Account, Circuit, CircuitReason, ClusterRefFact, Fresh, KnownAccount, Memory, Rival,
    Seen, Settings, SnapshotFacts, SnapshotList, Waiting,
};
use crate::core::failures::tests::failure;
use crate::core::step::{Decision, Read, Step};
use crate::dws::answer::Meaning;
use crate::dws::call::Call;
use crate::dws::model::{Cluster, Listing, Snapshot};
use fixture::Facts;

/// The cluster.
pub(super) const CLUSTER: &str = "11111111-1111-1111-1111-111111111111";
/// The snapshot that the resource stands for.
pub(super) const ID: &str = "22222222-2222-2222-2222-222222222222";
/// Somebody else's snapshot or cluster.
pub(super) const OTHER: &str = "33333333-3333-3333-3333-333333333333";
pub(super) const OP: &str = "operation-1";

/// The present of every table; whole seconds.
pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(super) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

/// Our operation, or one whose answer is not known, goes on.
pub(super) fn working(reason: &str) -> String {
    format!("Ready=False/{reason}; Synced=True/{reason}; Reconciling")
}

/// Something that will come is waited for.
pub(super) fn waiting(reason: &str) -> String {
    format!("Ready=False/{reason}; Synced=False/{reason}; Reconciling")
}

/// Nothing changes until a person or another object does.
pub(super) fn stalled(reason: &str) -> String {
    format!("Ready=False/{reason}; Synced=False/{reason}; Stalled")
}

/// Not what the manifest says, and neither under way nor stuck.
pub(super) fn out_of_sync(reason: &str) -> String {
    format!("Ready=False/{reason}; Synced=False/{reason}")
}

/// A complete snapshot.
pub(super) const COMPLETE: &str = "Ready=True/Available; Synced=True/InSync";

pub(super) fn cluster(status: &str, task: &str) -> Cluster {
    Cluster {
        id: CLUSTER.into(),
        name: "warehouse".into(),
        status: status.into(),
        task_status: (!task.is_empty()).then(|| task.into()),
        ..Cluster::default()
    }
}

/// A snapshot as the service shows it, begun so many seconds ago.
pub(super) fn snapshot(id: &str, name: &str, status: &str, age: i64) -> Snapshot {
    Snapshot {
        id: id.into(),
        name: name.into(),
        status: status.into(),
        started_at: Some(ago(age)),
        type_: Some("MANUAL".into()),
        cluster_id: Some(CLUSTER.into()),
        ..Snapshot::default()
    }
}

pub(super) fn account() -> AccountRef {
    AccountRef {
        region: "eu-west-101".into(),
        project_id: "project".into(),
    }
}

pub(super) fn circuit(failed_polls: u32) -> Circuit {
    Circuit {
        reason: CircuitReason::Throttled,
        message: "Too many requests.".into(),
        until: now(),
        failed_polls,
    }
}

/// An operation of this resource, intended so many seconds ago.
pub(super) fn operation(kind: OperationKind, phase: OperationPhase, age: i64) -> Operation {
    let taking = kind == OperationKind::Snapshot;
    Operation {
        id: OP.into(),
        kind,
        attempt: 1,
        phase,
        target: Target {
            name: taking.then(|| "backup".into()),
            cluster_id: taking.then(|| CLUSTER.into()),
            snapshot_id: (!taking).then(|| ID.into()),
            ..Target::default()
        },
        baseline: Baseline {
            service_time: taking.then(|| ago(age)),
            ..Baseline::default()
        },
        intended_at: ago(age),
        message: None,
        task_seen: None,
        other: BTreeMap::default(),
    }
}

pub(super) fn last_failure(kind: OperationKind, reason: &str, age: i64) -> LastFailure {
    LastFailure {
        kind,
        reason: reason.into(),
        code: None,
        message: "The service's words.".into(),
        credentials: None,
        generation: 1,
        at: ago(age),
        other: BTreeMap::default(),
    }
}

pub(super) fn rival(namespace: &str, holds: bool, age: i64) -> Rival {
    Rival {
        namespace: namespace.into(),
        name: "other".into(),
        uid: "zz".into(),
        holds,
        created: Some(ago(age)),
    }
}

/// Another resource of the same cluster that waits for its turn.
pub(super) fn in_queue(name: &str, age: i64) -> Waiting {
    Waiting {
        name: name.into(),
        uid: format!("uid-{name}"),
        created: Some(ago(age)),
        snapshot_id: None,
        waits: true,
        overdue: false,
    }
}

/// A decision in one line.
pub(super) fn line(decision: &Decision<DwsSnapshotStatus>) -> String {
    if decision.remove_finalizer {
        return "forget".into();
    }
    let mut parts = Vec::new();
    if let Some(intent) = &decision.call {
        let open = intent.operation();
        parts.push(format!("call {:?} #{}", open.kind, open.attempt));
    }
    let conditions = &decision.status.conditions;
    for type_ in ["Ready", "Synced"] {
        if let Some(reason) = core_conditions::reason(conditions, type_) {
            let truth = if core_conditions::is_true(conditions, type_) {
                "True"
            } else {
                "False"
            };
            parts.push(format!("{type_}={truth}/{reason}"));
        }
    }
    for type_ in ["Reconciling", "Stalled"] {
        if core_conditions::is_true(conditions, type_) {
            parts.push(type_.to_owned());
        }
    }
    parts.join("; ")
}
