//! Where the cluster is not what the manifest writes. It is told, never mended by a purchase.

use super::body;
use super::draft::Draft;
use crate::core::conditions::Says;
use crate::dws::model::Cluster;

/// Condition `Synced=False/Drifted`: each field that the user wrote and that the service shows otherwise.
pub(super) fn found(draft: &Draft<'_>, cluster: &Cluster) -> Option<Says> {
    let spec = &draft.facts.object.spec;
    let network = spec.network.clone().unwrap_or_default();
    let mut differences = Vec::new();
    let mut compare = |field: &str, wanted: Option<String>, found: Option<String>| {
        if let (Some(wanted), Some(found)) = (wanted, found)
            && wanted != found
        {
            differences.push(format!("spec.{field} wants {wanted}, found {found}"));
        }
    };
    compare(
        "clusterName",
        spec.cluster_name.clone(),
        Some(cluster.name.clone()),
    );
    compare(
        "nodeType",
        spec.node_type.clone(),
        cluster.node_type.clone(),
    );
    let number = |value: Option<i32>| value.map(|value| value.to_string());
    compare(
        "nodeCount",
        number(spec.node_count),
        number(cluster.node_count),
    );
    compare("port", number(spec.port), number(cluster.port));
    compare(
        "adminUser",
        spec.admin_user.clone(),
        cluster.user_name.clone(),
    );
    compare("network.vpcId", network.vpc_id, cluster.vpc_id.clone());
    compare(
        "network.subnetId",
        network.subnet_id,
        cluster.subnet_id.clone(),
    );
    compare(
        "network.securityGroupId",
        network.security_group_id,
        cluster.security_group_id.clone(),
    );
    compare(
        "network.availabilityZone",
        network.availability_zone,
        cluster.availability_zone.clone(),
    );
    compare(
        "enterpriseProjectId",
        spec.enterprise_project_id.clone(),
        cluster.enterprise_project_id.clone(),
    );
    let found = cluster.public_ip.clone().unwrap_or_default();
    let wanted = spec.public_ip.as_ref();
    let bind = wanted.map(|ip| body::bind_type(ip.bind_type).to_owned());
    compare("publicIp.bindType", bind, found.public_bind_type);
    compare(
        "publicIp.eipId",
        wanted.and_then(|ip| ip.eip_id.clone()),
        found.eip_id,
    );
    (!differences.is_empty()).then(|| {
        let message = format!(
            "The cluster is not what the manifest writes; nothing is changed because of it. {}.",
            differences.join("; ")
        );
        Says::new("Drifted", message)
    })
}
