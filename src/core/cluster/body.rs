//! The bodies of create and restore, made from the spec and the journal so that each attempt sends the same.

use jiff::Timestamp;
use secrecy::SecretString;

use super::draft::Draft;
use crate::api::cluster::{PublicBindType, PublicIp};
use crate::api::{Operation, OperationKind};
use crate::dws::call::{Call, CreateCluster, PublicIpRequest, Restore};
use crate::dws::model::Cluster;

/// Port of a cluster whose manifest names none.
const DEFAULT_PORT: i32 = 8000;

/// `POST clusters`, with the node count that the intent holds.
pub(super) fn create(draft: &Draft<'_>, node_count: i32, password: SecretString) -> Call {
    let spec = &draft.facts.object.spec;
    let network = spec.network.clone().unwrap_or_default();
    Call::CreateCluster(CreateCluster {
        name: draft.cluster_name().to_owned(),
        node_type: spec.node_type.clone().unwrap_or_default(),
        number_of_node: node_count,
        vpc_id: network.vpc_id.unwrap_or_default(),
        subnet_id: network.subnet_id.unwrap_or_default(),
        security_group_id: network.security_group_id.unwrap_or_default(),
        availability_zone: network.availability_zone,
        port: spec.port.unwrap_or(DEFAULT_PORT),
        user_name: draft.admin_user().to_owned(),
        user_pwd: password,
        public_ip: spec.public_ip.as_ref().map(public_ip),
        number_of_cn: spec.coordinator_count,
        enterprise_project_id: spec.enterprise_project_id.clone(),
    })
}

/// `POST snapshots/{id}/actions`.
pub(super) fn restore(draft: &Draft<'_>, snapshot_id: &str) -> Call {
    let spec = &draft.facts.object.spec;
    let network = spec.network.clone().unwrap_or_default();
    Call::RestoreSnapshot {
        snapshot_id: snapshot_id.to_owned(),
        restore: Restore {
            name: draft.cluster_name().to_owned(),
            vpc_id: network.vpc_id,
            subnet_id: network.subnet_id,
            security_group_id: network.security_group_id,
            availability_zone: network.availability_zone,
            port: spec.port,
            public_ip: spec.public_ip.as_ref().map(public_ip),
        },
    }
}

fn public_ip(ip: &PublicIp) -> PublicIpRequest {
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
    let spec = &draft.facts.object.spec;
    let network = spec.network.clone().unwrap_or_default();
    let not_earlier = match (cluster.created_at, operation.baseline.service_time) {
        (Some(created), Some(baseline)) => created.as_second() >= baseline.as_second(),
        // A cluster whose age cannot be read is never claimed.
        _ => false,
    };
    let equal = |wanted: Option<&str>, found: Option<&str>| match (wanted, found) {
        (Some(wanted), Some(found)) => wanted == found,
        _ => true,
    };
    let create = operation.kind == OperationKind::Create;
    let shown_ip = cluster.public_ip.clone().unwrap_or_default();
    let shown = |word: Option<String>| word.filter(|word| !word.is_empty());
    let wanted_ip = spec.public_ip.as_ref();
    let port = if create {
        Some(spec.port.unwrap_or(DEFAULT_PORT))
    } else {
        spec.port
    };
    not_earlier
        && equal(
            wanted_ip.map(|ip| bind_type(ip.bind_type)),
            shown(shown_ip.public_bind_type).as_deref(),
        )
        && equal(
            wanted_ip.and_then(|ip| ip.eip_id.as_deref()),
            shown(shown_ip.eip_id).as_deref(),
        )
        && equal(network.vpc_id.as_deref(), cluster.vpc_id.as_deref())
        && equal(network.subnet_id.as_deref(), cluster.subnet_id.as_deref())
        && equal(
            network.security_group_id.as_deref(),
            cluster.security_group_id.as_deref(),
        )
        && equal(
            network.availability_zone.as_deref(),
            cluster.availability_zone.as_deref(),
        )
        && port
            .zip(cluster.port)
            .is_none_or(|(wanted, found)| wanted == found)
        && (!create
            || (equal(spec.node_type.as_deref(), cluster.node_type.as_deref())
                && equal(Some(draft.admin_user()), cluster.user_name.as_deref())
                && equal(
                    spec.enterprise_project_id.as_deref(),
                    cluster.enterprise_project_id.as_deref(),
                )
                && operation
                    .target
                    .node_count
                    .zip(cluster.node_count)
                    .is_none_or(|(wanted, found)| wanted == found)))
}

/// The baseline of an intent: the service's clock of the list, else ours minus five minutes.
pub(super) fn clock(service: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let ours = now
        .checked_sub(jiff::SignedDuration::from_mins(5))
        .unwrap_or(now);
    let time = service.unwrap_or(ours);
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
