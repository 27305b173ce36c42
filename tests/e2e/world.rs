//! The cluster under test: kubectl, the objects in it, and what a person would look at after a failure.
//! It knows Kubernetes and the two kinds by their names; Helm and the operator's Pods are `operator.rs`'s.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::cloud::Cloud;
use super::operator::{Operator, RELEASE};
use super::shell::{Program, until};
use super::support::Result;

/// What a step may take that usually takes seconds. A machine that is busy with other things needs more.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// The namespaces that the steps make. Where one is there already, `hack/e2e.sh` does not begin.
pub const PLACES: [&str; 8] = [
    "dws-system",
    "dws-cloud",
    "orders",
    "trial",
    "leaves-a-snapshot",
    "leaves-nothing",
    "leaves-all",
    "left-alone",
];

/// Everything that a step works with.
pub struct World {
    /// The machine's or the pinned one.
    pub kubectl: Program,
    /// The simulator.
    pub cloud: Cloud,
    /// The installation under test.
    pub operator: Operator,
    /// The image of the simulator.
    pub simulator_image: String,
}

/// A condition: status, reason, message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `True`, `False`, `Unknown`.
    pub status: String,
    /// As documented.
    pub reason: String,
    /// For people.
    pub message: String,
}

/// A setting of this test, from its environment: `make test-e2e` gives them.
pub fn setting(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set: run this with `make test-e2e`"))
}

impl World {
    /// As the environment says.
    pub fn from_environment() -> Result<Self> {
        setting("KUBECONFIG")?;
        let kubectl = Program(PathBuf::from(setting("E2E_KUBECTL")?));
        Ok(Self {
            cloud: Cloud::new(kubectl.clone()),
            operator: Operator::from_environment(kubectl.clone())?,
            simulator_image: setting("E2E_SIMULATOR_IMAGE")?,
            kubectl,
        })
    }

    /// `kubectl -n NAMESPACE ...`.
    pub fn kubectl(&self, namespace: &str, args: &[&str]) -> Result<String> {
        self.kubectl.run(&[&["-n", namespace], args].concat())
    }

    /// Applies manifests as a person would, and fails on a field that the API server does not know.
    pub fn apply(&self, namespace: &str, manifests: &str) -> Result<()> {
        let args = ["-n", namespace, "apply", "--validate=strict", "-f", "-"];
        self.kubectl.run_with(&args, manifests).map(drop)
    }

