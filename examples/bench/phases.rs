//! The phases of a run, in their order; each leaves rows in the table or waits for the next.
//!
//! What is measured is measured on the far sides (see `counters`); the operator is only watched.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use dws_operator::api::DwsCluster;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use kube::api::{ListParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio::sync::mpsc;

use crate::counters::{Counts, Memory, processor_seconds};
use crate::floor::Floor;
use crate::latency::{Paced, Waits};
use crate::plan::Plan;
use crate::support::{Result, eventually};
use crate::table::Table;
use crate::world::{self, ACTIVE, CONCURRENCY, Effect, IDLE, World, say};

/// Nothing in a run takes longer per thousand resources.
const LIMIT: Duration = Duration::from_mins(15);
/// Clusters made before anything is measured: the API server compiles rules and fills caches.
const WARM_UP: usize = 50;
/// After a create, for what follows it (the id, events), before the next one at a time.
const PAUSE: Duration = Duration::from_millis(300);

fn limit(plan: &Plan) -> Duration {
    LIMIT * u32::try_from(plan.clusters.div_ceil(1000)).unwrap_or(u32::MAX)
}

/// N clusters at once by the bare loop, with as many workers as the operator has; then the world is emptied.
pub async fn floor_burst(world: &World, plan: &Plan) -> Result<Waits> {
    burst_of(world, "warm", WARM_UP).await?;
    empty(world).await?;
    let begin = Instant::now();
    let waits = burst_of(world, "floor", plan.clusters).await?;
    say(format!(
        "the bare loop made {} in {} s",
        waits.len(),
        begin.elapsed().as_secs()
    ));
    empty(world).await?;
    Ok(waits)
}

async fn burst_of(world: &World, prefix: &str, count: usize) -> Result<Waits> {
    let floor = Floor::new(world).await?;
    let api = world.clusters(&world.floor_namespace);
    let (sender, names) = mpsc::unbounded_channel();
    let mut workers = floor.workers(names);
    let asked = world::apply(&api, numbered(prefix, count), |name| {
        // A worker that failed is found below.
        let _ = sender.send(name.to_owned());
    })
    .await?;
    drop(sender);
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    let (effects, _) = world.effects(0).await?;
    Ok(Waits::between(&asked, &effects))
}

/// Starts the service over: clusters are gone, and tokens as well.
async fn empty(world: &World) -> Result<()> {
    world.stack.sim_post("reset", &json!({})).await?;
    Ok(())
}

fn numbered(prefix: &str, count: usize) -> impl Iterator<Item = String> + use<> {
    let prefix = prefix.to_owned();
    (0..count).map(move |index| format!("{prefix}-{index:05}"))
}

/// What the operator costs with nothing to do.
pub async fn at_nothing(world: &World, table: &mut Table) -> Result<()> {
    tokio::time::sleep(Duration::from_secs(5)).await;
    let memory = Memory::of(world.operator()?)?;
    table.note(format!(
        "resident memory at 0: {:.1} MB, of which heap and stacks {:.1} MB",
        memory.resident, memory.anonymous
    ));
    Ok(())
}

/// N clusters at once by the operator.
pub async fn burst(world: &World, plan: &Plan) -> Result<Waits> {
    let api = world.clusters(&world.namespace);
    let begin = Instant::now();
    let asked = world::apply(&api, numbered("bench", plan.clusters), |_| {}).await?;
    say(format!(
        "{} applied in {} s",
        asked.len(),
        begin.elapsed().as_secs()
    ));
    let effects = created(world, plan, plan.clusters).await?;
    say(format!(
        "the operator made {} in {} s",
        effects.len(),
        begin.elapsed().as_secs()
    ));
    Ok(Waits::between(&asked, &effects))
}

