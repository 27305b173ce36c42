//! The two servers and how they are talked to: raw requests, and what of an answer is compared.
//!
//! Versions and uids differ by nature, so it is compared whether they moved, and from where.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{Method, Request};
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Api, PostParams};
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::api_server::ApiServer;
use crate::gate::Gate;
use crate::support::Result;

pub const CLUSTERS: &str = crate::api_server::CLUSTERS;
pub const SECRETS: &str = crate::api_server::SECRETS;
pub const EVENTS: &str = "/api/v1/namespaces/team/events";

/// One server.
#[derive(Clone)]
pub struct Side {
    client: Client,
    /// The stand-in, whose users do not come by HTTP.
    inside: Option<ApiServer>,
}

/// The real one, with the namespace that the stand-in has.
pub async fn real(client: Client) -> Result<Side> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}});
    Api::<Namespace>::all(client.clone())
        .create(&PostParams::default(), &serde_json::from_value(namespace)?)
        .await?;
    Ok(Side {
        client,
        inside: None,
    })
}

/// The other one.
pub fn stand_in() -> Side {
    let server = ApiServer::new();
    Side {
        client: server.client(&Gate::default()),
        inside: Some(server),
    }
}

type Talking = Pin<Box<dyn Future<Output = Result<()>>>>;

/// A conversation by name.
pub struct Check {
    pub name: &'static str,
    pub talk: Box<dyn Fn(Talk) -> Talking>,
}

/// The checks of a file: a name and an async block over a [`Talk`] each.
macro_rules! checks {
    ($($name:literal => |$talk:ident| $body:block)+) => {
        pub fn checks() -> Vec<$crate::side::Check> {
            vec![$($crate::side::Check {
                name: $name,
                talk: Box::new(|$talk: $crate::side::Talk| Box::pin(async move { $body; Ok(()) })),
            }),+]
        }
    };
}
pub(crate) use checks;

