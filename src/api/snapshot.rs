//! `DwsSnapshot`: a manual snapshot of a cluster, spec and status.
//!
//! As in [`super::cluster`], doc comments are the schema's descriptions, and rules over more than
//! one value are in [`super::rules`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cluster::LocalRef;
use super::cluster_status::{AccountRef, LastFailure};
use super::operation::Operation;
use super::schema;

/// Which cluster shall have a snapshot, and what becomes of it.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "dws.huaweicloud.com",
    version = "v1alpha1",
    kind = "DwsSnapshot",
    plural = "dwssnapshots",
    shortname = "dwss",
    category = "dws",
    namespaced,
    status = "DwsSnapshotStatus",
    derive = "PartialEq",
    doc = "A manual snapshot of a GaussDB(DWS) cluster: taken or adopted, and deleted with the resource as the spec says."
)]
#[serde(rename_all = "camelCase")]
pub struct DwsSnapshotSpec {
    /// `DwsCluster` of the same namespace that the snapshot is of; the snapshot is made with its
    /// credentials and waits until it can be made. Exactly one of `clusterRef` and `clusterId` is
    /// written. Not written: `clusterId` names the cluster. DWS parameter: its id is `cluster_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_ref: Option<LocalRef>,
    /// Id (a UUID in lower case) of the cluster that the snapshot is of, for one without a
    /// `DwsCluster`. Exactly one of `clusterRef` and `clusterId` is written. Not written:
    /// `clusterRef` names the cluster. DWS parameter: `cluster_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub cluster_id: Option<String>,
    /// Name of the snapshot at the service, unique in the project without regard to case: a letter,
    /// then letters, digits, `-` or `_`, 4 to 64 characters in all. Not written: `metadata.name`,
    /// which must then fit the same rule. DWS parameter: `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub snapshot_name: Option<String>,
    /// Id (a UUID in lower case) of an existing snapshot of that cluster to adopt instead of taking
    /// one. Not written: a snapshot is taken. DWS parameter: `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub snapshot_id: Option<String>,
    /// Description of the snapshot at the service: at most 256 characters, none of
    /// `! < > ' = & "`. Not written: none. DWS parameter: `description`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub description: Option<String>,
    /// What becomes of the snapshot when the resource is deleted: `Delete` deletes it, `Retain`
    /// leaves it. Not written: `Delete` for a snapshot that the operator took, `Retain` for an
    /// adopted one. May be changed while the resource is being deleted. No DWS parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SnapshotDeletionPolicy")]
    pub deletion_policy: Option<SnapshotDeletionPolicy>,
    /// Secret of the same namespace with the credentials (`HW_*` names) of the account that the
    /// cluster belongs to, allowed with `clusterId` only. It may be changed for another one of the
    /// same project. Not written: those of the `DwsCluster`, or with `clusterId` the operator's
    /// own. No DWS parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<LocalRef>,
}

/// What becomes of the snapshot when the resource is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SnapshotDeletionPolicy {
    /// It is deleted.
    Delete,
    /// It stays.
    Retain,
}

/// What the operator and the service say about the snapshot. Written by the operator alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DwsSnapshotStatus {
    /// Id of the snapshot that this resource stands for. Stored at once when it is known and never
    /// replaced by another. DWS parameter: `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub snapshot_id: Option<String>,
    /// Whether the snapshot was there before the resource (`true`) or was taken by it (`false`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopted: Option<bool>,
    /// Account and region that the snapshot belongs to, written with the first intent and kept for
    /// ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountRef>,
    /// Secret with the credentials as at the first reconcile, kept because the cluster may be gone
    /// first. The empty string means the operator's own credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub credentials_secret_name: Option<String>,
    /// Id of the cluster that the snapshot is of. DWS parameter: `cluster_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub cluster_id: Option<String>,
    /// Status of the snapshot as the service words it, such as `AVAILABLE`. DWS parameter:
    /// `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub status: Option<String>,
    /// Type of the snapshot as the service words it: `MANUAL` or `AUTOMATED`. DWS parameter:
    /// `type`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub type_: Option<String>,
    /// When the snapshot was begun, as the service writes it (ISO 8601). DWS parameter: `started`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub started_at: Option<String>,
    /// When the snapshot was complete, as the service writes it (ISO 8601). DWS parameter:
    /// `finished`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub finished_at: Option<String>,
    /// Size of the snapshot in GB. DWS parameter: `size`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_gb: Option<f64>,
    /// The changing call that is under way or whose outcome is unknown; absent while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// The last definite failure of a changing call, until it is overcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// Set once the recorded snapshot is confirmed gone without this resource's doing (`Lost`), until the
    /// service shows it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<bool>,
    /// When it began to wait for its turn on the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::timestamp")]
    pub waiting_since: Option<Timestamp>,
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
