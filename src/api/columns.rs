//! What `kubectl get` shows of each kind.
//!
//! A table of data: [`super::crd`] puts it into the definitions. Columns of priority 1 come with
//! `-o wide`.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceColumnDefinition;

/// Name, type, JSON path, priority and meaning of one column.
type Column = (&'static str, &'static str, &'static str, i32, &'static str);

const READY: &str = r#".status.conditions[?(@.type=="Ready")].status"#;
const REASON: &str = r#".status.conditions[?(@.type=="Ready")].reason"#;
const SYNCED: &str = r#".status.conditions[?(@.type=="Synced")].status"#;
const AGE: Column = (
    "Age",
    "date",
    ".metadata.creationTimestamp",
    0,
    "Time since the resource was created.",
);

const CLUSTER: &[Column] = &[
    (
        "Status",
        "string",
        ".status.status",
        0,
        "The service's status of the cluster, verbatim.",
    ),
    (
        "Sub-Status",
        "string",
        ".status.subStatus",
        0,
        "The service's sub-status, verbatim.",
    ),
    (
        "Task",
        "string",
        ".status.taskStatus",
        0,
        "The task that runs on the cluster or failed last, verbatim.",
    ),
    (
        "Progress",
        "string",
        ".status.progress",
        0,
        "Progress of the running task, in one line.",
    ),
    (
        "Nodes",
        "integer",
        ".status.nodeCount",
        0,
        "Number of nodes that the cluster has.",
    ),
    (
        "Ready",
        "string",
        READY,
        0,
        "Whether the warehouse can be used.",
    ),
    AGE,
    (
        "Version",
        "string",
        ".status.version",
        1,
        "Version of the data warehouse.",
    ),
    (
        "Endpoint",
        "string",
        ".status.endpoints[0].connectInfo",
        1,
        "First address within the VPC.",
    ),
    (
        "ID",
        "string",
        ".status.clusterId",
        1,
        "Id of the cluster at the service.",
    ),
    (
        "Synced",
        "string",
        SYNCED,
        1,
        "Whether the last reconcile did what the spec asks.",
    ),
    (
        "Reason",
        "string",
        REASON,
        1,
        "Why the warehouse is ready or not.",
    ),
];

/// A column has one path, and the API server shows its first result: `clusterId` of the spec itself,
/// else `name` of the one object below it, which is `clusterRef` (`credentialsSecretRef` goes with
/// `clusterId` only).
const CLUSTER_OF_SNAPSHOT: &str = ".spec..['clusterId','name']";

const SNAPSHOT: &[Column] = &[
    (
        "Cluster",
        "string",
        CLUSTER_OF_SNAPSHOT,
        0,
        "The DwsCluster, or the id of the cluster, that the snapshot is of.",
    ),
    (
        "Status",
        "string",
        ".status.status",
        0,
        "The service's status of the snapshot, verbatim.",
    ),
    ("Type", "string", ".status.type", 0, "MANUAL or AUTOMATED."),
    ("Size", "number", ".status.sizeGb", 0, "Size in GB."),
    (
        "Ready",
        "string",
        READY,
        0,
        "Whether the snapshot is complete.",
    ),
    AGE,
    (
        "ID",
        "string",
        ".status.snapshotId",
        1,
        "Id of the snapshot at the service.",
    ),
    (
        "Finished",
        "string",
        ".status.finishedAt",
        1,
        "When the snapshot was complete, as the service writes it.",
    ),
];

/// The columns of `DwsCluster`.
pub(super) fn cluster() -> Vec<CustomResourceColumnDefinition> {
    definitions(CLUSTER)
}

/// The columns of `DwsSnapshot`.
pub(super) fn snapshot() -> Vec<CustomResourceColumnDefinition> {
    definitions(SNAPSHOT)
}

fn definitions(columns: &[Column]) -> Vec<CustomResourceColumnDefinition> {
    columns
        .iter()
        .map(
            |&(name, type_, json_path, priority, description)| CustomResourceColumnDefinition {
                name: name.to_owned(),
                type_: type_.to_owned(),
                json_path: json_path.to_owned(),
                priority: (priority != 0).then_some(priority),
                description: Some(description.to_owned()),
                format: None,
            },
        )
        .collect()
}
