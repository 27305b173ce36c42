//! Snapshots: taken once and in turn, adopted, kept or deleted, never under a running restore.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use crate::runner::scenarios;
use crate::stacks::fresh;
use crate::support::Result;
use crate::world::{World, condition, message};

scenarios!(snapshots:
    one_is_taken_once,
    it_waits_until_its_cluster_is_available,
    several_go_by_age,
    by_cluster_id_without_a_cluster_resource,
    an_existing_one_is_adopted_and_kept,
    an_unknown_id_is_waited_for,
    one_of_another_cluster_is_not_adopted,
    deleted_with_its_resource,
    retained_where_it_says_so,
    a_failed_one_is_stalled,
    never_deleted_under_a_running_restore,
    a_vanished_one_is_lost,
    none_is_started_of_a_cluster_in_deletion,
    a_resize_comes_first,
    a_name_that_is_taken_is_told_and_mended_in_place,
);

async fn one_is_taken_once() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("snapped"), fresh("snap"));
    let cluster = w.ready_cluster(&name, json!({})).await?;
    w.snapshot(
        &snap,
        json!({"clusterRef": {"name": name}, "description": "before the change"}),
    )
    .await?;
    let made = w
        .until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    ensure!(condition(&made, "Synced").0 == "True" && condition(&made, "Reconciling").0.is_empty());
    let status = &made["status"];
    ensure!(
        status["type"] == "MANUAL" && status["status"] == "AVAILABLE" && status["adopted"] == false,
        "{status}"
    );
    ensure!(
        status["clusterId"] == cluster["status"]["clusterId"]
            && status["startedAt"].is_string()
            && status["sizeGb"].is_number(),
        "{status}"
    );
    w.event(&snap, "SnapshotStarted").await?;
    w.event(&snap, "SnapshotFinished").await?;
    w.executed(&snap, "snapshot", 1).await
}

async fn it_waits_until_its_cluster_is_available() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("snapped"), fresh("snap"));
    w.cluster(&name, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    let waits = w
        .until_condition(
            "DwsSnapshot",
            &snap,
            "Reconciling",
            "True",
            "WaitingForCluster",
        )
        .await?;
    ensure!(condition(&waits, "Stalled").0.is_empty() && waits["status"]["operation"].is_null());
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.executed(&snap, "snapshot", 1).await
}

async fn several_go_by_age() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("snapped"));
    w.cluster(&name, json!({})).await?;
    let mut all = vec![fresh("z"), fresh("m"), fresh("a")]
        .into_iter()
        .map(|one| format!("{one}-snap"))
        .collect::<Vec<_>>();
    for snap in &all {
        w.snapshot(snap, json!({"clusterRef": {"name": name}}))
            .await?;
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    for snap in &all {
        w.until_condition("DwsSnapshot", snap, "Ready", "True", "Available")
            .await?;
        w.executed(snap, "snapshot", 1).await?;
    }
    let ledger = w.sim("ledger").await?;
    let order: Vec<String> = crate::world::items(&ledger, "effects")
        .filter(|one| one["effect"] == "snapshot")
        .filter_map(|one| one["name"].as_str().map(str::to_owned))
        .filter(|one| all.contains(one))
        .collect();
    all.retain(|one| order.contains(one));
    ensure!(order == all, "{order:?}, not {all:?}");
    Ok(())
}

async fn by_cluster_id_without_a_cluster_resource() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("snapped"), fresh("snap"));
    let id = w.console_cluster(&name).await?;
    w.snapshot(&snap, json!({"clusterId": id})).await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.executed(&snap, "snapshot", 1).await
}

async fn an_existing_one_is_adopted_and_kept() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("snapped"), fresh("snap"));
    let cluster = w.console_cluster(&name).await?;
    let id = w
        .outside(json!({"change": "snapshot", "cluster": name, "name": snap}))
        .await?;
    w.snapshot(&snap, json!({"clusterId": cluster, "snapshotId": id}))
        .await?;
    let held = w
        .until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    ensure!(held["status"]["adopted"] == true && held["status"]["snapshotId"] == id.as_str());
    w.event(&snap, "Adopted").await?;
    w.delete("DwsSnapshot", &snap).await?;
    w.gone("DwsSnapshot", &snap).await?;
    ensure!(w.true_snapshot(&id).await?.is_some());
    w.executed(&snap, "delete_snapshot", 0).await
}

