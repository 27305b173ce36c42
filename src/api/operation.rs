//! The operation journal as it stands in `status.operation`.
//!
//! Only data: what may follow what is decided in [`crate::core`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cluster_status::SecretVersion;

/// What a changing call is meant to do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum OperationKind {
    /// `POST clusters`.
    Create,
    /// `POST snapshots/{id}/actions`.
    Restore,
    /// `POST clusters/{id}/resize`.
    Resize,
    /// `POST clusters/{id}/restart`.
    Restart,
    /// `POST clusters/{id}/reset-password`.
    ResetPassword,
    /// `POST snapshots`: a `DwsSnapshot`, or the final snapshot before a deletion.
    Snapshot,
    /// `DELETE clusters/{id}`.
    Delete,
    /// `DELETE snapshots/{id}`.
    DeleteSnapshot,
}

/// How far an operation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum OperationPhase {
    /// Written before the call; the call may or may not have been sent.
    Intended,
    /// The call was sent and its answer does not tell whether it was executed.
    Ambiguous,
    /// The service accepted the call; its task runs.
    Accepted,
    /// It cannot be known whether the call was executed: a person must decide.
    OutcomeUnknown,
}

/// What the operation wants to reach; which fields are set depends on the kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Name of the cluster or snapshot to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub name: Option<String>,
    /// Node count of the cluster when the operation is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_count: Option<i32>,
    /// Id of the cluster that the operation is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub cluster_id: Option<String>,
    /// Id of the snapshot that is restored, taken or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub snapshot_id: Option<String>,
    /// The request (annotation value) that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub requested_at: Option<String>,
    /// `keep_last_manual_snapshot` of a DELETE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_last_manual_snapshots: Option<i32>,
    /// The referenced Secret that a password came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretVersion>,
    /// The credentials Secret that the call is made with; absent for the operator's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<SecretVersion>,
    /// Fields of a later version, carried along untouched.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// What was seen before the call; which fields are set depends on the kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// The service's clock in the answer that showed the name free, or the cluster idle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::schema::timestamp")]
    pub service_time: Option<Timestamp>,
    /// Node count before the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_count: Option<i32>,
    /// The request that was handled before the one that this operation serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::schema::timestamp")]
    pub handled: Option<Timestamp>,
    /// Fields of a later version, carried along untouched.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// One changing call from its intent to its rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Names this intent in logs, events and `acknowledge-attempt` (a UUID).
    #[schemars(length(max = 64))]
    pub id: String,
    /// What the call does: `Create`, `Restore`, `Resize`, `Restart`, `ResetPassword`, `Snapshot`,
    /// `Delete` or `DeleteSnapshot`.
    pub kind: OperationKind,
    /// How often an intent of this operation has been written, from 1.
    pub attempt: i32,
    /// How far it has come: `Intended`, `Ambiguous` (it cannot be told yet whether the call was
    /// executed), `Accepted` or `OutcomeUnknown` (a person must decide).
    pub phase: OperationPhase,
    /// What it wants to reach; which fields are set depends on the kind.
    #[serde(default)]
    pub target: Target,
    /// What was seen before the call; which fields are set depends on the kind.
    #[serde(default)]
    pub baseline: Baseline,
    /// When the intent of this attempt was written (the operator's clock).
    #[schemars(schema_with = "super::schema::timestamp")]
    pub intended_at: Timestamp,
    /// What a person should know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub message: Option<String>,
    /// The service's task that was seen to belong to it (`GROWING`, `REBOOTING`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub task_seen: Option<String>,
    /// Fields of a later version, carried along untouched.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}
