//! Programs that we use and do not write (helm, kustomize), as `hack/tools.sh` builds them.
//!
//! It knows that script, and nothing of what the programs do.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::Result;
use super::figures::figure;

/// Where a program is. `None`: it is not built, and Go, which builds it, is missing; that is told as a figure
/// of `suite`, so that what was left out shows at the end of `make test`.
///
/// # Errors
/// It could be built and is not.
pub fn tool(name: &str, suite: &str) -> Result<Option<PathBuf>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hack/tools.sh");
    let found = Command::new("bash")
        .arg(&script)
        .args(["--find", name])
        .output()
        .context("cannot run bash")?;
    if found.status.success() {
        let path = String::from_utf8(found.stdout)?;
        return Ok(Some(PathBuf::from(path.trim())));
    }
    if Command::new("go").arg("version").output().is_err() {
        figure(
            suite,
            &format!("skipped: {name} is not built, and Go, which builds it, is missing"),
        );
        return Ok(None);
    }
    bail!("{}", String::from_utf8_lossy(&found.stderr).trim());
}
