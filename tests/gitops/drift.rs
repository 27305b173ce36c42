//! Nothing that the operator writes is drift: over a whole life, the same manifest applied again changes nothing, as
//! Flux applies it (its own code) and as Argo CD does, on the server's side and on the client's.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::stage::{Stage, stage};
use crate::support::figures::figure;
use crate::support::{Result, eventually};
use crate::witness::{flux, is_missing};
use crate::world::{World, condition, plain};

/// Who applies, and by which name the API server knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Flux,
    /// Argo CD with `ServerSideApply=true`.
    ArgoServerSide,
    /// Argo CD as it is.
    ArgoClientSide,
}

impl Tool {
    fn manager(self) -> &'static str {
        match self {
            Self::Flux => "kustomize-controller",
            Self::ArgoServerSide => "argocd-controller",
            Self::ArgoClientSide => "kubectl-client-side-apply",
        }
    }

    async fn apply(self, stage: &Stage, objects: &[Value]) -> Result<()> {
        let arguments: &[&str] = match self {
            Self::Flux => {
                return flux("apply", &stage.plane.kubeconfig(), objects)
                    .await
                    .map(drop);
            }
            Self::ArgoServerSide => &[
                "apply",
                "--server-side",
                "--force-conflicts",
                "--field-manager=argocd-controller",
                "-f",
                "-",
            ],
            Self::ArgoClientSide => &["apply", "-f", "-"],
        };
        let (code, said) = stage.kubectl(arguments, objects).await?;
        ensure!(code == 0, "{self:?}: {said}");
        Ok(())
    }

    async fn diff(self, stage: &Stage, objects: &[Value]) -> Result<()> {
        let manager = format!("--field-manager={}", self.manager());
        let server_side = [
            "diff",
            "--server-side",
            "--force-conflicts",
            &manager,
            "-f",
            "-",
        ];
        let arguments: &[&str] = match self {
            Self::ArgoClientSide => &["diff", "-f", "-"],
            _ => &server_side,
        };
        let (code, said) = stage.kubectl(arguments, &owned(self, objects)).await?;
        ensure!(code == 0, "{self:?}: kubectl diff ends with {code}: {said}");
        Ok(())
    }
}

