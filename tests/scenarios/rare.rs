//! What is rare: quotas in the middle of a life, days and hours that pass, backups that come back, an end
//! that does not end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::runner::scenarios;
use crate::stacks::{args, fresh};
use crate::support::Result;
use crate::support::proxy::{Judge, Seen, Verdict};
use crate::support::stack::Options;
use crate::world::{World, condition, items, message};

scenarios!(rare:
    a_resize_beyond_the_quota_waits_and_may_be_made_smaller,
    a_refused_count_of_kept_snapshots_is_sent_exactly,
    a_final_snapshot_older_than_an_hour_is_taken_anew,
    a_request_that_could_not_run_for_a_day_lapses,
    a_restored_backup_asks_for_adoption_and_takes_its_secret_back,
    a_backup_restored_with_its_status_goes_on,
    an_overdue_snapshot_goes_before_further_work,
    an_end_whose_grace_runs_out_says_so,
);

fn passes() -> Judge {
    Arc::new(|_: &Seen| Verdict::Pass)
}

async fn a_resize_beyond_the_quota_waits_and_may_be_made_smaller() -> Result<()> {
    let options = Options {
        simulator: args(&["--node-quota", "4"]),
        ..Options::default()
    };
    let (w, _stack) = World::own(options).await?;
    let name = fresh("quota");
    w.ready_cluster(&name, json!({})).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 6}}))
        .await?;
    let told = w
        .until_condition("DwsCluster", &name, "Reconciling", "True", "QuotaExceeded")
        .await?;
    ensure!(condition(&told, "Ready").0 == "True" && condition(&told, "Stalled").0.is_empty());
    ensure!(message(&told, "Reconciling").contains("DWS.5091"), "{told}");
    w.executed(&name, "resize", 0).await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 4 && condition(one, "Synced").0 == "True"
    })
    .await?;
    w.executed(&name, "resize", 1).await?;
    ensure!(w.truth(&name).await?.unwrap_or_default()["nodes"] == 4);
    Ok(())
}

