//! The suite can fail: each naive variant of the protocol breaks a rule, and a check says which.

use std::time::Duration;

use dws_operator::simulator::{FaultKind, Operation};

use serde_json::json;

use super::api_server::SECRETS;
use super::checks;
use super::cloud::Lie;
use super::everywhere::alone;
use super::figures::figure;
use super::gate::Blow;
use super::outcomes::met;
use super::scenarios::named;

/// A whole scenario over an API server that forgets these fields, with a crash at each boundary in turn,
/// until a check says something that begins so.
fn forgotten(scenario: &str, fields: &[&'static str], expected: &str) -> bool {
    let scenario = named(scenario);
    (1..60).any(|at| {
        let wrong = alone(async {
            let mut sim = scenario.prepared(Lie::None).await;
            *sim.kubernetes.naive.forgets.lock() = fields.to_vec();
            sim.boundaries.arm([(at, Blow::Crash)]);
            scenario.run(&mut sim, Duration::ZERO).await;
            checks::at_end(&sim)
        });
        wrong.iter().any(|what| what.starts_with(expected))
    })
}

/// A whole scenario in which a status tells the password.
fn told(scenario: &str, expected: &str) -> bool {
    let scenario = named(scenario);
    let wrong = alone(async {
        let mut sim = scenario.prepared(Lie::None).await;
        *sim.kubernetes.naive.tells.lock() = Some("nothing".to_owned());
        scenario.run(&mut sim, Duration::ZERO).await;
        checks::at_end(&sim)
    });
    println!("told: {wrong:?}");
    wrong.iter().any(|what| what.starts_with(expected))
}

/// A whole scenario in which the connection Secret is owned by its resource.
fn owned(scenario: &str, expected: &str) -> bool {
    let scenario = named(scenario);
    let wrong = alone(async {
        let mut sim = scenario.prepared(Lie::None).await;
        *sim.kubernetes.naive.owns.lock() = true;
        let uid = sim.wh().unwrap_or_default()["metadata"]["uid"].clone();
        let secret = format!("{SECRETS}/wh-connection");
        sim.kubernetes.edit(&secret, |secret| {
            secret["metadata"]["ownerReferences"] = json!([{"kind": "DwsCluster", "uid": uid}]);
        });
        scenario.run(&mut sim, Duration::ZERO).await;
        checks::at_end(&sim)
    });
    println!("owned: {wrong:?}");
    wrong.iter().any(|what| what.starts_with(expected))
}

fn lied(scenario: &str, operation: Operation, kind: FaultKind, lie: Lie, expected: &str) -> bool {
    let wrong = alone(met(named(scenario), operation, kind, lie, false));
    println!("{lie:?}: {wrong:?}");
    wrong.iter().any(|what| what.starts_with(expected))
}

#[test]
fn every_naive_variant_is_caught() {
    let harmless = FaultKind::Slow { after: 1.0 };
    let lost = FaultKind::LostAfter { hang: true };
    let (resize, delete) = (Operation::ResizeCluster, Operation::DeleteCluster);
    let snapshot = Operation::CreateSnapshot;
    let final_snapshot = "delete with a final snapshot";
    let caught = [
        (
            "a resize repeated until it is accepted",
            lied("resize", resize, lost, Lie::RepeatsResizes, "I2"),
        ),
        (
            "a deletion believed on the service's word",
            lied(final_snapshot, delete, harmless, Lie::ClaimsDeletion, "I6"),
        ),
        (
            "a final snapshot that failed",
            lied(
                final_snapshot,
                snapshot,
                FaultKind::FailTask,
                Lie::EmbellishesSnapshots,
                "I5",
            ),
        ),
        (
            "a restart that is not marked as handled",
            forgotten("restart", &["handled"], "I3"),
        ),
        (
            "an intent that is not kept: the id finds no place",
            forgotten("create", &["operation"], "I7"),
        ),
        (
            "a new password that is not kept before the call",
            forgotten("rotate", &["pending-password"], "I4"),
        ),
        ("a status that tells the password", told("rotate", "I8")),
        (
            "a Secret that its resource owns whatever becomes of the cluster",
            owned("a retained one deleted in the foreground", "I4"),
        ),
    ];
    let missed: Vec<_> = caught
        .iter()
        .filter(|(_, caught)| !caught)
        .map(|(name, _)| name)
        .collect();
    figure(
        "simulation",
        &format!(
            "{} of {} mutants caught",
            caught.len() - missed.len(),
            caught.len()
        ),
    );
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
