//! One observer per account (placeholder until the observer's branch lands).
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::api::cluster_status::AccountRef;
use crate::core::facts::{Absence, ClusterList, SnapshotList};
use crate::dws::answer::{Answer, Failure};
use crate::dws::call::Call;
use crate::dws::model::{Cluster, Snapshot};

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

/// A kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `DwsCluster`.
    Cluster,
    /// `DwsSnapshot`.
    Snapshot,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceKey {
    /// Kind.
    pub kind: Kind,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// What a resource follows.
#[derive(Clone, Debug)]
pub struct Interest {
    /// Whose.
    pub key: ResourceKey,
    /// Its uid.
    pub uid: String,
    /// Ids.
    pub cluster_ids: Vec<String>,
    /// Names.
    pub cluster_names: Vec<String>,
    /// Ids.
    pub snapshot_ids: Vec<String>,
    /// Names.
    pub snapshot_names: Vec<String>,
    /// Whether something runs or waits.
    pub has_work: bool,
}

/// One account.
#[derive(Clone)]
pub struct Account;

#[allow(clippy::unused_async, clippy::unused_self, missing_docs)]
impl Account {
    pub fn facts(&self, _adoption_allowed: bool) -> crate::core::facts::Account {
        crate::core::facts::Account::Pending
    }
    pub fn account_ref(&self) -> Option<AccountRef> {
        None
    }
    pub async fn fresh_clusters(&self) -> Result<Arc<ClusterList>, Failure> {
        Ok(Arc::default())
    }
    pub async fn fresh_snapshots(&self) -> Result<Arc<SnapshotList>, Failure> {
        Ok(Arc::default())
    }
    pub async fn cluster(&self, _id: &str) -> Result<Arc<Cluster>, Failure> {
        Ok(Arc::default())
    }
    pub async fn snapshot(&self, _id: &str) -> Result<Arc<Snapshot>, Failure> {
        Ok(Arc::default())
    }
    pub async fn execute(&self, _call: &Call, _deadline: Timestamp) -> Answer {
        Answer::Accepted {
            id: None,
            service_time: None,
        }
    }
    pub fn id_was_read(&self, _id: &str) -> bool {
        false
    }
    pub fn cluster_absence(&self, _id: &str) -> Option<Absence> {
        None
    }
    pub fn snapshot_absence(&self, _id: &str) -> Option<Absence> {
        None
    }
    pub fn watch(&self, _interest: Interest) {}
    pub fn unwatch(&self, _uid: &str) {}
}

/// All accounts.
#[derive(Clone)]
pub struct Accounts;

/// Why there is no account.
#[derive(Clone, Debug)]
pub enum CredentialsProblem {
    /// Something is missing.
    Missing {
        /// What.
        message: String,
    },
    /// Something is wrong.
    Invalid {
        /// What.
        message: String,
    },
}

#[allow(clippy::unused_async, clippy::unused_self, missing_docs)]
impl Accounts {
    pub fn own(&self) -> Option<Account> {
        None
    }
    pub fn from_secret(
        &self,
        _namespace: &str,
        _name: &str,
        _secret_uid: &str,
        _resource_version: &str,
        _data: &BTreeMap<String, SecretString>,
    ) -> Result<(Account, Vec<String>), CredentialsProblem> {
        Ok((Account, Vec::new()))
    }
    pub fn last_good(&self, _source: &Source) -> Option<Account> {
        None
    }
    pub fn release(&self, _source: &Source) {}
    pub fn all(&self) -> Vec<(Source, Account)> {
        Vec::new()
    }
    pub async fn run(
        self,
        _wake: impl Fn(ResourceKey) + Send + Sync + 'static,
        shutdown: CancellationToken,
    ) {
        shutdown.cancelled().await;
    }
}