/// Waits until so many creates have been executed.
async fn created(world: &World, plan: &Plan, count: usize) -> Result<Vec<Effect>> {
    let begin = Instant::now();
    let (mut all, mut last) = (Vec::new(), 0);
    while all.len() < count {
        anyhow::ensure!(
            begin.elapsed() < limit(plan),
            "{} of {count} creates",
            all.len()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (effects, number) = world.effects(last).await?;
        last = number;
        all.extend(effects.into_iter().filter(|effect| effect.what == "create"));
    }
    anyhow::ensure!(
        all.len() == count,
        "{} creates for {count} resources",
        all.len()
    );
    Ok(all)
}

/// All clusters come up, then snapshots of them are taken.
pub async fn settle(world: &World, plan: &Plan, table: &mut Table) -> Result<()> {
    let api = world.clusters(&world.namespace);
    let ready = |one: &DwsCluster| {
        let status = one.status.as_ref();
        status.is_some_and(|status| is_ready(&status.conditions))
    };
    wait_for(&api, plan, plan.clusters, "clusters Ready", ready).await?;
    let snapshots = world.snapshots();
    stream::iter(0..plan.snapshots)
        .map(|index| {
            let snapshots = snapshots.clone();
            let cluster = format!("bench-{:05}", index % plan.clusters);
            async move {
                let object = world::snapshot(&format!("bench-snapshot-{index:05}"), &cluster)?;
                snapshots.create(&PostParams::default(), &object).await?;
                Ok::<_, anyhow::Error>(())
            }
        })
        .buffer_unordered(CONCURRENCY)
        .try_collect::<Vec<()>>()
        .await?;
    let ready = |one: &dws_operator::api::DwsSnapshot| {
        let status = one.status.as_ref();
        status.is_some_and(|status| is_ready(&status.conditions))
    };
    wait_for(&snapshots, plan, plan.snapshots, "snapshots Ready", ready).await?;
    let seconds = processor_seconds(world.operator()?)?;
    table.note(format!(
        "processor time until all were ready: {seconds:.1} s"
    ));
    Ok(())
}

fn is_ready(conditions: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition]) -> bool {
    let mut conditions = conditions.iter();
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// Waits until so many objects are as they should be.
async fn wait_for<K>(
    api: &Api<K>,
    plan: &Plan,
    count: usize,
    what: &str,
    good: impl Fn(&K) -> bool,
) -> Result<()>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let what = format!("{count} {what}");
    let good = &good;
    let probe = || async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        // From the API server's cache, in which there is no harm in looking.
        let all = api.list(&ListParams::default().match_any()).await?;
        Ok((all.items.iter().filter(|one| good(one)).count() >= count).then_some(()))
    };
    eventually(&what, limit(plan), probe).await?;
    say(what);
    Ok(())
}

/// Nothing happens: no status is written, and the account is read once an interval.
pub async fn at_rest(world: &World, plan: &Plan, table: &mut Table) -> Result<()> {
    // Until the last poll at the active interval has been, and what it woke.
    tokio::time::sleep(2 * ACTIVE + Duration::from_secs(10)).await;
    let pid = world.operator()?;
    let memory = Memory::of(pid)?;
    table.row(
        &format!("resident memory at {}", plan.clusters),
        format!("{:.1} MB", memory.resident),
        "25 MB at most at 1000",
        memory.resident <= 25.0,
    );
    table.note(format!(
        "at {}: heap and stacks {:.1} MB; the most that was ever resident: {:.1} MB",
        plan.clusters, memory.anonymous, memory.peak
    ));
    say(format!("nothing happens for {} s", plan.quiet.as_secs()));
    let (before, busy) = (Counts::take(world).await?, processor_seconds(pid)?);
    tokio::time::sleep(plan.quiet).await;
    let counts = Counts::take(world).await?.since(&before);
    let busy = processor_seconds(pid)? - busy;

    let intervals = (plan.quiet.as_secs_f64() / IDLE.as_secs_f64()).max(1.0);
    for (kind, operation) in [
        ("clusters", "list_clusters"),
        ("snapshots", "list_snapshots"),
    ] {
        #[allow(clippy::cast_precision_loss)] // a few
        let lists = counts.remote(operation) as f64 / intervals;
        table.row(
            &format!("lists of {kind} per interval"),
            format!(
                "{lists:.2} ({} in {intervals:.0})",
                counts.remote(operation)
            ),
            "1 at most",
            lists <= 1.0,
        );
    }
    let others = counts.remote_by_operation();
    let others: BTreeMap<_, _> = others
        .filter(|(operation, _)| !operation.starts_with("list_"))
        .collect();
    table.row(
        "other remote requests at rest",
        format!("{} {others:?}", others.values().sum::<u64>()),
        "0",
        others.is_empty(),
    );
    let written = ["dwsclusters", "dwssnapshots"].map(|kind| counts.etcd_writes(kind));
    table.row(
        &format!("status writes in {} s at rest", plan.quiet.as_secs()),
        format!(
            "{} ({} in etcd)",
            counts.status_writes(),
            written.iter().sum::<u64>()
        ),
        "0",
        counts.status_writes() == 0 && written == [0, 0],
    );
    table.note(format!(
        "processor time at rest: {:.2} s a minute",
        busy * 60.0 / plan.quiet.as_secs_f64()
    ));
    Ok(())
}

