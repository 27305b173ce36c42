//! The process dies at every boundary of every scenario, and the next one brings it to rest.

use std::time::Duration;

use dws_operator::simulator::{Fault, FaultKind};

use super::checks;
use super::cloud::Lie;
use super::everywhere::{alone, everywhere, is_deep, is_whole, none_failed, sampled};
use super::figures::figure;
use super::gate::Blow;
use super::scenarios::{ALL, HOUR, Scenario};

const QUIET: Duration = Duration::from_mins(5);

/// Runs a scenario with a crash at each of these boundaries. Gives what was wrong and how many boundaries there are.
async fn crashed(
    scenario: &Scenario,
    at: &[u64],
    fault: Option<Fault>,
    quiet: Duration,
) -> (Vec<String>, u64) {
    let mut sim = scenario.prepared(Lie::None).await;
    if let Some(fault) = fault {
        sim.cloud.service.lock().inject(fault);
    }
    sim.boundaries.arm(at.iter().map(|at| (*at, Blow::Crash)));
    scenario.run(&mut sim, quiet).await;
    let passed = sim.boundaries.passed();
    let mut wrong = checks::at_end(&sim);
    if sim.boundaries.unmet() > 0 {
        wrong.push(format!(
            "no crash at some of {at:?}: only {passed} boundaries"
        ));
    }
    (wrong, passed)
}

/// The boundaries of a scenario up to its rest; beyond there are only idle polls.
pub fn boundaries(scenario: &Scenario, fault: Option<Fault>) -> u64 {
    let (wrong, boundaries) = alone(crashed(scenario, &[], fault, Duration::ZERO));
    assert!(
        wrong.is_empty(),
        "{} without a crash: {wrong:#?}",
        scenario.name
    );
    boundaries
}

#[test]
fn without_a_crash_everything_comes_to_rest_and_stays_there() {
    let cases: Vec<usize> = (0..ALL.len()).collect();
    let failures = everywhere(&cases, |case| {
        alone(crashed(&ALL[*case], &[], None, HOUR)).0
    });
    none_failed(cases.len(), &failures);
}

#[test]
fn a_process_that_dies_at_any_request_does_nothing_twice_and_loses_nothing() {
    let mut cases = Vec::new();
    for scenario in &ALL {
        let all = boundaries(scenario, None);
        println!("{}: {all} crash points", scenario.name);
        cases.extend((1..=all).map(|at| (scenario.name, at)));
    }
    let cases = sampled(cases, 40);
    let failures = everywhere(&cases, |(name, at)| {
        alone(crashed(super::scenarios::named(name), &[*at], None, QUIET)).0
    });
    figure(
        "simulation",
        &format!(
            "S1: {} crash points in {} scenarios",
            cases.len(),
            ALL.len()
        ),
    );
    none_failed(cases.len(), &failures);
}

/// The worst moment: the answer of a changing call is lost, and the process dies somewhere around it.
#[test]
fn a_process_that_dies_around_a_lost_answer_does_no_harm_either() {
    let kinds = [
        FaultKind::LostAfter { hang: false },
        FaultKind::LostBefore { hang: true },
        FaultKind::Late {
            after: 60.0,
            status: Some(504),
        },
    ];
    let mut cases = Vec::new();
    for scenario in &ALL {
        for operation in scenario.calls {
            for kind in &kinds {
                let all = boundaries(scenario, Some(Fault::next(*operation, kind.clone())));
                cases.extend((1..=all).map(|at| (scenario.name, *operation, kind.clone(), at)));
            }
        }
    }
    // Every fifth of them, whatever is asked for: neighbours differ by one read.
    let cases = sampled(cases.into_iter().step_by(5).collect(), 100);
    let failures = everywhere(&cases, |(name, operation, kind, at)| {
        let fault = Fault::next(*operation, kind.clone());
        alone(crashed(
            super::scenarios::named(name),
            &[*at],
            Some(fault),
            QUIET,
        ))
        .0
    });
    figure(
        "simulation",
        &format!("S1: {} crash points around a lost answer", cases.len()),
    );
    none_failed(cases.len(), &failures);
}

#[test]
fn a_process_that_dies_soon_after_another_does_no_harm_either() {
    let wanted = if is_deep() { 100_000 } else { 10_000 };
    let mut cases = Vec::new();
    for scenario in &ALL {
        let all = boundaries(scenario, None);
        for first in 1..=all {
            cases.extend((1..=all.max(40)).map(|gap| (scenario.name, first, first + gap)));
        }
    }
    // Evenly from all pairs there are; the second boundary may lie beyond the end where the first crash
    // made the way shorter, which costs the pair its second crash but not its worth.
    let step = (cases.len() / wanted).max(1) * if is_whole() { 1 } else { 300 };
    let cases: Vec<_> = cases.into_iter().step_by(step).collect();
    let failures = everywhere(&cases, |(name, first, second)| {
        let scenario = super::scenarios::named(name);
        let (mut wrong, _) = alone(crashed(scenario, &[*first, *second], None, QUIET));
        wrong.retain(|what| !what.starts_with("no crash at"));
        wrong
    });
    figure(
        "simulation",
        &format!("S1: {} pairs of crashes", cases.len()),
    );
    none_failed(cases.len(), &failures);
}