async fn an_unknown_id_is_waited_for() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("snapped"), fresh("snap"));
    let cluster = w.console_cluster(&name).await?;
    let unknown = "12345678-1234-4234-8234-123456789abd";
    w.snapshot(&snap, json!({"clusterId": cluster, "snapshotId": unknown}))
        .await?;
    let told = w
        .until_condition(
            "DwsSnapshot",
            &snap,
            "Reconciling",
            "True",
            "WaitingForReference",
        )
        .await?;
    ensure!(message(&told, "Reconciling").contains(unknown));
    let id = w
        .outside(json!({"change": "snapshot", "cluster": name, "name": snap}))
        .await?;
    w.patch("DwsSnapshot", &snap, json!({"spec": {"snapshotId": id}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    Ok(())
}

async fn one_of_another_cluster_is_not_adopted() -> Result<()> {
    let (w, name, other, snap) = (
        World::shared().await?,
        fresh("snapped"),
        fresh("other"),
        fresh("snap"),
    );
    w.console_cluster(&name).await?;
    let cluster = w.console_cluster(&other).await?;
    let id = w
        .outside(json!({"change": "snapshot", "cluster": name, "name": snap}))
        .await?;
    w.snapshot(&snap, json!({"clusterId": cluster, "snapshotId": id}))
        .await?;
    let told = w
        .until_condition("DwsSnapshot", &snap, "Stalled", "True", "InvalidSpec")
        .await?;
    ensure!(told["status"]["snapshotId"].is_null() && message(&told, "Stalled").contains(&cluster));
    Ok(())
}

async fn deleted_with_its_resource() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("snapped"), fresh("snap"));
    w.ready_cluster(&name, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.delete("DwsSnapshot", &snap).await?;
    w.gone("DwsSnapshot", &snap).await?;
    ensure!(w.true_snapshot(&snap).await?.is_none());
    w.executed(&snap, "delete_snapshot", 1).await
}

async fn retained_where_it_says_so() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("snapped"), fresh("snap"));
    w.ready_cluster(&name, json!({})).await?;
    w.snapshot(
        &snap,
        json!({"clusterRef": {"name": name}, "deletionPolicy": "Retain"}),
    )
    .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.delete("DwsSnapshot", &snap).await?;
    w.gone("DwsSnapshot", &snap).await?;
    w.event(&snap, "Retained").await?;
    ensure!(w.true_snapshot(&snap).await?.is_some());
    Ok(())
}

async fn a_failed_one_is_stalled() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("snapped"), fresh("snap"));
    w.ready_cluster(&name, json!({})).await?;
    w.tell(
        "faults",
        json!({"operation": "create_snapshot", "target": snap, "kind": "fail_task"}),
    )
    .await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Stalled", "True", "SnapshotFailed")
        .await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    w.executed(&snap, "snapshot", 1).await?;
    w.delete("DwsSnapshot", &snap).await?;
    w.gone("DwsSnapshot", &snap).await?;
    ensure!(
        w.true_snapshot(&snap).await?.is_none(),
        "the failed snapshot was left behind"
    );
    Ok(())
}

async fn never_deleted_under_a_running_restore() -> Result<()> {
    let (w, name, snap, copy) = (
        World::shared().await?,
        fresh("snapped"),
        fresh("snap"),
        fresh("copy"),
    );
    w.ready_cluster(&name, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.create("DwsCluster", &copy, json!({"spec": {"deletionPolicy": "Delete", "restoreFrom": {"snapshotRef": {"name": snap}}}})).await?;
    w.until("DwsCluster", &copy, "restoring", |one| {
        one["status"]["clusterId"].is_string()
    })
    .await?;
    w.delete("DwsSnapshot", &snap).await?;
    w.until_condition("DwsCluster", &copy, "Ready", "True", "Available")
        .await?;
    w.gone("DwsSnapshot", &snap).await?;
    // The order in the ledger: the restore was complete (its password was set) before the snapshot went.
    let ledger = w.sim("ledger").await?;
    let number = |name: &str, kind: &str| {
        crate::world::items(&ledger, "effects")
            .find(|one| one["name"] == name && one["effect"] == kind)
            .and_then(|one| one["at"].as_str().map(str::to_owned))
    };
    let (restored, deleted) = (number(&copy, "restore"), number(&snap, "delete_snapshot"));
    ensure!(
        restored.is_some() && restored < deleted,
        "{restored:?} {deleted:?}"
    );
    w.executed(&copy, "restore", 1).await
}

async fn a_vanished_one_is_lost() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("snapped"), fresh("snap"));
    w.ready_cluster(&name, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.outside(json!({"change": "delete_snapshot", "snapshot": snap}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Stalled", "True", "Lost")
        .await?;
    w.executed(&snap, "snapshot", 1).await?;
    w.delete("DwsSnapshot", &snap).await?;
    w.gone("DwsSnapshot", &snap).await
}

async fn none_is_started_of_a_cluster_in_deletion() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("snapped"), fresh("snap"));
    w.ready_cluster(&name, json!({"deletionProtection": true}))
        .await?;
    w.delete("DwsCluster", &name).await?;
    w.until_condition("DwsCluster", &name, "Ready", "False", "DeletionBlocked")
        .await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition(
        "DwsSnapshot",
        &snap,
        "Reconciling",
        "True",
        "WaitingForCluster",
    )
    .await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    w.executed(&snap, "snapshot", 0).await?;
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"deletionProtection": false}}),
    )
    .await?;
    w.gone("DwsCluster", &name).await
}

async fn a_resize_comes_first() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("snapped"), fresh("snap"));
    w.ready_cluster(&name, json!({})).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    w.until("DwsCluster", &name, "resizing", |one| {
        one["status"]["operation"]["kind"] == "Resize" || one["status"]["settledNodeCount"] == 4
    })
    .await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.executed(&name, "resize", 1).await?;
    w.executed(&snap, "snapshot", 1).await
}

async fn a_name_that_is_taken_is_told_and_mended_in_place() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("user"), fresh("snap"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "snapshot", "cluster": name, "name": snap.to_uppercase()}))
        .await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    let told = w
        .until_condition("DwsSnapshot", &snap, "Stalled", "True", "NameConflict")
        .await?;
    let text = message(&told, "Stalled");
    ensure!(
        text.contains("snapshotName") && text.contains("without case"),
        "{text}"
    );
    w.executed(&snap, "snapshot", 0).await?;
    let mine = format!("{snap}-mine");
    w.patch(
        "DwsSnapshot",
        &snap,
        json!({"spec": {"snapshotName": mine}}),
    )
    .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.executed(&mine, "snapshot", 1).await
}
