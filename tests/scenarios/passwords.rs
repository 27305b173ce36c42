//! Passwords and the connection Secret: at every rest one key logs in, and nothing is set without reason.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use crate::runner::scenarios;
use crate::stacks::fresh;
use crate::support::Result;
use crate::world::{World, condition, message};

scenarios!(passwords:
    a_generated_one_rotates_on_request,
    changed_content_of_the_secret_resets_it,
    changed_labels_of_the_secret_do_nothing,
    a_weak_new_one_is_rejected_without_a_call,
    one_that_the_service_refuses_keeps_the_old_one,
    a_removed_reference_changes_nothing,
    a_vanished_secret_is_told_and_ready_stays,
    a_deleted_connection_secret_is_rebuilt_from_the_reference,
    a_deleted_generated_one_asks_for_a_rotation,
    a_tampered_connection_secret_is_mended,
    a_rotation_with_a_reference_is_refused_with_an_event,
    an_adopted_cluster_gets_one_on_request,
);

async fn a_generated_one_rotates_on_request() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    w.ready_cluster(&name, json!({})).await?;
    let before = w.connects(&name).await?;
    w.request(&name, "rotate-password-requested-at").await?;
    w.event(&name, "PasswordChanged").await?;
    let after = w.connects(&name).await?;
    ensure!(before != after);
    let texts = w.texts(&format!("{name}-connection")).await?;
    ensure!(
        texts.get("previous-password") == Some(&before) && !texts.contains_key("pending-password")
    );
    ensure!(texts["pgpass"].contains(&after.replace('\\', "\\\\").replace(':', "\\:")));
    w.executed(&name, "reset_password", 1).await
}

/// A cluster with a password of a Secret.
async fn with_secret(w: &World, name: &str) -> Result<String> {
    let secret = format!("{name}-admin");
    w.secret(&secret, json!({"password": "First-Passw0rd"}))
        .await?;
    w.ready_cluster(name, json!({"adminPasswordSecretRef": {"name": secret}}))
        .await?;
    ensure!(w.connects(name).await? == "First-Passw0rd");
    Ok(secret)
}

async fn changed_content_of_the_secret_resets_it() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    let secret = with_secret(&w, &name).await?;
    w.patch(
        "Secret",
        &secret,
        json!({"stringData": {"password": "Second-Passw0rd"}}),
    )
    .await?;
    w.event(&name, "PasswordChanged").await?;
    settled(&w, &name).await?;
    ensure!(w.connects(&name).await? == "Second-Passw0rd");
    w.executed(&name, "reset_password", 1).await
}

/// At rest, and still so a little later: a second reset would follow at once.
async fn settled(w: &World, name: &str) -> Result<()> {
    tokio::time::sleep(Duration::from_secs(2)).await;
    let cluster = w
        .until_condition("DwsCluster", name, "Synced", "True", "InSync")
        .await?;
    ensure!(
        cluster["status"]["operation"].is_null(),
        "{}",
        cluster["status"]["operation"]
    );
    let requests = w.sim("requests").await?;
    let id = &cluster["status"]["clusterId"];
    let refused = crate::world::items(&requests, "requests").filter(|one| {
        one["operation"] == "reset_password" && one["target"] == *id && !one["code"].is_null()
    });
    ensure!(
        refused.count() == 0,
        "a password was sent that was already in force"
    );
    Ok(())
}

async fn changed_labels_of_the_secret_do_nothing() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    let secret = with_secret(&w, &name).await?;
    w.patch(
        "Secret",
        &secret,
        json!({"metadata": {"labels": {"team": "orders"}}}),
    )
    .await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    w.executed(&name, "reset_password", 0).await
}

