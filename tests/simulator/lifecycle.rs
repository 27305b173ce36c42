//! The life of a warehouse, with everything that shows on the way.

use dws_operator::simulator::EffectKind;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Sim};

/// Asks for the detail every few seconds and gives each new combination of words once.
fn watch(sim: &mut Sim, id: &str) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..2_000 {
        let detail = sim.detail(id);
        let word = |key: &str| detail[key].as_str().unwrap_or("-").to_owned();
        let progress = detail["action_progress"]
            .as_object()
            .and_then(|map| map.keys().next().cloned());
        let line = format!(
            "{} {} {} {} {}",
            word("status"),
            word("sub_status"),
            word("task_status"),
            progress.unwrap_or("-".to_owned()),
            detail["number_of_node"]
        );
        if seen.last() != Some(&line) {
            seen.push(line);
        }
        if !sim.service.world().cluster(id).unwrap().is_working() {
            return seen;
        }
        sim.pass(std::time::Duration::from_secs(5));
    }
    panic!("still working: {seen:?}");
}

#[test]
fn a_cluster_comes_up_grows_restarts_and_goes() {
    let mut sim = Sim::new();
    let id = sim.create("dws-1");
    assert!(
        !sim.service.world().logs_in(&id, "dbadmin", PASSWORD),
        "not up yet"
    );
    assert_eq!(
        watch(&mut sim, &id),
        ["CREATING - - CREATING 3", "AVAILABLE NORMAL - - 3"]
    );
    assert!(sim.service.world().logs_in(&id, "dbadmin", PASSWORD));

    assert_eq!(sim.resize(&id, 2).status, 200);
    assert_eq!(
        watch(&mut sim, &id),
        [
            "AVAILABLE NORMAL - - 3",
            "AVAILABLE NORMAL GROWING GROWING 3",
            "AVAILABLE REDISTRIBUTING - - 5",
            "AVAILABLE NORMAL - - 5",
        ]
    );

    assert_eq!(sim.restart(&id).status, 200);
    assert_eq!(
        watch(&mut sim, &id),
        ["AVAILABLE NORMAL REBOOTING - 5", "AVAILABLE NORMAL - - 5"]
    );

    assert_eq!(sim.reset_password(&id, "NewPassword!").status, 200);
    assert!(sim.service.world().logs_in(&id, "dbadmin", "NewPassword!"));
    assert!(!sim.service.world().logs_in(&id, "dbadmin", PASSWORD));

    assert_eq!(sim.snapshot(&id, "snap-1").status, 200);
    assert_eq!(
        watch(&mut sim, &id),
        [
            "AVAILABLE NORMAL SNAPSHOTTING SNAPSHOTTING 5",
            "AVAILABLE NORMAL - - 5"
        ]
    );

    assert_eq!(sim.delete(&id, 1).status, 202);
    assert_eq!(sim.detail(&id)["status"], "DELETING");
    sim.minutes(5);
    let gone = sim.get(&format!("/v1.0/{{p}}/clusters/{id}"));
    assert_eq!((gone.status, gone.code()), (404, "DWS.3027"));
    assert_eq!(
        sim.get("/v1.0/{p}/clusters").json,
        json!({"clusters": [], "count": 0})
    );
    assert_eq!(sim.get("/v1.0/{p}/snapshots").json["count"], 1);
}

#[test]
fn progress_moves() {
    let mut sim = Sim::new();
    let id = sim.create("dws-1");
    let mut last = -1;
    let mut moves = 0;
    while sim.service.world().cluster(&id).unwrap().is_working() {
        let detail = sim.detail(&id);
        let value = detail["action_progress"]["CREATING"].as_str().unwrap();
        let percent: i32 = value.strip_suffix('%').unwrap().parse().unwrap();
        assert!(
            (0..=100).contains(&percent) && percent >= last,
            "{value} after {last}"
        );
        moves += i32::from(percent > last);
        last = percent;
        sim.minutes(1);
    }
    assert!(moves >= 8, "{moves}");
}

#[test]
fn a_resize_is_told_in_resize_info_while_it_grows() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    sim.resize(&id, 3);
    assert_eq!(sim.detail(&id)["resize_info"], Value::Null, "the quiet gap");
    sim.minutes(2);
    let info = sim.detail(&id)["resize_info"].clone();
    assert_eq!(info["origin_node_num"], "3");
    assert_eq!(info["target_node_num"], "6");
    assert_eq!(info["resize_status"], "GROWING");
    sim.rest();
    assert_eq!(sim.detail(&id)["resize_info"], Value::Null);
}

#[test]
fn a_restored_cluster_is_what_the_snapshot_was() {
    let mut sim = Sim::new();
    let source = sim.cluster("dws-1");
    let snapshot = sim.snapshot(&source, "snap-1").json["snapshot"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    sim.rest();
    sim.reset_password(&source, "NewPassword!");
    sim.resize(&source, 1);
    sim.rest();
    let path = format!("/v1.0/{{p}}/snapshots/{snapshot}/actions");
    let answer = sim.post(&path, &json!({"restore": {"name": "dws-2", "port": 9000}}));
    assert_eq!(answer.status, 200, "{}", answer.text);
    let id = answer.json["cluster"]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        watch(&mut sim, &id),
        ["CREATING - RESTORING RESTORING 3", "AVAILABLE NORMAL - - 3"]
    );
    assert_eq!(sim.detail(&id)["port"], 9000);
    assert_eq!(sim.detail(&id)["vpc_id"], sim.detail(&source)["vpc_id"]);
    assert!(
        sim.service.world().logs_in(&id, "dbadmin", PASSWORD),
        "the password of the snapshot's time"
    );
    let last = sim.service.ledger().last().unwrap();
    assert_eq!(
        last.kind,
        EffectKind::Restore {
            snapshot_id: snapshot,
            nodes: 3
        }
    );
    assert_eq!(last.id, id);
}
