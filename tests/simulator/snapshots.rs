//! Snapshots: names, what goes with a cluster and what stays, restores under way, nightly ones.

use std::time::Duration;

use dws_operator::simulator::{
    AutomatedSnapshots, EffectKind, Fault, FaultKind, Oddities, Operation, Outside, Settings,
};
use rstest::rstest;
use serde_json::json;

use crate::support::Sim;

fn take(sim: &mut Sim, cluster: &str, name: &str) -> String {
    let answer = sim.snapshot(cluster, name);
    assert_eq!(answer.status, 200, "{}", answer.text);
    sim.rest();
    answer.json["snapshot"]["id"].as_str().unwrap().to_owned()
}

fn names(sim: &Sim) -> Vec<String> {
    sim.service
        .world()
        .snapshots()
        .map(|snapshot| snapshot.name.clone())
        .collect()
}

fn restore(sim: &mut Sim, snapshot: &str, name: &str) -> crate::support::Answer {
    let path = format!("/v1.0/{{p}}/snapshots/{snapshot}/actions");
    sim.post(&path, &json!({"restore": {"name": name}}))
}

#[rstest]
#[case(json!({"name": "abc", "cluster_id": "ID"}), 400, "DWS.5065")]
#[case(json!({"cluster_id": "ID"}), 400, "DWS.5065")]
#[case(json!({"name": "SNAP-1", "cluster_id": "ID"}), 409, "DWS.5050")]
#[case(json!({"name": "snap-2", "cluster_id": "ID", "description": "a<b"}), 400, "DWS.5065")]
#[case(json!({"name": "snap-2"}), 400, "DWS.5064")]
#[case(json!({"name": "snap-2", "cluster_id": "nonsense"}), 400, "DWS.5064")]
#[case(json!({"name": "snap-2", "cluster_id": crate::support::UNKNOWN}), 403, "DWS.0015")]
fn a_wrong_snapshot(#[case] wish: serde_json::Value, #[case] status: u16, #[case] code: &str) {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    take(&mut sim, &id, "snap-1");
    let body = json!({"snapshot": wish})
        .to_string()
        .replace("\"ID\"", &format!("\"{id}\""));
    let answer = sim.post("/v1.0/{p}/snapshots", &serde_json::from_str(&body).unwrap());
    assert_eq!(
        (answer.status, answer.code()),
        (status, code),
        "{}",
        answer.text
    );
    assert_eq!(names(&sim), ["snap-1"]);
}

#[rstest]
#[case(0, &[])]
#[case(1, &["snap-3"])]
#[case(2, &["snap-2", "snap-3"])]
#[case(9, &["snap-1", "snap-2", "snap-3"])]
fn the_newest_manual_snapshots_outlive_their_cluster(#[case] keep: i64, #[case] left: &[&str]) {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    for name in ["snap-1", "snap-2", "snap-3"] {
        take(&mut sim, &id, name);
        sim.minutes(1);
    }
    let automated = Outside::Snapshot {
        cluster: id.clone(),
        name: "nightly".to_owned(),
        automated: true,
    };
    sim.service.outside(sim.now, &automated).unwrap();
    sim.rest();
    let other = sim.cluster("dws-2");
    take(&mut sim, &other, "other-1");
    sim.delete(&id, keep);
    sim.rest();
    let expected: Vec<&str> = left.iter().copied().chain(["other-1"]).collect();
    assert_eq!(names(&sim), expected);
}

#[test]
fn to_keep_more_than_there_are_may_be_refused() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    take(&mut sim, &id, "snap-1");
    sim.service.set_oddities(Oddities {
        keep_too_large_refused: true,
        ..Oddities::default()
    });
    assert_eq!(sim.delete(&id, 2).code(), "DWS.5038");
    assert_eq!(sim.delete(&id, 1).status, 202);
}

