//! While nothing changes nothing is written.

use std::time::Duration;

use serde_json::json;

use crate::runner::scenarios;
use crate::stacks::fresh;
use crate::support::Result;
use crate::world::World;

scenarios!(quiet:
    a_ready_cluster_is_not_written,
    a_drifted_cluster_is_not_written,
    a_waiting_cluster_is_not_written,
    a_ready_snapshot_and_its_secret_are_not_written,
);

const STILL: Duration = Duration::from_secs(8);

async fn a_ready_cluster_is_not_written() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("still"));
    w.ready_cluster(&name, json!({})).await?;
    w.until("DwsCluster", &name, "at rest", |one| {
        one["status"]["operation"].is_null()
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    w.stays("DwsCluster", &name, STILL).await
}

async fn a_drifted_cluster_is_not_written() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("still"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "set_nodes", "cluster": name, "nodes": 9}))
        .await?;
    w.until_condition("DwsCluster", &name, "Synced", "False", "Drifted")
        .await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    w.stays("DwsCluster", &name, STILL).await
}

async fn a_waiting_cluster_is_not_written() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("still"));
    w.cluster(
        &name,
        json!({"adminPasswordSecretRef": {"name": "nowhere"}}),
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
    tokio::time::sleep(Duration::from_secs(1)).await;
    w.stays("DwsCluster", &name, STILL).await
}

async fn a_ready_snapshot_and_its_secret_are_not_written() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("still"), fresh("snap"));
    w.ready_cluster(&name, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let secret = format!("{name}-connection");
    tokio::try_join!(
        w.stays("DwsSnapshot", &snap, STILL),
        w.stays("Secret", &secret, STILL)
    )
    .map(|_| ())
}
