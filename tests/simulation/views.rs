//! A process that sees what was: stale reads of resources, watches that are late, compacted, out of order or
//! from an API server that is behind.

use std::time::Duration;

use super::checks;
use super::cloud::Lie;
use super::everywhere::{alone, everywhere, none_failed, sampled};
use super::figures::figure;
use super::process::Habits;
use super::scenarios::{ALL, named};
use super::weather::{Mishap, Weather};

const QUIET: Duration = Duration::from_mins(5);
/// A view that is late takes its time on top.
const LONGER: Duration = Duration::from_mins(90);

/// Reads of so many numbers, from one on, show the resource so many versions ago.
async fn stale(name: &str, from: u64, reads: u64, back: usize, blind: bool) -> (Vec<String>, u64) {
    let scenario = named(name);
    let mut sim = scenario.prepared(Lie::None).await;
    *sim.kubernetes.naive.blind.lock() = blind;
    {
        let mut stale = sim.kubernetes.stale.lock();
        stale.reads = 0;
        stale.numbers = from..from + reads;
        stale.back = back;
    }
    scenario.begin(&mut sim);
    scenario.rest_within(&mut sim, LONGER, QUIET).await;
    let reads = sim.kubernetes.stale.lock().reads;
    (checks::at_end(&sim), reads)
}

#[test]
fn a_view_of_the_resource_from_the_past_makes_nothing_happen_twice() {
    let mut cases = Vec::new();
    for scenario in &ALL {
        let (wrong, reads) = alone(stale(scenario.name, 0, 0, 0, false));
        assert!(wrong.is_empty(), "{}: {wrong:#?}", scenario.name);
        // Beyond the rest there are only idle looks.
        for from in 1..=reads.min(60) {
            for (reads, back) in [(1, 1), (1, 3), (3, 2), (8, 1), (1, 1_000)] {
                cases.push((scenario.name, from, reads, back));
            }
        }
    }
    let cases = sampled(cases, 60);
    let failures = everywhere(&cases, |(name, from, reads, back)| {
        alone(stale(name, *from, *reads, *back, false)).0
    });
    figure(
        "simulation",
        &format!("S3: {} stale and rolled-back views", cases.len()),
    );
    none_failed(cases.len(), &failures);
}

/// The event of this number meets this.
async fn weathered(name: &str, weather: Weather, trusting: bool) -> (Vec<String>, u64) {
    let scenario = named(name);
    let habits = Habits {
        weather,
        trusting,
        ..Habits::default()
    };
    let mut sim = scenario.prepared_for(Lie::None, habits.clone()).await;
    scenario.begin(&mut sim);
    scenario.rest_within(&mut sim, LONGER, QUIET).await;
    let sky = &sim.alive()[0].sky;
    let mut wrong = checks::at_end(&sim);
    if matches!(habits.weather, Weather::One(..)) && sky.met() == 0 {
        wrong.push(format!("only {} events", sky.events()));
    }
    (wrong, sky.events())
}

#[test]
fn a_watch_that_loses_repeats_or_reorders_events_is_made_up_for() {
    let mishaps = [
        Mishap::Late(Duration::from_secs(3)),
        Mishap::Late(Duration::from_mins(5)),
        Mishap::Compacted(Duration::ZERO),
        Mishap::Compacted(Duration::from_mins(3)),
        Mishap::Twice,
        Mishap::Swapped,
        Mishap::RolledBack(2),
        Mishap::RolledBack(1_000),
    ];
    let mut cases = Vec::new();
    for scenario in &ALL {
        let (wrong, events) = alone(weathered(scenario.name, Weather::Calm, false));
        assert!(wrong.is_empty(), "{}: {wrong:#?}", scenario.name);
        for number in 1..=events {
            cases.extend(
                mishaps
                    .iter()
                    .map(|what| (scenario.name, Weather::One(number, *what))),
            );
        }
    }
    let cases = sampled(cases, 60);
    let failures = everywhere(&cases, |(name, weather)| {
        alone(weathered(name, weather.clone(), false)).0
    });
    figure(
        "simulation",
        &format!("S4: {} mishaps of watches", cases.len()),
    );
    none_failed(cases.len(), &failures);
}

/// The suite can fail: who relies on events alone misses one that is lost for good.
#[test]
fn an_event_that_is_lost_for_good_is_missed_by_who_never_looks_again() {
    let caught = ["resize", "rotate", "delete snapshot"].iter().any(|name| {
        let weather = Weather::One(1, Mishap::Lost);
        let (wrong, _) = alone(weathered(name, weather, true));
        wrong.iter().any(|what| what.starts_with("I7"))
    });
    assert!(caught);
}
