//! The invariants, asked of the far side: the ledger, the world, and what is stored.
//!
//! | | what holds | where it is asked | a variant that breaks it |
//! |---|---|---|---|
//! | I1 | a resource makes at most one cluster, or takes one snapshot | at the end | none: the service refuses a name that is taken |
//! | I2 | no more nodes are added than were asked for | at the end | a resize that is repeated |
//! | I3 | no more restarts than were asked for | at the end | one that is not marked as handled |
//! | I4 | a password of the connection Secret logs in, that of a cluster that was kept too | always | one not kept before the call; an owned Secret |
//! | I5 | what is deleted may be, and has its final snapshot | when it is done (`judge`) | a final snapshot that failed |
//! | I6 | no resource goes, or forgets its id, while its cluster stays unasked | always, at the end | a deletion that is only claimed |
//! | I7 | all comes to rest and stays there | by whoever runs a schedule (`rest`) | an intent that is not kept |
//! | I8 | no password stands anywhere but in Secrets | at the end, in all that was ever stored | a status that tells one |

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dws_operator::simulator::{By, Effect, EffectKind, Service};
use serde_json::Value;

use super::api_server::{CLUSTERS, SECRETS};
use super::sim::Sim;

/// The keys of the connection Secret of which one must log in.
const PASSWORDS: [&str; 3] = ["password", "pending-password", "previous-password"];

/// What holds at every moment: I4 and I6.
pub fn always(sim: &mut Sim) {
    let service = sim.cloud.service.lock();
    let mut wrong = Vec::new();
    for (name, asked) in &sim.book.clusters {
        let there = service
            .world()
            .clusters()
            .find(|cluster| cluster.state().name == asked.cluster_name);
        let Some(cluster) = there else { continue };
        let status = cluster.state().status.as_str();
        if sim.kubernetes.get(&format!("{CLUSTERS}/{name}")).is_none() {
            // Some services stop showing what they are deleting, and say that it is not there.
            let hidden =
                service.oddities().deleting_hidden && status == "DELETING" || status == "DELETED";
            if !made_by_request(&service, &cluster.id) {
                continue;
            }
            if !asked.may_stay && !hidden {
                wrong.push(format!("I6: {name} is gone and its cluster is {status}"));
            }
            let is_up = status == "AVAILABLE" && has_password(&service, &cluster.id);
            if is_up && asked.may_stay && !asked.secret_may_go {
                wrong.extend(locked_out(sim, &service, name, &cluster.id));
            }
            continue;
        }
        if asked.secret_may_go {
            continue;
        }
        let down = ["CREATING", "CREATION FAILED", "DELETING", "DELETED"];
        if down.contains(&status) || !made_by_request(&service, &cluster.id) {
            continue;
        }
        if has_password(&service, &cluster.id) {
            wrong.extend(locked_out(sim, &service, name, &cluster.id));
        }
    }
    drop(service);
    for what in wrong {
        if !sim.wrong.contains(&what) {
            if sim.wrong.is_empty() && std::env::var_os("TRACE").is_some() {
                println!("{what}\n{}", trace(sim, 60));
            }
            sim.wrong.push(what);
        }
    }
}

