//! The installation under test: the chart as Helm installs, upgrades and removes it, and the Pods that it
//! runs. It knows the chart by its values, and the leader by the Lease.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::shell::{Program, until};
use super::support::Result;
use super::world::{PATIENCE, setting};

/// Name of the release, the Deployment and the Lease.
pub const RELEASE: &str = "dws-operator";
/// Where it is installed.
pub const NAMESPACE: &str = "dws-system";

/// What of the two images is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// The one to begin with.
    First,
    /// The one to upgrade to.
    Next,
}

/// See the module.
pub struct Operator {
    helm: Program,
    kubectl: Program,
    chart: String,
    first: String,
    next: String,
}

impl Operator {
    /// As the environment says.
    pub fn from_environment(kubectl: Program) -> Result<Self> {
        Ok(Self {
            helm: Program(PathBuf::from(setting("E2E_HELM")?)),
            chart: setting("E2E_CHART")?,
            first: setting("E2E_IMAGE")?,
            next: setting("E2E_IMAGE_NEXT")?,
            kubectl,
        })
    }

    /// The image to begin with.
    pub fn first_image(&self) -> &str {
        &self.first
    }

    /// `helm ... --namespace`.
    pub fn helm(&self, args: &[&str]) -> Result<String> {
        self.helm.run(&[args, &["--namespace", NAMESPACE]].concat())
    }

    /// `helm test`: all that it says, good or bad.
    pub fn tested(&self) -> Result<String> {
        let args = ["test", RELEASE, "--timeout", "2m", "--namespace", NAMESPACE];
        self.helm.says(&args)
    }

    /// `helm upgrade --install` with these values and an image, until every Pod is ready. What it printed: the notes
    /// of the chart are in it.
    pub fn deploy(&self, image: Image, values: &[&str]) -> Result<String> {
        let reference = match image {
            Image::First => &self.first,
            Image::Next => &self.next,
        };
        let (repository, tag) = reference
            .rsplit_once(':')
            .with_context(|| format!("{reference}: an image is NAME:TAG here"))?;
        let repository = format!("image.repository={repository}");
        let tag = format!("image.tag={tag}");
        // Where there is but one image, an upgrade is still new Pods.
        let mark = format!("podAnnotations.e2e={image:?}");
        let mut args = vec![
            "upgrade",
            "--install",
            RELEASE,
            &self.chart,
            "--wait",
            "--timeout",
            "4m",
        ];
        for value in [&repository, &tag, &mark, "image.pullPolicy=IfNotPresent"] {
            args.extend(["--set", value]);
        }
        args.extend(values);
        let said = self.helm(&args)?;
        self.settles()?;
        Ok(said)
    }

    /// Removes the release.
    pub fn uninstall(&self) -> Result<String> {
        let said = self.helm(&[
            "uninstall",
            RELEASE,
            "--ignore-not-found",
            "--wait",
            "--timeout",
            "2m",
        ])?;
        until("the operator's Pods are gone", PATIENCE, || {
            let pods = self.pods()?;
            Ok(if pods.is_empty() {
                Ok(())
            } else {
                Err(format!("{} Pods", pods.len()))
            })
        })?;
        Ok(said)
    }

    /// As many Pods as that from now on; how many it were. Returns when the others are gone.
    pub fn scale(&self, replicas: &str) -> Result<String> {
        let deployment = format!("deployment/{RELEASE}");
        let before = self.kubectl.run(&[
            "-n",
            NAMESPACE,
            "get",
            &deployment,
            "-o",
            "jsonpath={.spec.replicas}",
        ])?;
        let scale = format!("--replicas={replicas}");
        self.kubectl
            .run(&["-n", NAMESPACE, "scale", &deployment, &scale])?;
        until(&format!("{replicas} Pods"), PATIENCE, || {
            let pods = self.pods()?.len().to_string();
            Ok(if pods == replicas { Ok(()) } else { Err(pods) })
        })?;
        Ok(before)
    }

