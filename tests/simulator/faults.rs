//! Faults: what the client sees, and what was executed all the same.

use std::fmt::Write;
use std::time::Duration;

use dws_operator::simulator::{Delivery, EffectKind, Fault, FaultKind, Operation};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, PASSWORD, Sim};

/// What the client sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Status(u16),
    Hang,
    Reset,
}

fn seen(delivery: &Delivery) -> Seen {
    match delivery {
        Delivery::Answer(answer) | Delivery::Delayed { answer, .. } => Seen::Status(answer.status),
        Delivery::NoAnswer => Seen::Hang,
        Delivery::Reset => Seen::Reset,
    }
}

/// One of each changing operation on a world that allows it, and the number of effects before.
fn ready(operation: Operation) -> (Sim, String, String, Option<Value>) {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    let snapshot = sim.snapshot(&id, "snap-1").json["snapshot"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    sim.rest();
    let cluster = format!("/v1.0/{{p}}/clusters/{id}");
    let snapshot = format!("/v1.0/{{p}}/snapshots/{snapshot}");
    let (method, path, body) = match operation {
        Operation::CreateCluster => (
            "POST",
            "/v1.0/{p}/clusters".to_owned(),
            Some(Sim::create_body("dws-2")),
        ),
        Operation::RestoreCluster => (
            "POST",
            format!("{snapshot}/actions"),
            Some(json!({"restore": {"name": "dws-2"}})),
        ),
        Operation::ResizeCluster => (
            "POST",
            format!("{cluster}/resize"),
            Some(json!({"scale_out": {"count": 2}})),
        ),
        Operation::RestartCluster => (
            "POST",
            format!("{cluster}/restart"),
            Some(json!({"restart": {}})),
        ),
        Operation::ResetPassword => (
            "POST",
            format!("{cluster}/reset-password"),
            Some(json!({"new_password": "NewPassword!"})),
        ),
        Operation::CreateSnapshot => (
            "POST",
            "/v1.0/{p}/snapshots".to_owned(),
            Some(json!({"snapshot": {"name": "snap-2", "cluster_id": id}})),
        ),
        Operation::DeleteCluster => (
            "DELETE",
            cluster,
            Some(json!({"keep_last_manual_snapshot": 0})),
        ),
        Operation::DeleteSnapshot => ("DELETE", snapshot, None),
        other => panic!("{other:?} changes nothing"),
    };
    (sim, method.to_owned(), path, body)
}

fn status(status: u16, executed: bool) -> FaultKind {
    FaultKind::Status {
        status,
        executed,
        code: None,
        message: None,
        style: None,
        retry_after: None,
    }
}

#[rstest]
fn every_fault_meets_every_changing_operation(
    #[values(
        Operation::CreateCluster,
        Operation::RestoreCluster,
        Operation::ResizeCluster,
        Operation::RestartCluster,
        Operation::ResetPassword,
        Operation::CreateSnapshot,
        Operation::DeleteCluster,
        Operation::DeleteSnapshot
    )]
    operation: Operation,
) {
    // Fault, what is seen, effects at once, effects a day later.
    let accepted = if operation.name().starts_with("delete") {
        202
    } else {
        200
    };
    let redirect = |executed| FaultKind::Redirect {
        executed,
        location: "http://x/".to_owned(),
    };
    let cases = [
        (FaultKind::LostBefore { hang: false }, Seen::Reset, 0, 0),
        (FaultKind::LostBefore { hang: true }, Seen::Hang, 0, 0),
        (FaultKind::LostAfter { hang: false }, Seen::Reset, 1, 1),
        (FaultKind::LostAfter { hang: true }, Seen::Hang, 1, 1),
        (
            FaultKind::Late {
                after: 60.0,
                status: None,
            },
            Seen::Hang,
            0,
            1,
        ),
        (
            FaultKind::Late {
                after: 600.0,
                status: Some(504),
            },
            Seen::Status(504),
            0,
            1,
        ),
        (status(408, false), Seen::Status(408), 0, 0),
        (status(500, true), Seen::Status(500), 1, 1),
        (status(502, false), Seen::Status(502), 0, 0),
        (status(503, true), Seen::Status(503), 1, 1),
        (status(504, false), Seen::Status(504), 0, 0),
        (
            FaultKind::Throttled {
                retry_after: Some(3),
            },
            Seen::Status(429),
            0,
            0,
        ),
        (
            FaultKind::Refused {
                code: "DWS.0011".to_owned(),
                status: None,
            },
            Seen::Status(409),
            0,
            0,
        ),
        (
            FaultKind::ErrorIn200 {
                code: "DWS.5091".to_owned(),
            },
            Seen::Status(200),
            0,
            0,
        ),
        (
            FaultKind::Garbled { executed: true },
            Seen::Status(accepted),
            1,
            1,
        ),
        (
            FaultKind::Garbled { executed: false },
            Seen::Status(200),
            0,
            0,
        ),
        (
            FaultKind::WrongContent { executed: true },
            Seen::Status(200),
            1,
            1,
        ),
        (
            FaultKind::WrongContent { executed: false },
            Seen::Status(200),
            0,
            0,
        ),
        (redirect(true), Seen::Status(307), 1, 1),
        (redirect(false), Seen::Status(307), 0, 0),
        (
            FaultKind::Slow { after: 40.0 },
            Seen::Status(accepted),
            1,
            1,
        ),
        (FaultKind::FailTask, Seen::Status(accepted), 1, 1),
    ];
    for (fault, expected, at_once, later) in cases {
        let (mut sim, method, path, body) = ready(operation);
        let before = sim.service.ledger().len();
        let what = format!("{operation:?} with {fault:?}");
        sim.service.inject(Fault::next(operation, fault.clone()));
        let delivery = sim.deliver(&method, &path, body.as_ref());
        assert_eq!(seen(&delivery), expected, "{what}");
        assert_eq!(
            sim.service.ledger().len() - before,
            at_once,
            "{what}, at once"
        );
        if matches!(fault, FaultKind::Garbled { .. }) {
            let body = &delivery.answer().unwrap().body;
            assert!(serde_json::from_slice::<Value>(body).is_err(), "{what}");
        }
        sim.minutes(20);
        let by_request = |effect: &&dws_operator::simulator::Effect| {
            matches!(effect.by, dws_operator::simulator::By::Request { .. })
        };
        let executed = sim.service.ledger()[before..]
            .iter()
            .filter(by_request)
            .count();
        assert_eq!(executed, later, "{what}, later");
        assert!(sim.service.faults().is_empty(), "{what}: used up");
        // The record says the same.
        let record = sim.service.requests().next_back().unwrap();
        assert_eq!(record.fault.as_deref(), Some(fault.name()), "{what}");
        let sent = match expected {
            Seen::Status(status) => Some(status),
            Seen::Hang | Seen::Reset => None,
        };
        assert_eq!(record.status, sent, "{what}");
    }
}

