//! What the service says, decoded leniently: its words stay text.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// One cluster, from the list or from a detail (reference 5.1.2, 5.1.3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// Id (UUID).
    pub id: String,
    /// Name, unique in the project.
    pub name: String,
    /// `AVAILABLE`, `CREATING`, ... ; empty where the service gave none.
    pub status: String,
    /// `None` where the service says null, nothing or an empty string; so for all texts here.
    pub sub_status: Option<String>,
    /// The running or last failed task (`GROWING`, `RESIZE_FAILURE`); `None` while idle.
    pub task_status: Option<String>,
    /// Progress by task, `{"SNAPSHOTTING": "16%"}`; empty while idle.
    pub action_progress: BTreeMap<String, String>,
    /// Node type by name.
    pub node_type: Option<String>,
    /// VPC.
    pub vpc_id: Option<String>,
    /// Subnet.
    pub subnet_id: Option<String>,
    /// Security group.
    pub security_group_id: Option<String>,
    /// Availability zone.
    pub availability_zone: Option<String>,
    /// Enterprise project (`0` is the default one).
    pub enterprise_project_id: Option<String>,
    /// `number_of_node`.
    pub node_count: Option<i32>,
    /// Database port.
    pub port: Option<i32>,
    /// Administrator.
    pub user_name: Option<String>,
    /// Version of the warehouse.
    pub version: Option<String>,
    /// Elastic IP, where there is one.
    pub public_ip: Option<PublicIp>,
    /// Private addresses.
    pub endpoints: Vec<Endpoint>,
    /// Public addresses.
    pub public_endpoints: Vec<Endpoint>,
    /// As the service wrote it.
    pub created: Option<String>,
    /// Last change, as the service wrote it.
    pub updated: Option<String>,
    /// `created` parsed, where it can be.
    pub created_at: Option<Timestamp>,
    /// `recent_event`: how many events; it moves by itself.
    pub recent_events: Option<i32>,
    /// Key and value; a tag may have no value.
    pub tags: Vec<(String, Option<String>)>,
    /// Why the last task failed; `None` is healthy.
    pub failed_reasons: Option<FailedReasons>,
    // Detail only.
    /// `private_ip`: addresses of the nodes.
    pub private_ips: Vec<String>,
    /// Weekly maintenance.
    pub maintain_window: Option<MaintainWindow>,
    /// The resize that runs or failed.
    pub resize_info: Option<ResizeInfo>,
    /// Parameter group.
    pub parameter_group: Option<ParameterGroup>,
}

/// Elastic IP of a cluster (reference table 5-11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicIp {
    /// `auto_assign`, `not_use` or `bind_existing`.
    pub public_bind_type: Option<String>,
    /// Id of the elastic IP.
    pub eip_id: Option<String>,
    /// Its address, where the service tells it.
    pub eip_address: Option<String>,
}

/// `connect_info`/`public_connect_info` and `jdbc_url`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// `host:port`, or a bare host name.
    pub connect_info: Option<String>,
    /// `jdbc:postgresql://host:port/<YOUR_DATABASE_name>`.
    pub jdbc_url: Option<String>,
}

/// Why a task failed (reference table 5-15).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedReasons {
    /// Code, of the table in [`crate::dws::codes`] or another.
    pub error_code: Option<String>,
    /// Text.
    pub error_msg: Option<String>,
}

/// Weekly maintenance (reference table 5-24).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaintainWindow {
    /// `Mon` to `Sun`.
    pub day: Option<String>,
    /// `HH:mm`, UTC.
    pub start_time: Option<String>,
    /// `HH:mm`, UTC.
    pub end_time: Option<String>,
}

/// A resize (reference table 5-25).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResizeInfo {
    /// Nodes afterwards.
    pub target_node_num: Option<i32>,
    /// Nodes before.
    pub origin_node_num: Option<i32>,
    /// `GROWING`, `RESIZE_FAILURE`.
    pub resize_status: Option<String>,
    /// Start, as the service wrote it.
    pub start_time: Option<String>,
}

/// Parameter group of a cluster (reference table 5-27).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParameterGroup {
    /// Id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// `In-Sync`, `Applying`, `Pending-Reboot`, `Sync-Failure`.
    pub status: Option<String>,
}

/// One snapshot (reference 5.2.2, 5.2.3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Id (UUID).
    pub id: String,
    /// Name, unique in the project without regard to case.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Start, as the service wrote it.
    pub started: Option<String>,
    /// `started` parsed, where it can be.
    pub started_at: Option<Timestamp>,
    /// End, as the service wrote it.
    pub finished: Option<String>,
    /// Size in GB.
    pub size_gb: Option<f64>,
    /// `CREATING`, `AVAILABLE`, `UNAVAILABLE`, ...; empty where the service gave none.
    pub status: String,
    /// `MANUAL`, `AUTOMATED`, `AUTO`.
    pub type_: Option<String>,
    /// The cluster it is of.
    pub cluster_id: Option<String>,
}

/// A list answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing<T> {
    /// What could be decoded.
    pub items: Vec<T>,
    /// Wholly parsed, and `count` equals the number of items: only such a list proves absence.
    pub complete: bool,
    /// The `Date` header: the service's clock.
    pub service_time: Option<Timestamp>,
}

/// A node type that the service sells (reference 5.1.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeType {
    /// Id (UUID).
    pub id: String,
    /// Name, what `node_type` of a create takes.
    pub spec_name: String,
}
