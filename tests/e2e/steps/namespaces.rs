//! A namespace is deleted with a cluster in it, whose credentials are Secrets of that namespace and go at once.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::super::support::Result;
use super::super::world::World;
use super::{cluster, install};

/// A cluster with credentials of its own namespace, in that namespace.
fn furnish(world: &World, namespace: &str, policy: &str) -> Result<()> {
    world.make_namespace(namespace)?;
    install::account(world, namespace)?;
    let own = "spec:\n  credentialsSecretRef:\n    name: dws-account\n";
    world.apply(
        namespace,
        &cluster(&format!("{namespace}-dw"), policy).replacen("spec:\n", own, 1),
    )
}

/// One for each policy, all at the same time.
pub fn policies(world: &World) -> Result<String> {
    let places = [
        ("leaves-a-snapshot", "Snapshot"),
        ("leaves-nothing", "Delete"),
        ("leaves-all", "Retain"),
    ];
    for (namespace, policy) in places {
        furnish(world, namespace, policy)?;
    }
    for (namespace, _) in places {
        world.is_ready(namespace, &format!("dwsc/{namespace}-dw"))?;
    }
    let mark = world.cloud.mark()?;
    let begin = Instant::now();
    for (namespace, _) in places {
        world.kubectl(
            "default",
            &["delete", "namespace", namespace, "--wait=false"],
        )?;
    }
    for (namespace, _) in places {
        world.is_gone("default", &format!("namespace/{namespace}"))?;
    }
    let took = begin.elapsed().as_secs_f32();
    world.cloud.exactly(
        mark,
        &[
            "snapshot leaves-a-snapshot-dw-final",
            "delete_cluster leaves-a-snapshot-dw",
            "delete_cluster leaves-nothing-dw",
        ],
    )?;
    anyhow::ensure!(
        world.cloud.cluster("leaves-all-dw")?.is_some(),
        "the retained cluster is gone"
    );
    Ok(format!(
        "all three gone after {took:.1} s: snapshot and DELETE, DELETE, nothing"
    ))
}

/// The operator is away while the credentials go, so that no process has ever seen them: it says what to do, and
/// nothing happens before that.
pub fn unattended(world: &World) -> Result<String> {
    let namespace = "left-alone";
    let object = "dwsc/left-alone-dw";
    furnish(world, namespace, "Delete")?;
    world.is_ready(namespace, object)?;
    let mark = world.cloud.mark()?;
    let replicas = world.operator.scale("0")?;
    world.kubectl(
        "default",
        &["delete", "namespace", namespace, "--wait=false"],
    )?;
    world.is_gone(namespace, "secret/dws-account")?;
    world.operator.scale(&replicas)?;
    world.operator.settles()?;

    let blocked = world.shows(namespace, object, "Ready", "DeletionBlocked")?;
    for way in ["dws-account", "Retain"] {
        anyhow::ensure!(
            blocked.message.contains(way),
            "no way out by {way}: {blocked:?}"
        );
    }
    sleep(Duration::from_secs(5));
    world.cloud.exactly(mark, &[])?;
    let retain = r#"{"spec":{"deletionPolicy":"Retain"}}"#;
    world.kubectl(namespace, &["patch", object, "--type=merge", "-p", retain])?;
    world.is_gone("default", &format!("namespace/{namespace}"))?;
    world.cloud.exactly(mark, &[])?;
    anyhow::ensure!(
        world.cloud.cluster("left-alone-dw")?.is_some(),
        "the cluster is gone"
    );
    Ok("DeletionBlocked with both ways out, nothing done; gone with Retain".to_owned())
}
