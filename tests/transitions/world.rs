//! An operator and a service behind the API server, and what each of them came to.

use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};

use crate::objects::{Manner, Objects};
use crate::run::served;
use crate::support::control_plane::shared;
use crate::support::stack::{Options, Stack};
use crate::support::{Result, eventually};

/// One machine does it all, other tests beside.
const PATIENCE: Duration = Duration::from_mins(3);

/// An operator of its own for one namespace, a service of its own behind it.
pub struct World {
    pub client: Client,
    pub namespace: String,
    pub clusters: Objects,
    pub stack: Stack,
}

impl World {
    pub async fn new(prefix: &str) -> Result<Self> {
        let (client, namespace) = served(prefix).await?;
        let options = Options {
            namespaces: vec![namespace.clone()],
            simulator: vec!["--automated-snapshots".to_owned(), "off".to_owned()],
            ..Options::default()
        };
        let stack = Stack::start(&shared().await?.kubeconfig(), options).await?;
        let clusters = Objects::new(&client, &namespace, "DwsCluster", Manner::Update);
        Ok(Self {
            client,
            namespace,
            clusters,
            stack,
        })
    }

    pub async fn apply(&self, name: &str, spec: &Value) -> Result<()> {
        let answer = self.clusters.apply(name, spec).await;
        answer
            .map(|_| ())
            .map_err(|refusal| anyhow::anyhow!("{name}: {}", refusal.message))
    }

    pub async fn get(&self, name: &str) -> Result<Value> {
        let path = format!(
            "/apis/dws.huaweicloud.com/v1alpha1/namespaces/{}/dwsclusters/{name}",
            self.namespace
        );
        Ok(self
            .client
            .request(http::Request::get(path).body(Vec::new())?)
            .await?)
    }

    /// Waits until the object has been seen as it stands, and is so.
    pub async fn until(
        &self,
        name: &str,
        what: &str,
        so: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        eventually(&format!("{name}: {what}"), PATIENCE, || async {
            let object = self.get(name).await?;
            let seen = object["status"]["observedGeneration"] == object["metadata"]["generation"];
            Ok((seen && so(&object)).then_some(object))
        })
        .await
    }

    pub async fn ready(&self, name: &str) -> Result<Value> {
        self.until(name, "ready", |object| {
            condition(object, "Ready")["status"] == "True"
                && object["status"]["operation"].is_null()
        })
        .await
    }

    /// How many changing requests have arrived.
    pub async fn changing(&self) -> Result<usize> {
        Ok(self
            .requests()
            .await?
            .iter()
            .filter(|one| one["method"] != "GET")
            .count())
    }

    pub async fn requests(&self) -> Result<Vec<Value>> {
        Ok(self.stack.sim_get("requests").await?["requests"]
            .as_array()
            .cloned()
            .unwrap_or_default())
    }

    /// What can be seen of a resource and of its cluster that does not tell which one it is.
    pub async fn portrait(&self, name: &str) -> Result<Value> {
        let object = self.ready(name).await?;
        let status = &object["status"];
        let conditions: Vec<Value> = status["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| json!([one["type"], one["status"], one["reason"]]))
            .collect();
        let fields: Vec<&String> = status
            .as_object()
            .into_iter()
            .flatten()
            .map(|(field, _)| field)
            .collect();
        let id = status["clusterId"].as_str().unwrap_or_default();
        let effects: Vec<Value> = self
            .stack
            .ledger()
            .await?
            .into_iter()
            .filter(|effect| effect["id"] == id)
            .map(|effect| {
                let mut told = effect.clone();
                for moving in ["number", "at", "by", "id", "project"] {
                    told.as_object_mut().map(|told| told.remove(moving));
                }
                told
            })
            .collect();
        let requests = self.requests().await?;
        let calls: Vec<&Value> = requests
            .iter()
            .filter(|one| {
                one["method"] != "GET"
                    && one
                        .to_string()
                        .contains(&format!("\"{}\"", cluster_name(&object)))
            })
            .map(|one| &one["body"])
            .collect();
        let portrait = json!({
            "spec": object["spec"], "fields": fields, "conditions": conditions, "effects": effects, "calls": calls,
            "nodeCount": status["nodeCount"], "settled": status["settledNodeCount"], "nodeType": status["nodeType"],
            "adopted": status["adopted"], "state": status["status"], "handled": status["handled"], "account": status["account"],
            "binding": status["binding"], "finalizers": object["metadata"]["finalizers"],
        });
        Ok(serde_json::from_str(
            &portrait.to_string().replace(name, "NAME"),
        )?)
    }
}

pub fn cluster_name(object: &Value) -> &str {
    object["spec"]["clusterName"]
        .as_str()
        .or(object["metadata"]["name"].as_str())
        .unwrap_or_default()
}

pub fn condition(object: &Value, kind: &str) -> Value {
    let conditions = object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten();
    conditions
        .into_iter()
        .find(|one| one["type"] == kind)
        .cloned()
        .unwrap_or_default()
}
