//! A release on a real API server, as a user of helm lives with it: installed over definitions that were there,
//! upgraded with its definitions, taken away while they and the resources stay, and installed again; then the
//! plain manifests, by kubectl.

use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::Api;
use serde_json::{Value, json};

use crate::helm::{Helm, RELEASE, root, with_input};
use crate::protection;
use crate::support::Result;
use crate::support::control_plane::ControlPlane;
use crate::support::figures::figure;
use crate::support::guard::GuardedDirectory;

const NAMESPACE: &str = "dws-system";
const CLUSTERS: &str = "dwsclusters.dws.huaweicloud.com";

/// helm and kubectl against one control plane.
struct Cluster<'a> {
    plane: &'a ControlPlane,
    helm: &'a Helm,
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

impl Cluster<'_> {
    fn helm(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = self.helm.command();
        command.env("KUBECONFIG", self.plane.kubeconfig());
        Ok(command.args(arguments).args(["-n", NAMESPACE]).output()?)
    }

    /// What helm says, which must go well.
    fn goes(&self, arguments: &[&str]) -> Result<String> {
        let output = self.helm(arguments)?;
        ensure!(
            output.status.success(),
            "helm {arguments:?}: {}",
            text(&output)
        );
        Ok(text(&output))
    }

    /// The next step of the notes, copied into a shell.
    fn as_told(&self, notes: &str) -> Result<()> {
        let command = first_command(notes).context("no command in the notes")?;
        let kubectl = self.plane.kubectl();
        let program = kubectl.get_program().to_string_lossy().into_owned();
        let shell = format!("kubectl() {{ '{program}' \"$@\"; }}\n{command}");
        let output = Command::new("bash")
            .args(["-c", &shell])
            .env("KUBECONFIG", self.plane.kubeconfig())
            .output()?;
        ensure!(output.status.success(), "{command}: {}", text(&output));
        Ok(())
    }

    fn apply(&self, object: &Value) -> Result<()> {
        let mut kubectl = self.plane.kubectl();
        kubectl.args(["apply", "--server-side", "-f", "-"]);
        let output = with_input(kubectl, &object.to_string())?;
        ensure!(output.status.success(), "{}", text(&output));
        Ok(())
    }
}

/// The command with a manifest that the notes hold, as a shell reads it.
fn first_command(notes: &str) -> Option<String> {
    let begin = notes.find("kubectl -n default apply -f - <<'EOF'\n")?;
    let end = notes[begin..].find("\nEOF\n")?;
    Some(format!("{}\nEOF\n", &notes[begin..begin + end]))
}

/// The images of which the notes say that they must be loaded into the nodes.
fn no_registry(notes: &str) -> Vec<&str> {
    let lines = notes.lines().filter_map(|line| {
        let (image, _) = line
            .strip_prefix("The image ")?
            .split_once(" names no registry")?;
        Some(image)
    });
    lines.collect()
}

/// Columns of `kubectl get dwsc`, as the definition has them.
async fn columns(client: &Client) -> Result<usize> {
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    let found = definitions.get(CLUSTERS).await?;
    Ok(found.spec.versions[0]
        .additional_printer_columns
        .iter()
        .flatten()
        .count())
}