#[test]
fn a_snapshot_is_held_while_a_restore_needs_it() {
    let mut sim = Sim::new();
    sim.service.set_oddities(Oddities {
        snapshot_restoring: true,
        ..Oddities::default()
    });
    let id = sim.cluster("dws-1");
    let snapshot = take(&mut sim, &id, "snap-1");
    assert_eq!(restore(&mut sim, &snapshot, "dws-2").status, 200);
    let path = format!("/v1.0/{{p}}/snapshots/{snapshot}");
    assert_eq!(sim.get(&path).json["snapshot"]["status"], "RESTORING");
    let busy = sim.call("DELETE", &path, None);
    assert_eq!((busy.status, busy.code()), (409, "DWS.0011"));
    // Its cluster goes meanwhile, and would take it along.
    sim.delete(&id, 0);
    sim.minutes(5);
    assert!(sim.service.world().cluster(&id).is_none());
    assert_eq!(names(&sim), ["snap-1"]);
    sim.rest();
    assert!(names(&sim).is_empty(), "gone with the end of the restore");
}

#[test]
fn only_a_complete_snapshot_is_restored() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    let answer = sim.snapshot(&id, "snap-1");
    let snapshot = answer.json["snapshot"]["id"].as_str().unwrap().to_owned();
    assert_eq!(restore(&mut sim, &snapshot, "dws-2").code(), "DWS.0011");
    let path = format!("/v1.0/{{p}}/snapshots/{snapshot}");
    assert_eq!(sim.call("DELETE", &path, None).code(), "DWS.0011");
    sim.rest();
    assert_eq!(restore(&mut sim, &snapshot, "dws-1").code(), "DWS.5050");
    assert_eq!(
        restore(&mut sim, crate::support::UNKNOWN, "dws-2").code(),
        "DWS.5149"
    );
    let change = Outside::SetSnapshotStatus {
        snapshot: "snap-1".to_owned(),
        status: "UNAVAILABLE".to_owned(),
    };
    sim.service.outside(sim.now, &change).unwrap();
    assert_eq!(restore(&mut sim, &snapshot, "dws-2").code(), "DWS.5095");
    assert_eq!(sim.call("DELETE", &path, None).status, 202);
    assert_eq!(sim.call("DELETE", &path, None).code(), "DWS.0001");
}

#[test]
fn a_snapshot_that_fails_is_unavailable() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    sim.service
        .inject(Fault::next(Operation::CreateSnapshot, FaultKind::FailTask));
    let snapshot = take(&mut sim, &id, "snap-1");
    let detail = sim.get(&format!("/v1.0/{{p}}/snapshots/{snapshot}")).json["snapshot"].clone();
    assert_eq!(detail["status"], "UNAVAILABLE");
    assert_eq!(detail["finished"], json!(null));
    assert_eq!(sim.detail(&id)["status"], "AVAILABLE");
}

#[test]
fn nightly_snapshots_come_and_go_by_themselves() {
    let hours = |hours: u64| Duration::from_hours(hours);
    let automated = AutomatedSnapshots {
        every: hours(24),
        keep: hours(72),
    };
    let mut sim = Sim::with(Settings {
        automated_snapshots: Some(automated),
        ..Settings::default()
    });
    let id = sim.cluster("dws-1");
    for day in 1..=6_u64 {
        sim.pass(hours(24));
        sim.rest();
        assert_eq!(
            names(&sim).len() as u64,
            day.min(3),
            "day {day}: {:?}",
            names(&sim)
        );
    }
    let listed = sim.get("/v1.0/{p}/snapshots").json;
    assert_eq!(listed["snapshots"][0]["type"], "AUTOMATED");
    let path = format!(
        "/v1.0/{{p}}/snapshots/{}",
        listed["snapshots"][0]["id"].as_str().unwrap()
    );
    assert_eq!(sim.call("DELETE", &path, None).code(), "DWS.5095");
    // One that is due while something runs is taken a little later.
    let nightly = |effect: &&dws_operator::simulator::Effect| {
        matches!(
            effect.kind,
            EffectKind::Snapshot {
                automated: true,
                ..
            }
        )
    };
    let last = sim.service.ledger().iter().rfind(nightly).unwrap().at;
    sim.now = last + hours(24) - Duration::from_mins(1);
    sim.service.advance(sim.now);
    let taken = |sim: &Sim| sim.service.ledger().iter().filter(nightly).count();
    let before = taken(&sim);
    sim.resize(&id, 1);
    sim.minutes(5);
    assert_eq!(taken(&sim), before, "not during the resize");
    sim.minutes(60);
    assert_eq!(taken(&sim), before + 1);
    sim.rest();
    sim.delete(&id, 0);
    sim.rest();
    assert!(names(&sim).is_empty());
    sim.pass(hours(48));
    assert!(sim.service.world().clusters().next().is_none());
}
