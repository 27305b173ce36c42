//! Whole lives of each operation in which the operator is killed at every changing request, before and after
//! its effect: every life ends in the right state, and the ledger shows each effect once.

use std::collections::BTreeMap;

use anyhow::ensure;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::killer::Killer;
use crate::runner::scenarios;
use crate::stacks::fresh;
use crate::support::Result;
use crate::support::figures::figure;
use crate::world::{World, condition, items};

scenarios!(kills:
    through_a_create,
    through_a_restore,
    through_a_resize,
    through_a_restart,
    through_a_password,
    through_a_snapshot,
    through_a_deletion_with_a_final_snapshot,
);

/// The lives whose places are told together.
const LIVES: usize = 7;

/// Tells where an operator died; the last life tells the sum.
fn tell(life: &'static str, killer: &Killer) {
    static TOLD: Mutex<BTreeMap<&str, usize>> = Mutex::new(BTreeMap::new());
    let places = killer.places();
    for place in &places {
        println!("killed, {life}: {place}");
    }
    let mut told = TOLD.lock();
    told.insert(life, places.len());
    if told.len() == LIVES {
        let sum: usize = told.values().sum();
        let each: Vec<String> = told.iter().map(|(life, n)| format!("{life} {n}")).collect();
        figure(
            "scenarios",
            &format!(
                "{sum} kills with SIGKILL at places that differ ({}), each effect once",
                each.join(", ")
            ),
        );
    }
}

async fn at_rest(w: &World, name: &str, nodes: i64) -> Result<Value> {
    w.until("DwsCluster", name, "at rest", |one| {
        condition(one, "Ready") == ("True", "Available")
            && one["status"]["settledNodeCount"] == nodes
            && one["status"]["operation"].is_null()
    })
    .await
}

async fn through_a_create() -> Result<()> {
    let mut killer = Killer::start().await?;
    let (w, name) = (killer.world.clone(), fresh("kill"));
    killer
        .through("create", async {
            w.cluster(&name, json!({})).await?;
            at_rest(&w, &name, 3).await
        })
        .await?;
    let second = fresh("kill");
    killer
        .through_answers("second create", async {
            w.cluster(&second, json!({})).await?;
            at_rest(&w, &second, 3).await
        })
        .await?;
    for one in [&name, &second] {
        w.connects(one).await?;
        w.executed(one, "create", 1).await?;
    }
    tell("create", &killer);
    Ok(())
}

async fn through_a_restore() -> Result<()> {
    let mut killer = Killer::start().await?;
    let (w, name, snap, copy) = (
        killer.world.clone(),
        fresh("kill"),
        fresh("snap"),
        fresh("copy"),
    );
    w.ready_cluster(&name, json!({})).await?;
    w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
        .await?;
    w.until_condition("DwsSnapshot", &snap, "Ready", "True", "Available")
        .await?;
    let spec = json!({"spec": {"deletionPolicy": "Delete", "restoreFrom": {"snapshotRef": {"name": snap}}}});
    killer
        .through("restore", async {
            w.create("DwsCluster", &copy, spec).await?;
            at_rest(&w, &copy, 3).await
        })
        .await?;
    w.connects(&copy).await?;
    w.executed(&copy, "restore", 1).await?;
    w.executed(&copy, "reset_password", 1).await?;
    tell("restore", &killer);
    Ok(())
}

async fn through_a_resize() -> Result<()> {
    let mut killer = Killer::start().await?;
    let (w, name) = (killer.world.clone(), fresh("kill"));
    w.ready_cluster(&name, json!({})).await?;
    let resize = async |nodes| {
        w.patch("DwsCluster", &name, json!({"spec": {"nodeCount": nodes}}))
            .await?;
        at_rest(&w, &name, nodes).await
    };
    killer.through("first resize", resize(5)).await?;
    killer.through_answers("second resize", resize(6)).await?;
    let grown: Vec<_> = w.effects(&name, "resize").await?;
    let added: Vec<_> = grown.iter().map(|one| one["added"].clone()).collect();
    ensure!(added == [2, 1], "{added:?} nodes were added");
    ensure!(w.truth(&name).await?.unwrap_or_default()["nodes"] == 6);
    tell("resize", &killer);
    Ok(())
}

