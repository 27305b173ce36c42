//! The changing calls, as data: what will be sent, complete before the intent is written.
//!
//! It knows the parameters of the service and their units, not how they travel.

use secrecy::SecretString;

/// Body of `POST clusters` (reference 5.1.1).
#[derive(Clone, Debug)]
pub struct CreateCluster {
    /// Name, unique in the project: a letter, then letters, digits, `-`, `_`; 4-64 characters.
    pub name: String,
    /// Node type by name, `dws.d1.xlarge` (see [`crate::dws::model::NodeType`]).
    pub node_type: String,
    /// Nodes, 2-256.
    pub number_of_node: i32,
    /// VPC.
    pub vpc_id: String,
    /// Subnet of that VPC.
    pub subnet_id: String,
    /// Security group of that VPC.
    pub security_group_id: String,
    /// Availability zone; the service chooses where `None`.
    pub availability_zone: Option<String>,
    /// Database port, 8000-30000.
    pub port: i32,
    /// Administrator: `[a-z_][a-z0-9_]{0,62}`.
    pub user_name: String,
    /// The administrator's password: 8-32 characters of three of four classes.
    pub user_pwd: SecretString,
    /// Elastic IP; none where `None`.
    pub public_ip: Option<PublicIpRequest>,
    /// Coordinators, 2-20; the service's default is 3.
    pub number_of_cn: Option<i32>,
    /// Enterprise project; the default one (`0`) where `None`.
    pub enterprise_project_id: Option<String>,
}

/// Elastic IP of a new cluster (reference table 5-4).
#[derive(Clone, Debug)]
pub struct PublicIpRequest {
    /// `auto_assign`, `not_use` or `bind_existing`.
    pub public_bind_type: &'static str,
    /// The elastic IP to bind, with `bind_existing`.
    pub eip_id: Option<String>,
}

/// Body of `POST snapshots/{id}/actions` (reference 5.2.5).
#[derive(Clone, Debug)]
pub struct Restore {
    /// Name of the new cluster, under the rules of [`CreateCluster::name`].
    pub name: String,
    /// VPC; that of the snapshot's cluster where `None`.
    pub vpc_id: Option<String>,
    /// Subnet; that of the snapshot's cluster where `None`.
    pub subnet_id: Option<String>,
    /// Security group; that of the snapshot's cluster where `None`.
    pub security_group_id: Option<String>,
    /// Availability zone; that of the snapshot's cluster where `None`.
    pub availability_zone: Option<String>,
    /// Database port, 8000-30000; 8000 where `None`.
    pub port: Option<i32>,
    /// Elastic IP; none where `None`.
    pub public_ip: Option<PublicIpRequest>,
}

/// One changing request.
#[derive(Clone, Debug)]
pub enum Call {
    /// Reference 5.1.1.
    CreateCluster(CreateCluster),
    /// Reference 5.2.5: the snapshot becomes a *new* cluster.
    RestoreSnapshot {
        /// The snapshot to restore from.
        snapshot_id: String,
        /// The new cluster.
        restore: Restore,
    },
    /// Reference 5.1.5: the cluster and its data are gone.
    DeleteCluster {
        /// The cluster.
        cluster_id: String,
        /// How many of the newest manual snapshots outlive it; 0 keeps none.
        keep_last_manual_snapshot: i32,
    },
    /// Reference 5.1.6.
    RestartCluster {
        /// The cluster.
        cluster_id: String,
    },
    /// `count` nodes are *added* (reference 5.1.7).
    ResizeCluster {
        /// The cluster.
        cluster_id: String,
        /// How many nodes more, not how many in the end.
        count: i32,
    },
    /// Reference 5.1.8.
    ResetPassword {
        /// The cluster.
        cluster_id: String,
        /// The administrator's new password, under the rules of [`CreateCluster::user_pwd`].
        new_password: SecretString,
    },
    /// Reference 5.2.1.
    CreateSnapshot {
        /// Name, unique in the project without regard to case.
        name: String,
        /// The cluster to back up.
        cluster_id: String,
        /// At most 256 characters, none of `! < > ' = & "`.
        description: Option<String>,
    },
    /// Reference 5.2.4: manual snapshots only.
    DeleteSnapshot {
        /// The snapshot.
        snapshot_id: String,
    },
}