/// What led to this: the ledger, and the latest changes of all objects, in short.
pub fn trace(sim: &Sim, changes: usize) -> String {
    let mut lines = Vec::new();
    for effect in sim.cloud.service.lock().ledger() {
        lines.push(format!(
            "{} {:?} {} {}",
            effect.at, effect.kind, effect.name, effect.id
        ));
    }
    let state = sim.kubernetes.state.lock();
    for change in state.log.iter().rev().take(changes).rev() {
        let object = change.object.clone().unwrap_or_default();
        let keys = |part: &str| {
            let data = object[part].as_object();
            data.map(|data| data.keys().cloned().collect::<Vec<_>>().join(","))
        };
        let operation = &object["status"]["operation"];
        lines.push(format!(
            "{} {} by {} op {} {} {} {} data {:?}",
            object["metadata"]["resourceVersion"],
            change.path.rsplit('/').next().unwrap_or_default(),
            change.by,
            operation["kind"],
            operation["phase"],
            operation["attempt"],
            super::checks::reason(&object, "Synced", "False").unwrap_or_default(),
            keys("data"),
        ));
        let (spec, status) = (&object["spec"]["nodeCount"], &object["status"]);
        if !spec.is_null() {
            let target = &operation["target"]["nodeCount"];
            let (seen, settled) = (&status["nodeCount"], &status["settledNodeCount"]);
            lines.push(format!(
                "    nodes: spec {spec} target {target} seen {seen} settled {settled}"
            ));
        }
    }
    lines.join("\n")
}

fn made_by_request(service: &Service, id: &str) -> bool {
    service.ledger().iter().any(|effect| {
        let made = matches!(
            effect.kind,
            EffectKind::Create { .. } | EffectKind::Restore { .. }
        );
        made && effect.id == id && asked(effect)
    })
}

/// The operator asked for it.
fn asked(effect: &Effect) -> bool {
    matches!(effect.by, By::Request { .. })
}

/// Its password is one of ours: a restored cluster has that of its source until the first reset.
fn has_password(service: &Service, id: &str) -> bool {
    service.ledger().iter().any(|effect| {
        let sets = matches!(
            effect.kind,
            EffectKind::Create { .. } | EffectKind::ResetPassword { .. }
        );
        sets && effect.id == id
    })
}

/// I4: what the connection Secret holds does not open the cluster.
fn locked_out(sim: &Sim, service: &Service, name: &str, id: &str) -> Option<String> {
    let known = passwords(sim, name);
    let opens = |one: &String| service.world().logs_in(id, "dbadmin", one);
    (!known.iter().any(opens))
        .then(|| format!("I4: none of {} passwords logs in to {name}", known.len()))
}

fn passwords(sim: &Sim, name: &str) -> Vec<String> {
    let secret = sim.kubernetes.get(&format!("{SECRETS}/{name}-connection"));
    held(&secret.unwrap_or_default())
}

fn held(secret: &Value) -> Vec<String> {
    PASSWORDS
        .iter()
        .filter_map(|key| secret["data"][key].as_str())
        .map(|value| String::from_utf8(STANDARD.decode(value).unwrap()).unwrap())
        .collect()
}

/// What holds at the end: I1, I2, I3, I5, I6 and I8; I7 is the caller's.
pub fn at_end(sim: &Sim) -> Vec<String> {
    let mut wrong = sim.wrong.clone();
    wrong.extend(sim.cloud.judge.lock().wrong.iter().cloned());
    let service = sim.cloud.service.lock();
    let ledger: Vec<&Effect> = service.ledger().iter().filter(|e| asked(e)).collect();
    for (name, one) in &sim.book.clusters {
        let made: Vec<(&str, i64)> = ledger
            .iter()
            .filter(|effect| effect.name == one.cluster_name)
            .filter_map(|effect| match &effect.kind {
                EffectKind::Create { nodes } | EffectKind::Restore { nodes, .. } => {
                    Some((effect.id.as_str(), i64::from(*nodes)))
                }
                _ => None,
            })
            .collect();
        limit(
            &mut wrong,
            &format!("I1: {name}, creates or restores"),
            made.len(),
            1,
        );
        let Some((id, nodes)) = made.first() else {
            continue;
        };
        let of_it = || ledger.iter().filter(|effect| effect.id == *id);
        let added: i64 = of_it()
            .map(|effect| match effect.kind {
                EffectKind::Resize { added, .. } => added,
                _ => 0,
            })
            .sum();
        limit(
            &mut wrong,
            &format!("I2: {name}, nodes added"),
            added,
            (one.nodes - nodes).max(0),
        );
        let restarts = of_it()
            .filter(|effect| effect.kind == EffectKind::Restart)
            .count();
        let restarts = i64::try_from(restarts).unwrap();
        limit(
            &mut wrong,
            &format!("I3: {name}, restarts"),
            restarts,
            one.restarts,
        );
        // What was made and is still there has its id in the status, or nobody would ever delete it.
        let there = service.world().cluster(id).is_some_and(|cluster| {
            !matches!(cluster.state().status.as_str(), "DELETING" | "DELETED")
        });
        let object = sim.kubernetes.get(&format!("{CLUSTERS}/{name}"));
        let holds = object.is_none_or(|object| object["status"]["clusterId"] == *id);
        if there && !holds {
            wrong.push(format!("I6: {name} does not know the cluster that it made"));
        }
    }
    for (name, snapshot) in &sim.book.snapshots {
        let taken = ledger.iter().filter(|effect| {
            effect.name == *snapshot && matches!(effect.kind, EffectKind::Snapshot { .. })
        });
        limit(
            &mut wrong,
            &format!("I1: {name}, snapshots"),
            taken.count(),
            1,
        );
    }
    drop(service);
    wrong.extend(spilt(sim));
    wrong
}

