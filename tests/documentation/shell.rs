//! A reader's shell: a copy of what the commands name, helm and kubectl in its path, and a control plane of its own.
//!
//! There is no kubelet and no controller: objects are stored, defaulted, validated and admitted as on any cluster, and
//! no Pod runs.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::support::Result;
use crate::support::control_plane::ControlPlane;
use crate::support::guard::GuardedDirectory;
use crate::support::tools::tool;

/// A second is much, but not on a machine that has other things to do; a command that waits for what never comes is to
/// be told.
pub const PATIENCE: Duration = Duration::from_mins(3);

pub struct Shell {
    pub plane: ControlPlane,
    directory: GuardedDirectory,
}

impl Shell {
    /// `None` where helm cannot be had here, which is said then.
    pub async fn open() -> Result<Option<Self>> {
        let Some(helm) = tool("helm", "documentation")? else {
            return Ok(None);
        };
        let plane = ControlPlane::start().await?;
        let directory = GuardedDirectory::new("dws-documentation-")?;
        let at = directory.path();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let copied = Command::new("cp")
            .arg("-r")
            .args(["charts", "deploy", "examples"].map(|name| root.join(name)))
            .arg(at)
            .status()?;
        ensure!(copied.success(), "no copy");
        std::fs::create_dir(at.join("bin"))?;
        std::os::unix::fs::symlink(helm, at.join("bin/helm"))?;
        let kubectl = plane.kubectl();
        let kubectl = Path::new(kubectl.get_program());
        if kubectl.is_absolute() {
            std::os::unix::fs::symlink(kubectl, at.join("bin/kubectl"))?;
        }
        Ok(Some(Self { plane, directory }))
    }

    /// What comes of a command, or of several.
    pub async fn run(&self, command: &str) -> Result<Output> {
        let at = self.directory.path();
        let path = std::env::var("PATH").unwrap_or_default();
        let output = tokio::process::Command::new("bash")
            .args(["-euo", "pipefail", "-c", command])
            .current_dir(at)
            .env("PATH", format!("{}:{path}", at.join("bin").display()))
            .env("HOME", at)
            .env("KUBECONFIG", self.plane.kubeconfig())
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output();
        Ok(tokio::time::timeout(PATIENCE, output)
            .await
            .with_context(|| format!("no end: {command}"))??)
    }

    /// The same, which must go well; what it says.
    pub async fn goes(&self, command: &str) -> Result<String> {
        let output = self.run(command).await?;
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        ensure!(output.status.success(), "{command}\n{said}");
        Ok(said)
    }
}
