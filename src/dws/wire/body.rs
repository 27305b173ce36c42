//! Request bodies, exactly as chapter 5 of the reference has them. What the caller did not set is not
//! written.
//!
//! A body can hold a password: it is written into a buffer that does not move while it grows and is
//! overwritten when the last reader drops it.

use bytes::Bytes;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::dws::call::{Call, CreateCluster, PublicIpRequest, Restore};

/// No body of this client comes near it, so the buffer is never copied while it is filled.
const CAPACITY: usize = 16 << 10;

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Body<'a> {
    Cluster(ClusterBody<'a>),
    Restore(RestoreBody<'a>),
    Restart {},
    ScaleOut {
        count: i32,
    },
    Snapshot {
        name: &'a str,
        cluster_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
    },
    #[serde(untagged)]
    Delete {
        keep_last_manual_snapshot: i32,
    },
    #[serde(untagged)]
    Password {
        new_password: &'a str,
    },
}

#[derive(Serialize)]
struct ClusterBody<'a> {
    node_type: &'a str,
    number_of_node: i32,
    subnet_id: &'a str,
    security_group_id: &'a str,
    vpc_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability_zone: Option<&'a str>,
    port: i32,
    name: &'a str,
    user_name: &'a str,
    user_pwd: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_ip: Option<PublicIpBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_of_cn: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enterprise_project_id: Option<&'a str>,
}

#[derive(Serialize)]
struct RestoreBody<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subnet_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_group_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vpc_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability_zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_ip: Option<PublicIpBody<'a>>,
}

#[derive(Serialize)]
struct PublicIpBody<'a> {
    public_bind_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    eip_id: Option<&'a str>,
}

/// The body of a call; empty for the one that has none (5.2.4).
pub(crate) fn of(call: &Call) -> Result<Bytes, serde_json::Error> {
    let body = match call {
        Call::CreateCluster(create) => Body::Cluster(cluster(create)),
        Call::RestoreSnapshot { restore, .. } => Body::Restore(restore_body(restore)),
        Call::DeleteCluster {
            keep_last_manual_snapshot,
            ..
        } => Body::Delete {
            keep_last_manual_snapshot: *keep_last_manual_snapshot,
        },
        Call::RestartCluster { .. } => Body::Restart {},
        Call::ResizeCluster { count, .. } => Body::ScaleOut { count: *count },
        Call::ResetPassword { new_password, .. } => Body::Password {
            new_password: new_password.expose_secret(),
        },
        Call::CreateSnapshot {
            name,
            cluster_id,
            description,
        } => Body::Snapshot {
            name,
            cluster_id,
            description: description.as_deref(),
        },
        Call::DeleteSnapshot { .. } => return Ok(Bytes::new()),
    };
    json(&body)
}

/// Writes a body that may hold a secret.
pub(crate) fn json(body: &impl Serialize) -> Result<Bytes, serde_json::Error> {
    let mut buffer = Zeroizing::new(Vec::with_capacity(CAPACITY));
    serde_json::to_writer(&mut *buffer, body)?;
    Ok(Bytes::from_owner(buffer))
}

fn cluster(create: &CreateCluster) -> ClusterBody<'_> {
    // Without `..`: a new field of the call must find its way here.
    let CreateCluster {
        name,
        node_type,
        number_of_node,
        vpc_id,
        subnet_id,
        security_group_id,
        availability_zone,
        port,
        user_name,
        user_pwd,
        public_ip,
        number_of_cn,
        enterprise_project_id,
    } = create;
    ClusterBody {
        node_type,
        number_of_node: *number_of_node,
        subnet_id,
        security_group_id,
        vpc_id,
        availability_zone: availability_zone.as_deref(),
        port: *port,
        name,
        user_name,
        user_pwd: user_pwd.expose_secret(),
        public_ip: public_ip.as_ref().map(public_ip_body),
        number_of_cn: *number_of_cn,
        enterprise_project_id: enterprise_project_id.as_deref(),
    }
}

fn restore_body(restore: &Restore) -> RestoreBody<'_> {
    let Restore {
        name,
        vpc_id,
        subnet_id,
        security_group_id,
        availability_zone,
        port,
        public_ip,
    } = restore;
    RestoreBody {
        name,
        subnet_id: subnet_id.as_deref(),
        security_group_id: security_group_id.as_deref(),
        vpc_id: vpc_id.as_deref(),
        availability_zone: availability_zone.as_deref(),
        port: *port,
        public_ip: public_ip.as_ref().map(public_ip_body),
    }
}

fn public_ip_body(request: &PublicIpRequest) -> PublicIpBody<'_> {
    let PublicIpRequest {
        public_bind_type,
        eip_id,
    } = request;
    PublicIpBody {
        public_bind_type,
        eip_id: eip_id.as_deref(),
    }
}
