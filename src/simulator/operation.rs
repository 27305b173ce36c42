//! The operations of the reference's chapter 5 and the two of IAM, and the paths that name them.
//!
//! It knows methods and paths. It must not know what an operation does.

use serde::{Deserialize, Serialize};

use super::http::decode;

/// One operation of DWS or IAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// 5.1.1 `POST /v1.0/{project}/clusters`
    CreateCluster,
    /// 5.1.2 `GET /v1.0/{project}/clusters`
    ListClusters,
    /// 5.1.3 `GET /v1.0/{project}/clusters/{id}`
    ShowCluster,
    /// 5.1.4 `GET /v2/{project}/node-types`
    ListNodeTypes,
    /// 5.1.5 `DELETE /v1.0/{project}/clusters/{id}`
    DeleteCluster,
    /// 5.1.6 `POST /v1.0/{project}/clusters/{id}/restart`
    RestartCluster,
    /// 5.1.7 `POST /v1.0/{project}/clusters/{id}/resize`
    ResizeCluster,
    /// 5.1.8 `POST /v1.0/{project}/clusters/{id}/reset-password`
    ResetPassword,
    /// 5.2.1 `POST /v1.0/{project}/snapshots`
    CreateSnapshot,
    /// 5.2.2 `GET /v1.0/{project}/snapshots`
    ListSnapshots,
    /// 5.2.3 `GET /v1.0/{project}/snapshots/{id}`
    ShowSnapshot,
    /// 5.2.4 `DELETE /v1.0/{project}/snapshots/{id}`
    DeleteSnapshot,
    /// 5.2.5 `POST /v1.0/{project}/snapshots/{id}/actions`
    RestoreCluster,
    /// 3.1 `POST /v3/auth/tokens`
    CreateToken,
    /// 6.4 `GET /v3/projects`
    ListProjects,
}

impl Operation {
    /// The thirteen of DWS, in the reference's order, then the two of IAM.
    pub const ALL: [Self; 15] = [
        Self::CreateCluster,
        Self::ListClusters,
        Self::ShowCluster,
        Self::ListNodeTypes,
        Self::DeleteCluster,
        Self::RestartCluster,
        Self::ResizeCluster,
        Self::ResetPassword,
        Self::CreateSnapshot,
        Self::ListSnapshots,
        Self::ShowSnapshot,
        Self::DeleteSnapshot,
        Self::RestoreCluster,
        Self::CreateToken,
        Self::ListProjects,
    ];

    /// Whether it changes a warehouse or a snapshot.
    pub fn changes(self) -> bool {
        matches!(
            self,
            Self::CreateCluster
                | Self::DeleteCluster
                | Self::RestartCluster
                | Self::ResizeCluster
                | Self::ResetPassword
                | Self::CreateSnapshot
                | Self::DeleteSnapshot
                | Self::RestoreCluster
        )
    }

    /// Whether IAM answers it, in its own error style.
    pub fn is_iam(self) -> bool {
        matches!(self, Self::CreateToken | Self::ListProjects)
    }

    /// The name used in faults, in the request record and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateCluster => "create_cluster",
            Self::ListClusters => "list_clusters",
            Self::ShowCluster => "show_cluster",
            Self::ListNodeTypes => "list_node_types",
            Self::DeleteCluster => "delete_cluster",
            Self::RestartCluster => "restart_cluster",
            Self::ResizeCluster => "resize_cluster",
            Self::ResetPassword => "reset_password",
            Self::CreateSnapshot => "create_snapshot",
            Self::ListSnapshots => "list_snapshots",
            Self::ShowSnapshot => "show_snapshot",
            Self::DeleteSnapshot => "delete_snapshot",
            Self::RestoreCluster => "restore_cluster",
            Self::CreateToken => "create_token",
            Self::ListProjects => "list_projects",
        }
    }
}

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub operation: Operation,
    /// The project of a DWS path; empty for IAM.
    pub project: String,
    /// The cluster or snapshot that the path names.
    pub target: Option<String>,
}

