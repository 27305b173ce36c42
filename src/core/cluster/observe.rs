//! The service's words into the status, verbatim, and what they make of `Ready`.

use crate::api::DwsClusterStatus;
use crate::api::cluster_status::{
    Endpoint, FailedReasons, MaintainWindow, ParameterGroup, PublicEndpoint, PublicIpStatus,
    ResizeInfo, Tag,
};
use crate::core::conditions::{Ready, Says};
use crate::core::failures;
use crate::core::service_state::{self, Life};
use crate::dws::model::Cluster;

/// Writes what a cluster shows into the status. Fields that only a detail has stay as of the last one.
pub(super) fn observe(status: &mut DwsClusterStatus, cluster: &Cluster, detail: bool) {
    status.status = Some(cluster.status.clone());
    status.sub_status.clone_from(&cluster.sub_status);
    status.task_status.clone_from(&cluster.task_status);
    status.action_progress.clone_from(&cluster.action_progress);
    status.progress = service_state::progress(cluster);
    status.node_type.clone_from(&cluster.node_type);
    status.node_count = cluster.node_count.or(status.node_count);
    status.version.clone_from(&cluster.version);
    status.endpoints = cluster
        .endpoints
        .iter()
        .map(|one| Endpoint {
            connect_info: one.connect_info.clone(),
            jdbc_url: one.jdbc_url.clone(),
        })
        .collect();
    status.public_endpoints = cluster
        .public_endpoints
        .iter()
        .map(|one| PublicEndpoint {
            public_connect_info: one.connect_info.clone(),
            jdbc_url: one.jdbc_url.clone(),
        })
        .collect();
    status.public_ip = cluster.public_ip.as_ref().map(|ip| PublicIpStatus {
        public_bind_type: ip.public_bind_type.clone(),
        eip_id: ip.eip_id.clone(),
        eip_address: ip.eip_address.clone(),
    });
    status.recent_events = cluster.recent_events;
    status.tags = cluster
        .tags
        .iter()
        .map(|(key, value)| Tag {
            key: key.clone(),
            value: value.clone(),
        })
        .collect();
    status.failed_reasons = cluster.failed_reasons.as_ref().map(|why| FailedReasons {
        error_code: why.error_code.clone(),
        error_msg: why.error_msg.clone(),
    });
    status.created_at.clone_from(&cluster.created);
    status.updated_at.clone_from(&cluster.updated);
    if detail {
        status.private_ips.clone_from(&cluster.private_ips);
        status.maintain_window = cluster
            .maintain_window
            .as_ref()
            .map(|window| MaintainWindow {
                day: window.day.clone(),
                start_time: window.start_time.clone(),
                end_time: window.end_time.clone(),
            });
        status.resize_info = cluster.resize_info.as_ref().map(|info| ResizeInfo {
            target_node_num: info.target_node_num,
            origin_node_num: info.origin_node_num,
            resize_status: info.resize_status.clone(),
            start_time: info.start_time.clone(),
        });
        status.parameter_group = cluster
            .parameter_group
            .as_ref()
            .map(|group| ParameterGroup {
                id: group.id.clone(),
                name: group.name.clone(),
                status: group.status.clone(),
            });
    }
}

/// Whether a list item tells something that a detail should be read for. Progress alone does not.
pub(super) fn wants_detail(status: &DwsClusterStatus, item: &Cluster) -> bool {
    status.status.as_deref() != Some(item.status.as_str())
        || status.sub_status != item.sub_status
        || status.task_status != item.task_status
        || (item.node_count.is_some() && status.node_count != item.node_count)
        || status.endpoints.len() != item.endpoints.len()
}

/// What the service's words make of `Ready`.
pub(super) fn ready(cluster: &Cluster) -> Ready {
    let task = cluster.task_status.as_deref().unwrap_or_default();
    let words = cluster.sub_status.as_deref().unwrap_or("NORMAL");
    match service_state::life(&cluster.status) {
        Life::Available if service_state::sub_status_has(cluster, "READONLY") => {
            Ready::No(Says::new(
                "ReadOnly",
                format!(
                    "The cluster is read-only ({words}): free or add space, then writes work again."
                ),
            ))
        }
        Life::Available if matches!(task, "REBOOTING" | "RESTORING" | "STOPPING" | "STARTING") => {
            Ready::No(Says::new(
                "Restarting",
                format!("The service is at {task}."),
            ))
        }
        Life::Available if service_state::sub_status_has(cluster, "DEGRADED") => {
            Ready::Yes(Says::new(
                "Degraded",
                format!("The cluster can be used; its sub-status is {words}."),
            ))
        }
        Life::Available if task == "SNAPSHOTTING" => Ready::Yes(Says::new(
            "Snapshotting",
            "The cluster can be used; a snapshot is being taken.",
        )),
        Life::Available if task == "GROWING" => Ready::Yes(Says::new(
            "Resizing",
            "The cluster can be used; it is being resized.",
        )),
        Life::Available if service_state::task_runs(Some(task)) => Ready::Yes(Says::new(
            "Available",
            format!("The cluster can be used; its task is {task}."),
        )),
        Life::Available if words == "NORMAL" => {
            Ready::Yes(Says::new("Available", "The cluster can be used."))
        }
        Life::Available => Ready::Yes(Says::new(
            "Available",
            format!("The cluster can be used; its sub-status is {words}."),
        )),
        Life::Creating => Ready::No(Says::new("Creating", "The service is making the cluster.")),
        Life::CreationFailed => Ready::No(Says::new("CreationFailed", creation_failed(cluster))),
        Life::Unavailable => Ready::No(Says::new(
            "Unavailable",
            format!("The service says {}.", cluster.status),
        )),
        Life::Frozen => Ready::No(Says::new(
            "Unavailable",
            format!(
                "The service says {}: see the account's orders and balance.",
                cluster.status
            ),
        )),
        Life::Deleting | Life::Deleted => Ready::No(Says::new(
            "Deleting",
            "The service is deleting the cluster; this resource did not ask for it.",
        )),
        Life::Unknown => Ready::No(Says::new(
            "Unknown",
            format!("The service says {:?}.", cluster.status),
        )),
    }
}

/// Why a create failed, and the way on.
pub(super) fn creation_failed(cluster: &Cluster) -> String {
    let why = failures::of_task(cluster.failed_reasons.as_ref());
    format!(
        "The service accepted the create and then failed it.{why} The failed cluster exists until this resource is \
         deleted: mend the manifest, delete the resource and apply it again."
    )
}