#[test]
fn a_late_resize_adds_its_nodes_to_whatever_there_is_then() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    let late = FaultKind::Late {
        after: 3_600.0,
        status: Some(504),
    };
    sim.service
        .inject(Fault::next(Operation::ResizeCluster, late));
    assert_eq!(sim.resize(&id, 2).status, 504);
    assert_eq!(sim.resize(&id, 2).status, 200, "repeated too early");
    sim.rest();
    assert_eq!(sim.detail(&id)["number_of_node"], 5);
    sim.minutes(60);
    sim.rest();
    assert_eq!(sim.detail(&id)["number_of_node"], 7, "twice");
    let resizes = sim
        .service
        .ledger()
        .iter()
        .filter(|e| matches!(e.kind, EffectKind::Resize { .. }))
        .count();
    assert_eq!(resizes, 2);
}

#[test]
fn a_late_create_comes_to_nothing_where_the_name_is_taken_by_then() {
    let mut sim = Sim::new();
    sim.service.inject(Fault::next(
        Operation::CreateCluster,
        FaultKind::Late {
            after: 60.0,
            status: None,
        },
    ));
    let body = Sim::create_body("dws-1");
    assert_eq!(
        sim.deliver("POST", "/v1.0/{p}/clusters", Some(&body)),
        Delivery::NoAnswer
    );
    sim.create("dws-1");
    sim.minutes(5);
    assert_eq!(sim.service.ledger().len(), 1);
    let notes: Vec<String> = sim
        .service
        .drain_notes()
        .into_iter()
        .map(|note| note.text)
        .collect();
    assert!(
        notes
            .iter()
            .any(|note| note == "late: create_cluster comes to nothing, DWS.5050"),
        "{notes:?}"
    );
}

#[test]
fn a_late_call_is_an_event_to_wait_for() {
    let mut sim = Sim::new();
    let late = FaultKind::Late {
        after: 90.0,
        status: None,
    };
    sim.service
        .inject(Fault::next(Operation::CreateCluster, late));
    sim.deliver(
        "POST",
        "/v1.0/{p}/clusters",
        Some(&Sim::create_body("dws-1")),
    );
    let due = sim.now + Duration::from_secs(90);
    assert_eq!(sim.service.next_event(), Some(due));
    // Whenever somebody looks next, it was executed when it was due.
    sim.minutes(60);
    assert_eq!(sim.service.ledger()[0].at, due);
}

