//! One situation that a resource can be in: how it comes to it in the simulation, the conditions that it shows
//! then, and what Flux and Argo CD are to make of them.
//!
//! It knows how to drive the simulation. Which situations there are stands in the tables beside it.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use dws_operator::dws::clock::Clock;
use dws_operator::simulator::{Fault, Outside};
use serde_json::{Value, json};

use crate::api_server::{CLUSTERS, SECRETS, SNAPSHOTS};
use crate::checks::condition;
use crate::cloud::Lie;
use crate::everywhere::alone;
use crate::sim::Sim;
use crate::tenant;

/// What kstatus says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flux {
    Current,
    InProgress,
    Failed,
    Terminating,
}

/// What Argo CD says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argo {
    Healthy,
    Progressing,
    Degraded,
    Suspended,
    Unknown,
}

/// What is there before anything is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Nothing,
    /// `DwsCluster` wh is Ready.
    Cluster,
    /// The same with the password of Secret admin.
    ClusterWithPassword,
    /// And `DwsSnapshot` nightly of it is Ready.
    ClusterAndSnapshot,
}

/// What happens then.
#[derive(Clone, Copy)]
pub enum Step {
    /// Somebody does something.
    Do(fn(&mut Sim)),
    /// Until the resource shows these conditions.
    Shows(&'static str),
    /// Until a word of the service stands in this field of its status.
    Seen(&'static str, &'static str),
}

/// See the module.
pub struct Situation {
    /// Also the name of its file.
    pub name: &'static str,
    /// Which resource, in the simulation.
    path: String,
    start: Start,
    steps: &'static [Step],
    /// Its conditions: `Ready=True/Available; Synced=True/InSync`, `; Reconciling` or `; Stalled` where they are true.
    pub shows: &'static str,
    pub flux: Flux,
    pub argo: Argo,
}

impl fmt::Debug for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The conditions of a cluster that is as it should be.
pub const READY: &str = "Ready=True/Available; Synced=True/InSync";

/// A situation of `DwsCluster` wh.
pub fn cluster(
    name: &'static str,
    start: Start,
    steps: &'static [Step],
    shows: &'static str,
    flux: Flux,
    argo: Argo,
) -> Situation {
    of(
        &format!("{CLUSTERS}/wh"),
        name,
        start,
        steps,
        shows,
        flux,
        argo,
    )
}

/// A situation of `DwsSnapshot` nightly.
pub fn snapshot(
    name: &'static str,
    start: Start,
    steps: &'static [Step],
    shows: &'static str,
    flux: Flux,
    argo: Argo,
) -> Situation {
    of(
        &format!("{SNAPSHOTS}/nightly"),
        name,
        start,
        steps,
        shows,
        flux,
        argo,
    )
}

/// A situation of the resource at this path.
pub fn of(
    path: &str,
    name: &'static str,
    start: Start,
    steps: &'static [Step],
    shows: &'static str,
    flux: Flux,
    argo: Argo,
) -> Situation {
    Situation {
        name,
        path: path.to_owned(),
        start,
        steps,
        shows,
        flux,
        argo,
    }
}

impl Situation {
    /// The resource as the operator wrote it when it first showed the conditions.
    pub fn object(&self) -> Result<Value, String> {
        alone(self.reached())
    }

    async fn reached(&self) -> Result<Value, String> {
        // Slow enough for what others do to last from one poll to the next.
        let mut sim = Sim::new(1.5, Lie::None);
        self.start(&mut sim).await?;
        let mut from = sim.kubernetes.state.lock().log.len();
        for step in self.steps {
            match step {
                Step::Do(deed) => {
                    from = sim.kubernetes.state.lock().log.len();
                    deed(&mut sim);
                }
                Step::Shows(line) => drop(self.shown(&mut sim, from, line).await?),
                Step::Seen(field, word) => {
                    let path = self.path.clone();
                    let seen = move |sim: &Sim| {
                        let object = sim.kubernetes.get(&path).unwrap_or_default();
                        object["status"][*field] == *word
                    };
                    if !sim.until(LONG, seen).await {
                        return Err(format!("{}: {field} is never {word}", self.name));
                    }
                }
            }
        }
        self.shown(&mut sim, from, self.shows).await
    }

