//! What clusters, snapshots and flavours look like in JSON (reference 5.1.2-5.1.4, 5.2.2, 5.2.3), oddities included.
//!
//! It knows fields and the world's states. It must not change anything.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::oddities::{Count, Empty, NoFailure, Oddities, Timestamps};
use super::settings::{NodeType, Settings};
use super::world::{Cluster, Snapshot, SnapshotState, State};

const VERSION: &str = "8.1.3";

/// A cluster as of `at`, in the list's shape or, with more, in the detail's.
pub(super) fn cluster(
    cluster: &Cluster,
    state: &State,
    at: Timestamp,
    detail: bool,
    oddities: &Oddities,
    settings: &Settings,
) -> Value {
    let mut out = Fields {
        map: Map::new(),
        oddities,
    };
    out.put("id", json!(cluster.id));
    out.put("status", json!(status(state, oddities)));
    out.maybe(
        "sub_status",
        sub_status(state, oddities).map(Value::from),
        json!(""),
    );
    out.maybe(
        "task_status",
        state.task_status.clone().map(Value::from),
        json!(""),
    );
    let progress = state
        .progress
        .as_ref()
        .map(|progress| json!({&progress.key: progress.value(at)}));
    match progress {
        None if oddities.idle_progress_object => out.put("action_progress", json!({})),
        progress => out.maybe("action_progress", progress, json!({})),
    }
    out.put("node_type", json!(state.node_type));
    out.put("subnet_id", json!(state.network.subnet_id));
    out.put("security_group_id", json!(state.network.security_group_id));
    out.put("number_of_node", json!(state.node_count));
    out.put("availability_zone", json!(state.network.availability_zone));
    out.put("port", json!(state.port));
    out.put("name", json!(state.name));
    out.put("version", json!(VERSION));
    out.put("vpc_id", json!(state.network.vpc_id));
    out.put("user_name", json!(state.user_name));
    out.maybe("public_ip", public_ip(state, oddities), json!({}));
    out.put("public_endpoints", public_endpoints(state));
    out.put("endpoints", endpoints(cluster, state, oddities, settings));
    out.put("updated", time(state.updated, oddities));
    out.put("created", time(cluster.created, oddities));
    out.put("recent_event", json!(state.recent_events));
    out.maybe("tags", None, json!([]));
    failed_reasons(&mut out, state);
    if detail {
        details(&mut out, cluster, state, settings);
    }
    if oddities.extra_fields {
        extras(&mut out, cluster, state, settings);
    }
    if oddities.unknown_fields {
        out.put("quantum_lanes", json!([{"lane": 1, "phase": null}]));
    }
    Value::Object(out.map)
}

/// A list answer: items already written, and their count.
pub(super) fn list(key: &str, mut items: Vec<String>, oddities: &Oddities) -> String {
    let count = items.len();
    if oddities.count == Count::OneMissing {
        items.pop();
    }
    let count = match oddities.count {
        Count::Number | Count::OneMissing => format!(",\"count\":{count}"),
        Count::Text => format!(",\"count\":\"{count}\""),
        Count::Absent => String::new(),
        Count::OneMore => format!(",\"count\":{}", count + 1),
    };
    let unknown = if oddities.unknown_fields {
        ",\"next_epoch\":{\"marker\":null}"
    } else {
        ""
    };
    let length: usize = items.iter().map(|item| item.len() + 1).sum();
    let mut out = String::with_capacity(length + 64);
    out.push_str("{\"");
    out.push_str(key);
    out.push_str("\":[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(item);
    }
    out.push(']');
    out.push_str(&count);
    out.push_str(unknown);
    out.push('}');
    out
}

/// A snapshot, in list and detail alike.
pub(super) fn snapshot(snapshot: &Snapshot, state: &SnapshotState, oddities: &Oddities) -> Value {
    let mut out = Fields {
        map: Map::new(),
        oddities,
    };
    out.put("id", json!(snapshot.id));
    out.put("name", json!(snapshot.name));
    out.put("description", json!(snapshot.description));
    out.put("started", time(snapshot.started, oddities));
    out.maybe(
        "finished",
        state.finished.map(|at| time(at, oddities)),
        json!(""),
    );
    out.put(
        "size",
        if state.size.fract() == 0.0 {
            json!(whole(state.size))
        } else {
            json!(state.size)
        },
    );
    out.put("status", json!(state.status));
    let automated = if oddities.newer_words {
        "AUTO"
    } else {
        "AUTOMATED"
    };
    out.put(
        "type",
        json!(if snapshot.automated {
            automated
        } else {
            "MANUAL"
        }),
    );
    out.put("cluster_id", json!(snapshot.cluster_id));
    if oddities.unknown_fields {
        out.put("holographic", json!(true));
    }
    Value::Object(out.map)
}

