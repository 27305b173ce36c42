//! Each line of the deletion list: what is kept, what is waited for, what blocks and how it is freed.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};

use crate::runner::scenarios;
use crate::stacks::fresh;
use crate::support::Result;
use crate::world::{World, condition, message};

scenarios!(deletion:
    delete_takes_no_snapshot,
    snapshot_is_the_default_and_keeps_a_final_one,
    retain_forgets_and_leaves_the_secret,
    a_secret_that_was_kept_goes_with_its_cluster,
    nothing_made_is_forgotten,
    protection_blocks_until_it_is_taken_off,
    the_policy_may_change_while_it_is_deleted,
    unavailable_under_snapshot_blocks_with_the_ways_out,
    unavailable_under_delete_is_deleted,
    a_running_task_is_waited_for,
    creating_is_waited_for,
    a_failed_final_snapshot_is_taken_once_more,
    snapshots_that_resources_stand_for_survive,
    the_finalizer_stays_until_absence_is_confirmed,
    a_console_deletion_under_way_is_awaited,
    stalled_never_blocks,
);

async fn delete_takes_no_snapshot() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("gone"));
    w.ready_cluster(&name, json!({})).await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "delete_cluster", 1).await?;
    ensure!(w.truth(&name).await?.is_none() && final_snapshot(&w, &name).await?.is_none());
    Ok(())
}

async fn final_snapshot(w: &World, name: &str) -> Result<Option<Value>> {
    let snapshots = w.sim("snapshots").await?;
    let prefix = format!("{name}-final-");
    Ok(crate::world::items(&snapshots, "snapshots")
        .find(|one| {
            one["name"]
                .as_str()
                .is_some_and(|text| text.starts_with(&prefix))
        })
        .cloned())
}

async fn snapshot_is_the_default_and_keeps_a_final_one() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("final"));
    let cluster = w
        .ready_cluster(&name, json!({"deletionPolicy": null}))
        .await?;
    let uid = cluster["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    let kept = final_snapshot(&w, &name).await?.unwrap_or_default();
    ensure!(
        kept["name"] == format!("{name}-final-{}", &uid[..8]).as_str()
            && kept["status"] == "AVAILABLE",
        "{kept}"
    );
    w.executed(&name, "delete_cluster", 1).await?;
    w.executed(kept["name"].as_str().unwrap_or_default(), "snapshot", 1)
        .await
}

async fn retain_forgets_and_leaves_the_secret() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("keep"));
    w.ready_cluster(&name, json!({"deletionPolicy": "Retain"}))
        .await?;
    let connection = format!("{name}-connection");
    let owners = |one: &Value| one["metadata"]["ownerReferences"].as_array().cloned();
    // A foreground deletion would take what has an owner before the finalizer could keep it.
    w.until("Secret", &connection, "without an owner", |one| {
        owners(one).is_none_or(|owners| owners.is_empty())
    })
    .await?;
    for (policy, owned) in [("Snapshot", 1), ("Retain", 0)] {
        let change = json!({"spec": {"deletionPolicy": policy}});
        w.patch("DwsCluster", &name, change).await?;
        w.until("Secret", &connection, policy, |one| {
            owners(one).unwrap_or_default().len() == owned
        })
        .await?;
    }
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    ensure!(w.truth(&name).await?.is_some());
    w.event(&name, "Retained").await?;
    let secret = w.get("Secret", &format!("{name}-connection")).await?;
    ensure!(
        !secret.is_null()
            && secret["metadata"]["ownerReferences"]
                .as_array()
                .is_none_or(Vec::is_empty),
        "{}",
        secret["metadata"]
    );
    w.executed(&name, "delete_cluster", 0).await
}

/// Nothing owns it, so that no garbage collector would take it.
async fn a_secret_that_was_kept_goes_with_its_cluster() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("kept"));
    w.ready_cluster(&name, json!({"deletionPolicy": "Retain"}))
        .await?;
    let connection = format!("{name}-connection");
    let secret = w.get("Secret", &connection).await?;
    let owners = secret["metadata"]["ownerReferences"].as_array();
    ensure!(owners.is_none_or(Vec::is_empty), "{}", secret["metadata"]);
    w.annotate("DwsCluster", &name, "paused", "true").await?;
    w.until_condition("DwsCluster", &name, "Synced", "False", "Paused")
        .await?;
    w.delete("DwsCluster", &name).await?;
    let change = json!({
        "spec": {"deletionPolicy": "Delete"},
        "metadata": {"annotations": {"dws.huaweicloud.com/paused": null}},
    });
    w.patch("DwsCluster", &name, change).await?;
    w.gone("DwsCluster", &name).await?;
    w.gone("Secret", &connection).await?;
    w.executed(&name, "delete_cluster", 1).await
}

async fn nothing_made_is_forgotten() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("none"));
    w.cluster(
        &name,
        json!({"adminPasswordSecretRef": {"name": "nowhere"}, "deletionPolicy": "Snapshot"}),
    )
    .await?;
    w.until_condition(
        "DwsCluster",
        &name,
        "Reconciling",
        "True",
        "WaitingForReference",
    )
    .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    w.untouched(&name).await
}

async fn protection_blocks_until_it_is_taken_off() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("safe"));
    w.ready_cluster(&name, json!({"deletionProtection": true}))
        .await?;
    w.delete("DwsCluster", &name).await?;
    let blocked = w
        .until_condition("DwsCluster", &name, "Ready", "False", "DeletionBlocked")
        .await?;
    ensure!(
        message(&blocked, "Ready").contains("deletionProtection")
            && message(&blocked, "Ready").contains("Retain")
    );
    w.event(&name, "DeletionBlocked").await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    w.executed(&name, "delete_cluster", 0).await?;
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"deletionProtection": false}}),
    )
    .await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "delete_cluster", 1).await
}

