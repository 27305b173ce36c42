//! Every command of the pages on installation, credentials, tenants and backup is run as it stands, in order, by a
//! shell with helm and kubectl against a real API server. Those that need more are listed with the reason.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};

use crate::blocks::sections;
use crate::shell::{PATIENCE, Shell};
use crate::support::figures::figure;
use crate::support::{Result, eventually};

/// Commands that are not run here, by how they begin, and why.
const NOT_RUN: [(&str, &str); 13] = [
    (
        "kubectl -n dws-system rollout status",
        "no Pod runs: a real node shows it",
    ),
    ("make image", "takes minutes: `make image-check` runs it"),
    ("kind load", "kind is not ours to run"),
    (
        "skopeo copy",
        "there is no registry: `make image-check` reads the archives",
    ),
    (
        "HW_REGION_NAME=eu-west-101 HW_ACCESS_KEY=... HW_SECRET_KEY=... dws-operator check",
        "there is no account: tests/check.rs has the simulator's",
    ),
    (
        "helm test dws-operator",
        "no Pod runs: a real node shows it",
    ),
    (
        "kubectl wait --for=condition=Ready dwsc/orders-dw",
        "no operator runs: tests/gitops waits like that",
    ),
    (
        "kubectl -n dws-system port-forward",
        "no Pod runs: a real node shows it",
    ),
    (
        "kubectl auth can-i create",
        "a controller adds the chart's roles to `edit`: a real node shows it",
    ),
    (
        "kubectl auth can-i update",
        "its answer `no` is an exit code: tests/chart shows the roles",
    ),
    (
        "kubectl delete namespace",
        "waits for a controller that empties it",
    ),
    ("velero backup", "Velero is not ours to run"),
    ("velero restore", "Velero is not ours to run"),
];

/// Takes away what another way of installing has left, so that the next one begins from nothing. Namespaces stay: no
/// controller would empty them.
const NOTHING: &str = "
helm list -n dws-system -q | xargs -r helm uninstall -n dws-system
kubectl delete -f deploy/base/crds.yaml --ignore-not-found
kubectl -n dws-system delete \
  secret,deployment,service,serviceaccount,role,rolebinding,networkpolicy,pdb --all
kubectl delete clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding \
  -l app.kubernetes.io/name=dws-operator
";

/// A warehouse with an id, as the operator would have made it.
const WAREHOUSE: &str = "
kubectl create namespace orders --dry-run=client -o yaml | kubectl apply -f -
kubectl -n orders delete quota --all
kubectl apply --server-side -f deploy/base/crds.yaml
kubectl wait --for=condition=Established -f deploy/base/crds.yaml
kubectl -n orders apply -f examples/cluster.yaml -f examples/snapshot.yaml
kubectl -n orders patch dwsc orders-dw --subresource=status --type merge \
  -p '{\"status\":{\"clusterId\":\"85b20d7e-9eb7-4b2a-98f3-3c8843ea3574\"}}'
";

const RELEASE: &str = "
kubectl create namespace dws-system --dry-run=client -o yaml | kubectl apply -f -
kubectl create namespace marketing --dry-run=client -o yaml | kubectl apply -f -
kubectl -n dws-system create secret generic dws-account --from-literal=HW_ACCESS_KEY=former
helm install dws-operator charts/dws-operator -n dws-system --set credentials.existingSecret=dws-account
";

/// The operator over definitions that are there.
const OPERATOR: &str = "helm install dws-operator charts/dws-operator -n dws-system --take-ownership --force-conflicts";

/// What a section finds: page, heading, and the steps that make it so.
const BEFORE: [(&str, &str, &[&str]); 10] = [
    ("installation.md", "Plain manifests", &[NOTHING]),
    ("installation.md", "Kustomize", &[NOTHING]),
    ("installation.md", "Without an account", &[NOTHING]),
    (
        "installation.md",
        "To come back later",
        &[NOTHING, WAREHOUSE, OPERATOR],
    ),
    ("installation.md", "For good", &[OPERATOR]),
    (
        "installation.md",
        "If the definitions were deleted first",
        &[WAREHOUSE],
    ),
    (
        "installation.md",
        "If the operator went first",
        &[WAREHOUSE],
    ),
    ("credentials.md", "The operator's own", &[NOTHING, RELEASE]),
    ("multi-tenancy.md", "Deletion", &[WAREHOUSE]),
    ("backup.md", "Restore", &[WAREHOUSE]),
];

struct Reader {
    shell: Shell,
    run: usize,
    left: BTreeSet<&'static str>,
    staged: usize,
}

impl Reader {
    async fn new() -> Result<Option<Self>> {
        Ok(Shell::open().await?.map(|shell| Self {
            shell,
            run: 0,
            left: BTreeSet::new(),
            staged: 0,
        }))
    }

