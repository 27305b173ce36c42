//! The schema on a real API server: every manifest that a person can get right or wrong, what may
//! change and when, and that no rule ever stands in the operator's way.

mod support;

#[path = "manifests/runner.rs"]
mod runner;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use dws_operator::api::DwsClusterStatus;
use dws_operator::api::crd::{cluster_crd, field_of, schema_of, snapshot_crd};
use dws_operator::api::rules::{self, Rule};

use futures::future::join_all;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, ResourceExt};
use runner::{Count, File, Manner, Objects, merged};
use serde::Deserialize;
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

/// Specs as they may be stored, of a cluster and of a snapshot.
fn stored() -> (Vec<Value>, Vec<Value>) {
    let id = |n: u32| format!("85b20d7e-9eb7-4b2a-98f3-3c8843ea35{n:02}");
    let create = json!({
        "nodeType": "dws.d1.xlarge", "nodeCount": 6,
        "network": {"vpcId": id(1), "subnetId": id(2), "securityGroupId": id(3)},
    });
    let clusters = vec![
        create.clone(),
        merged(
            &create,
            &json!({"coordinatorCount": 6, "port": 8001, "adminUser": "root_"}),
        ),
        merged(&create, &json!({"clusterId": id(4)})),
        merged(
            &create,
            &json!({"adoptionPolicy": "IfExists", "clusterName": "Orders_DW"}),
        ),
        merged(
            &create,
            &json!({"publicIp": {"bindType": "BindExisting", "eipId": id(5)}}),
        ),
        merged(
            &create,
            &json!({"adminPasswordSecretRef": {"name": "pw"}, "connectionSecretName": "dw"}),
        ),
        json!({"clusterId": id(4)}),
        json!({"clusterId": id(4), "managementPolicy": "ObserveOnly", "nodeCount": 2}),
        json!({"restoreFrom": {"snapshotRef": {"name": "nightly"}}}),
        json!({"restoreFrom": {"snapshotId": id(6)}, "nodeCount": 12}),
        json!({"restoreFrom": {"snapshotId": id(6)}, "clusterId": id(4)}),
    ];
    let snapshots = vec![
        json!({"clusterRef": {"name": "orders"}}),
        json!({"clusterRef": {"name": "orders"}, "snapshotName": "Nightly_1", "description": "before"}),
        json!({"clusterId": id(4), "credentialsSecretRef": {"name": "account"}}),
        json!({"clusterId": id(4), "snapshotId": id(7)}),
    ];
    (clusters, snapshots)
}