/// All flavours (5.1.4).
pub(super) fn node_types(types: &[NodeType]) -> Value {
    let types: Vec<Value> = types
        .iter()
        .map(|flavour| {
            json!({
                "spec_name": flavour.spec_name,
                "id": flavour.id,
                "detail": [
                    {"type": "vCPU", "value": flavour.cpus.to_string()},
                    {"value": flavour.disk.to_string(), "type": flavour.disk_type, "unit": "GB"},
                    {"type": "mem", "value": flavour.memory.to_string(), "unit": "GB"},
                ],
            })
        })
        .collect();
    json!({"node_types": types})
}

struct Fields<'a> {
    map: Map<String, Value>,
    oddities: &'a Oddities,
}

impl Fields<'_> {
    fn put(&mut self, key: &str, value: Value) {
        self.map.insert(key.to_owned(), value);
    }

    /// A field that may be without value.
    fn maybe(&mut self, key: &str, value: Option<Value>, empty: Value) {
        match (value, self.oddities.empty) {
            (Some(value), _) => self.put(key, value),
            (None, Empty::Null) => self.put(key, Value::Null),
            (None, Empty::Absent) => {}
            (None, Empty::Empty) => self.put(key, empty),
        }
    }
}

fn status<'a>(state: &'a State, oddities: &Oddities) -> &'a str {
    match state.status.as_str() {
        "AVAILABLE" if oddities.newer_words => "ACTIVE",
        "CREATION FAILED" if oddities.newer_words => "CREATE_FAILED",
        word => word,
    }
}

fn sub_status(state: &State, oddities: &Oddities) -> Option<String> {
    match &state.sub_status {
        Some(word) if word == "NORMAL" && oddities.unknown_words => Some("SUPERPOSED".to_owned()),
        word => word.clone(),
    }
}

fn public_ip(state: &State, oddities: &Oddities) -> Option<Value> {
    state.public_ip.as_ref().map(|ip| {
        let mut value = json!({
            "public_bind_type": ip.bind_type,
            "eip_id": ip.eip_id.clone().unwrap_or_default(),
        });
        if oddities.extra_fields {
            value["eip_address"] = json!(ip.address);
        }
        value
    })
}

fn has_endpoints(state: &State) -> bool {
    !matches!(
        state.status.as_str(),
        "CREATING" | "CREATION FAILED" | "DELETED"
    )
}

fn public_endpoints(state: &State) -> Value {
    let address = state.public_ip.as_ref().and_then(|ip| ip.address.as_ref());
    match address.filter(|_| has_endpoints(state)) {
        Some(address) => json!([{
            "public_connect_info": format!("{address}:{}", state.port),
            "jdbc_url": jdbc_url(address, state.port),
        }]),
        None => json!([]),
    }
}

fn endpoints(cluster: &Cluster, state: &State, oddities: &Oddities, settings: &Settings) -> Value {
    if !has_endpoints(state) {
        return json!([]);
    }
    if oddities.bare_host {
        let name = state.name.to_ascii_lowercase();
        let host = format!("{name}.dws.{}.example.com", settings.region);
        return json!([{"connect_info": host, "jdbc_url": jdbc_url(&host, state.port)}]);
    }
    let host = address(cluster, 0);
    json!([{
        "connect_info": format!("{host}:{}", state.port),
        "jdbc_url": jdbc_url(&host, state.port),
    }])
}

fn jdbc_url(host: &str, port: u16) -> String {
    format!("jdbc:postgresql://{host}:{port}/<YOUR_DATABASE_name>")
}

/// The private address of a cluster's n-th coordinator, from the cluster's own number.
fn address(cluster: &Cluster, n: u64) -> String {
    let number = cluster.serial * 4 + n;
    format!(
        "10.{}.{}.{}",
        (number >> 14) & 255,
        (number >> 7) & 127,
        2 + (number & 127)
    )
}