    async fn start(&self, sim: &mut Sim) -> Result<(), String> {
        let more = if self.start == Start::ClusterWithPassword {
            tenant::put_password(sim, "admin", "Correct-horse-1");
            json!({"adminPasswordSecretRef": {"name": "admin"}})
        } else {
            json!({})
        };
        if self.start == Start::Nothing {
            return Ok(());
        }
        tenant::put_cluster(sim, "wh", "warehouse", &more);
        reached(sim, &format!("{CLUSTERS}/wh"), 0, READY).await?;
        if self.start == Start::ClusterAndSnapshot {
            tenant::put_snapshot(sim, "nightly", "wh");
            reached(sim, &format!("{SNAPSHOTS}/nightly"), 0, READY).await?;
        }
        Ok(())
    }

    async fn shown(&self, sim: &mut Sim, from: usize, line: &str) -> Result<Value, String> {
        let found = reached(sim, &self.path, from, line).await;
        found.map_err(|said| format!("{}: {said}", self.name))
    }
}

const LONG: Duration = Duration::from_hours(2);

/// The first version of the object, of those stored since `from` and the present one, that shows the conditions.
async fn reached(sim: &mut Sim, path: &str, from: usize, wanted: &str) -> Result<Value, String> {
    let present = sim.kubernetes.get(path);
    if let Some(object) = present.filter(|object| line(object) == wanted) {
        return Ok(object);
    }
    // Each change of the log is looked at once.
    let (next, found) = (Cell::new(from), Cell::new(None));
    let shows = |sim: &Sim| {
        let state = sim.kubernetes.state.lock();
        let fresh = &state.log[next.replace(state.log.len())..];
        let mut versions = fresh
            .iter()
            .filter(|change| change.path == path)
            .filter_map(|change| change.object.as_ref());
        let object = versions.find(|object| line(object) == wanted).cloned();
        let is_there = object.is_some();
        found.set(object);
        is_there
    };
    sim.until(LONG, shows).await;
    found.take().ok_or_else(|| {
        let state = sim.kubernetes.state.lock();
        let versions = state.log.iter().filter(|change| change.path == path);
        let mut lines: Vec<String> = versions
            .map(|change| change.object.as_ref().map_or("gone".to_owned(), line))
            .collect();
        lines.dedup();
        format!("never {wanted:?}; it showed {lines:#?}")
    })
}

/// The conditions of an object in one line.
pub fn line(object: &Value) -> String {
    let mut parts = Vec::new();
    for kind in ["Ready", "Synced"] {
        if let Some(one) = condition(object, kind) {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            parts.push(format!("{kind}={}/{}", text("status"), text("reason")));
        }
    }
    for kind in ["Reconciling", "Stalled"] {
        if condition(object, kind).is_some_and(|one| one["status"] == "True") {
            parts.push(kind.to_owned());
        }
    }
    parts.join("; ")
}

/// A new `DwsCluster` wh, its spec changed by this.
pub fn make(sim: &mut Sim, more: &Value) {
    tenant::put_cluster(sim, "wh", "warehouse", more);
}

/// A new `DwsSnapshot` nightly of `DwsCluster` wh.
pub fn back_up(sim: &mut Sim) {
    tenant::put_snapshot(sim, "nightly", "wh");
}

/// Somebody changes something at the service's console, as the simulator takes it.
pub fn console(sim: &mut Sim, change: Value) {
    made(sim, change);
}

/// The same; gives the id of what was made.
pub fn made(sim: &mut Sim, change: Value) -> String {
    let change: Outside = serde_json::from_value(change).unwrap();
    let now = sim.clock.now();
    sim.cloud.service.lock().outside(now, &change).unwrap()
}

/// A fault to come, as the simulator takes it.
pub fn fault(sim: &mut Sim, fault: &Value) {
    let fault = Fault::from_json(fault).unwrap();
    sim.cloud.service.lock().inject(fault);
}

/// Deletes the resource.
pub fn delete(sim: &mut Sim, path: &str) {
    tenant::delete(sim, path);
}

/// The cluster's id as the resource records it.
pub fn id(sim: &Sim) -> String {
    let wh = sim.wh().unwrap_or_default();
    wh["status"]["clusterId"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// A new process in the place of the present one: what that knew is gone.
pub fn restart_operator(sim: &mut Sim) {
    let alive: Vec<u64> = sim.alive().iter().map(|one| one.number).collect();
    for number in alive {
        sim.kill(number);
    }
    sim.start();
}

/// Somebody deletes the connection Secret of wh.
pub fn drop_connection_secret(sim: &mut Sim) {
    tenant::delete(sim, &format!("{SECRETS}/wh-connection"));
}
