//! Every command of the pages is run as it stands, in order, by a shell with helm, kubectl and our programs against a
//! real API server and a simulator. Those that need more are listed with the reason (`pages.rs`).

use anyhow::{Context, ensure};

use crate::pages::{INSTALLATION, OTHERS, USE, before, listed, read};
use crate::shell::{PATIENCE, Shell};
use crate::support::figures::figure;
use crate::support::{Result, eventually};

struct Reader {
    shell: Shell,
    run: usize,
}

impl Reader {
    async fn new() -> Result<Option<Self>> {
        let shell = Shell::open().await?;
        Ok(shell.map(|shell| Self { shell, run: 0 }))
    }

    async fn page(&mut self, name: &str) -> Result<()> {
        for section in read(name)? {
            self.prepare(name, &section.heading).await?;
            for command in &section.commands {
                if listed(command).is_some() {
                    continue;
                }
                let what = || format!("{name}, {}", section.heading);
                self.prepare(name, command).await.with_context(what)?;
                let said = self.shell.goes(command).await.with_context(what)?;
                // curl ends well whatever it was answered.
                ensure!(
                    !command.starts_with("curl") || !said.contains("\"error\""),
                    "{command}: {said}"
                );
                self.run += 1;
            }
        }
        Ok(())
    }

    async fn prepare(&self, page: &str, at: &str) -> Result<()> {
        for step in before(page, at) {
            self.shell.goes(step).await?;
        }
        Ok(())
    }

    fn done(&self, pages: &[&str]) {
        let (run, pages) = (self.run, pages.join(", "));
        figure(
            "documentation",
            &format!("{run} commands of {pages} run on a real API server"),
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_installation_work() -> Result<()> {
    let Some(mut reader) = Reader::new().await? else {
        return Ok(());
    };
    for page in INSTALLATION {
        reader.page(page).await?;
    }
    reader.done(INSTALLATION);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_readme_tenancy_backup_and_credentials_work() -> Result<()> {
    let Some(mut reader) = Reader::new().await? else {
        return Ok(());
    };
    for page in USE {
        reader.page(page).await?;
        if *page == "docs/multi-tenancy.md" {
            the_budget_is_kept(&reader.shell).await?;
        }
    }
    let key = "kubectl -n dws-system get secret dws-account -o jsonpath='{.data.HW_ACCESS_KEY}' | base64 -d";
    ensure!(
        reader.shell.goes(key).await? == "...",
        "the key was not rotated"
    );
    reader.done(USE);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_other_pages_work() -> Result<()> {
    let Some(mut reader) = Reader::new().await? else {
        return Ok(());
    };
    for page in OTHERS {
        reader.page(page).await?;
    }
    let mark =
        "kubectl -n orders get secret orders-dw-connection -o jsonpath='{.metadata.annotations}'";
    ensure!(
        reader.shell.goes(mark).await?.contains("\"orders-dw/\""),
        "the kept Secret is not marked"
    );
    reader.done(OTHERS);
    Ok(())
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