    /// Its Pods, those that are ending included.
    pub fn pods(&self) -> Result<Vec<Value>> {
        let selector =
            format!("app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component=operator");
        let found = self.kubectl.run(&[
            "-n", NAMESPACE, "get", "pods", "-l", &selector, "-o", "json",
        ])?;
        let mut found: Value = serde_json::from_str(&found)?;
        Ok(serde_json::from_value(found["items"].take())?)
    }

    /// Waits until there are exactly the Pods that there should be, all ready, and one of them leads.
    pub fn settles(&self) -> Result<String> {
        until(
            "the operator's Pods are ready and one leads",
            PATIENCE,
            || {
                let deployment = self.kubectl.run(&[
                    "-n",
                    NAMESPACE,
                    "get",
                    "deployment",
                    RELEASE,
                    "-o",
                    "jsonpath={.spec.replicas}",
                ])?;
                let pods = self.pods()?;
                let ready = pods.iter().filter(|pod| is_ready(pod)).count();
                if deployment != ready.to_string() || ready != pods.len() {
                    return Ok(Err(format!(
                        "{ready} ready of {} Pods, {deployment} wanted",
                        pods.len()
                    )));
                }
                Ok(self
                    .leader(&pods)?
                    .ok_or_else(|| "no Pod holds the lease".to_owned()))
            },
        )
    }

    /// The Pod that leads.
    fn leader(&self, pods: &[Value]) -> Result<Option<String>> {
        let holder = self.holder()?;
        let names = pods
            .iter()
            .filter_map(|pod| pod["metadata"]["name"].as_str());
        Ok(names
            .map(str::to_owned)
            .find(|name| holder.starts_with(&format!("{name}_"))))
    }

    /// Who holds the Lease: the name of a Pod, and something that differs from process to process.
    pub fn holder(&self) -> Result<String> {
        let lease = format!("lease/{RELEASE}");
        self.kubectl.run(&[
            "-n",
            NAMESPACE,
            "get",
            &lease,
            "--ignore-not-found",
            "-o",
            "jsonpath={.spec.holderIdentity}",
        ])
    }

    /// Waits until another process than this holds the Lease, and gives the name of its Pod.
    pub fn handed_over(&self, from: &str, limit: Duration) -> Result<String> {
        until("another Pod leads", limit, || {
            let holder = self.holder()?;
            let pod = holder.split('_').next().unwrap_or_default();
            Ok(if holder.is_empty() || pod == from {
                Err(format!("{holder:?} holds the lease"))
            } else {
                Ok(pod.to_owned())
            })
        })
    }

    /// Fails unless this Pod says that it took the lease in that way.
    pub fn took_over(&self, pod: &str, how: &str) -> Result<()> {
        let log = self.kubectl.run(&["-n", NAMESPACE, "logs", pod])?;
        let mut taken = log
            .lines()
            .filter(|line| line.contains("the lease is taken"));
        let said = taken.next_back().unwrap_or_default();
        anyhow::ensure!(said.contains(how), "not {how}, but: {said}");
        Ok(())
    }

    /// The logs of all its Pods, of earlier containers too.
    pub fn logs(&self) -> Vec<(String, String)> {
        let pods = self.pods().unwrap_or_default();
        let names = pods
            .iter()
            .filter_map(|pod| pod["metadata"]["name"].as_str());
        let mut logs = Vec::new();
        for name in names {
            for previous in ["--previous=false", "--previous=true"] {
                if let Ok(log) = self.kubectl.run(&["-n", NAMESPACE, "logs", name, previous]) {
                    logs.push((format!("{name} {previous}"), log));
                }
            }
        }
        logs
    }
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    pod["metadata"]["deletionTimestamp"].is_null()
        && conditions
            .filter(|one| one["type"] == "Ready")
            .any(|one| one["status"] == "True")
}
