//! Taking over what others made, watching it only, and two resources that name one cluster.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use crate::runner::scenarios;
use crate::stacks::{OTHER, fresh};
use crate::support::Result;
use crate::world::{World, condition, message};

scenarios!(adoption:
    by_id_changes_nothing,
    by_name_where_it_exists,
    if_exists_creates_where_there_is_none,
    a_name_that_is_taken_is_a_conflict_until_adoption_is_asked_for,
    a_wrong_name_beside_the_id_adopts_nothing,
    an_unknown_id_is_waited_for_and_told,
    every_difference_is_listed_as_drift,
    a_node_count_at_adoption_is_drift_and_a_later_growth_acts,
    an_adopted_cluster_is_kept_on_deletion,
    observe_only_never_changes_anything,
    observe_only_by_name,
    a_referenced_password_is_published_as_it_is,
    two_resources_in_one_namespace_both_stop,
    across_namespaces_the_first_goes_on,
);

async fn by_id_changes_nothing() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("adopt"));
    let id = w.console_cluster(&name).await?;
    w.create("DwsCluster", &name, json!({"spec": {"clusterId": id}}))
        .await?;
    let cluster = w
        .until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    ensure!(cluster["status"]["clusterId"] == id.as_str() && cluster["status"]["adopted"] == true);
    ensure!(
        condition(&cluster, "Synced") == ("True", "InSync"),
        "{cluster}"
    );
    w.event(&name, "Adopted").await?;
    let texts = w.texts(&format!("{name}-connection")).await?;
    ensure!(!texts.contains_key("password") && texts.contains_key("host"));
    w.untouched(&name).await
}

async fn by_name_where_it_exists() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("adopt"));
    let id = w.console_cluster(&name).await?;
    let cluster = w.cluster(&name, json!({"adoptionPolicy": "IfExists", "network": null, "deletionPolicy": null, "port": 8000})).await;
    // The schema wants the network of a cluster that may have to be made.
    ensure!(cluster.is_err());
    w.cluster(&name, json!({"adoptionPolicy": "IfExists"}))
        .await?;
    let cluster = w
        .until("DwsCluster", &name, "adopted", |one| {
            one["status"]["adopted"] == true
        })
        .await?;
    ensure!(cluster["status"]["clusterId"] == id.as_str());
    w.untouched(&name).await
}

async fn if_exists_creates_where_there_is_none() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("adopt"));
    let cluster = w
        .ready_cluster(&name, json!({"adoptionPolicy": "IfExists"}))
        .await?;
    ensure!(cluster["status"]["adopted"] == false);
    w.executed(&name, "create", 1).await
}

async fn a_name_that_is_taken_is_a_conflict_until_adoption_is_asked_for() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("taken"));
    let id = w.console_cluster(&name).await?;
    w.cluster(&name, json!({})).await?;
    let cluster = w
        .until_condition("DwsCluster", &name, "Stalled", "True", "NameConflict")
        .await?;
    ensure!(
        message(&cluster, "Stalled").contains(&id)
            && message(&cluster, "Stalled").contains("adoptionPolicy")
    );
    ensure!(
        w.get("Secret", &format!("{name}-connection"))
            .await?
            .is_null(),
        "a Secret was written for a taken name"
    );
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"adoptionPolicy": "IfExists"}}),
    )
    .await?;
    w.until("DwsCluster", &name, "adopted", |one| {
        one["status"]["clusterId"] == id.as_str()
    })
    .await?;
    w.untouched(&name).await
}

async fn a_wrong_name_beside_the_id_adopts_nothing() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("adopt"));
    let id = w.console_cluster(&name).await?;
    w.create(
        "DwsCluster",
        &name,
        json!({"spec": {"clusterId": id, "clusterName": "another"}}),
    )
    .await?;
    let cluster = w
        .until_condition("DwsCluster", &name, "Stalled", "True", "InvalidSpec")
        .await?;
    ensure!(
        message(&cluster, "Stalled").contains(&name) && cluster["status"]["clusterId"].is_null()
    );
    w.patch("DwsCluster", &name, json!({"spec": {"clusterName": name}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.untouched(&name).await
}

async fn an_unknown_id_is_waited_for_and_told() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("adopt"));
    let id = "12345678-1234-4234-8234-123456789abc";
    w.create("DwsCluster", &name, json!({"spec": {"clusterId": id}}))
        .await?;
    let cluster = w
        .until_condition(
            "DwsCluster",
            &name,
            "Reconciling",
            "True",
            "WaitingForCluster",
        )
        .await?;
    ensure!(message(&cluster, "Reconciling").contains(id));
    // Mended in place: nothing was taken hold of.
    let real = w.console_cluster(&name).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"clusterId": real}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    Ok(())
}

async fn every_difference_is_listed_as_drift() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("drift"));
    let id = w.console_cluster(&name).await?;
    let spec = json!({"clusterId": id, "nodeType": "dws.m1.xlarge.ultrahigh", "nodeCount": 5, "port": 9000, "adminUser": "chief", "deletionPolicy": null});
    w.cluster(&name, spec).await?;
    let cluster = w
        .until_condition("DwsCluster", &name, "Synced", "False", "Drifted")
        .await?;
    let text = message(&cluster, "Synced");
    for field in [
        "nodeType",
        "nodeCount",
        "port",
        "adminUser",
        "network.vpcId",
        "network.subnetId",
        "network.securityGroupId",
    ] {
        ensure!(text.contains(field), "no {field} in {text}");
    }
    ensure!(
        text.contains("dws.m1.xlarge.ultrahigh") && text.contains("dws.d1.xlarge"),
        "{text}"
    );
    ensure!(
        condition(&cluster, "Ready").0 == "True" && condition(&cluster, "Stalled").0.is_empty()
    );
    tokio::time::sleep(Duration::from_secs(2)).await;
    w.untouched(&name).await
}

