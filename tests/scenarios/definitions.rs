//! The definitions themselves are deleted, on a control plane of their own.

use anyhow::ensure;
use serde_json::json;

use crate::runner::scenarios;
use crate::stacks::{args, fresh};
use crate::support::Result;
use crate::support::control_plane::ControlPlane;
use crate::support::stack::{Options, Stack};
use crate::world::{World, message};

scenarios!(definitions: deleting_the_definitions_deletes_no_warehouse);

/// `kubectl delete crd` marks every resource, and nobody meant a DELETE of every warehouse.
async fn deleting_the_definitions_deletes_no_warehouse() -> Result<()> {
    let plane = ControlPlane::start().await?;
    for crd in [
        include_str!("../../crds/dws.huaweicloud.com_dwsclusters.yaml"),
        include_str!("../../crds/dws.huaweicloud.com_dwssnapshots.yaml"),
    ] {
        plane.apply_crds(crd).await?;
    }
    let namespace = plane.namespace("crd").await?;
    let options = Options {
        simulator: args(&["--automated-snapshots", "off"]),
        namespaces: vec![namespace.clone()],
        ..Options::default()
    };
    let stack = Stack::start(&plane.kubeconfig(), options).await?;
    let w = World::new(plane.client().await?, &stack.url, &namespace);
    let (confirmed, retained, snap) = (fresh("crd"), fresh("crd"), fresh("snap"));
    let cluster = w.ready_cluster(&confirmed, json!({})).await?;
    w.ready_cluster(&retained, json!({"deletionPolicy": "Snapshot"}))
        .await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": confirmed}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    let deleted = plane
        .kubectl()
        .args(["delete", "crd", "--wait=false"])
        .args(["dwsclusters", "dwssnapshots"].map(|kind| format!("{kind}.dws.huaweicloud.com")))
        .output()?;
    ensure!(deleted.status.success(), "{deleted:?}");
    for one in [&confirmed, &retained] {
        let blocked = w
            .until_condition("DwsCluster", one, "Ready", "False", "DeletionBlocked")
            .await?;
        let text = message(&blocked, "Ready");
        ensure!(
            text.contains("Retain") && text.contains("confirm-delete="),
            "{text}"
        );
    }
    w.until_condition("DwsSnapshot", &snap, "Ready", "False", "DeletionBlocked")
        .await?;
    let another = "11111111-1111-4111-8111-111111111111";
    w.annotate("DwsCluster", &confirmed, "confirm-delete", another)
        .await?;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    for one in [&confirmed, &retained] {
        w.executed(one, "delete_cluster", 0).await?;
        w.event(one, "DeletionBlocked").await?;
    }
    w.executed(&snap, "delete_snapshot", 0).await?;

    let id = cluster["status"]["clusterId"].as_str().unwrap_or_default();
    w.annotate("DwsCluster", &confirmed, "confirm-delete", id)
        .await?;
    let keep = json!({"spec": {"deletionPolicy": "Retain"}});
    w.patch("DwsCluster", &retained, keep.clone()).await?;
    w.patch("DwsSnapshot", &snap, keep).await?;
    let (w, snap) = (&w, &snap);
    // With the last resource its definition goes, and with that the very path.
    for (kind, name) in [("dwsc", &confirmed), ("dwsc", &retained), ("dwss", snap)] {
        crate::support::eventually(name, w.patience, || {
            let found = plane
                .kubectl()
                .args(["get", kind, name, "-n", &namespace])
                .output();
            std::future::ready(
                found
                    .map_err(Into::into)
                    .map(|one| (!one.status.success()).then_some(())),
            )
        })
        .await?;
    }
    w.executed(&confirmed, "delete_cluster", 1).await?;
    w.executed(&retained, "delete_cluster", 0).await?;
    ensure!(w.truth(&confirmed).await?.is_none() && w.truth(&retained).await?.is_some());
    ensure!(w.true_snapshot(snap).await?.is_some());
    w.executed(snap, "delete_snapshot", 0).await
}
