//! The leader loses the API server, and the others do not; or the API server does not let it near the lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;
use tokio::sync::Notify;

use crate::crew::{Crew, FIRST, TAKE_OVER};
use crate::support::Result;
use crate::support::figures::figure;
use crate::support::proxy::Verdict;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_leader_without_an_api_server_ends_before_the_next_one_begins() -> Result<()> {
    let crew = Crew::new(&[]).await?;
    let cut = Arc::new(AtomicBool::new(false));
    let is_cut = cut.clone();
    let (mut first, mut second) = crew
        .two_with(Arc::new(move |_| {
            if is_cut.load(Ordering::SeqCst) {
                // A network that swallows everything.
                return Verdict::Hold {
                    executed: false,
                    reached: Arc::new(Notify::new()),
                };
            }
            Verdict::Pass
        }))
        .await?;
    let w = &crew.world;
    w.ready_cluster("orders", json!({})).await?;

    let begin = Instant::now();
    cut.store(true, Ordering::SeqCst);
    first.cut_kubernetes();
    let ended = async {
        first.ends(1, "the lease is lost", TAKE_OVER).await?;
        Ok::<_, anyhow::Error>(begin.elapsed())
    };
    let taken = async {
        let leads = second.process.wait_for_log("leading", 0, TAKE_OVER).await?;
        ensure!(leads.contains("renewed it no more"), "{leads}");
        Ok(begin.elapsed())
    };
    let (ended, taken) = futures::try_join!(ended, taken)?;
    figure(
        "leaders",
        &format!(
            "a leader without an API server ended after {:.1} s, its follower took over after {:.1} s",
            ended.as_secs_f64(),
            taken.as_secs_f64()
        ),
    );
    ensure!(ended < taken, "{ended:?}, {taken:?}");
    ensure!(ended < Duration::from_secs(13), "{ended:?}");
    second.works(TAKE_OVER).await?;
    w.patch("DwsCluster", "orders", json!({"spec": {"nodeCount": 4}}))
        .await?;
    w.until("DwsCluster", "orders", "grown", |one| {
        one["status"]["settledNodeCount"] == 4
    })
    .await?;
    w.executed("orders", "resize", 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_lease_that_is_forbidden_is_told_and_waited_for() -> Result<()> {
    let crew = Crew::new(&[]).await?;
    let forbidden = Arc::new(AtomicBool::new(true));
    let is_forbidden = forbidden.clone();
    let mut only = crew
        .replica(
            FIRST,
            Arc::new(move |seen| {
                if seen.path.contains("/leases") && is_forbidden.load(Ordering::SeqCst) {
                    let no = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden",
                        "message": "leases.coordination.k8s.io is forbidden", "code": 403});
                    return Verdict::Answer(403, no);
                }
                Verdict::Pass
            }),
        )
        .await?;
    let line = only
        .process
        .wait_for_log("does not let this operator get Lease", 0, TAKE_OVER)
        .await?;
    ensure!(line.contains("grant it get, create and update"), "{line}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let log = only.process.log();
    ensure!(
        log.matches("does not let this operator").count() == 1,
        "{log}"
    );
    ensure!(crew.changes_of(&only, 0).await?.is_empty());
    forbidden.store(false, Ordering::SeqCst);
    only.works(TAKE_OVER).await?;
    Ok(())
}
