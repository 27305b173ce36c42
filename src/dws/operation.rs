//! The fifteen operations of the two APIs: method, path, what an answer must hold.
//!
//! It knows the paths of the reference's chapter 5 and of IAM, no body and no header.

use http::Method;

use super::call::Call;

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `POST clusters` (reference 5.1.1).
    CreateCluster,
    /// `GET clusters` (5.1.2).
    ListClusters,
    /// `GET clusters/{id}` (5.1.3).
    GetCluster,
    /// `GET node-types` (5.1.4).
    ListNodeTypes,
    /// `DELETE clusters/{id}` (5.1.5).
    DeleteCluster,
    /// `POST clusters/{id}/restart` (5.1.6).
    RestartCluster,
    /// `POST clusters/{id}/resize` (5.1.7).
    ResizeCluster,
    /// `POST clusters/{id}/reset-password` (5.1.8).
    ResetPassword,
    /// `POST snapshots` (5.2.1).
    CreateSnapshot,
    /// `GET snapshots` (5.2.2).
    ListSnapshots,
    /// `GET snapshots/{id}` (5.2.3).
    GetSnapshot,
    /// `DELETE snapshots/{id}` (5.2.4).
    DeleteSnapshot,
    /// `POST snapshots/{id}/actions` (5.2.5).
    RestoreSnapshot,
    /// `POST /v3/auth/tokens` of IAM (3.1).
    CreateToken,
    /// `GET /v3/projects` of IAM (6.4).
    ListProjects,
}

impl Operation {
    /// The operation that a call is, and the id in its path where there is one.
    pub fn of(call: &Call) -> (Self, Option<&str>) {
        match call {
            Call::CreateCluster(_) => (Self::CreateCluster, None),
            Call::RestoreSnapshot { snapshot_id, .. } => (Self::RestoreSnapshot, Some(snapshot_id)),
            Call::DeleteCluster { cluster_id, .. } => (Self::DeleteCluster, Some(cluster_id)),
            Call::RestartCluster { cluster_id } => (Self::RestartCluster, Some(cluster_id)),
            Call::ResizeCluster { cluster_id, .. } => (Self::ResizeCluster, Some(cluster_id)),
            Call::ResetPassword { cluster_id, .. } => (Self::ResetPassword, Some(cluster_id)),
            Call::CreateSnapshot { .. } => (Self::CreateSnapshot, None),
            Call::DeleteSnapshot { snapshot_id } => (Self::DeleteSnapshot, Some(snapshot_id)),
        }
    }

    /// Its word, for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateCluster => "create_cluster",
            Self::ListClusters => "list_clusters",
            Self::GetCluster => "get_cluster",
            Self::ListNodeTypes => "list_node_types",
            Self::DeleteCluster => "delete_cluster",
            Self::RestartCluster => "restart_cluster",
            Self::ResizeCluster => "resize_cluster",
            Self::ResetPassword => "reset_password",
            Self::CreateSnapshot => "create_snapshot",
            Self::ListSnapshots => "list_snapshots",
            Self::GetSnapshot => "get_snapshot",
            Self::DeleteSnapshot => "delete_snapshot",
            Self::RestoreSnapshot => "restore_snapshot",
            Self::CreateToken => "create_token",
            Self::ListProjects => "list_projects",
        }
    }

    /// The HTTP method.
    pub fn method(self) -> Method {
        match self {
            Self::DeleteCluster | Self::DeleteSnapshot => Method::DELETE,
            Self::ListClusters
            | Self::GetCluster
            | Self::ListNodeTypes
            | Self::ListSnapshots
            | Self::GetSnapshot
            | Self::ListProjects => Method::GET,
            Self::CreateCluster
            | Self::RestartCluster
            | Self::ResizeCluster
            | Self::ResetPassword
            | Self::CreateSnapshot
            | Self::RestoreSnapshot
            | Self::CreateToken => Method::POST,
        }
    }

    /// The path, in a project and for an id where the operation has them. Both must have passed
    /// [`is_id`].
    pub fn path(self, project: &str, id: &str) -> String {
        match self {
            Self::CreateCluster | Self::ListClusters => format!("/v1.0/{project}/clusters"),
            Self::GetCluster | Self::DeleteCluster => format!("/v1.0/{project}/clusters/{id}"),
            Self::RestartCluster => format!("/v1.0/{project}/clusters/{id}/restart"),
            Self::ResizeCluster => format!("/v1.0/{project}/clusters/{id}/resize"),
            Self::ResetPassword => format!("/v1.0/{project}/clusters/{id}/reset-password"),
            Self::CreateSnapshot | Self::ListSnapshots => format!("/v1.0/{project}/snapshots"),
            Self::GetSnapshot | Self::DeleteSnapshot => format!("/v1.0/{project}/snapshots/{id}"),
            Self::RestoreSnapshot => format!("/v1.0/{project}/snapshots/{id}/actions"),
            Self::ListNodeTypes => format!("/v2/{project}/node-types"),
            Self::CreateToken => "/v3/auth/tokens".to_owned(),
            Self::ListProjects => "/v3/projects".to_owned(),
        }
    }

    /// Whether it changes something at the service.
    pub fn is_changing(self) -> bool {
        self != Self::CreateToken && self.method() != Method::GET
    }

    /// The object in the answer that bears the new id, for those that make something.
    pub fn makes(self) -> Option<&'static str> {
        match self {
            Self::CreateCluster | Self::RestoreSnapshot => Some("cluster"),
            Self::CreateSnapshot => Some("snapshot"),
            _ => None,
        }
    }

    /// Whether its path names one cluster or snapshot and it does nothing but read or delete that: a
    /// not-found can only mean this id.
    pub fn is_by_id(self) -> bool {
        matches!(
            self,
            Self::GetCluster | Self::DeleteCluster | Self::GetSnapshot | Self::DeleteSnapshot
        )
    }

    /// The most bytes that its answer may have: 64 MiB for a list (ten thousand clusters are about 40),
    /// 1 MiB for anything else.
    pub fn max_answer(self) -> usize {
        match self {
            Self::ListClusters | Self::ListSnapshots => 64 << 20,
            _ => 1 << 20,
        }
    }
}

/// Whether a text can be an id in a path: 1 to 64 letters, digits and hyphens. Anything else is refused
/// before it is sent, so no id can lead to another path.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
