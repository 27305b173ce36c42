//! The release is removed in the middle of a create and a resize, and comes back: in between nothing changes, and
//! afterwards everything goes on. Helm takes the rights away while the Pods still end, so the answers to the two
//! calls cannot be stored: what they did has to be found.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::super::operator::Image;
use super::super::support::Result;
use super::super::world::World;
use super::hand_over::{self, Calls, LATE};
use super::{TENANT, cluster, install};

const MADE: &str = "made-while-away";
const GONE: &str = "made-while-the-leader-ends";
const CAUGHT: &str = "made-in-an-uninstall";

/// The definitions and every resource stay; people go on working.
pub fn uninstall(world: &World) -> Result<String> {
    let calls = Calls::begin(world, CAUGHT, |create, resize| {
        world.cloud.answers_late("create_cluster", create, LATE)?;
        world.cloud.answers_late("resize_cluster", resize, LATE)
    })?;
    let count = |kind: &str| -> Result<usize> {
        let names = world.kubectl("default", &["get", kind, "-A", "-o", "name"])?;
        Ok(names.lines().count())
    };
    let (clusters, snapshots) = (count("dwsc")?, count("dwss")?);
    let said = world.operator.uninstall()?;
    anyhow::ensure!(
        said.contains("dwsclusters.dws.huaweicloud.com")
            && said.contains("dwssnapshots.dws.huaweicloud.com"),
        "helm does not say that the definitions were kept: {said}"
    );
    anyhow::ensure!(
        (clusters, snapshots) == (count("dwsc")?, count("dwss")?),
        "resources are gone"
    );
    let leftover = world.operator.helm(&["list", "--short"])?;
    anyhow::ensure!(leftover.trim().is_empty(), "releases: {leftover}");

    world.apply(TENANT, &cluster(MADE, "Delete"))?;
    world.kubectl(TENANT, &["delete", "dwsc", GONE, "--wait=false"])?;
    sleep(Duration::from_secs(5));
    world.get(TENANT, &format!("dwsc/{GONE}"))?;
    calls.are_done_once()?;
    Ok(format!(
        "{clusters} clusters, {snapshots} snapshot and both definitions stay; 1 create and 1 resize, nothing after them"
    ))
}

/// What was made meanwhile is made, what was deleted goes, and all the rest is left alone.
pub fn reinstall(world: &World) -> Result<String> {
    let mark = world.cloud.mark()?;
    let begin = Instant::now();
    world.operator.deploy(Image::Next, install::VALUES)?;
    world.is_ready(TENANT, &format!("dwsc/{MADE}"))?;
    world.is_gone(TENANT, &format!("dwsc/{GONE}"))?;
    let took = begin.elapsed().as_secs_f32();
    hand_over::settled(world, CAUGHT)?;
    for name in ["orders-dw-copy", "marketing-dw", "legacy-dw"] {
        world.is_ready(TENANT, &format!("dwsc/{name}"))?;
    }
    let (made, gone) = (format!("create {MADE}"), format!("delete_cluster {GONE}"));
    world.cloud.exactly(mark, &[&made, &gone])?;
    Ok(format!(
        "what waited was done after {took:.1} s, once; the 2 calls are found"
    ))
}
