//! A cluster from a manifest: created, restored, and what is published about it.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use crate::runner::scenarios;
use crate::stacks::fresh;
use crate::support::Result;
use crate::support::stack::Options;
use crate::world::{World, condition};

scenarios!(create:
    a_manifest_becomes_a_warehouse_once,
    the_connection_secret_is_a_provisioned_service,
    a_create_shows_its_way,
    the_account_and_the_finalizer_are_recorded,
    events_tell_the_life,
    a_written_cluster_name_and_port_reach_the_service,
    a_restore_waits_for_its_snapshot_and_gets_a_password,
    a_restore_with_more_nodes_grows_afterwards,
    a_create_that_fails_is_stalled_with_the_reason_and_never_repeated,
    two_clusters_side_by_side_do_not_mix,
);

async fn a_manifest_becomes_a_warehouse_once() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("make"));
    let cluster = w.ready_cluster(&name, json!({})).await?;
    ensure!(
        condition(&cluster, "Synced") == ("True", "InSync"),
        "{cluster}"
    );
    ensure!(
        condition(&cluster, "Reconciling").0.is_empty()
            && condition(&cluster, "Stalled").0.is_empty()
    );
    ensure!(cluster["status"]["status"] == "AVAILABLE" && cluster["status"]["nodeCount"] == 3);
    ensure!(cluster["status"]["settledNodeCount"] == 3 && cluster["status"]["adopted"] == false);
    ensure!(cluster["status"]["observedGeneration"] == cluster["metadata"]["generation"]);
    ensure!(cluster["status"]["operation"].is_null());
    w.executed(&name, "create", 1).await?;
    w.executed(&name, "reset_password", 0).await
}

async fn the_connection_secret_is_a_provisioned_service() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("bind"));
    let cluster = w.ready_cluster(&name, json!({})).await?;
    let secret = cluster["status"]["binding"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    ensure!(secret == format!("{name}-connection"), "binding {secret:?}");
    let texts = w.texts(&secret).await?;
    for key in [
        "type", "provider", "host", "port", "database", "username", "password", "uri", "jdbc-url",
        "pgpass",
    ] {
        ensure!(
            texts.get(key).is_some_and(|text| !text.is_empty()),
            "no {key} in {:?}",
            texts.keys()
        );
    }
    ensure!(
        texts["type"] == "postgresql"
            && texts["database"] == "gaussdb"
            && texts["username"] == "dbadmin"
    );
    ensure!(!texts.contains_key("pending-password"));
    ensure!(texts["pgpass"].starts_with(&format!(
        "{}:{}:gaussdb:dbadmin:",
        texts["host"], texts["port"]
    )));
    let object = w.get("Secret", &secret).await?;
    ensure!(
        object["type"] == "servicebinding.io/postgresql",
        "{}",
        object["type"]
    );
    ensure!(object["metadata"]["ownerReferences"][0]["uid"] == cluster["metadata"]["uid"]);
    let password = w.connects(&name).await?;
    ensure!(password.len() == 20);
    Ok(())
}

async fn a_create_shows_its_way() -> Result<()> {
    // Slower than others, so that it is seen on its way on a busy machine too.
    let options = Options {
        speed: 60,
        ..Options::default()
    };
    let (w, _stack) = World::own(options).await?;
    let name = fresh("way");
    w.cluster(&name, json!({})).await?;
    let making = w
        .until_condition("DwsCluster", &name, "Ready", "False", "Creating")
        .await?;
    ensure!(condition(&making, "Reconciling").0 == "True", "{making}");
    w.until("DwsCluster", &name, "shown as CREATING", |one| {
        one["status"]["status"] == "CREATING" && one["status"]["operation"]["phase"] == "Accepted"
    })
    .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    Ok(())
}

async fn the_account_and_the_finalizer_are_recorded() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("account"));
    let cluster = w.ready_cluster(&name, json!({})).await?;
    ensure!(cluster["status"]["account"]["region"] == "cn-north-4");
    ensure!(
        cluster["status"]["account"]["projectId"]
            .as_str()
            .is_some_and(|id| id.len() > 20)
    );
    ensure!(cluster["metadata"]["finalizers"][0] == "dws.huaweicloud.com/finalizer");
    Ok(())
}

