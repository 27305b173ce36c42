//! The seeds: answers as the service gives them, in the words of its reference and of what real clients saw.

use std::sync::LazyLock;

use serde_json::{Value, json};

/// The cluster that is asked for.
pub const ID: &str = "7d85f602-a948-4a30-afd4-e84f47471c15";
const OTHER: &str = "4f87d3c4-9e33-482f-b962-e23b30d1a18c";

fn cluster(id: &str, name: &str) -> Value {
    json!({
        "id": id, "name": name, "status": "AVAILABLE", "sub_status": "NORMAL", "task_status": "GROWING",
        "action_progress": {"GROWING": "20%"}, "node_type": "dws.d1.xlarge", "number_of_node": 3, "port": 8000,
        "vpc_id": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574", "user_name": "dbadmin", "version": "8.1.3",
        "public_ip": {"public_bind_type": "auto_assign", "eip_id": OTHER}, "recent_event": 6,
        "endpoints": [{"connect_info": "192.168.0.10:8000", "jdbc_url": "jdbc:postgresql://192.168.0.10:8000/x"}],
        "created": "2018-02-10T14:28:14Z", "updated": "2018-02-10T14:28:14", "tags": [{"key": "k", "value": "v"}],
        "failed_reasons": null, "private_ip": ["192.168.0.12"],
        "maintain_window": {"day": "Wed", "start_time": "22:00", "end_time": "02:00"},
        "resize_info": {"target_node_num": "6", "origin_node_num": "3", "resize_status": "GROWING"},
    })
}

fn snapshot(id: &str, name: &str) -> Value {
    json!({
        "id": id, "name": name, "status": "AVAILABLE", "type": "MANUAL", "size": 500.0, "cluster_id": OTHER,
        "started": "2016-08-23T03:59:23Z", "finished": "2016-08-23T04:01:40Z", "description": null,
    })
}

/// A list of clusters.
pub fn clusters() -> Value {
    json!({"clusters": [cluster(ID, "dws-1"), cluster(OTHER, "dws-2")], "count": 2})
}

/// A list of snapshots.
pub fn snapshots() -> Value {
    json!({"snapshots": [snapshot(ID, "snap-1"), snapshot(OTHER, "snap-2")], "count": "2"})
}

/// A cluster in detail.
pub fn detail() -> Value {
    json!({"cluster": cluster(ID, "dws-1")})
}

/// A snapshot in detail.
pub fn snapshot_detail() -> Value {
    json!({"snapshot": snapshot(ID, "snap-1")})
}

/// The projects of an account.
pub fn projects() -> Value {
    json!({"projects": [{"id": "a4a5d4098fb4474fa22cd05f897d6b99", "name": "eu-west-0"}, {"id": "b", "name": "eu"}]})
}

/// The node types on sale.
pub fn node_types() -> Value {
    json!({"node_types": [{"spec_name": "dws.d1.xlarge", "id": OTHER}, {"spec_name": "dws.m1.xlarge"}], "count": 2})
}

/// Error bodies in every style.
pub fn error(style: usize, code: &str, message: &str) -> Value {
    match style % 8 {
        0 => json!({"error_code": code, "error_msg": message}),
        1 => json!({"errCode": code, "externalMessage": message}),
        2 => {
            json!({"errCode": code, "externalMessage": "old", "error_code": code, "error_msg": message})
        }
        3 => json!({"error": {"code": code, "message": message, "title": "Error"}}),
        4 => json!({"error_msg": message, "error_code": code, "request_id": "1f"}),
        5 => json!({"errorCode": code, "errorMsg": message}),
        6 => json!({"code": code, "message": message}),
        _ => json!({"error_code": null, "errCode": code, "error_msg": message}),
    }
}

/// What the styles are called.
pub const STYLES: [&str; 8] = [
    "modern",
    "legacy",
    "both",
    "iam",
    "gateway",
    "camel",
    "bare",
    "null then legacy",
];

/// Every seed that a read may meet.
pub fn documents() -> &'static [Value] {
    static ALL: LazyLock<Vec<Value>> = LazyLock::new(made);
    &ALL
}

fn made() -> Vec<Value> {
    let mut all = vec![
        clusters(),
        snapshots(),
        detail(),
        snapshot_detail(),
        projects(),
        node_types(),
    ];
    for (style, code) in ["DWS.0015", "DWS.3027", "DWS.9999", "APIGW.0308", "DWS.5149"]
        .iter()
        .enumerate()
    {
        all.push(error(style, code, "said so"));
    }
    all.push(json!({"clusters": [], "count": 0}));
    all.push(json!({"error_code": "DWS.9999", "clusters": [cluster(ID, "dws-1")], "count": 1}));
    all.push(json!({"error_code": "DWS.9999", "cluster": cluster(ID, "dws-1")}));
    all
}

/// Names that mean something somewhere.
pub const NAMES: &[&str] = &[
    "id",
    "name",
    "status",
    "count",
    "clusters",
    "cluster",
    "snapshots",
    "snapshot",
    "error_code",
    "errCode",
    "error",
    "job_id",
    "projects",
    "code",
    "error_msg",
];
