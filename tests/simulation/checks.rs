//! The invariants, asked of the far side: the ledger, the world, and what is stored.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dws_operator::simulator::EffectKind;
use serde_json::Value;

use super::api_server::SECRETS;
use super::scenarios::Scenario;
use super::sim::Sim;

/// The keys of the connection Secret of which one must log in.
const PASSWORDS: [&str; 3] = ["password", "pending-password", "previous-password"];

/// What holds at every moment: I4 and I6.
pub fn always(sim: &mut Sim) {
    let service = sim.cloud.service.lock();
    let world = service.world();
    let mut wrong = Vec::new();
    let Some(wh) = sim.wh() else {
        if let Some(left) = world
            .clusters()
            .find(|cluster| cluster.state().name == "warehouse")
        {
            let status = &left.state().status;
            wrong.push(format!(
                "I6: the resource is gone and its cluster is {status}"
            ));
        }
        drop(service);
        sim.wrong.extend(wrong);
        return;
    };
    let id = wh["status"]["clusterId"].as_str().unwrap_or_default();
    let up = world.cluster(id).is_some_and(|cluster| {
        !matches!(
            cluster.state().status.as_str(),
            "CREATING" | "CREATION FAILED" | "DELETING" | "DELETED"
        )
    });
    if up && wh["spec"]["restoreFrom"].is_null() {
        let known = passwords(sim);
        if !known.iter().any(|one| world.logs_in(id, "dbadmin", one)) {
            wrong.push(format!("I4: none of {} passwords logs in", known.len()));
        }
    }
    drop(service);
    sim.wrong.extend(wrong);
}

fn passwords(sim: &Sim) -> Vec<String> {
    let secret = sim.kubernetes.get(&format!("{SECRETS}/wh-connection"));
    let secret = secret.unwrap_or_default();
    PASSWORDS
        .iter()
        .filter_map(|key| secret["data"][key].as_str())
        .map(|value| String::from_utf8(STANDARD.decode(value).unwrap()).unwrap())
        .collect()
}

/// What holds at the end of a scenario: I1, I2, I3, I5 and I8; I7 is the caller's `rested`.
pub fn at_end(sim: &Sim, scenario: &Scenario, rested: bool) -> Vec<String> {
    let mut wrong = sim.wrong.clone();
    wrong.dedup();
    wrong.extend(
        sim.cloud
            .wrong_deletions
            .lock()
            .iter()
            .map(|what| format!("I5: {what}")),
    );
    let service = sim.cloud.service.lock();
    let (mut made, mut added, mut restarts, mut snapshots) = (0, 0, 0, 0);
    for effect in service.ledger() {
        match &effect.kind {
            EffectKind::Create { .. } | EffectKind::Restore { .. }
                if effect.name == "warehouse" =>
            {
                made += 1;
            }
            EffectKind::Resize { added: nodes, .. } => added += nodes,
            EffectKind::Restart => restarts += 1,
            EffectKind::Snapshot { .. } if effect.name == "nightly" => snapshots += 1,
            _ => {}
        }
    }
    let limits = [
        ("I1: creates or restores", made, 1),
        ("I1: snapshots", snapshots, 1),
        ("I2: nodes added", added, scenario.nodes_asked),
        ("I3: restarts", restarts, scenario.restarts_asked),
    ];
    for (what, is, most) in limits {
        if is > most {
            wrong.push(format!("{what}: {is}, at most {most}"));
        }
    }
    drop(service);
    if !rested {
        let status = sim.wh().map(|wh| wh["status"].clone());
        wrong.push(format!("I7: not at rest after an hour: {status:?}"));
    }
    let known = passwords(sim);
    for (path, object) in &sim.kubernetes.state.lock().objects {
        let text = object.to_string();
        if !path.contains("/secrets/") && known.iter().any(|one| text.contains(one)) {
            wrong.push(format!("I8: a password stands in {path}"));
        }
    }
    wrong
}

/// The condition of this type of an object.
pub fn condition(object: &Value, kind: &str) -> Option<Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions.iter().find(|one| one["type"] == kind).cloned()
}

/// The object says that it is as it should be, in its present generation, and nothing is open.
pub fn is_ready(object: &Value) -> bool {
    condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
        && object["status"]["operation"].is_null()
        && object["status"]["observedGeneration"] == object["metadata"]["generation"]
}

/// A person must decide, and is told.
pub fn is_for_a_person(object: &Value) -> bool {
    object["status"]["operation"]["phase"] == "OutcomeUnknown"
        || condition(object, "Stalled").is_some_and(|stalled| stalled["status"] == "True")
}
