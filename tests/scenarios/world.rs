//! What every scenario stands in: objects by kind and name, and patience.
//!
//! It knows JSON as a user of `kubectl` sees it, and shares no type with the operator.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use serde_json::{Value, json};

use crate::support::Result;

/// No step of a simulated life takes longer, even on a machine that compiles several programs beside it.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// One scenario's view of the world. Cheap to clone.
#[derive(Clone)]
pub struct World {
    client: Client,
    /// The simulator's address.
    pub url: String,
    /// The namespace that objects are in.
    pub namespace: String,
    /// How long a wait for something may take.
    pub patience: Duration,
}

fn kind(name: &str) -> ApiResource {
    let (group, version, plural) = match name {
        "DwsCluster" => ("dws.huaweicloud.com", "v1alpha1", "dwsclusters"),
        "DwsSnapshot" => ("dws.huaweicloud.com", "v1alpha1", "dwssnapshots"),
        "Secret" => ("", "v1", "secrets"),
        _ => ("", "v1", "events"),
    };
    let api_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version,
        kind: name.to_owned(),
        plural: plural.to_owned(),
    }
}

/// A condition's status and reason, `("", "")` where it is not there.
pub fn condition<'a>(object: &'a Value, type_: &str) -> (&'a str, &'a str) {
    let found = object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["type"] == type_);
    found.map_or(("", ""), |one| {
        (
            one["status"].as_str().unwrap_or_default(),
            one["reason"].as_str().unwrap_or_default(),
        )
    })
}

/// A condition's message.
pub fn message<'a>(object: &'a Value, type_: &str) -> &'a str {
    object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["type"] == type_)
        .and_then(|one| one["message"].as_str())
        .unwrap_or_default()
}

impl World {
    /// A view of this namespace, with the simulator at this address.
    pub fn new(client: Client, url: &str, namespace: &str) -> Self {
        Self {
            client,
            url: url.to_owned(),
            namespace: namespace.to_owned(),
            patience: PATIENCE,
        }
    }

