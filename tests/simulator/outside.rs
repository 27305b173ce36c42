//! What others do: the console, failing hardware, and the same over the inspection interface.

use dws_operator::simulator::{By, EffectKind, HttpRequest, Outside, Settings};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Sim};

fn control(sim: &mut Sim, method: &str, path: &str, body: impl Into<Value>) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let body: Value = body.into();
    let request = HttpRequest {
        method: method.to_owned(),
        path: format!("/__sim/{path}"),
        query: query.to_owned(),
        headers: Vec::new(),
        body: if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        },
    };
    let answer = sim.service.control(sim.now, &request);
    (
        answer.status,
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
    )
}

fn change(sim: &mut Sim, body: Value) -> String {
    let (status, answer) = control(sim, "POST", "outside", body);
    assert_eq!(status, 200, "{answer}");
    answer["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_change_from_outside() {
    let mut sim = Sim::new();
    let create = json!({"change": "create", "name": "dws-1", "node_type": "dws.d1.xlarge", "nodes": 3,
        "password": PASSWORD});
    let id = change(&mut sim, create);
    change(
        &mut sim,
        json!({"change": "finish_task", "cluster": "dws-1"}),
    );
    assert_eq!(sim.detail(&id)["status"], "AVAILABLE");
    assert!(sim.service.world().logs_in(&id, "dbadmin", PASSWORD));

    change(
        &mut sim,
        json!({"change": "resize", "cluster": id, "added": 2}),
    );
    sim.rest();
    assert_eq!(sim.detail(&id)["number_of_node"], 5);
    change(
        &mut sim,
        json!({"change": "set_nodes", "cluster": id, "nodes": 4}),
    );
    assert_eq!(sim.detail(&id)["number_of_node"], 4);

    change(&mut sim, json!({"change": "restart", "cluster": id}));
    change(&mut sim, json!({"change": "fail_task", "cluster": id}));
    sim.rest();
    assert_eq!(sim.detail(&id)["task_status"], "REBOOT_FAILURE");

    change(
        &mut sim,
        json!({"change": "set_password", "cluster": id, "password": "Console-1"}),
    );
    assert!(sim.service.world().logs_in(&id, "dbadmin", "Console-1"));

    change(
        &mut sim,
        json!({"change": "rename", "cluster": "dws-1", "name": "dws-9"}),
    );
    assert_eq!(sim.detail(&id)["name"], "dws-9");
    sim.create("dws-1");

    change(
        &mut sim,
        json!({"change": "set_sub_status", "cluster": id, "sub_status": "DEGRADED | READONLY"}),
    );
    change(
        &mut sim,
        json!({"change": "set_status", "cluster": id, "status": "UNAVAILABLE"}),
    );
    assert_eq!(sim.detail(&id)["status"], "UNAVAILABLE");
    assert_eq!(sim.detail(&id)["sub_status"], "DEGRADED | READONLY");
    change(
        &mut sim,
        json!({"change": "set_status", "cluster": id, "status": "AVAILABLE"}),
    );
    let task = json!({"change": "set_task", "cluster": id, "task": "CLUSTER_SHRINKING", "progress": "half"});
    change(&mut sim, task);
    assert_eq!(
        sim.detail(&id)["action_progress"],
        json!({"CLUSTER_SHRINKING": "half"})
    );
    change(
        &mut sim,
        json!({"change": "set_task", "cluster": id, "task": null}),
    );
    assert_eq!(sim.detail(&id)["task_status"], Value::Null);

    let snapshot = change(
        &mut sim,
        json!({"change": "snapshot", "cluster": id, "name": "console-1"}),
    );
    sim.rest();
    let path = format!("/v1.0/{{p}}/snapshots/{snapshot}");
    change(
        &mut sim,
        json!({"change": "set_snapshot_status", "snapshot": "console-1", "status": "FROZEN"}),
    );
    assert_eq!(sim.get(&path).json["snapshot"]["status"], "FROZEN");
    change(
        &mut sim,
        json!({"change": "delete_snapshot", "snapshot": snapshot}),
    );
    assert_eq!(sim.get(&path).code(), "DWS.5149");

    change(&mut sim, json!({"change": "delete", "cluster": "dws-9"}));
    assert_eq!(sim.detail(&id)["status"], "DELETING");
    sim.rest();
    change(&mut sim, json!({"change": "vanish", "cluster": "dws-1"}));
    assert_eq!(sim.service.world().clusters().count(), 0);

    let console = |effect: &&dws_operator::simulator::Effect| effect.by == By::Console;
    let by_console = sim.service.ledger().iter().filter(console).count();
    assert_eq!(by_console, 9, "{:#?}", sim.service.ledger());
    let shrunk = EffectKind::Resize {
        added: -1,
        total: 4,
    };
    assert!(
        sim.service
            .ledger()
            .iter()
            .any(|effect| effect.kind == shrunk)
    );
}

#[test]
fn a_change_that_cannot_be_says_why() {
    let mut sim = Sim::new();
    let unknown = Outside::Restart {
        cluster: "nobody".to_owned(),
    };
    let error = sim
        .service
        .outside(sim.now, &unknown)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "no cluster or snapshot \"nobody\" is there: give its id or its name"
    );
    sim.create("dws-1");
    let busy = Outside::Restart {
        cluster: "dws-1".to_owned(),
    };
    assert!(
        sim.service
            .outside(sim.now, &busy)
            .unwrap_err()
            .to_string()
            .starts_with("DWS.0011")
    );
}