async fn a_node_count_at_adoption_is_drift_and_a_later_growth_acts() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("drift"));
    let id = w.console_cluster(&name).await?;
    w.create(
        "DwsCluster",
        &name,
        json!({"spec": {"clusterId": id, "nodeCount": 5}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Synced", "False", "Drifted")
        .await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 6}}))
        .await?;
    w.until("DwsCluster", &name, "at 6 nodes", |one| {
        one["status"]["settledNodeCount"] == 6 && condition(one, "Synced").0 == "True"
    })
    .await?;
    w.executed(&name, "resize", 1).await?;
    let nodes = w.truth(&name).await?.unwrap_or_default()["nodes"].clone();
    ensure!(nodes == 6, "{nodes} nodes");
    Ok(())
}

async fn an_adopted_cluster_is_kept_on_deletion() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("adopt"));
    let id = w.console_cluster(&name).await?;
    w.create("DwsCluster", &name, json!({"spec": {"clusterId": id}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    let event = w.event(&name, "Retained").await?;
    ensure!(event["message"].as_str().unwrap_or_default().contains(&id));
    ensure!(w.truth(&id).await?.is_some());
    w.untouched(&name).await
}

async fn observe_only_never_changes_anything() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("watch"));
    let id = w.console_cluster(&name).await?;
    let spec = json!({"clusterId": id, "nodeCount": 4, "managementPolicy": "ObserveOnly", "deletionPolicy": "Delete"});
    w.create("DwsCluster", &name, json!({"spec": spec})).await?;
    w.until_condition("DwsCluster", &name, "Synced", "True", "ObserveOnly")
        .await?;
    w.request(&name, "restart-requested-at").await?;
    w.request(&name, "rotate-password-requested-at").await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 8}}))
        .await?;
    w.until("DwsCluster", &name, "recorded without acting", |one| {
        one["status"]["handled"]["restart"].is_string()
            && one["status"]["handled"]["rotatePassword"].is_string()
    })
    .await?;
    w.outside(json!({"change": "set_nodes", "cluster": id, "nodes": 7}))
        .await?;
    w.until("DwsCluster", &name, "seeing the console's change", |one| {
        one["status"]["nodeCount"] == 7
    })
    .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    ensure!(w.truth(&id).await?.is_some());
    w.untouched(&name).await
}

async fn observe_only_by_name() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("watch"));
    w.cluster(&name, json!({"managementPolicy": "ObserveOnly"}))
        .await?;
    w.until_condition(
        "DwsCluster",
        &name,
        "Reconciling",
        "True",
        "WaitingForCluster",
    )
    .await?;
    w.executed(&name, "create", 0).await?;
    let id = w.console_cluster(&name).await?;
    let cluster = w
        .until_condition("DwsCluster", &name, "Synced", "True", "ObserveOnly")
        .await?;
    ensure!(cluster["status"]["clusterId"] == id.as_str());
    w.untouched(&name).await
}

async fn a_referenced_password_is_published_as_it_is() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("adopt"));
    let id = w.console_cluster(&name).await?;
    w.secret(
        &format!("{name}-admin"),
        json!({"password": "Console-Passw0rd"}),
    )
    .await?;
    w.create("DwsCluster", &name, json!({"spec": {"clusterId": id, "adminPasswordSecretRef": {"name": format!("{name}-admin")}}})).await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    ensure!(w.connects(&name).await? == "Console-Passw0rd");
    w.executed(&name, "reset_password", 0).await
}

async fn two_resources_in_one_namespace_both_stop() -> Result<()> {
    let (w, name, second) = (World::shared().await?, fresh("twin"), fresh("twin"));
    let id = w.console_cluster(&name).await?;
    w.create("DwsCluster", &name, json!({"spec": {"clusterId": id}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.create(
        "DwsCluster",
        &second,
        json!({"spec": {"clusterId": id, "deletionPolicy": "Delete"}}),
    )
    .await?;
    for one in [&name, &second] {
        w.until_condition("DwsCluster", one, "Stalled", "True", "IdentityConflict")
            .await?;
    }
    // Deleting one of the two leaves the cluster alone and frees the other.
    w.delete("DwsCluster", &second).await?;
    w.gone("DwsCluster", &second).await?;
    w.until("DwsCluster", &name, "free again", |one| {
        condition(one, "Synced").0 == "True"
    })
    .await?;
    ensure!(w.truth(&id).await?.is_some());
    w.untouched(&name).await
}

async fn across_namespaces_the_first_goes_on() -> Result<()> {
    let (w, name, second) = (World::shared().await?, fresh("twin"), fresh("twin"));
    let other = w.in_namespace(OTHER);
    let made = w.ready_cluster(&name, json!({})).await?;
    let id = made["status"]["clusterId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    other
        .create(
            "DwsCluster",
            &second,
            json!({"spec": {"clusterId": id, "deletionPolicy": "Delete"}}),
        )
        .await?;
    let stopped = other
        .until_condition("DwsCluster", &second, "Stalled", "True", "IdentityConflict")
        .await?;
    ensure!(
        message(&stopped, "Stalled").contains(&name),
        "{}",
        message(&stopped, "Stalled")
    );
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 4
    })
    .await?;
    other.delete("DwsCluster", &second).await?;
    other.gone("DwsCluster", &second).await?;
    ensure!(w.truth(&id).await?.is_some());
    w.executed(&name, "delete_cluster", 0).await
}