/// By default a few more than there are; a service that refuses that gets their number.
async fn a_refused_count_of_kept_snapshots_is_sent_exactly() -> Result<()> {
    let (w, _stack) = World::own(Options::default()).await?;
    let (name, snap) = (fresh("count"), fresh("snap"));
    w.tell("oddities", json!({"keep_too_large_refused": true}))
        .await?;
    w.ready_cluster(&name, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    let requests = w.sim("requests").await?;
    let counts: Vec<&Value> = items(&requests, "requests")
        .filter(|one| one["operation"] == "delete_cluster")
        .map(|one| &one["body"]["keep_last_manual_snapshot"])
        .collect();
    ensure!(counts == [&json!(6), &json!(1)], "{counts:?}");
    ensure!(w.true_snapshot(&snap).await?.is_some());
    w.executed(&name, "delete_cluster", 1).await
}

/// The first final snapshot that the service lists was taken two hours ago, as it seems.
fn aged(first: &Arc<Mutex<Option<String>>>) -> Judge {
    let first = first.clone();
    Arc::new(move |seen: &Seen| {
        if seen.method != http::Method::GET || !seen.path.ends_with("/snapshots") {
            return Verdict::Pass;
        }
        let first = first.clone();
        Verdict::Change(Box::new(move |bytes| {
            let whole = async move {
                let parts: Vec<_> = bytes.collect().await;
                let parts: std::io::Result<Vec<Bytes>> = parts.into_iter().collect();
                parts.map(|parts| age(&parts.concat(), &first))
            };
            futures::stream::once(whole).boxed()
        }))
    })
}

fn age(body: &[u8], first: &Mutex<Option<String>>) -> Bytes {
    let mut list: Value = serde_json::from_slice(body).unwrap_or_default();
    for one in list["snapshots"].as_array_mut().into_iter().flatten() {
        let id = one["id"].as_str().unwrap_or_default().to_owned();
        if one["name"]
            .as_str()
            .is_some_and(|name| name.contains("-final-"))
            && *first.lock().get_or_insert_with(|| id.clone()) == id
        {
            let before = Timestamp::now() - SignedDuration::from_hours(2);
            let before = json!(before.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
            for key in ["started", "finished"] {
                if one[key].as_str().is_some_and(|time| !time.is_empty()) {
                    one[key] = before.clone();
                }
            }
        }
    }
    Bytes::from(list.to_string())
}

async fn a_final_snapshot_older_than_an_hour_is_taken_anew() -> Result<()> {
    let first: Arc<Mutex<Option<String>>> = Arc::default();
    let (w, _stack, _proxies) = World::behind(Options::default(), passes(), aged(&first)).await?;
    let name = fresh("final");
    w.ready_cluster(&name, json!({"deletionPolicy": "Snapshot"}))
        .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    let old = first.lock().clone().context("no final snapshot was seen")?;
    let snapshots = w.sim("snapshots").await?;
    let kept: Vec<_> = items(&snapshots, "snapshots").collect();
    ensure!(
        kept.len() == 1 && kept[0]["status"] == "AVAILABLE" && kept[0]["id"] != old.as_str(),
        "{kept:?}"
    );
    let last = kept[0]["name"].as_str().unwrap_or_default();
    w.executed(last, "snapshot", 2).await?;
    w.executed(last, "delete_snapshot", 1).await?;
    w.executed(&name, "delete_cluster", 1).await
}

async fn a_request_that_could_not_run_for_a_day_lapses() -> Result<()> {
    let (w, name) = (World::shared().await?, fresh("late"));
    w.ready_cluster(&name, json!({})).await?;
    let hours_ago = |hours| Timestamp::now() - SignedDuration::from_hours(hours);
    // The last one was handled before: the resource is older than it can be here.
    let handled = json!({"status": {"handled": {"restart": hours_ago(30).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()}}});
    w.patch_status("DwsCluster", &name, handled).await?;
    let asked = hours_ago(25).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    w.annotate("DwsCluster", &name, "restart-requested-at", &asked)
        .await?;
    let event = w.event(&name, "RequestLapsed").await?;
    ensure!(
        event["type"] == "Warning" && event["message"].to_string().contains("24 hours"),
        "{event}"
    );
    w.until("DwsCluster", &name, "recorded", |one| {
        one["status"]["handled"]["restart"] == asked.as_str()
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    w.executed(&name, "restart", 0).await?;
    w.request(&name, "restart-requested-at").await?;
    w.event(&name, "Restarted").await?;
    w.executed(&name, "restart", 1).await
}

/// A backup brings the resource back without its status and with another uid, beside its Secret. Like Velero it has
/// dropped the owner references.
async fn a_restored_backup_asks_for_adoption_and_takes_its_secret_back() -> Result<()> {
    let (w, mut stack) = World::own(Options::default()).await?;
    let name = fresh("backup");
    let before = w.ready_cluster(&name, json!({})).await?;
    let password = w.connects(&name).await?;
    stack.kill_operator()?;
    w.patch(
        "DwsCluster",
        &name,
        json!({"metadata": {"finalizers": null}}),
    )
    .await?;
    w.delete("DwsCluster", &name).await?;
    w.gone("DwsCluster", &name).await?;
    let connection = format!("{name}-connection");
    let unowned = json!({"metadata": {"ownerReferences": null}});
    w.patch("Secret", &connection, unowned).await?;
    w.cluster(&name, json!({})).await?;
    stack.start_operator().await?;
    let told = w
        .until_condition("DwsCluster", &name, "Stalled", "True", "NameConflict")
        .await?;
    ensure!(
        message(&told, "Stalled").contains("adoptionPolicy"),
        "{}",
        message(&told, "Stalled")
    );
    w.patch(
        "DwsCluster",
        &name,
        json!({"spec": {"adoptionPolicy": "IfExists"}}),
    )
    .await?;
    let after = w
        .until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    ensure!(after["status"]["adopted"] == true);
    ensure!(after["status"]["clusterId"] == before["status"]["clusterId"]);
    let uid = after["metadata"]["uid"].as_str().unwrap_or_default();
    let mark = format!("{name}/{uid}");
    w.until("Secret", &connection, "marked anew", |one| {
        let meta = &one["metadata"];
        let owners = meta["ownerReferences"].as_array();
        meta["annotations"]["dws.huaweicloud.com/connection-of"] == mark.as_str()
            && owners.is_some_and(|owners| owners.len() == 1 && owners[0]["uid"] == uid)
    })
    .await?;
    ensure!(w.connects(&name).await? == password);
    w.executed(&name, "create", 1).await?;
    w.executed(&name, "reset_password", 0).await
}

/// Cluster and snapshot come back with the status that they had, and with other uids.
async fn a_backup_restored_with_its_status_goes_on() -> Result<()> {
    let (w, mut stack) = World::own(Options::default()).await?;
    let (name, snap) = (fresh("status"), fresh("snap"));
    w.ready_cluster(&name, json!({})).await?;
    let password = w.connects(&name).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    stack.kill_operator()?;
    for (kind, one) in [("DwsCluster", &name), ("DwsSnapshot", &snap)] {
        let before = w.get(kind, one).await?;
        w.patch(kind, one, json!({"metadata": {"finalizers": null}}))
            .await?;
        w.delete(kind, one).await?;
        w.gone(kind, one).await?;
        w.create(kind, one, json!({"spec": before["spec"]})).await?;
        w.patch_status(kind, one, json!({"status": before["status"]}))
            .await?;
    }
    stack.start_operator().await?;
    let after = w.get("DwsCluster", &name).await?;
    let connection = format!("{name}-connection");
    w.until("Secret", &connection, "owned anew", |one| {
        let owners = one["metadata"]["ownerReferences"].as_array();
        owners
            .is_some_and(|owners| owners.len() == 1 && owners[0]["uid"] == after["metadata"]["uid"])
    })
    .await?;
    for (kind, one) in [("DwsCluster", &name), ("DwsSnapshot", &snap)] {
        let there = w
            .until(kind, one, "held again", |one| {
                one["metadata"]["finalizers"].is_array()
            })
            .await?;
        ensure!(
            condition(&there, "Ready") == ("True", "Available")
                && there["status"]["adopted"] != true,
            "{there}"
        );
    }
    ensure!(w.connects(&name).await? == password);
    w.executed(&name, "create", 1).await?;
    w.executed(&snap, "snapshot", 1).await?;
    w.executed(&name, "reset_password", 0).await
}

/// It has waited for one whole operation, the restart: the resize comes after it.
async fn an_overdue_snapshot_goes_before_further_work() -> Result<()> {
    let (w, _stack) = World::own(Options::default()).await?;
    let (name, snap) = (fresh("queue"), fresh("snap"));
    w.ready_cluster(&name, json!({})).await?;
    // All of it waits for what somebody else does.
    w.outside(json!({"change": "set_task", "cluster": name, "task": "SETTING_CONFIGURATION"}))
        .await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition(
        "DwsSnapshot",
        &snap,
        "Reconciling",
        "True",
        "WaitingForCluster",
    )
    .await?;
    w.request(&name, "restart-requested-at").await?;
    w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": 4}}))
        .await?;
    w.until_condition("DwsCluster", &name, "Reconciling", "True", "Busy")
        .await?;
    w.outside(json!({"change": "set_task", "cluster": name, "task": null}))
        .await?;
    w.until("DwsCluster", &name, "grown", |one| {
        one["status"]["settledNodeCount"] == 4
    })
    .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    let ledger = w.sim("ledger").await?;
    let order: Vec<&str> = items(&ledger, "effects")
        .filter_map(|one| one["effect"].as_str())
        .collect();
    ensure!(
        order == ["create", "restart", "snapshot", "resize"],
        "{order:?}"
    );
    Ok(())
}

/// The answer of a create cannot be stored before the grace is over: exit code 1, and the next process claims.
async fn an_end_whose_grace_runs_out_says_so() -> Result<()> {
    let holds = Arc::new(Mutex::new(true));
    let held = holds.clone();
    let kubernetes: Judge = Arc::new(move |seen: &Seen| {
        let answer = seen.method == http::Method::PATCH && seen.path.ends_with("/status");
        if answer && *held.lock() {
            return Verdict::Hold {
                executed: false,
                reached: Arc::default(),
            };
        }
        Verdict::Pass
    });
    let (w, mut stack, _proxies) = World::behind(Options::default(), kubernetes, passes()).await?;
    let name = fresh("grace");
    w.cluster(&name, json!({})).await?;
    let asked = w.received("create_cluster", "").await;
    asked.with_context(|| stack.operator_log())?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut operator = stack.operator.take().context("no operator runs")?;
    operator.terminate()?;
    let status = operator.wait_exit(Duration::from_secs(40)).await?;
    ensure!(status.code() == Some(1), "it ended with {status}");
    let log = stack.operator_log();
    ensure!(
        log.contains("not everything ended in time"),
        "the log does not say so"
    );
    *holds.lock() = false;
    stack.start_operator().await?;
    w.until_condition("DwsCluster", &name, "Ready", "True", "Available")
        .await?;
    w.connects(&name).await?;
    w.executed(&name, "create", 1).await
}