/// A restart whose outcome nobody knows is told and not repeated; a new request acts.
async fn through_a_restart() -> Result<()> {
    let mut killer = Killer::start().await?;
    let (w, name) = (killer.world.clone(), fresh("kill"));
    w.ready_cluster(&name, json!({})).await?;
    // Killed over the intent, before the call, after it, over the rest; the last ones live.
    for accepted in 1..=5 {
        let asked = jiff::Timestamp::now().to_string();
        w.annotate("DwsCluster", &name, "restart-requested-at", &asked)
            .await?;
        let told = killer
            .through("restart", async {
                w.until("DwsCluster", &name, "handled", |one| {
                    let operation = &one["status"]["operation"];
                    handled(one, &asked)
                        && (operation.is_null() || operation["phase"] == "OutcomeUnknown")
                })
                .await
            })
            .await?;
        let executed = w.effects(&name, "restart").await?.len();
        ensure!(
            executed <= accepted,
            "{executed} restarts, {accepted} requests"
        );
        if let Some(id) = told["status"]["operation"]["id"].as_str() {
            w.annotate("DwsCluster", &name, "acknowledge-attempt", id)
                .await?;
            w.until_condition("DwsCluster", &name, "Synced", "True", "InSync")
                .await?;
        }
    }
    at_rest(&w, &name, 3).await?;
    let executed = w.effects(&name, "restart").await?.len();
    ensure!(executed >= 2, "{executed} restarts");
    tell("restart", &killer);
    Ok(())
}

/// The request of that moment is marked as handled.
fn handled(cluster: &Value, asked: &str) -> bool {
    let moment = |text: &str| {
        text.parse::<jiff::Timestamp>()
            .map(jiff::Timestamp::as_second)
    };
    let marked = cluster["status"]["handled"]["restart"].as_str();
    marked.is_some_and(|marked| moment(marked).ok() == moment(asked).ok())
}

async fn through_a_password() -> Result<()> {
    let mut killer = Killer::start().await?;
    let (w, name) = (killer.world.clone(), fresh("kill"));
    w.ready_cluster(&name, json!({})).await?;
    let first = w.connects(&name).await?;
    killer
        .through("rotation", async {
            w.request(&name, "rotate-password-requested-at").await?;
            changed(&w, &name, &first).await
        })
        .await?;
    let second = w.connects(&name).await?;
    w.executed(&name, "reset_password", 1).await?;
    w.secret("chosen", json!({"password": "Chosen-Passw0rd"}))
        .await?;
    killer
        .through("chosen password", async {
            let reference = json!({"spec": {"adminPasswordSecretRef": {"name": "chosen"}}});
            w.patch("DwsCluster", &name, reference).await?;
            changed(&w, &name, &second).await
        })
        .await?;
    ensure!(w.connects(&name).await? == "Chosen-Passw0rd");
    w.executed(&name, "reset_password", 2).await?;
    tell("password", &killer);
    Ok(())
}

/// Another password is in force and the change is over.
async fn changed(w: &World, name: &str, former: &str) -> Result<()> {
    loop {
        at_rest(w, name, 3).await?;
        let texts = w.texts(&format!("{name}-connection")).await?;
        if texts.get("password").is_some_and(|now| now != former)
            && !texts.contains_key("pending-password")
        {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn through_a_snapshot() -> Result<()> {
    let mut killer = Killer::start().await?;
    let (w, name, snap) = (killer.world.clone(), fresh("kill"), fresh("snap"));
    w.ready_cluster(&name, json!({})).await?;
    killer
        .through("snapshot", async {
            w.snapshot(&snap, json!({"clusterRef": {"name": name}}))
                .await?;
            w.until("DwsSnapshot", &snap, "at rest", |one| {
                condition(one, "Ready") == ("True", "Available")
                    && one["status"]["operation"].is_null()
            })
            .await
        })
        .await?;
    w.executed(&snap, "snapshot", 1).await?;
    killer
        .through("its deletion", async {
            w.delete("DwsSnapshot", &snap).await?;
            w.gone("DwsSnapshot", &snap).await
        })
        .await?;
    w.executed(&snap, "delete_snapshot", 1).await?;
    ensure!(w.true_snapshot(&snap).await?.is_none());
    tell("snapshot", &killer);
    Ok(())
}

async fn through_a_deletion_with_a_final_snapshot() -> Result<()> {
    let mut killer = Killer::start().await?;
    let (w, name) = (killer.world.clone(), fresh("kill"));
    w.ready_cluster(&name, json!({"deletionPolicy": "Snapshot"}))
        .await?;
    killer
        .through("deletion", async {
            w.delete("DwsCluster", &name).await?;
            w.gone("DwsCluster", &name).await
        })
        .await?;
    ensure!(w.truth(&name).await?.is_none());
    w.executed(&name, "delete_cluster", 1).await?;
    let snapshots = w.sim("snapshots").await?;
    let kept: Vec<_> = items(&snapshots, "snapshots").collect();
    ensure!(
        kept.len() == 1 && kept[0]["status"] == "AVAILABLE",
        "{kept:?}"
    );
    let ledger = w.sim("ledger").await?;
    let taken = items(&ledger, "effects")
        .filter(|one| one["effect"] == "snapshot")
        .count();
    ensure!(taken == 1, "{taken} final snapshots were taken");
    tell("deletion", &killer);
    Ok(())
}
