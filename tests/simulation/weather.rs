//! Between the API server's log and what the watches of a process tell: late, twice, in another order, lost
//! and listed anew, or as of an earlier time.
//!
//! It feeds the very functions of production that take events in. It knows nothing of what objects mean.

use std::time::Duration;

use dws_operator::controller::watch;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use k8s_openapi::api::core::v1::Secret;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::watcher::{self, Event};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::api_server::{ApiServer, Change};

/// What happens to one event of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It comes so much later, and all that follow with it.
    Late(Duration),
    /// The log was compacted (410): it and what follows are lost until a new list, so much later.
    Compacted(Duration),
    /// It comes twice.
    Twice,
    /// It comes after the one that follows it.
    Swapped,
    /// The watch goes on at an API server that is so many changes behind: a list of then, and the log again.
    RolledBack(usize),
    /// A mutant: it is lost, and nothing is listed anew.
    Lost,
}

/// What a process' watches have to go through.
#[derive(Clone, Debug, Default)]
pub enum Weather {
    /// Every event at once.
    #[default]
    Calm,
    /// The event of this number (counted over all watches of the process) meets this.
    One(u64, Mishap),
    /// Seeded: every event is late by up to so long, and one in so many meets worse.
    Rough {
        seed: u64,
        latency: Duration,
        mishaps: f64,
    },
}

/// The events of one kind's watch.
pub type Events<K> = UnboundedReceiver<watcher::Result<Event<K>>>;

/// Follows the log for one kind; gives the events, and the work that feeds them for ever.
pub fn follow<K: DeserializeOwned + Send + 'static>(
    server: ApiServer,
    folder: &'static str,
    sky: Sky,
) -> (Events<K>, impl Future<Output = ()>) {
    let (sender, events) = unbounded();
    (events, feed(server, folder, sky, sender))
}

/// Counts the events of a process, and decides what they meet.
#[derive(Clone)]
pub struct Sky(std::sync::Arc<parking_lot::Mutex<Inner>>);

struct Inner {
    weather: Weather,
    rng: StdRng,
    events: u64,
    met: u64,
}

impl Sky {
    pub fn new(weather: &Weather, process: u64) -> Self {
        let seed = match weather {
            Weather::Rough { seed, .. } => *seed,
            _ => 0,
        };
        Self(std::sync::Arc::new(parking_lot::Mutex::new(Inner {
            weather: weather.clone(),
            rng: StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(process)),
            events: 0,
            met: 0,
        })))
    }

    /// Good weather from now on.
    pub fn clear(&self) {
        self.0.lock().weather = Weather::Calm;
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.0.lock().events
    }

    /// Mishaps so far.
    pub fn met(&self) -> u64 {
        self.0.lock().met
    }

    fn next(&self) -> (Duration, Option<Mishap>) {
        let mut inner = self.0.lock();
        inner.events += 1;
        let (mut latency, mut mishap) = (Duration::ZERO, None);
        match inner.weather.clone() {
            Weather::Calm => {}
            Weather::One(number, what) => {
                mishap = (inner.events == number).then_some(what);
            }
            Weather::Rough {
                latency: most,
                mishaps,
                ..
            } => {
                latency = most.mul_f64(inner.rng.random::<f64>().powi(4));
                if inner.rng.random_bool(mishaps) {
                    let long = Duration::from_secs(inner.rng.random_range(1..400));
                    mishap = Some(match inner.rng.random_range(0..5) {
                        0 => Mishap::Late(long),
                        1 => Mishap::Compacted(long),
                        2 => Mishap::Twice,
                        3 => Mishap::Swapped,
                        _ => Mishap::RolledBack(inner.rng.random_range(1..40)),
                    });
                }
            }
        }
        inner.met += u64::from(mishap.is_some());
        (latency, mishap)
    }
}

/// One watch: a first list, then the log as it grows.
async fn feed<K: DeserializeOwned>(
    server: ApiServer,
    folder: &'static str,
    sky: Sky,
    out: UnboundedSender<watcher::Result<Event<K>>>,
) {
    let mut grown = server.grown();
    let mut at = list(&server, folder, usize::MAX, &out);
    let mut held: Option<Change> = None;
    loop {
        let change = loop {
            let next = next_in(&server, folder, &mut at);
            if let Some(change) = next {
                break change;
            }
            // What was to come after the next one does not wait for ever.
            if let Some(held) = held.take() {
                tokio::time::sleep(Duration::from_secs(5)).await;
                tell(&held, &out);
                continue;
            }
            if grown.changed().await.is_err() {
                return;
            }
        };
        let (latency, mishap) = sky.next();
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        match mishap {
            None => tell(&change, &out),
            Some(Mishap::Late(long)) => {
                tokio::time::sleep(long).await;
                tell(&change, &out);
            }
            Some(Mishap::Compacted(long)) => {
                tokio::time::sleep(long).await;
                at = list(&server, folder, usize::MAX, &out);
            }
            Some(Mishap::Twice) => {
                tell(&change, &out);
                tell(&change, &out);
            }
            Some(Mishap::Swapped) => {
                if let Some(former) = held.replace(change) {
                    tell(&former, &out);
                }
                continue;
            }
            Some(Mishap::RolledBack(back)) => {
                at = list(&server, folder, at.saturating_sub(back), &out);
            }
            Some(Mishap::Lost) => {}
        }
        if let Some(held) = held.take() {
            tell(&held, &out);
        }
    }
}

/// The next change in the folder, from a place in the log on.
fn next_in(server: &ApiServer, folder: &str, at: &mut usize) -> Option<Change> {
    let state = server.state.lock();
    let rest = state.log.get(*at..)?;
    let found = rest
        .iter()
        .position(|change| change.path.starts_with(folder));
    let Some(place) = found else {
        *at = state.log.len();
        return None;
    };
    *at += place + 1;
    Some(rest[place].clone())
}

/// A list as of a place in the log; gives the place.
fn list<K: DeserializeOwned>(
    server: &ApiServer,
    folder: &str,
    place: usize,
    out: &UnboundedSender<watcher::Result<Event<K>>>,
) -> usize {
    let state = server.state.lock();
    let place = place.min(state.log.len());
    let mut then = std::collections::BTreeMap::new();
    for change in &state.log[..place] {
        if change.path.starts_with(folder) {
            then.insert(&change.path, &change.object);
        }
    }
    send(out, Event::Init);
    for object in then.into_values().flatten() {
        send(out, Event::InitApply(decoded(object)));
    }
    send(out, Event::InitDone);
    place
}

fn tell<K: DeserializeOwned>(change: &Change, out: &UnboundedSender<watcher::Result<Event<K>>>) {
    if let Some(object) = &change.object {
        send(out, Event::Apply(decoded(object)));
        return;
    }
    let (namespace, name) = ("team", change.path.rsplit('/').next());
    let last = serde_json::json!({
        "apiVersion": "v1", "kind": "Any", "spec": {},
        "metadata": {"namespace": namespace, "name": name},
    });
    send(out, Event::Delete(decoded(&last)));
}

fn send<K>(out: &UnboundedSender<watcher::Result<Event<K>>>, event: Event<K>) {
    // The process may have died meanwhile.
    let _ = out.unbounded_send(Ok(event));
}

fn decoded<K: DeserializeOwned>(object: &Value) -> K {
    serde_json::from_value(object.clone()).unwrap()
}

/// What the watches of production are made of.
pub type Guarded<K> = DeserializeGuard<K>;
/// The watch of Secrets sees this much.
pub type SecretMeta = PartialObjectMeta<Secret>;

/// The functions of production that the events go into.
pub use watch::{take_in, wake_users};
