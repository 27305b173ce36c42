//! The work passes from one Pod to another while calls are under way, in the three ways in which it happens:
//! a new version, a Pod that is told to end, a Pod that is lost. Each time a create and a resize were executed
//! and are not answered yet.

use std::time::Instant;

use anyhow::Context;

use super::super::operator::{Image, NAMESPACE};
use super::super::support::Result;
use super::super::world::{PATIENCE, World};
use super::install::VALUES;
use super::{TENANT, cluster, examples};

/// Seconds until an answer comes: less than the request's time limit of `values.yaml`, and enough for what a step
/// does meanwhile.
pub const LATE: u32 = 10;

/// `helm upgrade` to the next image.
pub fn upgrade(world: &World) -> Result<String> {
    let name = "made-in-an-upgrade";
    let calls = Calls::begin(world, name, |create, resize| {
        world.cloud.answers_late("create_cluster", create, LATE)?;
        world.cloud.answers_late("resize_cluster", resize, LATE)
    })?;
    let before = world.operator.holder()?;
    let begin = Instant::now();
    world.operator.deploy(Image::Next, VALUES)?;
    let took = begin.elapsed().as_secs_f32();
    anyhow::ensure!(world.operator.holder()? != before, "the same process leads");
    calls.end()?;
    Ok(format!(
        "new Pods after {took:.1} s, 1 create and 1 resize, neither lost nor doubled"
    ))
}

/// `kubectl delete pod`.
pub fn ends(world: &World) -> Result<String> {
    let leader = world.operator.settles()?;
    let calls = Calls::begin(world, "made-while-the-leader-ends", |create, resize| {
        world.cloud.answers_late("create_cluster", create, LATE)?;
        world.cloud.answers_late("resize_cluster", resize, LATE)
    })?;
    let begin = Instant::now();
    world.kubectl(NAMESPACE, &["delete", "pod", &leader, "--wait=false"])?;
    let other = world.operator.handed_over(&leader, PATIENCE)?;
    let took = begin.elapsed().as_secs_f32();
    calls.end()?;
    // Given back when the answers were stored, rather than left to its 15 s.
    world.operator.took_over(&other, "released")?;
    world.operator.settles()?;
    Ok(format!(
        "{other} led {took:.1} s later, the answers awaited; 1 create and 1 resize"
    ))
}

/// The process dies with its calls: what they did is found by the next one.
pub fn is_lost(world: &World) -> Result<String> {
    let leader = world.operator.settles()?;
    let calls = Calls::begin(world, "made-while-the-leader-dies", |create, resize| {
        world.cloud.answers_never("create_cluster", create)?;
        world.cloud.answers_never("resize_cluster", resize)
    })?;
    let begin = Instant::now();
    // Killed a second after it was told, and its calls hang for longer: so it leaves the lease behind.
    world.kubectl(
        NAMESPACE,
        &["delete", "pod", &leader, "--grace-period=1", "--wait=false"],
    )?;
    let other = world.operator.handed_over(&leader, PATIENCE)?;
    let took = begin.elapsed().as_secs_f32();
    calls.end()?;
    world.operator.took_over(&other, "renewed it no more")?;
    world.operator.settles()?;
    Ok(format!(
        "{other} led {took:.1} s later; 1 create and 1 resize, found without their answers"
    ))
}

/// A create and a resize that were executed, whatever became of the answers.
pub struct Calls<'w> {
    world: &'w World,
    name: &'static str,
    mark: super::super::cloud::Mark,
}

impl<'w> Calls<'w> {
    /// Returns when both are executed. `faults` are those that they meet, given the name and the id of the targets.
    pub fn begin(
        world: &'w World,
        name: &'static str,
        faults: impl FnOnce(&str, &str) -> Result<()>,
    ) -> Result<Self> {
        world.cloud.rests("orders-dw")?;
        let mark = world.cloud.mark()?;
        let grown = world.get(TENANT, "dwsc/orders-dw")?;
        let id = grown["status"]["clusterId"].as_str().context("no id")?;
        let nodes = grown["spec"]["nodeCount"]
            .as_i64()
            .context("no nodeCount")?
            + 1;
        faults(name, id)?;
        world.apply(TENANT, &cluster(name, "Delete"))?;
        let patch = format!(r#"{{"spec":{{"nodeCount":{nodes}}}}}"#);
        world.kubectl(
            TENANT,
            &["patch", "dwsc/orders-dw", "--type=merge", "-p", &patch],
        )?;
        world.cloud.executes(mark, &format!("create {name}"))?;
        world.cloud.executes(mark, "resize orders-dw +1")?;
        for object in [&format!("dwsc/{name}"), "dwsc/orders-dw"] {
            let operation = world.get(TENANT, object)?["status"]["operation"].clone();
            anyhow::ensure!(
                operation["phase"] == "Intended",
                "the call of {object} is over too early: {operation}"
            );
        }
        Ok(Self { world, name, mark })
    }

    /// Waits until both are settled, and looks at what was executed for them.
    fn end(self) -> Result<()> {
        settled(self.world, self.name)?;
        self.are_done_once()
    }

    /// Fails unless both, and nothing else, were executed.
    pub fn are_done_once(&self) -> Result<()> {
        let create = format!("create {}", self.name);
        self.world
            .cloud
            .exactly(self.mark, &[&create, "resize orders-dw +1"])
    }
}

/// Waits until the resources of both calls are at rest and know what was done for them.
pub fn settled(world: &World, name: &str) -> Result<()> {
    world.is_ready(TENANT, &format!("dwsc/{name}"))?;
    world.is_ready(TENANT, "dwsc/orders-dw")?;
    let grown = world.get(TENANT, "dwsc/orders-dw")?;
    anyhow::ensure!(
        grown["status"]["settledNodeCount"] == grown["spec"]["nodeCount"],
        "the resize is not settled: {}",
        grown["status"]
    );
    examples::leads_in(world, TENANT, name)?;
    examples::leads_in(world, TENANT, "orders-dw")
}
