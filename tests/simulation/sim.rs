//! The scheduler: one process of the operator after the other, in one thread, over worlds that outlive them.
//!
//! It does what production's loops do: polls the account when that is due, feeds the index from the watch,
//! reconciles what was woken. A crash drops the reconcile where it stands and forgets what the process knew.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dws_operator::api::{DwsCluster, DwsSnapshot};
use dws_operator::controller::index::Order;
use dws_operator::controller::{Context, Settings, reconcile};
use dws_operator::dws::Credential;
use dws_operator::dws::clock::Clock;
use dws_operator::entropy::Entropy;
use dws_operator::observer::{Accounts, Kind, ObserverSettings, OwnCredentials, ResourceKey};
use dws_operator::simulator::{self, Service};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::api_server::{ApiServer, CLUSTERS, SNAPSHOTS};
use super::checks;
use super::cloud::{Cloud, Lie};

/// Tokio's paused clock as a wall clock.
pub struct SimClock(Instant);

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let base = Timestamp::from_second(1_800_000_000).unwrap();
        base + SignedDuration::try_from(self.0.elapsed()).unwrap()
    }
}

/// Counts requests, and ends the process at one of them.
#[derive(Clone, Default)]
pub struct Boundaries(Arc<Inner>);

#[derive(Default)]
struct Inner {
    passed: Mutex<u64>,
    armed: Mutex<Option<u64>>,
    crashed: Notify,
}

impl Boundaries {
    /// The process ends at the boundary of this number, counted from now.
    pub fn arm(&self, at: Option<u64>) {
        *self.0.passed.lock() = 0;
        *self.0.armed.lock() = at;
    }

    /// How many boundaries were passed since [`Self::arm`].
    pub fn passed(&self) -> u64 {
        *self.0.passed.lock()
    }

    /// Nothing was carried out yet.
    pub async fn before(&self) {
        self.pass().await;
    }

    /// Carried out, and nobody knows: a read leaves nothing behind, so only changes count. A crash after
    /// the answer was read is one before the next request.
    pub async fn after(&self, changing: bool) {
        if changing {
            self.pass().await;
        }
    }

