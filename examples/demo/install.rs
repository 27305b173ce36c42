//! What the demo puts into a cluster, and how it takes it away again: nothing else is touched.

use super::support::process::Process;
use super::{Demo, NAMESPACE, Result, title};

/// What the demo makes, in the order in which it goes.
pub const OBJECTS: [&str; 3] = [
    "dwss/orders-dw-before-migration",
    "dwsc/orders-dw-copy",
    "dwsc/orders-dw",
];
const CRDS: [&str; 2] = [
    "crd/dwsclusters.dws.huaweicloud.com",
    "crd/dwssnapshots.dws.huaweicloud.com",
];

impl Demo {
    /// Puts there what is missing, and remembers it.
    pub fn install(&mut self) -> Result<()> {
        let missing: Vec<&str> = CRDS.into_iter().filter(|crd| !self.has(crd)).collect();
        if !missing.is_empty() {
            self.installed
                .extend(missing.iter().map(|crd| (*crd).to_owned()));
            let crds = Process::operator()?.arg("crd").output()?;
            anyhow::ensure!(crds.status.success(), "dws-operator crd failed");
            let file =
                std::env::temp_dir().join(format!("dws-demo-crds-{}.yaml", std::process::id()));
            std::fs::write(&file, &crds.stdout)?;
            let applied =
                self.quiet(&["apply", "--server-side", "-f", &file.display().to_string()]);
            std::fs::remove_file(&file)?;
            applied?;
        }
        self.quiet(&["wait", "--for=condition=Established", CRDS[0], CRDS[1]])?;
        let namespace = format!("namespace/{NAMESPACE}");
        if self.has(&namespace) {
            let there = self.quiet(&["get", "dwsc,dwss", "-o", "name"])?;
            anyhow::ensure!(
                !there.contains('/'),
                "namespace {NAMESPACE} holds warehouses or snapshots already, and the demo touches nothing that it did not make: delete them first\n{there}"
            );
        } else {
            self.installed.push(namespace);
            self.quiet(&["create", "namespace", NAMESPACE])?;
        }
        Ok(())
    }

    /// Takes away everything that it made; the operator runs until its finalizers are gone.
    pub async fn clean_up(&mut self) -> Result<()> {
        title("Clean up");
        let mut result = Ok(());
        if self.stack.is_some() {
            result = self.remove_objects().await;
        }
        while let Some(object) = self.installed.pop() {
            // Somebody may use the kinds by now: deleting one would delete all that is of it.
            let used = object.strip_prefix("crd/").is_some_and(|kind| {
                let names = self.quiet(&["get", kind, "--all-namespaces", "-o", "name"]);
                !names.is_ok_and(|names| !names.contains('/'))
            });
            if used {
                println!("  {object} stays: it is in use");
                continue;
            }
            // A namespace without anything of ours goes by itself, where a controller manager runs: a bare API
            // server has none, and waiting for it would be in vain.
            let (wait, how) = if object.starts_with("namespace/") {
                ("--wait=false", "goes")
            } else {
                ("--timeout=60s", "is gone")
            };
            let removed = self.quiet(&["delete", &object, "--ignore-not-found", wait]);
            if removed.is_ok() {
                println!("  {object} {how}");
            }
            result = result.and(removed.map(drop));
        }
        self.stack = None;
        result
    }

    async fn remove_objects(&self) -> Result<()> {
        let mut delete = vec!["delete", "--ignore-not-found", "--wait=false"];
        delete.extend(OBJECTS);
        self.quiet(&delete)?;
        for object in OBJECTS {
            if self.gone(object).await.is_err() {
                // An operator that has failed; the warehouses are the simulator's and go with it.
                println!("  {object}: its finalizer is taken off");
                let none = r#"{"metadata":{"finalizers":[]}}"#;
                self.quiet(&["patch", object, "--type=merge", "-p", none])?;
            }
        }
        Ok(())
    }

    fn has(&self, object: &str) -> bool {
        self.quiet(&["get", object, "-o", "name"]).is_ok()
    }
}
