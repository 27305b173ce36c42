//! Everything in `examples/`, as it stands but for the ids and the keys that it asks the reader to replace.

use std::time::Instant;

use super::super::cloud;
use super::super::support::Result;
use super::super::world::{World, condition};
use super::TENANT;

pub fn apply(world: &World) -> Result<String> {
    let mark = world.cloud.mark()?;
    world.make_namespace(TENANT)?;
    let legacy = world.cloud.makes("legacy-dw")?;
    let finance = world.cloud.makes("finance-dw")?;

    let begin = Instant::now();
    world.apply(TENANT, include_str!("../../../examples/cluster.yaml"))?;
    world.apply(TENANT, include_str!("../../../examples/snapshot.yaml"))?;
    world.apply(TENANT, include_str!("../../../examples/restore.yaml"))?;
    let adopt = include_str!("../../../examples/adopt.yaml");
    world.apply(
        TENANT,
        &replaced(adopt, "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574", &legacy)?,
    )?;
    let observe = include_str!("../../../examples/observe-only.yaml");
    world.apply(
        TENANT,
        &replaced(observe, "85b20d7e-9eb7-4b2a-98f3-3c8843ea3577", &finance)?,
    )?;
    let mut account = include_str!("../../../examples/credentials.yaml").to_owned();
    for (placeholder, value) in [
        ("eu-west-0", cloud::REGION),
        ("replace-with-your-access-key", cloud::ACCESS_KEY),
        ("replace-with-your-secret-key", cloud::SECRET_KEY),
    ] {
        account = replaced(&account, placeholder, value)?;
    }
    world.apply(TENANT, &account)?;

    world.is_ready(TENANT, "dwsc/orders-dw")?;
    let first = begin.elapsed().as_secs_f32();
    let others = ["dwsc/legacy-dw", "dwsc/finance-dw", "dwsc/marketing-dw"];
    let later = ["dwss/orders-dw-before-migration", "dwsc/orders-dw-copy"];
    for object in others.into_iter().chain(later) {
        world.is_ready(TENANT, object)?;
    }
    let all = begin.elapsed().as_secs_f32();

    world.cloud.exactly(
        mark,
        &[
            "create orders-dw",
            "create marketing-dw",
            "snapshot orders-dw-before-migration",
            "restore orders-dw-copy",
            // The API of a restore takes no password, so one is set afterwards.
            "reset_password orders-dw-copy",
        ],
    )?;
    let seen = world.get(TENANT, "dwsc/finance-dw")?;
    let synced = condition(&seen, "Synced").map(|one| one.reason);
    anyhow::ensure!(
        synced.as_deref() == Some("ObserveOnly"),
        "Synced: {synced:?}"
    );
    for name in ["orders-dw", "marketing-dw", "orders-dw-copy"] {
        leads_in(world, TENANT, name)?;
    }
    Ok(format!(
        "first cluster Ready after {first:.1} s, 6 resources after {all:.1} s, 3 passwords log in"
    ))
}

/// Whether the connection Secret of a cluster leads into the database.
pub fn leads_in(world: &World, namespace: &str, name: &str) -> Result<()> {
    let secret = format!("{name}-connection");
    let id = world.get(namespace, &format!("dwsc/{name}"))?["status"]["clusterId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let user = world.secret(namespace, &secret, "username")?;
    let password = world.secret(namespace, &secret, "password")?;
    anyhow::ensure!(
        world.cloud.logs_in(&id, &user, &password)?,
        "the connection Secret of {name} does not lead in"
    );
    Ok(())
}

fn replaced(manifest: &str, placeholder: &str, value: &str) -> Result<String> {
    anyhow::ensure!(
        manifest.contains(placeholder),
        "no {placeholder} in:\n{manifest}"
    );
    Ok(manifest.replace(placeholder, value))
}