/// The objects as Flux applies them: with the labels by which it knows its own.
fn owned(tool: Tool, objects: &[Value]) -> Vec<Value> {
    let mut objects = objects.to_vec();
    if tool == Tool::Flux {
        for object in &mut objects {
            object["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] = json!("apps");
            object["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/namespace"] =
                json!("flux-system");
        }
    }
    objects
}

/// A manifest as a team has it in Git, with what Argo CD adds to know its own.
struct Manifest {
    namespace: String,
    nodes: u32,
    password: &'static str,
    restart: Option<String>,
}

impl Manifest {
    fn objects(&self) -> Vec<Value> {
        let name = &self.namespace;
        let meta = |own: &str| {
            json!({
                "name": own, "namespace": name,
                "labels": {"app.kubernetes.io/instance": "apps", "team": "orders"},
                "annotations": {"argocd.argoproj.io/tracking-id": format!("apps:dws.huaweicloud.com/{own}"), "owner": "orders"},
            })
        };
        let mut cluster = json!({
            "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsCluster", "metadata": meta(name),
            "spec": plain(&json!({"nodeCount": self.nodes, "adminPasswordSecretRef": {"name": "admin"}})),
        });
        if let Some(at) = &self.restart {
            cluster["metadata"]["annotations"]["dws.huaweicloud.com/restart-requested-at"] =
                json!(at);
        }
        let password = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": meta("admin"), "type": "Opaque",
            "stringData": {"password": self.password},
        });
        let snapshot = json!({
            "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsSnapshot", "metadata": meta("before"),
            "spec": {"clusterRef": {"name": name}, "snapshotName": format!("{name}-before"), "description": "before the change"},
        });
        vec![password, cluster, snapshot]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applying_the_same_again_changes_nothing() -> Result<()> {
    if is_missing()? {
        return Ok(());
    }
    let stage = stage().await?;
    let tools = [Tool::Flux, Tool::ArgoServerSide, Tool::ArgoClientSide];
    let lives = tools.map(|tool| life(stage, tool));
    let checks: Vec<Result<usize>> = futures::future::join_all(lives).await;
    let mut total = 0;
    for (tool, checks) in tools.iter().zip(checks) {
        total += checks.with_context(|| format!("{tool:?}"))?;
    }
    figure(
        "gitops",
        &format!("{total} times applied again by Flux and Argo CD over a whole life, 0 changes"),
    );
    Ok(())
}

/// A whole life; gives how often the same was applied again.
async fn life(stage: &Stage, tool: Tool) -> Result<usize> {
    let name = format!("drift-{}", format!("{tool:?}").to_lowercase());
    let world = stage.world(&name).await?;
    let mut manifest = Manifest {
        namespace: name.clone(),
        nodes: 3,
        password: "Correct-horse-1",
        restart: None,
    };
    let mut checks = 0;
    tool.apply(stage, &manifest.objects()).await?;
    // While the create runs, too. The status may move between kubectl's two looks.
    world
        .until("DwsCluster", &name, "known", |one| {
            one["status"]["clusterId"].is_string()
        })
        .await?;
    eventually("no difference", Duration::from_mins(1), || async {
        Ok(tool.diff(stage, &manifest.objects()).await.ok())
    })
    .await?;
    settled(&world, &name).await?;
    checks += same(stage, tool, &world, &manifest).await?;

    manifest.nodes = 4;
    tool.apply(stage, &manifest.objects()).await?;
    world
        .until("DwsCluster", &name, "grown", |one| {
            one["status"]["settledNodeCount"] == 4
        })
        .await?;
    settled(&world, &name).await?;
    checks += same(stage, tool, &world, &manifest).await?;

    manifest.password = "Second-horse-9";
    tool.apply(stage, &manifest.objects()).await?;
    world.event(&name, "PasswordChanged").await?;
    settled(&world, &name).await?;
    checks += same(stage, tool, &world, &manifest).await?;

    manifest.restart = Some(
        jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string(),
    );
    tool.apply(stage, &manifest.objects()).await?;
    world.event(&name, "Restarted").await?;
    settled(&world, &name).await?;
    checks += same(stage, tool, &world, &manifest).await?;

    // What others do to the warehouse is told in the status, and no drift of the manifest.
    world
        .outside(json!({"change": "set_nodes", "cluster": name, "nodes": 9}))
        .await?;
    world
        .until_condition("DwsCluster", &name, "Synced", "False", "Drifted")
        .await?;
    checks += same(stage, tool, &world, &manifest).await?;
    by_hand(stage, tool, &world, &manifest).await?;
    world.executed(&name, "create", 1).await?;
    world.executed(&name, "resize", 1).await?;
    world.executed(&name, "restart", 1).await?;
    Ok(checks)
}

/// An annotation that somebody makes with kubectl: Argo CD leaves it, and Flux does not.
async fn by_hand(stage: &Stage, tool: Tool, world: &World, manifest: &Manifest) -> Result<()> {
    let name = &manifest.namespace;
    let arguments = ["annotate", "dwsc", name, "-n", name, "note=by-hand"];
    let (code, said) = stage.kubectl(&arguments, &[]).await?;
    ensure!(code == 0, "{said}");
    if tool != Tool::Flux {
        tool.diff(stage, &manifest.objects()).await?;
    }
    tool.apply(stage, &manifest.objects()).await?;
    let live = world.get("DwsCluster", name).await?;
    let stays = live["metadata"]["annotations"]["note"] == "by-hand";
    ensure!(stays == (tool != Tool::Flux), "{}", live["metadata"]);
    Ok(())
}

/// Both resources are as they should be and nothing is under way.
async fn settled(world: &World, name: &str) -> Result<()> {
    for (kind, name) in [("DwsCluster", name), ("DwsSnapshot", "before")] {
        world
            .until(kind, name, "settled", |one| {
                condition(one, "Ready").0 == "True"
                    && condition(one, "Synced").0 == "True"
                    && condition(one, "Reconciling").0.is_empty()
                    && one["status"]["operation"].is_null()
                    && one["status"]["observedGeneration"] == one["metadata"]["generation"]
            })
            .await?;
    }
    Ok(())
}

/// Applied again, everything stays at its version; `kubectl diff` is empty; and the fields are whose they should be.
async fn same(stage: &Stage, tool: Tool, world: &World, manifest: &Manifest) -> Result<usize> {
    // The last poll of what was just done may still bring a word.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let objects = manifest.objects();
    let before = versions(world, &objects).await?;
    if tool == Tool::Flux {
        for change in flux("apply", &stage.plane.kubeconfig(), &objects).await? {
            ensure!(change.action == "unchanged", "Flux: {change:?}");
        }
    } else {
        tool.apply(stage, &objects).await?;
    }
    tool.diff(stage, &objects).await?;
    let after = versions(world, &objects).await?;
    ensure!(before == after, "{before:?} became {after:?}");
    for object in &objects {
        let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
        let live = world.get(kind, name).await?;
        whose(tool, object, &live).with_context(|| format!("{kind} {name}"))?;
    }
    connection(world, &manifest.namespace).await?;
    Ok(objects.len())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

async fn versions(world: &World, objects: &[Value]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for object in objects {
        let live = world
            .get(text(&object["kind"]), text(&object["metadata"]["name"]))
            .await?;
        all.push(format!(
            "{} {}",
            text(&object["kind"]),
            text(&live["metadata"]["resourceVersion"])
        ));
    }
    Ok(all)
}

/// The applier owns every field of the manifest; the operator owns its finalizer and the status, and nothing else.
fn whose(tool: Tool, manifest: &Value, live: &Value) -> Result<()> {
    let mut applied = BTreeSet::new();
    for entry in live["metadata"]["managedFields"]
        .as_array()
        .context("no managed fields")?
    {
        let (manager, fields) = (text(&entry["manager"]), leaves(&entry["fieldsV1"]));
        match manager {
            "dws-operator" => {
                let allowed = |field: &String| {
                    let finalizer = "f:metadata/f:finalizers";
                    field.starts_with("f:status")
                        || field == finalizer
                        || field.starts_with(&format!("{finalizer}/"))
                };
                let foreign: Vec<_> = fields.iter().filter(|field| !allowed(field)).collect();
                ensure!(foreign.is_empty(), "the operator owns {foreign:?}");
            }
            _ if manager == tool.manager() => applied.extend(fields),
            other => anyhow::bail!("{other:?} owns {fields:?}"),
        }
    }
    let operator = live["metadata"]["managedFields"]
        .to_string()
        .contains("dws-operator");
    ensure!(
        operator == (text(&live["kind"]) != "Secret"),
        "a Secret of the user's is written, or a resource is not"
    );
    for part in ["spec", "data"] {
        for field in leaves(&prefixed(&manifest[part])) {
            let field = format!("f:{part}/{field}");
            ensure!(
                applied.contains(&field),
                "{} does not own {field}: {applied:?}",
                tool.manager()
            );
        }
    }
    Ok(())
}

/// A part of a manifest as managed fields name it.
fn prefixed(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (format!("f:{key}"), prefixed(value)))
            .collect(),
        _ => json!({}),
    }
}

