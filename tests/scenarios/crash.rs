//! `kill -9` at the classic places: each ends in the right state, each effect executed once.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};

use crate::runner::scenarios;
use crate::stacks::{args, fresh};
use crate::support::Result;
use crate::support::stack::{Options, Stack};
use crate::world::{World, condition};

scenarios!(crash:
    after_the_intent_of_a_create,
    after_a_create_before_its_id_is_stored,
    after_a_restore_before_its_id_is_stored,
    after_the_intent_of_a_resize,
    after_a_resize_before_its_answer,
    after_a_restart_before_its_answer,
    after_a_password_reset_before_its_answer,
    after_a_snapshot_before_its_id_is_stored,
    after_a_delete_before_its_answer,
    during_the_final_snapshot,
    again_and_again_through_a_whole_life,
    polite_end_and_a_new_start,
    a_polite_end_stores_the_answer_of_a_call_in_flight,
);

/// The next request of this operation is held open (executed or not) and the operator dies there.
async fn die_in(w: &World, stack: &mut Stack, operation: &str, executed: bool) -> Result<()> {
    let kind = if executed {
        "lost_after"
    } else {
        "lost_before"
    };
    w.tell(
        "faults",
        json!({"operation": operation, "kind": kind, "hang": true}),
    )
    .await?;
    let _ = stack;
    Ok(())
}

/// Waits for the held request, kills the operator and starts another.
async fn killed(w: &World, stack: &mut Stack, operation: &str) -> Result<()> {
    w.received(operation, "").await?;
    tokio::time::sleep(Duration::from_millis(150)).await;
    stack.kill_operator()?;
    stack.start_operator().await
}

async fn world() -> Result<(World, Stack)> {
    World::own(Options::default()).await
}

/// Whose calls are given time, so that what is looked at during one is not over on a busy machine.
async fn patient_world() -> Result<(World, Stack)> {
    let options = Options {
        operator: args(&["--request-timeout", "20s"]),
        ..Options::default()
    };
    World::own(options).await
}

async fn after_the_intent_of_a_create() -> Result<()> {
    let (w, mut stack) = patient_world().await?;
    let name = fresh("crash");
    die_in(&w, &mut stack, "create_cluster", false).await?;
    w.cluster(&name, json!({})).await?;
    w.received("create_cluster", "").await?;
    let stored = w.get("DwsCluster", &name).await?;
    ensure!(
        stored["status"]["operation"]["phase"] == "Intended"
            && stored["metadata"]["finalizers"][0].is_string(),
        "{stored}"
    );
    killed(&w, &mut stack, "create_cluster").await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.connects(&name).await?;
    w.executed(&name, "create", 1).await
}

async fn after_a_create_before_its_id_is_stored() -> Result<()> {
    let (w, mut stack) = world().await?;
    let name = fresh("crash");
    die_in(&w, &mut stack, "create_cluster", true).await?;
    w.cluster(&name, json!({})).await?;
    killed(&w, &mut stack, "create_cluster").await?;
    let cluster = w
        .until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    ensure!(cluster["status"]["adopted"] == false);
    w.connects(&name).await?;
    w.executed(&name, "create", 1).await
}

async fn after_a_restore_before_its_id_is_stored() -> Result<()> {
    let (w, mut stack) = world().await?;
    let (name, snap, copy) = (fresh("crash"), fresh("snap"), fresh("copy"));
    w.ready_cluster(&name, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    die_in(&w, &mut stack, "restore_cluster", true).await?;
    w.create("DwsCluster", &copy, json!({"spec": {"deletionPolicy": "Delete", "restoreFrom": {"snapshotRef": {"name": snap}}}})).await?;
    killed(&w, &mut stack, "restore_cluster").await?;
    w.until_condition("DwsCluster", &copy, "Ready", "True", "Available")
        .await?;
    w.connects(&copy).await?;
    w.executed(&copy, "restore", 1).await
}

async fn after_the_intent_of_a_resize() -> Result<()> {
    let (w, mut stack) = world().await?;
    let name = fresh("crash");
    w.ready_cluster(&name, json!({})).await?;
    die_in(&w, &mut stack, "resize_cluster", false).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 6}}))
        .await?;
    killed(&w, &mut stack, "resize_cluster").await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 6
    })
    .await?;
    grown_once(&w, &name).await
}

