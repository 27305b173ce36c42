//! What a person does: each scenario is prepared, begun, and known to be done when something holds.

use std::time::Duration;

use dws_operator::simulator::{Effect, EffectKind, Fault, FaultKind, Operation};
use serde_json::{Value, json};

use super::api_server::{CLUSTERS, SNAPSHOTS};
use super::checks::{is_for_a_person, is_ready};
use super::cloud::Lie;
use super::process::Habits;
use super::sim::Sim;
use super::tenant;

/// One thing that a person does.
pub struct Scenario {
    pub name: &'static str,
    /// The changing calls that it makes.
    pub calls: &'static [Operation],
    prepare: Prepare,
    begin: fn(&mut Sim),
    done: fn(&Sim) -> bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Prepare {
    Nothing,
    Cluster,
    /// With `adminPasswordSecretRef`.
    ClusterWithPassword,
    ClusterAndSnapshot,
    /// Under `Retain`.
    Retained,
}

/// All of them.
pub const ALL: [Scenario; 17] = [
    Scenario {
        name: "create",
        calls: &[Operation::CreateCluster],
        prepare: Prepare::Nothing,
        begin: |sim| tenant::put_cluster(sim, "wh", "warehouse", &json!({})),
        done: wh_is_ready,
    },
    Scenario {
        name: "create that fails, and its deletion",
        calls: &[Operation::CreateCluster, Operation::DeleteCluster],
        prepare: Prepare::Nothing,
        begin: |sim| {
            let fault = Fault::next(Operation::CreateCluster, FaultKind::FailTask);
            sim.cloud.service.lock().inject(fault);
            tenant::put_cluster(sim, "wh", "warehouse", &json!({}));
            later(sim, Duration::from_mins(10), |sim| delete(sim, "wh"));
        },
        done: |sim| sim.wh().is_none(),
    },
    Scenario {
        name: "create, and a deletion soon after",
        calls: &[Operation::CreateCluster, Operation::DeleteCluster],
        prepare: Prepare::Nothing,
        begin: |sim| {
            tenant::put_cluster(sim, "wh", "warehouse", &json!({"deletionPolicy": "Delete"}));
            later(sim, Duration::from_secs(7), |sim| delete(sim, "wh"));
        },
        done: |sim| sim.wh().is_none(),
    },
    Scenario {
        name: "resize",
        calls: &[Operation::ResizeCluster],
        prepare: Prepare::Cluster,
        begin: |sim| tenant::resize(sim, "wh", 6),
        done: |sim| wh_is_ready(sim) && sim.wh().unwrap()["status"]["nodeCount"] == 6,
    },
    Scenario {
        name: "resize, and another while it runs",
        calls: &[Operation::ResizeCluster],
        prepare: Prepare::Cluster,
        begin: |sim| {
            tenant::resize(sim, "wh", 5);
            later(sim, Duration::from_secs(40), |sim| {
                tenant::resize(sim, "wh", 8);
            });
        },
        done: |sim| wh_is_ready(sim) && sim.wh().unwrap()["status"]["nodeCount"] == 8,
    },
    Scenario {
        name: "restart",
        calls: &[Operation::RestartCluster],
        prepare: Prepare::Cluster,
        begin: |sim| tenant::restart(sim, "wh"),
        done: |sim| wh_is_ready(sim) && has(sim, |effect| effect.kind == EffectKind::Restart),
    },
    Scenario {
        name: "rotate",
        calls: &[Operation::ResetPassword],
        prepare: Prepare::Cluster,
        begin: |sim| tenant::rotate(sim, "wh"),
        done: |sim| wh_is_ready(sim) && has(sim, is_reset),
    },
    Scenario {
        name: "another password in the Secret",
        calls: &[Operation::ResetPassword],
        prepare: Prepare::ClusterWithPassword,
        begin: |sim| tenant::put_password(sim, "admin", "Second-horse-9"),
        done: |sim| wh_is_ready(sim) && has(sim, is_reset),
    },
    Scenario {
        name: "all at once",
        calls: &[
            Operation::RestartCluster,
            Operation::ResetPassword,
            Operation::ResizeCluster,
            Operation::CreateSnapshot,
        ],
        prepare: Prepare::Cluster,
        begin: |sim| {
            tenant::restart(sim, "wh");
            tenant::rotate(sim, "wh");
            tenant::resize(sim, "wh", 6);
            tenant::put_snapshot(sim, "nightly", "wh");
        },
        done: |sim| {
            let done = wh_is_ready(sim) && snapshot_is_ready(sim);
            done && sim.wh().unwrap()["status"]["nodeCount"] == 6 && has(sim, is_reset)
        },
    },
    Scenario {
        name: "snapshot",
        calls: &[Operation::CreateSnapshot],
        prepare: Prepare::Cluster,
        begin: |sim| tenant::put_snapshot(sim, "nightly", "wh"),
        done: snapshot_is_ready,
    },
    Scenario {
        name: "delete snapshot",
        calls: &[Operation::DeleteSnapshot],
        prepare: Prepare::ClusterAndSnapshot,
        begin: |sim| tenant::delete(sim, &format!("{SNAPSHOTS}/nightly")),
        done: |sim| snapshot(sim).is_none(),
    },
    Scenario {
        name: "restore",
        calls: &[Operation::RestoreCluster],
        prepare: Prepare::ClusterAndSnapshot,
        begin: restore,
        done: |sim| {
            let copy = sim.kubernetes.get(&format!("{CLUSTERS}/copy"));
            copy.is_some_and(|copy| is_ready(&copy)) && has(sim, is_reset)
        },
    },
    Scenario {
        name: "restore, while its snapshot and its source are deleted",
        calls: &[Operation::RestoreCluster, Operation::DeleteSnapshot],
        prepare: Prepare::ClusterAndSnapshot,
        begin: |sim| {
            restore(sim);
            later(sim, Duration::from_secs(9), |sim| {
                tenant::delete(sim, &format!("{SNAPSHOTS}/nightly"));
                tenant::edit(sim, "wh", |wh| {
                    wh["spec"]["deletionPolicy"] = json!("Delete");
                });
                delete(sim, "wh");
            });
        },
        done: |sim| {
            let copy = sim.kubernetes.get(&format!("{CLUSTERS}/copy"));
            let gone = sim.wh().is_none() && snapshot(sim).is_none();
            gone && copy.is_some_and(|copy| is_ready(&copy) || is_waiting(&copy))
        },
    },
    Scenario {
        name: "delete",
        calls: &[Operation::DeleteCluster],
        prepare: Prepare::Cluster,
        begin: |sim| {
            tenant::edit(sim, "wh", |wh| {
                wh["spec"]["deletionPolicy"] = json!("Delete");
            });
            delete(sim, "wh");
        },
        done: |sim| sim.wh().is_none(),
    },
    Scenario {
        name: "a retained one deleted in the foreground",
        calls: &[],
        prepare: Prepare::Retained,
        begin: |sim| tenant::delete_in_the_foreground(sim, "wh"),
        done: |sim| sim.wh().is_none(),
    },
    Scenario {
        name: "delete with a final snapshot",
        calls: &[Operation::CreateSnapshot, Operation::DeleteCluster],
        prepare: Prepare::Cluster,
        begin: |sim| delete(sim, "wh"),
        done: |sim| sim.wh().is_none(),
    },
    Scenario {
        name: "delete with a final snapshot that fails at first",
        calls: &[
            Operation::CreateSnapshot,
            Operation::DeleteSnapshot,
            Operation::DeleteCluster,
        ],
        prepare: Prepare::Cluster,
        begin: |sim| {
            let fault = Fault::next(Operation::CreateSnapshot, FaultKind::FailTask);
            sim.cloud.service.lock().inject(fault);
            delete(sim, "wh");
        },
        done: |sim| sim.wh().is_none(),
    },
];

/// The scenario of this name.
pub fn named(name: &str) -> &'static Scenario {
    ALL.iter().find(|one| one.name == name).unwrap()
}

