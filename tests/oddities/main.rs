//! Every way in which real services differ from their reference, under every scenario: the very reconcile of
//! production, over the simulator's world with one oddity at a time. Judged as the simulation judges, on the
//! far side: nothing happens twice, nothing is lost, and all comes to rest.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code)]
#[path = "../simulation/api_server.rs"]
mod api_server;
#[allow(dead_code)]
#[path = "../simulation/checks.rs"]
mod checks;
#[allow(dead_code)]
#[path = "../simulation/cloud.rs"]
mod cloud;
#[allow(dead_code)]
#[path = "../simulation/everywhere.rs"]
mod everywhere;
#[path = "../support/figures.rs"]
mod figures;
#[allow(dead_code)]
#[path = "../simulation/gate.rs"]
mod gate;
#[allow(dead_code)]
#[path = "../simulation/judge.rs"]
mod judge;
mod odd;
#[allow(dead_code)]
#[path = "../simulation/process.rs"]
mod process;
#[allow(dead_code)]
#[path = "../simulation/scenarios.rs"]
mod scenarios;
#[allow(dead_code)]
#[path = "../simulation/sim.rs"]
mod sim;
#[allow(dead_code)]
#[path = "../simulation/tenant.rs"]
mod tenant;
#[allow(dead_code)]
#[path = "../simulation/weather.rs"]
mod weather;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use cloud::Lie;
use dws_operator::simulator::{Fault, FaultKind, Oddities};
use everywhere::{alone, everywhere};
use figures::figure;
use odd::{Odd, all};
use scenarios::{ALL, Scenario};
use sim::Sim;

/// An oddity that lets nothing be concluded ends by then: a service that never tells how many there are can
/// only be waited for.
const UNTIL: Duration = Duration::from_mins(25);

/// One scenario under one oddity.
async fn met(scenario: &Scenario, odd: &Odd, lie: Lie) -> Vec<String> {
    let mut sim = scenario.prepared(lie).await;
    let service = sim.cloud.service.clone();
    service.lock().set_oddities(odd.oddities.clone());
    if let Some(code) = odd.refused {
        for operation in scenario.calls {
            let kind = FaultKind::Refused {
                code: code.to_owned(),
                status: None,
            };
            let fault = Fault {
                operation: Some(*operation),
                changing: None,
                target: None,
                skip: 0,
                times: Some(1),
                chance: None,
                kind,
            };
            service.lock().inject(fault);
        }
    }
    if odd.passes {
        tokio::spawn(async move {
            tokio::time::sleep(UNTIL).await;
            service.lock().set_oddities(Oddities::default());
        });
    }
    scenario.run(&mut sim, Duration::ZERO).await;
    // What shows late has shown by then; from there on nothing is written.
    sim.until(Duration::from_mins(30), |_| false).await;
    let writes = sim.kubernetes.state.lock().writes;
    sim.until(Duration::from_mins(15), |_| false).await;
    if sim.kubernetes.state.lock().writes != writes {
        let what = format!("I7: writes although all is at rest: {}", shown(&sim));
        sim.wrong.push(what);
    }
    checks::at_end(&sim)
}

/// What the resources say.
fn shown(sim: &Sim) -> String {
    let state = sim.kubernetes.state.lock();
    let ours = state
        .objects
        .iter()
        .filter(|(path, _)| path.contains("/dws"));
    let said = ours.map(|(path, object)| {
        let status = &object["status"];
        let (conditions, operation) = (&status["conditions"], &status["operation"]);
        let (failures, failure) = (&status["failures"], &status["lastFailure"]);
        format!("{path}: {conditions} {operation} failures {failures} {failure}")
    });
    said.collect::<Vec<_>>().join("; ")
}

/// One oddity under one scenario.
struct Cell {
    odd: Odd,
    scenario: &'static Scenario,
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.scenario.name, self.odd.name)
    }
}

/// All of them; every second one where time is short: each oddity under half of the scenarios. `ODDITY` selects by
/// name.
fn cells() -> Vec<Cell> {
    let only = std::env::var("ODDITY").unwrap_or_default();
    let whole = !only.is_empty() || std::env::var_os("DEEP").is_some_and(|deep| deep == "1");
    let rows = all().into_iter().enumerate();
    rows.filter(|(_, odd)| odd.name.contains(&only))
        .flat_map(|(row, odd)| {
            let scenarios = ALL.iter().enumerate();
            let chosen = scenarios.filter(move |(column, _)| whole || (row + column) % 2 == 1);
            chosen.map(move |(_, scenario)| Cell {
                odd: odd.clone(),
                scenario,
            })
        })
        .collect()
}

#[test]
fn no_oddity_of_an_answer_makes_an_effect_happen_twice_or_loses_it() {
    let cells = cells();
    let failures = everywhere(&cells, |cell| {
        alone(met(cell.scenario, &cell.odd, Lie::None))
    });
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for cell in &cells {
        *kinds.entry(cell.odd.kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, number)| format!("{number} {kind}"))
        .collect();
    let total = cells.len();
    let what = format!("{total} cells of oddity and scenario: {}", kinds.join(", "));
    if std::env::var_os("ODDITY").is_none() {
        figure("oddities", &what);
        assert!(total >= 200, "only {total} cells");
    }
    assert!(
        failures.is_empty(),
        "{} of {total}: {failures:#?}",
        failures.len()
    );
}

/// The suite can fail: over a list that lags, a deletion that is believed on the service's word is caught.
#[test]
fn a_naive_reading_of_a_late_list_is_caught() {
    let scenario = scenarios::named("delete with a final snapshot");
    let late = all()
        .into_iter()
        .find(|odd| odd.name == "lists late by 60 s")
        .unwrap();
    let wrong = alone(met(scenario, &late, Lie::ClaimsDeletion));
    assert!(wrong.iter().any(|what| what.starts_with("I6")), "{wrong:?}");
}
