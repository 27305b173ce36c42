//! Every changing call meets every way for it to go wrong, once.

use std::time::Duration;

use dws_operator::simulator::{Fault, FaultKind, Operation};
use serde_json::Value;

use super::checks::{self, reason};
use super::cloud::Lie;
use super::everywhere::{alone, everywhere, none_failed, sampled};
use super::figures::figure;
use super::scenarios::{ALL, HOUR, Scenario, named, resources, still, told};
use super::sim::Sim;
use super::tenant;

/// All ways, with what tells them apart.
pub fn outcomes() -> Vec<FaultKind> {
    let mut all = Vec::new();
    for hang in [false, true] {
        all.push(FaultKind::LostBefore { hang });
        all.push(FaultKind::LostAfter { hang });
    }
    for after in [1.0, 60.0, 600.0] {
        for status in [None, Some(500), Some(504)] {
            all.push(FaultKind::Late { after, status });
        }
    }
    for executed in [false, true] {
        for status in [408, 500, 502, 503, 504] {
            all.push(status_of(status, executed));
        }
        all.push(FaultKind::Garbled { executed });
        all.push(FaultKind::WrongContent { executed });
        let location = "https://elsewhere.example.com/".to_owned();
        all.push(FaultKind::Redirect { executed, location });
    }
    all.push(FaultKind::Throttled { retry_after: None });
    all.push(FaultKind::Throttled {
        retry_after: Some(20),
    });
    all.push(FaultKind::Slow { after: 20.0 });
    for code in ["DWS.0011", "DWS.7023"] {
        let code = code.to_owned();
        all.push(FaultKind::Refused { code, status: None });
    }
    let code = "DWS.0011".to_owned();
    all.push(FaultKind::ErrorIn200 { code });
    all
}

fn status_of(status: u16, executed: bool) -> FaultKind {
    FaultKind::Status {
        status,
        executed,
        code: None,
        message: None,
        style: None,
        retry_after: None,
    }
}

/// A scenario whose call meets this; where `deleted`, its owner is deleted as soon as that has happened.
pub async fn met(
    scenario: &Scenario,
    operation: Operation,
    kind: FaultKind,
    lie: Lie,
    deleted: bool,
) -> Vec<String> {
    let mut sim = scenario.prepared(lie).await;
    let fault = Fault::next(operation, kind);
    sim.cloud.service.lock().inject(fault.clone());
    scenario.begin(&mut sim);
    let is_met = |sim: &Sim| !sim.cloud.service.lock().faults().contains(&fault);
    if !sim.until(HOUR, is_met).await {
        sim.wrong.push("the call was never made".to_owned());
    }
    if deleted {
        delete_all(&mut sim, operation).await;
    } else {
        scenario.rest(&mut sim, Duration::from_mins(15)).await;
    }
    checks::at_end(&sim)
}

/// Deletes every resource (the source of a restore stays), and waits until they are gone, and longer.
async fn delete_all(sim: &mut Sim, operation: Operation) {
    let objects: Vec<String> = sim
        .kubernetes
        .state
        .lock()
        .objects
        .keys()
        .cloned()
        .collect();
    for path in objects.iter().filter(|path| path.contains("/dws")) {
        if operation != Operation::RestoreCluster || path.ends_with("/copy") {
            tenant::delete(sim, path);
        }
    }
    let going = |one: &Value| !one["metadata"]["deletionTimestamp"].is_null();
    let gone = |sim: &Sim| !resources(sim).iter().any(going);
    sim.until(2 * HOUR, gone).await;
    let blocked =
        |one: &Value| reason(one, "Ready", "False").is_some_and(|r| r == "DeletionBlocked");
    for left in resources(sim) {
        if going(&left) && !blocked(&left) {
            sim.wrong
                .push(format!("I7: not gone in time: {}", told(&left)));
        }
    }
    // What is late can come after that.
    still(sim, Duration::from_mins(30)).await;
}

#[test]
fn no_outcome_of_a_call_makes_an_effect_happen_twice_or_loses_it() {
    let mut cases = Vec::new();
    for scenario in &ALL {
        for operation in scenario.calls {
            cases.extend(
                outcomes()
                    .into_iter()
                    .map(|kind| (scenario.name, *operation, kind)),
            );
        }
    }
    let cases = sampled(cases, 30);
    let failures = everywhere(&cases, |(name, operation, kind)| {
        alone(met(named(name), *operation, kind.clone(), Lie::None, false))
    });
    figure(
        "simulation",
        &format!("S2: {} cells of call and outcome", cases.len()),
    );
    none_failed(cases.len(), &failures);
}

/// The owner is deleted while its call is still on its way, and what comes late finds nobody.
#[test]
fn no_outcome_of_a_call_outlives_the_deletion_of_its_owner() {
    let mut kinds = vec![
        FaultKind::LostBefore { hang: false },
        FaultKind::LostBefore { hang: true },
        FaultKind::LostAfter { hang: false },
        FaultKind::LostAfter { hang: true },
        FaultKind::Garbled { executed: true },
        status_of(504, true),
    ];
    for after in [1.0, 20.0, 60.0, 300.0, 590.0] {
        for status in [None, Some(504)] {
            kinds.push(FaultKind::Late { after, status });
        }
    }
    let mut cases = Vec::new();
    for scenario in &ALL {
        for operation in scenario.calls {
            cases.extend(
                kinds
                    .iter()
                    .map(|kind| (scenario.name, *operation, kind.clone())),
            );
        }
    }
    let cases = sampled(cases, 30);
    let failures = everywhere(&cases, |(name, operation, kind)| {
        alone(met(named(name), *operation, kind.clone(), Lie::None, true))
    });
    figure(
        "simulation",
        &format!("S2: {} cells whose owner is deleted meanwhile", cases.len()),
    );
    none_failed(cases.len(), &failures);
}
