//! The rendered roles are enough, and none too many: the operator lives under them through a warehouse's whole
//! life, over all namespaces and in one, and the API server's audit log holds no refusal, and a use of every
//! right.

use std::collections::BTreeSet;
use std::process::Output;
use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};

use crate::apply::prepare;
use crate::helm::{Helm, RELEASE, by_name, with_input};
use crate::protection::warehouse;
use crate::roles;
use crate::support::control_plane::ControlPlane;
use crate::support::figures::figure;
use crate::support::stack::{Options, Stack};
use crate::support::{Result, eventually};

const USER: &str = "system:serviceaccount:dws-system:dws-operator";
const TENANT: &str = "orders";
const PATIENCE: Duration = Duration::from_mins(2);

/// One request as RBAC sees it: verb, group, resource with its subresource.
type Right = (String, String, String);

fn kubectl(plane: &ControlPlane, arguments: &[&str]) -> Result<Output> {
    Ok(plane
        .kubectl()
        .args(arguments)
        .args(["-n", TENANT])
        .output()?)
}

fn apply(plane: &ControlPlane, object: &Value) -> Result<()> {
    let mut command = plane.kubectl();
    command.args(["apply", "--server-side", "-f", "-"]);
    let output = with_input(command, &object.to_string())?;
    ensure!(output.status.success(), "{output:?}");
    Ok(())
}

async fn until(plane: &ControlPlane, stack: &Stack, what: &str, done: &[&str]) -> Result<()> {
    let waited = eventually(what, PATIENCE, || async {
        Ok(kubectl(plane, done)?.status.success().then_some(()))
    });
    waited
        .await
        .map_err(|error| anyhow::anyhow!("{error}\n{}", stack.operator_log()))
}

/// The same failure twice: the referenced password is weak, and is replaced by another that is.
async fn fails_twice(plane: &ControlPlane, stack: &Stack) -> Result<()> {
    for (weak, count) in [("short", "1"), ("shorter", "2")] {
        apply(
            plane,
            &json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "weak", "namespace": TENANT},
                "stringData": {"password": weak},
            }),
        )?;
        let refer = json!({"spec": {"adminPasswordSecretRef": {"name": "weak"}}}).to_string();
        kubectl(plane, &["patch", "dwsc/life", "--type=merge", "-p", &refer])?;
        let counted = eventually("the failure's event", PATIENCE, || async {
            let events = kubectl(
                plane,
                &[
                    "get",
                    "events",
                    "--field-selector=reason=PasswordRejected",
                    "-o",
                    "jsonpath={.items[*].count}",
                ],
            )?;
            Ok((events.stdout == count.as_bytes()).then_some(()))
        });
        counted
            .await
            .map_err(|error| anyhow::anyhow!("{error}\n{}", stack.operator_log()))?;
    }
    Ok(())
}

/// Create, snapshot, grow, restart, rotate, fail, delete.
async fn life(plane: &ControlPlane, stack: &Stack) -> Result<()> {
    let mut object = warehouse(TENANT, "life", &json!({"deletionPolicy": "Delete"}));
    object["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("finalizers");
    apply(plane, &object)?;
    let ready = |kind| ["wait", "--for=condition=Ready", kind, "--timeout=2s"];
    until(plane, stack, "the warehouse", &ready("dwsc/life")).await?;
    apply(
        plane,
        &json!({
            "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsSnapshot",
            "metadata": {"name": "backup", "namespace": TENANT}, "spec": {"clusterRef": {"name": "life"}},
        }),
    )?;
    until(plane, stack, "the snapshot", &ready("dwss/backup")).await?;
    object["spec"]["nodeCount"] = 4.into();
    apply(plane, &object)?;
    let grown = [
        "wait",
        "--for=jsonpath={.status.nodeCount}=4",
        "dwsc/life",
        "--timeout=2s",
    ];
    until(plane, stack, "the growth", &grown).await?;
    let rotate = format!(
        "dws.huaweicloud.com/rotate-password-requested-at={}",
        k8s_openapi::jiff::Timestamp::now().strftime("%FT%TZ")
    );
    kubectl(plane, &["annotate", "dwsc/life", &rotate])?;
    let rotated = [
        "wait",
        "--for=jsonpath={.status.handled.rotatePassword}",
        "dwsc/life",
        "--timeout=2s",
    ];
    until(plane, stack, "the rotation", &rotated).await?;
    fails_twice(plane, stack).await?;
    kubectl(
        plane,
        &["delete", "dwss/backup", "dwsc/life", "--wait=false"],
    )?;
    let gone = [
        "wait",
        "--for=delete",
        "dwsc/life",
        "dwss/backup",
        "--timeout=2s",
    ];
    until(plane, stack, "the end", &gone).await
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
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut resource = text(&reference["resource"]);
        if let Some(sub) = reference["subresource"].as_str() {
            resource = format!("{resource}/{sub}");
        }
        let right = (text(&entry["verb"]), text(&reference["apiGroup"]), resource);
        if entry["responseStatus"]["code"] == 403 {
            refused.insert(right);
        } else {
            allowed.insert(right);
        }
    }
    (allowed, refused)
}

/// What the roles of the operator grant.
fn granted(objects: &std::collections::BTreeMap<String, Value>) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    let list = |rule: &Value, key: &str| -> Vec<String> {
        let items = rule[key].as_array().into_iter().flatten();
        items
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    for (name, object) in objects {
        let tenants = object["metadata"]["labels"]["app.kubernetes.io/component"] != "operator";
        if tenants || !name.contains("Role") {
            continue;
        }
        for rule in object["rules"].as_array().into_iter().flatten() {
            for group in list(rule, "apiGroups") {
                for resource in list(rule, "resources") {
                    for verb in list(rule, "verbs") {
                        rights.insert((verb, group.clone(), resource.clone()));
                    }
                }
            }
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
    life(&plane, &stack).await?;

    let (allowed, refused) = asked(&plane);
    ensure!(
        refused.is_empty(),
        "refused: {refused:?}\n{}",
        stack.operator_log()
    );
    let granted = granted(&objects);
    let unused: Vec<_> = granted.difference(&allowed).collect();
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
