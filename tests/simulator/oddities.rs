//! Oddities: each changes what it says, and the default is what the reference says.

use std::time::Duration;

use dws_operator::simulator::{
    BodyStyle, Count, Empty, NoFailure, NotFound, Oddities, Redistribution, Timestamps,
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Sim, UNKNOWN};

fn with(oddities: Oddities) -> (Sim, String) {
    let mut sim = Sim::new();
    let id = sim.cluster("dws-1");
    sim.service.set_oddities(oddities);
    (sim, id)
}

#[test]
fn the_default_is_what_the_reference_shows() {
    let (mut sim, id) = with(Oddities::default());
    let keys = |value: &Value| {
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let list = sim.get("/v1.0/{p}/clusters").json;
    assert_eq!(
        keys(&list["clusters"][0]),
        [
            "action_progress",
            "availability_zone",
            "created",
            "endpoints",
            "failed_reasons",
            "id",
            "name",
            "node_type",
            "number_of_node",
            "port",
            "public_endpoints",
            "public_ip",
            "recent_event",
            "security_group_id",
            "status",
            "sub_status",
            "subnet_id",
            "tags",
            "task_status",
            "updated",
            "user_name",
            "version",
            "vpc_id",
        ]
    );
    let detail = sim.detail(&id);
    let more: Vec<String> = keys(&detail)
        .into_iter()
        .filter(|key| !keys(&list["clusters"][0]).contains(key))
        .collect();
    assert_eq!(
        more,
        [
            "maintain_window",
            "node_type_id",
            "parameter_group",
            "private_ip",
            "resize_info"
        ]
    );
    let info = detail["endpoints"][0]["connect_info"].as_str().unwrap();
    assert!(info.ends_with(":8000"), "{info}");
    assert_eq!(
        detail["endpoints"][0]["jdbc_url"],
        format!("jdbc:postgresql://{info}/<YOUR_DATABASE_name>")
    );
    let snapshot = sim.snapshot(&id, "snap-1").json["snapshot"]["id"].clone();
    let path = format!("/v1.0/{{p}}/snapshots/{}", snapshot.as_str().unwrap());
    assert_eq!(
        keys(&sim.get(&path).json["snapshot"]),
        [
            "cluster_id",
            "description",
            "finished",
            "id",
            "name",
            "size",
            "started",
            "status",
            "type"
        ]
    );
    let types = sim.get("/v2/{p}/node-types").json;
    assert_eq!(keys(&types), ["node_types"]);
    assert_eq!(
        types["node_types"][0]["detail"][0],
        json!({"type": "vCPU", "value": "4"})
    );
}

#[rstest]
#[case(Count::Number, json!(1), 1)]
#[case(Count::Text, json!("1"), 1)]
#[case(Count::Absent, Value::Null, 1)]
#[case(Count::OneMore, json!(2), 1)]
#[case(Count::OneMissing, json!(1), 0)]
fn counts(#[case] count: Count, #[case] written: Value, #[case] items: usize) {
    let (mut sim, _) = with(Oddities {
        count,
        ..Oddities::default()
    });
    let list = sim.get("/v1.0/{p}/clusters").json;
    assert_eq!(list["count"], written);
    assert_eq!(list["clusters"].as_array().unwrap().len(), items);
    assert_eq!(list.get("count").is_some(), count != Count::Absent);
}

#[rstest]
#[case(Timestamps::Zulu, "2026-03-01T10:00:00Z")]
#[case(Timestamps::NoZone, "2026-03-01T10:00:00")]
#[case(Timestamps::Fraction, "2026-03-01T10:00:00.250Z")]
#[case(Timestamps::FractionNoZone, "2026-03-01T10:00:00.250")]
fn times(#[case] timestamps: Timestamps, #[case] written: &str) {
    let (mut sim, id) = with(Oddities {
        timestamps,
        ..Oddities::default()
    });
    assert_eq!(sim.detail(&id)["created"], written);
    assert_eq!(
        sim.get("/v1.0/{p}/clusters").json["clusters"][0]["created"],
        written
    );
}

#[rstest]
#[case(Empty::Null, Some(Value::Null), Some(Value::Null), Some(Value::Null))]
#[case(Empty::Absent, None, None, None)]
#[case(Empty::Empty, Some(json!("")), Some(json!({})), Some(json!([])))]
fn what_has_no_value(
    #[case] empty: Empty,
    #[case] task: Option<Value>,
    #[case] ip: Option<Value>,
    #[case] tags: Option<Value>,
) {
    let (mut sim, id) = with(Oddities {
        empty,
        ..Oddities::default()
    });
    let detail = sim.detail(&id);
    assert_eq!(detail.get("task_status"), task.as_ref());
    assert_eq!(detail.get("public_ip"), ip.as_ref());
    assert_eq!(detail.get("resize_info"), ip.as_ref());
    assert_eq!(detail.get("tags"), tags.as_ref());
}

#[rstest]
#[case(NoFailure::AsEmpty, Value::Null)]
#[case(NoFailure::Object, json!({}))]
#[case(NoFailure::Nulls, json!({"error_code": null, "error_msg": null}))]
fn no_failure_is_written_in_three_ways(#[case] no_failure: NoFailure, #[case] written: Value) {
    let (mut sim, id) = with(Oddities {
        no_failure,
        ..Oddities::default()
    });
    assert_eq!(sim.detail(&id)["failed_reasons"], written);
}

#[test]
fn switches_of_the_detail() {
    let (mut sim, id) = with(Oddities {
        idle_progress_object: true,
        bare_host: true,
        extra_fields: true,
        unknown_fields: true,
        newer_words: true,
        unknown_words: true,
        ..Oddities::default()
    });
    let detail = sim.detail(&id);
    assert_eq!(detail["action_progress"], json!({}));
    assert_eq!(
        detail["endpoints"][0]["connect_info"],
        "dws-1.dws.cn-north-4.example.com"
    );
    assert!(
        detail["endpoints"][0]["jdbc_url"]
            .as_str()
            .unwrap()
            .contains(".example.com:8000/")
    );
    assert_eq!(detail["enterprise_project_id"], "0");
    assert_eq!(detail["use_logical_cluster"], false);
    assert!(detail.get("quantum_lanes").is_some());
    assert_eq!(detail["status"], "ACTIVE");
    assert_eq!(detail["sub_status"], "SUPERPOSED");
    assert_eq!(
        sim.get("/v1.0/{p}/clusters").json["clusters"][0]["status"],
        "ACTIVE"
    );
}

#[test]
fn switches_of_a_resize() {
    let (mut sim, id) = with(Oddities {
        resize_numbers: true,
        resize_status_short: true,
        resize_snapshots_first: true,
        offline_resize: true,
        redistribution: Redistribution::Task,
        ..Oddities::default()
    });
    sim.resize(&id, 1);
    let mut seen = Vec::new();
    while sim.service.world().cluster(&id).unwrap().is_working() {
        let detail = sim.detail(&id);
        let line = format!("{} {}", detail["status"], detail["task_status"]).replace('"', "");
        if detail["task_status"] == "GROWING" {
            assert_eq!(detail["resize_info"]["target_node_num"], 4);
            assert_eq!(detail["resize_info"]["status"], "GROWING");
        }
        if seen.last() != Some(&line) {
            seen.push(line);
        }
        sim.pass(Duration::from_secs(5));
    }
    assert_eq!(
        seen,
        [
            "AVAILABLE null",
            "AVAILABLE SNAPSHOTTING",
            "UNAVAILABLE GROWING",
            "AVAILABLE REDISTRIBUTING"
        ]
    );
    assert_eq!(sim.detail(&id)["status"], "AVAILABLE");
}

#[rstest]
#[case(NotFound::Forbidden, 403, "DWS.0015")]
#[case(NotFound::Unauthorized, 401, "DWS.0047")]
#[case(NotFound::NotFound, 404, "DWS.0047")]
fn not_found_in_three_ways(#[case] not_found: NotFound, #[case] status: u16, #[case] code: &str) {
    let (mut sim, id) = with(Oddities {
        not_found,
        deleted_is_unknown: true,
        ..Oddities::default()
    });
    sim.delete(&id, 0);
    sim.rest();
    for id in [UNKNOWN, &id] {
        let answer = sim.get(&format!("/v1.0/{{p}}/clusters/{id}"));
        assert_eq!((answer.status, answer.code()), (status, code));
    }
}

#[test]
fn a_deleted_cluster_may_show_as_deleted_or_not_show_at_all() {
    let (mut sim, id) = with(Oddities {
        deleted_shown: 600.0,
        ..Oddities::default()
    });
    sim.delete(&id, 0);
    sim.minutes(5);
    assert_eq!(sim.detail(&id)["status"], "DELETED");
    assert_eq!(sim.restart(&id).code(), "DWS.3027");
    sim.create("dws-1");
    sim.minutes(10);
    assert_eq!(
        sim.get(&format!("/v1.0/{{p}}/clusters/{id}")).code(),
        "DWS.3027"
    );
    let (mut sim, id) = with(Oddities {
        deleting_hidden: true,
        ..Oddities::default()
    });
    sim.delete(&id, 0);
    assert_eq!(
        sim.get(&format!("/v1.0/{{p}}/clusters/{id}")).code(),
        "DWS.0015"
    );
    assert_eq!(sim.get("/v1.0/{p}/clusters").json["count"], 0);
}

#[test]
fn outcomes_inside_a_200() {
    let (mut sim, id) = with(Oddities {
        refusal_in_200: true,
        success_code: true,
        ..Oddities::default()
    });
    let refused = sim.resize(&id, 0);
    assert_eq!((refused.status, refused.code()), (200, "DWS.5047"));
    let accepted = sim.resize(&id, 1);
    assert_eq!((accepted.status, accepted.code()), (200, "DWS.0000"));
    // Reads and the gateway are not concerned.
    assert_eq!(
        sim.get(&format!("/v1.0/{{p}}/clusters/{UNKNOWN}")).status,
        403
    );
    let (mut sim, id) = with(Oddities {
        empty_body: true,
        ..Oddities::default()
    });
    assert_eq!(sim.restart(&id).text, "");
    let (mut sim, id) = with(Oddities::default());
    assert_eq!(sim.restart(&id).text, "{}");
}

#[rstest]
#[case(BodyStyle::Modern, "/error_code")]
#[case(BodyStyle::Legacy, "/errCode")]
#[case(BodyStyle::Both, "/errCode")]
#[case(BodyStyle::Gateway, "/error_code")]
#[case(BodyStyle::Iam, "/error/code")]
fn errors_in_every_style(#[case] errors: BodyStyle, #[case] pointer: &str) {
    let (mut sim, _) = with(Oddities {
        errors,
        ..Oddities::default()
    });
    let answer = sim.get(&format!("/v1.0/{{p}}/clusters/{UNKNOWN}"));
    assert_eq!(answer.status, 403);
    assert_eq!(
        answer.json.pointer(pointer),
        Some(&json!("DWS.0015")),
        "{}",
        answer.text
    );
}

#[test]
fn a_list_that_was_written_before_is_written_anew_when_something_changed() {
    let (mut sim, id) = with(Oddities::default());
    let nodes =
        |sim: &mut Sim| sim.get("/v1.0/{p}/clusters").json["clusters"][0]["number_of_node"].clone();
    assert_eq!(nodes(&mut sim), 3);
    sim.resize(&id, 1);
    sim.rest();
    assert_eq!(nodes(&mut sim), 4);
    sim.service.set_oddities(Oddities {
        newer_words: true,
        ..Oddities::default()
    });
    assert_eq!(
        sim.get("/v1.0/{p}/clusters").json["clusters"][0]["status"],
        "ACTIVE"
    );
}

#[test]
fn a_list_of_one_enterprise_project() {
    let mut sim = Sim::new();
    let mut body = Sim::create_body("dws-1");
    body["cluster"]["enterprise_project_id"] = json!("ep-1");
    sim.post("/v1.0/{p}/clusters", &body);
    sim.create("dws-2");
    let count = |sim: &mut Sim, query: &str| {
        sim.get(&format!("/v1.0/{{p}}/clusters{query}")).json["count"].clone()
    };
    assert_eq!(count(&mut sim, ""), 2);
    assert_eq!(count(&mut sim, "?enterprise_project_id=ep-1"), 1);
    assert_eq!(count(&mut sim, "?enterprise_project_id=0"), 1);
    assert_eq!(count(&mut sim, "?enterprise_project_id=none"), 0);
}
