//! `DwsCluster.status`: what the operator and the service say.
//!
//! The service's words stay verbatim, unknown ones too, so no string of its has a pattern or an
//! enum here: a status write that the API server refuses would lose an id. Lengths are bounded all
//! the same (rules cost by size, and etcd refuses objects beyond 1.5 MiB); `fitted()` cuts what a
//! strange answer would overrun.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::cluster_detail::{
    Endpoint, FailedReasons, MaintainWindow, ParameterGroup, PublicEndpoint, PublicIpStatus,
    ResizeInfo, Tag,
};
use super::operation::{Operation, OperationKind};
use super::schema;

/// What the operator and the service say about the cluster. Written by the operator alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DwsClusterStatus {
    /// Id of the cluster that this resource stands for. Stored at once when it is known and never
    /// replaced by another. DWS parameter: `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub cluster_id: Option<String>,
    /// Whether the cluster was there before the resource (`true`) or was made by it (`false`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopted: Option<bool>,
    /// Account and region that the cluster belongs to, written with the first intent and kept for
    /// ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountRef>,
    /// Status of the cluster as the service words it, such as `AVAILABLE`. DWS parameter: `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub status: Option<String>,
    /// Sub-status of an available cluster as the service words it, such as `NORMAL` or `DEGRADED`.
    /// DWS parameter: `sub_status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub sub_status: Option<String>,
    /// Task that runs on the cluster or failed last, as the service words it, such as `GROWING`.
    /// DWS parameter: `task_status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub task_status: Option<String>,
    /// Progress of each running task, as the service gives it: task to progress, such as
    /// `GROWING: 20%`. DWS parameter: `action_progress`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::action_progress")]
    pub action_progress: BTreeMap<String, String>,
    /// The running task and its progress in one line, such as `GROWING 20%`; absent while none
    /// runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub progress: Option<String>,
    /// Flavour of the nodes that the cluster has. DWS parameter: `node_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub node_type: Option<String>,
    /// Number of nodes that the cluster has. DWS parameter: `number_of_node`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_count: Option<i32>,
    /// Last number of nodes that was brought to rest: created, adopted, resized, or a resize that
    /// failed. A resize is planned only where `spec.nodeCount` differs from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_node_count: Option<i32>,
    /// Version of the data warehouse. DWS parameter: `version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub version: Option<String>,
    /// Addresses within the VPC. DWS parameter: `endpoints`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub endpoints: Vec<Endpoint>,
    /// Addresses from the internet. DWS parameter: `public_endpoints`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub public_endpoints: Vec<PublicEndpoint>,
    /// IP addresses of the nodes within the VPC. DWS parameter: `private_ip`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 512),
        inner(length(max = 64)),
        extend("x-kubernetes-list-type" = "atomic")
    )]
    pub private_ips: Vec<String>,
    /// The elastic IP that the cluster has. DWS parameter: `public_ip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<PublicIpStatus>,
    /// When the service may maintain the cluster. DWS parameter: `maintain_window`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintain_window: Option<MaintainWindow>,
    /// The last resize as the service describes it. DWS parameter: `resize_info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize_info: Option<ResizeInfo>,
    /// The parameter group of the cluster. DWS parameter: `parameter_group`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_group: Option<ParameterGroup>,
    /// Number of recent events of the cluster at the service, as of the last other change. DWS
    /// parameter: `recent_event`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recent_events: Option<i32>,
    /// Tags that the cluster bears at the service. DWS parameter: `tags`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub tags: Vec<Tag>,
    /// Why the last task failed, in the service's words. DWS parameter: `failed_reasons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_reasons: Option<FailedReasons>,
    /// When the cluster was created, as the service writes it (ISO 8601). DWS parameter: `created`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub created_at: Option<String>,
    /// When the cluster was last changed, as the service writes it (ISO 8601), as of the last other
    /// change. DWS parameter: `updated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub updated_at: Option<String>,
    /// The connection Secret. It makes the resource a Provisioned Service of servicebinding.io.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// The changing call that is under way or whose outcome is unknown; absent while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Operations whose outcome is unknown and that gave way to one of another kind (resize, restart,
    /// password: one of each at most).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), extend("x-kubernetes-list-type" = "atomic"))]
    pub unsettled_operations: Vec<Operation>,
    /// The last request of each annotation that was recorded. A request acts once, if it is newer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handled: Option<Handled>,
    /// The password Secret as it was when the service, or a rule known to be the service's, refused
    /// its password. The refusal stands until the Secret changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_secret: Option<SecretVersion>,
    /// The password Secret as it was when its content last came into force; with empty texts where a
    /// generated password did. While the connection Secret lacks a password, the content of this very
    /// Secret is published again and any other is set by a reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_secret: Option<SecretVersion>,
    /// The last definite failure of each kind of changing call, until it is overcome.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 8),
        extend("x-kubernetes-list-type" = "map"),
        extend("x-kubernetes-list-map-keys" = ["kind"])
    )]
    pub failures: Vec<LastFailure>,
    /// The last call that the service was too busy for although the cluster looked idle: no failure, it
    /// is given an interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_busy: Option<LastFailure>,
    /// Set once the recorded cluster is confirmed gone without this resource's doing (`Lost`), until the
    /// service shows it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<bool>,
    /// The snapshot taken before the cluster is deleted (`deletionPolicy: Snapshot`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_snapshot: Option<FinalSnapshot>,
    /// Conditions: `Ready` and `Synced` always, `Reconciling` and `Stalled` while true.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// `metadata.generation` that the status answers to; -1 until the operator has seen the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Fields of a later version, carried along untouched.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// An account of the service: one project in one region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AccountRef {
    /// Region, such as `eu-west-0`.
    #[schemars(length(max = 64))]
    pub region: String,
    /// Id of the project. DWS parameter: `project_id` in every path.
    #[schemars(length(max = 128))]
    pub project_id: String,
}

