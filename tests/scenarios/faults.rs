//! Answers that are lost, late or nonsense, and a service that throttles or is down.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};

use crate::runner::scenarios;
use crate::stacks::fresh;
use crate::support::Result;
use crate::support::stack::{Options, Stack};
use crate::world::{World, condition, message};

scenarios!(faults:
    a_create_whose_answer_is_lost_is_claimed,
    a_create_that_never_arrived_is_sent_again_after_the_window,
    a_create_that_lands_late_is_not_doubled,
    a_resize_whose_answer_is_a_504_is_not_doubled,
    a_resize_that_never_arrived_is_sent_again,
    a_restart_that_never_arrived_is_told_and_acknowledged,
    a_garbled_answer_of_a_snapshot,
    a_busy_service_is_waited_for,
    a_throttled_service_is_told_and_recovers,
    a_service_that_is_down_keeps_ready,
    a_late_create_after_the_deletion_is_cleaned_up,
    wrong_lists_lose_nothing,
);

async fn world(fault: Value) -> Result<(World, Stack, String)> {
    let (w, stack) = World::own(Options::default()).await?;
    if !fault.is_null() {
        w.tell("faults", fault).await?;
    }
    Ok((w, stack, fresh("fault")))
}

async fn a_create_whose_answer_is_lost_is_claimed() -> Result<()> {
    let (w, _stack, name) =
        world(json!({"operation": "create_cluster", "kind": "lost_after"})).await?;
    let cluster = w.ready_cluster(&name, json!({})).await?;
    ensure!(cluster["status"]["adopted"] == false);
    w.event(&name, "AnswerLost").await?;
    w.event(&name, "Claimed").await?;
    w.connects(&name).await?;
    w.executed(&name, "create", 1).await
}

async fn a_create_that_never_arrived_is_sent_again_after_the_window() -> Result<()> {
    let (w, _stack, name) =
        world(json!({"operation": "create_cluster", "kind": "lost_before"})).await?;
    w.ready_cluster(&name, json!({})).await?;
    w.connects(&name).await?;
    w.executed(&name, "create", 1).await
}

async fn a_create_that_lands_late_is_not_doubled() -> Result<()> {
    let (w, _stack, name) =
        world(json!({"operation": "create_cluster", "kind": "late", "after": 2.5, "status": 504}))
            .await?;
    w.ready_cluster(&name, json!({})).await?;
    w.connects(&name).await?;
    w.executed(&name, "create", 1).await
}

async fn a_resize_whose_answer_is_a_504_is_not_doubled() -> Result<()> {
    let (w, _stack, name) =
        world(json!({"operation": "resize_cluster", "kind": "late", "after": 2.5, "status": 504}))
            .await?;
    w.ready_cluster(&name, json!({})).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 6}}))
        .await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 6
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    w.executed(&name, "resize", 1).await?;
    let nodes = w.truth(&name).await?.unwrap_or_default()["nodes"].clone();
    ensure!(nodes == 6, "{nodes} nodes");
    Ok(())
}

async fn a_resize_that_never_arrived_is_sent_again() -> Result<()> {
    let (w, _stack, name) =
        world(json!({"operation": "resize_cluster", "kind": "lost_before"})).await?;
    w.ready_cluster(&name, json!({})).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 6}}))
        .await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 6
    })
    .await?;
    w.executed(&name, "resize", 1).await
}

async fn a_restart_that_never_arrived_is_told_and_acknowledged() -> Result<()> {
    let (w, _stack, name) =
        world(json!({"operation": "restart_cluster", "kind": "lost_before"})).await?;
    w.ready_cluster(&name, json!({})).await?;
    w.request(&name, "restart-requested-at").await?;
    let told = w
        .until_condition("DwsCluster", &name, "Synced", "False", "OutcomeUnknown")
        .await?;
    ensure!(
        condition(&told, "Stalled").0.is_empty() && condition(&told, "Ready").0 == "True",
        "{told}"
    );
    let id = told["status"]["operation"]["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    ensure!(
        message(&told, "Synced").contains(&id),
        "the message does not name the attempt"
    );
    // It blocks only its own kind.
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 4
    })
    .await?;
    w.executed(&name, "restart", 0).await?;
    w.annotate("DwsCluster", &name, "acknowledge-attempt", &id)
        .await?;
    w.until_condition("DwsCluster", &name, "Synced", "True", "InSync")
        .await?;
    w.executed(&name, "restart", 0).await?;
    w.request(&name, "restart-requested-at").await?;
    w.event(&name, "Restarted").await?;
    w.executed(&name, "restart", 1).await
}