#[test]
fn a_late_call_must_still_prove_who_it_is() {
    let mut sim = Sim::new();
    sim.proof = crate::support::Proof::Nothing;
    let late = FaultKind::Late {
        after: 60.0,
        status: None,
    };
    sim.service
        .inject(Fault::next(Operation::CreateCluster, late));
    let answer = sim.post("/v1.0/{p}/clusters", &Sim::create_body("dws-1"));
    assert_eq!(answer.code(), "APIGW.0301");
    sim.minutes(5);
    assert!(sim.service.ledger().is_empty());
}

/// Operation, and the words that its failed task leaves behind.
#[rstest]
#[case(Operation::CreateCluster, "CREATION FAILED", Value::Null, "DWS.6000")]
#[case(Operation::RestoreCluster, "CREATION FAILED", Value::Null, "DWS.6003")]
#[case(Operation::ResizeCluster, "AVAILABLE", json!("RESIZE_FAILURE"), "DWS.6001")]
#[case(Operation::RestartCluster, "AVAILABLE", json!("REBOOT_FAILURE"), "DWS.6002")]
#[case(Operation::DeleteCluster, "DELETE_FAILED", Value::Null, "DWS.6014")]
fn a_task_that_fails(
    #[case] operation: Operation,
    #[case] word: &str,
    #[case] task: Value,
    #[case] code: &str,
) {
    let (mut sim, method, path, body) = ready(operation);
    sim.service
        .inject(Fault::next(operation, FaultKind::FailTask));
    let delivery = sim.deliver(&method, &path, body.as_ref());
    let answer = Answer::from(delivery.answer().unwrap());
    let first = sim.service.world().clusters().next().unwrap().id.clone();
    let id = answer.json["cluster"]["id"]
        .as_str()
        .unwrap_or(&first)
        .to_owned();
    sim.rest();
    let detail = sim.detail(&id);
    assert_eq!(detail["status"], word);
    assert_eq!(detail["task_status"], task);
    assert_eq!(detail["failed_reasons"]["error_code"], code);
    assert_eq!(detail["number_of_node"], 3);
    if operation == Operation::ResizeCluster {
        assert_eq!(detail["resize_info"]["resize_status"], "RESIZE_FAILURE");
        assert_eq!(sim.resize(&id, 1).status, 200, "another one may be tried");
    }
    if operation == Operation::DeleteCluster {
        assert_eq!(
            sim.service.world().snapshots().count(),
            1,
            "nothing went along"
        );
        assert_eq!(sim.delete(&id, 0).status, 202, "another one may be tried");
        sim.rest();
        assert!(sim.service.world().cluster(&id).is_none());
    }
}

#[test]
fn a_status_may_have_a_body_of_the_services_own() {
    let mut sim = Sim::new();
    let fault = Fault::from_json(&json!({
        "operation": "list_clusters", "kind": "status", "status": 500, "code": "DWS.9999",
        "message": "DWS.7023", "style": "legacy", "retry_after": 7,
    }));
    sim.service.inject(fault.unwrap());
    let answer = sim.get("/v1.0/{p}/clusters");
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.json,
        json!({"errCode": "DWS.9999", "externalMessage": "DWS.7023"})
    );
    assert_eq!(answer.header("retry-after"), Some("7"));
}

#[test]
fn no_secret_is_in_anything_that_is_kept_or_told() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    sim.reset_password(&id, "Canary-Passw0rd");
    let token = sim.token("Simulator-Passw0rd");
    let token = token.header("x-subject-token").unwrap().to_owned();
    let settings = sim.service.settings().clone();
    let mut told = format!("{settings:?}");
    for request in sim.service.requests() {
        told += &serde_json::to_string(request).unwrap();
    }
    told += &serde_json::to_string(sim.service.ledger()).unwrap();
    for note in sim.service.drain_notes() {
        told += &note.text;
    }
    for cluster in sim.service.world().clusters() {
        write!(told, "{cluster:?}").unwrap();
    }
    let secrets = [
        PASSWORD,
        "Canary-Passw0rd",
        &token,
        &settings.secret_key,
        &settings.password,
    ];
    for secret in secrets {
        assert!(!told.contains(secret), "{secret}");
    }
    assert!(told.contains("reset_password"));
}
