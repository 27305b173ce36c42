//! The leader goes: politely, or by SIGKILL in the middle of a create.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;

use crate::crew::{Crew, SOON, TAKE_OVER};
use crate::support::Result;
use crate::support::figures::figure;
use crate::support::proxy::Verdict;
use crate::world::condition;

/// A look of the follower each second, the first lists, and a busy machine.
const AT_ONCE: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn on_sigterm_the_next_one_works_at_once() -> Result<()> {
    let crew = Crew::new(&["--request-timeout", "20s"]).await?;
    let (mut first, mut second) = crew.two().await?;
    let w = &crew.world;
    w.ready_cluster("orders", json!({})).await?;
    ensure!(crew.changes_of(&second, 0).await?.is_empty());

    // With a call in flight: its answer is stored before the lease goes.
    w.tell(
        "faults",
        json!({"operation": "resize_cluster", "kind": "slow", "after": 2}),
    )
    .await?;
    w.patch("DwsCluster", "orders", json!({"spec": {"nodeCount": 5}}))
        .await?;
    w.received("resize_cluster", "").await?;
    first.process.terminate()?;
    first.ends(0, "the lease is released", SOON).await?;
    let stored = w.get("DwsCluster", "orders").await?;
    ensure!(
        stored["status"]["operation"]["phase"] == "Accepted",
        "{stored}"
    );
    let busy = second.works(AT_ONCE).await?;
    w.until("DwsCluster", "orders", "grown", |one| {
        one["status"]["settledNodeCount"] == 5 && condition(one, "Ready").0 == "True"
    })
    .await?;
    w.executed("orders", "resize", 1).await?;

    // Without one, and with nobody left to take over.
    let mut third = crew
        .replica(crate::crew::FIRST, Arc::new(|_| Verdict::Pass))
        .await?;
    third.is_ready("ok (standing by)", TAKE_OVER).await?;
    let begin = Instant::now();
    second.process.terminate()?;
    third.works(AT_ONCE).await?;
    let idle = begin.elapsed();
    second.ends(0, "the lease is released", SOON).await?;
    let begin = Instant::now();
    third.process.terminate()?;
    third.ends(0, "the lease is released", SOON).await?;
    let gone = begin.elapsed();
    ensure!(crew.holder().await?.is_empty(), "{}", crew.holder().await?);
    figure(
        "leaders",
        &format!(
            "hand-over on SIGTERM {:.1} s from the signal, {:.1} s after a call in flight had ended; an idle leader ends in {:.1} s",
            idle.as_secs_f64(),
            busy.as_secs_f64(),
            gone.as_secs_f64()
        ),
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_follower_ends_at_once_and_leaves_the_leader_alone() -> Result<()> {
    let crew = Crew::new(&[]).await?;
    let (mut first, mut second) = crew.two().await?;
    let holder = crew.holder().await?;
    second.process.terminate()?;
    let took = second.ends(0, "stopped", SOON).await?;
    figure(
        "leaders",
        &format!("a follower ends {:.1} s after SIGTERM", took.as_secs_f64()),
    );
    ensure!(took < Duration::from_secs(5), "{took:?}");
    ensure!(crew.holder().await? == holder);
    // Its lease is renewed all the time, and nothing is wrong with it.
    tokio::time::sleep(Duration::from_secs(12)).await;
    ensure!(first.leads().await? && first.process.exit()?.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn on_sigkill_in_a_create_the_next_one_finds_what_was_made() -> Result<()> {
    let crew = Crew::new(&["--request-timeout", "20s"]).await?;
    let (first, mut second) = crew.two().await?;
    let w = &crew.world;
    w.tell(
        "faults",
        json!({"operation": "create_cluster", "kind": "lost_after", "hang": true}),
    )
    .await?;
    w.cluster("orders", json!({})).await?;
    w.received("create_cluster", "").await?;
    let begin = Instant::now();
    first.process.kill_9()?;
    second.works(TAKE_OVER).await?;
    let took = begin.elapsed();
    figure(
        "leaders",
        &format!(
            "hand-over on SIGKILL {:.1} s from the signal, in the middle of a create",
            took.as_secs_f64()
        ),
    );
    ensure!(took > Duration::from_secs(10), "too early: {took:?}");
    w.until_condition("DwsCluster", "orders", "Ready", "True", "Available")
        .await?;
    w.executed("orders", "create", 1).await?;
    w.connects("orders").await?;
    Ok(())
}