    async fn page(&mut self, name: &str, text: &str) -> Result<()> {
        let sections = sections(text).with_context(|| name.to_owned())?;
        ensure!(!sections.is_empty(), "{name} has no command");
        for section in sections {
            let before = BEFORE
                .iter()
                .find(|(page, heading, _)| *page == name && *heading == section.heading);
            for step in before.map_or(&[][..], |(_, _, steps)| steps) {
                self.shell.goes(step).await?;
            }
            self.staged += usize::from(before.is_some());
            for command in &section.commands {
                let listed = NOT_RUN.iter().find(|(begin, _)| command.starts_with(begin));
                if let Some((begin, _)) = listed {
                    self.left.insert(begin);
                    continue;
                }
                let what = || format!("{name}, {}", section.heading);
                self.shell.goes(command).await.with_context(what)?;
                self.run += 1;
            }
        }
        Ok(())
    }

    /// What was asked of this reader was there, and a figure of it.
    fn done(&self, what: &str, left: usize, staged: usize) -> Result<()> {
        ensure!(
            self.left.len() == left && self.staged == staged,
            "{:?} not run, {} sections prepared: NOT_RUN and BEFORE speak of what the pages do not have",
            self.left,
            self.staged
        );
        figure(
            "documentation",
            &format!(
                "{} commands of {what} run on a real API server, {left} kinds of command listed as not run",
                self.run
            ),
        );
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_installation_work() -> Result<()> {
    let Some(mut reader) = Reader::new().await? else {
        return Ok(());
    };
    let page = include_str!("../../docs/installation.md");
    reader.page("installation.md", page).await?;
    reader.done("installation", 8, 7)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_readme_tenancy_backup_and_credentials_work() -> Result<()> {
    let Some(mut reader) = Reader::new().await? else {
        return Ok(());
    };
    let readme = include_str!("../../README.md");
    let install = readme
        .split("\n## ")
        .find(|section| section.starts_with("Install\n"))
        .context("no section Install")?;
    reader.page("README.md", install).await?;
    let page = include_str!("../../docs/multi-tenancy.md");
    reader.page("multi-tenancy.md", page).await?;
    the_budget_is_kept(&reader.shell).await?;
    let page = include_str!("../../docs/backup.md");
    reader.page("backup.md", page).await?;
    let page = include_str!("../../docs/credentials.md");
    reader.page("credentials.md", page).await?;
    let key = "kubectl -n dws-system get secret dws-account -o jsonpath='{.data.HW_ACCESS_KEY}' | base64 -d";
    ensure!(
        reader.shell.goes(key).await? == "...",
        "the key was not rotated"
    );
    reader.done("readme, tenancy, backup and credentials", 5, 3)
}

/// The policy of the page refuses too many nodes and `Delete`, and lets pass what the operator writes.
async fn the_budget_is_kept(shell: &Shell) -> Result<()> {
    let patch = |what: &str| {
        format!("kubectl -n orders patch dwsc orders-dw --dry-run=server --type merge -p '{what}'")
    };
    let nodes = patch(r#"{"spec":{"nodeCount":7}}"#);
    // A policy takes effect some moments after it was stored.
    eventually("a refusal", PATIENCE, async || {
        let output = shell.run(&nodes).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        Ok((!output.status.success() && said.contains("at most 6 nodes")).then_some(()))
    })
    .await?;
    let delete = shell
        .run(&patch(r#"{"spec":{"deletionPolicy":"Delete"}}"#))
        .await?;
    ensure!(!delete.status.success(), "Delete passes");
    shell.goes(&patch(r#"{"spec":{"nodeCount":6}}"#)).await?;
    // An object that is older than the policy.
    shell
        .goes(
            "kubectl get validatingadmissionpolicybinding dws-budget -o yaml >binding.yaml
             kubectl delete -f binding.yaml",
        )
        .await?;
    let before = nodes.replace("--dry-run=server", "");
    eventually("no policy", PATIENCE, async || {
        let output = shell.run(&before).await?;
        Ok(output.status.success().then_some(()))
    })
    .await?;
    shell
        .goes("grep -vE 'uid:|resourceVersion:' binding.yaml | kubectl apply -f -")
        .await?;
    let more = patch(r#"{"spec":{"nodeCount":8}}"#);
    eventually("a refusal", PATIENCE, async || {
        Ok((!shell.run(&more).await?.status.success()).then_some(()))
    })
    .await?;
    let finalizer = r#"{"metadata":{"finalizers":["dws.huaweicloud.com/finalizer"]}}"#;
    shell
        .goes(&patch(finalizer))
        .await
        .map(drop)
        .context("the operator's finalizer")?;
    // Left as the page found it.
    shell.goes("kubectl delete -f binding.yaml").await?;
    let free = "kubectl -n orders patch dwsc orders-dw --type merge -p '{\"spec\":{\"deletionProtection\":false}}'";
    eventually("no policy", PATIENCE, async || {
        Ok(shell.run(free).await?.status.success().then_some(()))
    })
    .await?;
    shell
        .goes("kubectl -n orders delete dwsc orders-dw")
        .await
        .map(drop)
}
