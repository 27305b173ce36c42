//! Every tolerance, row by row, and every list that proves nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http::header::DATE;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod fields;

use crate::dws::answer::Meaning;
use crate::dws::model::{
    Endpoint, FailedReasons, MaintainWindow, ParameterGroup, PublicIp, ResizeInfo,
};

const ID: &str = "7d85f602-a948-4a30-afd4-e84f47471c15";

fn response(status: u16, body: impl AsRef<[u8]>) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(DATE, "Tue, 12 Feb 2019 06:52:13 GMT".parse().unwrap());
    Response {
        status,
        headers,
        body: Bytes::copy_from_slice(body.as_ref()),
    }
}

/// A detail with one field set, decoded.
fn with(field: &str, value: &Value) -> Cluster {
    let mut object = json!({ "id": ID, "name": "dws-1", "status": "AVAILABLE" });
    object[field] = value.clone();
    let body = json!({ "cluster": object }).to_string();
    cluster(&response(200, body), ID, &Redactor::default()).unwrap()
}

/// The reference's detail (5.1.3), its missing comma put in and its stray bracket taken out.
#[test]
fn the_references_detail() {
    let body = include_str!("tests/detail.json");
    let id = "7d85f602-a948-4a30-afd4-e84f47471c15";
    let decoded = cluster(&response(200, body), id, &Redactor::default()).unwrap();
    let text = |text: &str| Some(text.to_owned());
    let endpoint = |at: &str| {
        vec![Endpoint {
            connect_info: text(at),
            jdbc_url: Some(format!("jdbc:postgresql://{at}/<YOUR_DATABASE_name>")),
        }]
    };
    let expected = Cluster {
        id: id.into(),
        name: "dws-1".into(),
        status: "AVAILABLE".into(),
        sub_status: text("READONLY"),
        task_status: text("SNAPSHOTTING"),
        action_progress: [("SNAPSHOTTING".to_owned(), "20%".to_owned())].into(),
        node_type: text("dws.m1.xlarge.ultrahigh"),
        vpc_id: text("85b20d7e-9eb7-4b2a-98f3-3c8843ea3574"),
        subnet_id: text("374eca02-cfc4-4de7-8ab5-dbebf7d9a720"),
        security_group_id: text("dc3ec145-9029-4b39-b5a3-ace5a01f772b"),
        availability_zone: text("eu-west-0a"),
        enterprise_project_id: text("0"),
        node_count: Some(3),
        port: Some(8000),
        user_name: text("dbadmin"),
        version: text("1.2.0"),
        public_ip: Some(PublicIp {
            public_bind_type: text("auto_assign"),
            eip_id: text("85b20d7e-9eb7-4b2a-98f3-3c8843ea3574"),
            eip_address: None,
        }),
        endpoints: endpoint("192.168.0.10:8000"),
        public_endpoints: endpoint("10.0.0.8:8000"),
        created: text("2018-02-10T14:28:14Z"),
        updated: text("2018-02-10T14:28:14Z"),
        created_at: Some("2018-02-10T14:28:14Z".parse().unwrap()),
        recent_events: Some(6),
        tags: vec![("key1".into(), text("value1"))],
        failed_reasons: Some(FailedReasons {
            error_code: text("6001"),
            error_msg: text("no"),
        }),
        private_ips: vec!["192.168.0.12".into(), "192.168.0.66".into()],
        maintain_window: Some(MaintainWindow {
            day: text("Wed"),
            start_time: text("22:00"),
            end_time: text("02:00"),
        }),
        resize_info: Some(ResizeInfo {
            target_node_num: Some(6),
            origin_node_num: Some(3),
            resize_status: text("GROWING"),
            start_time: text("2018-02-14T14:28:14Z"),
        }),
        parameter_group: Some(ParameterGroup {
            id: text("157e9cc4-64a8-11e8-adc0-fa7ae01bbebc"),
            name: text("Default-Parameter-Group-dws "),
            status: text("In-Sync"),
        }),
    };
    assert_eq!(decoded, expected);
    let packed = cluster(
        &response(200, STANDARD.encode(body)),
        id,
        &Redactor::default(),
    );
    assert_eq!(packed, Ok(expected));
}

