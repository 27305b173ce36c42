//! Parts of `DwsCluster.status` that repeat what the detail of a cluster says.
//!
//! Every field is optional and every text verbatim: the service's answers differ by region and age.
//! Re-exported by [`super::cluster_status`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An address within the VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Endpoint {
    /// Host and port, or the bare host. DWS parameter: `connect_info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub connect_info: Option<String>,
    /// JDBC URL. DWS parameter: `jdbc_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub jdbc_url: Option<String>,
}

/// An address from the internet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PublicEndpoint {
    /// Host and port, or the bare host. DWS parameter: `public_connect_info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub public_connect_info: Option<String>,
    /// JDBC URL. DWS parameter: `jdbc_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub jdbc_url: Option<String>,
}

/// The elastic IP that a cluster has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PublicIpStatus {
    /// How the cluster came by it: `auto_assign`, `not_use` or `bind_existing`. DWS parameter:
    /// `public_bind_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub public_bind_type: Option<String>,
    /// Id of the elastic IP. DWS parameter: `eip_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub eip_id: Option<String>,
    /// The IP address, where the service gives it. DWS parameter: `eip_address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub eip_address: Option<String>,
}

/// When the service may maintain the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MaintainWindow {
    /// Day of the week, `Mon` to `Sun`. DWS parameter: `day`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub day: Option<String>,
    /// Start, `HH:mm` in GMT. DWS parameter: `start_time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub start_time: Option<String>,
    /// End, `HH:mm` in GMT. DWS parameter: `end_time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub end_time: Option<String>,
}

/// The last resize.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResizeInfo {
    /// Number of nodes after the resize. DWS parameter: `target_node_num`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_node_num: Option<i32>,
    /// Number of nodes before the resize. DWS parameter: `origin_node_num`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_node_num: Option<i32>,
    /// `GROWING`, `RESIZE_FAILURE` or another word of the service. DWS parameter: `resize_status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub resize_status: Option<String>,
    /// Start, as the service writes it (ISO 8601). DWS parameter: `start_time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub start_time: Option<String>,
}

/// A parameter group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ParameterGroup {
    /// Id of the parameter group. DWS parameter: `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub id: Option<String>,
    /// Name of the parameter group. DWS parameter: `name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub name: Option<String>,
    /// Whether its values are in force, such as `In-Sync`. DWS parameter: `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub status: Option<String>,
}

/// A tag of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tag {
    /// Key of the tag. DWS parameter: `key`.
    #[schemars(length(max = 128))]
    pub key: String,
    /// Value of the tag. DWS parameter: `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub value: Option<String>,
}

/// Why a task failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FailedReasons {
    /// Code, such as `DWS.6000`. DWS parameter: `error_code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub error_code: Option<String>,
    /// Message of the service. DWS parameter: `error_msg`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub error_msg: Option<String>,
}
