//! A warehouse comes up with nothing around the two programs but what their images hold, as the user that the
//! images name: names are found in `/etc/hosts` and by DNS, and the service is trusted by the file of
//! authorities. It takes the archives that `make image` has left.

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use super::support::control_plane::{ControlPlane, shared};
use super::support::figures::figure;
use super::support::guard::{GuardedDirectory, GuardedProcess};
use super::support::process::free_port;
use super::support::stack::{ACCESS_KEY, REGION, SECRET_KEY, reqwest_client};
use super::support::{Result, eventually};
use super::{gunzip, root, untar};

const LIMIT: Duration = Duration::from_mins(1);
/// An address of the loopback interface that nobody else listens on.
const NAME_SERVER: &str = "127.0.0.77";

/// The files of one image, in a directory of their own.
struct Unpacked {
    program: &'static str,
    directory: GuardedDirectory,
}

impl Unpacked {
    fn new(program: &'static str) -> Result<Self> {
        let archive = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("target/image")
            .join(format!("{program}.tar"));
        let archive = std::fs::read(&archive)
            .with_context(|| format!("{}: run make image first", archive.display()))?;
        let (files, _) = untar(&archive);
        let docker: Value = serde_json::from_slice(&files["manifest.json"].content)?;
        let layer = docker[0]["Layers"][0].as_str().context("no layer")?;
        let directory = GuardedDirectory::new("dws-image")?;
        tar::Archive::new(gunzip(&files[layer].content).as_slice()).unpack(directory.path())?;
        Ok(Self { program, directory })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Its program, with this environment alone and with this image as its root.
    fn command(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Command {
        let mut command = Command::new("env");
        command.args(["-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]);
        command.args(
            environment
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        );
        command.args(["unshare", "--map-user=65532", "--map-group=65532"]);
        command.arg(format!("--root={}", self.directory.path().display()));
        command.arg(format!("/{}", self.program)).args(arguments);
        command
    }

    fn names(&self) -> Result<BTreeSet<PathBuf>> {
        let mut found = BTreeSet::new();
        let mut rest = vec![self.directory.path().to_owned()];
        while let Some(directory) = rest.pop() {
            for entry in std::fs::read_dir(directory)? {
                let path = entry?.path();
                if path.is_dir() {
                    rest.push(path.clone());
                }
                found.insert(path);
            }
        }
        Ok(found)
    }
}

/// Answers every question for an address with 127.0.0.1, and counts them.
fn name_server() -> Result<Arc<AtomicUsize>> {
    let socket = UdpSocket::bind((NAME_SERVER, 53)).context("port 53 of a name server: be root")?;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question) {
            // The name ends at the first empty label; its type and class follow.
            let Some(name) = question[12..length].iter().position(|byte| *byte == 0) else {
                continue;
            };
            let end = 12 + name + 5;
            let is_a = question[end - 4..end - 2] == [0, 1];
            let mut answer = question[..end].to_vec();
            answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
            if is_a {
                count.fetch_add(1, Ordering::SeqCst);
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            if socket.send_to(&answer, from).is_err() {
                break;
            }
        }
    });
    Ok(asked)
}

/// TLS for `name` in front of a server: the authority that certifies it, the port, and its connections.
async fn certified(name: &str, behind: String) -> Result<(String, u16, Arc<AtomicUsize>)> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, count, behind) = (acceptor.clone(), count.clone(), behind.clone());
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                let mut behind = TcpStream::connect(behind).await.ok()?;
                count.fetch_add(1, Ordering::SeqCst);
                tokio::io::copy_bidirectional(&mut stream, &mut behind)
                    .await
                    .ok()
            });
        }
    });
    Ok((authority.pem(), port, connections))
}

/// The admin's kubeconfig with the authority within, since a file of this machine is not in the image.
fn kubeconfig(plane: &ControlPlane) -> Result<String> {
    use base64::Engine as _;
    let mut config: Value = serde_json::from_slice(&std::fs::read(plane.kubeconfig())?)?;
    let cluster = config["clusters"][0]["cluster"]
        .as_object_mut()
        .context("no cluster")?;
    let file = cluster
        .remove("certificate-authority")
        .context("no authority")?;
    let pem = std::fs::read(file.as_str().context("no path")?)?;
    let pem = base64::engine::general_purpose::STANDARD.encode(pem);
    cluster.insert("certificate-authority-data".to_owned(), pem.into());
    Ok(config.to_string())
}

