//! What the manifest writes beside what the service shows of the cluster, field by field.
//!
//! Two rules read it: drift, which tells each difference, and the claim after a lost request, which takes
//! none. What was not written, or is not shown, differs from nothing.

use super::body;
use crate::api::DwsClusterSpec;
use crate::api::cluster::Network;
use crate::dws::model::Cluster;

/// One field that was written and that the service shows otherwise.
pub(super) struct Difference {
    /// Path below `spec`.
    pub field: &'static str,
    pub wanted: String,
    pub found: String,
}

/// Every difference, in the order of the fields.
pub(super) fn differences(spec: &DwsClusterSpec, cluster: &Cluster) -> Vec<Difference> {
    // Every field by name: one that is sent and not compared would claim strangers and hide drift.
    let DwsClusterSpec {
        cluster_name,
        node_type,
        node_count,
        port,
        admin_user,
        network,
        enterprise_project_id,
        public_ip,
        // The service does not show it.
        coordinator_count: _,
        // Not of the cluster: how the resource is managed, its Secrets, and where it came from.
        cluster_id: _,
        adoption_policy: _,
        management_policy: _,
        deletion_policy: _,
        deletion_protection: _,
        keep_last_manual_snapshots: _,
        admin_password_secret_ref: _,
        restore_from: _,
        credentials_secret_ref: _,
        connection_secret_name: _,
    } = spec;
    let Network {
        vpc_id,
        subnet_id,
        security_group_id,
        availability_zone,
    } = network.clone().unwrap_or_default();
    let bind_type = public_ip.as_ref().map(|ip| body::bind_type(ip.bind_type));
    let eip_id = public_ip.as_ref().and_then(|ip| ip.eip_id.clone());
    let shown = cluster.clone();
    let shown_ip = shown.public_ip.unwrap_or_default();
    let number = |value: Option<i32>| value.map(|value| value.to_string());
    [
        ("clusterName", cluster_name.clone(), Some(shown.name)),
        ("nodeType", node_type.clone(), shown.node_type),
        ("nodeCount", number(*node_count), number(shown.node_count)),
        ("port", number(*port), number(shown.port)),
        ("adminUser", admin_user.clone(), shown.user_name),
        ("network.vpcId", vpc_id, shown.vpc_id),
        ("network.subnetId", subnet_id, shown.subnet_id),
        (
            "network.securityGroupId",
            security_group_id,
            shown.security_group_id,
        ),
        (
            "network.availabilityZone",
            availability_zone,
            shown.availability_zone,
        ),
        (
            "enterpriseProjectId",
            enterprise_project_id.clone(),
            shown.enterprise_project_id,
        ),
        (
            "publicIp.bindType",
            bind_type.map(str::to_owned),
            shown_ip.public_bind_type.filter(|word| !word.is_empty()),
        ),
        (
            "publicIp.eipId",
            eip_id,
            shown_ip.eip_id.filter(|id| !id.is_empty()),
        ),
    ]
    .into_iter()
    .filter_map(|(field, wanted, found)| {
        let (wanted, found) = wanted.zip(found)?;
        (wanted != found).then_some(Difference {
            field,
            wanted,
            found,
        })
    })
    .collect()
}
