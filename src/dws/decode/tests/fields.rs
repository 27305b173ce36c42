//! What the service may put into a field of a cluster, and what is made of it.

use serde_json::{Value, json};

use super::with;
use crate::dws::model::Cluster;

/// A row: a field, a value that the service may put there, and what the model then shows.
type Row = (&'static str, Value, fn(&Cluster) -> String, &'static str);

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn every_tolerance() {
    fn nodes(c: &Cluster) -> String {
        format!("{:?}", c.node_count)
    }
    fn progress(c: &Cluster) -> String {
        format!("{:?}", c.action_progress)
    }
    fn task(c: &Cluster) -> String {
        format!("{:?}", c.task_status)
    }
    fn tags(c: &Cluster) -> String {
        let tags: Vec<_> = c.tags.iter().map(|(k, v)| format!("{k}={v:?}")).collect();
        tags.join(" ")
    }
    fn reasons(c: &Cluster) -> String {
        c.failed_reasons.as_ref().map_or("none".into(), |r| {
            format!("{:?} {:?}", r.error_code, r.error_msg)
        })
    }
    fn ip(c: &Cluster) -> String {
        c.public_ip.as_ref().map_or("none".into(), |ip| {
            format!(
                "{:?} {:?} {:?}",
                ip.public_bind_type, ip.eip_id, ip.eip_address
            )
        })
    }
    fn window(c: &Cluster) -> String {
        c.maintain_window
            .as_ref()
            .map_or("none".into(), |w| format!("{:?}", w.day))
    }
    fn resize(c: &Cluster) -> String {
        c.resize_info.as_ref().map_or("none".into(), |r| {
            format!(
                "{:?} {:?} {:?}",
                r.origin_node_num, r.target_node_num, r.resize_status
            )
        })
    }
    fn ends(c: &Cluster) -> String {
        let ends = c.endpoints.iter().chain(&c.public_endpoints);
        let ends: Vec<_> = ends
            .map(|e| format!("{:?} {:?}", e.connect_info, e.jdbc_url))
            .collect();
        ends.join(", ")
    }
    fn private(c: &Cluster) -> String {
        c.private_ips.join(" ")
    }
    fn created(c: &Cluster) -> String {
        c.created_at.map_or("none".into(), |at| at.to_string())
    }
    fn group(c: &Cluster) -> String {
        c.parameter_group
            .as_ref()
            .map_or("none".into(), |g| format!("{:?}", g.status))
    }
    fn status(c: &Cluster) -> String {
        c.status.clone()
    }
    fn sub(c: &Cluster) -> String {
        format!("{:?}", c.sub_status)
    }
    fn port(c: &Cluster) -> String {
        format!("{:?}", c.port)
    }
    fn events(c: &Cluster) -> String {
        format!("{:?}", c.recent_events)
    }

    #[rustfmt::skip] // A row a line.
    let rows: Vec<Row> = vec![
        // Numbers.
        ("number_of_node", json!(3), nodes, "Some(3)"),
        ("number_of_node", json!("3"), nodes, "Some(3)"),
        ("number_of_node", json!(" 3 "), nodes, "Some(3)"),
        ("number_of_node", json!(3.0), nodes, "Some(3)"),
        ("number_of_node", json!("3.0"), nodes, "Some(3)"),
        ("number_of_node", json!(3.5), nodes, "None"),
        ("number_of_node", json!(null), nodes, "None"),
        ("number_of_node", json!(""), nodes, "None"),
        ("number_of_node", json!("three"), nodes, "None"),
        ("number_of_node", json!({}), nodes, "None"),
        ("number_of_node", json!([3]), nodes, "None"),
        ("number_of_node", json!(true), nodes, "None"),
        ("number_of_node", json!(4_294_967_299_u64), nodes, "None"),
        ("number_of_node", json!(u64::MAX), nodes, "None"),
        ("number_of_node", json!(1e300), nodes, "None"),
        ("port", json!("8000"), port, "Some(8000)"),
        ("recent_event", json!("6"), events, "Some(6)"),
        // Words of the service, unknown ones too.
        ("status", json!("POLICE_FROZEN"), status, "POLICE_FROZEN"),
        ("status", json!("CREATION FAILED"), status, "CREATION FAILED"),
        ("status", json!("明天"), status, "明天"),
        ("sub_status", json!("DEGRADED | UNBALANCED | READONLY"), sub, "Some(\"DEGRADED | UNBALANCED | READONLY\")"),
        ("sub_status", json!(""), sub, "None"),
        ("sub_status", json!(7), sub, "Some(\"7\")"),
        ("task_status", json!("GROWING"), task, "Some(\"GROWING\")"),
        ("task_status", json!("ORDER_PENDING"), task, "Some(\"ORDER_PENDING\")"),
        ("task_status", json!(null), task, "None"),
        ("task_status", json!(""), task, "None"),
        ("task_status", json!({}), task, "None"),
        ("task_status", json!([]), task, "None"),
        // Progress.
        ("action_progress", json!({"SNAPSHOTTING": "16%"}), progress, "{\"SNAPSHOTTING\": \"16%\"}"),
        ("action_progress", json!({"GROWING": 20}), progress, "{\"GROWING\": \"20\"}"),
        ("action_progress", json!({"GROWING": null}), progress, "{\"GROWING\": \"\"}"),
        ("action_progress", json!({"GROWING": {"a": 1}}), progress, "{\"GROWING\": \"\"}"),
        ("action_progress", json!(null), progress, "{}"),
        ("action_progress", json!({}), progress, "{}"),
        ("action_progress", json!(""), progress, "{}"),
        ("action_progress", json!([]), progress, "{}"),
        ("action_progress", json!([{"a": "b"}]), progress, "{}"),
        ("action_progress", json!(0), progress, "{}"),
        ("action_progress", json!(1.5), progress, "{}"),
        ("action_progress", json!(-1), progress, "{}"),
        ("action_progress", json!(false), progress, "{}"),
        // Tags.
        ("tags", json!([{"key": "k", "value": "v"}, {"value": "v2", "key": "k2"}]), tags, "k=Some(\"v\") k2=Some(\"v2\")"),
        ("tags", json!([{"key": "k", "value": ""}]), tags, "k=None"),
        ("tags", json!([{"key": "k"}]), tags, "k=None"),
        ("tags", json!([{"value": "v"}, null, 3, "x", []]), tags, ""),
        ("tags", json!({"key": "k", "value": "v"}), tags, "k=Some(\"v\")"),
        ("tags", json!(null), tags, ""),
        ("tags", json!([]), tags, ""),
        ("tags", json!({}), tags, ""),
        ("tags", json!(""), tags, ""),
        // Reasons.
        ("failed_reasons", json!(null), reasons, "none"),
        ("failed_reasons", json!({}), reasons, "none"),
        ("failed_reasons", json!(""), reasons, "none"),
        ("failed_reasons", json!([]), reasons, "none"),
        ("failed_reasons", json!({"error_code": "6000", "error_msg": "sold out"}), reasons, "Some(\"6000\") Some(\"sold out\")"),
        ("failed_reasons", json!({"error_code": 6000}), reasons, "Some(\"6000\") None"),
        ("failed_reasons", json!([{"error_code": "6000"}]), reasons, "Some(\"6000\") None"),
        ("failed_reasons", json!({"error_code": null, "error_msg": ""}), reasons, "none"),
        // Elastic IP.
        ("public_ip", json!({"public_bind_type": "auto_assign", "eip_id": "e"}), ip, "Some(\"auto_assign\") Some(\"e\") None"),
        ("public_ip", json!({"public_bind_type": "bind_existing", "eip_id": "e", "eip_address": "10.0.0.8"}), ip, "Some(\"bind_existing\") Some(\"e\") Some(\"10.0.0.8\")"),
        ("public_ip", json!({"public_bind_type": "not_use", "eip_id": ""}), ip, "Some(\"not_use\") None None"),
        ("public_ip", json!(null), ip, "none"),
        ("public_ip", json!({}), ip, "none"),
        ("public_ip", json!(""), ip, "none"),
        ("public_ip", json!(3), ip, "none"),
        // Maintenance.
        ("maintain_window", json!({"day": "Wed", "start_time": "22:00", "end_time": "02:00"}), window, "Some(\"Wed\")"),
        ("maintain_window", json!(null), window, "none"),
        ("maintain_window", json!({}), window, "none"),
        ("maintain_window", json!(""), window, "none"),
        // Resize.
        ("resize_info", json!({"target_node_num": "6", "origin_node_num": "3", "resize_status": "GROWING"}), resize, "Some(3) Some(6) Some(\"GROWING\")"),
        ("resize_info", json!({"target_node_num": 6, "origin_node_num": 3, "status": "GROWING"}), resize, "Some(3) Some(6) Some(\"GROWING\")"),
        ("resize_info", json!({"target_node_num": 6, "resize_status": "RESIZE_FAILURE", "status": "x"}), resize, "None Some(6) Some(\"RESIZE_FAILURE\")"),
        ("resize_info", json!(null), resize, "none"),
        ("resize_info", json!({}), resize, "none"),
        ("resize_info", json!(""), resize, "none"),
        // Addresses.
        ("endpoints", json!([{"connect_info": "192.168.0.10:8000", "jdbc_url": "jdbc:postgresql://192.168.0.10:8000/x"}]), ends, "Some(\"192.168.0.10:8000\") Some(\"jdbc:postgresql://192.168.0.10:8000/x\")"),
        ("endpoints", json!([{"connect_info": "x.dws.otc.example.com", "jdbc_url": "jdbc:postgresql://x.dws.otc.example.com:8000/x"}]), ends, "Some(\"x.dws.otc.example.com\") Some(\"jdbc:postgresql://x.dws.otc.example.com:8000/x\")"),
        ("public_endpoints", json!([{"public_connect_info": "10.0.0.8:8000"}]), ends, "Some(\"10.0.0.8:8000\") None"),
        ("public_endpoints", json!({"public_connect_info": "10.0.0.8:8000"}), ends, "Some(\"10.0.0.8:8000\") None"),
        ("public_endpoints", json!([{}]), ends, ""),
        ("public_endpoints", json!(null), ends, ""),
        ("public_endpoints", json!(""), ends, ""),
        ("endpoints", json!([null, 1, {"connect_info": "h:1"}]), ends, "Some(\"h:1\") None"),
        ("private_ip", json!(["192.168.0.12", "192.168.0.66"]), private, "192.168.0.12 192.168.0.66"),
        ("private_ip", json!("192.168.0.12"), private, "192.168.0.12"),
        ("private_ip", json!(null), private, ""),
        ("private_ip", json!([]), private, ""),
        ("private_ip", json!([null, ""]), private, ""),
        // Times.
        ("created", json!("2016-02-10T14:26:14Z"), created, "2016-02-10T14:26:14Z"),
        ("created", json!("2018-01-15T12:50:06"), created, "2018-01-15T12:50:06Z"),
        ("created", json!("2018-01-15T12:50:06.250"), created, "2018-01-15T12:50:06.25Z"),
        ("created", json!("2018-01-15T12:50:06.250Z"), created, "2018-01-15T12:50:06.25Z"),
        ("created", json!("soon"), created, "none"),
        ("created", json!(null), created, "none"),
        // Parameter group.
        ("parameter_group", json!({"id": "p", "name": "d", "status": "In-Sync"}), group, "Some(\"In-Sync\")"),
        ("parameter_group", json!(null), group, "none"),
        ("parameter_group", json!({}), group, "none"),
        // What is not in the reference.
        ("nodes", json!([{"id": "n", "status": "200"}]), status, "AVAILABLE"),
        ("plugins", json!({"a": [1, 2, {"b": null}]}), status, "AVAILABLE"),
        ("elb", json!(null), status, "AVAILABLE"),
    ];
    for (field, value, show, expected) in &rows {
        assert_eq!(show(&with(field, value)), *expected, "{field}: {value}");
    }
    crate::dws::figures::figure("dws-client", &format!("{} decoder rows", rows.len()));
    assert!(rows.len() >= 90, "{}", rows.len());
}