/// `None` where the gateway knows no such API.
pub(super) fn route(method: &str, path: &str) -> Option<Route> {
    let segments: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(decode)
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (operation, project, target) = match (method, segments.as_slice()) {
        ("POST", ["v3", "auth", "tokens"]) => (Operation::CreateToken, "", None),
        ("GET", ["v3", "projects"]) => (Operation::ListProjects, "", None),
        ("GET", ["v2", project, "node-types"]) => (Operation::ListNodeTypes, *project, None),
        (method, ["v1.0", project, kind, rest @ ..]) => {
            let (operation, target) = match (method, *kind, rest) {
                ("POST", "clusters", []) => (Operation::CreateCluster, None),
                ("GET", "clusters", []) => (Operation::ListClusters, None),
                ("GET", "clusters", [id]) => (Operation::ShowCluster, Some(*id)),
                ("DELETE", "clusters", [id]) => (Operation::DeleteCluster, Some(*id)),
                ("POST", "clusters", [id, "restart"]) => (Operation::RestartCluster, Some(*id)),
                ("POST", "clusters", [id, "resize"]) => (Operation::ResizeCluster, Some(*id)),
                ("POST", "clusters", [id, "reset-password"]) => {
                    (Operation::ResetPassword, Some(*id))
                }
                ("POST", "snapshots", []) => (Operation::CreateSnapshot, None),
                ("GET", "snapshots", []) => (Operation::ListSnapshots, None),
                ("GET", "snapshots", [id]) => (Operation::ShowSnapshot, Some(*id)),
                ("DELETE", "snapshots", [id]) => (Operation::DeleteSnapshot, Some(*id)),
                ("POST", "snapshots", [id, "actions"]) => (Operation::RestoreCluster, Some(*id)),
                _ => return None,
            };
            (operation, *project, target)
        }
        _ => return None,
    };
    Some(Route {
        operation,
        project: project.to_owned(),
        target: target.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("POST", "/v1.0/p/clusters", Operation::CreateCluster, None)]
    #[case("GET", "/v1.0/p/clusters/", Operation::ListClusters, None)]
    #[case("GET", "/v1.0/p/clusters/c1", Operation::ShowCluster, Some("c1"))]
    #[case("GET", "/v2/p/node-types", Operation::ListNodeTypes, None)]
    #[case("DELETE", "/v1.0/p/clusters/c1", Operation::DeleteCluster, Some("c1"))]
    #[case(
        "POST",
        "/v1.0/p/clusters/c1/restart",
        Operation::RestartCluster,
        Some("c1")
    )]
    #[case(
        "POST",
        "/v1.0/p/clusters/c1/resize",
        Operation::ResizeCluster,
        Some("c1")
    )]
    #[case(
        "POST",
        "/v1.0/p/clusters/c1/reset-password",
        Operation::ResetPassword,
        Some("c1")
    )]
    #[case("POST", "/v1.0/p/snapshots", Operation::CreateSnapshot, None)]
    #[case("GET", "/v1.0/p/snapshots", Operation::ListSnapshots, None)]
    #[case("GET", "/v1.0/p/snapshots/s1", Operation::ShowSnapshot, Some("s1"))]
    #[case(
        "DELETE",
        "/v1.0/p/snapshots/s1",
        Operation::DeleteSnapshot,
        Some("s1")
    )]
    #[case(
        "POST",
        "/v1.0/p/snapshots/s1/actions",
        Operation::RestoreCluster,
        Some("s1")
    )]
    #[case("POST", "/v3/auth/tokens", Operation::CreateToken, None)]
    #[case("GET", "/v3/projects", Operation::ListProjects, None)]
    fn every_operation_has_its_path(
        #[case] method: &str,
        #[case] path: &str,
        #[case] operation: Operation,
        #[case] target: Option<&str>,
    ) {
        let found = route(method, path).unwrap();
        assert_eq!(found.operation, operation);
        assert_eq!(found.target.as_deref(), target);
    }

    #[rstest]
    // The quick start's path of an older release.
    #[case("GET", "/v1.0/p/node_types")]
    #[case("PUT", "/v1.0/p/clusters/c1")]
    #[case("POST", "/v1.0/p/clusters/c1/stop")]
    #[case("GET", "/")]
    fn anything_else_is_unknown_to_the_gateway(#[case] method: &str, #[case] path: &str) {
        assert_eq!(route(method, path), None);
    }
}
