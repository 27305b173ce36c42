//! What a plan may know: everything that was read, and nothing that it could look up itself.
//!
//! A field that is `None` has not been read in this reconcile; the plan asks for it by a
//! [`super::step::Read`] when it needs it. A failed read is a fact as well.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::api::cluster_status::{AccountRef, SecretVersion};
use crate::api::{DwsCluster, DwsSnapshot};
use crate::dws::answer::Failure;
use crate::dws::model::{Cluster, Listing, Snapshot};

/// What a read gave.
pub type Seen<T> = Result<T, Failure>;

/// Durations and permissions that come from the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a server may still hold a request whose answer was lost, plus the lag of its lists.
    pub ambiguity_window: SignedDuration,
    /// Interval of polls while a task runs; two lists this far apart confirm an absence.
    pub active_interval: SignedDuration,
    /// Interval of polls while nothing runs.
    pub idle_interval: SignedDuration,
}

/// Values that must be new each time, drawn before the plan.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// A UUID for the next operation.
    pub operation_id: String,
    /// A generated password: 20 characters of all four classes.
    pub password: SecretString,
}

/// The account that the resource's credentials lead to.
#[derive(Clone, Debug)]
pub enum Account {
    /// The credentials are complete and their project is known.
    Known(KnownAccount),
    /// The Secret or one of its keys is not there; it may come.
    CredentialsMissing {
        /// What is missing and what to do, one sentence.
        message: String,
    },
    /// What is written can never work (not allowed here, contradictory): the spec or the Secret must change.
    Invalid {
        /// What to mend, one sentence.
        message: String,
    },
    /// The project could not be looked up, or nothing was read yet.
    Unreachable(Circuit),
    /// The first poll of this account has not come back yet.
    Pending,
}

/// A usable account.
#[derive(Clone, Debug)]
pub struct KnownAccount {
    /// Region and project.
    pub account: AccountRef,
    /// Taking hold of what others made is allowed in this namespace with these credentials.
    pub adoption_allowed: bool,
    /// Set while calls are held back.
    pub circuit: Option<Circuit>,
    /// The last complete list of clusters, if any.
    pub clusters: Option<Arc<ClusterList>>,
    /// The last complete list of snapshots, if one was taken.
    pub snapshots: Option<Arc<SnapshotList>>,
}

/// Why calls to an account are held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// `Throttled`, `CredentialsInvalid` or `ServiceUnavailable`.
    pub reason: CircuitReason,
    /// The service's code and words, and what to do.
    pub message: String,
    /// When the next call may go out.
    pub until: Timestamp,
    /// Polls that failed in a row.
    pub failed_polls: u32,
}

/// See [`Circuit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitReason {
    /// 429.
    Throttled,
    /// Authentication failed.
    CredentialsInvalid,
    /// 5xx, time-out, no connection, unreadable answers.
    ServiceUnavailable,
}

impl CircuitReason {
    /// The reason of condition `Synced`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "Throttled",
            Self::CredentialsInvalid => "CredentialsInvalid",
            Self::ServiceUnavailable => "ServiceUnavailable",
        }
    }
}

/// A complete list of the project's clusters.
#[derive(Debug, Default)]
pub struct ClusterList {
    /// When the request was sent (the operator's clock): what changed later may not show.
    pub requested_at: Timestamp,
    /// The service's clock when it answered.
    pub service_time: Option<Timestamp>,
    /// By id.
    pub by_id: HashMap<String, Arc<Cluster>>,
    /// By exact name.
    by_name: HashMap<String, Vec<Arc<Cluster>>>,
}

/// A complete list of the project's snapshots.
#[derive(Debug, Default)]
pub struct SnapshotList {
    /// When the request was sent (the operator's clock).
    pub requested_at: Timestamp,
    /// The service's clock when it answered.
    pub service_time: Option<Timestamp>,
    /// By id.
    pub by_id: HashMap<String, Arc<Snapshot>>,
    /// By lower-case name (the service compares without case).
    by_name: HashMap<String, Vec<Arc<Snapshot>>>,
    /// By the cluster's id.
    by_cluster: HashMap<String, Vec<Arc<Snapshot>>>,
}

impl ClusterList {
    /// Indexes a listing; `None` unless it is complete.
    pub fn from_listing(listing: Listing<Cluster>, requested_at: Timestamp) -> Option<Self> {
        Self::following(&Self::default(), listing, requested_at)
    }

    /// The same, sharing with the list before it what has not changed: of ten thousand clusters that is
    /// nearly all, and it need not be held twice.
    pub fn following(
        before: &Self,
        listing: Listing<Cluster>,
        requested_at: Timestamp,
    ) -> Option<Self> {
        if !listing.complete {
            return None;
        }
        let mut list = Self {
            requested_at,
            service_time: listing.service_time,
            ..Self::default()
        };
        for cluster in listing.items {
            let cluster = shared(before.by_id.get(&cluster.id), cluster);
            let of_name = list.by_name.entry(cluster.name.clone()).or_default();
            of_name.push(cluster.clone());
            list.by_id.insert(cluster.id.clone(), cluster);
        }
        Some(list)
    }

