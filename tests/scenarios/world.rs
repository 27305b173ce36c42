//! What every scenario stands in: objects by kind and name, the simulator's inside, and patience.
//!
//! It knows JSON as a user of `kubectl` sees it, and shares no type with the operator.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures::future::join_all;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use serde_json::{Value, json};
use tokio::sync::{OnceCell, Semaphore};

use crate::support::Result;
use crate::support::control_plane::{ControlPlane, shared};
use crate::support::figures::figure;
use crate::support::stack::{Options, Stack, reqwest_client};

/// No step of a simulated life takes longer, even on a machine that compiles beside it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Scenarios of one topic that run at the same time.
const SIDE_BY_SIDE: usize = 12;
/// The namespaces of the stack that most scenarios share.
pub const SHARED: &str = "scenarios";
/// Another one of them.
pub const OTHER: &str = "scenarios-other";

/// A scenario in flight.
pub type Scenario = Pin<Box<dyn Future<Output = Result<()>>>>;

/// The scenarios of a topic, as one test.
macro_rules! scenarios {
    ($topic:ident: $($name:ident),+ $(,)?) => {
        #[tokio::test]
        async fn $topic() -> $crate::support::Result<()> {
            $crate::world::run(
                stringify!($topic),
                vec![$((stringify!($name), Box::new(|| Box::pin($name()) as $crate::world::Scenario) as Box<dyn Fn() -> $crate::world::Scenario>)),+],
            )
            .await
        }
    };
}
pub(crate) use scenarios;

/// Runs the scenarios of a topic and tells all that failed, by name.
pub async fn run(
    topic: &str,
    scenarios: Vec<(&'static str, Box<dyn Fn() -> Scenario>)>,
) -> Result<()> {
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    let begin = Instant::now();
    let turns = Semaphore::new(SIDE_BY_SIDE);
    let turns = &turns;
    let runs = scenarios
        .iter()
        .filter(|(name, _)| name.contains(&wanted))
        .map(|(name, scenario)| async move {
            let _turn = turns.acquire().await?;
            let since = Instant::now();
            let done = scenario().await;
            println!("{topic}: {name}: {:.1} s", since.elapsed().as_secs_f32());
            done.with_context(|| format!("scenario {name}"))
        });
    let results: Vec<Result<()>> = join_all(runs).await;
    let total = results.len();
    let failed: Vec<String> = results
        .into_iter()
        .filter_map(|done| done.err().map(|error| format!("{error:#}")))
        .collect();
    if wanted.is_empty() {
        figure(
            "scenarios",
            &format!(
                "{topic}: {} of {total} in {:.0} s",
                total - failed.len(),
                begin.elapsed().as_secs_f32()
            ),
        );
    }
    ensure!(failed.is_empty(), "{}", failed.join("\n\n"));
    Ok(())
}

/// One scenario's view of the world. Cheap to clone.
#[derive(Clone)]
pub struct World {
    client: Client,
    url: String,
    /// The namespace that objects are in.
    pub namespace: String,
}

/// A name that no other scenario has: a letter, then a number.
pub fn fresh(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{prefix}-{:03}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The control plane with both kinds in it.
async fn plane() -> Result<&'static ControlPlane> {
    static SERVED: OnceCell<()> = OnceCell::const_new();
    let plane = shared().await?;
    SERVED
        .get_or_try_init(|| async {
            for crd in [
                include_str!("../../crds/dws.huaweicloud.com_dwsclusters.yaml"),
                include_str!("../../crds/dws.huaweicloud.com_dwssnapshots.yaml"),
            ] {
                plane.apply_crds(crd).await?;
            }
            Ok::<_, anyhow::Error>(())
        })
        .await?;
    Ok(plane)
}

/// The stack that most scenarios share.
pub async fn shared_stack() -> Result<&'static Stack> {
    static STACK: OnceCell<Stack> = OnceCell::const_new();
    STACK
        .get_or_try_init(|| async {
            let plane = plane().await?;
            let client = plane.client().await?;
            let api: Api<DynamicObject> = Api::all_with(client, &kind("Namespace"));
            for name in [SHARED, OTHER] {
                let namespace =
                    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
                api.create(&PostParams::default(), &serde_json::from_value(namespace)?)
                    .await?;
            }
            let options = Options {
                simulator: args(&[
                    "--automated-snapshots",
                    "off",
                    "--sold-out",
                    "dws.m3.xlarge",
                    "--sold-out-later",
                    "dwsx2.4xlarge",
                ]),
                operator: args(&["--concurrency", "16"]),
                namespaces: vec![SHARED.to_owned(), OTHER.to_owned()],
                ..Options::default()
            };
            Stack::start(&plane.kubeconfig(), options).await
        })
        .await
}

/// Flags as a program takes them.
pub fn args(all: &[&str]) -> Vec<String> {
    all.iter().map(|&one| one.to_owned()).collect()
}

fn kind(name: &str) -> ApiResource {
    let (group, version, plural) = match name {
        "DwsCluster" => ("dws.huaweicloud.com", "v1alpha1", "dwsclusters"),
        "DwsSnapshot" => ("dws.huaweicloud.com", "v1alpha1", "dwssnapshots"),
        "Secret" => ("", "v1", "secrets"),
        "Namespace" => ("", "v1", "namespaces"),
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
    /// In the shared stack.
    pub async fn shared() -> Result<Self> {
        let stack = shared_stack().await?;
        Ok(Self {
            client: plane().await?.client().await?,
            url: stack.url.clone(),
            namespace: SHARED.to_owned(),
        })
    }

    /// With a simulator and an operator of its own, in a namespace of its own.
    pub async fn own(options: Options) -> Result<(Self, Stack)> {
        static TURNS: Semaphore = Semaphore::const_new(2);
        let _turn = TURNS.acquire().await?;
        let plane = plane().await?;
        let namespace = plane.namespace("own").await?;
        let mut simulator = args(&["--automated-snapshots", "off"]);
        simulator.extend(options.simulator);
        let options = Options {
            namespaces: vec![namespace.clone()],
            simulator,
            ..options
        };
        let stack = Stack::start(&plane.kubeconfig(), options).await?;
        let world = Self {
            client: plane.client().await?,
            url: stack.url.clone(),
            namespace,
        };
        Ok((world, stack))
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
            if begin.elapsed() > PATIENCE {
                bail!(
                    "{kind_name} {name}: not {what} after {} s; it says {}",
                    PATIENCE.as_secs(),
                    object["status"]
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
            ensure!(begin.elapsed() < PATIENCE, "no event {reason} about {name}");
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