/// One thing changes at the service for each cluster: how often is its resource written?
pub async fn observed_changes(world: &World, plan: &Plan, table: &mut Table) -> Result<()> {
    let before = Counts::take(world).await?;
    stream::iter(numbered("bench", plan.clusters))
        .map(|cluster| async move {
            let change =
                json!({"change": "set_sub_status", "cluster": cluster, "sub_status": "DEGRADED"});
            world.stack.sim_post("outside", &change).await
        })
        .buffer_unordered(4)
        .try_collect::<Vec<String>>()
        .await?;
    let api = world.clusters(&world.namespace);
    let seen = |one: &DwsCluster| {
        let status = one.status.as_ref();
        status.and_then(|status| status.sub_status.as_deref()) == Some("DEGRADED")
    };
    wait_for(&api, plan, plan.clusters, "changes seen", seen).await?;
    // A second write, if there is one, follows soon.
    tokio::time::sleep(ACTIVE).await;
    let counts = Counts::take(world).await?.since(&before);
    // A meter that sees nothing here would have seen nothing at rest either.
    anyhow::ensure!(counts.status_writes() > 0, "no status write was counted");
    #[allow(clippy::cast_precision_loss)]
    let per_change = |count: u64| count as f64 / plan.clusters as f64;
    let writes = per_change(counts.etcd_writes("dwsclusters"));
    table.row(
        "etcd writes of our resource per observed change",
        format!(
            "{writes:.3} ({} of {})",
            counts.etcd_writes("dwsclusters"),
            plan.clusters
        ),
        "1",
        (writes - 1.0).abs() < 0.000_5,
    );
    table.note(format!(
        "remote details read per observed change: {:.3}",
        per_change(counts.remote("show_cluster"))
    ));
    Ok(())
}

/// One at a time, by the bare loop and by the operator in turn, beside the N that are there.
pub async fn paced(world: &World, plan: &Plan) -> Result<Paced> {
    let floor = Floor::new(world).await?;
    let bare = world.clusters(&world.floor_namespace);
    let api = world.clusters(&world.namespace);
    let (_, mut last) = world.effects(0).await?;
    let mut paced = Paced::default();
    for index in 0..plan.paced {
        let name = format!("pace-floor-{index:05}");
        let asked = world::apply(&bare, [name.clone()], |_| {}).await?;
        floor.make(&name).await?;
        let executed = executed(world, &mut last, &name).await?;
        paced.floor.add(asked_at(&asked, &name)?, executed);
        tokio::time::sleep(PAUSE).await;

        let name = format!("pace-{index:05}");
        let watched = tokio::spawn(has_id(api.clone(), name.clone()));
        // The watch is there before the object.
        tokio::time::sleep(PAUSE).await;
        let asked = world::apply(&api, [name.clone()], |_| {}).await?;
        watched.await??;
        let executed = self::executed(world, &mut last, &name).await?;
        paced.operator.add(asked_at(&asked, &name)?, executed);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(paced)
}

fn asked_at(asked: &BTreeMap<String, Timestamp>, name: &str) -> Result<Timestamp> {
    asked.get(name).copied().context("not asked for")
}

async fn executed(world: &World, last: &mut u64, name: &str) -> Result<Timestamp> {
    let (effects, number) = world.effects(*last).await?;
    *last = number;
    let found = effects.iter().find(|effect| effect.name == name);
    Ok(found.with_context(|| format!("no create of {name}"))?.at)
}

/// Waits, without asking, until a cluster's id is stored.
async fn has_id(api: Api<DwsCluster>, name: String) -> Result<()> {
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let seen = watcher(api, config).applied_objects();
    let mut seen = std::pin::pin!(seen);
    let wait = async {
        while let Some(object) = seen.try_next().await? {
            let status = object.status.as_ref();
            if object.name_any() == name && status.is_some_and(|s| s.cluster_id.is_some()) {
                return Ok(());
            }
        }
        anyhow::bail!("the watch of {name} ended")
    };
    tokio::time::timeout(Duration::from_mins(1), wait)
        .await
        .with_context(|| format!("{name} got no id in a minute"))?
}