    /// Clusters that bear exactly this name.
    pub fn named(&self, name: &str) -> &[Arc<Cluster>] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }
}

impl SnapshotList {
    /// Indexes a listing; `None` unless it is complete.
    pub fn from_listing(listing: Listing<Snapshot>, requested_at: Timestamp) -> Option<Self> {
        Self::following(&Self::default(), listing, requested_at)
    }

    /// The same, sharing with the list before it what has not changed.
    pub fn following(
        before: &Self,
        listing: Listing<Snapshot>,
        requested_at: Timestamp,
    ) -> Option<Self> {
        if !listing.complete {
            return None;
        }
        let mut list = Self {
            requested_at,
            service_time: listing.service_time,
            ..Self::default()
        };
        for snapshot in listing.items {
            let snapshot = shared(before.by_id.get(&snapshot.id), snapshot);
            let name = snapshot.name.to_lowercase();
            list.by_name.entry(name).or_default().push(snapshot.clone());
            if let Some(cluster) = snapshot.cluster_id.clone() {
                let of_cluster = list.by_cluster.entry(cluster).or_default();
                of_cluster.push(snapshot.clone());
            }
            list.by_id.insert(snapshot.id.clone(), snapshot);
        }
        Some(list)
    }

    /// Snapshots that bear this name, compared without case.
    pub fn named(&self, name: &str) -> &[Arc<Snapshot>] {
        let found = self.by_name.get(&name.to_lowercase());
        found.map_or(&[], Vec::as_slice)
    }

    /// Snapshots of this cluster.
    pub fn of_cluster(&self, cluster_id: &str) -> &[Arc<Snapshot>] {
        let found = self.by_cluster.get(cluster_id);
        found.map_or(&[], Vec::as_slice)
    }
}

/// The one that is known, where nothing about it has changed.
fn shared<T: PartialEq>(known: Option<&Arc<T>>, found: T) -> Arc<T> {
    match known {
        Some(known) if **known == found => known.clone(),
        _ => Arc::new(found),
    }
}

/// Complete lists of the recorded account in which the recorded id was not there, since it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// When the first such list was requested.
    pub first: Timestamp,
    /// When the latest such list was requested.
    pub last: Timestamp,
}

/// What only this process remembers; lost with it, and safe to lose.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// When the ambiguity window of the open operation's attempt began: the end of its call, or this
    /// process's first look at it.
    pub window_start: Option<Timestamp>,
    /// Since when the node count has stood below the settled one without a break.
    pub low_count_since: Option<Timestamp>,
    /// These credentials have read the recorded id before.
    pub id_was_read: bool,
    /// Lists without the recorded id.
    pub absence: Option<Absence>,
}

/// Another resource that names or holds the same remote object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its status holds the id (as opposed to its spec asking for it).
    pub holds: bool,
    /// Its creation time.
    pub created: Option<Timestamp>,
}

/// The Secret that a reference names.
#[derive(Clone, Debug)]
pub enum PasswordSecret {
    /// The Secret is not there.
    NoSecret,
    /// The Secret is there and the key is not, or it is not UTF-8.
    NoKey,
    /// The value, and what identifies this content without telling it.
    Value {
        /// The password.
        password: SecretString,
        /// The Secret's uid.
        uid: String,
        /// The Secret's resourceVersion.
        resource_version: String,
    },
}

/// The Secret that bears the connection Secret's name.
#[derive(Clone, Debug)]
pub enum ConnectionSecret {
    /// There is none.
    Absent,
    /// Somebody else's: never touched. The text names its owner, or says that it has none.
    Foreign(String),
    /// Ours.
    Ours {
        /// Its data, decoded.
        data: BTreeMap<String, SecretString>,
        /// How it is tied to the resource. `None`: by halves, or to a former resource of this name (a restored
        /// backup), so that it must be tied anew.
        tie: Option<Tie>,
    },
}

/// How a connection Secret is tied to its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// By an owner reference too: it goes when the resource goes, and before that in a foreground deletion.
    Owned,
    /// By its annotation alone: whatever deletes the resource leaves it there, as it leaves the cluster.
    Kept,
}

impl Tie {
    /// As firmly as the cluster is tied to this resource. What `adopted` will be counts, not what it was.
    pub fn of(object: &DwsCluster, adopted: bool) -> Self {
        if object.outlives_deletion(adopted) {
            Self::Kept
        } else {
            Self::Owned
        }
    }
}

/// The `DwsSnapshot` that `restoreFrom.snapshotRef` names.
#[derive(Clone, Debug)]
pub enum SnapshotRefFact {
    /// There is none of this name.
    Absent,
    /// There is one.
    Present(Arc<DwsSnapshot>),
}

