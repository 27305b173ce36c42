//! Where the tests on a real API server take place: one control plane with both kinds, one simulator and one
//! operator, and a namespace for each.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::support::control_plane::{ControlPlane, shared};
use crate::support::stack::{Options, Stack};
use crate::support::{Result, eventually};
use crate::world::World;

/// See the module.
pub struct Stage {
    pub plane: &'static ControlPlane,
    stack: Stack,
}

/// The one that all tests share.
pub async fn stage() -> Result<&'static Stage> {
    static STAGE: OnceCell<Stage> = OnceCell::const_new();
    STAGE
        .get_or_try_init(|| async {
            let plane = shared().await?;
            for crd in [
                include_str!("../../crds/dws.huaweicloud.com_dwsclusters.yaml"),
                include_str!("../../crds/dws.huaweicloud.com_dwssnapshots.yaml"),
            ] {
                plane.apply_crds(crd).await?;
            }
            let options = Options {
                simulator: vec!["--automated-snapshots".to_owned(), "off".to_owned()],
                ..Options::default()
            };
            let stack = Stack::start(&plane.kubeconfig(), options).await?;
            Ok(Stage { plane, stack })
        })
        .await
}

impl Stage {
    /// A world in a namespace of its own with this name.
    pub async fn world(&self, namespace: &str) -> Result<World> {
        let client = self.plane.client().await?;
        let api: Api<Namespace> = Api::all(client.clone());
        let object =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        api.create(&PostParams::default(), &serde_json::from_value(object)?)
            .await?;
        Ok(World::new(client, &self.stack.url, namespace))
    }

    /// A world in a namespace that somebody made.
    pub async fn existing(&self, namespace: &str) -> Result<World> {
        Ok(World::new(
            self.plane.client().await?,
            &self.stack.url,
            namespace,
        ))
    }

    /// With the policy that is installed beside the operator: a protected warehouse is refused its deletion.
    pub async fn with_protection(&self, namespace: &str, protected: &str) -> Result<()> {
        let policy =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/base/deletion-protection.yaml");
        let (code, said) = self
            .kubectl(
                &["apply", "--server-side", "-f", &policy.to_string_lossy()],
                &[],
            )
            .await?;
        ensure!(code == 0, "{said}");
        // The API server takes a moment to heed it.
        eventually(
            "the policy refuses a deletion",
            Duration::from_mins(1),
            || async {
                let arguments = [
                    "delete",
                    "dwsc",
                    protected,
                    "-n",
                    namespace,
                    "--dry-run=server",
                ];
                let (code, said) = self.kubectl(&arguments, &[]).await?;
                Ok((code != 0 && said.contains("deletionProtection")).then_some(()))
            },
        )
        .await
    }

    /// kubectl with these arguments and these objects on stdin; gives its exit code and what it printed.
    pub async fn kubectl(&self, arguments: &[&str], objects: &[Value]) -> Result<(i32, String)> {
        use tokio::io::AsyncWriteExt as _;

        let mut command = tokio::process::Command::from(self.plane.kubectl());
        command
            .args(arguments)
            .stdin(std::process::Stdio::piped())
            .kill_on_drop(true);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            // One that reads nothing may be gone by now.
            let _ = stdin.write_all(list.to_string().as_bytes()).await;
        }
        let done = child.wait_with_output().await?;
        let text = [done.stdout, done.stderr].concat();
        Ok((
            done.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&text).into_owned(),
        ))
    }
}
