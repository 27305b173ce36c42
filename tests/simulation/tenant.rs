//! What a person does with `kubectl`, and the book of what was asked for by it.
//!
//! The invariants are asked against this book: nothing may be done that does not stand in it.

use std::collections::BTreeMap;

use dws_operator::dws::clock::Clock;
use serde_json::{Value, json};

use super::api_server::{CLUSTERS, SECRETS, SNAPSHOTS};
use super::checks::is_synced;
use super::judge::seconds;
use super::sim::Sim;

const PREFIX: &str = "dws.huaweicloud.com";

/// What was asked for.
#[derive(Default)]
pub struct Book {
    /// By the name of the resource. A name is used once.
    pub clusters: BTreeMap<String, Asked>,
    /// Snapshot names by the name of the resource.
    pub snapshots: BTreeMap<String, String>,
    serial: u64,
}

/// What was asked of one `DwsCluster`.
#[derive(Default)]
pub struct Asked {
    pub cluster_name: String,
    /// The highest node count that was ever written.
    pub nodes: i64,
    /// Requests to restart.
    pub restarts: i64,
    /// The cluster may stay when the resource goes.
    pub may_stay: bool,
    /// The connection Secret may go before its time: the resource was deleted in the foreground, and nothing had
    /// said by then that the cluster is to stay.
    pub secret_may_go: bool,
}

/// A `DwsCluster` of three nodes or as many as `more` says.
pub fn put_cluster(sim: &mut Sim, name: &str, cluster_name: &str, more: &Value) {
    let mut spec = json!({
        "clusterName": cluster_name, "nodeType": "dws.d1.xlarge", "nodeCount": 3,
        "network": {
            "vpcId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574",
            "subnetId": "374eca02-cfc4-4de7-8ab5-dbebf7d9a720",
            "securityGroupId": "dc3ec145-9029-4b39-b5a3-ace5a01f772b",
        },
    });
    json_patch::merge(&mut spec, more);
    put_spec(sim, name, &spec);
}

/// A `DwsCluster` with exactly this spec.
pub fn put_spec(sim: &mut Sim, name: &str, spec: &Value) {
    let asked = Asked {
        cluster_name: spec["clusterName"].as_str().unwrap_or(name).to_owned(),
        nodes: spec["nodeCount"].as_i64().unwrap_or(0),
        restarts: 0,
        may_stay: spec["deletionPolicy"] == "Retain",
        secret_may_go: false,
    };
    sim.book.clusters.insert(name.to_owned(), asked);
    let object = object(sim, "DwsCluster", name, spec);
    sim.kubernetes.put(&format!("{CLUSTERS}/{name}"), object);
}

/// A `DwsSnapshot` of a `DwsCluster`.
pub fn put_snapshot(sim: &mut Sim, name: &str, cluster: &str) {
    let spec = json!({"clusterRef": {"name": cluster}, "snapshotName": name});
    sim.book.snapshots.insert(name.to_owned(), name.to_owned());
    let object = object(sim, "DwsSnapshot", name, &spec);
    sim.kubernetes.put(&format!("{SNAPSHOTS}/{name}"), object);
}

/// A Secret with a password, or another content for it.
pub fn put_password(sim: &Sim, name: &str, password: &str) {
    let path = format!("{SECRETS}/{name}");
    let object = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": name, "namespace": "team", "uid": format!("uid-of-{name}")},
        "data": {"password": base64(password)},
    });
    if sim.kubernetes.get(&path).is_some() {
        sim.kubernetes
            .edit(&path, |secret| secret["data"] = object["data"].clone());
    } else {
        sim.kubernetes.put(&path, object);
    }
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Edits a `DwsCluster` as `kubectl edit` does. Nothing happens where it is gone.
pub fn edit(sim: &mut Sim, name: &str, edit: impl FnOnce(&mut Value)) {
    let path = format!("{CLUSTERS}/{name}");
    if sim.kubernetes.get(&path).is_none() {
        return;
    }
    sim.kubernetes.edit(&path, edit);
    let Some(object) = sim.kubernetes.get(&path) else {
        return;
    };
    if let Some(asked) = sim.book.clusters.get_mut(name) {
        asked.nodes = asked
            .nodes
            .max(object["spec"]["nodeCount"].as_i64().unwrap_or(0));
        asked.may_stay |= object["spec"]["deletionPolicy"] == "Retain";
    }
}

/// Asks for another node count.
pub fn resize(sim: &mut Sim, name: &str, nodes: i64) {
    edit(sim, name, |wh| wh["spec"]["nodeCount"] = json!(nodes));
}

/// Asks for a restart now.
pub fn restart(sim: &mut Sim, name: &str) {
    annotate(sim, name, "restart-requested-at");
    if let Some(asked) = sim.book.clusters.get_mut(name) {
        asked.restarts += 1;
    }
}

/// Asks for another generated password now.
pub fn rotate(sim: &mut Sim, name: &str) {
    annotate(sim, name, "rotate-password-requested-at");
}

/// Writes the present time into an annotation.
pub fn annotate(sim: &mut Sim, name: &str, annotation: &str) {
    let now = seconds(sim.clock.now());
    set_annotation(sim, name, annotation, Some(&now));
}

/// Writes an annotation, or removes it.
pub fn set_annotation(sim: &mut Sim, name: &str, annotation: &str, value: Option<&str>) {
    let key = format!("{PREFIX}/{annotation}");
    edit(sim, name, |wh| {
        if wh["metadata"]["annotations"].is_null() {
            wh["metadata"]["annotations"] = json!({});
        }
        let annotations = wh["metadata"]["annotations"].as_object_mut().unwrap();
        match value {
            Some(value) => drop(annotations.insert(key, json!(value))),
            None => drop(annotations.remove(&key)),
        }
    });
}

/// `kubectl delete` of an object that may be gone or going.
pub fn delete(sim: &Sim, path: &str) {
    if is_there(sim, path) {
        sim.kubernetes.delete(path, sim.clock.now(), false);
    }
}

/// `kubectl delete --cascade=foreground` of a `DwsCluster` that may be gone or going.
pub fn delete_in_the_foreground(sim: &mut Sim, name: &str) {
    let path = format!("{CLUSTERS}/{name}");
    if !is_there(sim, &path) {
        return;
    }
    let object = sim.kubernetes.get(&path).unwrap_or_default();
    let status = &object["status"];
    // The operator has seen that manifest, and has done all that it asks for.
    let settled = status["observedGeneration"] == object["metadata"]["generation"]
        && status["operation"].is_null()
        && is_synced(&object);
    let keeps = object["spec"]["deletionPolicy"] == "Retain" && settled;
    if let Some(asked) = sim.book.clusters.get_mut(name) {
        asked.secret_may_go = !keeps;
    }
    sim.kubernetes.delete(&path, sim.clock.now(), true);
}

fn is_there(sim: &Sim, path: &str) -> bool {
    let object = sim.kubernetes.get(path);
    object.is_some_and(|object| object["metadata"]["deletionTimestamp"].is_null())
}

fn object(sim: &mut Sim, kind: &str, name: &str, spec: &Value) -> Value {
    sim.book.serial += 1;
    json!({
        "apiVersion": format!("{PREFIX}/v1alpha1"), "kind": kind,
        "metadata": {
            "name": name, "namespace": "team", "uid": format!("uid-{}-of-{name}", sim.book.serial),
            "generation": 1, "creationTimestamp": seconds(sim.clock.now()),
        },
        "spec": spec,
    })
}
