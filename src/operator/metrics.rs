//! What Prometheus reads: counters that the other parts raise, and gauges that are asked at each scrape.
//!
//! Labels are bounded: kinds, outcomes, operations and results are fixed words of this program; reasons
//! are bounded by [`super::census`]; an account is its region and project. No name of a resource, no
//! namespace and no secret is a label. All names start with `dws_operator_`.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

/// What the answer of `/metrics` is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The reasons for which an account's circuit can be open.
pub const CIRCUIT_REASONS: [&str; 3] = ["Throttled", "CredentialsInvalid", "ServiceUnavailable"];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindOutcome {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationResult {
    operation: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindReason {
    kind: &'static str,
    reason: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AccountLabel {
    credentials: String,
    region: String,
    project: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AccountCircuit {
    credentials: String,
    region: String,
    project: String,
    reason: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;
type Seconds = Gauge<f64, AtomicU64>;
type Refresh = Box<dyn Fn(&Metrics) + Send + Sync>;

/// An account as the gauges show it.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountView {
    /// Where its credentials come from: `own`, or namespace and name of a Secret.
    pub credentials: String,
    /// Its region.
    pub region: String,
    /// Its project, as its settings name it.
    pub project: String,
    /// Seconds since the last complete list was asked for; while there was none, since it is there.
    pub list_age_seconds: f64,
    /// One of [`CIRCUIT_REASONS`] while calls are held back.
    pub circuit: Option<&'static str>,
}

/// How many resources of a kind have this reason of condition `Ready`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceCount {
    /// `DwsCluster` or `DwsSnapshot`.
    pub kind: &'static str,
    /// The reason; bounded.
    pub reason: String,
    /// How many.
    pub count: i64,
}

/// All metrics. Cheap to clone; clones share the numbers.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    reconciles: Family<KindOutcome, Counter>,
    changing_calls: Family<OperationResult, Counter>,
    status_writes: Family<KindLabel, Counter>,
    event_failures: Counter,
    queue_waiting: Gauge,
    queue_running: Gauge,
    remote_calls: Family<OperationResult, Counter>,
    remote_call_seconds: Histograms<OperationLabel>,
    seconds_until_ready: Histograms<KindLabel>,
    resources: Family<KindReason, Gauge>,
    list_age: Family<AccountLabel, Seconds>,
    circuit_open: Family<AccountCircuit, Gauge>,
    leader: Gauge,
    lease_failures: Counter,
    resident_memory: Gauge,
    refresh: RwLock<Vec<Refresh>>,
    /// Gauges are cleared and set anew: two scrapes at once would see halves.
    scrape: Mutex<()>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn quick_buckets() -> Histogram {
    Histogram::new([
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ])
}

/// A create takes 10 to 15 minutes, a restore up to an hour.
fn slow_buckets() -> Histogram {
    Histogram::new([
        10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0,
    ])
}

/// Makes metrics and registers them.
struct Adding<'a>(&'a mut Registry);

impl Adding<'_> {
    fn plain<M: Metric + Clone + Default>(&mut self, name: &str, help: &str) -> M {
        let metric = M::default();
        self.0.register(name, help, metric.clone());
        metric
    }

    fn measured<M: Metric + Clone + Default>(&mut self, name: &str, help: &str, unit: Unit) -> M {
        let metric = M::default();
        self.0.register_with_unit(name, help, unit, metric.clone());
        metric
    }

    fn histogram<L>(&mut self, name: &str, help: &str, make: fn() -> Histogram) -> Histograms<L>
    where
        L: EncodeLabelSet + Clone + Eq + Hash + fmt::Debug + Send + Sync + 'static,
    {
        let family = Histograms::new_with_constructor(make);
        self.0
            .register_with_unit(name, help, Unit::Seconds, family.clone());
        family
    }
}

impl Metrics {
    /// All metrics at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("dws_operator");
        let build = Info::new(vec![
            ("version", super::VERSION),
            ("revision", super::REVISION),
        ]);
        registry.register("build", "This build", build);
        let mut add = Adding(&mut registry);
        let inner = Inner {
            reconciles: add.plain("reconciles", "Reconciles by kind and outcome"),
            changing_calls: add.plain(
                "changing_calls",
                "Changing calls by operation and what is known of their effect",
            ),
            remote_calls: add.plain(
                "remote_calls",
                "Requests to the service and IAM by operation and result",
            ),
            remote_call_seconds: add.histogram(
                "remote_call",
                "Duration of requests to the service and IAM",
                quick_buckets,
            ),
            seconds_until_ready: add.histogram(
                "until_ready",
                "Time from a resource's creation until it was first Ready",
                slow_buckets,
            ),
            status_writes: add.plain("status_writes", "Writes of a resource's status"),
            event_failures: add.plain("event_failures", "Events that could not be written"),
            queue_waiting: add.plain("queue_waiting", "Resources that wait to be reconciled"),
            queue_running: add.plain("queue_running", "Resources that are being reconciled"),
            resources: add.plain(
                "resources",
                "Resources by kind and reason of condition Ready",
            ),
            list_age: add.measured(
                "last_list_age",
                "Time since the last complete list of an account was asked for",
                Unit::Seconds,
            ),
            circuit_open: add.plain(
                "circuit_open",
                "1 while calls to an account are held back for this reason",
            ),
            leader: add.plain("leader", "1 in the replica that works"),
            lease_failures: add.plain(
                "lease_failures",
                "Requests about the lease that did not go through",
            ),
            resident_memory: add.measured(
                "process_resident_memory",
                "Resident memory of this process",
                Unit::Bytes,
            ),
            refresh: RwLock::default(),
            scrape: Mutex::default(),
            registry,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// One reconcile ended.
    pub fn reconciled(&self, kind: &'static str, outcome: &'static str) {
        let labels = KindOutcome { kind, outcome };
        self.inner.reconciles.get_or_create(&labels).inc();
    }

    /// A changing call was answered, or not: `accepted`, `refused` or `ambiguous`.
    pub fn changed(&self, operation: &'static str, result: &'static str) {
        let labels = OperationResult { operation, result };
        self.inner.changing_calls.get_or_create(&labels).inc();
    }

    /// The status of a resource was written.
    pub fn status_written(&self, kind: &'static str) {
        self.inner
            .status_writes
            .get_or_create(&KindLabel { kind })
            .inc();
    }

    /// An event could not be written.
    pub fn event_failed(&self) {
        self.inner.event_failures.inc();
    }

    /// Resources that wait for their turn, and those that are being reconciled.
    pub fn queue(&self, waiting: usize, running: usize) {
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        self.inner.queue_waiting.set(number(waiting));
        self.inner.queue_running.set(number(running));
    }

    /// One request to the service or IAM ended.
    pub fn called(&self, operation: &'static str, result: &'static str, took: Duration) {
        let inner = &self.inner;
        inner
            .remote_calls
            .get_or_create(&OperationResult { operation, result })
            .inc();
        inner
            .remote_call_seconds
            .get_or_create(&OperationLabel { operation })
            .observe(took.as_secs_f64());
    }

    /// A resource was Ready for the first time, this long after its creation.
    pub fn became_ready(&self, kind: &'static str, seconds: f64) {
        self.inner
            .seconds_until_ready
            .get_or_create(&KindLabel { kind })
            .observe(seconds);
    }

    /// Replaces the counts of resources.
    pub fn set_resources(&self, counts: &[ResourceCount]) {
        let family = &self.inner.resources;
        family.clear();
        for entry in counts {
            let labels = KindReason {
                kind: entry.kind,
                reason: entry.reason.clone(),
            };
            family.get_or_create(&labels).set(entry.count);
        }
    }

    /// Replaces the gauges of accounts.
    pub fn set_accounts(&self, views: &[AccountView]) {
        let inner = &self.inner;
        inner.list_age.clear();
        inner.circuit_open.clear();
        for view in views {
            let label = AccountLabel {
                credentials: view.credentials.clone(),
                region: view.region.clone(),
                project: view.project.clone(),
            };
            let age = view.list_age_seconds;
            inner.list_age.get_or_create(&label).set(age);
            for reason in CIRCUIT_REASONS {
                let labels = AccountCircuit {
                    credentials: view.credentials.clone(),
                    region: view.region.clone(),
                    project: view.project.clone(),
                    reason,
                };
                let open = i64::from(view.circuit == Some(reason));
                inner.circuit_open.get_or_create(&labels).set(open);
            }
        }
    }

    /// Whether this process is the one that works.
    pub fn set_leader(&self, leads: bool) {
        self.inner.leader.set(i64::from(leads));
    }

    /// A request about the lease did not go through.
    pub fn lease_failed(&self) {
        self.inner.lease_failures.inc();
    }

    /// Runs at every scrape, before the text is made.
    pub fn on_scrape(&self, refresh: impl Fn(&Self) + Send + Sync + 'static) {
        self.inner.refresh.write().push(Box::new(refresh));
    }

    /// The text of `/metrics`.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let _one_at_a_time = self.inner.scrape.lock();
        for refresh in self.inner.refresh.read().iter() {
            refresh(self);
        }
        if let Some(bytes) = resident_memory() {
            self.inner.resident_memory.set(bytes);
        }
        let mut text = String::new();
        encode(&mut text, &self.inner.registry)?;
        Ok(text)
    }
}

/// Resident memory of this process in bytes, where `/proc` tells it.
pub fn resident_memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: i64 = line.split_whitespace().nth(1)?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests;
