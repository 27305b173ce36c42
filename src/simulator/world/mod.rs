//! The world behind the API: clusters, snapshots, tasks that take their time, and the ledger of what was done.
//!
//! It knows states and rules, and moves when it is told what time it is. It must not know HTTP, JSON,
//! authentication, nor any clock: everything that happens by itself is an event in a queue.

mod change;
pub(crate) mod cluster;
mod create;
mod outside;
mod removal;
mod snapshots;
mod task;
mod tracked;
mod views;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub use cluster::{
    Cluster, Failure, Network, Progress, PublicIp, Resize, Snapshot, SnapshotState, State,
};
pub(crate) use create::{Create, NetworkWish, PublicIpWish, Restore};
pub use outside::{Outside, OutsideError};
pub(crate) use snapshots::NewSnapshot;

use super::ledger::{By, Effect, EffectKind};
use super::oddities::{Busy, Oddities};
use super::refusal::Refusal;
use super::settings::Settings;

/// Who asks, in which project, and whether what is begun shall end badly.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub project: String,
    pub by: By,
    pub fails: bool,
}

/// What happens by itself.
#[derive(Clone, Debug)]
enum Event {
    /// A phase of this task ends.
    Task { cluster: u64, number: u64 },
    /// The nightly snapshot is due.
    Automated { cluster: u64 },
    /// An automated snapshot has been kept long enough.
    Retire { snapshot: u64 },
    /// Nobody can see it any more, however much reads lag.
    ForgetCluster(u64),
    /// The same.
    ForgetSnapshot(u64),
}

/// Names and quota of one project.
#[derive(Default)]
struct Holdings {
    clusters: BTreeSet<u64>,
    cluster_names: HashMap<String, u64>,
    snapshots: BTreeSet<u64>,
    /// In lower case.
    snapshot_names: HashMap<String, u64>,
    nodes: u32,
}

/// Something worth a line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When it happened.
    pub at: Timestamp,
    /// One line.
    pub text: String,
}

/// Clusters and snapshots of all projects.
pub struct World {
    now: Timestamp,
    pub(crate) settings: Arc<Settings>,
    pub(crate) oddities: Oddities,
    /// Counts changes of the oddities: what was rendered before is void.
    generation: u64,
    rng: StdRng,
    serial: u64,
    clusters: BTreeMap<u64, Cluster>,
    cluster_ids: HashMap<String, u64>,
    snapshots: BTreeMap<u64, Snapshot>,
    snapshot_ids: HashMap<String, u64>,
    /// By cluster id, which may be that of a cluster long gone.
    snapshots_of: HashMap<String, BTreeSet<u64>>,
    projects: BTreeMap<String, Holdings>,
    /// Ids of clusters that once were.
    gone: HashSet<String>,
    /// EIPs in use, and the cluster that uses each.
    eips: HashMap<String, u64>,
    events: BTreeMap<(Timestamp, u64), Event>,
    ledger: Vec<Effect>,
    notes: VecDeque<Note>,
}

/// Notes that nobody fetches are forgotten, the oldest first.
const NOTES: usize = 1_000;

impl World {
    pub(crate) fn new(settings: Arc<Settings>, now: Timestamp) -> Self {
        Self {
            now,
            rng: StdRng::seed_from_u64(settings.seed),
            settings,
            oddities: Oddities::default(),
            generation: 0,
            serial: 0,
            clusters: BTreeMap::new(),
            cluster_ids: HashMap::new(),
            snapshots: BTreeMap::new(),
            snapshot_ids: HashMap::new(),
            snapshots_of: HashMap::new(),
            projects: BTreeMap::new(),
            gone: HashSet::new(),
            eips: HashMap::new(),
            events: BTreeMap::new(),
            ledger: Vec::new(),
            notes: VecDeque::new(),
        }
    }

    /// What time the world thinks it is: the latest that it was told.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Everything executed, in order.
    pub fn ledger(&self) -> &[Effect] {
        &self.ledger
    }

