//! What is asked of a running cluster: growth, restarts, pauses, and what others do to it meanwhile.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use crate::runner::scenarios;
use crate::stacks::fresh;
use crate::support::Result;
use crate::world::{World, condition, message};

scenarios!(operations:
    it_grows_once,
    a_change_of_mind_during_a_resize_waits_for_it,
    a_console_resize_is_drift_and_nothing_is_bought,
    a_count_below_ours_is_never_bought_again,
    a_restart_happens_once_per_request,
    a_restart_annotation_that_was_always_there_restarts_nothing,
    a_request_from_the_future_is_ignored_with_an_event,
    an_unreadable_request_is_ignored_with_an_event,
    a_task_of_others_is_waited_for_and_not_reconciling,
    paused_holds_back_every_call,
    a_sub_status_is_shown_and_ready_stays,
    read_only_is_not_ready,
    unavailable_is_not_ready_and_recovers,
    an_unknown_word_is_shown_verbatim,
    a_vanished_cluster_is_lost_and_never_made_anew,
    a_failed_resize_is_stalled_and_not_repeated,
    a_resize_beyond_reason_is_refused_by_the_schema,
);

async fn it_grows_once() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("grow"));
    w.ready_cluster(&name, json!({})).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 6}}))
        .await?;
    w.until("DwsCluster", &name, "resizing", |one| {
        condition(one, "Reconciling") == ("True", "Resizing")
    })
    .await?;
    w.until("DwsCluster", &name, "settled", |one| {
        one["status"]["settledNodeCount"] == 6 && condition(one, "Reconciling").0.is_empty()
    })
    .await?;
    w.event(&name, "ResizeAccepted").await?;
    w.event(&name, "Resized").await?;
    let effects = w.effects(&name, "resize").await?;
    ensure!(
        effects.len() == 1 && effects[0]["added"] == 3 && effects[0]["total"] == 6,
        "{effects:?}"
    );
    Ok(())
}

async fn a_change_of_mind_during_a_resize_waits_for_it() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("grow"));
    w.ready_cluster(&name, json!({})).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    w.until("DwsCluster", &name, "accepted", |one| {
        one["status"]["operation"]["phase"] == "Accepted"
    })
    .await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 7}}))
        .await?;
    w.until("DwsCluster", &name, "settled at 7", |one| {
        one["status"]["settledNodeCount"] == 7
    })
    .await?;
    let effects = w.effects(&name, "resize").await?;
    ensure!(
        effects.len() == 2 && effects[0]["total"] == 4 && effects[1]["total"] == 7,
        "{effects:?}"
    );
    Ok(())
}

async fn a_console_resize_is_drift_and_nothing_is_bought() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("grow"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "set_nodes", "cluster": name, "nodes": 5}))
        .await?;
    let cluster = w
        .until_condition("DwsCluster", &name, "Synced", "False", "Drifted")
        .await?;
    ensure!(
        message(&cluster, "Synced").contains("nodeCount")
            && condition(&cluster, "Ready").0 == "True"
    );
    // Following it in the manifest ends the drift without a call.
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 5}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Synced", "True", "InSync")
        .await?;
    w.executed(&name, "resize", 0).await
}

async fn a_count_below_ours_is_never_bought_again() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("grow"));
    w.ready_cluster(&name, json!({"nodeCount": 5})).await?;
    w.outside(json!({"change": "set_nodes", "cluster": name, "nodes": 3}))
        .await?;
    w.until_condition("DwsCluster", &name, "Synced", "False", "Drifted")
        .await?;
    // Longer than the ambiguity window, after which the count is believed.
    tokio::time::sleep(Duration::from_secs(6)).await;
    w.executed(&name, "resize", 0).await
}

async fn a_restart_happens_once_per_request() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("boot"));
    w.ready_cluster(&name, json!({})).await?;
    w.request(&name, "restart-requested-at").await?;
    w.until_condition("DwsCluster", &name, "Ready", "False", "Restarting")
        .await?;
    w.event(&name, "Restarted").await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    w.executed(&name, "restart", 1).await?;
    w.request(&name, "restart-requested-at").await?;
    w.until("DwsCluster", &name, "restarted again", |one| {
        condition(one, "Reconciling").1 == "Restarting"
    })
    .await?;
    w.until("DwsCluster", &name, "done", |one| {
        one["status"]["operation"].is_null() && condition(one, "Ready").0 == "True"
    })
    .await?;
    w.executed(&name, "restart", 2).await
}

async fn a_restart_annotation_that_was_always_there_restarts_nothing() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("boot"));
    let spec = crate::world::plain(&json!({}));
    let annotations = json!({"dws.huaweicloud.com/restart-requested-at": "2024-01-01T00:00:00Z"});
    w.create(
        "DwsCluster",
        &name,
        json!({"metadata": {"annotations": annotations}, "spec": spec}),
    )
    .await?;
    let cluster = w
        .until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    ensure!(
        cluster["status"]["handled"]["restart"] == "2024-01-01T00:00:00Z",
        "{}",
        cluster["status"]["handled"]
    );
    tokio::time::sleep(Duration::from_secs(2)).await;
    w.executed(&name, "restart", 0).await
}

async fn a_request_from_the_future_is_ignored_with_an_event() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("boot"));
    w.ready_cluster(&name, json!({})).await?;
    w.annotate(
        "DwsCluster",
        &name,
        "restart-requested-at",
        "2099-01-01T00:00:00Z",
    )
    .await?;
    w.event(&name, "RequestIgnored").await?;
    w.executed(&name, "restart", 0).await?;
    // A mistaken year does not swallow the real request.
    w.request(&name, "restart-requested-at").await?;
    w.event(&name, "Restarted").await?;
    Ok(())
}