/// One conversation with one side, about objects that no other has.
#[derive(Clone)]
pub struct Talk {
    side: Side,
    /// The name of its object.
    pub name: String,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Talk {
    pub fn new(side: &Side, name: &str) -> Self {
        Self {
            side: side.clone(),
            name: name.to_owned(),
            heard: Arc::default(),
        }
    }

    /// What was answered, fit to be compared.
    pub fn heard(&self) -> Vec<Value> {
        self.heard.lock().clone()
    }

    /// A user creates a cluster of this metadata and status.
    pub async fn cluster(&self, metadata: Value, status: Value) -> Result<Value> {
        let id = "11111111-1111-4111-8111-111111111111";
        let mut object = json!({
            "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsCluster", "metadata": metadata,
            "spec": {
                "nodeType": "dws.d2.xlarge", "nodeCount": 3,
                "network": {"vpcId": id, "subnetId": id, "securityGroupId": id},
            },
        });
        object["metadata"]["name"] = json!(self.name);
        object["metadata"]["namespace"] = json!("team");
        let path = self.path();
        if let Some(inside) = &self.side.inside {
            object["metadata"]["uid"] = json!(format!("uid-of-{}", self.name));
            object["metadata"]["generation"] = json!(1);
            if !status.is_null() {
                object["status"] = status;
            }
            inside.put(&path, object);
            return Ok(inside.get(&path).unwrap_or_default());
        }
        let (code, made) = self.send(Method::POST, CLUSTERS, "", &object).await?;
        anyhow::ensure!(code == 201, "{made}");
        if status.is_null() {
            return Ok(made);
        }
        let mut made = made;
        made["status"] = status;
        let (code, made) = self
            .send(Method::PUT, &format!("{path}/status"), "", &made)
            .await?;
        anyhow::ensure!(code == 200, "{made}");
        Ok(made)
    }

    /// A cluster with nothing but a spec.
    pub async fn plain(&self) -> Result<Value> {
        self.cluster(json!({}), Value::Null).await
    }

    /// A cluster with this status.
    pub async fn with_status(&self, status: Value) -> Result<Value> {
        self.cluster(json!({}), status).await
    }

    /// Where the cluster is.
    pub fn path(&self) -> String {
        format!("{CLUSTERS}/{}", self.name)
    }

    /// Where its status is.
    pub fn status(&self) -> String {
        format!("{CLUSTERS}/{}/status", self.name)
    }

    /// A user deletes the cluster.
    pub async fn delete(&self) -> Result<()> {
        if let Some(inside) = &self.side.inside {
            inside.delete(&self.path(), jiff::Timestamp::now(), false);
            return Ok(());
        }
        self.send(Method::DELETE, &self.path(), "", &Value::Null)
            .await
            .map(|_| ())
    }

    /// Reads, silently.
    pub async fn read(&self, path: &str) -> Result<(u16, Value)> {
        self.send(Method::GET, path, "", &Value::Null).await
    }

    /// Reads; what is there now is compared, against what was there `before`.
    pub async fn get(&self, path: &str, before: &Value) -> Result<Value> {
        let (code, body) = self.read(path).await?;
        Ok(self.hear(code, body, before))
    }

    /// Creates.
    pub async fn post(&self, path: &str, object: &Value) -> Result<Value> {
        let (code, body) = self.send(Method::POST, path, "", object).await?;
        Ok(self.hear(code, body, &Value::Null))
    }

    /// Replaces.
    pub async fn put(&self, path: &str, object: &Value, before: &Value) -> Result<Value> {
        let (code, body) = self.send(Method::PUT, path, "", object).await?;
        Ok(self.hear(code, body, before))
    }

    /// Deletes, if it is as it was seen.
    pub async fn delete_if(&self, path: &str, seen: &Value) -> Result<Value> {
        let body = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": seen});
        let (code, body) = self.send(Method::DELETE, path, "", &body).await?;
        Ok(self.hear(code, body, &Value::Null))
    }

    /// A JSON Patch.
    pub async fn patch(&self, path: &str, operations: Value, before: &Value) -> Result<Value> {
        let kind = "application/json-patch+json";
        let (code, body) = self.send(Method::PATCH, path, kind, &operations).await?;
        Ok(self.hear(code, body, before))
    }

    /// A merge patch.
    pub async fn merge(&self, path: &str, changes: Value, before: &Value) -> Result<Value> {
        let kind = "application/merge-patch+json";
        let (code, body) = self.send(Method::PATCH, path, kind, &changes).await?;
        Ok(self.hear(code, body, before))
    }

    fn hear(&self, code: u16, body: Value, before: &Value) -> Value {
        self.heard.lock().push(face(code, &body, before));
        body
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: &Value,
    ) -> Result<(u16, Value)> {
        let kind = if kind.is_empty() {
            "application/json"
        } else {
            kind
        };
        let bytes = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .body(Body::from(bytes))?;
        let answer = self.side.client.send(request).await?;
        let code = answer.status().as_u16();
        let bytes = answer.into_body().collect().await?.to_bytes();
        Ok((code, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }
}

/// What is compared of an answer.
fn face(code: u16, body: &Value, before: &Value) -> Value {
    let meta = &body["metadata"];
    if code >= 400 {
        return json!({
            "code": code, "kind": body["kind"], "status": body["status"], "reason": body["reason"],
            "code in the body": body["code"],
        });
    }
    let was = &before["metadata"];
    let moved = |key: &str| (!was[key].is_null()).then(|| meta[key] != was[key]);
    let generation = |meta: &Value| meta["generation"].as_i64().unwrap_or(0);
    // No list and an empty one are the same to every reader.
    let finalizers: Vec<&Value> = meta["finalizers"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let owners: Vec<&Value> = meta["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    json!({
        "code": code,
        "kind": body["kind"],
        "name": meta["name"],
        "has a uid": meta["uid"].is_string(),
        "has a version": meta["resourceVersion"].is_string(),
        "uid moved": moved("uid"),
        "version moved": moved("resourceVersion"),
        "generation": if before.is_null() { 0 } else { generation(meta) - generation(was) },
        "being deleted": !meta["deletionTimestamp"].is_null(),
        "finalizers": finalizers,
        "labels": meta["labels"],
        "annotations": meta["annotations"],
        "owners": owners,
        "spec": body["spec"],
        "status": body["status"],
        "data": body["data"],
        "type": body["type"],
        "count": body["count"],
        "message": body["message"],
    })
}

/// A journal as a status holds it.
pub fn journal(id: &str, attempt: i32) -> Value {
    json!({
        "id": id, "kind": "Create", "attempt": attempt, "phase": "Intended",
        "target": {"name": "warehouse"}, "baseline": {}, "intendedAt": "2026-01-01T00:00:00Z",
    })
}
