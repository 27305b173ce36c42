//! Where it is measured: control plane, simulator, operator, and what they are asked afterwards.
//!
//! It knows how the programs are started and what they serve; it knows no goal.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use dws_operator::api::{DwsCluster, DwsSnapshot};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;

use crate::plan::Plan;
use crate::support::Result;
use crate::support::control_plane::ControlPlane;
use crate::support::process::program;
use crate::support::stack::{Options, Stack};

/// The operator's poll intervals: its defaults.
pub const IDLE: Duration = Duration::from_mins(1);
/// While a task runs.
pub const ACTIVE: Duration = Duration::from_secs(10);
/// Resources that are applied, and reconciled, at the same time: the operator's default.
pub const CONCURRENCY: usize = 16;
/// A create of the service takes 12 minutes. At this speed it outlasts a burst of a thousand, as there.
const SPEED: u32 = 10;

/// All that runs.
pub struct World {
    /// etcd and kube-apiserver, which end with it.
    _plane: ControlPlane,
    /// Simulator and operator.
    pub stack: Stack,
    /// Of the admin.
    pub client: Client,
    /// Where the operator works.
    pub namespace: String,
    /// Where the bare loop works.
    pub floor_namespace: String,
}

impl World {
    /// Starts all but the operator.
    pub async fn begin(plan: &Plan) -> Result<Self> {
        say(format!(
            "{} DwsClusters and {} DwsSnapshots in one account",
            plan.clusters, plan.snapshots
        ));
        let plane = ControlPlane::start().await?;
        plane
            .apply_crds(&dws_operator::operator::crds_yaml()?)
            .await?;
        let namespace = plane.namespace("bench").await?;
        let floor_namespace = plane.namespace("floor").await?;
        let intervals = [
            format!("{}s", IDLE.as_secs()),
            format!("{}s", ACTIVE.as_secs()),
        ];
        let [idle, active] = intervals;
        let operator = [
            ["--poll-interval", &idle],
            ["--active-poll-interval", &active],
            ["--request-timeout", "30s"],
            ["--ambiguity-window", "10m"],
            ["--concurrency", &CONCURRENCY.to_string()],
            // Ten a second, the default, would measure the limit and nothing else.
            ["--max-requests-per-second", "1000"],
        ];
        let simulator = ["--node-quota", "4000000", "--automated-snapshots", "off"];
        let options = Options {
            speed: SPEED,
            simulator: simulator.map(str::to_owned).to_vec(),
            operator: operator.concat().into_iter().map(str::to_owned).collect(),
            namespaces: vec![namespace.clone()],
            ..Options::default()
        };
        let stack = Stack::simulator_only(&plane.kubeconfig(), options).await?;
        let client = plane.client().await?;
        Ok(Self {
            _plane: plane,
            stack,
            client,
            namespace,
            floor_namespace,
        })
    }

    /// Starts the operator and waits until it is ready.
    pub async fn start_operator(&mut self) -> Result<()> {
        self.stack.start_operator().await
    }

    /// The operator's process.
    pub fn operator(&self) -> Result<u32> {
        let operator = self.stack.operator.as_ref();
        Ok(operator.context("the operator does not run")?.pid())
    }

    /// The clusters of a namespace.
    pub fn clusters(&self, namespace: &str) -> Api<DwsCluster> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The snapshots that the operator looks after.
    pub fn snapshots(&self) -> Api<DwsSnapshot> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Effects executed since `after`: the name, what, and when. Gives the last number as well.
    pub async fn effects(&self, after: u64) -> Result<(Vec<Effect>, u64)> {
        let ledger = self.stack.sim_get(&format!("ledger?after={after}")).await?;
        let all = ledger["effects"].as_array().context("no ledger")?;
        let read = |effect: &serde_json::Value| {
            Some(Effect {
                number: effect["number"].as_u64()?,
                what: effect["effect"].as_str()?.to_owned(),
                name: effect["name"].as_str()?.to_owned(),
                at: effect["at"].as_str()?.parse().ok()?,
            })
        };
        let effects = all.iter().map(read).collect::<Option<Vec<_>>>();
        let effects = effects.context("a line of the ledger cannot be read")?;
        let last = effects.last().map_or(after, |effect| effect.number);
        Ok((effects, last))
    }
}

/// A line of the simulator's ledger.
pub struct Effect {
    number: u64,
    /// `create`, `snapshot`, ...
    pub what: String,
    /// Of what.
    pub name: String,
    /// When it was executed.
    pub at: Timestamp,
}

/// Applies clusters of these names, some at a time; tells when each was asked for. `then` is told of each
/// when the API server has taken it.
pub async fn apply(
    api: &Api<DwsCluster>,
    names: impl IntoIterator<Item = String>,
    then: impl Fn(&str),
) -> Result<BTreeMap<String, Timestamp>> {
    let then = &then;
    stream::iter(names)
        .map(|name| async move {
            let object = cluster(&name)?;
            let asked = Timestamp::now();
            api.create(&PostParams::default(), &object).await?;
            then(&name);
            Ok::<_, anyhow::Error>((name, asked))
        })
        .buffer_unordered(CONCURRENCY)
        .try_collect()
        .await
}

fn cluster(name: &str) -> Result<DwsCluster> {
    Ok(serde_json::from_value(json!({
        "apiVersion": "dws.huaweicloud.com/v1alpha1",
        "kind": "DwsCluster",
        "metadata": {"name": name},
        "spec": {
            "nodeType": "dws.d1.xlarge",
            "nodeCount": 3,
            "network": {
                "vpcId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3571",
                "subnetId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3572",
                "securityGroupId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3573",
            },
        },
    }))?)
}

/// A snapshot of a cluster.
pub fn snapshot(name: &str, cluster: &str) -> Result<DwsSnapshot> {
    Ok(serde_json::from_value(json!({
        "apiVersion": "dws.huaweicloud.com/v1alpha1",
        "kind": "DwsSnapshot",
        "metadata": {"name": name},
        "spec": {"clusterRef": {"name": cluster}},
    }))?)
}

/// What goes on, on standard error: standard output is the table's.
pub fn say(text: impl AsRef<str>) {
    eprintln!("  .. {}", text.as_ref());
}

/// Size of the operator's program in MB.
pub fn binary_size() -> Result<f64> {
    let command = program("dws-operator")?;
    Ok(megabytes(std::fs::metadata(command.get_program())?.len()))
}

/// For reading.
#[allow(clippy::cast_precision_loss)]
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
