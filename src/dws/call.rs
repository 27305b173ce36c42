//! The changing calls, as data: what will be sent, complete before the intent is written.

use secrecy::SecretString;

/// Body of `POST clusters` (reference 5.1.1).
#[derive(Clone, Debug)]
pub struct CreateCluster {
    pub name: String,
    pub node_type: String,
    pub number_of_node: i32,
    pub vpc_id: String,
    pub subnet_id: String,
    pub security_group_id: String,
    pub availability_zone: Option<String>,
    pub port: i32,
    pub user_name: String,
    pub user_pwd: SecretString,
    pub public_ip: Option<PublicIpRequest>,
    pub number_of_cn: Option<i32>,
    pub enterprise_project_id: Option<String>,
}

#[derive(Clone, Debug)]
pub struct PublicIpRequest {
    /// `auto_assign`, `not_use` or `bind_existing`.
    pub public_bind_type: &'static str,
    pub eip_id: Option<String>,
}

/// Body of `POST snapshots/{id}/actions` (reference 5.2.5).
#[derive(Clone, Debug)]
pub struct Restore {
    pub name: String,
    pub vpc_id: Option<String>,
    pub subnet_id: Option<String>,
    pub security_group_id: Option<String>,
    pub availability_zone: Option<String>,
    pub port: Option<i32>,
    pub public_ip: Option<PublicIpRequest>,
}

/// One changing request.
#[derive(Clone, Debug)]
pub enum Call {
    CreateCluster(CreateCluster),
    RestoreSnapshot {
        snapshot_id: String,
        restore: Restore,
    },
    DeleteCluster {
        cluster_id: String,
        keep_last_manual_snapshot: i32,
    },
    RestartCluster {
        cluster_id: String,
    },
    /// `count` nodes are *added* (reference 5.1.7).
    ResizeCluster {
        cluster_id: String,
        count: i32,
    },
    ResetPassword {
        cluster_id: String,
        new_password: SecretString,
    },
    CreateSnapshot {
        name: String,
        cluster_id: String,
        description: Option<String>,
    },
    DeleteSnapshot {
        snapshot_id: String,
    },
}