async fn a_garbled_answer_of_a_snapshot() -> Result<()> {
    let (w, _stack, name) =
        world(json!({"operation": "create_snapshot", "kind": "garbled", "executed": true})).await?;
    let snap = fresh("snap");
    w.ready_cluster(&name, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.executed(&snap, "snapshot", 1).await
}

async fn a_busy_service_is_waited_for() -> Result<()> {
    let (w, _stack, name) = world(
        json!({"operation": "resize_cluster", "kind": "refused", "code": "DWS.0011", "times": 2}),
    )
    .await?;
    w.ready_cluster(&name, json!({})).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    let cluster = w
        .until("DwsCluster", &name, "grown", |one| {
            one["status"]["settledNodeCount"] == 4
        })
        .await?;
    ensure!(condition(&cluster, "Stalled").0.is_empty());
    w.executed(&name, "resize", 1).await
}

async fn a_throttled_service_is_told_and_recovers() -> Result<()> {
    let (w, _stack, name) = world(Value::Null).await?;
    w.ready_cluster(&name, json!({})).await?;
    w.tell("faults", json!({"kind": "throttled", "times": null}))
        .await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    let told = w
        .until_condition("DwsCluster", &name, "Synced", "False", "Throttled")
        .await?;
    ensure!(condition(&told, "Ready").0 == "True" && condition(&told, "Stalled").0.is_empty());
    clear(&w).await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 4 && condition(one, "Synced").0 == "True"
    })
    .await?;
    w.executed(&name, "resize", 1).await
}

/// Takes all faults away.
async fn clear(w: &World) -> Result<()> {
    w.forget_faults().await
}

async fn a_service_that_is_down_keeps_ready() -> Result<()> {
    let (w, _stack, name) = world(Value::Null).await?;
    let cluster = w.ready_cluster(&name, json!({})).await?;
    w.tell(
        "faults",
        json!({"kind": "status", "status": 503, "times": null}),
    )
    .await?;
    let told = w
        .until_condition("DwsCluster", &name, "Synced", "False", "ServiceUnavailable")
        .await?;
    ensure!(condition(&told, "Ready") == ("True", "Available"), "{told}");
    ensure!(told["status"]["clusterId"] == cluster["status"]["clusterId"]);
    // A deletion holds its finalizer meanwhile.
    w.delete("DwsCluster", &name).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    ensure!(!w.get("DwsCluster", &name).await?.is_null());
    clear(&w).await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "delete_cluster", 1).await
}

async fn a_late_create_after_the_deletion_is_cleaned_up() -> Result<()> {
    let (w, _stack, name) =
        world(json!({"operation": "create_cluster", "kind": "late", "after": 3.5, "status": 502}))
            .await?;
    w.cluster(&name, json!({})).await?;
    w.until("DwsCluster", &name, "ambiguous", |one| {
        one["status"]["operation"]["phase"] == "Ambiguous"
    })
    .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    ensure!(
        w.truth(&name).await?.is_none(),
        "a late cluster was left behind"
    );
    w.executed(&name, "create", 1).await?;
    w.executed(&name, "delete_cluster", 1).await
}

async fn wrong_lists_lose_nothing() -> Result<()> {
    let (w, _stack, name) = world(Value::Null).await?;
    w.ready_cluster(&name, json!({})).await?;
    // Lists without the cluster, and details that say not found in the manner of missing permissions.
    w.tell("oddities", json!({"count": "one_missing"})).await?;
    w.tell(
        "faults",
        json!({"operation": "show_cluster", "kind": "refused", "code": "DWS.0015", "times": null}),
    )
    .await?;
    w.request(&name, "restart-requested-at").await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let cluster = w.get("DwsCluster", &name).await?;
    ensure!(condition(&cluster, "Stalled").1 != "Lost", "{cluster}");
    w.delete("DwsCluster", &name).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    ensure!(
        !w.get("DwsCluster", &name).await?.is_null(),
        "the finalizer went on an incomplete list"
    );
    clear(&w).await?;
    w.tell("oddities", json!({"count": "number"})).await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "delete_cluster", 1).await
}
