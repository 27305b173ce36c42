//! That no rule ever stands in the operator's way: status writes and the removal of finalizers go
//! through whatever the status says.

use anyhow::Context;
use dws_operator::api::DwsClusterStatus;
use dws_operator::api::crd::{cluster_crd, field_of, schema_of, snapshot_crd};
use serde_json::{Value, json};

use crate::objects::{Manner, Objects, merged};
use crate::served;
use crate::support::Result;
use crate::support::figures::figure;

/// Specs as they may be stored, of a cluster and of a snapshot.
pub fn stored() -> (Vec<Value>, Vec<Value>) {
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
                    // The ways out of a blocked deletion are open while it is blocked.
                    let way_out = json!({"spec": {"deletionPolicy": "Retain"}});
                    api.merge(&name, &way_out)
                        .await
                        .map_err(|r| anyhow::anyhow!(r.message))
                        .context(context("policy in deletion"))?;
                    writes += 1;
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
            "{objects} stored objects with odd statuses: {writes} writes of status, finalizer, annotations and deletion policy, none refused"
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
