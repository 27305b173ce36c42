//! The example repository under `examples/gitops` as it lives: Flux's own code applies it, waits for it by kstatus and
//! prunes it, with the operator at work; the commands of `docs/gitops.md` are run on the way.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::layout::{built, kind};
use crate::stage::{Stage, stage};
use crate::support::Result;
use crate::support::figures::figure;
use crate::witness::{flux, is_missing};
use crate::world::{World, condition, items};

/// The namespace, its account and the warehouse with its backup: made, waited for, kept as Git says, and pruned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_repository_becomes_a_warehouse_and_is_pruned() -> Result<()> {
    if is_missing()? {
        return Ok(());
    }
    let stage = stage().await?;
    let kubeconfig = stage.plane.kubeconfig();
    let tenant = built(stage, "tenants/orders").await?;
    let mut apps = built(stage, "apps/orders").await?;
    flux("apply", &kubeconfig, &tenant).await?;
    let world = stage.existing("orders").await?;
    flux("apply", &kubeconfig, &apps).await?;
    // By Flux's own health check, which must not be content before the warehouse is there.
    flux("wait", &kubeconfig, &apps).await?;
    let cluster = world.get("DwsCluster", "orders-dw").await?;
    ensure!(
        condition(&cluster, "Ready") == ("True", "Available"),
        "{cluster}"
    );
    let snapshot = world.get("DwsSnapshot", "orders-dw-initial").await?;
    ensure!(
        condition(&snapshot, "Ready") == ("True", "Available"),
        "{snapshot}"
    );
    world.connects("orders-dw").await?;
    for change in flux(
        "apply",
        &kubeconfig,
        &[tenant.clone(), apps.clone()].concat(),
    )
    .await?
    {
        ensure!(change.action == "unchanged", "{change:?}");
    }

    by_hand(stage, &world, &apps).await?;
    fixed_field(stage, &world, &apps).await?;

    // Taken out of Git with its protection on it is not deleted; off, it goes, with a final snapshot.
    let pruned = flux("prune", &kubeconfig, &apps).await;
    ensure!(pruned.is_err_and(|error| error.to_string().contains("deletionProtection")));
    let kept = world.get("DwsCluster", "orders-dw").await?;
    ensure!(kept["metadata"]["deletionTimestamp"].is_null());
    for object in &mut apps {
        if kind(object) == "DwsCluster" {
            object["spec"]["deletionProtection"] = json!(false);
        }
    }
    flux("apply", &kubeconfig, &apps).await?;
    flux("prune", &kubeconfig, &[apps.clone(), tenant].concat()).await?;
    flux("gone", &kubeconfig, &apps).await?;
    ensure!(
        world.truth("orders-dw").await?.is_none(),
        "the cluster is still there"
    );
    let snapshots = world.sim("snapshots").await?;
    let names: Vec<&str> = items(&snapshots, "snapshots")
        .filter_map(|one| one["name"].as_str())
        .collect();
    ensure!(names.contains(&"orders-dw-initial"), "{names:?}");
    ensure!(
        names
            .iter()
            .any(|name| name.starts_with("orders-dw-final-")),
        "{names:?}"
    );
    // Neither the account nor the namespace was pruned.
    ensure!(!world.get("Secret", "dws-account").await?.is_null());
    world.executed("orders-dw", "create", 1).await?;
    world.executed("orders-dw", "delete_cluster", 1).await
}

/// The commands of the page, each line of a shell block that is one.
fn commands() -> Vec<&'static str> {
    let page = include_str!("../../docs/gitops.md");
    let blocks = page
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).collect()
}

/// Every command of the page works as it stands there.
async fn every_command(stage: &Stage) -> Result<()> {
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "argocd"}});
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}});
    let (code, said) = stage
        .kubectl(&["apply", "-f", "-"], &[namespace, config])
        .await?;
    ensure!(code == 0, "{said}");
    let commands = commands();
    for command in &commands {
        let arguments: Vec<&str> = command
            .strip_prefix("kubectl ")
            .context(*command)?
            .split(' ')
            .collect();
        let (code, said) = stage.kubectl(&arguments, &[]).await?;
        ensure!(code == 0, "{command}: {said}");
    }
    let (_, config) = stage
        .kubectl(
            &["get", "cm", "argocd-cm", "-n", "argocd", "-o", "json"],
            &[],
        )
        .await?;
    let config: Value = serde_json::from_str(&config)?;
    let script = std::fs::read_to_string(crate::witness::script())?;
    for kind in ["DwsCluster", "DwsSnapshot"] {
        let key = format!("resource.customizations.health.dws.huaweicloud.com_{kind}");
        ensure!(
            config["data"][&key] == script.as_str(),
            "{key} is another script"
        );
    }
    figure(
        "gitops",
        &format!("{} commands of docs/gitops.md work", commands.len()),
    );
    Ok(())
}

