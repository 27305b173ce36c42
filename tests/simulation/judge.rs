//! Looks at every effect at the moment when it is carried out: whether it was allowed then (I5).
//!
//! It knows the ledger and what is stored, and nothing of how the operator came to it.

use dws_operator::simulator::{By, Effect, EffectKind, Service};
use jiff::Timestamp;
use serde_json::Value;

use super::api_server::{ApiServer, CLUSTERS, SNAPSHOTS};

/// How old a final snapshot may be when its cluster is deleted: an hour when the call could go out, and
/// what a lost answer may add to that.
const OLDEST: i64 = 3600 + 20 * 60;

/// How far the ledger was looked at, and what was wrong in it.
#[derive(Default)]
pub struct Judge {
    looked: usize,
    /// Clusters that never came up: they need no final snapshot.
    failed: Vec<String>,
    pub wrong: Vec<String>,
}

impl Judge {
    /// Looks at what is new.
    pub fn look(&mut self, service: &Service, kubernetes: &ApiServer) {
        for cluster in service.world().clusters() {
            if cluster.state().status == "CREATION FAILED" && !self.failed.contains(&cluster.id) {
                self.failed.push(cluster.id.clone());
            }
        }
        let ledger = service.ledger();
        let (from, to) = (self.looked.min(ledger.len()), ledger.len());
        self.looked = to;
        for effect in ledger[from..to].iter().filter(|effect| asked(effect)) {
            let wrong = match &effect.kind {
                EffectKind::DeleteCluster { .. } => self.deleted(effect, service, kubernetes),
                EffectKind::DeleteSnapshot { cluster_id, along } if !along => {
                    snapshot_deleted(effect, cluster_id, service, kubernetes)
                }
                _ => None,
            };
            self.wrong.extend(wrong.map(|what| format!("I5: {what}")));
        }
    }

    fn deleted(
        &self,
        effect: &Effect,
        service: &Service,
        kubernetes: &ApiServer,
    ) -> Option<String> {
        // A person may think better of it while the call is on its way: what counts is what was asked for when its
        // intent was stored.
        let Some(owner) = at_intent(kubernetes, &effect.id) else {
            return Some(format!("{} is nobody's", effect.id));
        };
        if owner["metadata"]["deletionTimestamp"].is_null() {
            return Some("the resource is not being deleted".to_owned());
        }
        let adopted = owner["status"]["adopted"] == true;
        let usual = if adopted { "Retain" } else { "Snapshot" };
        let policy = owner["spec"]["deletionPolicy"].as_str().unwrap_or(usual);
        if policy == "Retain" || owner["spec"]["managementPolicy"] == "ObserveOnly" {
            return Some(format!("the policy is {policy}"));
        }
        if owner["spec"]["deletionProtection"] == true {
            return Some("the resource is protected".to_owned());
        }
        if policy == "Delete" || self.failed.contains(&effect.id) {
            return None;
        }
        let has = service.world().snapshots().any(|snapshot| {
            snapshot.name.contains("-final-")
                && snapshot.cluster_id == effect.id
                && snapshot.state().status == "AVAILABLE"
                && effect.at.as_second() - snapshot.started.as_second() < OLDEST
        });
        (!has).then(|| "there is no final snapshot that is AVAILABLE and fresh".to_owned())
    }
}

/// A snapshot goes with its resource, or was a final one that failed.
fn snapshot_deleted(
    effect: &Effect,
    cluster: &str,
    service: &Service,
    kubernetes: &ApiServer,
) -> Option<String> {
    let restored = service.world().clusters().any(|one| {
        let from = |made: &&Effect| {
            made.id == one.id
                && matches!(&made.kind, EffectKind::Restore { snapshot_id, .. } if *snapshot_id == effect.id)
        };
        one.state().status == "CREATING" && service.ledger().iter().any(|made| from(&made))
    });
    if restored {
        return Some(format!(
            "a restore from snapshot {} is running",
            effect.name
        ));
    }
    if let Some(owner) = holder(kubernetes, SNAPSHOTS, "snapshotId", &effect.id) {
        let adopted = owner["status"]["adopted"] == true;
        let usual = if adopted { "Retain" } else { "Delete" };
        let policy = owner["spec"]["deletionPolicy"].as_str().unwrap_or(usual);
        let going = !owner["metadata"]["deletionTimestamp"].is_null();
        return (!going || policy == "Retain").then(|| {
            format!(
                "snapshot {} is kept by its resource (deleted: {going}, policy {policy})",
                effect.name
            )
        });
    }
    let dying = holder(kubernetes, CLUSTERS, "clusterId", cluster)
        .is_some_and(|owner| !owner["metadata"]["deletionTimestamp"].is_null());
    let is_final = dying && effect.name.contains("-final-");
    (!is_final).then(|| format!("snapshot {} is nobody's", effect.name))
}

fn asked(effect: &Effect) -> bool {
    matches!(effect.by, By::Request { .. })
}

/// The resource that holds this id, as it was when the latest intent to delete its cluster was stored.
fn at_intent(kubernetes: &ApiServer, id: &str) -> Option<Value> {
    let state = kubernetes.state.lock();
    let mut latest: Option<&Value> = None;
    for object in state.log.iter().filter_map(|change| change.object.as_ref()) {
        let operation = &object["status"]["operation"];
        let same = |former: &&Value| {
            let former = &former["status"]["operation"];
            former["id"] == operation["id"] && former["attempt"] == operation["attempt"]
        };
        let intends = object["status"]["clusterId"] == *id && operation["kind"] == "Delete";
        // Whoever edits it afterwards stores the intent along.
        if intends && !latest.is_some_and(|former| same(&former)) {
            latest = Some(object);
        }
    }
    latest.cloned()
}

/// The resource whose status holds this id.
fn holder(kubernetes: &ApiServer, folder: &str, field: &str, id: &str) -> Option<Value> {
    let state = kubernetes.state.lock();
    let mut all = state.objects.iter();
    all.find(|(path, object)| path.starts_with(folder) && object["status"][field] == *id)
        .map(|(_, object)| object.clone())
}

/// In whole seconds, as the API writes times.
pub fn seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap().to_string()
}