async fn a_weak_new_one_is_rejected_without_a_call() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    let secret = with_secret(&w, &name).await?;
    w.patch(
        "Secret",
        &secret,
        json!({"stringData": {"password": "weak"}}),
    )
    .await?;
    let told = w
        .until_condition("DwsCluster", &name, "Synced", "False", "PasswordRejected")
        .await?;
    ensure!(condition(&told, "Ready").0 == "True" && condition(&told, "Stalled").0.is_empty());
    ensure!(w.connects(&name).await? == "First-Passw0rd");
    w.executed(&name, "reset_password", 0).await?;
    w.patch(
        "Secret",
        &secret,
        json!({"stringData": {"password": "Third-Passw0rd"}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Synced", "True", "InSync")
        .await?;
    settled(&w, &name).await?;
    ensure!(w.connects(&name).await? == "Third-Passw0rd");
    Ok(())
}

async fn one_that_the_service_refuses_keeps_the_old_one() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    let secret = with_secret(&w, &name).await?;
    // Good by the written rules, and on the service's list of those that everybody knows.
    w.patch(
        "Secret",
        &secret,
        json!({"stringData": {"password": "Changeme_123"}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Synced", "False", "PasswordRejected")
        .await?;
    w.until(
        "Secret",
        &format!("{name}-connection"),
        "without a pending one",
        |one| one["data"]["pending-password"].is_null(),
    )
    .await?;
    ensure!(w.connects(&name).await? == "First-Passw0rd");
    tokio::time::sleep(Duration::from_secs(3)).await;
    w.executed(&name, "reset_password", 0).await?;
    w.patch(
        "Secret",
        &secret,
        json!({"stringData": {"password": "Fourth-Passw0rd"}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Synced", "True", "InSync")
        .await?;
    ensure!(w.connects(&name).await? == "Fourth-Passw0rd");
    Ok(())
}

async fn a_removed_reference_changes_nothing() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    with_secret(&w, &name).await?;
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"adminPasswordSecretRef": null}}),
    )
    .await?;
    w.until("DwsCluster", &name, "observed", |one| {
        one["status"]["observedGeneration"] == one["metadata"]["generation"]
            && condition(one, "Synced").0 == "True"
    })
    .await?;
    ensure!(w.connects(&name).await? == "First-Passw0rd");
    w.executed(&name, "reset_password", 0).await
}

async fn a_vanished_secret_is_told_and_ready_stays() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    let secret = with_secret(&w, &name).await?;
    w.delete("Secret", &secret).await?;
    let told = w
        .until_condition(
            "DwsCluster",
            &name,
            "Synced",
            "False",
            "WaitingForReference",
        )
        .await?;
    ensure!(condition(&told, "Ready").0 == "True" && message(&told, "Synced").contains(&secret));
    w.secret(&secret, json!({"password": "First-Passw0rd"}))
        .await?;
    w.until_condition("DwsCluster", &name, "Synced", "True", "InSync")
        .await?;
    w.executed(&name, "reset_password", 0).await
}

async fn a_deleted_connection_secret_is_rebuilt_from_the_reference() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    with_secret(&w, &name).await?;
    w.delete("Secret", &format!("{name}-connection")).await?;
    w.until("Secret", &format!("{name}-connection"), "rebuilt", |one| {
        one["data"]["password"].is_string()
    })
    .await?;
    ensure!(w.connects(&name).await? == "First-Passw0rd");
    w.executed(&name, "reset_password", 0).await
}

async fn a_deleted_generated_one_asks_for_a_rotation() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    w.ready_cluster(&name, json!({})).await?;
    w.delete("Secret", &format!("{name}-connection")).await?;
    let told = w
        .until_condition("DwsCluster", &name, "Synced", "False", "PasswordMissing")
        .await?;
    ensure!(message(&told, "Synced").contains("rotate-password-requested-at"));
    w.executed(&name, "reset_password", 0).await?;
    w.request(&name, "rotate-password-requested-at").await?;
    w.until_condition("DwsCluster", &name, "Synced", "True", "InSync")
        .await?;
    w.connects(&name).await?;
    w.executed(&name, "reset_password", 1).await
}

async fn a_tampered_connection_secret_is_mended() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    w.ready_cluster(&name, json!({})).await?;
    let host = w.texts(&format!("{name}-connection")).await?["host"].clone();
    w.patch(
        "Secret",
        &format!("{name}-connection"),
        json!({"stringData": {"host": "elsewhere"}}),
    )
    .await?;
    w.until("Secret", &format!("{name}-connection"), "mended", |one| {
        !one["data"]["host"].is_null() && one["data"]["host"] != "ZWxzZXdoZXJl"
    })
    .await?;
    ensure!(w.texts(&format!("{name}-connection")).await?["host"] == host);
    w.connects(&name).await?;
    Ok(())
}

async fn a_rotation_with_a_reference_is_refused_with_an_event() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    with_secret(&w, &name).await?;
    w.request(&name, "rotate-password-requested-at").await?;
    w.event(&name, "RotationIgnored").await?;
    w.executed(&name, "reset_password", 0).await
}

async fn an_adopted_cluster_gets_one_on_request() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pass"));
    let id = w.console_cluster(&name).await?;
    w.create("DwsCluster", &name, json!({"spec": {"clusterId": id}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.request(&name, "rotate-password-requested-at").await?;
    w.event(&name, "PasswordChanged").await?;
    w.connects(&name).await?;
    w.executed(&name, "reset_password", 1).await
}
