//! `DwsCluster`: what a person writes.
//!
//! The doc comment of a field is its description in the schema and in the reference page, so each
//! says meaning, unit, what holds when it is not written, and the DWS parameter. Limits that one
//! value breaks stand here; rules that need more than one value or a former state are in
//! [`super::rules`]. No field has a schema default: "not written" stays visible, and nothing is
//! filled in behind a manifest in Git.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cluster_status::DwsClusterStatus;

/// What a GaussDB(DWS) data warehouse shall be like.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "dws.huaweicloud.com",
    version = "v1alpha1",
    kind = "DwsCluster",
    plural = "dwsclusters",
    shortname = "dwsc",
    category = "dws",
    namespaced,
    status = "DwsClusterStatus",
    derive = "PartialEq",
    doc = "A GaussDB(DWS) data warehouse cluster: made, adopted or restored, grown, restarted, given its password and deleted as the spec says."
)]
#[serde(rename_all = "camelCase")]
pub struct DwsClusterSpec {
    /// Name of the cluster at the service, unique in the project: a letter, then letters, digits,
    /// `-` or `_`, 4 to 64 characters in all. Not written: `metadata.name`, which must then fit
    /// the same rule. DWS parameter: `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub cluster_name: Option<String>,
    /// Id (a UUID in lower case) of an existing cluster to adopt instead of creating one. Adoption
    /// makes no changing call; what differs from the spec is listed in condition `Synced`. Where
    /// `restoreFrom` is written too, nothing is restored. Not written: a cluster is created or
    /// restored. DWS parameter: `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub cluster_id: Option<String>,
    /// What to do when a cluster of the same name exists already: `Never` stops with
    /// `NameConflict`, `IfExists` adopts it. Not written: `Never`. No DWS parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AdoptionPolicy")]
    pub adoption_policy: Option<AdoptionPolicy>,
    /// `Full` lets the operator make changing calls; `ObserveOnly` never makes one, deleting the
    /// resource included. Not written: `Full`. No DWS parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ManagementPolicy")]
    pub management_policy: Option<ManagementPolicy>,
    /// What becomes of the cluster when the resource is deleted: `Snapshot` takes a final manual
    /// snapshot, keeps it and deletes the cluster; `Delete` deletes it without one; `Retain` leaves
    /// it running, and paid for. Not written: `Snapshot` for a cluster that the operator made,
    /// `Retain` for an adopted one. May be changed while the resource is being deleted. No DWS
    /// parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ClusterDeletionPolicy")]
    pub deletion_policy: Option<ClusterDeletionPolicy>,
    /// `true` blocks the deletion of the cluster until it is taken off. Not written: `false`. No
    /// DWS parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_protection: Option<bool>,
    /// How many of the newest manual snapshots (a count) the service keeps when the cluster is
    /// deleted. It is raised where fewer would lose the final snapshot or one that a `DwsSnapshot`
    /// stands for. Not written: all that exist. DWS parameter: `keep_last_manual_snapshot`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub keep_last_manual_snapshots: Option<i32>,
    /// Flavour of the nodes, such as `dws.d1.xlarge`, as the service lists them. Required unless
    /// `restoreFrom` or `clusterId` is set; refused with `restoreFrom`. DWS parameter: `node_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub node_type: Option<String>,
    /// Number of nodes, 2 to 256. A larger number grows the cluster, it is never shrunk. Required
    /// unless `restoreFrom` or `clusterId` is set. DWS parameters: `number_of_node` of the create
    /// call; the difference is `scale_out.count` of the resize call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 256))]
    pub node_count: Option<i32>,
    /// Number of coordinator nodes, 2 to 20 and at most `nodeCount`. Not written: the service
    /// chooses. Refused with `restoreFrom`. DWS parameter: `number_of_cn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 20))]
    pub coordinator_count: Option<i32>,
    /// Where the cluster stands. VPC, subnet and security group are required unless `restoreFrom`
    /// or `clusterId` is set. Not written with `restoreFrom`: as the cluster of the snapshot. DWS
    /// parameters: see its fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// TCP port of the database, 8000 to 30000. Not written: 8000, filled in when the call is made.
    /// DWS parameter: `port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 8000, max = 30000))]
    pub port: Option<i32>,
    /// Access from the internet by an elastic IP. Not written: none. DWS parameter: `public_ip`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<PublicIp>,
    /// Name of the database administrator: a lower-case letter or `_`, then lower-case letters,
    /// digits or `_`, 1 to 63 characters in all, and no keyword of the database. Not written:
    /// `dbadmin`, filled in when the call is made. Refused with `restoreFrom`. DWS parameter:
    /// `user_name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub admin_user: Option<String>,
    /// Secret of the same namespace that holds the administrator's password. A change of its
    /// content resets the password. Not written: the operator generates one and publishes it in the
    /// connection Secret. DWS parameters: `user_pwd` of the create call, `new_password` of the
    /// password reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_password_secret_ref: Option<SecretKeyRef>,
    /// Id of the enterprise project that the cluster is counted to. Not written: the service's
    /// default project (`0`). Refused with `restoreFrom`. DWS parameter: `enterprise_project_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub enterprise_project_id: Option<String>,
    /// Snapshot that the new cluster is restored from. Not written: an empty cluster is created.
    /// DWS parameter: the snapshot id in the path of the restore call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_from: Option<RestoreFrom>,
    /// Secret of the same namespace with the credentials (`HW_*` names) of the account that the
    /// cluster belongs to. Not written: the operator's own. No DWS parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<LocalRef>,
    /// Name of the Secret that the operator writes for those who connect, never one that is
    /// referenced here. Not written: `<metadata.name>-connection`. No DWS parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub connection_secret_name: Option<String>,
}

