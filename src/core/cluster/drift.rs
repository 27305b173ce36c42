//! Where the cluster is not what the manifest writes. It is told, never mended by a purchase.

use super::body;
use super::draft::Draft;
use crate::api::DwsClusterSpec;
use crate::api::cluster::Network;
use crate::core::conditions::Says;
use crate::dws::model::Cluster;

/// Condition `Synced=False/Drifted`: each field that the user wrote and that the service shows otherwise.
pub(super) fn found(draft: &Draft<'_>, cluster: &Cluster) -> Option<Says> {
    // Every field by name: a new one is compared, or said here not to be.
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
    } = &draft.facts.object.spec;
    let Network {
        vpc_id,
        subnet_id,
        security_group_id,
        availability_zone,
    } = network.clone().unwrap_or_default();
    let bind_type = public_ip.as_ref().map(|ip| body::bind_type(ip.bind_type));
    let eip_id = public_ip.as_ref().and_then(|ip| ip.eip_id.clone());
    let shown_ip = cluster.public_ip.clone().unwrap_or_default();
    let mut differences = Vec::new();
    let mut compare = |field: &str, wanted: Option<String>, found: Option<String>| {
        if let (Some(wanted), Some(found)) = (wanted, found)
            && wanted != found
        {
            differences.push(format!("spec.{field} wants {wanted}, found {found}"));
        }
    };
    let number = |value: Option<i32>| value.map(|value| value.to_string());
    let name = Some(cluster.name.clone());
    compare("clusterName", cluster_name.clone(), name);
    compare("nodeType", node_type.clone(), cluster.node_type.clone());
    compare("nodeCount", number(*node_count), number(cluster.node_count));
    compare("port", number(*port), number(cluster.port));
    compare("adminUser", admin_user.clone(), cluster.user_name.clone());
    compare("network.vpcId", vpc_id, cluster.vpc_id.clone());
    compare("network.subnetId", subnet_id, cluster.subnet_id.clone());
    let found = cluster.security_group_id.clone();
    compare("network.securityGroupId", security_group_id, found);
    let found = cluster.availability_zone.clone();
    compare("network.availabilityZone", availability_zone, found);
    let found = cluster.enterprise_project_id.clone();
    compare("enterpriseProjectId", enterprise_project_id.clone(), found);
    let bind_type = bind_type.map(str::to_owned);
    compare("publicIp.bindType", bind_type, shown_ip.public_bind_type);
    compare("publicIp.eipId", eip_id, shown_ip.eip_id);
    (!differences.is_empty()).then(|| {
        let message = format!(
            "The cluster is not what the manifest writes; nothing is changed because of it. {}.",
            differences.join("; ")
        );
        Says::new("Drifted", message)
    })
}
