//! What needs a simulator or an operator of its own: quotas, permissions, oddities of the service.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use crate::runner::scenarios;
use crate::stacks::{args, fresh};
use crate::support::Result;
use crate::support::stack::Options;
use crate::world::{World, condition, message};

scenarios!(own_stack:
    a_quota_that_is_used_up,
    adoption_is_refused_where_it_is_not_allowed,
    namespace_credentials_may_be_switched_off,
    the_services_oddities_change_nothing,
    a_lagging_list_buys_nothing_twice,
    token_authentication_works,
    credentials_gone_first_still_delete,
);

async fn a_quota_that_is_used_up() -> Result<()> {
    let options = Options {
        simulator: args(&["--node-quota", "4"]),
        ..Options::default()
    };
    let (w, _stack) = World::own(options).await?;
    let (one, two) = (fresh("quota"), fresh("quota"));
    w.ready_cluster(&one, json!({})).await?;
    w.cluster(&two, json!({})).await?;
    let told = w
        .until_condition("DwsCluster", &two, "Reconciling", "True", "QuotaExceeded")
        .await?;
    ensure!(
        message(&told, "Reconciling").contains("DWS."),
        "{}",
        message(&told, "Reconciling")
    );
    w.executed(&two, "create", 0).await?;
    // Room is made; asked again, it goes on without waiting for its ten minutes.
    w.delete("DwsCluster", &one).await?;
    w.gone("DwsCluster", &one).await?;
    w.request(&two, "reconcile-requested-at").await?;
    w.until_condition("DwsCluster", &two, "Ready", "True", "Available")
        .await?;
    w.executed(&two, "create", 1).await
}

async fn adoption_is_refused_where_it_is_not_allowed() -> Result<()> {
    let options = Options {
        operator: args(&["--adoption-namespaces", "elsewhere"]),
        ..Options::default()
    };
    let (w, _stack) = World::own(options).await?;
    let (name, by_name) = (fresh("adopt"), fresh("adopt"));
    let id = w.console_cluster(&name).await?;
    w.create("DwsCluster", &name, json!({"spec": {"clusterId": id}}))
        .await?;
    w.cluster(&by_name, json!({"adoptionPolicy": "IfExists"}))
        .await?;
    for one in [&name, &by_name] {
        let told = w
            .until_condition("DwsCluster", one, "Stalled", "True", "InvalidSpec")
            .await?;
        ensure!(message(&told, "Stalled").contains("--adoption-namespaces"));
        ensure!(told["status"]["clusterId"].is_null());
    }
    w.executed(&by_name, "create", 0).await
}

async fn namespace_credentials_may_be_switched_off() -> Result<()> {
    let options = Options {
        env: vec![(
            "DWS_OPERATOR_ALLOW_NAMESPACE_CREDENTIALS".to_owned(),
            "false".to_owned(),
        )],
        ..Options::default()
    };
    let (w, _stack) = World::own(options).await?;
    let name = fresh("user");
    w.secret("account", json!({"HW_ACCESS_KEY": crate::support::stack::ACCESS_KEY, "HW_SECRET_KEY": crate::support::stack::SECRET_KEY})).await?;
    w.cluster(&name, json!({"credentialsSecretRef": {"name": "account"}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Stalled", "True", "InvalidSpec")
        .await?;
    w.untouched(&name).await
}

async fn the_services_oddities_change_nothing() -> Result<()> {
    let (w, _stack) = World::own(Options::default()).await?;
    let name = fresh("odd");
    let oddities = json!({
        "count": "text", "resize_numbers": true, "resize_status_short": true, "timestamps": "fraction_no_zone", "empty": "empty",
        "no_failure": "nulls", "idle_progress_object": true, "bare_host": true, "unknown_fields": true, "extra_fields": true,
        "newer_words": true, "busy": "internal", "errors": "base64", "not_found": "unauthorized", "redistribution": "task",
        "resize_snapshots_first": true, "success_code": true, "empty_body": true, "busy_after_task": 0.5,
    });
    w.tell("oddities", oddities).await?;
    w.ready_cluster(&name, json!({})).await?;
    w.connects(&name).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 5}}))
        .await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 5
    })
    .await?;
    w.request(&name, "restart-requested-at").await?;
    w.event(&name, "Restarted").await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    for kind in ["create", "resize", "restart", "delete_cluster"] {
        w.executed(&name, kind, 1).await?;
    }
    ensure!(w.truth(&name).await?.is_none());
    Ok(())
}

async fn a_lagging_list_buys_nothing_twice() -> Result<()> {
    let (w, _stack) = World::own(Options::default()).await?;
    let name = fresh("lag");
    w.tell(
        "oddities",
        json!({"list_lag": 2.0, "detail_lag": 1.5, "lag_varies": true}),
    )
    .await?;
    w.ready_cluster(&name, json!({})).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 6}}))
        .await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 6
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    w.executed(&name, "create", 1).await?;
    w.executed(&name, "resize", 1).await?;
    let nodes = w.truth(&name).await?.unwrap_or_default()["nodes"].clone();
    ensure!(nodes == 6, "{nodes} nodes");
    Ok(())
}

async fn token_authentication_works() -> Result<()> {
    let (w, _stack) = World::own(Options::default()).await?;
    let name = fresh("token");
    w.secret("user", json!({"HW_DOMAIN_NAME": "simulator", "HW_USER_NAME": "operator", "HW_USER_PASSWORD": "Simulator-Passw0rd"})).await?;
    w.cluster(&name, json!({"credentialsSecretRef": {"name": "user"}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    // Revoked tokens are replaced without anybody noticing for long.
    w.tell("revoke-tokens", json!({})).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 4
    })
    .await?;
    w.executed(&name, "resize", 1).await
}

async fn credentials_gone_first_still_delete() -> Result<()> {
    let (w, mut stack) = World::own(Options::default()).await?;
    let (name, second) = (fresh("gone"), fresh("gone"));
    let keys = json!({"HW_ACCESS_KEY": crate::support::stack::ACCESS_KEY, "HW_SECRET_KEY": crate::support::stack::SECRET_KEY});
    w.secret("account", keys.clone()).await?;
    for one in [&name, &second] {
        w.ready_cluster(one, json!({"credentialsSecretRef": {"name": "account"}}))
            .await?;
    }
    w.delete("Secret", "account").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "delete_cluster", 1).await?;
    // After a restart nobody remembers them: both ways out are told, and the Secret's return is enough.
    stack.kill_operator()?;
    stack.start_operator().await?;
    w.delete("DwsCluster", &second).await?;
    let blocked = w
        .until("DwsCluster", &second, "blocked", |one| {
            condition(one, "Ready") == ("False", "DeletionBlocked")
        })
        .await?;
    ensure!(
        message(&blocked, "Ready").contains("account")
            && message(&blocked, "Ready").contains("Retain")
    );
    w.secret("account", keys).await?;
    w.gone("DwsCluster", &second).await?;
    w.executed(&second, "delete_cluster", 1).await
}
