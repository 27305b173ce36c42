//! Every object that the cases render, before the real API server: server-side apply as a dry run, with strict
//! validation of fields. Its defaults, its admission and its compilation of CEL take part; nothing is stored.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind, TypeMeta};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::accepted::rendered;
use crate::helm::{Helm, NAMESPACE, name_of};
use crate::support::Result;
use crate::support::control_plane::{ControlPlane, shared};
use crate::support::figures::figure;

/// Namespaces that the cases speak of.
const NAMESPACES: [&str; 4] = [NAMESPACE, "orders", "billing", "migration"];

/// A stand-in of the Prometheus operator's definition: the fields that its documentation gives, of those that
/// the chart uses. It shows that nothing is misspelt, not that Prometheus takes the whole.
const SERVICE_MONITOR: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: servicemonitors.monitoring.coreos.com
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {plural: servicemonitors, kind: ServiceMonitor}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [endpoints, selector]
            properties:
              selector:
                type: object
                properties:
                  matchLabels: {type: object, additionalProperties: {type: string}}
              endpoints:
                type: array
                items:
                  type: object
                  properties:
                    port: {type: string}
                    path: {type: string}
                    interval: {type: string, pattern: '^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$'}
";

/// What the objects need to be there.
pub async fn prepare(plane: &ControlPlane) -> Result<Client> {
    let client = plane.client().await?;
    plane.apply_crds(SERVICE_MONITOR).await?;
    let namespaces = Api::<Namespace>::all(client.clone());
    for name in NAMESPACES {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let parameters = PatchParams::apply("tests").force();
        namespaces
            .patch(name, &parameters, &Patch::Apply(namespace))
            .await?;
    }
    Ok(client)
}

/// Where an object of this kind lives. The plural of every kind here follows the rule.
pub fn api(client: &Client, object: &Value) -> Api<DynamicObject> {
    let types: TypeMeta = serde_json::from_value(object.clone()).unwrap();
    let kind = GroupVersionKind::try_from(&types).unwrap();
    let mut plural = kind.kind.to_lowercase();
    if plural.ends_with("cy") {
        plural.truncate(plural.len() - 1);
        plural.push_str("ies");
    } else {
        plural.push('s');
    }
    let resource = ApiResource::from_gvk_with_plural(&kind, &plural);
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// What the API server says against an object.
pub async fn refusal(client: &Client, object: &Value) -> Option<String> {
    let mut parameters = PatchParams::apply("tests").force().dry_run();
    parameters.field_validation = Some(kube::api::ValidationDirective::Strict);
    let dynamic: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    let answer = api(client, object)
        .patch(&dynamic.name_any(), &parameters, &Patch::Apply(object))
        .await;
    answer.err().map(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_takes_every_object_of_every_case() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let client = prepare(shared().await?).await?;
    let mut count = 0;
    let mut seen = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    let mut distinct = Vec::new();
    for (case, objects) in rendered(&helm)? {
        for object in objects.values() {
            count += 1;
            kinds.insert(object["kind"].as_str().unwrap_or_default().to_owned());
            if seen.insert(object.to_string()) {
                distinct.push((&case.name, object));
            }
        }
    }
    let sent = distinct.len();
    let wrong: Vec<String> = stream::iter(distinct)
        .map(|(case, object)| {
            let client = client.clone();
            async move {
                let said = refusal(&client, object).await?;
                Some(format!("{case}: {}: {said}", name_of(object)))
            }
        })
        .buffer_unordered(8)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    figure(
        "chart",
        &format!(
            "{count} rendered objects ({sent} distinct, {} kinds) accepted by the real API server, dry run with strict fields",
            kinds.len()
        ),
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_would_refuse_a_misspelt_field() -> Result<()> {
    let client = prepare(shared().await?).await?;
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "misspelt", "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "x", "image": "x", "imagePullPolice": "Never"}]},
            },
        },
    });
    let said = refusal(&client, &deployment).await.unwrap_or_default();
    assert!(said.contains("imagePullPolice"), "{said}");
    let monitor = json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
        "metadata": {"name": "misspelt", "namespace": NAMESPACE},
        "spec": {"selector": {}, "endpoints": [{"port": "http", "intervall": "30s"}]},
    });
    let said = refusal(&client, &monitor).await.unwrap_or_default();
    assert!(said.contains("intervall"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_takes_the_whole_of_the_defaults() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let plane = shared().await?;
    prepare(plane).await?;
    let mut command = helm.command();
    let rendered = command
        .args([
            "template",
            "dws-operator",
            "charts/dws-operator",
            "-n",
            NAMESPACE,
        ])
        .output()?;
    let mut kubectl = plane.kubectl();
    kubectl.args([
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "--force-conflicts",
        "-f",
        "-",
    ]);
    let output = crate::helm::with_input(kubectl, &String::from_utf8(rendered.stdout)?)?;
    assert!(output.status.success(), "{output:?}");
    Ok(())
}
