//! The rendered roles are enough, and none too many: the operator lives under them through a warehouse's whole
//! life, over all namespaces and in one, and the API server's audit log holds no refusal, and a use of every
//! right.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::ensure;
use serde_json::{Value, json};

use crate::apply::prepare;
use crate::helm::{Helm, RELEASE, by_name};
use crate::life::{Life, TENANT};
use crate::roles;
use crate::support::Result;
use crate::support::control_plane::ControlPlane;
use crate::support::figures::figure;
use crate::support::stack::{Options, Stack};

const USER: &str = "system:serviceaccount:dws-system:dws-operator";
/// Off by default, on in `OpenShift`: who changes the owner references of an object must have the right to delete it.
const OWNERS: &str = "--enable-admission-plugins=OwnerReferencesPermissionEnforcement";

/// One request as RBAC sees it, or what a rule grants: there no namespace is any, and no name likewise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    verb: String,
    group: String,
    /// With its subresource.
    resource: String,
    namespace: Option<String>,
    name: Option<String>,
}

impl Right {
    /// Whether this request is one that the right is there for.
    fn is_used_by(&self, request: &Self) -> bool {
        let within =
            |bound: &Option<String>, asked: &Option<String>| bound.is_none() || bound == asked;
        (&self.verb, &self.group, &self.resource)
            == (&request.verb, &request.group, &request.resource)
            && within(&self.namespace, &request.namespace)
            && within(&self.name, &request.name)
    }
}

/// What the operator asked the API server for: allowed, refused.
fn asked(plane: &ControlPlane) -> (BTreeSet<Right>, BTreeSet<Right>) {
    let (mut allowed, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for line in plane.audit_log().lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_default();
        let reference = &entry["objectRef"];
        if entry["user"]["username"] != USER || !reference["resource"].is_string() {
            continue;
        }
        let named = |key: &str| reference[key].as_str().map(str::to_owned);
        let mut resource = named("resource").unwrap_or_default();
        if let Some(sub) = named("subresource") {
            resource = format!("{resource}/{sub}");
        }
        let right = Right {
            verb: entry["verb"].as_str().unwrap_or_default().to_owned(),
            group: named("apiGroup").unwrap_or_default(),
            resource,
            namespace: named("namespace"),
            name: named("name"),
        };
        if entry["responseStatus"]["code"] == 403 {
            refused.insert(right);
        } else {
            allowed.insert(right);
        }
    }
    (allowed, refused)
}

/// What a rule grants, in the namespace of its role if it has one.
fn of_rule(rule: &Value, namespace: Option<&str>) -> Vec<Right> {
    let list = |key: &str| -> Vec<String> {
        let items = rule[key].as_array().into_iter().flatten();
        items
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    let mut names: Vec<_> = list("resourceNames").into_iter().map(Some).collect();
    if names.is_empty() {
        names.push(None);
    }
    let mut rights = Vec::new();
    for group in list("apiGroups") {
        for resource in list("resources") {
            for verb in list("verbs") {
                for name in &names {
                    rights.push(Right {
                        verb: verb.clone(),
                        group: group.clone(),
                        resource: resource.clone(),
                        namespace: namespace.map(str::to_owned),
                        name: name.clone(),
                    });
                }
            }
        }
    }
    rights
}

/// What the roles of the operator grant.
fn granted(objects: &BTreeMap<String, Value>) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for (name, object) in objects {
        let tenants = object["metadata"]["labels"]["app.kubernetes.io/component"] != "operator";
        if tenants || !name.contains("Role") {
            continue;
        }
        let namespace = object["metadata"]["namespace"].as_str();
        for rule in object["rules"].as_array().into_iter().flatten() {
            rights.extend(of_rule(rule, namespace));
        }
    }
    rights
}

async fn lives_with(values: Value, namespaces: Vec<String>) -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let plane = ControlPlane::builder()
        .audit()
        .user(USER, &[])
        .api_argument(OWNERS)
        .start()
        .await?;
    let client = prepare(&plane).await?;
    let objects = by_name(helm.render(RELEASE, &values)?.unwrap())?;
    roles::install(&plane, &client, objects.values()).await?;
    let in_one = !namespaces.is_empty();
    // As in its Pod: with the Lease, in the release's namespace.
    let options = Options {
        namespaces,
        env: vec![("DWS_OPERATOR_LEADER_ELECTION".to_owned(), "true".to_owned())],
        ..Options::default()
    };
    let inside = roles::in_the_pod(&plane, USER)?;
    let stack = Stack::start(&inside, options).await?;
    let life = Life {
        plane: &plane,
        stack: &stack,
    };
    let lived = life.whole().await;

    // A refusal says more than what came of it.
    let (allowed, refused) = asked(&plane);
    ensure!(
        refused.is_empty(),
        "refused: {refused:?}\n{}",
        stack.operator_log()
    );
    lived?;
    let granted = granted(&objects);
    let unused: Vec<_> = granted
        .iter()
        .filter(|right| !allowed.iter().any(|request| right.is_used_by(request)))
        .collect();
    ensure!(unused.is_empty(), "granted and never used: {unused:?}");
    figure(
        "chart",
        &format!(
            "a life under the rendered roles {}: all {} rights used, no request refused",
            if in_one {
                "of one namespace"
            } else {
                "of the cluster"
            },
            granted.len(),
        ),
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_of_the_cluster_are_enough_and_none_too_many() -> Result<()> {
    lives_with(json!({}), Vec::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_of_one_namespace_are_enough_and_none_too_many() -> Result<()> {
    let values = json!({"watchNamespaces": [TENANT]});
    lives_with(values, vec![TENANT.to_owned()]).await
}
