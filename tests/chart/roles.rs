//! The rendered roles on a control plane, and who lives under them.
//!
//! It knows roles and bindings by their kinds, and no rule in them.

use std::path::PathBuf;

use anyhow::Context as _;
use kube::Client;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::apply::api;
use crate::helm::{NAMESPACE, root};
use crate::support::Result;
use crate::support::control_plane::ControlPlane;

/// The definitions, and of a rendering what RBAC reads.
pub async fn install(
    plane: &ControlPlane,
    client: &Client,
    objects: impl Iterator<Item = &Value>,
) -> Result<()> {
    for file in ["dwsclusters", "dwssnapshots"] {
        let path = root().join(format!("crds/dws.huaweicloud.com_{file}.yaml"));
        plane.apply_crds(&std::fs::read_to_string(path)?).await?;
    }
    for object in objects.filter(|object| is_role(object)) {
        put(client, object).await?;
    }
    Ok(())
}

/// Role, `ClusterRole` and their bindings.
fn is_role(object: &Value) -> bool {
    object["kind"]
        .as_str()
        .is_some_and(|kind| kind.contains("Role"))
}

/// Applies an object whose plural follows the rule.
pub async fn put(client: &Client, object: &Value) -> Result<()> {
    let name = object["metadata"]["name"].as_str().context("no name")?;
    let parameters = PatchParams::apply("helm").force();
    let api = api(client, object);
    api.patch(name, &parameters, &Patch::Apply(object)).await?;
    Ok(())
}

/// The kubeconfig of this user, with the namespace that a Pod of the release is in.
pub fn in_the_pod(plane: &ControlPlane, user: &str) -> Result<PathBuf> {
    let kubeconfig = std::fs::read_to_string(plane.kubeconfig_as(user))?;
    let here = format!(r#""namespace":"{NAMESPACE}""#);
    let kubeconfig = kubeconfig.replace(r#""namespace":"default""#, &here);
    let inside = plane.directory().join("in-the-pod.kubeconfig");
    std::fs::write(&inside, kubeconfig)?;
    Ok(inside)
}

/// What `edit` consists of where the chart is installed. The controller that would put them together is not
/// part of the control plane.
pub const EDIT: [&str; 4] = [
    "system:aggregate-to-edit",
    "system:aggregate-to-view",
    "dws-operator-edit",
    "dws-operator-view",
];

/// The binding of a cluster role to a user in one namespace.
pub fn bound(namespace: &str, user: &str, role: &str) -> Value {
    let name = format!("{user}-{}", role.replace(':', "-"));
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    })
}