    /// When something happens by itself next.
    pub fn next_event(&self) -> Option<Timestamp> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets everything happen that is due by `now`, each at its own time. Time never goes back.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        while let Some(entry) = self.events.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            let event = entry.remove();
            self.now = self.now.max(at);
            match event {
                Event::Task { cluster, number } => self.step(cluster, number),
                Event::Automated { cluster } => self.automated(cluster),
                Event::Retire { snapshot } => self.drop_snapshot(snapshot, By::Service, true),
                Event::ForgetCluster(serial) => {
                    if let Some(cluster) = self.clusters.remove(&serial) {
                        self.cluster_ids.remove(&cluster.id);
                        if let Some(holdings) = self.projects.get_mut(&cluster.project_id) {
                            holdings.clusters.remove(&serial);
                        }
                    }
                }
                Event::ForgetSnapshot(serial) => {
                    if let Some(snapshot) = self.snapshots.remove(&serial) {
                        self.snapshot_ids.remove(&snapshot.id);
                        if let Some(holdings) = self.projects.get_mut(&snapshot.project_id) {
                            holdings.snapshots.remove(&serial);
                        }
                    }
                }
            }
        }
        self.now = self.now.max(now);
    }

    pub(crate) fn set_oddities(&mut self, oddities: Oddities) {
        self.oddities = oddities;
        self.generation += 1;
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// What was noted since the last call.
    pub(crate) fn drain_notes(&mut self) -> Vec<Note> {
        self.notes.drain(..).collect()
    }

    pub(crate) fn note(&mut self, text: String) {
        if self.notes.len() == NOTES {
            self.notes.pop_front();
        }
        self.notes.push_back(Note { at: self.now, text });
    }

    /// A note about a cluster.
    fn tell(&mut self, serial: u64, text: &str) {
        if let Some(cluster) = self.clusters.get(&serial) {
            let text = format!("cluster \"{}\" {text}", cluster.state().name);
            self.note(text);
        }
    }

    fn record(&mut self, kind: EffectKind, project: &str, id: &str, name: &str, by: By) {
        let number = self.ledger.len() as u64 + 1;
        self.ledger.push(Effect {
            number,
            at: self.now,
            kind,
            project_id: project.to_owned(),
            id: id.to_owned(),
            name: name.to_owned(),
            by,
        });
    }

    fn record_of(&mut self, serial: u64, kind: EffectKind, by: By) {
        if let Some(cluster) = self.clusters.get(&serial) {
            let (project, id) = (cluster.project_id.clone(), cluster.id.clone());
            let name = cluster.state().name.clone();
            self.record(kind, &project, &id, &name, by);
        }
    }

    fn schedule(&mut self, after: Duration, event: Event) {
        let serial = self.next_serial();
        self.events.insert((self.now + after, serial), event);
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A duration as the speed makes it.
    fn scaled(&self, duration: Duration) -> Duration {
        Duration::try_from_secs_f64(duration.as_secs_f64() / self.settings.speed)
            .unwrap_or(duration)
    }

    /// The same, more or less.
    fn some_time(&mut self, duration: Duration) -> Duration {
        let jitter = self.settings.jitter.clamp(0.0, 0.9);
        let factor = 1.0 + jitter * self.rng.random_range(-1.0..=1.0);
        self.scaled(duration.mul_f64(factor))
    }

    fn some_number(&mut self, from: u32, to: u32) -> u32 {
        self.rng.random_range(from..=to)
    }

    /// A number from 0 to 1, from the seed.
    pub(crate) fn chance(&mut self) -> f64 {
        self.rng.random()
    }

    /// A new UUID, from the seed.
    pub(crate) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.random())
            .into_uuid()
            .to_string()
    }

    /// As far back as any read may look.
    fn oldest_view(&self) -> Timestamp {
        self.now - seconds(self.oddities.list_lag.max(self.oddities.detail_lag))
    }

    fn edit(&mut self, serial: u64, change: impl FnOnce(&mut State)) {
        let (now, oldest) = (self.now, self.oldest_view());
        if let Some(cluster) = self.clusters.get_mut(&serial) {
            cluster.rendered = None;
            let state = cluster.state.edit(now, oldest);
            change(state);
            state.updated = now;
            state.recent_events = state.recent_events.saturating_add(1);
        }
    }

    fn edit_snapshot(&mut self, serial: u64, change: impl FnOnce(&mut SnapshotState)) {
        let (now, oldest) = (self.now, self.oldest_view());
        if let Some(snapshot) = self.snapshots.get_mut(&serial) {
            change(snapshot.state.edit(now, oldest));
        }
    }

    fn busy(&self) -> Refusal {
        match self.oddities.busy {
            Busy::Conflict => Refusal::of("DWS.0011"),
            Busy::Forbidden => Refusal::of("DWS.7023"),
            Busy::Internal => inner_busy(),
        }
    }
}

/// Busy, as told by a part of the service further inside.
fn inner_busy() -> Refusal {
    let mut refusal = Refusal::of("DWS.9999");
    for text in [&mut refusal.english, &mut refusal.chinese] {
        "DWS.7023".clone_into(text);
    }
    refusal
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}