/// A `DwsSnapshot` that stands for a snapshot of this cluster, or waits to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its creation time.
    pub created: Option<Timestamp>,
    /// The snapshot that it holds, once there is one.
    pub snapshot_id: Option<String>,
    /// It waits to be started and nothing but its turn is missing.
    pub waits: bool,
    /// It has waited for one whole operation on this cluster: it goes next.
    pub overdue: bool,
}

/// Everything that a plan for a `DwsCluster` may know.
#[derive(Clone, Debug)]
pub struct ClusterFacts {
    /// When this reconcile began, before its first read and the same for all its plans: whatever was read in
    /// it was requested no earlier, so that "wait the window out, then read" can be judged by it.
    pub now: Timestamp,
    /// Configuration.
    pub settings: Settings,
    /// New random values.
    pub fresh: Fresh,
    /// The resource, read live.
    pub object: Arc<DwsCluster>,
    /// Its account.
    pub account: Account,
    /// The Secret that the account was made from, as it is now; `None` for the operator's own credentials.
    pub credentials: Option<SecretVersion>,
    /// What this process remembers of it.
    pub memory: Memory,
    /// Other `DwsCluster`s that name or hold the same cluster, by id.
    pub rivals: Vec<Rival>,
    /// Ids of clusters that other resources hold (asked for those ids that the plan could claim).
    pub held_elsewhere: BTreeMap<String, Rival>,
    /// Other `DwsCluster`s with an open create or restore of the same name in this account, whose id is not
    /// known yet.
    pub making_elsewhere: Vec<Rival>,
    /// `DwsSnapshot`s that refer to this cluster.
    pub snapshots_of_cluster: Vec<Waiting>,
    /// The namespace is being deleted. Known with [`Self::fresh_list`], while no id is.
    pub namespace_terminating: bool,

    /// A list whose request went out in this reconcile.
    pub fresh_list: Option<Seen<Arc<ClusterList>>>,
    /// A detail of the recorded id (or of `spec.clusterId` before adoption), read in this reconcile.
    pub detail: Option<Seen<Arc<Cluster>>>,
    /// A list of snapshots whose request went out in this reconcile.
    pub fresh_snapshots: Option<Seen<Arc<SnapshotList>>>,
    /// The connection Secret.
    pub connection_secret: Option<ConnectionSecret>,
    /// The Secret of `adminPasswordSecretRef`.
    pub password_secret: Option<PasswordSecret>,
    /// The object of `restoreFrom.snapshotRef`.
    pub restore_snapshot: Option<SnapshotRefFact>,
    /// The CRD is being deleted.
    pub crd_deleting: Option<bool>,
}

/// The `DwsCluster` that a `DwsSnapshot` refers to.
#[derive(Clone, Debug)]
pub enum ClusterRefFact {
    /// There is none of this name.
    Absent,
    /// There is one.
    Present(Arc<DwsCluster>),
}

/// Everything that a plan for a `DwsSnapshot` may know.
#[derive(Clone, Debug)]
pub struct SnapshotFacts {
    /// When this reconcile began, before its first read (see [`ClusterFacts::now`]).
    pub now: Timestamp,
    /// Configuration.
    pub settings: Settings,
    /// New random values.
    pub fresh: Fresh,
    /// The resource, read live.
    pub object: Arc<DwsSnapshot>,
    /// Its account: of `status.credentialsSecretName` once recorded, else of the cluster or the spec.
    pub account: Account,
    /// Name of the credentials Secret that `account` was made from; empty for the operator's own.
    pub credentials_secret: String,
    /// That Secret as it is now; `None` for the operator's own.
    pub credentials: Option<SecretVersion>,
    /// What this process remembers of it.
    pub memory: Memory,
    /// Other `DwsSnapshot`s that name or hold the same snapshot, by id.
    pub rivals: Vec<Rival>,
    /// Ids of snapshots that other resources hold.
    pub held_elsewhere: BTreeMap<String, Rival>,
    /// The cluster of `clusterRef` (read live), where one is written.
    pub cluster: Option<ClusterRefFact>,
    /// The `DwsCluster` that holds the cluster of `clusterId` (read live), wherever it is: it tells whose
    /// turn it is, never which credentials to use.
    pub holder: Option<Arc<DwsCluster>>,
    /// All `DwsSnapshot`s of the same cluster that wait, this one included.
    pub queue: Vec<Waiting>,
    /// `DwsCluster`s (`namespace/name`) whose restore from this snapshot is not over.
    pub restoring: Vec<String>,
    /// The namespace is being deleted.
    pub namespace_terminating: bool,

    /// A list of snapshots whose request went out in this reconcile.
    pub fresh_snapshots: Option<Seen<Arc<SnapshotList>>>,
    /// A detail of the recorded id (or of `spec.snapshotId` before adoption), read in this reconcile.
    pub detail: Option<Seen<Arc<Snapshot>>>,
    /// A detail of the cluster, read in this reconcile.
    pub cluster_detail: Option<Seen<Arc<Cluster>>>,
    /// The CRD is being deleted.
    pub crd_deleting: Option<bool>,
}
