//! The leader stands still (SIGSTOP) beyond its lease, another one takes over, and then it goes on where it
//! stood: whatever it was about to do, it sends nothing more, and ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::crew::{Crew, Replica, SOON, TAKE_OVER};
use crate::support::Result;
use crate::support::figures::figure;
use crate::support::proxy::{Judge, Verdict};
use crate::world::{World, condition};

/// Longer than any pause here: only the lease tells the one that goes on that its time is over.
const LONG_DEADLINE: [&str; 2] = ["--request-timeout", "5m"];

async fn at_rest(w: &World, nodes: i64) -> Result<Value> {
    w.until("DwsCluster", "orders", "at rest", |one| {
        condition(one, "Ready") == ("True", "Available")
            && one["status"]["settledNodeCount"] == nodes
            && one["status"]["operation"].is_null()
    })
    .await
}

/// The first goes on. It sends nothing more and ends, and says how long that took.
async fn goes_on(crew: &Crew, first: &mut Replica, stood: Instant, where_: &str) -> Result<()> {
    let before = crew.received().await?;
    first.process.resume()?;
    let took = first.ends(1, "the lease is lost", SOON).await?;
    let sent = crew.changes_of(first, before).await?;
    figure(
        "leaders",
        &format!(
            "stopped {where_} for {:.1} s: {} changing requests after it went on, ended in {:.1} s",
            stood.elapsed().as_secs_f64() - took.as_secs_f64(),
            sent.len(),
            took.as_secs_f64()
        ),
    );
    ensure!(sent.is_empty(), "{sent:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn while_idle() -> Result<()> {
    let crew = Crew::new(&LONG_DEADLINE).await?;
    let (mut first, mut second) = crew.two().await?;
    let w = &crew.world;
    w.ready_cluster("orders", json!({})).await?;
    at_rest(w, 3).await?;

    first.process.pause()?;
    let stood = Instant::now();
    // Both see this: the one now, the other when it goes on.
    w.patch("DwsCluster", "orders", json!({"spec": {"nodeCount": 5}}))
        .await?;
    w.request("orders", "restart-requested-at").await?;
    second.works(TAKE_OVER).await?;
    at_rest(w, 5).await?;
    w.until("DwsCluster", "orders", "restarted", |one| {
        one["status"]["handled"]["restart"].is_string()
    })
    .await?;
    goes_on(&crew, &mut first, stood, "while idle").await?;
    at_rest(w, 5).await?;
    w.executed("orders", "resize", 1).await?;
    w.executed("orders", "restart", 1).await
}

/// Holds back the answer to the write of an intent of this kind, which is stored all the same.
struct Between {
    armed: Arc<AtomicBool>,
    reached: Arc<Notify>,
    release: Arc<Notify>,
}

impl Between {
    fn new(kind: &'static str) -> (Self, Judge) {
        let between = Self {
            armed: Arc::default(),
            reached: Arc::default(),
            release: Arc::default(),
        };
        let (armed, reached, release) = (
            between.armed.clone(),
            between.reached.clone(),
            between.release.clone(),
        );
        let judge: Judge = Arc::new(move |seen| {
            let body = seen.json();
            let operation = &body["status"]["operation"];
            let is_it = seen.method == http::Method::PUT
                && operation["kind"] == kind
                && operation["phase"] == "Intended";
            if !is_it || !armed.swap(false, Ordering::SeqCst) {
                return Verdict::Pass;
            }
            let (reached, release) = (reached.clone(), release.clone());
            Verdict::Change(Box::new(move |bytes| {
                // The headers are there: the API server has stored it.
                reached.notify_one();
                futures::stream::once(async move {
                    release.notified().await;
                    bytes
                })
                .flatten()
                .boxed()
            }))
        });
        (between, judge)
    }
}

/// The worst moment: the intent is stored and its answer is waiting, so the next thing that it does when it goes
/// on is to send the call. A resize is relative: sent twice it buys twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn between_an_intent_and_its_call() -> Result<()> {
    let crew = Crew::new(&LONG_DEADLINE).await?;
    let (between, judge) = Between::new("Resize");
    let (mut first, mut second) = crew.two_with(judge).await?;
    let w = &crew.world;
    w.ready_cluster("orders", json!({})).await?;
    at_rest(w, 3).await?;

    between.armed.store(true, Ordering::SeqCst);
    w.patch("DwsCluster", "orders", json!({"spec": {"nodeCount": 5}}))
        .await?;
    tokio::time::timeout(SOON, between.reached.notified()).await?;
    first.process.pause()?;
    let stood = Instant::now();
    between.release.notify_one();
    ensure!(w.effects("orders", "resize").await?.is_empty());
    second.works(TAKE_OVER).await?;
    // It finds an intent whose outcome it does not know, waits, reads, and sends it anew.
    at_rest(w, 5).await?;
    goes_on(&crew, &mut first, stood, "between an intent and its call").await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    at_rest(w, 5).await?;
    w.executed("orders", "resize", 1).await?;
    let truth = w.truth("orders").await?.unwrap_or_default();
    ensure!(truth["nodes"] == 5, "{truth}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn during_a_slow_call() -> Result<()> {
    let crew = Crew::new(&LONG_DEADLINE).await?;
    let (mut first, mut second) = crew.two().await?;
    let w = &crew.world;
    w.ready_cluster("orders", json!({})).await?;
    at_rest(w, 3).await?;
    w.tell(
        "faults",
        json!({"operation": "resize_cluster", "kind": "slow", "after": 3}),
    )
    .await?;
    w.patch("DwsCluster", "orders", json!({"spec": {"nodeCount": 5}}))
        .await?;
    w.received("resize_cluster", "").await?;
    first.process.pause()?;
    let stood = Instant::now();
    second.works(TAKE_OVER).await?;
    at_rest(w, 5).await?;
    // Its answer has waited for it all the time; it finds no place any more, and harms nothing.
    goes_on(&crew, &mut first, stood, "during a slow call").await?;
    at_rest(w, 5).await?;
    w.executed("orders", "resize", 1).await
}

/// Shorter than its lease: it goes on as if nothing had been.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn for_less_than_its_lease() -> Result<()> {
    let crew = Crew::new(&LONG_DEADLINE).await?;
    let (mut first, second) = crew.two().await?;
    let w = &crew.world;
    w.ready_cluster("orders", json!({})).await?;
    first.process.pause()?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    first.process.resume()?;
    w.patch("DwsCluster", "orders", json!({"spec": {"nodeCount": 5}}))
        .await?;
    at_rest(w, 5).await?;
    ensure!(first.process.exit()?.is_none() && first.leads().await?);
    ensure!(!second.leads().await?);
    w.executed("orders", "resize", 1).await
}
