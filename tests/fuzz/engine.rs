//! Runs a property over generated cases, and keeps the figures: how many cases, from which seed, and how many
//! broken variants the property has caught.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::figures::figure;

/// What a property says of one case.
pub type Judgement = Result<(), TestCaseError>;

/// How many more cases the long suites run.
const DEEPER: u32 = 100;
/// A mutant that survives this many cases is not caught.
const MUTANT_CASES: u32 = 4_000;

fn deep() -> bool {
    std::env::var_os("DEEP").is_some_and(|deep| deep == "1")
}

/// The seed of this run.
fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| match std::env::var("FUZZ_SEED") {
        Ok(seed) => seed.parse().expect("FUZZ_SEED is a number"),
        Err(_) if deep() => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |now| now.as_secs()),
        Err(_) => 1,
    })
}

fn runner(cases: u32, shrink: bool) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let config = Config {
        cases,
        max_global_rejects: cases.saturating_mul(4),
        max_shrink_iters: if shrink { 4_000 } else { 0 },
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// The property holds for all cases.
pub fn holds<S: Strategy>(
    target: &str,
    what: &str,
    cases: u32,
    strategy: &S,
    property: impl Fn(S::Value) -> Judgement,
) {
    let cases = if deep() { cases * DEEPER } else { cases };
    match runner(cases, true).run(strategy, property) {
        Ok(()) => figure(
            "fuzz",
            &format!("{target}: {cases} cases of {what}, seed {}", seed()),
        ),
        Err(TestError::Fail(reason, value)) => panic!(
            "{target}, {what} (FUZZ_SEED={}): {reason}\nthe smallest case: {value:#?}",
            seed()
        ),
        Err(TestError::Abort(reason)) => panic!("{target}, {what}: given up: {reason}"),
    }
}

/// How many of these broken variants their property refuses; every one must be.
pub fn caught(target: &str, mutants: &[(&str, bool)]) {
    let missed: Vec<_> = mutants
        .iter()
        .filter(|(_, caught)| !caught)
        .map(|(name, _)| name)
        .collect();
    let number = mutants.len();
    figure(
        "fuzz",
        &format!(
            "{target}: {} of {number} broken variants caught",
            number - missed.len()
        ),
    );
    assert!(missed.is_empty(), "{target}: not caught: {missed:?}");
}

/// Whether the property finds a case that a broken variant fails.
pub fn fails<S: Strategy>(strategy: &S, property: impl Fn(S::Value) -> Judgement) -> bool {
    let mut runner = runner(MUTANT_CASES, false);
    matches!(runner.run(strategy, property), Err(TestError::Fail(..)))
}
