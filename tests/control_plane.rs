//! The harness itself: a control plane starts, serves what we use of it, survives an outage, and
//! leaves nothing behind however its owner ends.

mod support;

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{Api, ListParams, ObjectMeta, PostParams};
use support::Result;
use support::control_plane::{ControlPlane, shared};
use support::figures::figure;
use support::guard::{is_running, wait_until};

/// What must be gone after the owner of a control plane is.
#[derive(Debug)]
struct Traces {
    directory: PathBuf,
    address: SocketAddr,
    pids: Vec<u32>,
}

impl Traces {
    async fn of(plane: &ControlPlane) -> Result<Self> {
        Ok(Self {
            directory: plane.directory().to_owned(),
            address: plane.url().trim_start_matches("https://").parse()?,
            pids: plane.pids().await,
        })
    }

    fn exist(&self) -> bool {
        self.directory.exists() && self.answers() && self.pids.iter().all(|&pid| is_running(pid))
    }

    fn are_gone(&self) -> bool {
        !self.directory.exists() && !self.answers() && !self.pids.iter().any(|&pid| is_running(pid))
    }

    fn answers(&self) -> bool {
        TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok()
    }

    /// In the form in which a child process tells its parent.
    fn to_line(&self) -> String {
        let pids: Vec<String> = self.pids.iter().map(u32::to_string).collect();
        format!(
            "{} {} {}",
            self.directory.display(),
            self.address,
            pids.join(",")
        )
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        Some(Self {
            directory: words.next()?.into(),
            address: words.next()?.parse().ok()?,
            pids: words
                .next()?
                .split(',')
                .map(str::parse)
                .collect::<std::result::Result<_, _>>()
                .ok()?,
        })
    }
}

/// How long watchers may take: they act at once, but on a machine that may be busy.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn starts_and_answers_readyz() -> Result<()> {
    let plane = ControlPlane::start().await?;
    let version = plane.client().await?.apiserver_version().await?;
    figure(
        "control plane",
        &format!(
            "{} ready in {:.1} s",
            version.git_version,
            plane.started_in().as_secs_f32()
        ),
    );
    assert!(version.git_version.starts_with("v1."), "{version:?}");

    let kubectl = plane
        .kubectl()
        .args(["get", "namespace", "default", "-o", "name"])
        .output()?;
    assert_eq!(
        String::from_utf8_lossy(&kubectl.stdout).trim(),
        "namespace/default",
        "{kubectl:?}"
    );
    Ok(())
}

#[tokio::test]
async fn two_at_once_know_nothing_of_each_other_and_go_when_dropped() -> Result<()> {
    let (one, two) = tokio::try_join!(ControlPlane::start(), ControlPlane::start())?;
    let namespace = one.namespace("only-in-one").await?;
    let found = two
        .kubectl()
        .args(["get", "namespace", &namespace])
        .output()?;
    assert!(!found.status.success(), "{found:?}");

    let traces = [Traces::of(&one).await?, Traces::of(&two).await?];
    assert!(traces.iter().all(Traces::exist), "{traces:?}");
    drop(one);
    assert!(
        traces[0].are_gone(),
        "at once after the drop: {:?}",
        traces[0]
    );
    assert!(traces[1].exist(), "{:?}", traces[1]);
    Ok(())
}

#[tokio::test]
async fn kept_it_runs_on_until_the_command_it_gave_is_run() -> Result<()> {
    let plane = ControlPlane::start().await?;
    let traces = Traces::of(&plane).await?;
    let stop = plane.keep().await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let existed = traces.exist();
    Command::new("sh").args(["-c", &stop]).status()?;
    assert!(existed, "kept, it ran on: {traces:?}");
    assert!(wait_until(SOON, || traces.are_gone()), "{stop}: {traces:?}");
    Ok(())
}

#[tokio::test]
async fn tests_share_one_and_take_namespaces() -> Result<()> {
    let plane = shared().await?;
    let namespaces = [
        plane.namespace("shared").await?,
        plane.namespace("shared").await?,
    ];
    assert_ne!(namespaces[0], namespaces[1]);
    assert!(std::ptr::eq(plane, shared().await?));
    Ok(())
}

#[tokio::test]
async fn custom_resources_are_served_once_applied() -> Result<()> {
    let plane = shared().await?;
    let crd = |plural: &str, kind: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {plural}.example.com}}\n\
             spec:\n  group: example.com\n  scope: Namespaced\n  names: {{plural: {plural}, kind: {kind}}}\n  versions:\n  \
             - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}\n"
        )
    };
    plane
        .apply_crds(&format!(
            "{}---\n{}",
            crd("lamps", "Lamp"),
            crd("chairs", "Chair")
        ))
        .await?;
    for plural in ["lamps", "chairs"] {
        let listed = plane
            .kubectl()
            .args(["get", plural, "--all-namespaces"])
            .output()?;
        assert!(listed.status.success(), "{listed:?}");
    }
    let refused = plane.apply_crds(&crd("Lamps", "Lamp")).await;
    assert!(refused.is_err(), "a plural with a capital is no valid name");
    Ok(())
}