/// Whether a cluster that already bears the name is taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AdoptionPolicy {
    /// It is not: the resource stops with `NameConflict`.
    #[default]
    Never,
    /// It is adopted.
    IfExists,
}

/// Whether the operator may change anything at the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ManagementPolicy {
    /// It may.
    #[default]
    Full,
    /// It never makes a changing call.
    ObserveOnly,
}

/// What becomes of the cluster when the resource is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ClusterDeletionPolicy {
    /// A final snapshot is taken and kept, then the cluster is deleted.
    Snapshot,
    /// The cluster is deleted without a final snapshot.
    Delete,
    /// The cluster keeps running.
    Retain,
}

/// Where a cluster stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Id (a UUID in lower case) of the VPC. Required unless `restoreFrom` or `clusterId` is set.
    /// Not written with `restoreFrom`: as the cluster of the snapshot. DWS parameter: `vpc_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub vpc_id: Option<String>,
    /// Id (a UUID in lower case) of the subnet: its network id. Required unless `restoreFrom` or
    /// `clusterId` is set. Not written with `restoreFrom`: as the cluster of the snapshot. DWS
    /// parameter: `subnet_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub subnet_id: Option<String>,
    /// Id (a UUID in lower case) of the security group. Required unless `restoreFrom` or
    /// `clusterId` is set. Not written with `restoreFrom`: as the cluster of the snapshot. DWS
    /// parameter: `security_group_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub security_group_id: Option<String>,
    /// Availability zone, such as `eu-west-0a`. Not written: the service chooses; with
    /// `restoreFrom` as the cluster of the snapshot. DWS parameter: `availability_zone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub availability_zone: Option<String>,
}

/// Access from the internet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublicIp {
    /// `AutoAssign` buys an elastic IP, `BindExisting` binds the one in `eipId`, `NotUse` has none.
    /// Required where `publicIp` is written. DWS parameter: `public_bind_type` (`auto_assign`,
    /// `bind_existing`, `not_use`).
    pub bind_type: PublicBindType,
    /// Id (a UUID in lower case) of the elastic IP to bind. Required with `BindExisting`, refused
    /// otherwise. DWS parameter: `eip_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub eip_id: Option<String>,
}

/// How a cluster comes by its elastic IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PublicBindType {
    /// One is bought (`auto_assign`).
    AutoAssign,
    /// There is none (`not_use`).
    NotUse,
    /// An existing one is bound (`bind_existing`).
    BindExisting,
}

/// One key of a Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeyRef {
    /// Name of the Secret, in the namespace of the resource. Required. No DWS parameter.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Key in the Secret whose value is meant: letters, digits, `-`, `_` or `.`, 1 to 253
    /// characters. Not written: `password`, filled in when the Secret is read. No DWS parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub key: Option<String>,
}

/// An object in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LocalRef {
    /// Name of the object, in the namespace of the resource. Required. No DWS parameter.
    #[schemars(length(max = 253))]
    pub name: String,
}

/// The snapshot to restore: exactly one of the two is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreFrom {
    /// `DwsSnapshot` of the same namespace; the restore waits until it is ready. Not written:
    /// `snapshotId` names the snapshot. DWS parameter: its id in the path of the restore call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_ref: Option<LocalRef>,
    /// Id (a UUID in lower case) of a snapshot at the service. Not written: `snapshotRef` names the
    /// snapshot. DWS parameter: the snapshot id in the path of the restore call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub snapshot_id: Option<String>,
}