async fn an_unreadable_request_is_ignored_with_an_event() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("boot"));
    w.ready_cluster(&name, json!({})).await?;
    w.annotate("DwsCluster", &name, "restart-requested-at", "now")
        .await?;
    let event = w.event(&name, "RequestIgnored").await?;
    ensure!(
        event["message"]
            .as_str()
            .unwrap_or_default()
            .contains("RFC 3339")
    );
    w.executed(&name, "restart", 0).await
}

async fn a_task_of_others_is_waited_for_and_not_reconciling() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("task"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "set_task", "cluster": name, "task": "SETTING_CONFIGURATION"}))
        .await?;
    let cluster = w
        .until("DwsCluster", &name, "showing the task", |one| {
            one["status"]["taskStatus"] == "SETTING_CONFIGURATION"
        })
        .await?;
    ensure!(
        condition(&cluster, "Ready").0 == "True" && condition(&cluster, "Reconciling").0.is_empty(),
        "{cluster}"
    );
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Reconciling", "True", "Busy")
        .await?;
    w.executed(&name, "resize", 0).await?;
    w.outside(json!({"change": "set_task", "cluster": name, "task": null}))
        .await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 4
    })
    .await?;
    w.executed(&name, "resize", 1).await
}

async fn paused_holds_back_every_call() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("pause"));
    let spec = crate::world::plain(&json!({}));
    w.create(
        "DwsCluster",
        &name,
        json!({"metadata": {"annotations": {"dws.huaweicloud.com/paused": "true"}}, "spec": spec}),
    )
    .await?;
    w.until_condition("DwsCluster", &name, "Synced", "False", "Paused")
        .await?;
    w.executed(&name, "create", 0).await?;
    w.annotate("DwsCluster", &name, "paused", "false").await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.annotate("DwsCluster", &name, "paused", "true").await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 5}}))
        .await?;
    w.request(&name, "restart-requested-at").await?;
    w.until_condition("DwsCluster", &name, "Synced", "False", "Paused")
        .await?;
    w.delete("DwsCluster", &name).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    for kind in ["resize", "restart", "delete_cluster"] {
        w.executed(&name, kind, 0).await?;
    }
    w.annotate("DwsCluster", &name, "paused", "false").await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "delete_cluster", 1).await
}

async fn a_sub_status_is_shown_and_ready_stays() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("sub"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "set_sub_status", "cluster": name, "sub_status": "DEGRADED"}))
        .await?;
    let cluster = w
        .until_condition("DwsCluster", &name, "Ready", "True", "Degraded")
        .await?;
    ensure!(
        cluster["status"]["subStatus"] == "DEGRADED"
            && message(&cluster, "Ready").contains("DEGRADED")
    );
    Ok(())
}

async fn read_only_is_not_ready() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("sub"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "set_sub_status", "cluster": name, "sub_status": "READONLY"}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "False", "ReadOnly")
        .await?;
    w.outside(json!({"change": "set_sub_status", "cluster": name, "sub_status": "NORMAL"}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    Ok(())
}

async fn unavailable_is_not_ready_and_recovers() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("down"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "set_status", "cluster": name, "status": "UNAVAILABLE"}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "False", "Unavailable")
        .await?;
    w.outside(json!({"change": "set_status", "cluster": name, "status": "AVAILABLE"}))
        .await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    Ok(())
}

async fn an_unknown_word_is_shown_verbatim() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("word"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "set_status", "cluster": name, "status": "HIBERNATING"}))
        .await?;
    let cluster = w
        .until("DwsCluster", &name, "verbatim", |one| {
            one["status"]["status"] == "HIBERNATING"
        })
        .await?;
    ensure!(
        condition(&cluster, "Ready").0 != "True" && condition(&cluster, "Stalled").0.is_empty(),
        "{cluster}"
    );
    Ok(())
}

async fn a_vanished_cluster_is_lost_and_never_made_anew() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("lost"));
    w.ready_cluster(&name, json!({})).await?;
    w.outside(json!({"change": "vanish", "cluster": name}))
        .await?;
    let cluster = w
        .until_condition("DwsCluster", &name, "Stalled", "True", "Lost")
        .await?;
    ensure!(condition(&cluster, "Ready") == ("False", "Lost"));
    w.event(&name, "Lost").await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    w.executed(&name, "create", 1).await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    w.executed(&name, "delete_cluster", 0).await
}

async fn a_failed_resize_is_stalled_and_not_repeated() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("grow"));
    let cluster = w.ready_cluster(&name, json!({})).await?;
    let id = cluster["status"]["clusterId"].clone();
    w.tell(
        "faults",
        json!({"operation": "resize_cluster", "target": id, "kind": "fail_task"}),
    )
    .await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 5}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Stalled", "True", "ResizeFailed")
        .await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    w.executed(&name, "resize", 1).await
}

async fn a_resize_beyond_reason_is_refused_by_the_schema() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("grow"));
    w.ready_cluster(&name, json!({})).await?;
    for count in [1, 2, 257] {
        let refused = w
            .patch("DwsCluster", &name, json!({"spec": {"nodeCount": count}}))
            .await;
        ensure!(refused.is_err(), "{count} nodes were accepted");
    }
    w.executed(&name, "resize", 0).await
}
