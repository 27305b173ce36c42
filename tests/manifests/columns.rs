//! What `kubectl get` shows.

use anyhow::Context;
use kube::Client;
use serde_json::{Value, json};

use crate::objects::{Manner, Objects};
use crate::served;
use crate::stored::stored;
use crate::support::Result;

#[tokio::test(flavor = "multi_thread")]
async fn the_columns_of_a_cluster() -> Result<()> {
    let (client, namespace) = served("columns").await?;
    let clusters = Objects::new(&client, &namespace, "DwsCluster", Manner::Update);
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
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_columns_of_a_snapshot() -> Result<()> {
    let (client, namespace) = served("columns").await?;
    let snapshots = Objects::new(&client, &namespace, "DwsSnapshot", Manner::Update);
    let refused = |refusal: Box<kube::core::response::Status>| anyhow::anyhow!(refusal.message);
    let time = "2026-11-25T08:30:00Z";
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
