//! Every failure as a new user meets it: it says what to do, and heals by itself once it is mended.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};

use crate::runner::scenarios;
use crate::stacks::fresh;
use crate::support::Result;
use crate::world::{World, condition, message};

scenarios!(mistakes:
    a_missing_password_secret,
    a_wrong_key_in_the_password_secret,
    a_weak_password_in_the_secret,
    a_node_type_that_does_not_exist,
    a_node_type_that_is_sold_out,
    a_typo_in_the_snapshot_reference,
    a_typo_in_the_cluster_reference,
    missing_credentials,
    incomplete_credentials,
    wrong_credentials,
    a_connection_secret_of_somebody_else,
    a_name_that_the_service_does_not_take,
    a_fixed_field_changed_later,
    a_refused_create_is_tried_again_on_request,
    a_refused_create_is_told_once,
);

/// Stands with this condition and tells all of these words.
async fn told(
    w: &World,
    kind: &str,
    name: &str,
    type_: &str,
    reason: &str,
    words: &[&str],
) -> Result<Value> {
    let object = w.until_condition(kind, name, type_, "True", reason).await?;
    let text = message(&object, type_);
    for word in words {
        ensure!(
            text.contains(word),
            "{reason} does not tell {word:?}: {text}"
        );
    }
    ensure!(condition(&object, "Ready").0 == "False");
    Ok(object)
}

async fn a_missing_password_secret() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    let secret = format!("{name}-admin");
    w.cluster(&name, json!({"adminPasswordSecretRef": {"name": secret}}))
        .await?;
    told(
        &w,
        "DwsCluster",
        &name,
        "Reconciling",
        "WaitingForReference",
        &[&secret, "key password", "create it"],
    )
    .await?;
    w.executed(&name, "create", 0).await?;
    w.secret(&secret, json!({"password": "Users-Own-Passw0rd"}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    ensure!(w.connects(&name).await? == "Users-Own-Passw0rd");
    Ok(())
}

async fn a_wrong_key_in_the_password_secret() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    let secret = format!("{name}-admin");
    w.secret(&secret, json!({"pasword": "Users-Own-Passw0rd"}))
        .await?;
    w.cluster(&name, json!({"adminPasswordSecretRef": {"name": secret}}))
        .await?;
    told(
        &w,
        "DwsCluster",
        &name,
        "Reconciling",
        "WaitingForReference",
        &[&secret, "no key password"],
    )
    .await?;
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"adminPasswordSecretRef": {"key": "pasword"}}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    Ok(())
}

async fn a_weak_password_in_the_secret() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    let secret = format!("{name}-admin");
    w.secret(&secret, json!({"password": "short"})).await?;
    w.cluster(&name, json!({"adminPasswordSecretRef": {"name": secret}}))
        .await?;
    let rejected = w
        .until_condition("DwsCluster", &name, "Synced", "False", "PasswordRejected")
        .await?;
    ensure!(
        message(&rejected, "Synced").contains(&secret)
            && message(&rejected, "Synced").contains('8'),
        "{}",
        message(&rejected, "Synced")
    );
    w.executed(&name, "create", 0).await?;
    w.patch(
        "Secret",
        &secret,
        json!({"stringData": {"password": "Users-Own-Passw0rd"}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.executed(&name, "create", 1).await
}

async fn a_node_type_that_does_not_exist() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    w.cluster(&name, json!({"nodeType": "dws.d1.xlrage"}))
        .await?;
    told(
        &w,
        "DwsCluster",
        &name,
        "Stalled",
        "InvalidSpec",
        &["DWS.", "nodeType"],
    )
    .await?;
    w.event(&name, "CreateRefused").await?;
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"nodeType": "dws.d1.xlarge"}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.executed(&name, "create", 1).await
}

async fn a_node_type_that_is_sold_out() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    w.cluster(&name, json!({"nodeType": "dws.m3.xlarge"}))
        .await?;
    told(
        &w,
        "DwsCluster",
        &name,
        "Reconciling",
        "SoldOut",
        &["DWS.", "10 minutes"],
    )
    .await?;
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"nodeType": "dws.d1.xlarge"}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.executed(&name, "create", 1).await
}

async fn a_typo_in_the_snapshot_reference() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    w.create("DwsCluster", &name, json!({"spec": {"restoreFrom": {"snapshotRef": {"name": "nightyl"}}, "deletionPolicy": "Delete"}})).await?;
    told(
        &w,
        "DwsCluster",
        &name,
        "Reconciling",
        "WaitingForReference",
        &["nightyl", "does not exist", "correct the name"],
    )
    .await?;
    let (origin, snap) = (fresh("orig"), fresh("nightly"));
    w.ready_cluster(&origin, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": origin}}))
        .await?;
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"restoreFrom": {"snapshotRef": {"name": snap}}}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.executed(&name, "restore", 1).await
}

