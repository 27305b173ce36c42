//! One cluster goes: protection first, then the deletion, and what its owner leaves to the garbage collector.

use super::super::support::Result;
use super::super::world::World;
use super::TENANT;

pub fn delete(world: &World) -> Result<String> {
    let mark = world.cloud.mark()?;
    let object = "dwsc/made-in-an-upgrade";
    let secret = "secret/made-in-an-upgrade-connection";
    let protect = |on: bool| {
        let patch = format!(r#"{{"spec":{{"deletionProtection":{on}}}}}"#);
        world.kubectl(TENANT, &["patch", object, "--type=merge", "-p", &patch])
    };
    protect(true)?;
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
    let owners = world.get(TENANT, secret)?["metadata"]["ownerReferences"].clone();
    anyhow::ensure!(
        owners[0]["kind"] == "DwsCluster",
        "owners of the Secret: {owners}"
    );
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