impl Scenario {
    /// Brings the worlds to where it begins.
    pub async fn prepared(&self, lie: Lie) -> Sim {
        self.prepared_at(10.0, lie).await
    }

    /// The same where tasks are so many times as fast as the service's.
    pub async fn prepared_at(&self, speed: f64, lie: Lie) -> Sim {
        let mut sim = Sim::new(speed, lie);
        let more = match self.prepare {
            Prepare::ClusterWithPassword => {
                tenant::put_password(&sim, "admin", "Correct-horse-1");
                json!({"adminPasswordSecretRef": {"name": "admin"}})
            }
            Prepare::Retained => json!({"deletionPolicy": "Retain"}),
            Prepare::Nothing | Prepare::Cluster | Prepare::ClusterAndSnapshot => json!({}),
        };
        if self.prepare != Prepare::Nothing {
            tenant::put_cluster(&mut sim, "wh", "warehouse", &more);
            self.reached(&mut sim, wh_is_ready).await;
        }
        if self.prepare == Prepare::ClusterAndSnapshot {
            tenant::put_snapshot(&mut sim, "nightly", "wh");
            self.reached(&mut sim, snapshot_is_ready).await;
        }
        sim
    }

    /// The same, and then a process of these habits in the place of the first.
    pub async fn prepared_for(&self, lie: Lie, habits: Habits) -> Sim {
        let mut sim = self.prepared(lie).await;
        sim.habits = habits;
        sim.kill(1);
        sim.start();
        sim
    }

    async fn reached(&self, sim: &mut Sim, so: fn(&Sim) -> bool) {
        assert!(sim.until(HOUR, so).await, "{}: {:?}", self.name, sim.wh());
    }

    /// Begins it.
    pub fn begin(&self, sim: &mut Sim) {
        (self.begin)(sim);
    }

    /// Begins it and goes on to rest; what was wrong is noted, not to come to rest in an hour included.
    pub async fn run(&self, sim: &mut Sim, quiet: Duration) {
        self.begin(sim);
        self.rest(sim, quiet).await;
    }

