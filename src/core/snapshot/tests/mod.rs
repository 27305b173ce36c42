//! Tables of the snapshot's plan: situation in, one readable line out, no I/O.
//!
//! [`Facts`] builds a situation and answers the plan's reads from it; [`Facts::plan`] gives the decision as
//! a line such as `call Snapshot #1; Ready=False/Snapshotting; Synced=True/Snapshotting; Reconciling`.
//! [`working`], [`waiting`], [`stalled`] and [`out_of_sync`] write the usual lines for one reason.

mod absorb;
mod adopt;
mod begin;
mod delete;
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
        generation: 1,
        at: ago(age),
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

/// A situation: facts at the start of the reconcile, and what its reads will show.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub facts: SnapshotFacts,
    list: Seen<Arc<SnapshotList>>,
    detail: Seen<Arc<Snapshot>>,
    cluster: Seen<Arc<Cluster>>,
    crd: bool,
}

impl Facts {
    /// A new manifest `backup` of a cluster that is at rest, in a project without snapshots.
    pub fn new() -> Self {
        let spec = DwsSnapshotSpec {
            cluster_ref: Some(LocalRef {
                name: "warehouse".into(),
            }),
            ..DwsSnapshotSpec::default()
        };
        let mut object = DwsSnapshot::new("backup", spec);
        object.metadata.namespace = Some("data".into());
        object.metadata.uid = Some("uid-backup".into());
        object.metadata.generation = Some(1);
        object.metadata.creation_timestamp = Some(Time(ago(100)));
        let mut owner = DwsCluster::new("warehouse", DwsClusterSpec::default());
        owner.metadata.generation = Some(1);
        owner.status = Some(DwsClusterStatus {
            cluster_id: Some(CLUSTER.into()),
            observed_generation: Some(1),
            ..DwsClusterStatus::default()
        });
        let known = KnownAccount {
            account: account(),
            own: true,
            adoption_allowed: true,
            circuit: None,
            clusters: None,
            snapshots: None,
        };
        let facts = SnapshotFacts {
            now: now(),
            settings: Settings {
                ambiguity_window: SignedDuration::from_mins(10),
                active_interval: SignedDuration::from_secs(10),
                idle_interval: SignedDuration::from_secs(60),
            },
            fresh: Fresh {
                operation_id: OP.into(),
                password: SecretString::from("Generated-Password-1"),
            },
            object: Arc::new(object),
            account: Account::Known(known),
            credentials_secret: String::new(),
            memory: Memory::default(),
            rivals: Vec::new(),
            held_elsewhere: BTreeMap::new(),
            cluster: Some(ClusterRefFact::Present(Arc::new(owner))),
            queue: Vec::new(),
            restoring: Vec::new(),
            namespace_terminating: false,
            fresh_snapshots: None,
            detail: None,
            cluster_detail: None,
            crd_deleting: None,
        };
        Self {
            facts,
            list: Ok(Arc::default()),
            detail: Err(failure(Meaning::Absent)),
            cluster: Ok(Arc::new(cluster("AVAILABLE", ""))),
            crd: false,
        }
        .list(&[])
    }

    /// A snapshot of ours that is complete.
    pub fn taken() -> Self {
        Self::new()
            .finalizer()
            .status(|status| {
                status.snapshot_id = Some(ID.into());
                status.adopted = Some(false);
                status.account = Some(account());
                status.cluster_id = Some(CLUSTER.into());
                status.observed_generation = Some(1);
            })
            .detail(snapshot(ID, "backup", "AVAILABLE", 500))
    }

    /// The request went out so many seconds ago, and no id is known.
    pub fn asked(phase: OperationPhase, age: i64) -> Self {
        Self::new()
            .finalizer()
            .status(|status| status.account = Some(account()))
            .operation(operation(OperationKind::Snapshot, phase, age))
    }

    /// That complete snapshot, its resource being deleted.
    pub fn dying() -> Self {
        Self::taken().deleted()
    }

    pub fn object(mut self, change: impl FnOnce(&mut DwsSnapshot)) -> Self {
        change(Arc::make_mut(&mut self.facts.object));
        self
    }

    pub fn spec(self, change: impl FnOnce(&mut DwsSnapshotSpec)) -> Self {
        self.object(|object| change(&mut object.spec))
    }

    pub fn status(self, change: impl FnOnce(&mut DwsSnapshotStatus)) -> Self {
        self.object(|object| change(object.status.get_or_insert_default()))
    }

    pub fn operation(self, operation: Operation) -> Self {
        self.status(|status| status.operation = Some(operation))
    }

    pub fn failed(self, kind: OperationKind, reason: &str, age: i64) -> Self {
        self.status(|status| status.last_failure = Some(last_failure(kind, reason, age)))
    }

    pub fn finalizer(self) -> Self {
        self.object(|object| object.metadata.finalizers = Some(vec![names::FINALIZER.into()]))
    }

    pub fn deleted(self) -> Self {
        self.finalizer()
            .object(|object| object.metadata.deletion_timestamp = Some(Time(now())))
    }

