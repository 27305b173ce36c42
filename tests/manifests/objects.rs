//! The objects of one kind in one namespace, put there as tools and the operator put them there.

use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::response::Status;
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::support::Result;

/// What the API server answers; its refusal is what the cases are about.
pub type Answer<T> = std::result::Result<T, Box<Status>>;

/// How a manifest comes to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Created, then replaced: what `kubectl apply` amounts to.
    Update,
    /// `kubectl apply --server-side`, Flux, Argo CD.
    ServerSide,
}

/// The objects of one kind in one namespace.
pub struct Objects {
    client: Client,
    api: Api<DynamicObject>,
    kind: String,
    manner: Manner,
}

const MANAGER: &str = "gitops";
const STRICT: &str = "fieldValidation=Strict&fieldManager=gitops";

impl Objects {
    pub fn new(client: &Client, namespace: &str, kind: &str, manner: Manner) -> Self {
        let plural = format!("{}s", kind.to_lowercase());
        let gvk = GroupVersionKind::gvk("dws.huaweicloud.com", "v1alpha1", kind);
        let resource = ApiResource::from_gvk_with_plural(&gvk, &plural);
        Self {
            client: client.clone(),
            api: Api::namespaced_with(client.clone(), namespace, &resource),
            kind: kind.to_owned(),
            manner,
        }
    }

    /// How [`Objects::apply`] does it.
    pub fn manner(&self) -> Manner {
        self.manner
    }

    /// Applies a manifest with this spec; the stored object, or the API server's refusal.
    pub async fn apply(&self, name: &str, spec: &Value) -> Answer<Value> {
        let manifest = json!({
            "apiVersion": "dws.huaweicloud.com/v1alpha1",
            "kind": self.kind,
            "metadata": {"name": name},
            "spec": spec,
        });
        if self.manner == Manner::Update {
            return self.create_or_replace(name, manifest).await;
        }
        let params = PatchParams::apply(MANAGER).force().validation_strict();
        self.patch(name, &params, &Patch::Apply(&manifest)).await
    }

    async fn create_or_replace(&self, name: &str, mut manifest: Value) -> Answer<Value> {
        let stored = self.api.get_opt(name).await.map_err(refusal)?;
        let path = self.api.resource_url();
        let request = match stored {
            None => http::Request::post(format!("{path}?{STRICT}")),
            Some(stored) => {
                manifest["metadata"] = serde_json::to_value(stored.metadata).unwrap();
                http::Request::put(format!("{path}/{name}?{STRICT}"))
            }
        };
        let request = request
            .header("Content-Type", "application/json")
            .body(manifest.to_string().into_bytes())
            .unwrap();
        self.client.request(request).await.map_err(refusal)
    }

    /// Merges a patch into the object through its main endpoint.
    pub async fn merge(&self, name: &str, patch: &Value) -> Answer<Value> {
        let params = PatchParams {
            field_manager: Some("dws-operator".into()),
            ..PatchParams::default()
        };
        self.patch(name, &params, &Patch::Merge(patch)).await
    }

    /// Merges a status through the sub-resource.
    pub async fn write_status(&self, name: &str, status: &Value) -> Answer<()> {
        let params = PatchParams {
            field_manager: Some("dws-operator".into()),
            ..PatchParams::default()
        };
        let patch = json!({"status": status});
        let answer = self
            .api
            .patch_status(name, &params.validation_strict(), &Patch::Merge(&patch))
            .await;
        answer.map(|_| ()).map_err(refusal)
    }

    pub async fn delete(&self, name: &str) -> Result<()> {
        match self.api.delete(name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether there is none of that name.
    pub async fn is_gone(&self, name: &str) -> Result<bool> {
        Ok(self.api.get_opt(name).await?.is_none())
    }

    async fn patch(
        &self,
        name: &str,
        params: &PatchParams,
        patch: &Patch<&Value>,
    ) -> Answer<Value> {
        match self.api.patch(name, params, patch).await {
            Ok(object) => Ok(serde_json::to_value(object).unwrap()),
            Err(error) => Err(refusal(error)),
        }
    }
}

fn refusal(error: kube::Error) -> Box<Status> {
    match error {
        kube::Error::Api(status) => status,
        other => panic!("no answer of the API server: {other}"),
    }
}

/// `base` with a JSON merge patch applied.
pub fn merged(base: &Value, patch: &Value) -> Value {
    let mut spec = base.clone();
    json_patch::merge(&mut spec, patch);
    spec
}
