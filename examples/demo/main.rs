//! `make demo`: a warehouse lives its whole life from manifests, on a real kube-apiserver and etcd, with
//! the simulator in the service's place.
//!
//! It types what a user would type and prints each line that `kubectl get` shows anew. With `KEEP=1`
//! everything stays up; with `CLUSTER=current` the cluster of `KUBECONFIG` is used.

#[path = "../../tests/support/mod.rs"]
mod support;

mod install;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use install::OBJECTS;
use support::control_plane::ControlPlane;
use support::stack::{Options, Stack};

type Result<T> = anyhow::Result<T>;

/// The demo's namespace.
const NAMESPACE: &str = "dws-demo";
/// No step of a simulated life takes longer.
const LIMIT: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() -> ExitCode {
    match demo().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo ends early: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn demo() -> Result<()> {
    let keep = std::env::var("KEEP").is_ok_and(|value| value == "1");
    let current = std::env::var("CLUSTER").is_ok_and(|value| value == "current");
    let (plane, kubeconfig) = control_plane(current).await?;
    let mut demo = Demo {
        kubectl: kubectl(plane.as_ref()),
        kubeconfig,
        installed: Vec::new(),
        stack: None,
    };
    let result = tokio::select! {
        result = demo.run(keep) => result,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            println!("\nStopping.");
            Ok(())
        }
    };
    // A control plane of our own goes as a whole; in the user's nothing of ours may stay, however it ended.
    if plane.is_none() {
        let cleaned = demo.clean_up().await;
        return result.and(cleaned);
    }
    result
}

/// A control plane of our own, or the user's.
async fn control_plane(current: bool) -> Result<(Option<ControlPlane>, PathBuf)> {
    if current {
        let written = std::env::var_os("KUBECONFIG").map(PathBuf::from);
        let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".kube/config"));
        let path = written.or(home).unwrap_or_default();
        anyhow::ensure!(
            path.exists(),
            "CLUSTER=current uses the cluster of KUBECONFIG, else of ~/.kube/config, and there is no file '{}'",
            path.display()
        );
        println!("Using the cluster of {}", path.display());
        return Ok((None, path));
    }
    let plane = ControlPlane::start().await?;
    println!(
        "kube-apiserver and etcd are up in {:.1} s: {}",
        plane.started_in().as_secs_f32(),
        plane.url()
    );
    let kubeconfig = plane.kubeconfig();
    Ok((Some(plane), kubeconfig))
}

fn kubectl(plane: Option<&ControlPlane>) -> String {
    plane.map_or_else(
        || "kubectl".to_owned(),
        |plane| plane.kubectl().get_program().to_string_lossy().into_owned(),
    )
}

struct Demo {
    kubectl: String,
    kubeconfig: PathBuf,
    /// What was not there before, in the order in which it came.
    installed: Vec<String>,
    stack: Option<Stack>,
}

