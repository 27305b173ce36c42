//! Runs the scenarios of a topic side by side and tells all that failed, by name.
//!
//! It knows that a scenario is a future with a name, and nothing of what it does.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use anyhow::{Context, ensure};
use futures::future::join_all;
use tokio::sync::Semaphore;

use crate::support::Result;
use crate::support::figures::figure;

/// Scenarios of one topic that run at the same time.
const SIDE_BY_SIDE: usize = 12;

/// A scenario by name, not begun yet.
pub type Named = (&'static str, Box<dyn Fn() -> Scenario>);

/// A scenario in flight.
pub type Scenario = Pin<Box<dyn Future<Output = Result<()>>>>;

/// The scenarios of a topic, as one test.
macro_rules! scenarios {
    ($topic:ident: $($name:ident),+ $(,)?) => {
        // Scenarios share one thread; the proxies that they stand behind have another.
        #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
        async fn $topic() -> $crate::support::Result<()> {
            $crate::runner::run(
                stringify!($topic),
                vec![$((stringify!($name), Box::new(|| Box::pin($name()) as $crate::runner::Scenario) as Box<dyn Fn() -> $crate::runner::Scenario>)),+],
            )
            .await
        }
    };
}
pub(crate) use scenarios;

/// Runs the scenarios of a topic and tells all that failed, by name.
pub async fn run(topic: &str, scenarios: Vec<Named>) -> Result<()> {
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    let begin = Instant::now();
    let turns = Semaphore::new(SIDE_BY_SIDE);
    let turns = &turns;
    let runs = scenarios
        .iter()
        .filter(|(name, _)| name.contains(&wanted))
        .map(|(name, scenario)| async move {
            let _turn = turns.acquire().await?;
            let since = Instant::now();
            let done = scenario().await;
            println!("{topic}: {name}: {:.1} s", since.elapsed().as_secs_f32());
            done.with_context(|| format!("scenario {name}"))
        });
    let results: Vec<Result<()>> = join_all(runs).await;
    let total = results.len();
    let failed: Vec<String> = results
        .into_iter()
        .filter_map(|done| done.err().map(|error| format!("{error:#}")))
        .collect();
    if wanted.is_empty() {
        figure(
            "scenarios",
            &format!(
                "{topic}: {} of {total} in {:.0} s",
                total - failed.len(),
                begin.elapsed().as_secs_f32()
            ),
        );
    }
    ensure!(failed.is_empty(), "{}", failed.join("\n\n"));
    Ok(())
}