fn failed_reasons(out: &mut Fields<'_>, state: &State) {
    let value = state
        .failure
        .as_ref()
        .map(|failure| json!({"error_code": failure.code, "error_msg": failure.message}));
    match (value, out.oddities.no_failure) {
        (None, NoFailure::Object) => out.put("failed_reasons", json!({})),
        (None, NoFailure::Nulls) => {
            out.put(
                "failed_reasons",
                json!({"error_code": null, "error_msg": null}),
            );
        }
        (value, _) => out.maybe("failed_reasons", value, json!({})),
    }
}

fn details(out: &mut Fields<'_>, cluster: &Cluster, state: &State, settings: &Settings) {
    let addresses: Vec<String> = if has_endpoints(state) {
        (0..u64::from(state.coordinator_count.min(4)))
            .map(|n| address(cluster, n))
            .collect()
    } else {
        Vec::new()
    };
    out.put("private_ip", json!(addresses));
    let window = json!({"day": "Wed", "start_time": "22:00", "end_time": "02:00"});
    out.maybe(
        "maintain_window",
        has_endpoints(state).then_some(window),
        json!({}),
    );
    let oddities = out.oddities;
    let resize = state.resize.as_ref().map(|resize| {
        let number = |count: u32| {
            if oddities.resize_numbers {
                json!(count)
            } else {
                json!(count.to_string())
            }
        };
        let key = if oddities.resize_status_short {
            "status"
        } else {
            "resize_status"
        };
        json!({
            "target_node_num": number(resize.target),
            "origin_node_num": number(resize.origin),
            key: resize.status,
            "start_time": time(resize.started, oddities),
        })
    });
    out.maybe("resize_info", resize, json!({}));
    let group = json!({
        "id": "157e9cc4-64a8-11e8-adc0-fa7ae01bbebc",
        "name": "Default-Parameter-Group-dws",
        "status": "In-Sync",
    });
    out.maybe(
        "parameter_group",
        has_endpoints(state).then_some(group),
        json!({}),
    );
    out.put("node_type_id", json!(node_type_id(state, settings)));
}

fn node_type_id<'a>(state: &State, settings: &'a Settings) -> Option<&'a str> {
    let known = settings
        .node_types
        .iter()
        .find(|known| known.spec_name == state.node_type);
    known.map(|known| known.id.as_str())
}

/// What today's service says beyond the reference.
fn extras(out: &mut Fields<'_>, cluster: &Cluster, state: &State, settings: &Settings) {
    let nodes: Vec<Value> = (0..state.node_count.min(3))
        .map(|n| json!({"id": format!("{}-{n}", cluster.id), "status": "200"}))
        .collect();
    out.put("enterprise_project_id", json!(state.enterprise_project_id));
    out.put("nodes", json!(nodes));
    out.put("node_type_id", json!(node_type_id(state, settings)));
    out.put("elb", Value::Null);
    out.put("datastore_type", json!("dws"));
    out.put("cluster_description_info", json!(""));
    out.put("spec_version", json!("v1.0"));
    out.put("guest_agent_version", json!("8.2.0.100"));
    out.put("plugins", json!([]));
    out.put("number_of_free_node", json!(0));
    out.put("use_logical_cluster", json!(false));
}

fn time(at: Timestamp, oddities: &Oddities) -> Value {
    let text = match oddities.timestamps {
        Timestamps::Zulu => at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        Timestamps::NoZone => at.strftime("%Y-%m-%dT%H:%M:%S"),
        Timestamps::Fraction => at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"),
        Timestamps::FractionNoZone => at.strftime("%Y-%m-%dT%H:%M:%S.%3f"),
    };
    Value::from(text.to_string())
}

/// Whole gigabytes are written without a fraction.
#[expect(clippy::cast_possible_truncation, reason = "sizes are a few thousand")]
fn whole(size: f64) -> i64 {
    size as i64
}

/// The `Date` header: the service's clock.
pub(super) fn http_date(at: Timestamp) -> String {
    // Never ahead of itself: fractions are cut off, not rounded.
    (at - Duration::from_nanos(u64::from(at.subsec_nanosecond().unsigned_abs())))
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}
