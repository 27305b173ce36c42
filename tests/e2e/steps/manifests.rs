//! Without Helm: the last tenant and the release leave, and the plain manifests of `deploy/` give the same
//! operator, with the simulator beside it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::super::operator::NAMESPACE;
use super::super::support::Result;
use super::super::world::World;
use super::TENANT;

pub fn apply(world: &World) -> Result<String> {
    world.kubectl(
        "default",
        &["delete", "namespace", TENANT, "--timeout=180s"],
    )?;
    world.operator.uninstall()?;

    let overlay = overlay(world)?;
    let overlay = overlay.to_string_lossy();
    let begin = Instant::now();
    world.kubectl(NAMESPACE, &["apply", "--server-side", "-k", &overlay])?;
    world.operator.settles()?;
    let place = "trial";
    world.make_namespace(place)?;
    world.apply(place, include_str!("../../../examples/cluster.yaml"))?;
    world.is_ready(place, "dwsc/orders-dw")?;
    let took = begin.elapsed().as_secs_f32();

    let retain = r#"{"spec":{"deletionPolicy":"Retain"}}"#;
    world.kubectl(
        place,
        &["patch", "dwsc/orders-dw", "--type=merge", "-p", retain],
    )?;
    world.kubectl("default", &["delete", "namespace", place, "--timeout=120s"])?;
    world.kubectl(NAMESPACE, &["delete", "-k", &overlay, "--timeout=120s"])?;
    Ok(format!(
        "a warehouse was Ready {took:.1} s after kubectl apply -k began"
    ))
}

/// `deploy/overlays/simulator` with the images under test, as an overlay of one's own does it.
fn overlay(world: &World) -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let at = root.join("target/e2e");
    std::fs::create_dir_all(&at)?;
    let mut text = String::from("resources: [../../deploy/overlays/simulator]\nimages:\n");
    for (name, image) in [
        ("dws-operator", world.operator.first_image()),
        ("dws-simulator", &world.simulator_image),
    ] {
        let (new, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
        writeln!(text, "- {{name: {name}, newName: {new}, newTag: {tag}}}")?;
    }
    std::fs::write(at.join("kustomization.yaml"), text)?;
    Ok(at)
}
