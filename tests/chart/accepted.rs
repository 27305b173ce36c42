//! Values that render: what is there, what is not, and what stands in it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::helm::{Helm, RELEASE, by_name, cases};
use crate::support::Result;
use crate::support::figures::figure;

/// One case of `accepted.yaml` or `accepted-pods.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// What it is about.
    pub name: String,
    /// The release's name.
    #[serde(default = "release")]
    pub release: String,
    /// The values.
    #[serde(default = "empty")]
    pub values: Value,
    #[serde(default)]
    has: Vec<String>,
    #[serde(default)]
    lacks: Vec<String>,
    #[serde(default, rename = "where")]
    at: BTreeMap<String, BTreeMap<String, Value>>,
    #[serde(default)]
    only_namespaced: bool,
}

fn release() -> String {
    RELEASE.to_owned()
}

fn empty() -> Value {
    json!({})
}

/// A case and its objects by name.
pub type Rendered = (Accepted, BTreeMap<String, Value>);

/// All cases, rendered once for all tests.
pub fn rendered(helm: &Helm) -> Result<&'static [Rendered]> {
    static ALL: Mutex<Option<&'static [Rendered]>> = Mutex::new(None);
    let mut known = ALL.lock().unwrap();
    if let Some(all) = *known {
        return Ok(all);
    }
    let mut all = Vec::new();
    let more = cases::<Accepted>("accepted-pods.yaml")?;
    for case in cases::<Accepted>("accepted.yaml")?.into_iter().chain(more) {
        let objects = helm.render(&case.release, &case.values)?;
        let objects = objects.unwrap_or_else(|said| panic!("{}: {said}", case.name));
        all.push((case, by_name(objects)?));
    }
    Ok(known.insert(all.leak()))
}

/// What is wrong with a rendering.
fn mistakes((case, objects): &Rendered) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in &case.has {
        if !objects.contains_key(name) {
            wrong.push(format!("lacks {name}"));
        }
    }
    for name in &case.lacks {
        if objects.contains_key(name) {
            wrong.push(format!("has {name}"));
        }
    }
    for (name, places) in &case.at {
        let Some(object) = objects.get(name) else {
            wrong.push(format!("lacks {name}"));
            continue;
        };
        for (pointer, wanted) in places {
            let found = object.pointer(pointer).unwrap_or(&Value::Null);
            if found != wanted {
                wrong.push(format!("{name} {pointer}: {found} instead of {wanted}"));
            }
        }
    }
    if case.only_namespaced {
        let of_cluster = objects
            .iter()
            .filter(|(_, object)| object.pointer("/metadata/namespace").is_none());
        wrong.extend(of_cluster.map(|(name, _)| format!("has {name}, which is the cluster's")));
    }
    wrong
}

#[test]
fn values_render_as_their_cases_say() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    let all = rendered(&helm)?;
    let mut wrong = Vec::new();
    for one in all {
        wrong.extend(
            mistakes(one)
                .iter()
                .map(|what| format!("{}: {what}", one.0.name)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let objects: usize = all.iter().map(|(_, objects)| objects.len()).sum();
    figure(
        "chart",
        &format!("{} value sets render {objects} objects", all.len()),
    );
    Ok(())
}

#[test]
fn helm_lints_the_chart() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    for more in ["", "simulator.enabled=true", "watchNamespaces={orders}"] {
        let mut command = helm.command();
        command.args(["lint", "--strict", "--quiet", "charts/dws-operator"]);
        if !more.is_empty() {
            command.args(["--set", more]);
        }
        let output = command.output()?;
        assert!(output.status.success(), "{more}: {output:?}");
    }
    Ok(())
}

#[test]
fn every_object_bears_the_labels_by_which_people_find_it() -> Result<()> {
    let Some(helm) = Helm::find()? else {
        return Ok(());
    };
    for (case, objects) in rendered(&helm)? {
        for (name, object) in objects {
            let labels = &object["metadata"]["labels"];
            for label in ["name", "instance", "component", "version", "managed-by"] {
                let label = format!("app.kubernetes.io/{label}");
                assert!(labels[&label].is_string(), "{}: {name}: {label}", case.name);
            }
        }
    }
    Ok(())
}
