//! What a person does: each scenario is prepared, begun, and known to be done when something holds.

use std::time::Duration;

use dws_operator::dws::clock::Clock;
use dws_operator::simulator::{EffectKind, Operation};
use serde_json::{Value, json};

use super::api_server::{CLUSTERS, SNAPSHOTS};
use super::checks::{is_for_a_person, is_ready};
use super::cloud::Lie;
use super::sim::Sim;

/// One thing that a person does.
pub struct Scenario {
    pub name: &'static str,
    /// The changing calls that it makes.
    pub calls: &'static [Operation],
    pub nodes_asked: i64,
    pub restarts_asked: i64,
    prepare: Prepare,
    begin: fn(&Sim),
    done: fn(&Sim) -> bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Prepare {
    Nothing,
    Cluster,
    ClusterAndSnapshot,
}

/// All of them.
pub const ALL: [Scenario; 8] = [
    Scenario {
        name: "create",
        calls: &[Operation::CreateCluster],
        nodes_asked: 0,
        restarts_asked: 0,
        prepare: Prepare::Nothing,
        begin: |sim| put_cluster(sim, "wh", "warehouse"),
        done: wh_is_ready,
    },
    Scenario {
        name: "resize",
        calls: &[Operation::ResizeCluster],
        nodes_asked: 3,
        restarts_asked: 0,
        prepare: Prepare::Cluster,
        begin: |sim| edit_wh(sim, |wh| wh["spec"]["nodeCount"] = json!(6)),
        done: |sim| wh_is_ready(sim) && sim.wh().unwrap()["status"]["nodeCount"] == 6,
    },
    Scenario {
        name: "restart",
        calls: &[Operation::RestartCluster],
        nodes_asked: 0,
        restarts_asked: 1,
        prepare: Prepare::Cluster,
        begin: |sim| request(sim, "restart-requested-at"),
        done: |sim| wh_is_ready(sim) && has(sim, |kind| matches!(kind, EffectKind::Restart)),
    },
    Scenario {
        name: "rotate",
        calls: &[Operation::ResetPassword],
        nodes_asked: 0,
        restarts_asked: 0,
        prepare: Prepare::Cluster,
        begin: |sim| request(sim, "rotate-password-requested-at"),
        done: |sim| {
            wh_is_ready(sim) && has(sim, |kind| matches!(kind, EffectKind::ResetPassword { .. }))
        },
    },
    Scenario {
        name: "snapshot",
        calls: &[Operation::CreateSnapshot],
        nodes_asked: 0,
        restarts_asked: 0,
        prepare: Prepare::Cluster,
        begin: put_snapshot,
        done: |sim| snapshot(sim).is_some_and(|snapshot| is_ready(&snapshot)),
    },
    Scenario {
        name: "delete snapshot",
        calls: &[Operation::DeleteSnapshot],
        nodes_asked: 0,
        restarts_asked: 0,
        prepare: Prepare::ClusterAndSnapshot,
        begin: |sim| {
            sim.kubernetes
                .delete(&format!("{SNAPSHOTS}/nightly"), sim.clock.now());
        },
        done: |sim| snapshot(sim).is_none(),
    },
    Scenario {
        name: "restore",
        calls: &[Operation::RestoreCluster],
        nodes_asked: 0,
        restarts_asked: 0,
        prepare: Prepare::ClusterAndSnapshot,
        begin: |sim| {
            let spec = json!({
                "clusterName": "restored", "restoreFrom": {"snapshotRef": {"name": "nightly"}},
            });
            sim.kubernetes.put(
                &format!("{CLUSTERS}/copy"),
                object(sim, "DwsCluster", "copy", &spec),
            );
        },
        done: |sim| {
            let copy = sim.kubernetes.get(&format!("{CLUSTERS}/copy"));
            copy.is_some_and(|copy| is_ready(&copy))
        },
    },
    Scenario {
        name: "delete with a final snapshot",
        calls: &[Operation::CreateSnapshot, Operation::DeleteCluster],
        nodes_asked: 0,
        restarts_asked: 0,
        prepare: Prepare::Cluster,
        begin: |sim| {
            sim.kubernetes
                .delete(&format!("{CLUSTERS}/wh"), sim.clock.now());
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
        let mut sim = Sim::new(lie);
        if self.prepare != Prepare::Nothing {
            put_cluster(&sim, "wh", "warehouse");
            assert!(
                sim.until(HOUR, wh_is_ready).await,
                "{}: {:?}",
                self.name,
                sim.wh()
            );
        }
        if self.prepare == Prepare::ClusterAndSnapshot {
            put_snapshot(&sim);
            let ready = |sim: &Sim| snapshot(sim).is_some_and(|one| is_ready(&one));
            assert!(
                sim.until(HOUR, ready).await,
                "{}: {:?}",
                self.name,
                snapshot(&sim)
            );
        }
        sim
    }

    /// Begins it and goes on to rest. `true` where it came to that in an hour and stayed there.
    pub async fn run(&self, sim: &mut Sim, quiet: Duration) -> bool {
        (self.begin)(sim);
        self.rest(sim, quiet).await
    }

    async fn rest(&self, sim: &mut Sim, quiet: Duration) -> bool {
        let done = |sim: &Sim| (self.done)(sim) || for_a_person(sim);
        if !sim.until(HOUR, done).await {
            return false;
        }
        // What was set off may still publish its last words.
        sim.until(Duration::from_mins(2), |_| false).await;
        let writes = sim.kubernetes.state.lock().writes;
        sim.until(quiet, |_| false).await;
        let quiet = sim.kubernetes.state.lock().writes == writes;
        if !quiet {
            sim.wrong
                .push("I7: writes although all is at rest".to_owned());
        }
        true
    }
}

const HOUR: Duration = Duration::from_hours(1);

fn for_a_person(sim: &Sim) -> bool {
    let state = sim.kubernetes.state.lock();
    let ours = |path: &String| path.starts_with(CLUSTERS) || path.starts_with(SNAPSHOTS);
    state
        .objects
        .iter()
        .any(|(path, object)| ours(path) && is_for_a_person(object))
}

fn wh_is_ready(sim: &Sim) -> bool {
    sim.wh().is_some_and(|wh| is_ready(&wh))
}

fn snapshot(sim: &Sim) -> Option<Value> {
    sim.kubernetes.get(&format!("{SNAPSHOTS}/nightly"))
}

fn has(sim: &Sim, kind: impl Fn(&EffectKind) -> bool) -> bool {
    let service = sim.cloud.service.lock();
    service.ledger().iter().any(|effect| kind(&effect.kind))
}

fn edit_wh(sim: &Sim, edit: impl FnOnce(&mut Value)) {
    sim.kubernetes.edit(&format!("{CLUSTERS}/wh"), edit);
}

fn request(sim: &Sim, annotation: &str) {
    let now = sim.clock.now().to_string();
    edit_wh(sim, |wh| {
        wh["metadata"]["annotations"] = json!({format!("dws.huaweicloud.com/{annotation}"): now});
    });
}

fn put_cluster(sim: &Sim, name: &str, cluster_name: &str) {
    let spec = json!({
        "clusterName": cluster_name, "nodeType": "dws.d1.xlarge", "nodeCount": 3,
        "network": {
            "vpcId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574",
            "subnetId": "374eca02-cfc4-4de7-8ab5-dbebf7d9a720",
            "securityGroupId": "dc3ec145-9029-4b39-b5a3-ace5a01f772b",
        },
    });
    let object = object(sim, "DwsCluster", name, &spec);
    sim.kubernetes.put(&format!("{CLUSTERS}/{name}"), object);
}

fn put_snapshot(sim: &Sim) {
    let spec = json!({"clusterRef": {"name": "wh"}, "snapshotName": "nightly"});
    let object = object(sim, "DwsSnapshot", "nightly", &spec);
    sim.kubernetes.put(&format!("{SNAPSHOTS}/nightly"), object);
}

fn object(sim: &Sim, kind: &str, name: &str, spec: &Value) -> Value {
    let made = jiff::Timestamp::from_second(sim.clock.now().as_second()).unwrap();
    json!({
        "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": kind,
        "metadata": {
            "name": name, "namespace": "team", "uid": format!("uid-of-{name}"), "generation": 1,
            "creationTimestamp": made.to_string(),
        },
        "spec": spec,
    })
}