async fn a_typo_in_the_cluster_reference() -> Result<()> {
    let (w, name, snap) = (World::shared().await?, fresh("user"), fresh("snap"));
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    let words = [name.as_str(), "does not exist", "correct the name"];
    let waits = told(
        &w,
        "DwsSnapshot",
        &snap,
        "Reconciling",
        "WaitingForReference",
        &words,
    )
    .await?;
    // Whose credentials count is for the cluster to say once it is there.
    ensure!(waits["status"]["credentialsSecretName"].is_null());
    w.secret(&format!("{name}-account"), credentials()).await?;
    w.ready_cluster(
        &name,
        json!({"credentialsSecretRef": {"name": format!("{name}-account")}}),
    )
    .await?;
    let taken = w
        .until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    ensure!(taken["status"]["credentialsSecretName"] == format!("{name}-account").as_str());
    w.executed(&snap, "snapshot", 1).await
}

async fn missing_credentials() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    let secret = format!("{name}-account");
    w.cluster(&name, json!({"credentialsSecretRef": {"name": secret}}))
        .await?;
    told(
        &w,
        "DwsCluster",
        &name,
        "Reconciling",
        "CredentialsMissing",
        &[&secret],
    )
    .await?;
    w.secret(&secret, credentials()).await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.executed(&name, "create", 1).await
}

fn credentials() -> Value {
    json!({"HW_ACCESS_KEY": crate::support::stack::ACCESS_KEY, "HW_SECRET_KEY": crate::support::stack::SECRET_KEY})
}

async fn incomplete_credentials() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    let secret = format!("{name}-account");
    w.secret(
        &secret,
        json!({"HW_ACCESS_KEY": crate::support::stack::ACCESS_KEY}),
    )
    .await?;
    w.cluster(&name, json!({"credentialsSecretRef": {"name": secret}}))
        .await?;
    told(
        &w,
        "DwsCluster",
        &name,
        "Reconciling",
        "CredentialsMissing",
        &[&secret, "HW_SECRET_KEY"],
    )
    .await?;
    w.patch("Secret", &secret, json!({"stringData": credentials()}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    Ok(())
}

async fn wrong_credentials() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    let secret = format!("{name}-account");
    w.secret(&secret, json!({"HW_ACCESS_KEY": crate::support::stack::ACCESS_KEY, "HW_SECRET_KEY": "not-the-secret-key-of-this-account"})).await?;
    w.cluster(&name, json!({"credentialsSecretRef": {"name": secret}}))
        .await?;
    let refused = w
        .until("DwsCluster", &name, "CredentialsInvalid", |one| {
            condition(one, "Synced") == ("False", "CredentialsInvalid")
        })
        .await?;
    ensure!(!refused.to_string().contains("not-the-secret-key"));
    // Mended, it does not wait for the minute that a wrong key is left alone.
    w.patch("Secret", &secret, json!({"stringData": credentials()}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    Ok(())
}

async fn a_connection_secret_of_somebody_else() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    let secret = format!("{name}-connection");
    w.secret(&secret, json!({"precious": "data"})).await?;
    w.cluster(&name, json!({})).await?;
    told(
        &w,
        "DwsCluster",
        &name,
        "Stalled",
        "SecretConflict",
        &[&secret, "connectionSecretName"],
    )
    .await?;
    w.executed(&name, "create", 0).await?;
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"connectionSecretName": format!("{name}-other")}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    ensure!(w.texts(&secret).await?["precious"] == "data");
    ensure!(w.texts(&format!("{name}-other")).await?.contains_key("uri"));
    Ok(())
}

async fn a_name_that_the_service_does_not_take() -> Result<()> {
    let w = World::shared().await?;
    for name in ["abc", "1-starts-with-a-digit", "dots.are.not.taken"] {
        let refused = w.cluster(name, json!({})).await;
        let text = refused
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        ensure!(text.contains("clusterName"), "{name}: {text}");
    }
    Ok(())
}

async fn a_fixed_field_changed_later() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    w.ready_cluster(&name, json!({})).await?;
    for change in [
        json!({"nodeType": "dws.m1.xlarge.ultrahigh"}),
        json!({"clusterName": "another"}),
        json!({"port": 9000}),
        json!({"adminUser": "chief"}),
    ] {
        let refused = w.patch("DwsCluster", &name, json!({"spec": change})).await;
        ensure!(refused.is_err(), "{change} was accepted");
    }
    Ok(())
}

async fn a_refused_create_is_tried_again_on_request() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    w.tell("faults", json!({"operation": "create_cluster", "target": name, "kind": "refused", "code": "DWS.5006"})).await?;
    w.cluster(&name, json!({})).await?;
    w.until("DwsCluster", &name, "stalled", |one| {
        condition(one, "Stalled").0 == "True"
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    w.executed(&name, "create", 0).await?;
    w.request(&name, "reconcile-requested-at").await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.executed(&name, "create", 1).await
}

async fn a_refused_create_is_told_once() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("user"));
    w.cluster(&name, json!({"nodeType": "dws.nonsense"}))
        .await?;
    w.until_condition("DwsCluster", &name, "Stalled", "True", "InvalidSpec")
        .await?;
    w.event(&name, "CreateRefused").await?;
    w.stays("DwsCluster", &name, Duration::from_secs(4)).await?;
    let events = w.events(&name, "CreateRefused").await?;
    ensure!(events.len() == 1, "{} events", events.len());
    let requests = w.sim("requests").await?;
    let sent = crate::world::items(&requests, "requests")
        .filter(|one| one["operation"] == "create_cluster" && one["target"] == name.as_str())
        .count();
    ensure!(sent == 1, "{sent} creates were sent");
    Ok(())
}
