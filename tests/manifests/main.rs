//! The schema on a real API server: every manifest that a person can get right or wrong, what may
//! change and when, and that no rule ever stands in the operator's way.

// A test binary: what helpers cannot do fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod columns;
mod objects;
mod runner;
mod stored;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use dws_operator::api::rules::{self, Rule};

use futures::future::join_all;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, ResourceExt};
use objects::{Manner, Objects};
use runner::{Count, File};
use serde::Deserialize;
use support::Result;
use support::control_plane::shared;
use support::figures::figure;

/// The committed definitions, as a user applies them.
const CRDS: [&str; 2] = [
    include_str!("../../crds/dws.huaweicloud.com_dwsclusters.yaml"),
    include_str!("../../crds/dws.huaweicloud.com_dwssnapshots.yaml"),
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests/cases");
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
                let mut count = runner::run(objects, name, &file).await?;
                // The same case in its second manner is not a second case.
                if manner == Manner::ServerSide {
                    count.cases = 0;
                }
                Ok::<Count, anyhow::Error>(count)
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
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let Count {
        cases,
        accepted,
        refused,
        status_writes,
        said,
    } = total;
    assert!(cases >= 200, "only {cases} cases");
    let rules = rules_that_spoke(&said);
    figure(
        "manifests",
        &format!(
            "{cases} cases from {} files, each created and replaced, and again applied server-side: {accepted} manifests accepted, \
             {refused} refused with the mend, {status_writes} status writes; all {rules} rules refused something",
            files.len()
        ),
    );
    Ok(())
}

/// The number of rules, each of which has refused something, in the words of its expression where it
/// has one (the plain message would mean that the expression failed).
fn rules_that_spoke(said: &BTreeSet<(String, String)>) -> usize {
    let mut silent = Vec::new();
    let all: Vec<Rule> = rules::cluster::rules()
        .into_iter()
        .chain(rules::snapshot::rules())
        .collect();
    for rule in &all {
        let spoken = said.iter().any(|(field, text)| {
            *field == rule.field
                && match &rule.message_expression {
                    None => text.contains(&rule.message),
                    Some(expression) => literals(expression)
                        .any(|pieces| pieces.iter().all(|piece| text.contains(piece))),
                }
        });
        if !spoken {
            silent.push(format!("{}: {}", rule.field, rule.message));
        }
    }
    assert!(
        silent.is_empty(),
        "no case for the rules\n{}",
        silent.join("\n")
    );
    all.len()
}

/// The sentences in an expression (every second piece between apostrophes), cut where values are put
/// in.
fn literals(expression: &str) -> impl Iterator<Item = Vec<&str>> {
    let sentences = expression.split('\'').skip(1).step_by(2);
    sentences
        .filter(|literal| literal.contains(' '))
        .map(|literal| {
            literal
                .split("%s")
                .flat_map(|piece| piece.split("%d"))
                .collect()
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_is_accepted_as_it_stands() -> Result<()> {
    let (client, namespace) = served("examples").await?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let (mut files, mut objects) = (0, 0);
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        files += 1;
        let text = std::fs::read_to_string(&path)?;
        for document in serde_yaml_ng::Deserializer::from_str(&text) {
            let Some(object) = Option::<DynamicObject>::deserialize(document)? else {
                continue;
            };
            let types = object.types.clone().context("apiVersion and kind")?;
            let gvk = GroupVersionKind::try_from(&types)?;
            let resource = ApiResource::from_gvk(&gvk);
            let api: Api<DynamicObject> = match resource.kind.as_str() {
                "Namespace" | "ClusterRole" | "ClusterRoleBinding" => {
                    Api::all_with(client.clone(), &resource)
                }
                _ => {
                    let namespace = object.metadata.namespace.as_deref().unwrap_or(&namespace);
                    Api::namespaced_with(client.clone(), namespace, &resource)
                }
            };
            let params = PatchParams::apply("examples").validation_strict();
            let stored = api
                .patch(&object.name_any(), &params, &Patch::Apply(&object))
                .await;
            stored.with_context(|| format!("{} in {}", object.name_any(), path.display()))?;
            objects += 1;
        }
    }
    assert!(files >= 6, "only {files} examples");
    figure(
        "manifests",
        &format!("{objects} objects of {files} examples accepted"),
    );
    Ok(())
}
