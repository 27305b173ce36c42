//! The admission policy on a real API server: which deletions it refuses, in which words, and which pass.

use std::time::Duration;

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use dws_operator::api::{DwsCluster, DwsSnapshot};

use crate::support::control_plane::ControlPlane;
use crate::support::{Result, eventually};

/// Until a policy that was just stored is in force, and a namespace's end is known to it.
const SOON: Duration = Duration::from_secs(30);

/// A manifest, with more in its spec.
pub fn warehouse(namespace: &str, name: &str, more: &Value) -> Value {
    let mut spec = json!({
        "nodeType": "dws.d1.xlarge", "nodeCount": 3,
        "network": {
            "vpcId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3571",
            "subnetId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3572",
            "securityGroupId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3573",
        },
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    json!({
        "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsCluster",
        "metadata": {"name": name, "namespace": namespace, "finalizers": ["dws.huaweicloud.com/finalizer"]},
        "spec": spec,
    })
}

struct World {
    client: Client,
    namespace: String,
}

impl World {
    fn clusters(&self) -> Api<DwsCluster> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn make(&self, name: &str, more: &Value) -> Result<()> {
        let object = serde_json::from_value(warehouse(&self.namespace, name, more))?;
        self.clusters()
            .create(&PostParams::default(), &object)
            .await?;
        Ok(())
    }

    /// The refusal of a DELETE; `None`: it passed.
    async fn delete(&self, name: &str) -> Result<Option<String>> {
        match self.clusters().delete(name, &DeleteParams::default()).await {
            Ok(_) => Ok(None),
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(Some(status.message.clone())),
            Err(error) => Err(error.into()),
        }
    }

    async fn is_marked(&self, name: &str) -> Result<bool> {
        let found = self.clusters().get(name).await?;
        Ok(found.metadata.deletion_timestamp.is_some())
    }

    async fn patch(&self, name: &str, patch: Value) -> Result<()> {
        self.clusters()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        Ok(())
    }
}

/// The number of deletions that were judged.
pub async fn deletion_is_refused_where_it_is_protected(plane: &ControlPlane) -> Result<usize> {
    let world = World {
        client: plane.client().await?,
        namespace: plane.namespace("protected").await?,
    };
    let protected = json!({"deletionProtection": true});
    world.make("kept", &protected).await?;

    // In force a moment after it was stored: a dry run shows it without harm.
    let said = eventually("the policy is in force", SOON, || async {
        let dry = DeleteParams {
            dry_run: true,
            ..DeleteParams::default()
        };
        Ok(world.clusters().delete("kept", &dry).await.err())
    })
    .await?;
    ensure!(said.to_string().contains("deletionProtection"), "{said}");

    // 1: refused, with the command that mends it.
    let said = world
        .delete("kept")
        .await?
        .context("a protected one was deleted")?;
    let told = format!(
        "spec.deletionProtection of {}/kept is true",
        world.namespace
    );
    ensure!(said.contains(&told), "{said}");
    ensure!(!world.is_marked("kept").await?, "it is marked for deletion");
    let (_, command) = said.split_once("(kubectl ").context("no command")?;
    let command = command.trim_end().trim_end_matches(')').to_owned();

    // 2: all of a namespace at once: the protected one stays, whatever becomes of the others.
    world.make("unprotected", &json!({})).await?;
    let all = world
        .clusters()
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await;
    ensure!(
        all.is_err() && !world.is_marked("kept").await?,
        "a protected one went with the others"
    );

    // 3, 4: without protection, said or not said.
    world.make("plain", &json!({})).await?;
    world
        .make("open", &json!({"deletionProtection": false}))
        .await?;
    for name in ["plain", "open"] {
        ensure!(
            world.delete(name).await?.is_none() && world.is_marked(name).await?,
            "{name}"
        );
    }

    // 5: protected once it was being deleted: a repetition passes, as does the end of its finalizer.
    world.patch("plain", json!({"spec": protected})).await?;
    ensure!(
        world.delete("plain").await?.is_none(),
        "a repeated deletion was refused"
    );
    world
        .patch("plain", json!({"metadata": {"finalizers": null}}))
        .await?;
    ensure!(
        world.clusters().get_opt("plain").await?.is_none(),
        "it cannot go"
    );

    // 6: a snapshot is not what the policy speaks of.
    let snapshots = Api::<DwsSnapshot>::namespaced(world.client.clone(), &world.namespace);
    let snapshot = json!({
        "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsSnapshot",
        "metadata": {"name": "backup"}, "spec": {"clusterRef": {"name": "kept"}},
    });
    snapshots
        .create(&PostParams::default(), &serde_json::from_value(snapshot)?)
        .await?;
    snapshots.delete("backup", &DeleteParams::default()).await?;

    // 7: the command from the refusal opens the way.
    let quoted = format!(
        "{} --kubeconfig '{}' {command}",
        kubectl(plane),
        plane.kubeconfig().display()
    );
    let run = std::process::Command::new("sh")
        .args(["-c", &quoted])
        .output()?;
    ensure!(run.status.success(), "{quoted}: {run:?}");
    ensure!(
        world.delete("kept").await?.is_none(),
        "refused after it was allowed"
    );

    // 8: with the namespace goes what is in it; the operator blocks it there, and says how to go on.
    world.make("in-a-namespace-that-goes", &protected).await?;
    Api::<Namespace>::all(world.client.clone())
        .delete(&world.namespace, &DeleteParams::default())
        .await?;
    eventually("a deletion in a namespace that goes", SOON, || async {
        Ok(world
            .delete("in-a-namespace-that-goes")
            .await?
            .is_none()
            .then_some(()))
    })
    .await?;
    Ok(8)
}

fn kubectl(plane: &ControlPlane) -> String {
    plane.kubectl().get_program().to_string_lossy().into_owned()
}