    /// A namespace in which only Pods of the restricted standard may run. One that is there already is somebody's,
    /// and no label of ours may lead to its deletion.
    pub fn make_namespace(&self, name: &str) -> Result<()> {
        anyhow::ensure!(PLACES.contains(&name), "{name} is not in PLACES");
        let manifest = format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    \
             dws-operator-e2e: \"true\"\n    pod-security.kubernetes.io/enforce: restricted\n"
        );
        let args = ["create", "--validate=strict", "-f", "-"];
        self.kubectl.run_with(&args, &manifest).map(drop)
    }

    /// One object, `dwsc/orders-dw`; `None` if it is not there.
    pub fn find(&self, namespace: &str, object: &str) -> Result<Option<Value>> {
        let found = self.kubectl(
            namespace,
            &["get", object, "--ignore-not-found", "-o", "json"],
        )?;
        if found.trim().is_empty() {
            return Ok(None);
        }
        Ok(Some(serde_json::from_str(&found)?))
    }

    /// One object that must be there.
    pub fn get(&self, namespace: &str, object: &str) -> Result<Value> {
        self.find(namespace, object)?
            .with_context(|| format!("{object} is not in {namespace}"))
    }

    /// Waits until a condition of it is `True` (or has that reason).
    pub fn shows(
        &self,
        namespace: &str,
        object: &str,
        kind: &str,
        wanted: &str,
    ) -> Result<Condition> {
        until(&format!("{kind} of {object}"), PATIENCE, || {
            let condition = self
                .find(namespace, object)?
                .and_then(|found| condition(&found, kind));
            Ok(match condition {
                Some(one) if one.status == wanted || one.reason == wanted => Ok(one),
                other => Err(format!("{other:?}")),
            })
        })
    }

    /// Waits until it can be used, is as its manifest says, and rests.
    pub fn is_ready(&self, namespace: &str, object: &str) -> Result<()> {
        until(&format!("{object} is ready"), PATIENCE, || {
            let found = self.get(namespace, object)?;
            let is = |kind| condition(&found, kind).is_some_and(|one| one.status == "True");
            let current = found["status"]["observedGeneration"] == found["metadata"]["generation"];
            // A resize leaves the warehouse usable: only `Reconciling` tells that it is under way.
            let rests = !is("Reconciling") && !is("Stalled");
            Ok(if is("Ready") && is("Synced") && rests && current {
                Ok(())
            } else {
                Err(format!("{}", found["status"]["conditions"]))
            })
        })
    }

    /// Waits until it is not there any more.
    pub fn is_gone(&self, namespace: &str, object: &str) -> Result<()> {
        until(&format!("{object} is gone"), PATIENCE, || {
            Ok(match self.find(namespace, object)? {
                None => Ok(()),
                Some(found) => Err(format!(
                    "finalizers {}, conditions {}",
                    found["metadata"]["finalizers"], found["status"]["conditions"]
                )),
            })
        })
    }

    /// What a Secret holds under a key.
    pub fn secret(&self, namespace: &str, name: &str, key: &str) -> Result<String> {
        let template = format!("go-template={{{{index .data \"{key}\" | base64decode}}}}");
        self.kubectl(namespace, &["get", "secret", name, "-o", &template])
    }

    /// Removes everything that the steps made, from a cluster that is not ours. The warehouses are the simulator's
    /// and go with it, so no finalizer has to be waited for.
    pub fn clean_up(&self) -> Result<()> {
        // What follows goes on without it, and takes what it may have left.
        let uninstalled = self.operator.uninstall();
        let all = [
            "get",
            "dwsc,dwss",
            "-A",
            "-o",
            "go-template={{range .items}}{{.metadata.namespace}} {{.kind}}/{{.metadata.name}}\n{{end}}",
        ];
        let objects = self.kubectl.run(&all).unwrap_or_default();
        for (namespace, object) in objects.lines().filter_map(|line| line.split_once(' ')) {
            let none = r#"{"metadata":{"finalizers":null}}"#;
            // One that goes by itself at this moment is no failure.
            let _ = self.kubectl(namespace, &["patch", object, "--type=merge", "-p", none]);
        }
        self.kubectl.run(&[
            "delete",
            "namespace",
            "-l",
            "dws-operator-e2e=true",
            "--timeout=180s",
        ])?;
        let definitions = [
            "dwsclusters.dws.huaweicloud.com",
            "dwssnapshots.dws.huaweicloud.com",
        ];
        let delete = ["delete", "crd", "--ignore-not-found", "--timeout=120s"];
        self.kubectl.run(&[&delete[..], &definitions].concat())?;
        // Those of a release or of plain manifests that a step which failed has left.
        self.kubectl.run(&[
            "delete",
            "clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding",
            "-l",
            &format!("app.kubernetes.io/instance={RELEASE}"),
        ])?;
        uninstalled?;
        println!("everything that was made is removed");
        Ok(())
    }

    /// What a person would look at, after a failure.
    pub fn tell(&self) {
        let looks: [&[&str]; 4] = [
            &["get", "pods", "-A", "-o", "wide"],
            &["get", "dwsc,dwss", "-A", "-o", "wide"],
            &["get", "ns"],
            &["get", "events", "-A", "--sort-by=.lastTimestamp"],
        ];
        for look in looks {
            println!("\n--- kubectl {}", look.join(" "));
            println!("{}", last_lines(&self.kubectl.run(look), 40));
        }
        for (pod, log) in self.operator.logs() {
            println!("\n--- log of {pod}\n{}", last_lines(&Ok(log), 40));
        }
        println!("\n--- ledger");
        match self.cloud.effects() {
            Ok(effects) => effects.iter().for_each(|effect| println!("{effect:?}")),
            Err(error) => println!("{error:#}"),
        }
    }
}

/// A condition of an object.
pub fn condition(object: &Value, kind: &str) -> Option<Condition> {
    let all = object["status"]["conditions"].as_array()?;
    let found = all.iter().find(|one| one["type"] == kind)?;
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    Some(Condition {
        status: text("status"),
        reason: text("reason"),
        message: text("message"),
    })
}

fn last_lines(text: &Result<String>, count: usize) -> String {
    match text {
        Ok(text) => {
            let lines: Vec<_> = text.lines().collect();
            lines[lines.len().saturating_sub(count)..].join("\n")
        }
        Err(error) => format!("{error:#}"),
    }
}
