//! The bodies of create and restore, made from the spec and the journal so that each attempt sends the same,
//! and whether a cluster can be what such a body made.

use secrecy::SecretString;

use super::compare::differences;
use super::draft::Draft;
use crate::api::DwsClusterSpec;
use crate::api::cluster::{Network, PublicBindType, PublicIp};
use crate::api::{Operation, OperationKind};
use crate::dws::call::{Call, CreateCluster, PublicIpRequest, Restore};
use crate::dws::model::Cluster;

/// `POST clusters`, with the node count that the intent holds.
pub(super) fn create(draft: &Draft<'_>, node_count: i32, password: SecretString) -> Call {
    // Every field by name: a new one must be sent, or said here not to be.
    let DwsClusterSpec {
        cluster_name: _,
        node_type,
        node_count: _,
        coordinator_count,
        network,
        port: _,
        public_ip,
        admin_user: _,
        enterprise_project_id,
        // Not of the request: how the resource is managed, its Secrets, and where it came from.
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
    Call::CreateCluster(CreateCluster {
        name: draft.cluster_name().to_owned(),
        node_type: node_type.clone().unwrap_or_default(),
        number_of_node: node_count,
        vpc_id: vpc_id.unwrap_or_default(),
        subnet_id: subnet_id.unwrap_or_default(),
        security_group_id: security_group_id.unwrap_or_default(),
        availability_zone,
        port: draft.facts.object.port_or_default(),
        user_name: draft.admin_user().to_owned(),
        user_pwd: password,
        public_ip: public_ip.as_ref().map(public_ip_request),
        number_of_cn: *coordinator_count,
        enterprise_project_id: enterprise_project_id.clone(),
    })
}

/// `POST snapshots/{id}/actions`.
pub(super) fn restore(draft: &Draft<'_>, snapshot_id: &str) -> Call {
    let DwsClusterSpec {
        cluster_name: _,
        network,
        port,
        public_ip,
        // The restore call takes none of these, and the schema refuses all but the count beside it.
        node_type: _,
        node_count: _,
        coordinator_count: _,
        admin_user: _,
        enterprise_project_id: _,
        // Not of the request: how the resource is managed, its Secrets, and where it comes from.
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
    Call::RestoreSnapshot {
        snapshot_id: snapshot_id.to_owned(),
        restore: Restore {
            name: draft.cluster_name().to_owned(),
            vpc_id,
            subnet_id,
            security_group_id,
            availability_zone,
            port: *port,
            public_ip: public_ip.as_ref().map(public_ip_request),
        },
    }
}

fn public_ip_request(ip: &PublicIp) -> PublicIpRequest {
    PublicIpRequest {
        public_bind_type: bind_type(ip.bind_type),
        eip_id: ip.eip_id.clone(),
    }
}

/// The service's word for a bind type.
pub(super) fn bind_type(bind_type: PublicBindType) -> &'static str {
    match bind_type {
        PublicBindType::AutoAssign => "auto_assign",
        PublicBindType::NotUse => "not_use",
        PublicBindType::BindExisting => "bind_existing",
    }
}

/// Whether a cluster can be the one that the operation's lost request made: every field that the request
/// carried and that the service shows is equal, and it was created no earlier than the baseline.
pub(super) fn fits(draft: &Draft<'_>, operation: &Operation, cluster: &Cluster) -> bool {
    let not_earlier = match (cluster.created_at, operation.baseline.service_time) {
        (Some(created), Some(baseline)) => created.as_second() >= baseline.as_second(),
        // A cluster whose age cannot be read is never claimed.
        _ => false,
    };
    let object = &draft.facts.object;
    let create = operation.kind == OperationKind::Create;
    let differs =
        differences(&object.spec, cluster)
            .iter()
            .any(|difference| match difference.field {
                // The request's name was looked up, and its count is the journal's: the spec may have moved on.
                "clusterName" | "nodeCount" => false,
                // The restore call takes none of these.
                "nodeType" | "adminUser" | "enterpriseProjectId" => create,
                _ => true,
            });
    // What a create sends without its having been written.
    let shown_otherwise = |sent: Option<i32>, shown: Option<i32>| {
        sent.zip(shown).is_some_and(|(sent, shown)| sent != shown)
    };
    let user = cluster.user_name.as_deref();
    let filled_in_differs = create
        && (shown_otherwise(Some(object.port_or_default()), cluster.port)
            || shown_otherwise(operation.target.node_count, cluster.node_count)
            || user.is_some_and(|user| user != draft.admin_user()));
    not_earlier && !differs && !filled_in_differs
}
