//! What surrounds a resource: its CRD and its namespace, and whether they are going.
//!
//! `kubectl delete crd` marks every resource of a kind for deletion, which nobody means to be a DELETE of
//! every warehouse; a namespace that is being deleted takes nothing new.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client};

use super::error::StoreError;
use super::store::{Managed, limited, optional};

/// How late discovery may be. A deletion that waits this long more is none the worse for it.
const DISCOVERY_LAG: Duration = Duration::from_secs(1);

/// Whether the CRD of a kind is being deleted, or gone.
///
/// With `read` the definition itself is asked for, which says it from the request on. Without it, or where
/// that is refused, discovery tells: the API server takes the verb `create` from a kind whose CRD is going. A
/// worker does that beside the one that marks the resources, so a kind that stands is asked for once more,
/// a moment later.
///
/// # Errors
/// It could not be found out.
pub async fn is_deleting<K: Managed>(client: &Client, read: bool) -> Result<bool, StoreError> {
    if read {
        match definition_deleting::<K>(client).await {
            Err(StoreError::Forbidden { .. }) => {}
            other => return other,
        }
    }
    if !is_creatable::<K>(client).await? {
        return Ok(true);
    }
    tokio::time::sleep(DISCOVERY_LAG).await;
    Ok(!is_creatable::<K>(client).await?)
}

async fn is_creatable<K: Managed>(client: &Client) -> Result<bool, StoreError> {
    let plural = K::plural(&());
    let version = K::api_version(&());
    let listed = optional(limited(client.list_api_group_resources(&version)).await)?;
    Ok(listed.is_some_and(|list| {
        list.resources.iter().any(|resource| {
            resource.name == plural && resource.verbs.iter().any(|verb| verb == "create")
        })
    }))
}

async fn definition_deleting<K: Managed>(client: &Client) -> Result<bool, StoreError> {
    let name = format!("{}.{}", K::plural(&()), K::group(&()));
    let api = Api::<CustomResourceDefinition>::all(client.clone());
    let found = optional(limited(api.get_metadata(&name)).await)?;
    Ok(found.is_none_or(|found| found.metadata.deletion_timestamp.is_some()))
}

/// Whether a namespace is being deleted. Without the right to read it: no, and the API server says so
/// when something is to be made in it.
///
/// # Errors
/// It could not be found out.
pub async fn namespace_terminating(client: &Client, namespace: &str) -> Result<bool, StoreError> {
    let api = Api::<Namespace>::all(client.clone());
    match optional(limited(api.get_metadata(namespace)).await) {
        Ok(found) => Ok(found.is_none_or(|ns| ns.metadata.deletion_timestamp.is_some())),
        Err(StoreError::Forbidden { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::DwsCluster;
    use crate::controller::testing::ApiServer;

    const DISCOVERY: &str = "/apis/dws.huaweicloud.com/v1alpha1";

    fn discovery(server: &ApiServer, verbs: &[&str]) {
        let resource = json!({"name": "dwsclusters", "singularName": "", "namespaced": true, "kind": "DwsCluster", "verbs": verbs});
        let list = json!({"kind": "APIResourceList", "groupVersion": "dws.huaweicloud.com/v1alpha1", "resources": [resource]});
        server.put(DISCOVERY, list);
    }

    #[tokio::test(start_paused = true)]
    async fn without_the_definition_discovery_is_asked_twice() {
        let server = ApiServer::default();
        discovery(&server, &["get", "create"]);
        let client = server.client();
        assert!(!is_deleting::<DwsCluster>(&client, false).await.unwrap());
        assert_eq!(server.requests(DISCOVERY), 2);
        assert_eq!(server.requests("customresourcedefinitions"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn discovery_that_is_late_is_not_believed() {
        let server = ApiServer::default();
        discovery(&server, &["get", "create"]);
        let client = server.client();
        let late = async {
            tokio::time::sleep(DISCOVERY_LAG / 2).await;
            discovery(&server, &["get"]);
        };
        let (deleting, ()) = tokio::join!(is_deleting::<DwsCluster>(&client, false), late);
        assert!(deleting.unwrap());
    }
}
