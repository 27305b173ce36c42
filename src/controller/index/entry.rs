//! What the index keeps of a resource: a few words of it, and the terms under which it is found.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;

use crate::api::annotations::is_paused;
use crate::api::cluster::{AdoptionPolicy, ManagementPolicy};
use crate::api::cluster_status::AccountRef;
use crate::api::{DwsCluster, DwsSnapshot, Operation, OperationKind, OperationPhase};
use crate::core::facts::{Rival, Waiting};
use crate::observer::{Kind, ResourceKey};

/// Something that a resource is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Term {
    /// Holds or asks for, or is a snapshot of, the cluster with this id.
    ClusterId(String),
    /// Is, or wants to be, the cluster of this name in this account.
    ClusterName(String, String, String),
    /// Is, or wants to be, the cluster of this name by a manifest of this namespace, whose account may not be
    /// known yet.
    NameHere(String, String),
    /// Holds, asks for or restores from the snapshot with this id.
    SnapshotId(String),
    /// Is, or wants to be, the snapshot of this name in this account.
    SnapshotName(String, String, String),
    /// Refers to the Secret (namespace, name).
    Secret(String, String),
    /// Takes its credentials from the Secret.
    Credentials(String, String),
    /// A `DwsSnapshot` of the `DwsCluster` (namespace, name).
    ClusterRef(String, String),
    /// A `DwsCluster` restored from the `DwsSnapshot` (namespace, name).
    SnapshotRef(String, String),
}

impl Term {
    /// Holds or asks for the object of this kind with this id.
    pub fn id(kind: Kind, id: &str) -> Self {
        match kind {
            Kind::Cluster => Self::ClusterId(id.to_owned()),
            Kind::Snapshot => Self::SnapshotId(id.to_owned()),
        }
    }
}

/// What is kept of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its uid.
    pub uid: String,
    /// Its version; only so that an older one does not overwrite a newer.
    pub version: Option<u64>,
    /// What decides whether others must look again.
    pub facts: Facts,
}

/// See [`Entry`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Its creation time.
    pub created: Option<Timestamp>,
    /// It is being deleted.
    pub deleting: bool,
    /// The id that its status holds.
    pub holds: Option<String>,
    /// The id that its spec asks for, while its status holds none.
    pub asks: Option<String>,
    /// It would take over whatever bears its name, and holds nothing yet (clusters).
    pub asks_by_name: bool,
    /// Its account, once recorded.
    pub account: Option<AccountRef>,
    /// The remote name.
    pub name: String,
    /// Names of the Secrets that it refers to or writes.
    pub secrets: Vec<String>,
    /// Name of the Secret of its credentials.
    pub credentials: Option<String>,
    /// The other kind's resource that it refers to.
    pub refers: Option<String>,
    /// The other kind's id that it refers to: the cluster of a snapshot, the snapshot of a restore.
    pub refers_id: Option<String>,
    /// The create or restore that is not over (clusters).
    pub makes: Option<OperationKind>,
    /// The open operation and when its intent was written.
    pub operation: Option<(String, Timestamp)>,
    /// The words that others wait for: status, sub-status, task, condition Ready.
    pub words: [Option<String>; 4],
    /// It waits to be started, and nothing but its turn is missing (snapshots).
    pub waits: bool,
    /// Since when (snapshots).
    pub waiting_since: Option<Timestamp>,
}

impl Facts {
    /// Of a cluster.
    pub fn of_cluster(cluster: &DwsCluster) -> Self {
        let spec = &cluster.spec;
        let status = cluster.status.clone().unwrap_or_default();
        let operation = status.operation.as_ref();
        let name_of = |reference: &crate::api::cluster::LocalRef| reference.name.clone();
        let credentials = cluster.credentials_secret_name().map(str::to_owned);
        let password = cluster.admin_password_secret_name().map(str::to_owned);
        let connection = cluster.connection_secret_name();
        let from = spec.restore_from.as_ref();
        let made = operation.filter(|open| makes(open));
        let restore = made.filter(|open| open.kind == OperationKind::Restore);
        Self {
            created: created(&cluster.metadata),
            deleting: cluster.metadata.deletion_timestamp.is_some(),
            asks: spec
                .cluster_id
                .clone()
                .filter(|_| status.cluster_id.is_none()),
            asks_by_name: cluster.adoption_policy() == AdoptionPolicy::IfExists
                && cluster.management_policy() != ManagementPolicy::ObserveOnly
                && spec.cluster_id.is_none()
                && status.cluster_id.is_none(),
            account: status.account.clone(),
            name: cluster.cluster_name().to_owned(),
            secrets: credentials
                .iter()
                .cloned()
                .chain(password)
                .chain([connection])
                .collect(),
            credentials,
            refers: from.and_then(|f| f.snapshot_ref.as_ref()).map(name_of),
            refers_id: restore
                .and_then(|o| o.target.snapshot_id.clone())
                .or_else(|| from.and_then(|f| f.snapshot_id.clone())),
            makes: made.map(|open| open.kind),
            operation: open(operation),
            words: [
                status.status,
                status.sub_status,
                status.task_status,
                ready(&status.conditions),
            ],
            holds: status.cluster_id,
            waits: false,
            waiting_since: None,
        }
    }

