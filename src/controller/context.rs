//! What a reconcile stands on: clients, clock, randomness, settings, and what this process remembers.
//!
//! Every boundary is a field, so that tests and the simulation put their own in its place.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::Client;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::ReconcileError;
use super::index::Index;
use super::memory::Memory;
use crate::api::OperationKind;
use crate::core::facts;
use crate::core::step::Outcome;
use crate::dws::clock::Clock;
use crate::dws::permit::Permit;
use crate::entropy::Entropy;
use crate::observer::{Accounts, Kind, ResourceKey};

/// What comes from the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Namespaces where the operator's own credentials may take hold of what others made; `*` is all.
    pub adoption_namespaces: BTreeSet<String>,
    /// `credentialsSecretRef` may be used.
    pub allow_namespace_credentials: bool,
    /// The definitions of the kinds are read. Not where namespaces are named: no right within a namespace
    /// reaches them, and a refusal before each DELETE would alarm whoever reads the audit log.
    pub read_definitions: bool,
    /// From the decision to make a call to the last moment at which it may be sent.
    pub request_timeout: Duration,
    /// How long a server may still hold a request whose answer was lost, plus the lag of its lists.
    pub ambiguity_window: Duration,
    /// Interval of polls while a task runs.
    pub active_interval: Duration,
    /// Interval of polls while nothing runs.
    pub idle_interval: Duration,
    /// Limit of one reconcile.
    pub reconcile_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            adoption_namespaces: BTreeSet::from(["*".to_owned()]),
            allow_namespace_credentials: true,
            read_definitions: true,
            request_timeout: Duration::from_secs(30),
            ambiguity_window: Duration::from_mins(10),
            active_interval: Duration::from_secs(10),
            idle_interval: Duration::from_mins(1),
            reconcile_timeout: Duration::from_mins(3),
        }
    }
}

impl Settings {
    /// Whether the operator's own credentials may take hold of what others made in this namespace.
    pub fn adoption_allowed(&self, namespace: &str) -> bool {
        self.adoption_namespaces.contains("*") || self.adoption_namespaces.contains(namespace)
    }

    /// The part that plans know.
    pub fn core(&self) -> facts::Settings {
        facts::Settings {
            ambiguity_window: signed(self.ambiguity_window),
            active_interval: signed(self.active_interval),
            idle_interval: signed(self.idle_interval),
        }
    }
}

/// A duration for arithmetic with timestamps; one that is too long becomes the longest.
pub fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// What counts reconciles and their effects; all labels are closed sets.
pub trait Observe: Send + Sync + 'static {
    /// A reconcile came to this.
    fn reconciled(&self, _kind: Kind, _outcome: Outcome) {}
    /// A reconcile failed; `class` is [`super::ReconcileError::class`].
    fn failed(&self, _kind: Kind, _class: &'static str) {}
    /// A changing call was made; `result` is `accepted`, `refused` or `ambiguous`.
    fn called(&self, _operation: OperationKind, _result: &'static str) {}
    /// The status of a resource was written.
    fn status_written(&self, _kind: Kind) {}
    /// An event could not be written.
    fn event_failed(&self) {}
    /// The first lists of all watches are in: reconciling begins.
    fn synced(&self) {}
    /// A resource, as a watch or a list shows it.
    fn saw(&self, _kind: Kind, _meta: &ObjectMeta, _conditions: &[Condition]) {}
    /// A resource is gone.
    fn gone(&self, _key: &ResourceKey) {}
    /// A list of a kind (`namespace`: of one namespace) is in: what it does not hold is gone.
    fn listed(&self, _kind: Kind, _namespace: Option<&str>, _listed: &HashSet<ResourceKey>) {}
    /// Keys that wait in the queue, and keys that are being worked on.
    fn queue(&self, _waiting: usize, _running: usize) {}
}

/// Counts nothing.
impl Observe for () {}

/// Everything that a reconcile uses. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Kubernetes. Must be made with `Config::default_retry` off: retries are ours.
    pub client: Client,
    /// The accounts at the service.
    pub accounts: Accounts,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Entropy,
    /// Configuration.
    pub settings: Arc<Settings>,
    /// What resources refer to what.
    pub index: Arc<Index>,
    /// What this process remembers of each resource.
    pub memory: Arc<Memory>,
    /// Counters.
    pub observe: Arc<dyn Observe>,
    /// Has another resource looked at soon, because something that concerns it changed.
    pub wake: Arc<dyn Fn(&ResourceKey) + Send + Sync>,
    /// Where a changing call runs, from the storing of its intent to that of its answer, so that neither a
    /// time limit nor a shutdown cuts it off. `None` runs it inside the reconcile (the simulation crashes
    /// there).
    pub flights: Option<Flights>,
}

/// See [`Context::flights`].
#[derive(Clone, Default)]
pub struct Flights {
    /// Those that are under way.
    pub tracker: TaskTracker,
    /// The process is to end: no flight begins after this.
    pub stop: CancellationToken,
    /// Where it is gone, another process may be at work: nothing begins, and this process is to end.
    pub permit: Permit,
}

impl Flights {
    /// Whether the permit holds; where it does not, the process is to end from now on.
    fn is_permitted(&self) -> bool {
        let held = self.permit.holds();
        if !held {
            self.stop.cancel();
        }
        held
    }
}

impl Context {
    /// Has these looked at soon.
    pub fn wake_all(&self, keys: &[ResourceKey]) {
        for key in keys {
            (self.wake)(key);
        }
    }

    /// The process is to end: nothing new is begun.
    pub fn is_stopping(&self) -> bool {
        let flights = self.flights.as_ref();
        flights.is_some_and(|flights| !flights.is_permitted() || flights.stop.is_cancelled())
    }

    /// Asked before each write and each call: whether it may still be made. A process that stood still finds
    /// out here, before anything else of it ran, that it was replaced meanwhile.
    ///
    /// # Errors
    /// [`ReconcileError::Stopping`]: the permit is gone.
    pub fn permitted(&self) -> Result<(), ReconcileError> {
        match &self.flights {
            Some(flights) if !flights.is_permitted() => Err(ReconcileError::Stopping),
            _ => Ok(()),
        }
    }

    /// Reads, unless the process is to end: then they are dropped.
    ///
    /// # Errors
    /// Theirs, or [`ReconcileError::Stopping`].
    pub async fn unless_stopping<T>(
        &self,
        reads: impl Future<Output = Result<T, ReconcileError>>,
    ) -> Result<T, ReconcileError> {
        let Some(flights) = &self.flights else {
            return reads.await;
        };
        tokio::select! {
            biased;
            () = flights.stop.cancelled() => Err(ReconcileError::Stopping),
            read = reads => read,
        }
    }
}

/// What a reconcile came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// When to come again even if nothing is heard.
    pub wake: Option<Duration>,
    /// In one word.
    pub outcome: Outcome,
}