/// The paths of the innermost fields.
fn leaves(fields: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (key, inner) in fields.as_object().into_iter().flatten() {
        if key == "." {
            continue;
        }
        let below = leaves(inner);
        if below.is_empty() {
            all.insert(key.clone());
        }
        all.extend(below.iter().map(|one| format!("{key}/{one}")));
    }
    all
}

/// The connection Secret is no tool's: it bears no mark by which one would prune it, and it belongs to the resource.
async fn connection(world: &World, name: &str) -> Result<()> {
    let secret = world.get("Secret", &format!("{name}-connection")).await?;
    let meta = &secret["metadata"];
    let labels = meta["labels"].as_object().context("no labels")?;
    ensure!(
        labels.len() == 1 && labels.contains_key("app.kubernetes.io/managed-by"),
        "labels {labels:?}"
    );
    for mark in [
        "argocd.argoproj.io",
        "kustomize.toolkit.fluxcd.io",
        "kubectl.kubernetes.io",
    ] {
        ensure!(
            !meta["annotations"].to_string().contains(mark),
            "{}",
            meta["annotations"]
        );
    }
    ensure!(meta["ownerReferences"][0]["name"] == name, "{meta}");
    for entry in meta["managedFields"].as_array().into_iter().flatten() {
        ensure!(entry["manager"] == "dws-operator", "{entry}");
    }
    Ok(())
}