/// Where the data for a connection are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Binding {
    /// Name of the connection Secret, in the namespace of the resource.
    #[schemars(length(max = 253))]
    pub name: String,
}

/// The last request of each annotation that was recorded; absent means none was ever seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Handled {
    /// Last value of annotation `dws.huaweicloud.com/restart-requested-at` (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub restart: Option<Timestamp>,
    /// Last value of annotation `dws.huaweicloud.com/rotate-password-requested-at` (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub rotate_password: Option<Timestamp>,
    /// Last value of annotation `dws.huaweicloud.com/reconcile-requested-at` (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub reconcile: Option<Timestamp>,
    /// Fields of a later version, carried along untouched.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// A Secret at one moment, without anything of its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SecretVersion {
    /// `metadata.uid` of the Secret.
    #[schemars(length(max = 128))]
    pub uid: String,
    /// `metadata.resourceVersion` of the Secret at that moment.
    #[schemars(length(max = 128))]
    pub resource_version: String,
}

/// A changing call that the service refused, or whose task failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastFailure {
    /// Kind of the operation that failed.
    pub kind: OperationKind,
    /// The condition reason that it is shown as.
    #[schemars(length(max = 128))]
    pub reason: String,
    /// The service's code, such as `DWS.6000`; absent where it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub code: Option<String>,
    /// The service's words, and what to do.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// The credentials Secret of the refused call: another one, or another version, is a new try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<SecretVersion>,
    /// `metadata.generation` that it belongs to: a later one is a new try.
    pub generation: i64,
    /// When it happened (the operator's clock).
    #[schemars(schema_with = "schema::timestamp")]
    pub at: Timestamp,
    /// Fields of a later version, carried along untouched.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// The snapshot taken before the cluster is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FinalSnapshot {
    /// Name of the final snapshot at the service.
    #[schemars(length(max = 128))]
    pub name: String,
    /// Id of the final snapshot, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub id: Option<String>,
    /// Number of final snapshots that failed and were deleted.
    #[serde(skip_serializing_if = "is_zero")]
    pub failures: i32,
    /// Fields of a later version, carried along untouched.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(value: &i32) -> bool {
    *value == 0
}
