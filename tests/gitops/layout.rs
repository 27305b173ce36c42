//! The example repository under `examples/gitops` as files: each folder is built as kustomize builds it, and what is
//! written for Flux and Argo CD is what their kinds, and the chart, take.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::stage::{Stage, stage};
use crate::support::Result;
use crate::support::figures::figure;
use crate::support::tools::tool;
use crate::witness::{decode, is_missing};
use crate::world::items;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gitops")
}

/// The objects of a folder, as `kubectl kustomize` builds them.
pub async fn built(stage: &Stage, folder: &str) -> Result<Vec<Value>> {
    let path = root().join(folder);
    let (code, said) = stage
        .kubectl(&["kustomize", &path.to_string_lossy()], &[])
        .await?;
    ensure!(code == 0, "{folder}: {said}");
    documents(&said)
}

fn documents(yaml: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(yaml) {
        let object = Value::deserialize(document)?;
        if !object.is_null() {
            all.push(object);
        }
    }
    Ok(all)
}

/// The folders with a `kustomization.yaml`, and all files.
fn folders_and_files() -> Result<(BTreeSet<String>, BTreeSet<PathBuf>)> {
    let (mut folders, mut files, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![root()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path
                .file_name()
                .is_some_and(|name| name == "kustomization.yaml")
            {
                folders.insert(folder.strip_prefix(root())?.to_string_lossy().into_owned());
            } else if path.extension().is_some_and(|kind| kind == "yaml") {
                files.insert(path);
            }
        }
    }
    Ok((folders, files))
}

/// The kind of an object.
pub fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_is_taken_by_its_tool() -> Result<()> {
    if is_missing()? {
        return Ok(());
    }
    let stage = stage().await?;
    let (folders, files) = folders_and_files()?;
    let mut objects = Vec::new();
    for folder in &folders {
        objects.extend(built(stage, folder).await?);
    }
    let mut written = 0;
    for file in &files {
        written += documents(&std::fs::read_to_string(file)?)?.len();
    }
    ensure!(
        objects.len() == written,
        "{written} objects are written and {} built",
        objects.len()
    );

    let group = |object: &Value, name: &str| {
        object["apiVersion"]
            .as_str()
            .is_some_and(|version| version.contains(name))
    };
    let of_flux: Vec<Value> = objects
        .iter()
        .filter(|one| group(one, "toolkit.fluxcd.io"))
        .cloned()
        .collect();
    for (object, wrong) in of_flux.iter().zip(decode(&of_flux)?) {
        ensure!(
            wrong.is_empty(),
            "{} {}: {wrong}",
            kind(object),
            object["metadata"]["name"]
        );
    }
    let of_argo: Vec<Value> = objects
        .iter()
        .filter(|one| group(one, "argoproj.io"))
        .cloned()
        .collect();
    stage
        .plane
        .apply_crds(include_str!("application-crd.yaml"))
        .await?;
    let arguments = [
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "-f",
        "-",
    ];
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}});
    let (code, said) = stage.kubectl(&["apply", "-f", "-"], &[namespace]).await?;
    ensure!(code == 0, "{said}");
    let (code, said) = stage.kubectl(&arguments, &of_argo).await?;
    ensure!(code == 0, "{said}");
    names_lead_somewhere(&of_flux, &of_argo, &folders)?;
    figure(
        "gitops",
        &format!(
            "example repository: {} objects in {} folders, {} of them Flux' and {} Argo CD's",
            objects.len(),
            folders.len(),
            of_flux.len(),
            of_argo.len()
        ),
    );
    Ok(())
}

/// Paths, sources and dependencies are there, and each folder that is applied is applied by both tools.
fn names_lead_somewhere(
    of_flux: &[Value],
    of_argo: &[Value],
    folders: &BTreeSet<String>,
) -> Result<()> {
    let name = |object: &Value| (kind(object).to_owned(), object["metadata"]["name"].clone());
    let known: Vec<_> = of_flux.iter().map(name).collect();
    let mut by_flux = BTreeSet::new();
    for one in of_flux.iter().filter(|one| kind(one) == "Kustomization") {
        let spec = &one["spec"];
        let source = (
            kind(&spec["sourceRef"]).to_owned(),
            spec["sourceRef"]["name"].clone(),
        );
        ensure!(known.contains(&source), "{source:?}");
        for other in items(spec, "dependsOn") {
            ensure!(
                known.contains(&("Kustomization".to_owned(), other["name"].clone())),
                "{other}"
            );
        }
        let path = spec["path"]
            .as_str()
            .context("no path")?
            .trim_start_matches("./");
        ensure!(folders.contains(path), "{path}");
        by_flux.insert(path.to_owned());
        ensure!(spec["force"] != true, "force deletes what it cannot change");
    }
    let mut by_argo = BTreeSet::from(["operator".to_owned()]);
    for one in of_argo {
        if let Some(path) = one["spec"]["source"]["path"].as_str() {
            ensure!(folders.contains(path), "{path}");
            by_argo.insert(path.to_owned());
        }
    }
    ensure!(
        by_flux == by_argo,
        "{by_flux:?} by Flux, {by_argo:?} by Argo CD"
    );
    Ok(())
}

/// The chart takes the values that both tools give it, and is of the version that they ask for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chart_takes_their_values() -> Result<()> {
    let stage = stage().await?;
    let Some(helm) = tool("helm", "gitops")? else {
        return Ok(());
    };
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/dws-operator");
    let about: Value =
        serde_yaml_ng::from_str(&std::fs::read_to_string(chart.join("Chart.yaml"))?)?;
    let version = about["version"].as_str().context("no version")?;
    let line = version.rsplit_once('.').map_or(version, |(line, _)| line);
    let release = built(stage, "operator").await?;
    let application = built(stage, "argocd").await?;
    let mut given = Vec::new();
    for object in release.iter().chain(&application) {
        let source = &object["spec"]["source"];
        match kind(object) {
            "HelmRelease" => given.push(object["spec"]["values"].clone()),
            "OCIRepository" => ensure!(
                object["spec"]["ref"]["semver"] == format!("{line}.x"),
                "not {version}"
            ),
            "Application" if source["chart"] == "dws-operator" => {
                ensure!(
                    source["targetRevision"] == format!("{line}.x"),
                    "not {version}"
                );
                given.push(source["helm"]["valuesObject"].clone());
            }
            _ => {}
        }
    }
    ensure!(given.len() == 2 && given[0] == given[1], "{given:?}");
    let directory = tempfile::tempdir()?;
    let values = directory.path().join("values.json");
    std::fs::write(&values, given[0].to_string())?;
    let rendered = Command::new(helm)
        .args(["template", "dws-operator"])
        .arg(&chart)
        .args(["--namespace", "dws-system", "--values"])
        .arg(&values)
        .output()?;
    ensure!(
        rendered.status.success(),
        "{}",
        String::from_utf8_lossy(&rendered.stderr)
    );
    let objects = documents(&String::from_utf8(rendered.stdout)?)?;
    let simulator = objects.iter().any(|one| {
        one["metadata"]["name"] == "dws-operator-simulator" && kind(one) == "Deployment"
    });
    ensure!(simulator, "no simulator is rendered");
    Ok(())
}
