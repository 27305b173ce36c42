//! Many runs, each in a runtime of its own, on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

/// One run in a runtime of its own, so that no time passes from one to the next.
pub fn alone<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(work)
}

/// Runs all of these, and gives what was wrong, told with the case that it was wrong in.
pub fn everywhere<C: Sync + std::fmt::Debug>(
    cases: &[C],
    run: impl Fn(&C) -> Vec<String> + Sync,
) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let run = std::panic::AssertUnwindSafe(|| run(case));
                    let wrong = std::panic::catch_unwind(run)
                        .unwrap_or_else(|_| vec!["the run panicked".to_owned()]);
                    if !wrong.is_empty() {
                        failures
                            .lock()
                            .push(format!("{case:?}: {}", wrong.join("; ")));
                    }
                }
            });
        }
    });
    failures.into_inner()
}

/// The cases that are run: every so manieth, so that a plain `cargo test` stays quick, or all of them where
/// `SIMULATION=whole` asks for it, as `make test` does with an optimised build.
pub fn sampled<C>(cases: Vec<C>, one_in: usize) -> Vec<C> {
    if is_whole() {
        return cases;
    }
    cases.into_iter().step_by(one_in).collect()
}

/// The whole suite is asked for.
pub fn is_whole() -> bool {
    std::env::var_os("SIMULATION").is_some_and(|value| value == "whole" || value == "deep")
}

/// The suite of hours is asked for.
pub fn is_deep() -> bool {
    std::env::var_os("SIMULATION").is_some_and(|value| value == "deep")
}

/// Fails with the first few of what was wrong.
pub fn none_failed(cases: usize, failures: &[String]) {
    let short = |text: &String| text.chars().take(900).collect::<String>();
    let first: Vec<String> = failures
        .iter()
        .step_by(failures.len().div_ceil(15).max(1))
        .map(short)
        .collect();
    let (some, first) = (
        failures.len(),
        first.join(
            "
",
        ),
    );
    assert!(
        failures.is_empty(),
        "{some} of {cases}:
{first}"
    );
}
