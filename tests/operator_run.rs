//! `dws-operator run` against a real API server: it waits for its definitions, gets ready, shows
//! metrics, and stops when told to. The service is a port that takes connections and never answers.

mod support;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use dws_operator::api::DwsCluster;
use kube::api::{Api, PostParams};
use support::control_plane::ControlPlane;
use support::figures::figure;
use support::process::{Process, free_port};
use support::{Result, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_secs(15);
const CANARIES: [&str; 3] = ["AKCANARY", "sk-canary", "token-canary"];

/// Asks once; status and body.
async fn get(port: u16, path: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.split(' ').nth(1).context("no status")?.parse()?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status, body.to_owned()))
}

/// Waits until `path` answers so.
async fn until(port: u16, path: &str, status: u16, wanted: &str) -> Result<String> {
    let what = format!("{path} with {status} and {wanted:?}");
    eventually(&what, LONG, || async {
        match get(port, path).await {
            Ok((found, body)) if found == status && body.contains(wanted) => Ok(Some(body)),
            _ => Ok(None),
        }
    })
    .await
}

/// Takes connections and keeps them, silent, for as long as the test runs.
async fn silent_service() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    Ok(address)
}

struct Started {
    process: Process,
    port: u16,
    _logs: tempfile::TempDir,
}

async fn start(plane: &ControlPlane, flags: &[&str]) -> Result<Started> {
    let service = silent_service().await?;
    let port = free_port()?;
    let logs = tempfile::tempdir()?;
    let mut command: Command = Process::operator()?;
    command
        .args(["run", "--allow-insecure-endpoints", "--listen"])
        .arg(format!("127.0.0.1:{port}"))
        .args(flags)
        .env("KUBECONFIG", plane.kubeconfig())
        .env("RUST_LOG", "trace")
        .env("DWS_ENDPOINT", &service)
        .env("HW_AUTH_URL", &service)
        .env("HW_REGION_NAME", "eu-west-101")
        .env("HW_PROJECT_ID", "0123456789abcdef0123456789abcdef")
        .env("HW_ACCESS_KEY", CANARIES[0])
        .env("HW_SECRET_KEY", CANARIES[1])
        .env("HW_SECURITY_TOKEN", CANARIES[2]);
    let log: PathBuf = logs.path().join("operator.log");
    Ok(Started {
        process: Process::spawn(&command, &log)?,
        port,
        _logs: logs,
    })
}

fn definitions() -> Result<String> {
    let output = Process::operator()?.arg("crd").output()?;
    Ok(String::from_utf8(output.stdout)?)
}

fn cluster(name: &str) -> Result<DwsCluster> {
    Ok(serde_json::from_value(serde_json::json!({
        "apiVersion": "dws.huaweicloud.com/v1alpha1",
        "kind": "DwsCluster",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "nodeType": "dws.m3.xlarge",
            "nodeCount": 3,
            "network": {
                "vpcId": "11111111-1111-1111-1111-111111111111",
                "subnetId": "22222222-2222-2222-2222-222222222222",
                "securityGroupId": "33333333-3333-3333-3333-333333333333"
            }
        }
    }))?)
}

#[tokio::test]
async fn from_the_first_start_to_the_last_signal() -> Result<()> {
    let plane = ControlPlane::start().await?;

    // Nothing is installed yet: one line says so, and it waits instead of ending.
    let Started {
        mut process,
        port,
        _logs,
    } = start(&plane, &["--request-timeout=20s"]).await?;
    let line = process.wait_for_log("is not installed", 0, LONG).await?;
    ensure!(line.contains("dws-operator crd | kubectl apply"), "{line}");
    until(port, "/readyz", 503, "dwsclusters.dws.huaweicloud.com").await?;
    until(port, "/healthz", 200, "ok").await?;
    ensure!(process.exit()?.is_none(), "it ended");

    // Installed: it gets ready by itself.
    plane.apply_crds(&definitions()?).await?;
    let begin = std::time::Instant::now();
    until(port, "/readyz", 200, "ok").await?;
    figure(
        "operator",
        &format!(
            "ready {:.1} s after the definitions",
            begin.elapsed().as_secs_f64()
        ),
    );

    // What it does shows in the metrics.
    let api: Api<DwsCluster> = Api::namespaced(plane.client().await?, "default");
    api.create(&PostParams::default(), &cluster("metered")?)
        .await?;
    let text = until(
        port,
        "/metrics",
        200,
        "dws_operator_resources{kind=\"DwsCluster\"",
    )
    .await?;
    for name in [
        "build_info",
        "process_resident_memory_bytes",
        "queue_waiting",
    ] {
        ensure!(text.contains(&format!("dws_operator_{name}")), "{text}");
    }
    until(
        port,
        "/metrics",
        200,
        "operation=\"list_clusters\",result=\"timeout\"",
    )
    .await?;
    until(port, "/metrics", 200, "reason=\"ServiceUnavailable\"} 1").await?;

    // Told to stop: it ends well, and nothing secret was written at the most talkative level.
    process.terminate()?;
    let status = process.wait_exit(Duration::from_secs(45)).await?;
    ensure!(status.code() == Some(0), "{status}: {}", process.log());
    let log = process.log();
    for canary in CANARIES {
        ensure!(!log.contains(canary), "{canary} is in the log");
    }
    ensure!(log.contains("stopped"), "{log}");
    Ok(())
}

#[tokio::test]
async fn a_signal_ends_the_wait_for_the_definitions() -> Result<()> {
    let plane = ControlPlane::start().await?;
    let mut started = start(&plane, &[]).await?;
    started
        .process
        .wait_for_log("is not installed", 0, LONG)
        .await?;
    started.process.terminate()?;
    let status = started.process.wait_exit(SHORT).await?;
    ensure!(status.code() == Some(0), "{status}");
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_at_once() -> Result<()> {
    let plane = ControlPlane::start().await?;
    plane.apply_crds(&definitions()?).await?;
    let mut started = start(&plane, &["--request-timeout=5s"]).await?;
    until(started.port, "/readyz", 200, "ok").await?;

    // A reconcile that cannot end, since the API server no longer answers it: the resource is known, and
    // looked at again while the service is silent.
    let api: Api<DwsCluster> = Api::namespaced(plane.client().await?, "default");
    api.create(&PostParams::default(), &cluster("waiting")?)
        .await?;
    let known = "dws_operator_reconciles_total{kind=\"DwsCluster\"";
    until(started.port, "/metrics", 200, known).await?;
    plane.pause_api().await?;
    until(
        started.port,
        "/metrics",
        200,
        "dws_operator_queue_running 1",
    )
    .await?;

    started.process.terminate()?;
    started
        .process
        .wait_for_log("no new work", 0, SHORT)
        .await?;
    until(started.port, "/readyz", 503, "stopping").await?;
    started.process.terminate()?;
    let status = started.process.wait_exit(SHORT).await?;
    ensure!(status.code() == Some(143), "{status}");
    Ok(())
}
