//! The Go program that judges as Flux and Argo CD do.
//!
//! It knows its arguments and its answers, and nothing of what is judged.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::Result;
use crate::support::figures::figure;

/// A verdict in one tool's words.
#[derive(Clone, Debug, Deserialize)]
pub struct Verdict {
    pub status: String,
    pub message: String,
}

/// What both make of one object.
#[derive(Clone, Debug, Deserialize)]
pub struct Verdicts {
    pub kstatus: Verdict,
    pub argo: Verdict,
}

/// The shipped health script.
pub fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/argocd/health.lua")
}

/// Whether there is no such program here: it is not built, and Go, which builds it, is missing. That is told as a
/// figure, so that what was left out shows at the end of `make test`.
pub fn is_missing() -> Result<bool> {
    Ok(program()?.is_none())
}

/// What kstatus and a health script make of these objects.
pub fn health(script: &Path, objects: &[Value]) -> Result<Vec<Verdicts>> {
    let script = script.to_str().context("a path that is no text")?;
    let all: Vec<Verdicts> = ask(&["health", script], objects)?;
    ensure!(all.len() == objects.len(), "{} verdicts", all.len());
    Ok(all)
}

/// What is wrong with objects of the kinds of Flux and Argo CD, by their own Go types; empty: nothing.
pub fn decode(objects: &[Value]) -> Result<Vec<String>> {
    ask(&["decode"], objects)
}

/// What Flux did with one object.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Change {
    /// `DwsCluster/<namespace>/<name>`.
    pub subject: String,
    /// `created`, `configured`, `unchanged`, `deleted`, `skipped`.
    pub action: String,
}

/// A `Kustomization` of Flux with these objects does this: `apply`, `force`, `wait`, `prune`, `gone`.
pub async fn flux(verb: &'static str, kubeconfig: &Path, objects: &[Value]) -> Result<Vec<Change>> {
    let kubeconfig = kubeconfig
        .to_str()
        .context("a path that is no text")?
        .to_owned();
    let objects = objects.to_vec();
    // It takes its time, and the test's other work shares the thread.
    tokio::task::spawn_blocking(move || ask(&["flux", verb, &kubeconfig, "100s"], &objects)).await?
}

fn ask<T: DeserializeOwned>(arguments: &[&str], objects: &[Value]) -> Result<T> {
    let mut child = Command::new(program()?.context("no Go")?)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let input = serde_json::to_vec(objects)?;
    child.stdin.take().context("no stdin")?.write_all(&input)?;
    let done = child.wait_with_output()?;
    ensure!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(serde_json::from_slice(&done.stdout)?)
}

/// What `hack/gitops-witness.sh` exits with where it cannot build.
const SKIPPED: i32 = 77;

/// Where it is; `None`: see [`is_missing`].
fn program() -> Result<Option<&'static Path>> {
    static PROGRAM: OnceLock<std::result::Result<Option<PathBuf>, String>> = OnceLock::new();
    let found = PROGRAM.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hack/gitops-witness.sh");
        let done = Command::new("bash")
            .arg(script)
            .output()
            .map_err(|error| error.to_string())?;
        if done.status.code() == Some(SKIPPED) {
            figure("gitops", String::from_utf8_lossy(&done.stderr).trim());
            return Ok(None);
        }
        if !done.status.success() {
            return Err(String::from_utf8_lossy(&done.stderr).into_owned());
        }
        let path = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        Ok(Some(PathBuf::from(path)))
    });
    match found {
        Ok(path) => Ok(path.as_deref()),
        Err(error) => bail!("{error}"),
    }
}