    /// Of a snapshot.
    pub fn of_snapshot(snapshot: &DwsSnapshot) -> Self {
        let spec = &snapshot.spec;
        let status = snapshot.status.clone().unwrap_or_default();
        let written = snapshot.credentials_secret_name().map(str::to_owned);
        let credentials = written.or_else(|| {
            status
                .credentials_secret_name
                .clone()
                .filter(|n| !n.is_empty())
        });
        Self {
            created: created(&snapshot.metadata),
            deleting: snapshot.metadata.deletion_timestamp.is_some(),
            asks: spec.snapshot_id.clone(),
            asks_by_name: false,
            account: status.account.clone(),
            name: snapshot.snapshot_name().to_lowercase(),
            secrets: credentials.iter().cloned().collect(),
            credentials,
            refers: spec.cluster_ref.as_ref().map(|r| r.name.clone()),
            refers_id: status
                .cluster_id
                .clone()
                .or_else(|| spec.cluster_id.clone()),
            makes: None,
            operation: open(status.operation.as_ref()),
            waits: waits(snapshot),
            waiting_since: status.waiting_since,
            words: [status.status, None, None, ready(&status.conditions)],
            holds: status.snapshot_id,
        }
    }

    /// Everything that it is found by.
    pub fn terms(&self, who: &ResourceKey) -> BTreeSet<Term> {
        let here = |name: &String| (who.namespace.clone(), name.clone());
        let mut terms = BTreeSet::new();
        for id in self.holds.iter().chain(&self.asks) {
            terms.insert(Term::id(who.kind, id));
        }
        if let Some(id) = self.refers_id.clone() {
            terms.insert(match who.kind {
                Kind::Cluster => Term::SnapshotId(id),
                Kind::Snapshot => Term::ClusterId(id),
            });
        }
        if who.kind == Kind::Cluster {
            let (namespace, name) = here(&self.name);
            terms.insert(Term::NameHere(namespace, name));
        }
        if let Some(AccountRef { region, project_id }) = self.account.clone() {
            let name = self.name.clone();
            terms.insert(match who.kind {
                Kind::Cluster => Term::ClusterName(region, project_id, name),
                Kind::Snapshot => Term::SnapshotName(region, project_id, name),
            });
        }
        if let Some((namespace, name)) = self.refers.as_ref().map(here) {
            terms.insert(match who.kind {
                Kind::Cluster => Term::SnapshotRef(namespace, name),
                Kind::Snapshot => Term::ClusterRef(namespace, name),
            });
        }
        let secrets = self.secrets.iter().map(here);
        terms.extend(secrets.map(|(namespace, name)| Term::Secret(namespace, name)));
        let credentials = self.credentials.iter().map(here);
        terms.extend(credentials.map(|(namespace, name)| Term::Credentials(namespace, name)));
        terms
    }

    /// A cluster is being made for it, and nobody knows its id yet.
    pub fn is_making(&self) -> bool {
        self.makes.is_some() && self.holds.is_none()
    }

    /// A restore for it is not over.
    pub fn is_restoring(&self) -> bool {
        self.makes == Some(OperationKind::Restore)
    }

    /// A finished snapshot: nothing that happens to its cluster matters to it.
    pub fn is_at_rest(&self) -> bool {
        let [.., ready] = &self.words;
        !self.deleting && self.operation.is_none() && ready.as_deref() == Some("True")
    }

    /// As a rival for the object with this id.
    pub fn rival(&self, who: &ResourceKey, uid: &str, id: &str) -> Rival {
        Rival {
            namespace: who.namespace.clone(),
            name: who.name.clone(),
            uid: uid.to_owned(),
            holds: self.holds.as_deref() == Some(id),
            created: self.created,
        }
    }

    /// As one that waits. `last_done` is when the last finished operation of the cluster began.
    pub fn waiting(&self, who: &ResourceKey, uid: &str, last_done: Option<Timestamp>) -> Waiting {
        let overdue = self
            .waiting_since
            .zip(last_done)
            .is_some_and(|(since, began)| since <= began);
        Waiting {
            name: who.name.clone(),
            uid: uid.to_owned(),
            created: self.created,
            snapshot_id: self.holds.clone(),
            waits: self.waits,
            overdue: self.waits && overdue,
        }
    }
}

fn created(meta: &kube::core::ObjectMeta) -> Option<Timestamp> {
    meta.creation_timestamp.as_ref().map(|time| time.0)
}

fn makes(operation: &Operation) -> bool {
    let kind = matches!(
        operation.kind,
        OperationKind::Create | OperationKind::Restore
    );
    kind && operation.phase != OperationPhase::OutcomeUnknown
}

fn open(operation: Option<&Operation>) -> Option<(String, Timestamp)> {
    let open = operation.filter(|o| o.phase != OperationPhase::OutcomeUnknown)?;
    Some((open.id.clone(), open.intended_at))
}

fn ready(conditions: &[Condition]) -> Option<String> {
    find(conditions, "Ready").map(|condition| condition.status.clone())
}

fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// A snapshot that something else than its turn holds back must not hold up those behind it.
fn waits(snapshot: &DwsSnapshot) -> bool {
    let status = snapshot.status.clone().unwrap_or_default();
    let conditions = &status.conditions;
    let paused = is_paused(snapshot.annotations());
    let stalled = find(conditions, "Stalled").is_some_and(|c| c.status == "True");
    let held_back = find(conditions, "Synced").is_some_and(|condition| {
        condition.status == "False"
            && !matches!(condition.reason.as_str(), "WaitingForCluster" | "Busy")
    });
    status.snapshot_id.is_none()
        && status.operation.is_none()
        && snapshot.spec.snapshot_id.is_none()
        && snapshot.metadata.deletion_timestamp.is_none()
        && !paused
        && !stalled
        && !held_back
}
