//! The Pods of every case in a namespace that enforces Pod Security `restricted`, on the real API server.

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::accepted::rendered;
use crate::helm::Helm;
use crate::support::Result;
use crate::support::control_plane::shared;
use crate::support::figures::figure;

const NAMESPACE: &str = "restricted";

async fn restricted() -> Result<Client> {
    let client = shared().await?.client().await?;
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    });
    Api::<Namespace>::all(client.clone())
        .patch(
            NAMESPACE,
            &PatchParams::apply("tests").force(),
            &Patch::Apply(namespace),
        )
        .await?;
    Ok(client)
}

/// The Pod that a Pod or a Deployment leads to, in that namespace.
fn pod_of(object: &Value) -> Option<Value> {
    let spec = match object["kind"].as_str()? {
        "Pod" => &object["spec"],
        "Deployment" => &object["spec"]["template"]["spec"],
        _ => return None,
    };
    Some(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "pod", "namespace": NAMESPACE},
        "spec": spec,
    }))
}

async fn refusal(client: &Client, pod: &Value) -> Result<Option<String>> {
    let pods = Api::<Pod>::namespaced(client.clone(), NAMESPACE);
    let parameters = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let made = pods
        .create(&parameters, &serde_json::from_value(pod.clone())?)
        .await;
    Ok(made.err().map(|error| error.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pod_is_let_into_a_restricted_namespace() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let client = restricted().await?;
    let (mut pods, mut loosened) = (0, 0);
    let mut wrong = Vec::new();
    for (case, objects) in rendered(&helm)? {
        for (name, object) in objects {
            let Some(mut pod) = pod_of(object) else {
                continue;
            };
            pods += 1;
            if let Some(said) = refusal(&client, &pod).await? {
                wrong.push(format!("{}: {name}: {said}", case.name));
            }
            // Each of these settings is needed: without it the namespace would refuse the Pod.
            if case.name == "defaults" || case.name == "the simulator" {
                for pointer in [
                    "/securityContext/runAsNonRoot",
                    "/securityContext/seccompProfile",
                    "/containers/0/securityContext/allowPrivilegeEscalation",
                    "/containers/0/securityContext/capabilities",
                ] {
                    let whole = pod.clone();
                    let (parent, key) = pointer.rsplit_once('/').unwrap();
                    pod["spec"]
                        .pointer_mut(parent)
                        .unwrap()
                        .as_object_mut()
                        .unwrap()
                        .remove(key)
                        .unwrap();
                    let said = refusal(&client, &pod).await?.unwrap_or_default();
                    assert!(
                        said.contains("restricted"),
                        "{name} without {pointer}: {said}"
                    );
                    loosened += 1;
                    pod = whole;
                }
            }
            let container = &object
                .pointer("/spec/template/spec/containers/0")
                .unwrap_or(&object["spec"]["containers"][0]);
            assert_eq!(
                container["securityContext"]["readOnlyRootFilesystem"], true,
                "{name}"
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    figure(
        "chart",
        &format!(
            "{pods} Pods let into a namespace that enforces restricted; {loosened} loosened ones refused"
        ),
    );
    Ok(())
}

#[test]
fn only_the_operator_has_a_token() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    for (case, objects) in rendered(&helm)? {
        for (name, object) in objects {
            let Some(pod) = pod_of(object) else {
                continue;
            };
            let component = &object["metadata"]["labels"]["app.kubernetes.io/component"];
            assert_eq!(
                pod["spec"]["automountServiceAccountToken"],
                component == "operator",
                "{}: {name}",
                case.name
            );
            assert_eq!(
                pod["spec"].get("serviceAccountName").is_some(),
                component == "operator",
                "{}: {name}",
                case.name
            );
        }
    }
    Ok(())
}
