//! The simulator as scenarios see it: what was executed, what others do, what goes wrong.
//!
//! It knows the interface under `/__sim/`, and nothing of the operator.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::support::Result;
use crate::support::stack::reqwest_client;
use crate::world::{PATIENCE, World, items};

impl World {
    /// `GET /__sim/<what>`.
    pub async fn sim(&self, what: &str) -> Result<Value> {
        let answer = reqwest_client()?
            .get(format!("{}/__sim/{what}", self.url))
            .send()
            .await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// `POST /__sim/<what>`.
    pub async fn tell(&self, what: &str, body: Value) -> Result<Value> {
        let answer = reqwest_client()?
            .post(format!("{}/__sim/{what}", self.url))
            .json(&body)
            .send()
            .await?;
        let ok = answer.status().is_success();
        let value: Value = answer.json().await?;
        ensure!(ok, "{what} {body}: {value}");
        Ok(value)
    }

    /// Takes all faults away.
    pub async fn forget_faults(&self) -> Result<()> {
        let request = reqwest_client()?.delete(format!("{}/__sim/faults", self.url));
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// What somebody else does; gives the id.
    pub async fn outside(&self, change: Value) -> Result<String> {
        let answer = self.tell("outside", change).await?;
        Ok(answer["id"].as_str().unwrap_or_default().to_owned())
    }

    /// A cluster that the console made, available.
    pub async fn console_cluster(&self, name: &str) -> Result<String> {
        let id = self
            .outside(json!({"change": "create", "name": name, "node_type": "dws.d1.xlarge", "nodes": 3, "password": "Console-Passw0rd"}))
            .await?;
        let begin = Instant::now();
        loop {
            let clusters = self.sim("clusters").await?;
            let found = items(&clusters, "clusters")
                .find(|one| one["id"] == id.as_str())
                .cloned();
            if found.is_some_and(|one| one["status"] == "AVAILABLE" && one["working"] == false) {
                return Ok(id);
            }
            ensure!(
                begin.elapsed() < PATIENCE,
                "the console's cluster {name} does not come up"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The cluster of this name or id as it truly is.
    pub async fn truth(&self, name: &str) -> Result<Option<Value>> {
        let clusters = self.sim("clusters").await?;
        Ok(items(&clusters, "clusters")
            .find(|one| one["name"] == name || one["id"] == name)
            .cloned())
    }

    /// The snapshot of this name or id as it truly is.
    pub async fn true_snapshot(&self, name: &str) -> Result<Option<Value>> {
        let snapshots = self.sim("snapshots").await?;
        Ok(items(&snapshots, "snapshots")
            .find(|one| one["name"] == name || one["id"] == name)
            .cloned())
    }

    /// The executed effects of requests (not of the console) on what bears this name, of this kind.
    pub async fn effects(&self, name: &str, kind: &str) -> Result<Vec<Value>> {
        let ledger = self.sim("ledger").await?;
        Ok(items(&ledger, "effects")
            .filter(|one| {
                one["name"] == name && one["effect"] == kind && one["by"]["request"].is_object()
            })
            .cloned()
            .collect())
    }

    /// Exactly so many effects of this kind.
    pub async fn executed(&self, name: &str, kind: &str, times: usize) -> Result<()> {
        let found = self.effects(name, kind).await?;
        ensure!(
            found.len() == times,
            "{kind} of {name} executed {} times, not {times}: {found:?}",
            found.len()
        );
        Ok(())
    }

    /// No request changed anything that bears this name.
    pub async fn untouched(&self, name: &str) -> Result<()> {
        for kind in [
            "create",
            "restore",
            "resize",
            "restart",
            "reset_password",
            "delete_cluster",
        ] {
            self.executed(name, kind, 0).await?;
        }
        Ok(())
    }

    /// Whether this password opens the cluster.
    pub async fn logs_in(&self, id: &str, password: &str) -> Result<bool> {
        let answer = self
            .tell(
                "login-check",
                json!({"cluster_id": id, "user": "dbadmin", "password": password}),
            )
            .await?;
        Ok(answer["logs_in"] == true)
    }

    /// The connection Secret's `password` opens the resource's cluster.
    pub async fn connects(&self, name: &str) -> Result<String> {
        let cluster = self.get("DwsCluster", name).await?;
        let texts = self.texts(&format!("{name}-connection")).await?;
        let password = texts
            .get("password")
            .cloned()
            .context("the connection Secret has no password")?;
        let id = cluster["status"]["clusterId"].as_str().unwrap_or_default();
        ensure!(
            self.logs_in(id, &password).await?,
            "the connection Secret's password does not log in to {name}"
        );
        Ok(password)
    }

    /// Waits until the simulator has received a request of this operation about `target`.
    pub async fn received(&self, operation: &str, target: &str) -> Result<()> {
        let begin = Instant::now();
        loop {
            let requests = self.sim("requests").await?;
            let found = items(&requests, "requests").any(|one| {
                one["operation"] == operation && (target.is_empty() || one["target"] == target)
            });
            if found {
                return Ok(());
            }
            ensure!(
                begin.elapsed() < PATIENCE,
                "no request {operation} about {target}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