/// What is changed by kubectl is undone by Flux, unless it is told to leave it.
async fn by_hand(stage: &Stage, world: &World, apps: &[Value]) -> Result<()> {
    let pause = "dws.huaweicloud.com/paused=true";
    for stays in [false, true] {
        if stays {
            every_command(stage).await?;
        } else {
            let arguments = ["annotate", "dwsc", "orders-dw", "-n", "orders", pause];
            let (code, said) = stage.kubectl(&arguments, &[]).await?;
            ensure!(code == 0, "{said}");
        }
        flux("apply", &stage.plane.kubeconfig(), apps).await?;
        let live = world.get("DwsCluster", "orders-dw").await?;
        let paused = live["metadata"]["annotations"]["dws.huaweicloud.com/paused"] == "true";
        ensure!(paused == stays, "{}", live["metadata"]);
    }
    let annotation = json!({"metadata": {"annotations": {"dws.huaweicloud.com/paused": null}}});
    world.patch("DwsCluster", "orders-dw", annotation).await?;
    world
        .until_condition("DwsCluster", "orders-dw", "Synced", "True", "InSync")
        .await
        .map(drop)
}

/// Another `nodeType` is refused, and with `force: true` Flux would delete the warehouse for it: the protection and
/// its policy stand in the way.
async fn fixed_field(stage: &Stage, world: &World, apps: &[Value]) -> Result<()> {
    let mut changed = apps.to_vec();
    changed.retain(|object| kind(object) == "DwsCluster");
    changed[0]["spec"]["nodeType"] = json!("dws.m1.xlarge.ultrahigh");
    let refused = flux("apply", &stage.plane.kubeconfig(), &changed).await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("nodeType is fixed")));
    stage.with_protection("orders", "orders-dw").await?;
    let forced = flux("force", &stage.plane.kubeconfig(), &changed).await;
    ensure!(forced.is_err_and(|error| error.to_string().contains("failed to delete object")));
    let live = world.get("DwsCluster", "orders-dw").await?;
    ensure!(
        live["metadata"]["deletionTimestamp"].is_null(),
        "{}",
        live["metadata"]
    );
    Ok(())
}

/// What waits for a person is told at once, not after the time-out of half an hour.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flux_does_not_wait_for_what_is_stalled() -> Result<()> {
    if is_missing()? {
        return Ok(());
    }
    let stage = stage().await?;
    let world = stage.world("stalled").await?;
    let mut apps = built(stage, "apps/orders").await?;
    apps.retain(|object| kind(object) == "DwsCluster");
    apps[0]["metadata"] = json!({"name": "stalled-dw", "namespace": "stalled"});
    apps[0]["spec"]["nodeType"] = json!("dws.nonsense");
    if let Some(spec) = apps[0]["spec"].as_object_mut() {
        spec.remove("credentialsSecretRef");
    }
    let kubeconfig = stage.plane.kubeconfig();
    flux("apply", &kubeconfig, &apps).await?;
    let begin = Instant::now();
    let failed = flux("wait", &kubeconfig, &apps).await;
    let said = failed
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    ensure!(
        said.contains("Failed") && said.contains("stalled-dw"),
        "{said:?}"
    );
    // The time-out of the wait is 100 s.
    ensure!(
        begin.elapsed() < Duration::from_mins(1),
        "after {:?}",
        begin.elapsed()
    );
    world
        .until_condition("DwsCluster", "stalled-dw", "Stalled", "True", "InvalidSpec")
        .await
        .map(drop)
}

/// The account and the warehouse that needs it go in one go, as with a repository without the marks of this one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_pruned_with_its_warehouse_is_used_to_the_end() -> Result<()> {
    if is_missing()? {
        return Ok(());
    }
    let stage = stage().await?;
    let world = stage.world("pruned").await?;
    let kubeconfig = stage.plane.kubeconfig();
    let mut all = built(stage, "tenants/orders").await?;
    all.retain(|object| kind(object) == "Secret");
    all.extend(built(stage, "apps/orders").await?);
    for object in &mut all {
        object["metadata"]["namespace"] = json!("pruned");
        if let Some(meta) = object["metadata"].as_object_mut() {
            meta.remove("annotations");
        }
        if kind(object) == "DwsCluster" {
            object["metadata"]["name"] = json!("pruned-dw");
            object["spec"]["deletionProtection"] = json!(false);
        }
        if kind(object) == "DwsSnapshot" {
            object["metadata"]["name"] = json!("pruned-dw-initial");
            object["spec"] = json!({"clusterRef": {"name": "pruned-dw"}});
        }
    }
    flux("apply", &kubeconfig, &all).await?;
    flux("wait", &kubeconfig, &all).await?;
    flux("prune", &kubeconfig, &all).await?;
    ensure!(world.get("Secret", "dws-account").await?.is_null());
    flux("gone", &kubeconfig, &all).await?;
    ensure!(
        world.truth("pruned-dw").await?.is_none(),
        "the cluster is still there"
    );
    ensure!(world.true_snapshot("pruned-dw-initial").await?.is_none());
    world.executed("pruned-dw", "delete_cluster", 1).await?;
    world
        .executed("pruned-dw-initial", "delete_snapshot", 1)
        .await
}