/// I8: a password that ever stood in a Secret, in whatever else was ever stored.
fn spilt(sim: &Sim) -> BTreeSet<String> {
    let state = sim.kubernetes.state.lock();
    let stored = || {
        state
            .log
            .iter()
            .filter_map(|change| Some((&change.path, change.object.as_ref()?)))
    };
    let (mut known, mut wrong) = (BTreeSet::new(), BTreeSet::new());
    for (_, secret) in stored().filter(|(path, _)| path.starts_with(SECRETS)) {
        known.extend(held(secret));
    }
    for (path, object) in stored().filter(|(path, _)| !path.starts_with(SECRETS)) {
        let text = format!(
            "{}{}{}",
            object["status"], object["message"], object["note"]
        );
        if known.iter().any(|one| text.contains(one)) {
            wrong.insert(format!("I8: a password stood in {path}"));
        }
    }
    wrong
}

fn limit<N: Copy + PartialOrd + std::fmt::Display>(
    wrong: &mut Vec<String>,
    what: &str,
    is: N,
    most: N,
) {
    if is > most {
        wrong.push(format!("{what}: {is}, at most {most}"));
    }
}

/// The condition of this type of an object.
pub fn condition(object: &Value, kind: &str) -> Option<Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions.iter().find(|one| one["type"] == kind).cloned()
}

/// The reason of this condition, where it has this status.
pub fn reason(object: &Value, kind: &str, status: &str) -> Option<String> {
    let found = condition(object, kind).filter(|one| one["status"] == status)?;
    found["reason"].as_str().map(str::to_owned)
}

/// The object says that it is as it should be, in its present generation, and nothing is open.
pub fn is_ready(object: &Value) -> bool {
    condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
        && object["status"]["operation"].is_null()
        && condition(object, "Reconciling").is_none()
        && object["status"]["observedGeneration"] == object["metadata"]["generation"]
}

/// What is said while the service cannot be used: not the last word.
const PASSING: [&str; 5] = [
    "Busy",
    "ConfirmingAbsence",
    "CredentialsInvalid",
    "ServiceUnavailable",
    "Throttled",
];

/// The last reconcile did what the spec asks.
pub fn is_synced(object: &Value) -> bool {
    condition(object, "Synced").is_some_and(|synced| synced["status"] == "True")
}

/// What it says of itself will be over.
pub fn is_passing(object: &Value) -> bool {
    reason(object, "Synced", "False").is_some_and(|reason| PASSING.contains(&reason.as_str()))
}

/// A person must decide, and is told.
pub fn is_for_a_person(object: &Value) -> bool {
    object["status"]["operation"]["phase"] == "OutcomeUnknown"
        || condition(object, "Stalled").is_some_and(|stalled| stalled["status"] == "True")
}
