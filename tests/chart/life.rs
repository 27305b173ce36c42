//! A warehouse's life, and those of its copy, as its users ask for it with kubectl: whatever makes the operator send
//! requests to the API server takes place in it.
//!
//! It knows manifests and what becomes of them, and nothing of roles.

use std::process::Output;
use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};

use crate::helm::with_input;
use crate::protection::warehouse;
use crate::support::control_plane::ControlPlane;
use crate::support::stack::{ACCESS_KEY, SECRET_KEY, Stack};
use crate::support::{Result, eventually};

/// Where it takes place.
pub const TENANT: &str = "orders";
const PATIENCE: Duration = Duration::from_mins(2);

/// Who lives, and where.
pub struct Life<'a> {
    pub plane: &'a ControlPlane,
    pub stack: &'a Stack,
}

/// A cluster without what the operator adds.
fn cluster(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsCluster",
        "metadata": {"name": name, "namespace": TENANT}, "spec": spec,
    })
}

fn secret(name: &str, texts: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": TENANT}, "stringData": texts})
}

impl Life<'_> {
    /// From the first create to the last deletion.
    pub async fn whole(&self) -> Result<()> {
        self.made().await?;
        self.restarted_and_rotated().await?;
        self.fails_twice().await?;
        self.restored_and_let_go().await?;
        self.adopted_and_deleted_after_all().await?;
        self.kubectl(&["delete", "dwss/backup", "dwsc/life", "--wait=false"])?;
        self.gone(&["dwss/backup", "dwsc/life"]).await?;
        for (effect, times) in [
            ("create", 1),
            ("restore", 1),
            ("resize", 1),
            ("restart", 1),
            ("delete_cluster", 2),
        ] {
            let executed = self.stack.effects(effect).await?;
            ensure!(executed == times, "{effect}: {executed} times");
        }
        Ok(())
    }

    /// Created, backed up, grown.
    async fn made(&self) -> Result<()> {
        let spec = warehouse(TENANT, "life", &json!({"deletionPolicy": "Delete"}))["spec"].clone();
        let mut object = cluster("life", &spec);
        self.apply(&object)?;
        self.ready("dwsc/life").await?;
        self.apply(&json!({
            "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsSnapshot",
            "metadata": {"name": "backup", "namespace": TENANT}, "spec": {"clusterRef": {"name": "life"}},
        }))?;
        self.ready("dwss/backup").await?;
        object["spec"]["nodeCount"] = 4.into();
        self.apply(&object)?;
        self.until("--for=jsonpath={.status.nodeCount}=4", &["dwsc/life"])
            .await
    }

    async fn restarted_and_rotated(&self) -> Result<()> {
        for (annotation, handled) in [
            ("restart-requested-at", "restart"),
            ("rotate-password-requested-at", "rotatePassword"),
        ] {
            let now = k8s_openapi::jiff::Timestamp::now().strftime("%FT%TZ");
            self.annotate("dwsc/life", &format!("{annotation}={now}"))?;
            let handled = format!("--for=jsonpath={{.status.handled.{handled}}}={now}");
            self.until(&handled, &["dwsc/life"]).await?;
            self.ready("dwsc/life").await?;
        }
        Ok(())
    }

    /// The same failure twice: the referenced password is weak, and is replaced by another that is.
    async fn fails_twice(&self) -> Result<()> {
        for (weak, count) in [("short", "1"), ("shorter", "2")] {
            self.apply(&secret("weak", &json!({"password": weak})))?;
            self.patch(
                "dwsc/life",
                &json!({"adminPasswordSecretRef": {"name": "weak"}}),
            )?;
            self.eventually("the failure's event", || {
                let said = self.kubectl(&[
                    "get",
                    "events",
                    "--field-selector=reason=PasswordRejected",
                    "-o",
                    "jsonpath={.items[*].count}",
                ])?;
                Ok(said.stdout == count.as_bytes())
            })
            .await?;
        }
        Ok(())
    }

    /// A copy, restored from the backup, which is to go with its resource and then is not.
    async fn restored_and_let_go(&self) -> Result<()> {
        let spec =
            json!({"restoreFrom": {"snapshotRef": {"name": "backup"}}, "deletionPolicy": "Delete"});
        self.apply(&cluster("copy", &spec))?;
        self.ready("dwsc/copy").await?;
        ensure!(self.owners("copy-connection")?.contains("DwsCluster"));
        self.patch("dwsc/copy", &json!({"deletionPolicy": "Retain"}))?;
        self.eventually("a Secret without owner", || {
            Ok(self.owners("copy-connection")?.is_empty())
        })
        .await
    }

    /// The copy is forgotten, adopted under the name of another resource with credentials of the namespace, and goes
    /// after all: its deletion waits while it is paused, and meanwhile its policy is another one. Its connection Secret,
    /// which no owner takes along, goes too.
    async fn adopted_and_deleted_after_all(&self) -> Result<()> {
        let id = self.field("dwsc/copy", "{.status.clusterId}")?;
        self.kubectl(&["delete", "dwsc/copy", "--wait=false"])?;
        self.gone(&["dwsc/copy"]).await?;
        ensure!(self.owners("copy-connection")?.is_empty());

        let keys = json!({"HW_ACCESS_KEY": ACCESS_KEY, "HW_SECRET_KEY": SECRET_KEY});
        self.apply(&secret("account", &keys))?;
        let spec = json!({"clusterId": id, "credentialsSecretRef": {"name": "account"}});
        self.apply(&cluster("adopted", &spec))?;
        self.ready("dwsc/adopted").await?;
        ensure!(self.owners("adopted-connection")?.is_empty());
        self.annotate("dwsc/adopted", "paused=true")?;
        self.kubectl(&["delete", "dwsc/adopted", "--wait=false"])?;
        self.patch("dwsc/adopted", &json!({"deletionPolicy": "Delete"}))?;
        self.annotate("dwsc/adopted", "paused-")?;
        self.gone(&["dwsc/adopted", "secret/adopted-connection"])
            .await
    }

    fn kubectl(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = self.plane.kubectl();
        Ok(command.args(arguments).args(["-n", TENANT]).output()?)
    }

    /// The same, which must go well; what it says.
    fn goes(&self, arguments: &[&str]) -> Result<String> {
        let output = self.kubectl(arguments)?;
        ensure!(output.status.success(), "{arguments:?}: {output:?}");
        Ok(String::from_utf8(output.stdout)?)
    }

    fn apply(&self, object: &Value) -> Result<()> {
        let mut command = self.plane.kubectl();
        command.args(["apply", "--server-side", "-f", "-"]);
        let output = with_input(command, &object.to_string())?;
        ensure!(output.status.success(), "{output:?}");
        Ok(())
    }

    fn annotate(&self, what: &str, annotation: &str) -> Result<()> {
        let annotation = format!("dws.huaweicloud.com/{annotation}");
        self.goes(&["annotate", "--overwrite", what, &annotation])
            .map(drop)
    }

    fn patch(&self, what: &str, spec: &Value) -> Result<()> {
        let patch = json!({ "spec": spec }).to_string();
        self.goes(&["patch", what, "--type=merge", "-p", &patch])
            .map(drop)
    }

    fn field(&self, what: &str, path: &str) -> Result<String> {
        self.goes(&["get", what, "-o", &format!("jsonpath={path}")])
    }

    /// The owners of a Secret, which is there.
    fn owners(&self, name: &str) -> Result<String> {
        self.field(&format!("secret/{name}"), "{.metadata.ownerReferences}")
    }

    async fn ready(&self, what: &str) -> Result<()> {
        self.until("--for=condition=Ready", &[what]).await
    }

    async fn gone(&self, what: &[&str]) -> Result<()> {
        self.until("--for=delete", what).await
    }

    async fn until(&self, condition: &str, what: &[&str]) -> Result<()> {
        let arguments = [&["wait", condition, "--timeout=2s"], what].concat();
        self.eventually(&format!("{what:?} {condition}"), || {
            Ok(self.kubectl(&arguments)?.status.success())
        })
        .await
    }

    async fn eventually(&self, what: &str, done: impl Fn() -> Result<bool>) -> Result<()> {
        let waited = eventually(what, PATIENCE, || async { Ok(done()?.then_some(())) });
        waited
            .await
            .map_err(|error| anyhow::anyhow!("{error}\n{}", self.stack.operator_log()))
    }
}
