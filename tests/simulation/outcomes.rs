//! Every changing call meets every way for it to go wrong, once.

use std::time::Duration;

use dws_operator::simulator::{Fault, FaultKind, Operation};

use super::checks;
use super::cloud::Lie;
use super::crash::alone;
use super::figures::figure;
use super::scenarios::{ALL, Scenario};

/// All ways, with what tells them apart.
pub fn outcomes() -> Vec<FaultKind> {
    let mut all = Vec::new();
    for hang in [false, true] {
        all.push(FaultKind::LostBefore { hang });
        all.push(FaultKind::LostAfter { hang });
    }
    for after in [1.0, 60.0, 600.0] {
        for status in [None, Some(504)] {
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

/// A scenario whose call meets this.
pub async fn met(
    scenario: &Scenario,
    operation: Operation,
    kind: FaultKind,
    lie: Lie,
) -> Vec<String> {
    let mut sim = scenario.prepared(lie).await;
    sim.cloud.service.lock().inject(Fault {
        operation: Some(operation),
        changing: None,
        target: None,
        skip: 0,
        times: Some(1),
        chance: None,
        kind,
    });
    let rested = scenario.run(&mut sim, Duration::from_mins(15)).await;
    checks::at_end(&sim, scenario, rested)
}

#[test]
fn no_outcome_of_a_call_makes_an_effect_happen_twice_or_loses_it() {
    let (mut cells, mut failures) = (0, Vec::new());
    for scenario in &ALL {
        for operation in scenario.calls {
            for kind in outcomes() {
                cells += 1;
                let wrong = alone(met(scenario, *operation, kind.clone(), Lie::None));
                if !wrong.is_empty() {
                    failures.push(format!(
                        "{}, {operation:?} {kind:?}: {wrong:?}",
                        scenario.name
                    ));
                }
            }
        }
    }
    figure("simulation", &format!("{cells} cells of call and outcome"));
    assert!(
        failures.is_empty(),
        "{} of {cells}: {failures:#?}",
        failures.len()
    );
}
