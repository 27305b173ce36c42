//! What the service says, decoded leniently: its words stay text.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// One cluster, from the list or from a detail (reference 5.1.2, 5.1.3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    pub id: String,
    pub name: String,
    pub status: String,
    /// `None` where the service says null, nothing or an empty string; so for all texts here.
    pub sub_status: Option<String>,
    pub task_status: Option<String>,
    pub action_progress: BTreeMap<String, String>,
    pub node_type: Option<String>,
    pub vpc_id: Option<String>,
    pub subnet_id: Option<String>,
    pub security_group_id: Option<String>,
    pub availability_zone: Option<String>,
    pub enterprise_project_id: Option<String>,
    pub node_count: Option<i32>,
    pub port: Option<i32>,
    pub user_name: Option<String>,
    pub version: Option<String>,
    pub public_ip: Option<PublicIp>,
    pub endpoints: Vec<Endpoint>,
    pub public_endpoints: Vec<Endpoint>,
    /// As the service wrote it.
    pub created: Option<String>,
    pub updated: Option<String>,
    /// `created` parsed, where it can be.
    pub created_at: Option<Timestamp>,
    pub recent_events: Option<i32>,
    pub tags: Vec<(String, Option<String>)>,
    pub failed_reasons: Option<FailedReasons>,
    // Detail only.
    pub private_ips: Vec<String>,
    pub maintain_window: Option<MaintainWindow>,
    pub resize_info: Option<ResizeInfo>,
    pub parameter_group: Option<ParameterGroup>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicIp {
    pub public_bind_type: Option<String>,
    pub eip_id: Option<String>,
    pub eip_address: Option<String>,
}

/// `connect_info`/`public_connect_info` and `jdbc_url`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    pub connect_info: Option<String>,
    pub jdbc_url: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedReasons {
    pub error_code: Option<String>,
    pub error_msg: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaintainWindow {
    pub day: Option<String>,
    pub start_time: Option<String>,
    pub end_time: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResizeInfo {
    pub target_node_num: Option<i32>,
    pub origin_node_num: Option<i32>,
    pub resize_status: Option<String>,
    pub start_time: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParameterGroup {
    pub id: Option<String>,
    pub name: Option<String>,
    pub status: Option<String>,
}

/// One snapshot (reference 5.2.2, 5.2.3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub started: Option<String>,
    pub started_at: Option<Timestamp>,
    pub finished: Option<String>,
    pub size_gb: Option<f64>,
    pub status: String,
    pub type_: Option<String>,
    pub cluster_id: Option<String>,
}

/// A list answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing<T> {
    pub items: Vec<T>,
    /// Wholly parsed, and `count` equals the number of items: only such a list proves absence.
    pub complete: bool,
    /// The `Date` header: the service's clock.
    pub service_time: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeType {
    pub id: String,
    pub spec_name: String,
}