#[test]
fn a_vanished_cluster_frees_what_it_held() {
    let mut sim = Sim::with(Settings {
        node_quota: 5,
        ..Settings::default()
    });
    let id = sim.cluster("dws-1");
    sim.resize(&id, 2);
    sim.minutes(2);
    let vanish = Outside::Vanish {
        cluster: id.clone(),
    };
    sim.service.outside(sim.now, &vanish).unwrap();
    // Name and all five nodes, those of the resize under way included.
    let mut body = Sim::create_body("dws-1");
    body["cluster"]["number_of_node"] = json!(5);
    let again = sim.post("/v1.0/{p}/clusters", &body);
    assert_eq!(again.status, 200, "{}", again.text);
    sim.minutes(60);
    assert_eq!(sim.get("/v1.0/{p}/clusters").json["count"], 1);
    assert_eq!(
        sim.get(&format!("/v1.0/{{p}}/clusters/{id}")).code(),
        "DWS.3027"
    );
}

#[test]
fn what_a_vanished_cluster_was_doing_comes_to_nothing() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    sim.snapshot(&id, "snap-1");
    sim.service
        .outside(sim.now, &Outside::Vanish { cluster: id })
        .unwrap();
    let snapshot = sim.service.world().snapshots().next().unwrap();
    assert_eq!(snapshot.state().status, "UNAVAILABLE");
}

/// The end of an earlier task, still in the queue, is not that of a later one.
#[test]
fn a_finished_task_does_not_end_the_next_one() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    sim.restart(&id);
    sim.minutes(2);
    let finish = Outside::FinishTask {
        cluster: id.clone(),
    };
    sim.service.outside(sim.now, &finish).unwrap();
    assert_eq!(sim.restart(&id).status, 200);
    sim.minutes(2);
    assert_eq!(sim.detail(&id)["task_status"], "REBOOTING");
}

#[test]
fn the_inspection_interface_shows_and_switches() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    let (_, ledger) = control(&mut sim, "GET", "ledger", Value::Null);
    assert_eq!(ledger["effects"][0]["effect"], "create");
    assert_eq!(ledger["effects"][0]["nodes"], 3);
    assert_eq!(
        ledger["effects"][0]["by"]["request"]["credential"],
        "key SIMULATORACCESSKEY01"
    );
    let (_, later) = control(&mut sim, "GET", "ledger?after=1", Value::Null);
    assert_eq!(later["effects"], json!([]));
    let (_, requests) = control(&mut sim, "GET", "requests", Value::Null);
    assert_eq!(requests["total"], 1);
    assert_eq!(requests["per_operation"]["create_cluster"], 1);
    assert_eq!(
        requests["requests"][0]["body"]["cluster"]["user_pwd"],
        "***"
    );
    let (_, clusters) = control(&mut sim, "GET", "clusters", Value::Null);
    assert_eq!(clusters["clusters"][0]["id"], id);
    let check = json!({"cluster_id": id, "user": "dbadmin", "password": PASSWORD});
    assert_eq!(
        control(&mut sim, "POST", "login-check", check).1["logs_in"],
        true
    );

    let faults =
        json!([{"kind": "lost_after"}, {"kind": "throttled", "operation": "list_clusters"}]);
    assert_eq!(control(&mut sim, "POST", "faults", faults).0, 200);
    assert_eq!(sim.service.faults().len(), 2);
    let half = json!([{"kind": "lost_after"}, {"kind": "nonsense"}]);
    assert_eq!(control(&mut sim, "POST", "faults", half).0, 400);
    assert_eq!(sim.service.faults().len(), 2, "all or none");
    control(&mut sim, "DELETE", "faults", Value::Null);
    assert!(sim.service.faults().is_empty());

    control(&mut sim, "POST", "oddities", json!({"count": "text"}));
    let (_, all) = control(&mut sim, "POST", "oddities", json!({"bare_host": true}));
    assert_eq!(
        (&all["count"], &all["bare_host"]),
        (&json!("text"), &json!(true)),
        "those not named stay"
    );
    assert_eq!(
        control(&mut sim, "POST", "oddities", json!({"cuont": "text"})).0,
        400
    );
    control(&mut sim, "DELETE", "oddities", Value::Null);
    assert_eq!(
        control(&mut sim, "GET", "oddities", Value::Null).1["count"],
        "number"
    );

    let account = json!({"domain": "d", "projects": [{"id": "p", "name": "n"}],
        "keys": [{"access_key": "A", "secret_key": "S"}]});
    assert_eq!(control(&mut sim, "POST", "accounts", account).0, 200);
    let known = json!({"access_key": "A", "secret_key": "T"});
    assert_eq!(control(&mut sim, "POST", "keys", known).0, 200);
    assert_eq!(
        control(
            &mut sim,
            "POST",
            "users",
            json!({"user": "x", "password": "y"})
        )
        .0,
        400
    );
    assert_eq!(
        control(&mut sim, "POST", "revoke-tokens", Value::Null).1["revoked"],
        0
    );
    assert_eq!(control(&mut sim, "GET", "nonsense", Value::Null).0, 400);
    assert_eq!(control(&mut sim, "GET", "help", Value::Null).0, 200);
    assert_eq!(control(&mut sim, "POST", "reset", Value::Null).0, 200);
    assert_eq!(sim.service.request_count(), 0);
    assert_eq!(sim.service.world().clusters().count(), 0);
}

/// The help names every fault, oddity switch and change that there is.
#[test]
fn the_help_is_complete() {
    let help = dws_operator::simulator::HELP;
    for operation in dws_operator::simulator::Operation::ALL {
        assert!(help.contains(operation.name()), "{operation:?}");
    }
    for kind in [
        "lost_before",
        "lost_after",
        "late",
        "status",
        "throttled",
        "refused",
        "error_in_200",
        "garbled",
        "wrong_content",
        "redirect",
        "slow",
        "fail_task",
    ] {
        assert!(help.contains(&format!("    {kind} ")), "{kind}");
    }
}
