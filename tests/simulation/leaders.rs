//! Two leaders: one stands still at some request, the other takes over, and then the first one goes on where
//! it stood, for as long as it takes it to notice.

use std::time::Duration;

use super::checks;
use super::cloud::Lie;
use super::crash::boundaries;
use super::everywhere::{alone, everywhere, none_failed, sampled};
use super::figures::figure;
use super::gate::Blow;
use super::scenarios::{ALL, named};

const QUIET: Duration = Duration::from_mins(5);
/// A lease is taken over after so long.
const LEASE: Duration = Duration::from_secs(15);
/// A process that lost its lease ends within so long.
const OVERLAP: Duration = Duration::from_mins(1);
/// A resize is over in seconds.
const FAST: f64 = 1_000.0;
/// A pause comes on top of what the scenario takes.
const LONGER: Duration = Duration::from_hours(4);

/// The first process stands still at this boundary.
async fn overtaken(name: &str, at: u64, pause: Duration, speed: f64, blind: bool) -> Vec<String> {
    let scenario = named(name);
    let mut sim = scenario.prepared_at(speed, Lie::None).await;
    *sim.kubernetes.naive.blind.lock() = blind;
    sim.boundaries.arm([(at, Blow::Pause(pause))]);
    scenario.begin(&mut sim);
    let stands = |sim: &super::sim::Sim| sim.boundaries.is_paused(1);
    if !sim.until(LONGER, stands).await {
        // A fast service makes the way to rest shorter.
        return checks::at_end(&sim);
    }
    sim.until(LEASE, |_| false).await;
    sim.start();
    let goes_on = |sim: &super::sim::Sim| !sim.boundaries.is_paused(1);
    sim.until(LONGER, goes_on).await;
    sim.until(OVERLAP, |_| false).await;
    sim.kill(1);
    scenario.rest_within(&mut sim, LONGER, QUIET).await;
    checks::at_end(&sim)
}

/// Scenario, boundary, pause, and how fast the service is: a task may outlast the pause, or be long over.
fn cases() -> Vec<(&'static str, u64, Duration, f64)> {
    let pauses = [
        Duration::from_secs(20),
        Duration::from_mins(3),
        Duration::from_mins(12),
        Duration::from_mins(100),
    ];
    let mut cases = Vec::new();
    for scenario in &ALL {
        for at in 1..=boundaries(scenario, None) {
            let number = usize::try_from(at).unwrap();
            let pause = pauses[number % pauses.len()];
            let speed = if number % 3 == 0 { FAST } else { 10.0 };
            cases.push((scenario.name, at, pause, speed));
        }
    }
    cases
}

#[test]
fn a_leader_that_stood_still_and_goes_on_makes_nothing_happen_twice() {
    let cases = sampled(cases(), 40);
    let failures = everywhere(&cases, |(name, at, pause, speed)| {
        alone(overtaken(name, *at, *pause, *speed, false))
    });
    figure(
        "simulation",
        &format!("S5: {} pauses of a leader that is overtaken", cases.len()),
    );
    none_failed(cases.len(), &failures);
}

/// The suite can fail: with a plain write for the intent, both leaders send it.
#[test]
fn two_leaders_over_a_plain_write_of_the_intent_are_caught() {
    let scenario = named("resize");
    let caught = (1..=boundaries(scenario, None)).any(|at| {
        let wrong = alone(overtaken(
            scenario.name,
            at,
            Duration::from_secs(26),
            FAST,
            true,
        ));
        wrong.iter().any(|what| what.starts_with("I2"))
    });
    assert!(caught);
}
