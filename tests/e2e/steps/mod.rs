//! The steps, in their order.

mod away;
mod definitions;
mod examples;
mod hand_over;
mod install;
mod leaving;
mod manifests;
mod namespaces;
mod tenants;
mod traces;

use super::support::Result;
use super::world::World;

/// What it is called, and what is done.
pub type Step = (&'static str, fn(&World) -> Result<String>);

/// All of them.
pub const STEPS: [Step; 16] = [
    ("try it: one helm install, no account", install::trial),
    ("helm install", install::install),
    ("the examples", examples::apply),
    (
        "helm upgrade in the middle of two calls",
        hand_over::upgrade,
    ),
    ("kubectl delete pod of the leader", hand_over::ends),
    (
        "the leader is lost in the middle of calls",
        hand_over::is_lost,
    ),
    ("a cluster is deleted", leaving::delete),
    ("deleted in the foreground", leaving::in_the_foreground),
    ("what view, edit and admin may do", tenants::rights),
    ("namespaces deleted, a policy each", namespaces::policies),
    (
        "a namespace deleted while nobody looks",
        namespaces::unattended,
    ),
    ("helm uninstall in the middle of two calls", away::uninstall),
    ("helm install again", away::reinstall),
    ("kubectl delete crd", definitions::delete),
    ("what was left behind", traces::look),
    ("without Helm: kubectl apply -k", manifests::apply),
];

/// Where the examples are applied.
const TENANT: &str = "orders";

/// A manifest of a cluster.
fn cluster(name: &str, policy: &str) -> String {
    format!(
        "---
apiVersion: dws.huaweicloud.com/v1alpha1
kind: DwsCluster
metadata:
  name: {name}
spec:
  nodeType: dws.d1.xlarge
  nodeCount: 3
  network:
    vpcId: 85b20d7e-9eb7-4b2a-98f3-3c8843ea3571
    subnetId: 85b20d7e-9eb7-4b2a-98f3-3c8843ea3572
    securityGroupId: 85b20d7e-9eb7-4b2a-98f3-3c8843ea3573
  deletionPolicy: {policy}
"
    )
}