async fn events_tell_the_life() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("event"));
    w.ready_cluster(&name, json!({})).await?;
    w.event(&name, "CreateAccepted").await?;
    w.event(&name, "Available").await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    w.event(&name, "DeletionStarted").await?;
    w.event(&name, "Deleted").await?;
    Ok(())
}

async fn a_written_cluster_name_and_port_reach_the_service() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("x"));
    let at_service = format!("Orders_{name}");
    w.ready_cluster(
        &name,
        json!({"clusterName": at_service, "port": 8123, "adminUser": "chief"}),
    )
    .await?;
    w.executed(&at_service, "create", 1).await?;
    let texts = w.texts(&format!("{name}-connection")).await?;
    ensure!(
        texts["port"] == "8123" && texts["username"] == "chief",
        "{:?} {:?}",
        texts["port"],
        texts["username"]
    );
    Ok(())
}

async fn a_restore_waits_for_its_snapshot_and_gets_a_password() -> Result<()> {
    let (w, name, copy, snap) = (
        World::shared().await?,
        fresh("orig"),
        fresh("copy"),
        fresh("snap"),
    );
    // The restore is written first: it waits and names what it waits for.
    w.create("DwsCluster", &copy, json!({"spec": {"deletionPolicy": "Delete", "restoreFrom": {"snapshotRef": {"name": snap}}}})).await?;
    let waits = w
        .until_condition(
            "DwsCluster",
            &copy,
            "Reconciling",
            "True",
            "WaitingForReference",
        )
        .await?;
    ensure!(crate::world::message(&waits, "Reconciling").contains(&snap));
    w.ready_cluster(&name, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsCluster", &copy, "Ready", "True", "Available")
        .await?;
    w.connects(&copy).await?;
    w.executed(&copy, "restore", 1).await?;
    w.executed(&copy, "reset_password", 1).await?;
    w.executed(&copy, "create", 0).await
}

async fn a_restore_with_more_nodes_grows_afterwards() -> Result<()> {
    let (w, name, copy, snap) = (
        World::shared().await?,
        fresh("orig"),
        fresh("copy"),
        fresh("snap"),
    );
    w.ready_cluster(&name, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.create("DwsCluster", &copy, json!({"spec": {"deletionPolicy": "Delete", "nodeCount": 5, "restoreFrom": {"snapshotRef": {"name": snap}}}})).await?;
    w.until("DwsCluster", &copy, "settled at 5", |one| {
        one["status"]["settledNodeCount"] == 5
    })
    .await?;
    w.until_condition("DwsCluster", &copy, "Ready", "True", "Available")
        .await?;
    w.executed(&copy, "restore", 1).await?;
    w.executed(&copy, "resize", 1).await
}

async fn a_create_that_fails_is_stalled_with_the_reason_and_never_repeated() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("fail"));
    w.cluster(&name, json!({"nodeType": "dwsx2.4xlarge"}))
        .await?;
    let failed = w
        .until_condition("DwsCluster", &name, "Stalled", "True", "CreationFailed")
        .await?;
    ensure!(
        condition(&failed, "Ready").0 == "False"
            && condition(&failed, "Synced") == ("False", "CreationFailed")
    );
    ensure!(
        failed["status"]["status"] == "CREATION FAILED",
        "{}",
        failed["status"]["status"]
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    w.executed(&name, "create", 1).await?;
    // The failed cluster goes with the resource, without a snapshot, whatever the policy.
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"deletionPolicy": "Snapshot"}}),
    )
    .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "delete_cluster", 1).await?;
    ensure!(w.truth(&name).await?.is_none());
    Ok(())
}

async fn two_clusters_side_by_side_do_not_mix() -> Result<()> {
    let (w, one, two) = (World::shared().await?, fresh("left"), fresh("right"));
    let (left, right) = tokio::try_join!(
        w.ready_cluster(&one, json!({})),
        w.ready_cluster(&two, json!({"nodeCount": 4}))
    )?;
    ensure!(left["status"]["clusterId"] != right["status"]["clusterId"]);
    ensure!(left["status"]["nodeCount"] == 3 && right["status"]["nodeCount"] == 4);
    ensure!(w.connects(&one).await? != w.connects(&two).await?);
    Ok(())
}