async fn the_policy_may_change_while_it_is_deleted() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("safe"));
    w.ready_cluster(&name, json!({"deletionProtection": true}))
        .await?;
    w.delete("DwsCluster", &name).await?;
    w.until_condition("DwsCluster", &name, "Ready", "False", "DeletionBlocked")
        .await?;
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"deletionPolicy": "Retain"}}),
    )
    .await?;
    w.gone("DwsCluster", &name).await?;
    ensure!(w.truth(&name).await?.is_some());
    Ok(())
}

async fn unavailable_under_snapshot_blocks_with_the_ways_out() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("sick"));
    w.ready_cluster(&name, json!({"deletionPolicy": "Snapshot"}))
        .await?;
    w.outside(json!({"change": "set_status", "cluster": name, "status": "UNAVAILABLE"}))
        .await?;
    w.delete("DwsCluster", &name).await?;
    let blocked = w
        .until_condition("DwsCluster", &name, "Ready", "False", "DeletionBlocked")
        .await?;
    let text = message(&blocked, "Ready");
    ensure!(
        text.contains("Delete") && text.contains("Retain") && text.contains("UNAVAILABLE"),
        "{text}"
    );
    w.executed(&name, "delete_cluster", 0).await?;
    w.outside(json!({"change": "set_status", "cluster": name, "status": "AVAILABLE"}))
        .await?;
    w.gone("DwsCluster", &name).await?;
    ensure!(final_snapshot(&w, &name).await?.is_some());
    w.executed(&name, "delete_cluster", 1).await
}

async fn unavailable_under_delete_is_deleted() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("sick"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "set_status", "cluster": name, "status": "UNAVAILABLE"}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "False", "Unavailable")
        .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "delete_cluster", 1).await
}

async fn a_running_task_is_waited_for() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("task"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "set_task", "cluster": name, "task": "SETTING_CONFIGURATION"}))
        .await?;
    w.delete("DwsCluster", &name).await?;
    let waits = w
        .until_condition("DwsCluster", &name, "Ready", "False", "Deleting")
        .await?;
    ensure!(condition(&waits, "Reconciling").0 == "True");
    tokio::time::sleep(Duration::from_secs(2)).await;
    w.executed(&name, "delete_cluster", 0).await?;
    w.outside(json!({"change": "set_task", "cluster": name, "task": null}))
        .await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "delete_cluster", 1).await
}

async fn creating_is_waited_for() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("young"));
    w.cluster(&name, json!({})).await?;
    w.until("DwsCluster", &name, "CREATING", |one| {
        one["status"]["clusterId"].is_string()
    })
    .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "create", 1).await?;
    w.executed(&name, "delete_cluster", 1).await?;
    ensure!(w.truth(&name).await?.is_none());
    Ok(())
}

async fn a_failed_final_snapshot_is_taken_once_more() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("again"));
    let cluster = w
        .ready_cluster(&name, json!({"deletionPolicy": "Snapshot"}))
        .await?;
    let uid = cluster["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let last = format!("{name}-final-{}", &uid[..8]);
    w.tell(
        "faults",
        json!({"operation": "create_snapshot", "target": last, "kind": "fail_task"}),
    )
    .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&last, "snapshot", 2).await?;
    let kept = w.true_snapshot(&last).await?.unwrap_or_default();
    ensure!(kept["status"] == "AVAILABLE", "{kept}");
    w.executed(&name, "delete_cluster", 1).await
}

async fn snapshots_that_resources_stand_for_survive() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("kept"), fresh("snap"));
    w.ready_cluster(&name, json!({"keepLastManualSnapshots": 0}))
        .await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    ensure!(
        w.true_snapshot(&snap).await?.is_some(),
        "the snapshot went with its cluster"
    );
    // It outlives its cluster, and goes with its own resource.
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.delete("DwsSnapshot", &snap).await?;
    w.gone("DwsSnapshot", &snap).await?;
    ensure!(w.true_snapshot(&snap).await?.is_none());
    w.executed(&snap, "delete_snapshot", 1).await
}

async fn the_finalizer_stays_until_absence_is_confirmed() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("gone"));
    w.ready_cluster(&name, json!({})).await?;
    w.delete("DwsCluster", &name).await?;
    w.until("DwsCluster", &name, "deleting or gone", |one| {
        one.is_null() || condition(one, "Ready").1 == "Deleting"
    })
    .await?;
    w.gone("DwsCluster", &name).await?;
    ensure!(
        w.truth(&name).await?.is_none(),
        "the resource went before its cluster"
    );
    let event = w.event(&name, "Deleted").await?;
    ensure!(
        event["message"]
            .as_str()
            .unwrap_or_default()
            .contains("confirmed gone"),
        "{}",
        event["message"]
    );
    Ok(())
}

async fn a_console_deletion_under_way_is_awaited() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("gone"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "delete", "cluster": name}))
        .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    ensure!(w.truth(&name).await?.is_none());
    Ok(())
}

async fn stalled_never_blocks() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("stuck"));
    w.ready_cluster(&name, json!({})).await?;
    w.tell("faults", json!({"operation": "resize_cluster", "target": w.get("DwsCluster", &name).await?["status"]["clusterId"], "kind": "fail_task"})).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Stalled", "True", "ResizeFailed")
        .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "delete_cluster", 1).await
}
