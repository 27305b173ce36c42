//! The process dies at every boundary of every scenario, and the next one brings it to rest.

use std::time::Duration;

use super::checks;
use super::cloud::Lie;
use super::figures::figure;
use super::scenarios::{ALL, Scenario};

const QUIET: Duration = Duration::from_mins(15);

/// One run in a runtime of its own, so that no time passes from one to the next.
pub fn alone<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(work)
}

/// Runs a scenario with a crash at this boundary. Gives what was wrong and how many boundaries there are.
async fn crashed(scenario: &Scenario, at: Option<u64>, quiet: Duration) -> (Vec<String>, u64) {
    let mut sim = scenario.prepared(Lie::None).await;
    sim.boundaries.arm(at);
    let rested = scenario.run(&mut sim, quiet).await;
    let passed = sim.boundaries.passed();
    assert_eq!(
        sim.processes > 1,
        at.is_some(),
        "{}: no crash at {at:?}",
        scenario.name
    );
    (checks::at_end(&sim, scenario, rested), passed)
}

#[test]
fn a_process_that_dies_at_any_request_does_nothing_twice_and_loses_nothing() {
    let mut points = 0;
    let mut failures = Vec::new();
    for scenario in &ALL {
        let (wrong, whole_hour) = alone(crashed(scenario, None, Duration::from_hours(1)));
        assert!(
            wrong.is_empty(),
            "{} without a crash: {wrong:#?}",
            scenario.name
        );
        assert!(whole_hour > 0);
        // Beyond the rest there are only idle polls.
        let (_, boundaries) = alone(crashed(scenario, None, Duration::ZERO));
        for at in 1..=boundaries {
            points += 1;
            let (wrong, _) = alone(crashed(scenario, Some(at), QUIET));
            if !wrong.is_empty() {
                failures.push(format!(
                    "{}, crash at {at} of {boundaries}: {wrong:?}",
                    scenario.name
                ));
            }
        }
        println!("{}: {boundaries} crash points", scenario.name);
    }
    figure(
        "simulation",
        &format!(
            "{points} crash points in {} scenarios, all at rest again",
            ALL.len()
        ),
    );
    assert!(
        failures.is_empty(),
        "{} of {points}: {failures:#?}",
        failures.len()
    );
}
