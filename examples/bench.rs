//! `make bench`: how the operator's cost grows with the number of resources, measured in one run.
//!
//! N clusters (`N=1000` by default) in one account, on a real kube-apiserver and etcd and the simulator.
//! Times depend on the machine; counts and ratios are what to compare.

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use dws_operator::api::DwsCluster;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use kube::api::{ListParams, PostParams};
use kube::{Api, ResourceExt};
use support::control_plane::ControlPlane;
use support::stack::{Options, Stack};
use support::{Result, eventually};

/// How long nothing is changed while writes and reads are counted.
const QUIET: Duration = Duration::from_secs(30);
/// The operator's poll interval in this run.
const INTERVAL: u64 = 5;

#[tokio::main]
async fn main() -> Result<()> {
    let n: usize = std::env::var("N")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1000);
    let plane = ControlPlane::start().await?;
    plane
        .apply_crds(&dws_operator::operator::crds_yaml()?)
        .await?;
    let namespace = plane.namespace("bench").await?;
    let operator = [
        "--poll-interval",
        "5s",
        "--active-poll-interval",
        "1s",
        "--max-requests-per-second",
        "1000",
    ];
    let options = Options {
        speed: 400,
        simulator: vec![
            "--node-quota".into(),
            "1000000".into(),
            "--automated-snapshots".into(),
            "off".into(),
        ],
        operator: operator.map(str::to_owned).to_vec(),
        namespaces: vec![namespace.clone()],
        ..Options::default()
    };
    let stack = Stack::start(&plane.kubeconfig(), options).await?;
    let pid = stack
        .operator
        .as_ref()
        .map_or(0, support::process::Process::pid);
    println!("resident memory at 0 clusters: {:.1} MB", resident(pid)?);

    let client = plane.client().await?;
    let api: Api<DwsCluster> = Api::namespaced(client.clone(), &namespace);
    let applied = apply(&api, n).await?;
    let what = format!("{n} clusters ready");
    eventually(&what, Duration::from_mins(20), || async {
        Ok((ready(&api).await? == n).then_some(()))
    })
    .await?;
    latencies(&stack, &applied).await?;
    println!("resident memory at {n} clusters: {:.1} MB", resident(pid)?);

    tokio::time::sleep(Duration::from_secs(2 * INTERVAL)).await;
    let (before, calls) = (versions(&api).await?, calls(&stack).await?);
    tokio::time::sleep(QUIET).await;
    let (after, later) = (versions(&api).await?, self::calls(&stack).await?);
    let written = after
        .iter()
        .filter(|(name, version)| before.get(*name) != Some(*version))
        .count();
    println!(
        "objects written while nothing changed for {} s: {written}",
        QUIET.as_secs()
    );
    for (operation, count) in later {
        let made = count - calls.get(&operation).copied().unwrap_or_default();
        if made > 0 {
            let polls = QUIET.as_secs() / INTERVAL;
            println!(
                "remote reads in about {polls} intervals: {operation} {made} (for {n} clusters)"
            );
        }
    }
    let binary = std::env::current_exe()?
        .with_file_name("")
        .join("../dws-operator");
    if let Ok(meta) = std::fs::metadata(&binary) {
        #[allow(clippy::cast_precision_loss)] // a size in MB for reading
        let size = meta.len() as f64 / 1e6;
        println!("size of dws-operator: {size:.1} MB");
    }
    Ok(())
}

/// Creates n resources, 16 at a time, and tells when each was asked for.
async fn apply(api: &Api<DwsCluster>, n: usize) -> Result<BTreeMap<String, Timestamp>> {
    let made = stream::iter(0..n)
        .map(|index| async move {
            let name = format!("bench-{index:05}");
            let object: DwsCluster = serde_json::from_value(serde_json::json!({
                "apiVersion": "dws.huaweicloud.com/v1alpha1",
                "kind": "DwsCluster",
                "metadata": {"name": name},
                "spec": {
                    "nodeType": "dws.d1.xlarge",
                    "nodeCount": 3,
                    "network": {
                        "vpcId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3571",
                        "subnetId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3572",
                        "securityGroupId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3573"
                    }
                }
            }))?;
            let asked = Timestamp::now();
            api.create(&PostParams::default(), &object).await?;
            Ok::<_, anyhow::Error>((name, asked))
        })
        .buffer_unordered(16)
        .collect::<Vec<_>>()
        .await;
    made.into_iter().collect()
}

async fn ready(api: &Api<DwsCluster>) -> Result<usize> {
    let all = api.list(&ListParams::default()).await?;
    let is_ready = |one: &DwsCluster| {
        let status = one.status.clone().unwrap_or_default();
        status
            .conditions
            .iter()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True")
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(all.items.iter().filter(|one| is_ready(one)).count())
}

async fn versions(api: &Api<DwsCluster>) -> Result<BTreeMap<String, String>> {
    let all = api.list(&ListParams::default()).await?;
    Ok(all
        .items
        .iter()
        .map(|one| (one.name_any(), one.resource_version().unwrap_or_default()))
        .collect())
}

/// How many requests of each operation the simulator has received.
async fn calls(stack: &Stack) -> Result<BTreeMap<String, u64>> {
    let requests = stack.sim_get("requests?after=1000000000").await?;
    let counts = requests["per_operation"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    Ok(counts
        .into_iter()
        .filter_map(|(operation, count)| Some((operation, count.as_u64()?)))
        .collect())
}

/// Apply to the executed create, by the service's ledger.
async fn latencies(stack: &Stack, applied: &BTreeMap<String, Timestamp>) -> Result<()> {
    let mut waits = Vec::new();
    for effect in stack.ledger().await? {
        let at = effect["at"]
            .as_str()
            .and_then(|text| text.parse::<Timestamp>().ok());
        let asked = effect["name"].as_str().and_then(|name| applied.get(name));
        if let (Some(at), Some(asked), Some("create")) = (at, asked, effect["effect"].as_str()) {
            waits.push(at.duration_since(*asked).as_millis());
        }
    }
    waits.sort_unstable();
    let at = |share: usize| {
        waits
            .get(waits.len().saturating_sub(1) * share / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "apply to executed create, {} at once: p50 {} ms, p99 {} ms",
        waits.len(),
        at(50),
        at(99)
    );
    Ok(())
}

/// Resident memory of a process in MB.
fn resident(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    let kib: f64 = line.split_whitespace().nth(1).unwrap_or("0").parse()?;
    Ok(kib / 1000.0)
}