impl Demo {
    async fn run(&mut self, keep: bool) -> Result<()> {
        let begin = Instant::now();
        title("Install: the two kinds, a namespace, the simulator and the operator");
        self.install()?;
        let options = Options {
            speed: 200,
            namespaces: vec![NAMESPACE.to_owned()],
            ..Options::default()
        };
        let stack = Stack::start(&self.kubeconfig, options).await?;
        println!(
            "  simulator {} (200 times as fast as the service), operator {}, namespace {NAMESPACE}",
            stack.url, stack.health
        );
        self.stack = Some(stack);
        self.life().await?;
        let Some(stack) = &self.stack else {
            return Ok(());
        };

        title("What the service executed, once each");
        for effect in stack.ledger().await? {
            let text = |key: &str| effect[key].as_str().unwrap_or_default().to_owned();
            println!(
                "  {:<14} {:<34} {}",
                text("effect"),
                text("name"),
                text("id")
            );
        }
        println!("\nDone in {} s.", begin.elapsed().as_secs());
        if keep {
            self.say_how_to_look(stack);
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    fn say_how_to_look(&self, stack: &Stack) {
        println!(
            "\nIt stays up. In another terminal:\n  export KUBECONFIG={}",
            self.kubeconfig.display()
        );
        // Its own kubectl beside its own control plane: there may be none on the machine.
        let programs = Path::new(&self.kubectl).parent();
        let programs = programs.filter(|programs| programs.is_absolute());
        if let Some(programs) = programs {
            println!("  export PATH={}:$PATH", programs.display());
        }
        println!("  kubectl -n {NAMESPACE} apply -f examples/cluster.yaml");
        println!("  kubectl -n {NAMESPACE} get dws");
        println!(
            "  curl {}/__sim/help\n  curl {}/metrics",
            stack.url, stack.health
        );
        if programs.is_some() {
            println!(
                "No kube-controller-manager runs here: what a deleted owner leaves, and namespaces, stay."
            );
        }
        println!("Ctrl-C ends it and leaves nothing behind.");
    }

    async fn life(&self) -> Result<()> {
        title("A manifest becomes a data warehouse");
        self.apply("examples/cluster.yaml")?;
        self.follow("dwsc/orders-dw", "Ready", "True").await?;
        self.show(&["get", "secret", "orders-dw-connection", "-o", "custom-columns=SECRET:.metadata.name,TYPE:.type,BINDS:.metadata.ownerReferences[0].name"])?;

        title("It grows: nodeCount 3 -> 6");
        self.show(&[
            "patch",
            "dwsc/orders-dw",
            "--type=merge",
            "-p",
            r#"{"spec":{"nodeCount":6}}"#,
        ])?;
        self.follow_until("dwsc/orders-dw", "{.status.settledNodeCount}", "6")
            .await?;

        title("It restarts, once");
        let now = jiff::Timestamp::now();
        self.show(&[
            "annotate",
            "dwsc/orders-dw",
            &format!("dws.huaweicloud.com/restart-requested-at={now:.0}"),
        ])?;
        self.event("Restarted").await?;
        self.follow("dwsc/orders-dw", "Ready", "True").await?;

        title("It gets a new password; the connection Secret holds it");
        let now = jiff::Timestamp::now();
        self.show(&[
            "annotate",
            "dwsc/orders-dw",
            &format!("dws.huaweicloud.com/rotate-password-requested-at={now:.0}"),
        ])?;
        self.event("PasswordChanged").await?;

        title("It is backed up");
        self.apply("examples/snapshot.yaml")?;
        self.follow("dwss/orders-dw-before-migration", "Ready", "True")
            .await?;

        title("The backup is restored into a second warehouse");
        self.apply("examples/restore.yaml")?;
        self.follow("dwsc/orders-dw-copy", "Ready", "True").await?;

        title("What happened, as `kubectl describe` tells it");
        self.show(&[
            "get",
            "events",
            "--sort-by=.lastTimestamp",
            "-o",
            "custom-columns=OBJECT:.involvedObject.name,REASON:.reason,MESSAGE:.message",
        ])?;

        title("They go: the backup, the copy at once, the first one with a final snapshot");
        let mut delete = vec!["delete", "--wait=false"];
        delete.extend(OBJECTS);
        self.show(&delete)?;
        for object in OBJECTS {
            self.gone(object).await?;
        }
        self.show(&["get", "dws"])?;
        Ok(())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .args(["-n", NAMESPACE])
            .args(arguments);
        command
    }

    /// Runs it and prints what it prints.
    fn show(&self, arguments: &[&str]) -> Result<()> {
        let typed: Vec<String> = arguments.iter().map(|one| quoted(one)).collect();
        println!("$ kubectl {}", typed.join(" "));
        let text = self.quiet(arguments)?;
        for line in text.lines() {
            println!("  {line}");
        }
        Ok(())
    }

    fn quiet(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output()?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        anyhow::ensure!(
            output.status.success(),
            "kubectl {}: {}",
            arguments.join(" "),
            error.trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned() + error.as_str())
    }

    fn apply(&self, file: &str) -> Result<()> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        println!("$ kubectl apply -f {file}");
        print!(
            "  {}",
            self.quiet(&["apply", "-f", &path.display().to_string()])?
        );
        Ok(())
    }

    /// Prints each new row of `kubectl get` until a condition has this status.
    async fn follow(&self, object: &str, condition: &str, status: &str) -> Result<()> {
        let path = format!("{{.status.conditions[?(@.type==\"{condition}\")].status}}");
        self.follow_until(object, &path, status).await
    }

    async fn follow_until(&self, object: &str, path: &str, wanted: &str) -> Result<()> {
        let begin = Instant::now();
        let mut last = String::new();
        loop {
            let found = self.quiet(&["get", object, "-o", &format!("jsonpath={path}")])?;
            let table = self.quiet(&["get", object])?;
            let mut lines = table.lines();
            let (head, row) = (
                lines.next().unwrap_or_default(),
                lines.next().unwrap_or_default(),
            );
            let news = aligned(head, row);
            if last.is_empty() {
                println!("  {}", aligned(head, head));
            }
            // The last column is the age, which is not news.
            if news.rsplit_once(' ').map(|(rest, _)| rest)
                != last.rsplit_once(' ').map(|(rest, _)| rest)
            {
                println!("  {news}");
                last = news;
            }
            if found == wanted {
                return Ok(());
            }
            anyhow::ensure!(
                begin.elapsed() < LIMIT,
                "{object}: {path} is {found:?} after {} s",
                LIMIT.as_secs()
            );
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }

    async fn event(&self, reason: &str) -> Result<()> {
        let begin = Instant::now();
        loop {
            let found = self.quiet(&[
                "get",
                "events",
                "--field-selector",
                &format!("reason={reason}"),
                "-o",
                "custom-columns=M:.message",
                "--no-headers",
            ])?;
            if let Some(line) = found
                .lines()
                .find(|line| !line.is_empty() && !line.contains("No resources"))
            {
                println!("  event {reason}: {line}");
                return Ok(());
            }
            anyhow::ensure!(
                begin.elapsed() < LIMIT,
                "no event {reason} after {} s",
                LIMIT.as_secs()
            );
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }

    async fn gone(&self, object: &str) -> Result<()> {
        let begin = Instant::now();
        let mut last = String::new();
        loop {
            let Ok(table) = self.quiet(&["get", object, "--no-headers", "-o", "wide"]) else {
                println!("  {object} is gone");
                return Ok(());
            };
            let status = self.quiet(&[
                "get",
                object,
                "-o",
                "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}",
            ]);
            let news = status.unwrap_or(table);
            if news != last {
                println!("  {object}: {news}");
                last = news;
            }
            anyhow::ensure!(
                begin.elapsed() < LIMIT,
                "{object} is still there after {} s",
                LIMIT.as_secs()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// A row of kubectl's table with columns as wide in every call: the cells begin where the head's words do.
fn aligned(head: &str, row: &str) -> String {
    let mut begins: Vec<usize> = Vec::new();
    for (index, byte) in head.bytes().enumerate() {
        let before = index
            .checked_sub(1)
            .map_or(b' ', |before| head.as_bytes()[before]);
        if byte != b' ' && before == b' ' {
            begins.push(index);
        }
    }
    let mut cells = Vec::new();
    for (column, begin) in begins.iter().enumerate() {
        let end = begins
            .get(column + 1)
            .copied()
            .unwrap_or(row.len())
            .min(row.len());
        let cell = row.get(*begin..end).unwrap_or_default().trim();
        let width = if column == 0 { 28 } else { 14 };
        cells.push(format!("{cell:<width$}"));
    }
    cells.join(" ").trim_end().to_owned()
}

/// As a shell takes it back.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@".contains(c);
    if argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{argument}'")
    }
}

fn title(text: &str) {
    println!("\n== {text}");
}