    /// The same world, seen from another namespace.
    pub fn in_namespace(&self, namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            ..self.clone()
        }
    }

    fn api(&self, name: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind(name))
    }

    /// Creates an object of this kind.
    pub async fn create(&self, kind_name: &str, name: &str, rest: Value) -> Result<Value> {
        let resource = kind(kind_name);
        let mut object = json!({"apiVersion": resource.api_version, "kind": kind_name});
        merge(&mut object, &rest);
        merge(&mut object, &json!({"metadata": {"name": name}}));
        let made = self
            .api(kind_name)
            .create(&PostParams::default(), &serde_json::from_value(object)?)
            .await?;
        Ok(serde_json::to_value(made)?)
    }

    /// Creates a `DwsCluster` with a usable spec, changed by `spec` (null takes a field away).
    pub async fn cluster(&self, name: &str, spec: Value) -> Result<Value> {
        self.create("DwsCluster", name, json!({"spec": plain(&spec)}))
            .await
    }

    /// A cluster that is `Ready`.
    pub async fn ready_cluster(&self, name: &str, spec: Value) -> Result<Value> {
        self.cluster(name, spec).await?;
        self.until_condition("DwsCluster", name, "Ready", "True", "Available")
            .await
    }

    /// Creates a `DwsSnapshot`.
    pub async fn snapshot(&self, name: &str, spec: Value) -> Result<Value> {
        self.create("DwsSnapshot", name, json!({"spec": spec}))
            .await
    }

    /// Creates a Secret with these texts.
    pub async fn secret(&self, name: &str, texts: Value) -> Result<()> {
        self.create("Secret", name, json!({"stringData": texts}))
            .await
            .map(|_| ())
    }

    /// A merge patch, as `kubectl patch --type=merge`.
    pub async fn patch(&self, kind_name: &str, name: &str, patch: Value) -> Result<()> {
        self.api(kind_name)
            .patch(name, &PatchParams::default(), &Patch::Merge(&patch))
            .await?;
        Ok(())
    }

    /// A merge patch of the status, as nobody but the operator should do it.
    pub async fn patch_status(&self, kind_name: &str, name: &str, patch: Value) -> Result<()> {
        self.api(kind_name)
            .patch_status(name, &PatchParams::default(), &Patch::Merge(&patch))
            .await?;
        Ok(())
    }

    /// Sets an annotation of ours.
    pub async fn annotate(
        &self,
        kind_name: &str,
        name: &str,
        key: &str,
        value: &str,
    ) -> Result<()> {
        let key = format!("dws.huaweicloud.com/{key}");
        self.patch(
            kind_name,
            name,
            json!({"metadata": {"annotations": {key: value}}}),
        )
        .await
    }

    /// Asks for something by an annotation that bears the present time.
    pub async fn request(&self, name: &str, key: &str) -> Result<()> {
        self.annotate("DwsCluster", name, key, &jiff::Timestamp::now().to_string())
            .await
    }

    /// `kubectl delete --wait=false`.
    pub async fn delete(&self, kind_name: &str, name: &str) -> Result<()> {
        self.api(kind_name)
            .delete(name, &DeleteParams::default())
            .await?;
        Ok(())
    }

    /// The object, or null where there is none.
    pub async fn get(&self, kind_name: &str, name: &str) -> Result<Value> {
        let found = self.api(kind_name).get_opt(name).await?;
        Ok(found
            .map(serde_json::to_value)
            .transpose()?
            .unwrap_or(Value::Null))
    }

    /// Waits until the object is as wanted.
    pub async fn until(
        &self,
        kind_name: &str,
        name: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let begin = Instant::now();
        loop {
            let object = self.get(kind_name, name).await?;
            if wanted(&object) {
                return Ok(object);
            }
            if begin.elapsed() > self.patience {
                // Of a Secret its data stays unsaid.
                let shown = match &object["status"] {
                    Value::Null => &object["metadata"],
                    status => status,
                };
                bail!(
                    "{kind_name} {name}: not {what} after {} s; it says {shown}",
                    self.patience.as_secs(),
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits for a condition with this status and reason.
    pub async fn until_condition(
        &self,
        kind_name: &str,
        name: &str,
        type_: &str,
        status: &str,
        reason: &str,
    ) -> Result<Value> {
        let what = format!("{type_}={status} {reason}");
        self.until(kind_name, name, &what, |object| {
            condition(object, type_) == (status, reason)
        })
        .await
    }

    /// Waits until the object is gone.
    pub async fn gone(&self, kind_name: &str, name: &str) -> Result<()> {
        self.until(kind_name, name, "gone", Value::is_null)
            .await
            .map(|_| ())
    }

    /// Waits for an event of this reason about the object, and gives it.
    pub async fn event(&self, name: &str, reason: &str) -> Result<Value> {
        let begin = Instant::now();
        loop {
            if let Some(found) = self.events(name, reason).await?.first() {
                return Ok(found.clone());
            }
            ensure!(
                begin.elapsed() < self.patience,
                "no event {reason} about {name}"
            );
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }

    /// The events of this reason (any, where empty) about the object.
    pub async fn events(&self, name: &str, reason: &str) -> Result<Vec<Value>> {
        let mut fields = format!("involvedObject.name={name}");
        if !reason.is_empty() {
            fields = format!("{fields},reason={reason}");
        }
        let list = self
            .api("Event")
            .list(&ListParams::default().fields(&fields))
            .await?;
        list.items
            .into_iter()
            .map(|one| Ok(serde_json::to_value(one)?))
            .collect()
    }

    /// The texts of a Secret.
    pub async fn texts(&self, name: &str) -> Result<std::collections::BTreeMap<String, String>> {
        let api: Api<k8s_openapi::api::core::v1::Secret> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let secret = api.get(name).await?;
        Ok(secret
            .data
            .unwrap_or_default()
            .into_iter()
            .map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned()))
            .collect())
    }

    /// Nothing writes to the object for this long.
    pub async fn stays(&self, kind_name: &str, name: &str, time: Duration) -> Result<()> {
        let before = self.get(kind_name, name).await?;
        tokio::time::sleep(time).await;
        let after = self.get(kind_name, name).await?;
        ensure!(
            before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"],
            "{kind_name} {name} was written while nothing changed: {} became {}",
            before["status"],
            after["status"]
        );
        Ok(())
    }
}

/// The items under a key.
pub fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// A usable spec, changed.
pub fn plain(changes: &Value) -> Value {
    let mut spec = json!({
        "nodeType": "dws.d1.xlarge",
        "nodeCount": 3,
        "deletionPolicy": "Delete",
        "network": {
            "vpcId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3571",
            "subnetId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3572",
            "securityGroupId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3573",
        },
    });
    merge(&mut spec, changes);
    spec
}

/// A JSON merge patch.
fn merge(target: &mut Value, patch: &Value) {
    let (Value::Object(target), Value::Object(patch)) = (&mut *target, patch) else {
        target.clone_from(patch);
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else if value.is_object() {
            merge(
                target.entry(key.clone()).or_insert_with(|| json!({})),
                value,
            );
        } else {
            target.insert(key.clone(), value.clone());
        }
    }
}