#[tokio::test(flavor = "multi_thread")] // TLS is served while kubectl waits.
#[ignore = "takes what `make image` has left; `make image-check` runs it"]
async fn a_warehouse_comes_up_with_nothing_but_the_images() -> Result<()> {
    let (service, operator) = (
        Unpacked::new("dws-simulator")?,
        Unpacked::new("dws-operator")?,
    );
    let version = operator.command(&[], &["--version"]).output()?;
    ensure!(version.status.success(), "{version:?}");
    let refused = operator.command(&[], &["run"]).output()?;
    ensure!(refused.status.code() == Some(2), "{refused:?}");

    let plane = shared().await?;
    let crds = operator.command(&[], &["crd"]).output()?;
    plane.apply_crds(&String::from_utf8(crds.stdout)?).await?;

    let logs = GuardedDirectory::new("dws-image-logs")?;
    let flags = ["--listen", "127.0.0.1:0", "--speed", "400", "--seed", "7"];
    let simulator = GuardedProcess::spawn(
        &service.command(&[], &flags),
        &logs.path().join("simulator.log"),
    )?;
    let address = eventually("the simulator", LIMIT, || {
        let log = simulator.log();
        let line = log
            .lines()
            .find_map(|line| line.split("ready on http://").nth(1));
        std::future::ready(Ok(line.map(str::to_owned)))
    })
    .await?;
    let (authority, tls, connections) = certified("dws.test", address.clone()).await?;
    let asked = name_server()?;

    // As a container runtime does for a Pod; and one more authority, behind all those of the image.
    std::fs::write(operator.path("etc/hosts"), "127.0.0.1 iam.test\n")?;
    let resolver = format!("nameserver {NAME_SERVER}\noptions timeout:2 attempts:2\n");
    std::fs::write(operator.path("etc/resolv.conf"), resolver)?;
    let authorities = std::fs::read_to_string(operator.path(root::AUTHORITIES))?;
    std::fs::write(operator.path(root::AUTHORITIES), authorities + &authority)?;
    std::fs::write(operator.path("kubeconfig"), kubeconfig(plane)?)?;
    let before = operator.names()?;

    let health = free_port()?;
    let iam = address.replace("127.0.0.1", "http://iam.test");
    let dws = format!("https://dws.test:{tls}");
    let environment = [
        ("KUBECONFIG", "/kubeconfig"),
        ("HW_AUTH_URL", iam.as_str()),
        ("DWS_ENDPOINT", dws.as_str()),
        ("HW_REGION_NAME", REGION),
        ("HW_ACCESS_KEY", ACCESS_KEY),
        ("HW_SECRET_KEY", SECRET_KEY),
    ];
    let listen = format!("--listen=127.0.0.1:{health}");
    let flags = [
        "run",
        "--allow-insecure-endpoints",
        "--poll-interval=1s",
        "--active-poll-interval=300ms",
        listen.as_str(),
    ];
    let running = GuardedProcess::spawn(
        &operator.command(&environment, &flags),
        &logs.path().join("operator.log"),
    )?;
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cluster.yaml");
    let applied = plane
        .kubectl()
        .arg("apply")
        .arg("-f")
        .arg(manifest)
        .output()?;
    ensure!(applied.status.success(), "{applied:?}");
    let ready = plane
        .kubectl()
        .args([
            "wait",
            "--for=condition=Ready",
            "dwsc/orders-dw",
            "--timeout=60s",
        ])
        .output()?;
    ensure!(ready.status.success(), "{ready:?}\n{}", running.log());

    let names = asked.load(Ordering::SeqCst);
    ensure!(names > 0, "dws.test was found without asking for it");
    let trusted = connections.load(Ordering::SeqCst);
    ensure!(trusted > 0, "nothing went through TLS");
    ensure!(operator.names()? == before, "it wrote into its image");
    let metrics = reqwest_client()?
        .get(format!("http://127.0.0.1:{health}/metrics"))
        .send()
        .await?
        .text()
        .await?;
    let revision = metrics
        .lines()
        .find_map(|line| line.split("revision=\"").nth(1))
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default();
    ensure!(revision.len() >= 40, "{revision:?} is no commit");
    figure(
        "image",
        &format!(
            "a warehouse is Ready with nothing but the images: {names} answers of a name server, {trusted} TLS \
             connections, nothing written, revision {revision}"
        ),
    );
    Ok(())
}