    async fn pass(&self) {
        let number = {
            let mut passed = self.0.passed.lock();
            *passed += 1;
            *passed
        };
        let hit = {
            let mut armed = self.0.armed.lock();
            armed.take_if(|at| *at == number).is_some()
        };
        if hit {
            self.0.crashed.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// The worlds, and the process of the moment.
pub struct Sim {
    pub kubernetes: ApiServer,
    pub cloud: Cloud,
    pub clock: Arc<SimClock>,
    pub boundaries: Boundaries,
    /// What was found wrong on the way.
    pub wrong: Vec<String>,
    /// How many processes there were.
    pub processes: u64,
    process: Process,
}

/// What dies with the process.
struct Process {
    ctx: Context,
    woken: Arc<Mutex<Vec<ResourceKey>>>,
    due: BTreeMap<ResourceKey, Timestamp>,
}

impl Sim {
    /// Empty worlds and a first process.
    pub fn new(lie: Lie) -> Self {
        let clock = Arc::new(SimClock(Instant::now()));
        let boundaries = Boundaries::default();
        let kubernetes = ApiServer::new(boundaries.clone());
        let settings = simulator::Settings {
            speed: 10.0,
            automated_snapshots: None,
            ..simulator::Settings::default()
        };
        let cloud = Cloud {
            service: Arc::new(Mutex::new(Service::new(settings, clock.now()))),
            clock: clock.clone(),
            boundaries: boundaries.clone(),
            kubernetes: kubernetes.clone(),
            lie,
            claimed: Arc::default(),
            wrong_deletions: Arc::default(),
        };
        let process = Process::start(&kubernetes, &cloud, &clock, 1);
        Self {
            kubernetes,
            cloud,
            clock,
            boundaries,
            wrong: Vec::new(),
            process,
            processes: 1,
        }
    }

    /// The resource under test.
    pub fn wh(&self) -> Option<Value> {
        self.kubernetes.get(&format!("{CLUSTERS}/wh"))
    }

    /// A new process: nothing is known but what is stored.
    fn restart(&mut self) {
        self.processes += 1;
        self.process = Process::start(&self.kubernetes, &self.cloud, &self.clock, self.processes);
    }

    /// Goes on until it is so, at most this long. `false` where it did not come to it.
    pub async fn until(&mut self, limit: Duration, so: impl Fn(&Self) -> bool) -> bool {
        let end = self.clock.now() + SignedDuration::try_from(limit).unwrap();
        while self.clock.now() < end {
            if so(self) {
                return true;
            }
            self.turn(end).await;
        }
        so(self)
    }

    /// One step of the scheduler, which may be the last of its process.
    async fn turn(&mut self, end: Timestamp) {
        let boundaries = self.boundaries.clone();
        let crashed = tokio::select! {
            biased;
            () = boundaries.0.crashed.notified() => true,
            () = self.process.step(&self.kubernetes, &*self.clock, end) => false,
        };
        let mut service = self.cloud.service.lock();
        let before = service.ledger().len();
        service.advance(self.clock.now());
        self.cloud.judge(&service, before);
        drop(service);
        checks::always(self);
        if crashed {
            self.restart();
        }
    }
}

impl Process {
    fn start(kubernetes: &ApiServer, cloud: &Cloud, clock: &Arc<SimClock>, number: u64) -> Self {
        let mut settings = ObserverSettings {
            max_requests_per_second: 1_000.0,
            ..ObserverSettings::default()
        };
        let at_service = simulator::Settings::default();
        settings.endpoint.region = Some(at_service.region);
        settings.endpoint.project_id = Some(at_service.project_id);
        let own = OwnCredentials {
            config: settings.endpoint.resolve().unwrap(),
            credential: Credential::AccessKey {
                access_key: at_service.access_key,
                secret_key: SecretString::from(at_service.secret_key),
                security_token: None,
            },
        };
        let entropy = Entropy::seeded(number);
        let woken: Arc<Mutex<Vec<ResourceKey>>> = Arc::default();
        let waking = woken.clone();
        let ctx = Context {
            client: kubernetes.client(),
            accounts: Accounts::new(
                settings,
                Some(own),
                Arc::new(cloud.clone()),
                clock.clone(),
                entropy.clone(),
            ),
            clock: clock.clone(),
            entropy,
            settings: Arc::new(Settings::default()),
            index: Arc::default(),
            memory: Arc::default(),
            observe: Arc::new(()),
            wake: Arc::new(move |key: &ResourceKey| waking.lock().push(key.clone())),
            flights: None,
        };
        let mut process = Self {
            ctx,
            woken,
            due: BTreeMap::new(),
        };
        let mut state = kubernetes.state.lock();
        state.events.clear();
        for (path, object) in &state.objects {
            if let Some(key) = key_of(path) {
                process.take(&key, object, Order::List);
                process.due.insert(key, clock.now());
            }
        }
        process
    }

    async fn step(&mut self, kubernetes: &ApiServer, clock: &dyn Clock, end: Timestamp) {
        let own = self.ctx.accounts.own().unwrap();
        self.woken.lock().extend(own.take_wakes());
        self.watch(kubernetes);
        let now = clock.now();
        for key in self.woken.lock().drain(..) {
            let due = self.due.entry(key).or_insert(now);
            *due = now.min(*due);
        }
        if own.next_poll() <= now {
            let keys = own.poll().await;
            self.woken.lock().extend(keys);
            return;
        }
        let next = self.due.iter().min_by_key(|(_, due)| **due);
        if let Some((key, due)) = next.map(|(key, due)| (key.clone(), *due))
            && due <= now
        {
            self.due.remove(&key);
            let pause = match reconcile(&self.ctx, &key).await {
                Ok(done) => done.wake,
                Err(_) => Some(Duration::from_secs(2)),
            };
            if let Some(pause) = pause {
                let pause = SignedDuration::try_from(pause.max(Duration::from_millis(50)));
                self.due.insert(key, clock.now() + pause.unwrap());
            }
            return;
        }
        let due = next.map_or(end, |(_, due)| *due);
        let wait = due.min(own.next_poll()).min(end).duration_since(now);
        let wait = Duration::try_from(wait).unwrap_or_default();
        tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
    }

    /// What the watches of production do with their events.
    fn watch(&self, kubernetes: &ApiServer) {
        let events = std::mem::take(&mut kubernetes.state.lock().events);
        for (path, object) in events {
            let name = path.rsplit('/').next().unwrap_or_default();
            let version = |object: &Value| {
                object["metadata"]["resourceVersion"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            let echo = |kind| {
                object.as_ref().is_some_and(|object| {
                    self.ctx
                        .memory
                        .is_echo(kind, "team", name, &version(object))
                })
            };
            if let Some(key) = key_of(&path) {
                match &object {
                    Some(object) => self.take(&key, object, Order::Stream),
                    None => self.ctx.wake_all(&self.ctx.index.remove(&key)),
                }
                let kind = match key.kind {
                    Kind::Cluster => "DwsCluster",
                    Kind::Snapshot => "DwsSnapshot",
                };
                if !echo(kind) {
                    self.woken.lock().push(key);
                }
            } else if path.contains("/secrets/") && !echo("Secret") {
                self.ctx
                    .wake_all(&self.ctx.index.secret_users("team", name));
            }
        }
    }

    fn take(&self, key: &ResourceKey, object: &Value, order: Order) {
        let woken = match key.kind {
            Kind::Cluster => {
                let cluster: DwsCluster = serde_json::from_value(object.clone()).unwrap();
                self.ctx.index.apply_cluster(&cluster, order)
            }
            Kind::Snapshot => {
                let snapshot: DwsSnapshot = serde_json::from_value(object.clone()).unwrap();
                self.ctx.index.apply_snapshot(&snapshot, order)
            }
        };
        self.ctx.wake_all(&woken);
    }
}

fn key_of(path: &str) -> Option<ResourceKey> {
    let (folder, name) = path.rsplit_once('/')?;
    let kind = match folder {
        CLUSTERS => Kind::Cluster,
        SNAPSHOTS => Kind::Snapshot,
        _ => return None,
    };
    Some(ResourceKey {
        kind,
        namespace: "team".to_owned(),
        name: name.to_owned(),
    })
}