async fn grown_once(w: &World, name: &str) -> Result<()> {
    w.executed(name, "resize", 1).await?;
    let nodes = w.truth(name).await?.unwrap_or_default()["nodes"].clone();
    ensure!(nodes == 6, "{nodes} nodes");
    Ok(())
}

async fn after_a_resize_before_its_answer() -> Result<()> {
    let (w, mut stack) = world().await?;
    let name = fresh("crash");
    w.ready_cluster(&name, json!({})).await?;
    die_in(&w, &mut stack, "resize_cluster", true).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 6}}))
        .await?;
    killed(&w, &mut stack, "resize_cluster").await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 6
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    grown_once(&w, &name).await
}

async fn after_a_restart_before_its_answer() -> Result<()> {
    let (w, mut stack) = world().await?;
    let name = fresh("crash");
    w.ready_cluster(&name, json!({})).await?;
    die_in(&w, &mut stack, "restart_cluster", true).await?;
    w.request(&name, "restart-requested-at").await?;
    killed(&w, &mut stack, "restart_cluster").await?;
    // Settled by the restart that is seen, or told as unknown; never repeated.
    w.until("DwsCluster", &name, "settled or told", settled_or_told)
        .await?;
    tokio::time::sleep(Duration::from_secs(6)).await;
    w.executed(&name, "restart", 1).await
}

fn settled_or_told(one: &Value) -> bool {
    one["status"]["operation"].is_null() || one["status"]["operation"]["phase"] == "OutcomeUnknown"
}

async fn after_a_password_reset_before_its_answer() -> Result<()> {
    let (w, mut stack) = world().await?;
    let name = fresh("crash");
    w.ready_cluster(&name, json!({})).await?;
    die_in(&w, &mut stack, "reset_password", true).await?;
    w.request(&name, "rotate-password-requested-at").await?;
    killed(&w, &mut stack, "reset_password").await?;
    w.event(&name, "PasswordChanged").await?;
    w.connects(&name).await?;
    w.executed(&name, "reset_password", 1).await
}

async fn after_a_snapshot_before_its_id_is_stored() -> Result<()> {
    let (w, mut stack) = world().await?;
    let (name, snap) = (fresh("crash"), fresh("snap"));
    w.ready_cluster(&name, json!({})).await?;
    die_in(&w, &mut stack, "create_snapshot", true).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    killed(&w, &mut stack, "create_snapshot").await?;
    let made = w
        .until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    ensure!(made["status"]["adopted"] == false);
    w.executed(&snap, "snapshot", 1).await
}

async fn after_a_delete_before_its_answer() -> Result<()> {
    let (w, mut stack) = world().await?;
    let name = fresh("crash");
    w.ready_cluster(&name, json!({})).await?;
    die_in(&w, &mut stack, "delete_cluster", true).await?;
    w.delete("DwsCluster", &name).await?;
    killed(&w, &mut stack, "delete_cluster").await?;
    w.gone("DwsCluster", &name).await?;
    ensure!(w.truth(&name).await?.is_none());
    w.executed(&name, "delete_cluster", 1).await
}

async fn during_the_final_snapshot() -> Result<()> {
    let (w, mut stack) = world().await?;
    let name = fresh("crash");
    w.ready_cluster(&name, json!({"deletionPolicy": "Snapshot"}))
        .await?;
    die_in(&w, &mut stack, "create_snapshot", true).await?;
    w.delete("DwsCluster", &name).await?;
    killed(&w, &mut stack, "create_snapshot").await?;
    w.gone("DwsCluster", &name).await?;
    let snapshots = w.sim("snapshots").await?;
    let kept: Vec<_> = crate::world::items(&snapshots, "snapshots").collect();
    ensure!(
        kept.len() == 1 && kept[0]["status"] == "AVAILABLE",
        "{kept:?}"
    );
    w.executed(&name, "delete_cluster", 1).await
}