    pub fn policy(self, policy: SnapshotDeletionPolicy) -> Self {
        self.spec(|spec| spec.deletion_policy = Some(policy))
    }

    pub fn annotate(self, key: &str, value: impl Into<String>) -> Self {
        let (key, value) = (key.to_owned(), value.into());
        self.object(|object| {
            object
                .metadata
                .annotations
                .get_or_insert_default()
                .insert(key, value);
        })
    }

    pub fn paused(self) -> Self {
        self.annotate(names::PAUSED, "true")
    }

    pub fn account(mut self, account: Account) -> Self {
        self.facts.account = account;
        self
    }

    pub fn credentials_missing(self) -> Self {
        self.account(Account::CredentialsMissing {
            secret: "credentials".into(),
            message: "Secret credentials is not there.".into(),
        })
    }

    pub fn known(mut self, change: impl FnOnce(&mut KnownAccount)) -> Self {
        if let Account::Known(known) = &mut self.facts.account {
            change(known);
        }
        self
    }

    pub fn facts(mut self, change: impl FnOnce(&mut SnapshotFacts)) -> Self {
        change(&mut self.facts);
        self
    }

    /// The `DwsCluster` that `clusterRef` names.
    pub fn owner(self, change: impl FnOnce(&mut DwsCluster)) -> Self {
        self.facts(|facts| {
            if let Some(ClusterRefFact::Present(owner)) = &mut facts.cluster {
                change(Arc::make_mut(owner));
            }
        })
    }

    pub fn owner_deleted(self) -> Self {
        self.owner(|owner| owner.metadata.deletion_timestamp = Some(Time(now())))
    }

    /// `clusterId` instead of `clusterRef`.
    pub fn by_cluster_id(self) -> Self {
        self.spec(|spec| {
            spec.cluster_ref = None;
            spec.cluster_id = Some(CLUSTER.into());
        })
        .facts(|facts| facts.cluster = None)
    }

    /// The ambiguity window began so many seconds ago.
    pub fn window(self, began: i64) -> Self {
        self.facts(|facts| facts.memory.window_start = Some(ago(began)))
    }

    /// Lists without the recorded id: the first and the last, so many seconds apart.
    pub fn unlisted(self, apart: i64) -> Self {
        self.facts(|facts| {
            facts.memory.absence = Some(Absence {
                first: ago(apart),
                last: now(),
            });
        })
    }

    pub fn list(mut self, snapshots: &[Snapshot]) -> Self {
        let listing = Listing {
            items: snapshots.to_vec(),
            complete: true,
            service_time: Some(now()),
        };
        self.list = Ok(Arc::new(
            SnapshotList::from_listing(listing, now()).unwrap(),
        ));
        self
    }

    pub fn list_fails(mut self, meaning: Meaning) -> Self {
        self.list = Err(failure(meaning));
        self
    }

    pub fn detail(mut self, snapshot: Snapshot) -> Self {
        self.detail = Ok(Arc::new(snapshot));
        self
    }

    pub fn detail_fails(mut self, meaning: Meaning) -> Self {
        self.detail = Err(failure(meaning));
        self
    }

    pub fn cluster(mut self, cluster: Cluster) -> Self {
        self.cluster = Ok(Arc::new(cluster));
        self
    }

    pub fn cluster_fails(mut self, meaning: Meaning) -> Self {
        self.cluster = Err(failure(meaning));
        self
    }

    pub fn crd_deleted(mut self) -> Self {
        self.crd = true;
        self
    }

    /// The decision, every read answered; also the reads in their order.
    pub fn decide(mut self) -> (Decision<DwsSnapshotStatus>, Vec<Read>) {
        let mut reads = Vec::new();
        loop {
            let read = match plan(&self.facts) {
                Step::Act(decision) => return (*decision, reads),
                Step::Read(read) => read,
            };
            assert!(!reads.contains(&read), "{read:?} is asked twice: {reads:?}");
            match &read {
                Read::Snapshots => self.facts.fresh_snapshots = Some(self.list.clone()),
                Read::Snapshot(_) => self.facts.detail = Some(self.detail.clone()),
                Read::Cluster(_) => self.facts.cluster_detail = Some(self.cluster.clone()),
                Read::CrdState => self.facts.crd_deleting = Some(self.crd),
                other => unreachable!("a snapshot's plan does not read {other:?}"),
            }
            reads.push(read);
        }
    }

    /// The decision as one line.
    pub fn plan(self) -> String {
        line(&self.decide().0)
    }

    pub fn events(self) -> String {
        let decision = self.decide().0;
        let reasons: Vec<_> = decision.events.iter().map(|one| one.reason).collect();
        reasons.join(" ")
    }

    /// The message of a condition after this reconcile.
    pub fn message(self, type_: &str) -> String {
        let status = self.decide().0.status;
        let found = status.conditions.into_iter().find(|one| one.type_ == type_);
        found.map(|one| one.message).unwrap_or_default()
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
