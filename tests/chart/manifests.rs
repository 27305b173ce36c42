//! The plain manifests of `deploy/` are what the chart gives: `kustomize build` of the base and of each overlay
//! against `helm template` with the values that stand beside it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::apply::{prepare, refusal};
use crate::helm::{Helm, NAMESPACE, RELEASE, by_name, objects, root};
use crate::support::Result;
use crate::support::control_plane::shared;
use crate::support::figures::figure;
use crate::support::tools::tool;

/// Folders of `deploy/`.
const KUSTOMIZATIONS: [&str; 4] = [
    "base",
    "overlays/namespaced",
    "overlays/simulator",
    "overlays/monitoring",
];

type Objects = BTreeMap<String, Value>;

/// What says that Helm manages an object, and what is only Helm's.
fn plain(objects: Vec<Value>) -> Result<Objects> {
    let mut objects = by_name(objects)?;
    objects.retain(|_, object| {
        object
            .pointer("/metadata/annotations/helm.sh~1hook")
            .is_none()
    });
    for object in objects.values_mut() {
        if let Some(labels) = object["metadata"]["labels"].as_object_mut() {
            labels.remove("app.kubernetes.io/managed-by");
            labels.remove("helm.sh/chart");
        }
        // A list by name, in which an order means nothing.
        let environment = object.pointer_mut("/spec/template/spec/containers/0/env");
        if let Some(list) = environment.and_then(Value::as_array_mut) {
            list.sort_by_key(|variable| variable["name"].to_string());
        }
    }
    Ok(objects)
}

fn charted(helm: &Helm, folder: &str) -> Result<Objects> {
    let mut command = helm.command();
    command.args(["template", RELEASE, "charts/dws-operator", "-n", NAMESPACE]);
    command.args(["-f", "deploy/base/values.yaml"]);
    command
        .arg("-f")
        .arg(format!("deploy/{folder}/values.yaml"));
    let output = command.output()?;
    assert!(output.status.success(), "{folder}: {output:?}");
    plain(objects(&String::from_utf8(output.stdout)?)?)
}

fn built(kustomize: &std::path::Path, folder: &str) -> Result<Objects> {
    let output = std::process::Command::new(kustomize)
        .current_dir(root())
        .args(["build", &format!("deploy/{folder}")])
        .output()?;
    assert!(output.status.success(), "{folder}: {output:?}");
    plain(objects(&String::from_utf8(output.stdout)?)?)
}

/// Equal but for the namespace, which Helm makes by a flag.
fn assert_same(what: &str, mut manifests: Objects, charted: &Objects) {
    let namespace = manifests.remove(&format!("Namespace/{NAMESPACE}"));
    let enforced =
        namespace.unwrap()["metadata"]["labels"]["pod-security.kubernetes.io/enforce"].clone();
    assert_eq!(enforced, "restricted", "{what}");
    let names = |objects: &Objects| objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&manifests), names(charted), "{what}");
    for (name, object) in manifests {
        assert!(
            object == charted[&name],
            "{what}: {name}:\n{object:#}\ninstead of\n{:#}",
            charted[&name]
        );
    }
}

#[test]
fn kustomize_builds_what_the_chart_renders() -> Result<()> {
    let (Some(helm), Some(kustomize)) = (Helm::find()?, tool("kustomize", "chart")?) else {
        return Ok(());
    };
    let mut count = 0;
    for folder in KUSTOMIZATIONS {
        let charted = charted(&helm, folder)?;
        count += charted.len();
        assert_same(folder, built(&kustomize, folder)?, &charted);
    }
    let text = std::fs::read_to_string(root().join("deploy/install.yaml"))?;
    assert_same(
        "install.yaml",
        plain(objects(&text)?)?,
        &charted(&helm, "base")?,
    );
    figure(
        "chart",
        &format!(
            "deploy/: {count} objects of base and {} overlays are the chart's",
            KUSTOMIZATIONS.len() - 1
        ),
    );
    Ok(())
}

#[test]
fn the_generated_manifests_are_up_to_date() -> Result<()> {
    let Some(_) = Helm::find()? else {
        return Ok(());
    };
    let copy = crate::support::guard::GuardedDirectory::new("dws-manifests-")?;
    for folder in ["charts", "deploy", "hack"] {
        let copied = std::process::Command::new("cp")
            .arg("-r")
            .arg(root().join(folder))
            .arg(copy.path())
            .status()?;
        assert!(copied.success());
    }
    let script = copy.path().join("hack/manifests.sh");
    let made = std::process::Command::new("bash").arg(script).output()?;
    assert!(made.status.success(), "{made:?}");
    let differ = std::process::Command::new("diff")
        .arg("-r")
        .arg(root().join("deploy"))
        .arg(copy.path().join("deploy"))
        .output()?;
    assert!(
        differ.status.success(),
        "deploy/ differs from the chart: run make generate\n{}",
        String::from_utf8_lossy(&differ.stdout)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_takes_the_plain_manifests() -> Result<()> {
    let Some(kustomize) = tool("kustomize", "chart")? else {
        return Ok(());
    };
    let client = prepare(shared().await?).await?;
    for folder in KUSTOMIZATIONS {
        for (name, object) in built(&kustomize, folder)? {
            let said = refusal(&client, &object).await;
            assert!(said.is_none(), "{folder}: {name}: {said:?}");
        }
    }
    Ok(())
}