/// Statuses that the service's answers, a person at the console or an outage can bring about.
fn odd_statuses() -> Vec<Value> {
    let operation = |kind: &str, phase: &str| {
        json!({"id": "7c1c0e3e-0b57-4f0e-9b0e-0d1a7d7c0001", "kind": kind, "attempt": 3, "phase": phase,
               "target": {}, "baseline": {}, "intendedAt": "2026-11-25T08:30:00.123456789Z"})
    };
    let ready = |status: &str| {
        json!([{"type": "Ready", "status": status, "reason": "Available", "message": "",
                "lastTransitionTime": "2026-11-25T08:30:00Z", "observedGeneration": 1}])
    };
    vec![
        json!({"operation": operation("Create", "Intended")}),
        json!({"operation": operation("Create", "Ambiguous"), "clusterId": "another-cluster"}),
        json!({"operation": operation("Resize", "OutcomeUnknown"), "nodeCount": 2}),
        json!({"operation": null, "nodeCount": 0}),
        json!({"nodeCount": -7, "settledNodeCount": -7}),
        json!({"nodeCount": 100_000}),
        json!({"nodeCount": null}),
        json!({"clusterId": ""}),
        json!({"clusterId": "85B20D7E-9EB7-4B2A-98F3-3C8843EA3574", "adopted": true}),
        json!({"clusterId": null, "operation": null}),
        json!({"snapshotId": "", "operation": operation("Snapshot", "Accepted")}),
        json!({"snapshotId": "another-snapshot", "operation": operation("DeleteSnapshot", "Ambiguous")}),
        json!({"status": "", "subStatus": "", "taskStatus": "\u{4e2d}\u{6587}"}),
        json!({"conditions": ready("Unknown"), "observedGeneration": 0}),
        json!({"conditions": ready("True")}),
        json!({"conditions": []}),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rule_stands_in_the_way_of_a_status_or_of_a_finalizer() -> Result<()> {
    let (client, namespace) = served("stored").await?;
    let (clusters, snapshots) = stored();
    let of =
        |kind: &'static str, specs: Vec<Value>| specs.into_iter().map(move |spec| (kind, spec));
    let all = of("DwsCluster", clusters).chain(of("DwsSnapshot", snapshots));
    let (mut objects, mut writes) = (0, 0);
    for (number, (kind, spec)) in all.enumerate() {
        let api = Objects::new(&client, &namespace, kind, Manner::ServerSide);
        for (at, status) in odd_statuses().into_iter().enumerate() {
            // Fields that this kind does not have are not written by its controller.
            let status = known_fields(kind, status);
            let name = format!("stored-{number}-{at}");
            api.apply(&name, &spec)
                .await
                .map_err(|refusal| anyhow::anyhow!(refusal.message))?;
            objects += 1;
            let steps = [
                json!({"metadata": {"finalizers": ["dws.huaweicloud.com/finalizer"]}}),
                json!({"metadata": {"annotations": {"dws.huaweicloud.com/restart-requested-at": "2026-11-25T08:30:00Z"}}}),
                json!({"metadata": {"finalizers": null}}),
            ];
            let context = |what: &str| format!("{what} of {kind} {spec} with {status}");
            for (index, step) in steps.iter().enumerate() {
                if index == 1 {
                    api.write_status(&name, &status)
                        .await
                        .map_err(|r| anyhow::anyhow!(r.message))
                        .context(context("status"))?;
                    // Again, from the odd one to an empty and back: both are transitions too.
                    api.write_status(&name, &json!({"nodeCount": null, "clusterId": null, "snapshotId": null, "operation": null, "status": "X"}))
                        .await
                        .map_err(|r| anyhow::anyhow!(r.message))
                        .context(context("status back"))?;
                    api.write_status(&name, &status)
                        .await
                        .map_err(|r| anyhow::anyhow!(r.message))
                        .context(context("status"))?;
                    writes += 3;
                    api.delete(&name).await?;
                    assert!(!api.is_gone(&name).await?, "the finalizer holds it");
                }
                api.merge(&name, step)
                    .await
                    .map_err(|r| anyhow::anyhow!(r.message))
                    .context(context("metadata"))?;
                writes += 1;
            }
            assert!(api.is_gone(&name).await?, "gone with its finalizer");
        }
    }
    figure(
        "manifests",
        &format!(
            "{objects} stored objects with odd statuses: {writes} writes of status, finalizer and annotations, none refused"
        ),
    );
    Ok(())
}

fn known_fields(kind: &str, mut status: Value) -> Value {
    let crd = if kind == "DwsCluster" {
        cluster_crd()
    } else {
        snapshot_crd()
    };
    let schema = schema_of(&crd).unwrap();
    if let Value::Object(map) = &mut status {
        map.retain(|name, _| field_of(schema, &format!("status.{name}")).is_some());
    }
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fitted_status_is_stored_however_long_the_answer_was() -> Result<()> {
    let (client, namespace) = served("fitted").await?;
    let (clusters, _) = stored();
    let api = Objects::new(&client, &namespace, "DwsCluster", Manner::Update);
    api.apply("long", &clusters[0])
        .await
        .map_err(|refusal| anyhow::anyhow!(refusal.message))?;
    let long = "\u{4e2d}".repeat(9_000);
    let status: DwsClusterStatus = serde_json::from_value(json!({
        "clusterId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574",
        "status": long, "subStatus": long, "taskStatus": long, "progress": long, "nodeType": long, "version": long,
        "actionProgress": (0..100).map(|n| (format!("TASK{n}"), Value::from(long.as_str()))).collect::<serde_json::Map<_, _>>(),
        "endpoints": vec![json!({"connectInfo": long, "jdbcUrl": long}); 300],
        "privateIps": vec![long.as_str(); 10],
        "tags": vec![json!({"key": long, "value": long}); 300],
        "failedReasons": {"errorCode": long, "errorMsg": long},
        "createdAt": long, "updatedAt": long,
    }))?;
    let refused = api
        .write_status("long", &serde_json::to_value(&status)?)
        .await;
    assert!(refused.is_err(), "the limits are real");
    let fitted = serde_json::to_value(status.fitted())?;
    api.write_status("long", &fitted)
        .await
        .map_err(|refusal| anyhow::anyhow!(refusal.message))?;
    api.delete("long").await
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

#[tokio::test(flavor = "multi_thread")]
async fn the_columns_show_what_the_status_says() -> Result<()> {
    let (client, namespace) = served("columns").await?;
    let clusters = Objects::new(&client, &namespace, "DwsCluster", Manner::Update);
    let snapshots = Objects::new(&client, &namespace, "DwsSnapshot", Manner::Update);
    let refused = |refusal: Box<kube::core::response::Status>| anyhow::anyhow!(refusal.message);
    let time = "2026-11-25T08:30:00Z";
    clusters
        .apply("orders", &stored().0[0])
        .await
        .map_err(refused)?;
    clusters
        .write_status("orders", &json!({
            "status": "AVAILABLE", "subStatus": "NORMAL", "taskStatus": "GROWING", "progress": "GROWING 20%", "nodeCount": 6,
            "version": "8.1.3", "endpoints": [{"connectInfo": "10.0.0.1:8000"}, {"connectInfo": "10.0.0.2:8000"}], "clusterId": "the-id",
            "conditions": [
                {"type": "Synced", "status": "False", "reason": "Drifted", "message": "", "lastTransitionTime": time},
                {"type": "Ready", "status": "True", "reason": "Resizing", "message": "", "lastTransitionTime": time}]
        }))
        .await
        .map_err(refused)?;
    let (names, rows) = table(&client, &namespace, "dwsclusters").await?;
    assert_eq!(
        names,
        [
            "Name",
            "Status",
            "Sub-Status",
            "Task",
            "Progress",
            "Nodes",
            "Ready",
            "Age",
            "Version",
            "Endpoint",
            "ID",
            "Synced",
            "Reason"
        ]
    );
    let mut row = rows[0].clone();
    row.remove(7);
    assert_eq!(
        Value::from(row),
        json!([
            "orders",
            "AVAILABLE",
            "NORMAL",
            "GROWING",
            "GROWING 20%",
            6,
            "True",
            "8.1.3",
            "10.0.0.1:8000",
            "the-id",
            "False",
            "Resizing"
        ])
    );

    let (_, specs) = stored();
    for (number, spec) in specs.iter().enumerate() {
        snapshots
            .apply(&format!("snap-{number}"), spec)
            .await
            .map_err(refused)?;
    }
    snapshots
        .write_status("snap-0", &json!({
            "status": "AVAILABLE", "type": "MANUAL", "sizeGb": 12.5, "snapshotId": "the-id", "finishedAt": "2026-11-25T08:30:00", "clusterId": "x",
            "conditions": [{"type": "Ready", "status": "True", "reason": "Available", "message": "", "lastTransitionTime": time}]
        }))
        .await
        .map_err(refused)?;
    let (names, rows) = table(&client, &namespace, "dwssnapshots").await?;
    assert_eq!(
        names,
        [
            "Name", "Cluster", "Status", "Type", "Size", "Ready", "Age", "ID", "Finished"
        ]
    );
    let mut row = rows[0].clone();
    row.remove(6);
    assert_eq!(
        Value::from(row),
        json!([
            "snap-0",
            "orders",
            "AVAILABLE",
            "MANUAL",
            12.5,
            "True",
            "the-id",
            "2026-11-25T08:30:00"
        ])
    );
    let shown: Vec<&Value> = rows.iter().map(|row| &row[1]).collect();
    let id = "85b20d7e-9eb7-4b2a-98f3-3c8843ea3504";
    assert_eq!(
        shown,
        ["orders", "orders", id, id],
        "the DwsCluster, else the id of the cluster"
    );
    Ok(())
}

/// Names of the columns, and the rows, as `kubectl get -o wide` asks for them.
async fn table(
    client: &Client,
    namespace: &str,
    plural: &str,
) -> Result<(Vec<String>, Vec<Vec<Value>>)> {
    let path = format!("/apis/dws.huaweicloud.com/v1alpha1/namespaces/{namespace}/{plural}");
    let request = http::Request::get(path)
        .header("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
        .body(Vec::new())?;
    let table: Value = client.request(request).await?;
    let names = table["columnDefinitions"].as_array().context("columns")?;
    let names = names
        .iter()
        .map(|column| column["name"].as_str().unwrap_or_default().to_owned());
    let rows = table["rows"].as_array().context("rows")?;
    let rows = rows
        .iter()
        .map(|row| row["cells"].as_array().cloned().unwrap_or_default());
    Ok((names.collect(), rows.collect()))
}
