//! Objects from YAML into an API server, as `kubectl apply --server-side` would put them there.
//!
//! It knows the shapes of Kubernetes, none of ours.

use std::time::Duration;

use anyhow::{Context, bail};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, ResourceExt};
use serde::Deserialize;

use super::{Result, eventually};

const MANAGER: &str = "dws-operator-tests";

/// Applies `CustomResourceDefinition`s (one or more YAML documents) and waits until the API server
/// serves them. Other kinds in the text are an error.
pub async fn apply_crds(client: &Client, yaml: &str) -> Result<()> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut applied = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(yaml) {
        let crd = Option::<CustomResourceDefinition>::deserialize(document)
            .context("not a CustomResourceDefinition")?;
        if let Some(crd) = crd {
            api.patch(
                &crd.name_any(),
                &PatchParams::apply(MANAGER).force(),
                &Patch::Apply(&crd),
            )
            .await?;
            applied.push(crd);
        }
    }
    if applied.is_empty() {
        bail!("no CustomResourceDefinition in the text");
    }
    for crd in applied {
        served(client, &api, &crd).await?;
    }
    Ok(())
}

/// Established is what the server says of itself; its handler for the new path follows a moment
/// later, with 404 until then.
async fn served(
    client: &Client,
    crds: &Api<CustomResourceDefinition>,
    crd: &CustomResourceDefinition,
) -> Result<()> {
    let name = crd.name_any();
    let version = crd
        .spec
        .versions
        .iter()
        .find(|version| version.served)
        .context("no served version")?;
    let kind = GroupVersionKind::gvk(&crd.spec.group, &version.name, &crd.spec.names.kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, &crd.spec.names.plural);
    let objects: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    eventually(
        &format!("{name} served"),
        Duration::from_secs(30),
        || async {
            let now = crds.get(&name).await?;
            let conditions = now
                .status
                .and_then(|status| status.conditions)
                .unwrap_or_default();
            if let Some(refused) = conditions
                .iter()
                .find(|c| c.type_ == "NamesAccepted" && c.status == "False")
            {
                bail!(
                    "{name} is not accepted: {}",
                    refused.message.as_deref().unwrap_or_default()
                );
            }
            if !conditions
                .iter()
                .any(|c| c.type_ == "Established" && c.status == "True")
            {
                return Ok(None);
            }
            match objects.list(&ListParams::default().limit(1)).await {
                Ok(_) => Ok(Some(())),
                Err(kube::Error::Api(status)) if status.code == 404 || status.code == 503 => {
                    Ok(None)
                }
                Err(error) => Err(error.into()),
            }
        },
    )
    .await
}
