//! One task per cluster: what is refused while something runs, and how.

use std::time::Duration;

use dws_operator::simulator::{Busy, Oddities, Outside, Redistribution};
use rstest::rstest;
use serde_json::json;

use crate::support::{Answer, Sim};

fn all_work(sim: &mut Sim, id: &str) -> Vec<(&'static str, Answer)> {
    vec![
        ("resize", sim.resize(id, 1)),
        ("restart", sim.restart(id)),
        ("password", sim.reset_password(id, "Another-Passw0rd1")),
        ("snapshot", sim.snapshot(id, "snap-busy")),
        ("delete", sim.delete(id, 0)),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Running {
    Create,
    Resize,
    Snapshot,
    Restore,
    Outside,
}

#[rstest]
fn everything_waits_while_a_task_runs(
    #[values(
        Running::Create,
        Running::Resize,
        Running::Snapshot,
        Running::Restore,
        Running::Outside
    )]
    running: Running,
) {
    let mut sim = Sim::new();
    let id = match running {
        Running::Create => sim.create("dws-1"),
        _ => sim.cluster("dws-1"),
    };
    let id = match running {
        Running::Create => id,
        Running::Resize => {
            sim.resize(&id, 1);
            id
        }
        Running::Snapshot => {
            sim.snapshot(&id, "snap-1");
            id
        }
        Running::Restore => {
            let snapshot = sim.snapshot(&id, "snap-1").json["snapshot"]["id"].clone();
            sim.rest();
            let path = format!(
                "/v1.0/{{p}}/snapshots/{}/actions",
                snapshot.as_str().unwrap()
            );
            let restored = sim.post(&path, &json!({"restore": {"name": "dws-2"}}));
            restored.json["cluster"]["id"].as_str().unwrap().to_owned()
        }
        Running::Outside => {
            let change = Outside::SetTask {
                cluster: id.clone(),
                task: Some("SETTING_CONFIGURATION".to_owned()),
                progress: None,
            };
            sim.service.outside(sim.now, &change).unwrap();
            id
        }
    };
    let before = sim.service.ledger().len();
    for (work, answer) in all_work(&mut sim, &id) {
        assert_eq!(
            (answer.status, answer.code()),
            (409, "DWS.0011"),
            "{work} during {running:?}"
        );
    }
    assert_eq!(sim.service.ledger().len(), before);
}

#[test]
fn a_restart_during_a_restart_says_so_inside() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    sim.restart(&id);
    let again = sim.restart(&id);
    assert_eq!((again.status, again.code()), (500, "DWS.9999"));
    assert_eq!(again.json["error_msg"], "DWS.7023");
    assert_eq!(sim.resize(&id, 1).code(), "DWS.0011");
}

#[rstest]
#[case(Busy::Conflict, 409, "DWS.0011")]
#[case(Busy::Forbidden, 403, "DWS.7023")]
#[case(Busy::Internal, 500, "DWS.9999")]
fn busy_is_said_in_three_ways(#[case] busy: Busy, #[case] status: u16, #[case] code: &str) {
    let mut sim = Sim::new();
    sim.service.set_oddities(Oddities {
        busy,
        ..Oddities::default()
    });
    let id = sim.create("dws-1");
    let answer = sim.resize(&id, 1);
    assert_eq!((answer.status, answer.code()), (status, code));
}

#[test]
fn busy_outlasts_its_task_by_a_while() {
    let mut sim = Sim::new();
    sim.service.set_oddities(Oddities {
        busy_after_task: 30.0,
        ..Oddities::default()
    });
    let id = sim.cluster("dws-1");
    assert_eq!(sim.detail(&id)["task_status"], json!(null));
    let early = sim.restart(&id);
    assert_eq!((early.status, early.code()), (403, "DWS.7023"));
    sim.pass(Duration::from_secs(31));
    assert_eq!(sim.restart(&id).status, 200);
}

#[test]
fn words_of_failure_and_waiting_are_no_tasks() {
    for word in [
        "REBOOT_FAILURE",
        "RESIZE_FAILURE",
        "WAITING_REDISTRIBUTION",
        "REDISTRIBUTION_PAUSED",
    ] {
        let mut sim = Sim::new();
        let id = sim.cluster("dws-1");
        let change = Outside::SetTask {
            cluster: id.clone(),
            task: Some(word.to_owned()),
            progress: None,
        };
        sim.service.outside(sim.now, &change).unwrap();
        assert_eq!(sim.restart(&id).status, 200, "{word}");
    }
}

#[test]
fn a_wait_for_redistribution_lasts_until_somebody_ends_it() {
    let mut sim = Sim::new();
    let redistribution = Redistribution::Waiting;
    sim.service.set_oddities(Oddities {
        redistribution,
        ..Oddities::default()
    });
    let id = sim.cluster("dws-1");
    sim.resize(&id, 2);
    sim.rest();
    sim.minutes(600);
    let detail = sim.detail(&id);
    assert_eq!(detail["task_status"], "WAITING_REDISTRIBUTION");
    assert_eq!(detail["number_of_node"], 5);
    let change = Outside::SetTask {
        cluster: id.clone(),
        task: None,
        progress: None,
    };
    sim.service.outside(sim.now, &change).unwrap();
    assert_eq!(sim.detail(&id)["task_status"], json!(null));
}

#[test]
fn an_unusable_cluster_refuses_what_needs_it() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    let set = |sim: &mut Sim, status: &str| {
        let change = Outside::SetStatus {
            cluster: id.clone(),
            status: status.to_owned(),
        };
        sim.service.outside(sim.now, &change).unwrap();
    };
    set(&mut sim, "FROZEN");
    assert_eq!(sim.restart(&id).code(), "DWS.0020");
    assert_eq!(sim.snapshot(&id, "snap-1").code(), "DWS.0020");
    set(&mut sim, "UNAVAILABLE");
    assert_eq!(sim.snapshot(&id, "snap-1").code(), "DWS.7023");
    assert_eq!(sim.resize(&id, 1).code(), "DWS.7023");
    assert_eq!(
        sim.restart(&id).status,
        200,
        "a restart is what one tries then"
    );
}

#[test]
fn a_deletion_is_no_task_to_be_joined() {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    sim.delete(&id, 0);
    for (work, answer) in all_work(&mut sim, &id) {
        assert_eq!((answer.status, answer.code()), (403, "DWS.7023"), "{work}");
    }
    let oddities = Oddities {
        delete_again_accepted: true,
        ..Oddities::default()
    };
    sim.service.set_oddities(oddities);
    assert_eq!(sim.delete(&id, 0).status, 202);
    assert_eq!(
        sim.service.ledger().len(),
        2,
        "accepted again, executed once"
    );
}
