//! Watches accounts: one list of clusters and, where needed, one of snapshots per interval and account,
//! instead of one request per resource.
//!
//! It knows the client and the facts that a plan may have, and nothing of Kubernetes: who follows what
//! is told to it, whom to wake comes out. Pure parts: [`bucket`], [`circuit`], [`interval`], [`view`],
//! [`absence`], [`interests`], [`credentials`]. Around them [`account`] (one account) and [`accounts`]
//! (all of them, which sources share one, and the loops).
//!
//! A resource calls [`Account::watch`] before it looks at [`Account::facts`]: then no change between the
//! two is lost.

pub mod absence;
pub mod account;
pub mod accounts;
pub mod bucket;
pub mod circuit;
pub mod credentials;
mod fingerprint;
mod flight;
pub mod interests;
pub mod interval;
pub mod limiter;
mod poll;
mod request;
mod run;
mod seat;
mod tenants;
pub mod view;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::SignedDuration;

pub use account::{Account, Following};
pub use accounts::Accounts;
pub use credentials::{CredentialsProblem, OwnCredentials};

use view::Subject;

/// Where credentials come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The operator's own.
    Own,
    /// A Secret.
    Secret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("own"),
            Self::Secret { namespace, name } => write!(f, "{namespace}/{name}"),
        }
    }
}

/// The kind of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `DwsCluster`.
    Cluster,
    /// `DwsSnapshot`.
    Snapshot,
}

impl Kind {
    /// The Kubernetes kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "DwsCluster",
            Self::Snapshot => "DwsSnapshot",
        }
    }
}

/// Which resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceKey {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What a resource follows at its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    /// The resource.
    pub key: ResourceKey,
    /// Its uid.
    pub uid: String,
    /// Clusters by id.
    pub cluster_ids: Vec<String>,
    /// Clusters by exact name.
    pub cluster_names: Vec<String>,
    /// Snapshots by id; one of these or the next makes the account list snapshots.
    pub snapshot_ids: Vec<String>,
    /// Snapshots by name, in any case.
    pub snapshot_names: Vec<String>,
    /// Something is not as it should be yet: the account is polled at the active interval, and the
    /// resource learns of a circuit at once.
    pub has_work: bool,
}

impl Interest {
    fn in_clusters(&self) -> bool {
        // Also one that follows nothing yet: it waits for the account to be known.
        !self.cluster_ids.is_empty() || !self.cluster_names.is_empty() || !self.in_snapshots()
    }

    fn in_snapshots(&self) -> bool {
        !self.snapshot_ids.is_empty() || !self.snapshot_names.is_empty()
    }

    fn subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        let clusters = self.cluster_ids.iter().cloned().map(Subject::Cluster);
        let names = self.cluster_names.iter().cloned().map(Subject::ClusterName);
        let snapshots = self.snapshot_ids.iter().cloned().map(Subject::Snapshot);
        let snapshot_names = self
            .snapshot_names
            .iter()
            .map(|name| Subject::SnapshotName(name.to_lowercase()));
        clusters.chain(names).chain(snapshots).chain(snapshot_names)
    }
}

/// Settings of the observer, the same for every account.
#[derive(Clone, Debug)]
pub struct ObserverSettings {
    /// Between polls while a task runs or a resource has work (`--active-poll-interval`).
    pub active_interval: SignedDuration,
    /// Between polls otherwise (`--poll-interval`).
    pub idle_interval: SignedDuration,
    /// Requests a second and account (`--max-requests-per-second`).
    pub max_requests_per_second: f64,
    /// The operator's own endpoint settings. Region and project are what a Secret falls back to;
    /// addresses, language and time-out hold for every account.
    pub endpoint: crate::dws::Settings,
}

impl Default for ObserverSettings {
    /// The defaults of the flags, no region.
    fn default() -> Self {
        Self {
            active_interval: SignedDuration::from_secs(10),
            idle_interval: SignedDuration::from_mins(1),
            max_requests_per_second: 10.0,
            endpoint: crate::dws::Settings::default(),
        }
    }
}
