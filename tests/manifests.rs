//! The schema on a real API server: every manifest that a person can get right or wrong, what may
//! change and when, and that no rule ever stands in the operator's way.

mod support;

#[path = "manifests/runner.rs"]
mod runner;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use futures::future::join_all;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PostParams};
use kube::{Client, ResourceExt};
use runner::{Count, File, Manner, Objects, merged};
use serde_json::{Value, json};
use support::Result;
use support::control_plane::shared;
use support::figures::figure;

/// The committed definitions, as a user applies them.
const CRDS: [&str; 2] = [
    include_str!("../crds/dws.huaweicloud.com_dwsclusters.yaml"),
    include_str!("../crds/dws.huaweicloud.com_dwssnapshots.yaml"),
];

/// A client, and a namespace in which both kinds are served.
async fn served(prefix: &str) -> Result<(Client, String)> {
    let plane = shared().await?;
    for crd in CRDS {
        plane.apply_crds(crd).await?;
    }
    Ok((plane.client().await?, plane.namespace(prefix).await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn both_definitions_are_established() -> Result<()> {
    let (client, _) = served("crds").await?;
    let version = client.apiserver_version().await?.git_version;
    let api: Api<CustomResourceDefinition> = Api::all(client);
    for name in ["dwsclusters", "dwssnapshots"] {
        let crd = api.get(&format!("{name}.dws.huaweicloud.com")).await?;
        let status = crd.status.clone().unwrap();
        let condition = |kind: &str| {
            let conditions = status.conditions.iter().flatten();
            conditions
                .into_iter()
                .find(|c| c.type_ == kind)
                .map(|c| c.status.clone())
        };
        assert_eq!(condition("Established").as_deref(), Some("True"), "{name}");
        assert_eq!(
            condition("NamesAccepted").as_deref(),
            Some("True"),
            "{name}"
        );
        assert_ne!(
            condition("NonStructuralSchema").as_deref(),
            Some("True"),
            "{name}"
        );
        figure(
            "manifests",
            &format!("{} established on {version}", crd.name_any()),
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_judged_as_written() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            files.push((name, std::fs::read_to_string(&path)?));
        }
    }
    files.sort();
    let mut runs = Vec::new();
    for (name, text) in &files {
        let file = Arc::new(File::parse(text).with_context(|| name.clone())?);
        for manner in [Manner::Update, Manner::ServerSide] {
            let file = file.clone();
            runs.push(async move {
                let (client, namespace) = served("cases").await?;
                let objects = Objects::new(&client, &namespace, file.kind(), manner);
                runner::run(objects, name, &file).await
            });
        }
    }
    let mut total = Count::default();
    let mut failures = Vec::new();
    for outcome in join_all(runs).await {
        match outcome {
            Ok(count) => total += count,
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    let Count {
        cases,
        accepted,
        refused,
        status_writes,
    } = total;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases >= 200, "only {cases} cases");
    figure(
        "manifests",
        &format!(
            "{cases} cases from {} files, created and replaced as well as applied server-side: {accepted} manifests accepted, {refused} refused with the mend, {status_writes} status writes",
            files.len()
        ),
    );
    Ok(())
}
