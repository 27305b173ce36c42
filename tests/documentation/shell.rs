//! A reader's shell: a copy of what the commands name, helm, kubectl and our programs in its path, a control plane and a
//! simulator of its own.
//!
//! There is no kubelet and no controller: objects are stored, defaulted, validated and admitted as on any cluster, and
//! no Pod runs.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::support::Result;
use crate::support::control_plane::ControlPlane;
use crate::support::guard::GuardedDirectory;
use crate::support::process::Process;
use crate::support::tools::tool;

/// A second is much, but not on a machine that has other things to do; a command that waits for what never comes is to
/// be told.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Which of several commands does not end is told by this file.
const TRACED: &str = "exec 9>trace; BASH_XTRACEFD=9; set -x\n";

pub struct Shell {
    pub plane: ControlPlane,
    _simulator: Process,
    /// Where it listens: the port that the pages name may be somebody else's here.
    simulator: String,
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
        std::fs::create_dir_all(at.join("target/release"))?;
        for (program, name) in [
            (Process::operator()?, "dws-operator"),
            (Process::simulator()?, "dws-simulator"),
        ] {
            for place in ["bin", "target/release"] {
                std::os::unix::fs::symlink(program.get_program(), at.join(place).join(name))?;
            }
        }
        let mut command = Process::simulator()?;
        command.args(["--listen", "127.0.0.1:0", "--speed", "100", "--seed", "1"]);
        let mut running = Process::spawn(&command, &at.join("simulator.log"))?;
        let ready = "dws-simulator ready on http://";
        let said = running.wait_for_log(ready, 0, PATIENCE).await?;
        let (_, simulator) = said.split_once(ready).context("no address")?;
        Ok(Some(Self {
            plane,
            _simulator: running,
            simulator: simulator.to_owned(),
            directory,
        }))
    }

    /// What comes of a command, or of several.
    pub async fn run(&self, command: &str) -> Result<Output> {
        let at = self.directory.path();
        let command = &command.replace("127.0.0.1:18080", &self.simulator);
        let path = std::env::var("PATH").unwrap_or_default();
        let output = tokio::process::Command::new("bash")
            .args(["-euo", "pipefail", "-c", &format!("{TRACED}{command}")])
            .current_dir(at)
            .env("PATH", format!("{}:{path}", at.join("bin").display()))
            .env("HOME", at)
            .env("KUBECONFIG", self.plane.kubeconfig())
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output();
        let Ok(output) = tokio::time::timeout(PATIENCE, output).await else {
            let trace = std::fs::read_to_string(at.join("trace")).unwrap_or_default();
            bail!("no end: {command}\nlast: {:?}", trace.lines().last());
        };
        Ok(output?)
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
