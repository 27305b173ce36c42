//! Clusters go: protection first, then the deletion, and what their owners leave to the garbage collector.

use super::super::shell::until;
use super::super::support::Result;
use super::super::world::{PATIENCE, World};
use super::{TENANT, cluster};

pub fn delete(world: &World) -> Result<String> {
    let mark = world.cloud.mark()?;
    let object = "dwsc/made-in-an-upgrade";
    let secret = "secret/made-in-an-upgrade-connection";
    let protect = |on: bool| {
        let patch = format!(r#"{{"spec":{{"deletionProtection":{on}}}}}"#);
        world.kubectl(TENANT, &["patch", object, "--type=merge", "-p", &patch])
    };
    owns(world, object, secret, true)?;
    protect(true)?;
    owns(world, object, secret, false)?;
    let refused = world.kubectl(TENANT, &["delete", object, "--wait=false"]);
    let Err(refusal) = refused else {
        anyhow::bail!("a protected cluster was marked for deletion");
    };
    anyhow::ensure!(
        format!("{refusal:#}").contains("deletionProtection"),
        "it does not say why: {refusal:#}"
    );
    world.cloud.exactly(mark, &[])?;

    protect(false)?;
    owns(world, object, secret, true)?;
    world.kubectl(TENANT, &["delete", object, "--wait=false"])?;
    world.is_gone(TENANT, object)?;
    world.is_gone(TENANT, secret)?;
    world
        .cloud
        .exactly(mark, &["delete_cluster made-in-an-upgrade"])?;
    Ok(
        "a protected one is refused; without protection it goes, and its Secret is collected"
            .to_owned(),
    )
}

/// In the foreground Kubernetes deletes what an owner reference ties to a resource before that resource is gone.
/// One that is to be kept has a Secret that nothing leads to.
pub fn in_the_foreground(world: &World) -> Result<String> {
    let policies = [("goes-with-it", "Delete"), ("stays-without-it", "Retain")];
    for (name, policy) in policies {
        world.apply(TENANT, &cluster(name, policy))?;
    }
    for (name, policy) in policies {
        let object = format!("dwsc/{name}");
        world.is_ready(TENANT, &object)?;
        let secret = format!("secret/{name}-connection");
        owns(world, &object, &secret, policy == "Delete")?;
    }
    let password = world.secret(TENANT, "stays-without-it-connection", "password")?;
    let mark = world.cloud.mark()?;
    // The operator is held, so that only Kubernetes can have deleted what is gone.
    let hold = "dws.huaweicloud.com/paused";
    for (name, _) in policies {
        let object = format!("dwsc/{name}");
        world.kubectl(TENANT, &["annotate", &object, &format!("{hold}=true")])?;
        world.shows(TENANT, &object, "Synced", "Paused")?;
        let args = ["delete", &object, "--cascade=foreground", "--wait=false"];
        world.kubectl(TENANT, &args)?;
    }
    world.is_gone(TENANT, "secret/goes-with-it-connection")?;
    world.cloud.exactly(mark, &[])?;
    for (name, _) in policies {
        let object = format!("dwsc/{name}");
        world.kubectl(TENANT, &["annotate", &object, &format!("{hold}-")])?;
    }
    for (name, _) in policies {
        world.is_gone(TENANT, &format!("dwsc/{name}"))?;
    }
    world
        .cloud
        .exactly(mark, &["delete_cluster goes-with-it"])?;
    anyhow::ensure!(
        world.secret(TENANT, "stays-without-it-connection", "password")? == password,
        "the Secret of the retained cluster has another password"
    );
    anyhow::ensure!(
        world.cloud.cluster("stays-without-it")?.is_some(),
        "the retained cluster is gone"
    );
    Ok("a Secret that goes with its cluster goes first; that of a retained one stays".to_owned())
}

/// Waits until the Secret has that resource for its only owner, or none.
fn owns(world: &World, object: &str, secret: &str, wanted: bool) -> Result<()> {
    let uid = world.get(TENANT, object)?["metadata"]["uid"].clone();
    until(&format!("{secret}, owned: {wanted}"), PATIENCE, || {
        let meta = world.get(TENANT, secret)?["metadata"].take();
        let owners = meta["ownerReferences"].as_array().cloned();
        let owners = owners.unwrap_or_default();
        let is = match owners.as_slice() {
            [] => !wanted,
            [one] => wanted && one["uid"] == uid,
            _ => false,
        };
        Ok(if is { Ok(()) } else { Err(meta.to_string()) })
    })
}
