//! When a resource is at rest: as it should be, in the hands of a person, or waiting for something that it
//! names and that is not there.

use serde_json::Value;

use super::api_server::{CLUSTERS, SNAPSHOTS};
use super::checks::{is_for_a_person, is_passing, is_ready, reason};
use super::scenarios::resources;
use super::sim::Sim;

/// Everything is.
pub fn all_at_rest(sim: &Sim) -> bool {
    resources(sim).iter().all(|object| at_rest(object, sim))
}

/// As it should be, or in the hands of a person, or waiting for something that it names.
pub fn at_rest(object: &Value, sim: &Sim) -> bool {
    let going = !object["metadata"]["deletionTimestamp"].is_null();
    if going {
        return reason(object, "Ready", "False").is_some_and(|reason| reason == "DeletionBlocked");
    }
    if object["status"]["observedGeneration"] != object["metadata"]["generation"] {
        return false;
    }
    let settled = is_ready(object) && !is_passing(object);
    settled || is_for_a_person(object) || waits(object, sim)
}

/// It waits for an object that is not there or will not do.
fn waits(object: &Value, sim: &Sim) -> bool {
    let Some(reason) = reason(object, "Reconciling", "True") else {
        return false;
    };
    let snapshot = &object["spec"]["restoreFrom"]["snapshotRef"]["name"];
    let cluster = &object["spec"]["clusterRef"]["name"];
    let missing = |folder: &str, name: &Value| {
        let found = sim
            .kubernetes
            .get(&format!("{folder}/{}", name.as_str().unwrap_or_default()));
        found.is_none_or(|found| {
            !is_ready(&found) || !found["metadata"]["deletionTimestamp"].is_null()
        })
    };
    match reason.as_str() {
        "WaitingForReference" => {
            missing(SNAPSHOTS, snapshot)
                || missing(CLUSTERS, cluster) && !cluster.is_null()
                || !object["spec"]["adminPasswordSecretRef"].is_null()
        }
        "WaitingForCluster" => missing(CLUSTERS, cluster),
        _ => false,
    }
}