#[tokio::test]
async fn users_are_bound_by_rbac_and_audited() -> Result<()> {
    let plane = ControlPlane::builder()
        .audit()
        .user("system:serviceaccount:shop:reader", &["readers"])
        .start()
        .await?;
    let reader = plane.client_as("system:serviceaccount:shop:reader").await?;
    let secrets: Api<Secret> = Api::namespaced(reader, "default");
    let Err(kube::Error::Api(refused)) = secrets.list(&ListParams::default()).await else {
        panic!("a user without a role lists no Secrets");
    };
    assert_eq!(refused.code, 403, "{refused:?}");
    let audited = wait_until(SOON, || {
        plane.audit_log().lines().any(|line| {
            line.contains("serviceaccount:shop:reader") && line.contains("\"code\":403")
        })
    });
    assert!(audited, "{}", plane.audit_log());
    Ok(())
}

#[tokio::test]
async fn data_survives_an_outage_of_the_api_server() -> Result<()> {
    let plane = ControlPlane::start().await?;
    let objects: Api<ConfigMap> = Api::namespaced(plane.client().await?, "default");
    let object = ConfigMap {
        metadata: ObjectMeta {
            name: Some("kept".to_owned()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    };
    objects.create(&PostParams::default(), &object).await?;

    plane.pause_api().await?;
    let silent = tokio::time::timeout(Duration::from_secs(1), objects.get("kept")).await;
    assert!(silent.is_err(), "paused, it answers nothing: {silent:?}");
    plane.resume_api().await?;
    objects.get("kept").await?;

    plane.stop_api().await?;
    let refused = objects.get("kept").await;
    assert!(
        matches!(
            refused,
            Err(kube::Error::Service(_) | kube::Error::HyperError(_))
        ),
        "{refused:?}"
    );
    plane.start_api().await?;
    objects.get("kept").await?;
    Ok(())
}

/// Tells a child process of the tests below to hold control planes, and how it will end.
const END: &str = "HARNESS_END";
/// Tells it the file in which it says where they are.
const FILE: &str = "HARNESS_FILE";

/// The child: holds a private control plane and the shared one until it is ended.
#[tokio::main(flavor = "current_thread")]
async fn hold_control_planes(end: &str) -> Result<()> {
    let file = std::env::var(FILE)?;
    // Taken by hand: a process that was started in the background inherits an ignored SIGINT.
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let own = ControlPlane::start().await?;
    let lines = [
        Traces::of(&own).await?.to_line(),
        Traces::of(shared().await?).await?.to_line(),
    ]
    .join("\n");
    std::fs::write(format!("{file}.new"), lines)?;
    std::fs::rename(format!("{file}.new"), &file)?;
    // Whoever started us looks at what runs before it goes.
    assert!(
        wait_until(Duration::from_mins(1), || Path::new(&format!(
            "{file}.seen"
        ))
        .exists()),
        "nobody looked"
    );
    assert_ne!(end, "panic", "the panic that was asked for");
    if tokio::time::timeout(Duration::from_mins(1), interrupt.recv())
        .await
        .is_ok()
    {
        // As the default action would: nothing of ours is dropped.
        std::process::exit(130);
    }
    Ok(())
}

/// Runs the calling test once more, in a child process that holds control planes; ends that, and
/// shows that all is gone.
fn ends_without_traces(test_name: &str, end: &str, by_signal: Option<&str>) -> Result<()> {
    if let Ok(end) = std::env::var(END) {
        return hold_control_planes(&end);
    }
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("traces");
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--exact", test_name])
        .env(END, end)
        .env(FILE, &file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let told = wait_until(Duration::from_mins(2), || {
        file.exists() || child.try_wait().is_ok_and(|end| end.is_some())
    });
    let text = if told {
        std::fs::read_to_string(&file).unwrap_or_default()
    } else {
        String::new()
    };
    let traces: Vec<Traces> = text.lines().filter_map(Traces::from_line).collect();
    let existed = traces.len() == 2 && traces.iter().all(Traces::exist);
    std::fs::write(directory.path().join("traces.seen"), "")?;
    if let Some(signal) = by_signal {
        Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()?;
    }
    let status = child.wait()?;
    assert!(existed, "the child held no two control planes: {text:?}");
    assert!(!status.success(), "it was ended by {end}: {status}");
    assert!(
        wait_until(SOON, || traces.iter().all(Traces::are_gone)),
        "after {end}: {traces:?}"
    );
    Ok(())
}

#[test]
fn nothing_is_left_after_a_panic() -> Result<()> {
    ends_without_traces("nothing_is_left_after_a_panic", "panic", None)
}

#[test]
fn nothing_is_left_after_sigkill_of_the_holder() -> Result<()> {
    ends_without_traces(
        "nothing_is_left_after_sigkill_of_the_holder",
        "SIGKILL",
        Some("-KILL"),
    )
}

#[test]
fn nothing_is_left_after_an_interrupt() -> Result<()> {
    ends_without_traces("nothing_is_left_after_an_interrupt", "SIGINT", Some("-INT"))
}
