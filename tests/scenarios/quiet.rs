//! While nothing changes nothing is written, and no secret is ever told.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use crate::runner::scenarios;
use crate::stacks::{args, fresh};
use crate::support::Result;
use crate::support::stack::{Options, SECRET_KEY};
use crate::world::World;

scenarios!(quiet:
    a_ready_cluster_is_not_written,
    a_drifted_cluster_is_not_written,
    a_waiting_cluster_is_not_written,
    a_ready_snapshot_and_its_secret_are_not_written,
    no_secret_in_logs_status_or_events,
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

/// A whole life at trace level, the libraries' too (a list of levels, not a bare one), with refusals and lost answers on the way.
async fn no_secret_in_logs_status_or_events() -> Result<()> {
    let options = Options {
        env: vec![("RUST_LOG".to_owned(), "trace,dws_operator=trace".to_owned())],
        operator: args(&["--log-format", "json"]),
        ..Options::default()
    };
    let (w, stack) = World::own(options).await?;
    let (name, generated) = (fresh("canary"), fresh("canary"));
    let canaries = [
        "Canary-First-Passw0rd",
        "Canary-Second-Passw0rd",
        "weakcanary",
        "CanarySecretKey0000000000000000000000001",
    ];
    let secret = format!("{name}-admin");
    w.secret(&secret, json!({"password": canaries[0]})).await?;
    w.secret(
        "account",
        json!({"HW_ACCESS_KEY": crate::support::stack::ACCESS_KEY, "HW_SECRET_KEY": canaries[3]}),
    )
    .await?;
    w.cluster(
        &fresh("canary"),
        json!({"credentialsSecretRef": {"name": "account"}}),
    )
    .await?;
    w.ready_cluster(&name, json!({"adminPasswordSecretRef": {"name": secret}}))
        .await?;
    w.patch(
        "Secret",
        &secret,
        json!({"stringData": {"password": canaries[2]}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Synced", "False", "PasswordRejected")
        .await?;
    w.tell(
        "faults",
        json!({"operation": "reset_password", "kind": "lost_after"}),
    )
    .await?;
    w.patch(
        "Secret",
        &secret,
        json!({"stringData": {"password": canaries[1]}}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Synced", "True", "InSync")
        .await?;
    ensure!(w.connects(&name).await? == canaries[1]);
    w.ready_cluster(&generated, json!({})).await?;
    w.request(&generated, "rotate-password-requested-at")
        .await?;
    w.event(&generated, "PasswordChanged").await?;
    let made = w.texts(&format!("{generated}-connection")).await?;
    let mut secrets: Vec<String> = canaries.map(str::to_owned).to_vec();
    secrets.push(SECRET_KEY.to_owned());
    secrets.extend(
        ["password", "previous-password"]
            .iter()
            .filter_map(|&key| made.get(key).cloned()),
    );
    ensure!(secrets.len() == 7);
    let metrics = crate::support::stack::reqwest_client()?
        .get(format!("{}/metrics", stack.health))
        .send()
        .await?
        .text()
        .await?;
    let mut sinks = vec![("log", stack.operator_log()), ("metrics", metrics)];
    for object in [&name, &generated] {
        sinks.push(("resource", w.get("DwsCluster", object).await?.to_string()));
        sinks.push(("events", format!("{:?}", w.events(object, "").await?)));
    }
    ensure!(sinks[0].1.len() > 10_000, "the log at trace level is short");
    for (sink, text) in &sinks {
        for secret in &secrets {
            use std::fmt::Write as _;
            let encoded = k8s_openapi::serde_json::to_value(k8s_openapi::ByteString(
                secret.clone().into_bytes(),
            ))?;
            let hex = secret.bytes().fold(String::new(), |mut all, byte| {
                let _ = write!(all, "{byte:02x}");
                all
            });
            for form in [secret.as_str(), encoded.as_str().unwrap_or_default(), &hex] {
                ensure!(
                    !text.contains(form),
                    "a secret stands in the {sink}: {}",
                    around(text, form)
                );
            }
        }
    }
    Ok(())
}

/// The text before a find, enough to recognise the place.
fn around(text: &str, found: &str) -> String {
    let at = text.find(found).unwrap_or_default();
    text[..at]
        .chars()
        .rev()
        .take(300)
        .collect::<String>()
        .chars()
        .rev()
        .collect()
}