/// The chart as an earlier version could have been: its definition lacks a column.
fn earlier_chart() -> Result<GuardedDirectory> {
    let copy = GuardedDirectory::new("dws-earlier-chart-")?;
    let from = root().join("charts/dws-operator");
    ensure!(
        Command::new("cp")
            .arg("-r")
            .arg(from)
            .arg(copy.path())
            .status()?
            .success()
    );
    let file = copy.path().join("dws-operator/files/crds/dwsclusters.yaml");
    let mut definition: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(&file)?)?;
    let columns = definition.pointer_mut("/spec/versions/0/additionalPrinterColumns");
    columns.and_then(Value::as_array_mut).unwrap().pop();
    std::fs::write(&file, definition.to_string())?;
    Ok(copy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_installed_upgraded_taken_away_and_installed_again() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let plane = ControlPlane::start().await?;
    let client = plane.client().await?;
    let cluster = Cluster {
        plane: &plane,
        helm: &helm,
    };

    // Definitions that somebody applied by hand are not Helm's, until it is told to take them.
    let by_hand = plane
        .kubectl()
        .current_dir(root())
        .args(["apply", "--server-side", "-f", "crds/"])
        .output()?;
    ensure!(by_hand.status.success(), "{}", text(&by_hand));
    let earlier = earlier_chart()?;
    let earlier = earlier.path().join("dws-operator");
    let earlier = earlier.to_str().unwrap();
    let refused = cluster.helm(&["install", RELEASE, earlier, "--create-namespace"])?;
    ensure!(
        !refused.status.success() && text(&refused).contains("ownership"),
        "{}",
        text(&refused)
    );
    cluster.helm(&["uninstall", RELEASE])?;
    let mut install = vec![
        "install",
        RELEASE,
        earlier,
        "--create-namespace",
        "--take-ownership",
    ];
    // Helm 3 writes what differs, whoever wrote it before.
    if cluster.goes(&["version", "--short"])?.starts_with("v4") {
        install.push("--force-conflicts");
    }
    let said = cluster.goes(&install)?;
    ensure!(said.contains("It has no credentials of its own"), "{said}");
    ensure!(said.contains(" --reset-then-reuse-values "), "{said}");
    ensure!(
        no_registry(&said) == [concat!("dws-operator:", env!("CARGO_PKG_VERSION"))],
        "{said}"
    );
    let before = columns(&client).await?;

    // An upgrade brings the definitions with it.
    cluster.goes(&["upgrade", RELEASE, "charts/dws-operator"])?;
    ensure!(
        columns(&client).await? == before + 1,
        "the definition was not upgraded"
    );

    let checks = protection::deletion_is_refused_where_it_is_protected(&plane).await?;

    // What is taken away, and what stays.
    cluster.apply(&protection::warehouse("default", "stays", &json!({})))?;
    let said = cluster.goes(&["uninstall", RELEASE])?;
    ensure!(said.contains("kept due to the resource policy"), "{said}");
    let deployments = Api::<Deployment>::namespaced(client.clone(), NAMESPACE);
    ensure!(
        deployments.get_opt(RELEASE).await?.is_none(),
        "the Deployment stays"
    );
    ensure!(
        columns(&client).await? == before + 1,
        "the definition is gone"
    );
    let there = plane
        .kubectl()
        .args(["get", "dwsc/stays", "-o", "name"])
        .output()?;
    ensure!(
        there.status.success(),
        "the resource is gone: {}",
        text(&there)
    );

    // Installed again it finds them; no word of ownership is needed.
    let said = cluster.goes(&[
        "install",
        RELEASE,
        "charts/dws-operator",
        "--set",
        "simulator.enabled=true",
    ])?;
    ensure!(said.contains("It talks to the simulator"), "{said}");
    ensure!(
        no_registry(&said)
            == [
                concat!("dws-operator:", env!("CARGO_PKG_VERSION")),
                concat!("dws-simulator:", env!("CARGO_PKG_VERSION"))
            ],
        "{said}"
    );
    cluster.as_told(&said)?;
    ensure!(
        deployments.get_opt(RELEASE).await?.is_some(),
        "no Deployment"
    );
    let there = plane
        .kubectl()
        .args(["get", "dwsc/stays", "-o", "name"])
        .output()?;
    ensure!(
        there.status.success(),
        "the resource is gone: {}",
        text(&there)
    );

    // And the other way in, by kubectl alone.
    cluster.goes(&["uninstall", RELEASE])?;
    for way in [
        ["-f", "deploy/install.yaml"],
        ["-k", "deploy/overlays/simulator"],
    ] {
        let applied = plane
            .kubectl()
            .current_dir(root())
            .args(["apply", "--server-side", way[0], way[1]])
            .output()?;
        ensure!(applied.status.success(), "{way:?}: {}", text(&applied));
    }
    ensure!(
        deployments
            .get_opt("dws-operator-simulator")
            .await?
            .is_some(),
        "no simulator"
    );

    figure(
        "chart",
        &format!(
            "a release installed, upgraded with its CRDs, uninstalled (CRDs and resources stay) and installed again, then by kubectl alone; {checks} deletions judged by the admission policy"
        ),
    );
    Ok(())
}
