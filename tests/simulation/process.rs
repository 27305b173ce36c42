//! One process of the operator: the watches, the observer and the queue of production by a scheduler in one
//! thread. What it knows dies with it.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use dws_operator::api::{DwsCluster, DwsSnapshot};
use dws_operator::controller::{Context, Settings, reconcile};
use dws_operator::dws::Credential;
use dws_operator::dws::clock::Clock;
use dws_operator::entropy::Entropy;
use dws_operator::observer::{Accounts, ObserverSettings, OwnCredentials, ResourceKey};
use dws_operator::simulator;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use secrecy::SecretString;
use tokio::sync::{Notify, oneshot};

use super::api_server::{ApiServer, CLUSTERS, SECRETS, SNAPSHOTS};
use super::cloud::Cloud;
use super::gate::Gate;
use super::sim::SimClock;
use super::weather::{Guarded, SecretMeta, Sky, Weather, follow, take_in, wake_users};

/// How a process works.
#[derive(Clone, Debug, Default)]
pub struct Habits {
    pub weather: Weather,
    /// Reconciles and polls at once; 0 counts as 1.
    pub workers: usize,
    /// Seeds what the process draws.
    pub seed: u64,
    /// A mutant: it relies on events, and never looks again by itself.
    pub trusting: bool,
}

/// Wake-ups of one resource within this time are one reconcile, as in production.
const DEBOUNCE: SignedDuration = SignedDuration::from_millis(50);

/// A process; the future is its life, and dropping it its death.
pub struct Process {
    pub number: u64,
    pub life: Pin<Box<dyn Future<Output = ()>>>,
    pub sky: Sky,
}

/// Keys, and when each is due.
#[derive(Clone, Default)]
struct Queue(Arc<(Mutex<BTreeMap<ResourceKey, Timestamp>>, Notify)>);

impl Queue {
    fn wake(&self, key: &ResourceKey, at: Timestamp) {
        let mut due = self.0.0.lock();
        let known = due.entry(key.clone()).or_insert(at);
        *known = at.min(*known);
        self.0.1.notify_one();
    }

    /// The key that has waited longest among those that nobody works on, and when it is due.
    fn first(&self, busy: &BTreeSet<ResourceKey>) -> Option<(ResourceKey, Timestamp)> {
        let due = self.0.0.lock();
        let free = due.iter().filter(|(key, _)| !busy.contains(key));
        free.min_by_key(|(_, due)| **due)
            .map(|(key, due)| (key.clone(), *due))
    }

    fn take(&self, key: &ResourceKey) {
        self.0.0.lock().remove(key);
    }
}

impl Process {
    /// A new one: nothing is known but what is stored.
    pub fn start(
        kubernetes: &ApiServer,
        cloud: &Cloud,
        clock: &Arc<SimClock>,
        gate: &Gate,
        number: u64,
        habits: &Habits,
    ) -> Self {
        let queue = Queue::default();
        let ctx = context(kubernetes, cloud, clock, gate, habits.seed ^ number, &queue);
        let sky = Sky::new(&habits.weather, number);
        let life = live(ctx, kubernetes.clone(), queue, sky.clone(), habits.clone());
        Self {
            number,
            life: Box::pin(life),
            sky,
        }
    }
}

fn context(
    kubernetes: &ApiServer,
    cloud: &Cloud,
    clock: &Arc<SimClock>,
    gate: &Gate,
    seed: u64,
    queue: &Queue,
) -> Context {
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
    let entropy = Entropy::seeded(seed);
    let cloud = Cloud {
        gate: gate.clone(),
        ..cloud.clone()
    };
    let (queue, now) = (queue.clone(), clock.clone());
    Context {
        client: kubernetes.client(gate),
        accounts: Accounts::new(
            settings,
            Some(own),
            Arc::new(cloud),
            clock.clone(),
            entropy.clone(),
        ),
        clock: clock.clone(),
        entropy,
        settings: Arc::new(Settings {
            // A process that stood still goes on in the middle, as one does whose timer and whose answer
            // are due at once.
            reconcile_timeout: Duration::from_hours(24),
            ..Settings::default()
        }),
        index: Arc::default(),
        memory: Arc::default(),
        observe: Arc::new(()),
        wake: Arc::new(move |key: &ResourceKey| queue.wake(key, now.now() + DEBOUNCE)),
        flights: None,
    }
}

async fn live(ctx: Context, server: ApiServer, queue: Queue, sky: Sky, habits: Habits) {
    let (clusters, feed_clusters) =
        follow::<Guarded<DwsCluster>>(server.clone(), CLUSTERS, sky.clone());
    let (snapshots, feed_snapshots) =
        follow::<Guarded<DwsSnapshot>>(server.clone(), SNAPSHOTS, sky.clone());
    let (secrets, feed_secrets) = follow::<SecretMeta>(server, SECRETS, sky);
    let (clusters_in, clusters_listed) = oneshot::channel();
    let (snapshots_in, snapshots_listed) = oneshot::channel();
    let work = async {
        let _ = clusters_listed.await;
        let _ = snapshots_listed.await;
        work(&ctx, &queue, &habits).await;
    };
    futures::join!(
        take_in::<DwsCluster>(&ctx, None, clusters, clusters_in),
        take_in::<DwsSnapshot>(&ctx, None, snapshots, snapshots_in),
        wake_users(&ctx, None, secrets),
        feed_clusters,
        feed_snapshots,
        feed_secrets,
        work,
    );
}

/// What a worker has done: a poll, or a reconcile and when to come again.
type Done = Option<(ResourceKey, Option<Duration>)>;

/// The scheduler: polls when that is due, reconciles what is due, so many at once.
async fn work(ctx: &Context, queue: &Queue, habits: &Habits) {
    let own = ctx.accounts.own().unwrap();
    let mut running: FuturesUnordered<Pin<Box<dyn Future<Output = Done> + '_>>> =
        FuturesUnordered::new();
    let mut busy = BTreeSet::new();
    let mut polling = false;
    let workers = habits.workers.max(1);
    loop {
        for key in own.take_wakes() {
            queue.wake(&key, ctx.clock.now() + DEBOUNCE);
        }
        let now = ctx.clock.now();
        let mut next = now + SignedDuration::from_hours(1);
        if running.len() < workers && !polling {
            let due = own.next_poll();
            if due <= now {
                polling = true;
                let own = &own;
                running.push(Box::pin(async move {
                    for key in own.poll().await {
                        queue.wake(&key, ctx.clock.now());
                    }
                    None
                }));
            } else {
                next = next.min(due);
            }
        }
        while running.len() < workers {
            let Some((key, due)) = queue.first(&busy) else {
                break;
            };
            if due > now {
                next = next.min(due);
                break;
            }
            queue.take(&key);
            busy.insert(key.clone());
            running.push(Box::pin(async move {
                let pause = match reconcile(ctx, &key).await {
                    Ok(done) => done.wake.filter(|_| !habits.trusting),
                    Err(_) => Some(Duration::from_secs(2)),
                };
                Some((key, pause))
            }));
        }
        let wait = Duration::try_from(next.duration_since(now)).unwrap_or_default();
        let wait = wait.max(Duration::from_millis(1));
        tokio::select! {
            biased;
            Some(done) = running.next(), if !running.is_empty() => match done {
                None => polling = false,
                Some((key, pause)) => {
                    busy.remove(&key);
                    if let Some(pause) = pause {
                        let pause = SignedDuration::try_from(pause.max(Duration::from_millis(50)));
                        queue.wake(&key, ctx.clock.now() + pause.unwrap());
                    }
                }
            },
            () = queue.0.1.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}
