//! `dws-operator run` against a real API server: it waits for its definitions, gets ready, shows
//! metrics, and stops when told to. The service is a port that takes connections and never answers.

mod support;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use dws_operator::api::DwsCluster;
use kube::api::{Api, PostParams};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use support::control_plane::ControlPlane;
use support::figures::figure;
use support::process::{Process, free_port};
use support::stack::{Options, Stack};
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
    start_at(plane, &silent_service().await?, flags)
}

fn start_at(plane: &ControlPlane, service: &str, flags: &[&str]) -> Result<Started> {
    let port = free_port()?;
    let logs = tempfile::tempdir()?;
    let mut command: Command = Process::operator()?;
    command
        .args(["run", "--allow-insecure-endpoints", "--listen"])
        .arg(format!("127.0.0.1:{port}"))
        .args(flags)
        .env("KUBECONFIG", plane.kubeconfig())
        .env("RUST_LOG", "trace")
        .env("DWS_ENDPOINT", service)
        .env("HW_AUTH_URL", service)
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
    // Never listed: the age counts from the start, so that an alert on it fires.
    let age = "last_list_age_seconds{credentials=\"own\",region=\"eu-west-101\"";
    let text = until(port, "/metrics", 200, age).await?;
    ensure!(value(&text, age)? > 0.0, "{text}");

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

/// The value of the series that begins so.
fn value(text: &str, series: &str) -> Result<f64> {
    let line = text.lines().find(|line| line.contains(series));
    let line = line.with_context(|| format!("{series} is not in\n{text}"))?;
    Ok(line.rsplit(' ').next().unwrap_or_default().parse()?)
}

#[tokio::test]
async fn one_effect_is_one_line_and_a_ready_warehouse_is_one_count() -> Result<()> {
    let plane = ControlPlane::start().await?;
    plane.apply_crds(&definitions()?).await?;
    let stack = Stack::start(&plane.kubeconfig(), Options::default()).await?;
    let api: Api<DwsCluster> = Api::namespaced(plane.client().await?, "default");
    api.create(&PostParams::default(), &cluster("counted")?)
        .await?;
    let port = stack
        .health
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .parse()?;
    let ready = "until_ready_seconds_count{kind=\"DwsCluster\"} 1";
    let text = until(port, "/metrics", 200, ready).await?;
    let age = "last_list_age_seconds{credentials=\"own\"";
    ensure!(value(&text, age)? < 30.0, "{text}");

    let log = stack.operator_log();
    let effects: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("changing call"))
        .collect();
    ensure!(stack.effects("create").await? == 1, "{effects:?}");
    ensure!(effects.len() == 1, "{effects:?}");
    let operation = effects[0].split("operation=").nth(1);
    let id = operation.and_then(|rest| rest.split(' ').next());
    ensure!(id.is_some_and(|id| id.len() == 36), "{effects:?}");
    ensure!(effects[0].contains("kind=Create"), "{effects:?}");
    ensure!(effects[0].contains("result=\"accepted\""), "{effects:?}");
    Ok(())
}

/// A service behind TLS, certified by an authority of its own: that authority, its address, and how many
/// requests came through.
async fn certified_service() -> Result<(String, String, Arc<AtomicUsize>)> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("https://{}", listener.local_addr()?);
    let requests = Arc::new(AtomicUsize::new(0));
    let seen = requests.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, seen) = (acceptor.clone(), seen.clone());
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                stream
                    .read(&mut [0; 1024])
                    .await
                    .ok()
                    .filter(|read| *read > 0)?;
                seen.fetch_add(1, Ordering::SeqCst);
                Some(())
            });
        }
    });
    Ok((authority.pem(), address, requests))
}

#[tokio::test]
async fn the_authority_of_the_ca_bundle_is_trusted_and_no_other() -> Result<()> {
    let plane = ControlPlane::start().await?;
    plane.apply_crds(&definitions()?).await?;
    let (pem, service, requests) = certified_service().await?;
    let stranger = start_at(&plane, &service, &[])?;
    until(
        stranger.port,
        "/metrics",
        200,
        "reason=\"ServiceUnavailable\"} 1",
    )
    .await?;
    ensure!(requests.load(Ordering::SeqCst) == 0, "sent to a stranger");
    drop(stranger);

    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), pem)?;
    let path = file.path().to_string_lossy();
    let _trusting = start_at(&plane, &service, &["--ca-bundle", &path])?;
    eventually("a request through TLS", LONG, || {
        let seen = requests.load(Ordering::SeqCst) > 0;
        std::future::ready(Ok(seen.then_some(())))
    })
    .await
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
