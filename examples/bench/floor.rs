//! The floor: the fewest exchanges by which anybody could make a cluster without losing one.
//!
//! A bare loop over plain clients: finalizer, Secret, list, status with the intent, POST. It knows nothing of
//! the operator's code but the types of the resource, looks at nothing and remembers nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use dws_operator::api::DwsCluster;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::support::Result;
use crate::support::stack::REGION;
use crate::world::{CONCURRENCY, World};

const FINALIZER: &str = "dws.huaweicloud.com/finalizer";
const PASSWORD: &str = "Bare-Loop-0123456789";

/// The bare loop's clients.
#[derive(Clone)]
pub struct Floor {
    clusters: Api<DwsCluster>,
    secrets: Api<Secret>,
    http: reqwest::Client,
    url: String,
    token: String,
}

#[derive(Deserialize)]
struct List {
    count: u64,
    clusters: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Floor {
    /// Logs in at the simulator.
    pub async fn new(world: &World) -> Result<Self> {
        // It also installs the crypto provider.
        let http = crate::support::stack::reqwest_client()?;
        let login = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": "operator", "password": "Simulator-Passw0rd", "domain": {"name": "simulator"},
            }}},
            "scope": {"project": {"name": REGION}},
        }});
        let url = world.stack.url.clone();
        let login = http.post(format!("{url}/v3/auth/tokens")).json(&login);
        let answer = login.send().await?.error_for_status()?;
        let token = answer.headers().get("x-subject-token");
        let token = token.context("no token")?.to_str()?.to_owned();
        let body: Value = answer.json().await?;
        let project = body["token"]["project"]["id"].as_str();
        let project = project.context("the token names no project")?;
        Ok(Self {
            clusters: world.clusters(&world.floor_namespace),
            secrets: Api::namespaced(world.client.clone(), &world.floor_namespace),
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_mins(1))
                .build()?,
            url: format!("{url}/v1.0/{project}/clusters"),
            token,
        })
    }

    /// Makes the cluster of one resource.
    pub async fn make(&self, name: &str) -> Result<()> {
        let finalizer =
            json!([{"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]}]);
        let finalizer = Patch::<()>::Json(serde_json::from_value(finalizer)?);
        let mut object = self
            .clusters
            .patch(name, &PatchParams::default(), &finalizer)
            .await?;

        let secret: Secret = serde_json::from_value(json!({
            "metadata": {"name": format!("{name}-connection")},
            "stringData": {"pending-password": PASSWORD},
        }))?;
        self.secrets.create(&PostParams::default(), &secret).await?;

        let list = self.http.get(&self.url).header("x-auth-token", &self.token);
        let list: List = list.send().await?.error_for_status()?.json().await?;
        anyhow::ensure!(
            list.count == list.clusters.len() as u64,
            "the list is not complete"
        );
        anyhow::ensure!(
            list.clusters.iter().all(|one| one.name != name),
            "{name} is taken"
        );

        object.status = serde_json::from_value(json!({"operation": {
            "id": "8d7b3b0e-3d2c-4f3a-9b0d-2f5d0a9c1e11", "kind": "Create", "attempt": 1, "phase": "Intended",
            "intendedAt": "2026-01-01T00:00:00Z", "target": {"name": name, "nodeCount": 3},
            "baseline": {"serviceTime": "2026-01-01T00:00:00Z"},
        }}))?;
        object.metadata.managed_fields = None;
        self.clusters
            .replace_status(name, &PostParams::default(), &object)
            .await?;

        let body = json!({"cluster": {
            "name": name, "node_type": "dws.d1.xlarge", "number_of_node": 3, "port": 8000,
            "vpc_id": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3571",
            "subnet_id": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3572",
            "security_group_id": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3573",
            "user_name": "dbadmin", "user_pwd": PASSWORD,
        }});
        let create = self
            .http
            .post(&self.url)
            .header("x-auth-token", &self.token);
        create.json(&body).send().await?.error_for_status()?;
        Ok(())
    }

    /// As many workers as the operator has; each name that comes is made by one of them. They end when the
    /// sender is dropped.
    pub fn workers(&self, names: mpsc::UnboundedReceiver<String>) -> JoinSet<Result<()>> {
        let names = Arc::new(Mutex::new(names));
        let mut workers = JoinSet::new();
        for _ in 0..CONCURRENCY {
            let (floor, names) = (self.clone(), Arc::clone(&names));
            workers.spawn(async move {
                loop {
                    let next = names.lock().await.recv().await;
                    let Some(name) = next else { return Ok(()) };
                    floor.make(&name).await?;
                }
            });
        }
        workers
    }
}
