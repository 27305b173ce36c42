//! `kubectl delete crd`: it marks every warehouse of the cluster for deletion, which nobody means.

use std::thread::sleep;
use std::time::Duration;

use super::super::operator::Image;
use super::super::support::Result;
use super::super::world::World;
use super::{TENANT, cluster, install};

const DEFINITION: &str = "crd/dwsclusters.dws.huaweicloud.com";

pub fn delete(world: &World) -> Result<String> {
    let mark = world.cloud.mark()?;
    let listed = world.kubectl(
        TENANT,
        &["get", "dwsc", "-o", "jsonpath={.items[*].metadata.name}"],
    )?;
    let names: Vec<&str> = listed.split_whitespace().collect();
    world.kubectl("default", &["delete", DEFINITION, "--wait=false"])?;

    // Those that are only forgotten go: one that was adopted, and one that is observed.
    for name in ["legacy-dw", "finance-dw"] {
        world.is_gone(TENANT, &format!("dwsc/{name}"))?;
    }
    let owned: Vec<&str> = names
        .into_iter()
        .filter(|name| !["legacy-dw", "finance-dw"].contains(name))
        .collect();
    anyhow::ensure!(owned.len() >= 4, "there are only {owned:?}");
    for name in &owned {
        let blocked = world.shows(TENANT, &format!("dwsc/{name}"), "Ready", "DeletionBlocked")?;
        for way in ["confirm-delete", "Retain"] {
            anyhow::ensure!(
                blocked.message.contains(way),
                "no way out by {way}: {blocked:?}"
            );
        }
    }
    sleep(Duration::from_secs(5));
    world.cloud.exactly(mark, &[])?;

    // One is confirmed, the others are kept.
    let confirmed = owned.first().copied().unwrap_or_default();
    let id = world.get(TENANT, &format!("dwsc/{confirmed}"))?["status"]["clusterId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let patch = r#"{"spec":{"deletionPolicy":"Delete"}}"#;
    world.kubectl(
        TENANT,
        &["patch", "dwsc", confirmed, "--type=merge", "-p", patch],
    )?;
    let annotation = format!("dws.huaweicloud.com/confirm-delete={id}");
    world.kubectl(TENANT, &["annotate", "dwsc", confirmed, &annotation])?;
    let retain = r#"{"spec":{"deletionPolicy":"Retain"}}"#;
    for name in &owned[1..] {
        world.kubectl(
            TENANT,
            &["patch", "dwsc", name, "--type=merge", "-p", retain],
        )?;
    }
    world.is_gone("default", DEFINITION)?;
    world
        .cloud
        .exactly(mark, &[&format!("delete_cluster {confirmed}")])?;

    // An upgrade of the release brings the definition back; a cluster that was kept is taken over again.
    let kept = owned[1];
    let id = world.cloud.cluster(kept)?.unwrap_or_default();
    world.operator.deploy(Image::Next, install::VALUES)?;
    // Its former connection Secret stayed, and is nobody's.
    let adopted = format!("spec:\n  clusterId: {id}\n  connectionSecretName: taken-over\n");
    world.apply(
        TENANT,
        &cluster(kept, "Retain").replacen("spec:\n", &adopted, 1),
    )?;
    world.shows(TENANT, &format!("dwsc/{kept}"), "Ready", "True")?;
    world.apply(TENANT, &cluster("made-afterwards", "Delete"))?;
    world.is_ready(TENANT, "dwsc/made-afterwards")?;
    world.cloud.exactly(
        mark,
        &[
            &format!("delete_cluster {confirmed}"),
            "create made-afterwards",
        ],
    )?;
    Ok(format!(
        "{} warehouses blocked and untouched; 1 confirmed, the others kept; all works again after helm upgrade",
        owned.len()
    ))
}