    /// Goes on to rest, and stays there.
    pub async fn rest(&self, sim: &mut Sim, quiet: Duration) {
        self.rest_within(sim, HOUR, quiet).await;
    }

    /// The same with another limit: what goes wrong later than at the beginning takes longer.
    pub async fn rest_within(&self, sim: &mut Sim, limit: Duration, quiet: Duration) {
        let done = |sim: &Sim| sim.later_is_over() && ((self.done)(sim) || for_a_person(sim));
        if !sim.until(limit, done).await {
            let states: Vec<String> = resources(sim).iter().map(told).collect();
            sim.wrong
                .push(format!("I7: not at rest in time: {}", states.join("; ")));
            return;
        }
        still(sim, quiet).await;
    }
}

/// What was set off says its last words; from then on nothing is written.
pub async fn still(sim: &mut Sim, quiet: Duration) {
    // A person may be asked about one thing while others go on: a resize and its redistribution end.
    sim.until(Duration::from_mins(10), |_| false).await;
    let (before, seen) = {
        let state = sim.kubernetes.state.lock();
        (state.writes, state.log.len())
    };
    sim.until(quiet, |_| false).await;
    let state = sim.kubernetes.state.lock();
    if state.writes != before {
        let late = state.log[seen..]
            .iter()
            .filter(|change| !change.path.contains("/events/"));
        let late: Vec<String> = late
            .take(3)
            .map(|one| told(one.object.as_ref().unwrap_or(&Value::Null)))
            .collect();
        let what = format!(
            "I7: {} writes although all is at rest: {}",
            state.writes - before,
            late.join("; ")
        );
        drop(state);
        sim.wrong.push(what);
    }
}

/// In short, for a message.
pub fn told(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let status = &object["status"];
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let conditions: Vec<String> = conditions
        .iter()
        .map(|one| {
            let (kind, status) = (text(&one["type"]), text(&one["status"]));
            format!(
                "{kind}={status} {} ({})",
                text(&one["reason"]),
                text(&one["message"])
            )
        })
        .collect();
    let operation = &status["operation"];
    format!(
        "{}{} {} {} [{}]",
        text(&object["metadata"]["name"]),
        if object["metadata"]["deletionTimestamp"].is_null() {
            ""
        } else {
            " (going)"
        },
        text(&operation["kind"]),
        text(&operation["phase"]),
        conditions.join(", "),
    )
}

/// All resources of ours.
pub fn resources(sim: &Sim) -> Vec<Value> {
    let state = sim.kubernetes.state.lock();
    let ours = |path: &&String| path.starts_with(CLUSTERS) || path.starts_with(SNAPSHOTS);
    let all = state.objects.iter();
    all.filter(|(path, _)| ours(path))
        .map(|(_, object)| object.clone())
        .collect()
}

pub const HOUR: Duration = Duration::from_hours(1);

fn later(sim: &mut Sim, pause: Duration, what: fn(&mut Sim)) {
    sim.later(pause, what);
}

/// A person must decide about something, and nothing else goes on.
fn for_a_person(sim: &Sim) -> bool {
    let all = resources(sim);
    let stays = |object: &Value| object["metadata"]["deletionTimestamp"].is_null();
    let asks = |one: &Value| stays(one) && is_for_a_person(one);
    let goes_on = |one: &Value| {
        let works = super::checks::reason(one, "Reconciling", "True")
            .is_some_and(|r| !r.starts_with("WaitingFor"));
        // A snapshot waits for a busy cluster only until that has passed.
        works || super::checks::is_passing(one)
    };
    all.iter().any(asks) && !all.iter().any(goes_on)
}

/// It waits for something that will not come.
fn is_waiting(object: &Value) -> bool {
    super::checks::reason(object, "Reconciling", "True")
        .is_some_and(|reason| reason == "WaitingForReference")
}

fn wh_is_ready(sim: &Sim) -> bool {
    sim.wh().is_some_and(|wh| is_ready(&wh))
}

fn snapshot(sim: &Sim) -> Option<Value> {
    sim.kubernetes.get(&format!("{SNAPSHOTS}/nightly"))
}

fn snapshot_is_ready(sim: &Sim) -> bool {
    snapshot(sim).is_some_and(|snapshot| is_ready(&snapshot))
}

fn has(sim: &Sim, what: impl Fn(&Effect) -> bool) -> bool {
    let service = sim.cloud.service.lock();
    service.ledger().iter().any(what)
}

fn is_reset(effect: &Effect) -> bool {
    matches!(effect.kind, EffectKind::ResetPassword { .. })
}

fn delete(sim: &mut Sim, name: &str) {
    tenant::delete(sim, &format!("{CLUSTERS}/{name}"));
}

fn restore(sim: &mut Sim) {
    let spec = json!({
        "clusterName": "restored", "restoreFrom": {"snapshotRef": {"name": "nightly"}},
    });
    tenant::put_spec(sim, "copy", &spec);
}
