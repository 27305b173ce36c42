//! From nothing to a running installation: once as somebody without an account tries it, once for the
//! steps that follow.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::Context;

use super::super::cloud;
use super::super::operator::{Image, NAMESPACE, RELEASE};
use super::super::support::Result;
use super::super::world::{PATIENCE, World};

/// The simulator beside the operator, the first example Ready, and everything removed again but for the definitions.
pub fn trial(world: &World) -> Result<String> {
    let place = "trial";
    let (repository, tag) = world
        .simulator_image
        .rsplit_once(':')
        .unwrap_or((&world.simulator_image, "latest"));
    world.make_namespace(NAMESPACE)?;
    world.make_namespace(place)?;
    let repository = format!("simulator.image.repository={repository}");
    let tag = format!("simulator.image.tag={tag}");
    let mut values = Vec::new();
    for value in [
        "simulator.enabled=true",
        &repository,
        &tag,
        // Tasks take seconds; so that their ends are seen soon.
        "settings.pollInterval=2s",
    ] {
        values.extend(["--set", value]);
    }
    let begin = std::time::Instant::now();
    let notes = world.operator.deploy(Image::First, &values)?;
    for word in ["NOTES:", "uninstall"] {
        anyhow::ensure!(
            notes.contains(word),
            "no {word} in the notes of the chart: {notes}"
        );
    }
    world.apply(place, include_str!("../../../examples/cluster.yaml"))?;
    world.is_ready(place, "dwsc/orders-dw")?;
    let ready = begin.elapsed().as_secs_f32();
    let ledger = by_port_forward(world, "/__sim/ledger")?;
    anyhow::ensure!(
        ledger.contains("200 OK") && ledger.contains("orders-dw"),
        "the ledger: {ledger}"
    );
    world.kubectl(place, &["delete", "dwsc/orders-dw", "--timeout=120s"])?;
    world.kubectl("default", &["delete", "namespace", place, "--timeout=120s"])?;
    world.operator.uninstall()?;
    world.kubectl(
        "default",
        &["get", "crd", "dwsclusters.dws.huaweicloud.com"],
    )?;
    Ok(format!(
        "a warehouse was Ready {ready:.1} s after helm install began; the ledger by kubectl port-forward"
    ))
}

/// What the simulator beside the operator answers, as docs/installation.md reaches it but for the number of the port.
fn by_port_forward(world: &World, path: &str) -> Result<String> {
    let deployment = format!("deployment/{RELEASE}-simulator");
    let args = ["-n", NAMESPACE, "port-forward", &deployment, ":18080"];
    let mut forward = world.kubectl.start(&args)?;
    // `Forwarding from 127.0.0.1:41234 -> 18080`
    let said = forward.line()?;
    let address = said.split_whitespace().nth(2).context("no address")?;
    let mut stream = TcpStream::connect(address).with_context(|| said.clone())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Two replicas in a restricted namespace, credentials from a Secret, a cloud that outlives the release.
pub fn install(world: &World) -> Result<String> {
    world.make_namespace(cloud::NAMESPACE)?;
    let simulator = include_str!("../simulator.yaml").replace("IMAGE", &world.simulator_image);
    world.apply(cloud::NAMESPACE, &simulator)?;
    world.kubectl(
        cloud::NAMESPACE,
        &[
            "rollout",
            "status",
            "deployment/dws-simulator",
            "--timeout=120s",
        ],
    )?;
    account(world, NAMESPACE)?;
    let begin = std::time::Instant::now();
    world.operator.deploy(Image::First, VALUES)?;
    let took = begin.elapsed().as_secs_f32();
    let pods = world.operator.pods()?.len();
    says(
        &world.operator.tested()?,
        &["Succeeded", "the account can be used"],
    )?;
    // Who wrote a wrong key reads what the service says of it. The Pods have read theirs.
    keys(world, NAMESPACE, "wrong")?;
    says(
        &world.operator.tested()?,
        &["Failed", "APIGW.0301", "access key"],
    )?;
    account(world, NAMESPACE)?;
    Ok(format!(
        "{pods} Pods Ready after {took:.1} s; helm test uses the account, and says what is wrong with another key"
    ))
}

fn says(text: &str, words: &[&str]) -> Result<()> {
    let missing: Vec<_> = words.iter().filter(|word| !text.contains(**word)).collect();
    anyhow::ensure!(missing.is_empty(), "no {missing:?} in: {text}");
    Ok(())
}

/// The values of the steps.
pub const VALUES: &[&str] = &["--values", "tests/e2e/values.yaml"];

/// The Secret with credentials that the simulator accepts.
pub fn account(world: &World, namespace: &str) -> Result<()> {
    keys(world, namespace, cloud::SECRET_KEY)
}

fn keys(world: &World, namespace: &str, secret: &str) -> Result<()> {
    let (region, key) = (cloud::REGION, cloud::ACCESS_KEY);
    world.apply(
        namespace,
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: dws-account\nstringData:\n  HW_REGION_NAME: {region}\n  \
             HW_ACCESS_KEY: {key}\n  HW_SECRET_KEY: {secret}\n"
        ),
    )
}
