//! What surrounds a resource: its CRD and its namespace, and whether they are going.
//!
//! `kubectl delete crd` marks every resource of a kind for deletion, which nobody means to be a DELETE of
//! every warehouse; a namespace that is being deleted takes nothing new.

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client};

use super::error::StoreError;
use super::store::{Managed, limited, optional};

/// Whether the CRD of a kind is being deleted, or gone.
///
/// With `read` the definition itself is asked for. Without it, or where that is refused, discovery tells: the
/// API server takes the verb `create` from a kind whose CRD is going. What that loses is a moment: discovery
/// is told by a worker beside the one that marks the resources, the definition says it from the request on.
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
    let plural = K::plural(&());
    let version = K::api_version(&());
    let listed = optional(limited(client.list_api_group_resources(&version)).await)?;
    let creatable = listed.is_some_and(|list| {
        list.resources.iter().any(|resource| {
            resource.name == plural && resource.verbs.iter().any(|verb| verb == "create")
        })
    });
    Ok(!creatable)
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