#[test]
fn the_references_snapshots() {
    let body = include_str!("tests/snapshots.json");
    let list = snapshots(&response(200, body), &Redactor::default()).unwrap();
    assert!(list.complete);
    assert_eq!(
        list.service_time,
        Some("2019-02-12T06:52:13Z".parse().unwrap())
    );
    let first = Snapshot {
        id: "2a4d0f86-67cd-408a-8b66-017454fb7793".into(),
        name: "snapshot-1".into(),
        description: None,
        started: Some("2016-08-23T03:59:23Z".into()),
        started_at: Some("2016-08-23T03:59:23Z".parse().unwrap()),
        finished: Some("2016-08-23T04:01:40Z".into()),
        size_gb: Some(500.0),
        status: "AVAILABLE".into(),
        type_: Some("MANUAL".into()),
        cluster_id: Some("4f87d3c4-9e33-482f-b962-e23b30d1a18c".into()),
    };
    assert_eq!((list.items.len(), &list.items[0]), (2, &first));

    for (size, expected) in [
        (json!("1.5"), Some(1.5)),
        (json!(0.25), Some(0.25)),
        (json!(null), None),
        (json!("NaN"), None),
        (json!("big"), None),
        (json!([]), None),
    ] {
        let body = json!({ "snapshot": {
            "id": "s-1", "name": "n", "status": "AVAILABLE", "size": size, "finished": null,
        } });
        let decoded = snapshot(
            &response(200, body.to_string()),
            "s-1",
            &Redactor::default(),
        );
        assert_eq!(decoded.unwrap().size_gb, expected, "{size}");
    }
}

#[test]
fn the_references_node_types() {
    let body = json!({"node_types": [
        {"spec_name": "dws.d1.xlarge", "id": "ebe532d6-665f-40e6-a4d4-3c51545b6a67",
         "detail": [{"type": "vCPU", "value": "4"}]},
        {"spec_name": "dws.m1.xlarge.ultrahigh"},
        {"id": "nameless"},
        null
    ]});
    let types = node_types(&response(200, body.to_string()), &Redactor::default()).unwrap();
    let names: Vec<_> = types.iter().map(|kind| kind.spec_name.as_str()).collect();
    assert_eq!(names, ["dws.d1.xlarge", "dws.m1.xlarge.ultrahigh"]);
}

fn with_task(task: &Value) -> Value {
    json!({ "id": "a", "name": "dws-1", "status": "AVAILABLE", "task_status": task })
}

#[test]
fn what_a_list_proves() {
    let one = json!({ "id": "a", "name": "dws-1", "status": "AVAILABLE" });
    let two = json!({ "id": "b", "name": "dws-2", "status": "AVAILABLE" });
    #[rustfmt::skip] // A row a line.
    let rows = [
        (200, json!({"clusters": [], "count": 0}), 0, true),
        (200, json!({"clusters": [], "count": "0"}), 0, true),
        (200, json!({"clusters": [one, two], "count": 2}), 2, true),
        (200, json!({"clusters": [one, two], "count": "2"}), 2, true),
        (200, json!({"clusters": [one], "count": 1, "job_id": "j", "error_code": "DWS.1"}), 1, true),
        (200, json!({"clusters": [one], "count": 1, "error_code": "DWS.0000"}), 1, true),
        (200, json!({"clusters": [one], "count": 1, "error_code": null}), 1, true),
        // The sample of the reference: one cluster, `"count": "2"`.
        (200, json!({"clusters": [one], "count": "2"}), 1, false),
        // The quick start's sample: no count.
        (200, json!({"clusters": [one]}), 1, false),
        (200, json!({"clusters": [one], "count": null}), 1, false),
        (200, json!({"clusters": [one], "count": "one"}), 1, false),
        (200, json!({"clusters": [one], "count": -1}), 1, false),
        (200, json!({"clusters": [one], "count": 1.5}), 1, false),
        (200, json!({"clusters": [], "count": 1}), 0, false),
        (200, json!({"clusters": null, "count": 0}), 0, false),
        (200, json!({"clusters": null}), 0, false),
        (200, json!({"clusters": [one, null], "count": 2}), 1, false),
        (200, json!({"clusters": [one, {"name": "dws-2"}], "count": 2}), 1, false),
        (200, json!({"clusters": [one, {"id": ""}], "count": 2}), 1, false),
        (200, json!({"clusters": [one, {"id": null}], "count": 1}), 1, false),
        (200, json!({"clusters": [one, "b"], "count": 2}), 1, false),
        (200, json!({"clusters": [one, [two]], "count": 2}), 1, false),
        (200, json!({"clusters": [one, {"id": "b", "status": "AVAILABLE"}], "count": 2}), 2, false),
        (200, json!({"clusters": [one, {"id": "b", "name": "x"}], "count": 2}), 2, false),
        (200, json!({"clusters": [one, one], "count": 2}), 2, false),
        (200, json!({"clusters": [with_task(&json!({"GROWING": "5%"}))], "count": 1}), 1, false),
        (200, json!({"clusters": [with_task(&json!(["GROWING"]))], "count": 1}), 1, false),
        (200, json!({"clusters": [with_task(&json!({}))], "count": 1}), 1, true),
        (200, json!({"clusters": [with_task(&json!([]))], "count": 1}), 1, true),
        (200, json!({"clusters": [with_task(&json!(""))], "count": 1}), 1, true),
        (201, json!({"clusters": [one], "count": 1}), 1, false),
        (202, json!({"clusters": [one], "count": 1}), 1, false),
    ];
    for (status, body, items, complete) in &rows {
        let list = clusters(&response(*status, body.to_string()), &Redactor::default()).unwrap();
        assert_eq!(
            (list.items.len(), list.complete),
            (*items, *complete),
            "{status} {body}"
        );
    }
    crate::dws::figures::figure("dws-client", &format!("{} list rows", rows.len()));
}

