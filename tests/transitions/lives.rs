//! The same with the operator and the service behind the API server: a manifest that is refused reaches neither,
//! and a spec that went there and back leaves what a fresh one leaves: the same call, the same ledger, the same
//! status.

use std::time::Duration;

use anyhow::ensure;
use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::changes::{ID, place};
use crate::objects::{Manner, Objects};
use crate::schema::fields;
use crate::support::figures::figure;

use crate::support::Result;
use crate::values::invalid;
use crate::world::{World, condition};

/// A spec that the service takes at once.
fn usable() -> Value {
    json!({
        "nodeType": "dws.d1.xlarge", "nodeCount": 3, "deletionPolicy": "Delete",
        "network": {"vpcId": ID, "subnetId": ID, "securityGroupId": ID},
    })
}

/// Shared by the tests of this file: programs are dear.
async fn world() -> Result<&'static World> {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    WORLD.get_or_try_init(|| World::new("lives")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_spec_makes_no_remote_call() -> Result<()> {
    let world = World::new("refused").await?;
    // As a new resource.
    let mut refused = 0;
    for kind in ["DwsCluster", "DwsSnapshot"] {
        let objects = Objects::new(&world.client, &world.namespace, kind, Manner::Update);
        for field in fields(kind) {
            let place = place(kind, &field.path);
            for (_, value) in invalid(&field) {
                let answer = objects.apply("never", &place.spec(Some(&value))).await;
                ensure!(
                    answer.is_err(),
                    "{kind} with {}: {value} accepted",
                    field.path
                );
                refused += 1;
            }
        }
    }
    // The operator has looked at the account meanwhile, and at nothing else.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let asked = world.requests().await?;
    ensure!(
        !asked.is_empty(),
        "the operator asks for nothing at all: the test says nothing"
    );
    for request in &asked {
        let operation = request["operation"].as_str().unwrap_or_default();
        ensure!(
            matches!(
                operation,
                "list_clusters" | "list_projects" | "create_token"
            ),
            "asked for {request}"
        );
    }

    // As a change of one that is there.
    world.apply("there", &usable()).await?;
    let before = world.ready("there").await?;
    let changing = world.changing().await?;
    ensure!(changing == 1, "{changing} changing requests for one create");
    for field in fields("DwsCluster") {
        for (_, value) in invalid(&field) {
            let mut spec = usable();
            let names: Vec<&str> = field.path.split('.').collect();
            let patch = names
                .iter()
                .rev()
                .fold(value.clone(), |inner, name| json!({*name: inner}));
            json_patch::merge(&mut spec, &patch);
            let answer = world.clusters.apply("there", &spec).await;
            ensure!(answer.is_err(), "{}: {value} accepted", field.path);
            refused += 1;
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = world.get("there").await?;
    ensure!(
        after["spec"] == before["spec"]
            && after["metadata"]["generation"] == before["metadata"]["generation"]
    );
    let changed = world.changing().await? - changing;
    let effects = world.stack.ledger().await?.len();
    ensure!(
        changed == 0 && effects == 1,
        "{changed} changing requests, {effects} effects"
    );
    figure(
        "transitions",
        &format!(
            "{refused} invalid specs before an operator and a service: 0 remote calls because of them"
        ),
    );
    Ok(())
}

/// Fields with two values that the service takes, changed before anything is asked for: a cluster whose password
/// is not there yet waits.
fn corrections() -> Vec<(&'static str, Value, Value)> {
    let other = "95b20d7e-9eb7-4b2a-98f3-3c8843ea3575";
    vec![
        (
            "clusterName",
            json!({"clusterName": "Round_NAME"}),
            json!({"clusterName": "Other_NAME"}),
        ),
        ("nodeType", json!({}), json!({"nodeType": "dws.m1.xlarge"})),
        ("nodeCount", json!({}), json!({"nodeCount": 6})),
        (
            "coordinatorCount",
            json!({"coordinatorCount": 2}),
            json!({"coordinatorCount": 3}),
        ),
        (
            "coordinatorCount unset",
            json!({}),
            json!({"coordinatorCount": 3}),
        ),
        ("vpcId", json!({}), json!({"network": {"vpcId": other}})),
        (
            "subnetId",
            json!({}),
            json!({"network": {"subnetId": other}}),
        ),
        (
            "securityGroupId",
            json!({}),
            json!({"network": {"securityGroupId": other}}),
        ),
        (
            "availabilityZone",
            json!({"network": {"availabilityZone": "cn-north-4a"}}),
            json!({"network": {"availabilityZone": "cn-north-4b"}}),
        ),
        ("port", json!({"port": 8100}), json!({"port": 8200})),
        ("port unset", json!({}), json!({"port": 8200})),
        (
            "publicIp",
            json!({"publicIp": {"bindType": "AutoAssign"}}),
            json!({"publicIp": {"bindType": "NotUse"}}),
        ),
        (
            "publicIp unset",
            json!({}),
            json!({"publicIp": {"bindType": "BindExisting", "eipId": other}}),
        ),
        (
            "adminUser",
            json!({"adminUser": "root_"}),
            json!({"adminUser": "other_"}),
        ),
        (
            "enterpriseProjectId",
            json!({"enterpriseProjectId": "0"}),
            json!({"enterpriseProjectId": "1"}),
        ),
        (
            "connectionSecretName",
            json!({"connectionSecretName": "NAME-one"}),
            json!({"connectionSecretName": "NAME-other"}),
        ),
    ]
}

/// Fields that may change at any time, on a cluster that is there.
fn preferences() -> Vec<(&'static str, Value, Value)> {
    vec![
        (
            "adoptionPolicy",
            json!({"adoptionPolicy": "Never"}),
            json!({"adoptionPolicy": "IfExists"}),
        ),
        (
            "managementPolicy",
            json!({"managementPolicy": "Full"}),
            json!({"managementPolicy": "ObserveOnly"}),
        ),
        (
            "managementPolicy unset",
            json!({}),
            json!({"managementPolicy": "ObserveOnly"}),
        ),
        (
            "deletionPolicy",
            json!({}),
            json!({"deletionPolicy": "Retain"}),
        ),
        (
            "deletionProtection",
            json!({}),
            json!({"deletionProtection": true}),
        ),
        (
            "keepLastManualSnapshots",
            json!({"keepLastManualSnapshots": 0}),
            json!({"keepLastManualSnapshots": 7}),
        ),
    ]
}

/// A spec with a patch, for a resource of this name.
fn with(name: &str, patch: &Value, secret: Option<&str>) -> Value {
    let mut spec = usable();
    let patch: Value = serde_json::from_str(&patch.to_string().replace("NAME", name)).unwrap();
    json_patch::merge(&mut spec, &patch);
    if let Some(secret) = secret {
        spec["adminPasswordSecretRef"] = json!({"name": secret});
    }
    spec
}

async fn password(world: &World, name: &str) -> Result<()> {
    let secret: Secret = serde_json::from_value(json!({
        "metadata": {"name": name}, "stringData": {"password": "Round-Trip-Passw0rd"},
    }))?;
    Api::namespaced(world.client.clone(), &world.namespace)
        .create(&PostParams::default(), &secret)
        .await?;
    Ok(())
}

/// There and back before anything is asked for, and the same at once.
async fn corrected(
    world: &World,
    at: usize,
    (field, one, other): &(&str, Value, Value),
) -> Result<()> {
    let (came_back, fresh) = (format!("corrected-{at:02}"), format!("at-once-{at:02}"));
    let secret = format!("later-{at:02}");
    for patch in [one, other, one] {
        world
            .apply(&came_back, &with(&came_back, patch, Some(&secret)))
            .await?;
        world
            .until(&came_back, "waiting for its password", |object| {
                condition(object, "Synced")["reason"] == "WaitingForReference"
                    || condition(object, "Reconciling")["reason"] == "WaitingForReference"
            })
            .await?;
    }
    password(world, &secret).await?;
    world
        .apply(&fresh, &with(&fresh, one, Some(&secret)))
        .await?;
    same(world, field, &came_back, &fresh).await
}

/// There and back on a cluster that is there, and one that was left alone.
async fn preferred(
    world: &World,
    at: usize,
    (field, one, other): &(&str, Value, Value),
) -> Result<()> {
    let (came_back, fresh) = (format!("preferred-{at:02}"), format!("left-be-{at:02}"));
    world.apply(&fresh, &with(&fresh, one, None)).await?;
    world
        .apply(&came_back, &with(&came_back, one, None))
        .await?;
    world.ready(&came_back).await?;
    for patch in [other, one] {
        world
            .apply(&came_back, &with(&came_back, patch, None))
            .await?;
        world.until(&came_back, "seen", |_| true).await?;
    }
    same(world, field, &came_back, &fresh).await
}

async fn same(world: &World, field: &str, one: &str, other: &str) -> Result<()> {
    let (came_back, fresh) = (world.portrait(one).await?, world.portrait(other).await?);
    ensure!(
        fresh["effects"]
            .as_array()
            .is_some_and(|effects| effects.len() == 1)
            && fresh["calls"]
                .as_array()
                .is_some_and(|calls| calls.len() == 1),
        "{field}: a fresh one is {fresh}"
    );
    ensure!(
        came_back == fresh,
        "{field}: there and back is\n{came_back}\nand a fresh one\n{fresh}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_ends_as_a_fresh_one() -> Result<()> {
    let world = world().await?;
    let (corrections, preferences) = (corrections(), preferences());
    try_join_all(
        corrections
            .iter()
            .enumerate()
            .map(|(at, change)| corrected(world, at, change)),
    )
    .await?;
    try_join_all(
        preferences
            .iter()
            .enumerate()
            .map(|(at, change)| preferred(world, at, change)),
    )
    .await?;
    // The comparison can fail: a change that is not taken back is seen.
    world
        .apply(
            "preferred-00",
            &with("preferred-00", &preferences[0].2, None),
        )
        .await?;
    ensure!(
        same(world, "", "preferred-00", "left-be-00").await.is_err(),
        "a difference is not seen"
    );
    figure(
        "transitions",
        &format!(
            "{} changes there and back before the first intent, {} on a cluster that is there: call, ledger and status as of a fresh one",
            corrections.len(),
            preferences.len()
        ),
    );
    Ok(())
}