async fn again_and_again_through_a_whole_life() -> Result<()> {
    let (w, mut stack) = world().await?;
    let name = fresh("crash");
    w.cluster(&name, json!({})).await?;
    let mut kills = 0;
    // Moments spread over the phases of each step; the primes keep them from falling into step.
    for (step, change) in [
        None,
        Some(json!({"nodeCount": 4})),
        Some(json!({"nodeCount": 6})),
    ]
    .into_iter()
    .enumerate()
    {
        if let Some(change) = change {
            w.until("DwsCluster", &name, "at rest", |one| {
                condition(one, "Ready").0 == "True" && one["status"]["operation"].is_null()
            })
            .await?;
            w.patch("DwsCluster", &name, json!({"spec": change}))
                .await?;
        }
        for turn in 0..3_u64 {
            tokio::time::sleep(Duration::from_millis(37 + 211 * turn + 53 * step as u64)).await;
            stack.kill_operator()?;
            stack.start_operator().await?;
            kills += 1;
        }
    }
    w.until("DwsCluster", &name, "at 6", |one| {
        one["status"]["settledNodeCount"] == 6 && condition(one, "Ready").0 == "True"
    })
    .await?;
    w.connects(&name).await?;
    w.executed(&name, "create", 1).await?;
    let added: i64 = w
        .effects(&name, "resize")
        .await?
        .iter()
        .filter_map(|one| one["added"].as_i64())
        .sum();
    ensure!(added == 3, "{added} nodes were bought");
    w.delete("DwsCluster", &name).await?;
    for turn in 0..2_u64 {
        tokio::time::sleep(Duration::from_millis(90 + 140 * turn)).await;
        stack.kill_operator()?;
        stack.start_operator().await?;
        kills += 1;
    }
    w.gone("DwsCluster", &name).await?;
    ensure!(w.truth(&name).await?.is_none());
    crate::support::figures::figure(
        "scenarios",
        &format!("{kills} kills of one operator through one life, each effect once"),
    );
    Ok(())
}

async fn polite_end_and_a_new_start() -> Result<()> {
    let (w, mut stack) = world().await?;
    let name = fresh("crash");
    w.ready_cluster(&name, json!({})).await?;
    if let Some(mut operator) = stack.operator.take() {
        operator.terminate()?;
        let status = operator.wait_exit(Duration::from_secs(20)).await?;
        ensure!(status.success(), "it ended with {status}");
    }
    // What happened while nobody looked is seen afterwards.
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    w.outside(json!({"change": "set_sub_status", "cluster": name, "sub_status": "DEGRADED"}))
        .await?;
    stack.start_operator().await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 4
    })
    .await?;
    w.executed(&name, "resize", 1).await
}

/// SIGTERM while a create is under way: its answer is stored before the process ends, with 0.
async fn a_polite_end_stores_the_answer_of_a_call_in_flight() -> Result<()> {
    let (w, mut stack) = patient_world().await?;
    let name = fresh("crash");
    w.tell(
        "faults",
        json!({"operation": "create_cluster", "kind": "slow", "after": 2}),
    )
    .await?;
    w.cluster(&name, json!({})).await?;
    w.received("create_cluster", "").await?;
    let mut operator = stack
        .operator
        .take()
        .ok_or_else(|| anyhow::anyhow!("no operator runs"))?;
    operator.terminate()?;
    let status = operator.wait_exit(Duration::from_secs(40)).await?;
    ensure!(status.success(), "{status}");
    let stored = w.get("DwsCluster", &name).await?;
    ensure!(stored["status"]["clusterId"].is_string(), "{stored}");
    ensure!(
        stored["status"]["operation"]["phase"] == "Accepted",
        "{stored}"
    );
    stack.start_operator().await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.executed(&name, "create", 1).await
}