#[test]
fn what_is_no_list_is_a_failure_and_never_empty() {
    let broken_sample =
        r#"{"clusters": [{"id": "a", "recent_event": 6 "tags": []}], "count": "2"}"#;
    for (status, body, meaning) in [
        (200, "", Meaning::Garbled),
        (200, "{}", Meaning::Garbled),
        (200, "[]", Meaning::Garbled),
        (200, "null", Meaning::Garbled),
        (200, "<html>", Meaning::Garbled),
        (200, r#"{"clusters": {}}"#, Meaning::Garbled),
        (200, r#"{"clusters": "none", "count": 0}"#, Meaning::Garbled),
        (200, r#"{"snapshots": [], "count": 0}"#, Meaning::Garbled),
        (200, r#"{"count": 0}"#, Meaning::Garbled),
        (200, r#"{"clusters": [], "count": 0"#, Meaning::Garbled),
        (200, r#"{"clusters": [], "count": 0} x"#, Meaning::Garbled),
        (
            200,
            r#"{"clusters": [], "clusters": [], "count": 0}"#,
            Meaning::Garbled,
        ),
        (200, broken_sample, Meaning::Garbled),
        (203, r#"{"clusters": [], "count": 0}"#, Meaning::Unknown),
        (204, "", Meaning::Garbled),
        (206, r#"{"clusters": [], "count": 0}"#, Meaning::Unknown),
        (304, "", Meaning::Unavailable),
        (
            200,
            r#"{"error_code": "DWS.9999", "clusters": [], "count": 0}"#,
            Meaning::Unavailable,
        ),
        (
            200,
            r#"{"errCode": "DWS.0011", "clusters": [], "count": 0}"#,
            Meaning::Busy,
        ),
        (
            200,
            r#"{"error_code": "DWS.0020", "error_msg": "restricted"}"#,
            Meaning::Forbidden,
        ),
        (
            401,
            r#"{"error_code": "APIGW.0301"}"#,
            Meaning::Unauthenticated,
        ),
        (404, r#"{"clusters": [], "count": 0}"#, Meaning::Unknown),
        (500, r#"{"clusters": [], "count": 0}"#, Meaning::Unavailable),
    ] {
        let failure = clusters(&response(status, body), &Redactor::default()).unwrap_err();
        assert_eq!(failure.meaning, meaning, "{status} {body}");
        assert_ne!(failure.meaning, Meaning::Absent);
    }
}

#[test]
fn a_detail_is_about_the_id_asked_for() {
    let told = |id: &Value| json!({ "id": id, "name": "n", "status": "AVAILABLE" });
    let body = |id: &Value| json!({ "cluster": told(id) }).to_string();
    let decode = |body: String| cluster(&response(200, body), "ab-1", &Redactor::default());
    assert!(decode(body(&json!("ab-1"))).is_ok());
    assert!(decode(body(&json!("AB-1"))).is_ok());
    for body in [
        body(&json!("other")),
        body(&json!(null)),
        r#"{"cluster": null}"#.into(),
        r#"{"cluster": []}"#.into(),
        r#"{"snapshot": {"id": "ab-1"}}"#.into(),
        "{}".into(),
        String::new(),
        // By name and status a cluster is told from others, and by its task whether it may be called.
        r#"{"cluster": {"id": "ab-1"}}"#.into(),
        r#"{"cluster": {"id": "ab-1", "name": "n"}}"#.into(),
        r#"{"cluster": {"id": "ab-1", "status": "AVAILABLE"}}"#.into(),
        json!({"cluster": {"id": "ab-1", "name": "n", "status": "A", "task_status": [1]}})
            .to_string(),
        json!({"cluster": told(&json!("ab-1")), "error_code": "DWS.9999"}).to_string(),
        json!({"cluster": told(&json!("ab-1")), "errCode": "DWS.3027"}).to_string(),
    ] {
        assert_eq!(
            decode(body.clone()).unwrap_err().meaning,
            Meaning::Garbled,
            "{body}"
        );
    }
    for beside in [
        json!({"error_code": "DWS.0000"}),
        json!({"error_code": null}),
        json!({"error_code": "DWS.9999", "job_id": "j"}),
    ] {
        let mut body = beside;
        body["cluster"] = told(&json!("ab-1"));
        assert!(decode(body.to_string()).is_ok(), "{body}");
    }
    let told = json!({"id": "s-1", "name": "n", "status": "AVAILABLE"});
    for (body, good) in [
        (json!({"snapshot": told}), true),
        (json!({"snapshot": {"id": "s-1"}}), false),
        (json!({"snapshot": told, "error_code": "DWS.9999"}), false),
    ] {
        let answer = response(200, body.to_string());
        let decoded = snapshot(&answer, "s-1", &Redactor::default());
        assert_eq!(decoded.is_ok(), good, "{body}");
    }
    let not_found = response(403, r#"{"error_code": "DWS.0015"}"#);
    let failure = cluster(&not_found, "ab-1", &Redactor::default()).unwrap_err();
    assert_eq!(failure.meaning, Meaning::AbsentOrForbidden);
}

#[test]
fn the_project_of_a_name() {
    let find = |body: Value, name: &str| {
        project_id(&response(200, body.to_string()), name, &Redactor::default())
    };
    let sample = json!({"projects": [
        {"id": "a4a5d4098fb4474fa22cd05f897d6b99", "name": "eu-west-0a", "enabled": true},
        {"id": "b", "name": "eu-west-0"}
    ], "links": {"self": "https://www.example.com/v3/projects"}});
    assert_eq!(find(sample.clone(), "eu-west-0"), Ok(Some("b".into())));
    assert_eq!(find(sample, "eu-west"), Ok(None));
    assert_eq!(find(json!({"projects": []}), "eu-west"), Ok(None));
    assert_eq!(find(json!({}), "x").unwrap_err().meaning, Meaning::Garbled);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        "[a-z_]{1,8}",
        Just("id".to_owned()),
        Just("error_code".to_owned()),
        Just("count".to_owned()),
        Just("key".to_owned()),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_can_be_decoded(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let answer = response(200, &body);
        prop_assert!(clusters(&answer, &Redactor::default()).is_err());
        prop_assert!(snapshots(&answer, &Redactor::default()).is_err());
        prop_assert!(cluster(&answer, "a", &Redactor::default()).is_err());
    }

    #[test]
    fn whatever_stands_in_a_field_the_cluster_is_read(
        which in 0..28_usize,
        value in any_json(),
    ) {
        let field = [
            "name", "status", "sub_status", "task_status", "action_progress", "node_type", "vpc_id",
            "subnet_id", "security_group_id", "availability_zone", "enterprise_project_id",
            "number_of_node", "port", "user_name", "version", "public_ip", "endpoints",
            "public_endpoints", "created", "updated", "recent_event", "tags", "failed_reasons",
            "private_ip", "maintain_window", "resize_info", "parameter_group", "nodes",
        ][which];
        let mut object = json!({ "id": ID, "name": "dws-1", "status": "AVAILABLE" });
        object[field] = value;
        let list = json!({ "clusters": [object], "count": 1 }).to_string();
        let list = clusters(&response(200, list), &Redactor::default()).unwrap();
        prop_assert_eq!(&list.items[0].id, ID);
        prop_assert!(list.complete || ["name", "status", "task_status"].contains(&field));
        // A detail is the same cluster, or it is not whole either.
        let detail = json!({ "cluster": object }).to_string();
        let detail = cluster(&response(200, detail), ID, &Redactor::default());
        prop_assert_eq!(detail.ok(), list.complete.then(|| list.items[0].clone()));
    }

    #[test]
    fn only_matching_lists_are_complete(
        count in prop_oneof![Just(Value::Null), (0..5_i64).prop_map(Value::from), any_json()],
        members in proptest::collection::vec(any_json(), 0..4),
    ) {
        let body = json!({ "clusters": members, "count": count });
        if let Ok(list) = clusters(&response(200, body.to_string()), &Redactor::default())
            && list.complete
        {
            prop_assert_eq!(list.items.len(), members.len());
        }
    }
}
