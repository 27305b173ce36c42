//! A private Kubernetes control plane: a real etcd and kube-apiserver on free loopback ports, with
//! RBAC, TLS that clients verify, and tokens made for this run. Ready in about three seconds.
//!
//! There is no controller manager: nothing collects garbage, owner references delete nothing and
//! deleted namespaces stay Terminating. It leaves no process and no file, however this process
//! ends (see `guard`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use rustix::process::Signal;
use tokio::sync::{Mutex, OnceCell};

pub use super::api_server::Builder;
use super::api_server::{api_command, assets, etcd_command, kubeconfig_path, write_inputs};
use super::guard::{GuardedDirectory, GuardedProcess};
use super::process::free_port;
use super::{Result, crds};

/// The user whom [`ControlPlane::client`] is: a member of `system:masters`.
pub const ADMIN: &str = "admin";

/// Start to ready takes 2 to 3 seconds alone on two cores; a machine that also compiles needs more.
const READY_LIMIT: Duration = Duration::from_mins(2);

/// The control plane that all tests of one binary share, started by the first that asks. It costs
/// about 400 MB of memory, so tests take a namespace of their own in it rather than another one.
/// Statics are never dropped: its watchers end it with the test binary.
pub async fn shared() -> Result<&'static ControlPlane> {
    static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
    SHARED.get_or_try_init(ControlPlane::start).await
}

impl Builder {
    /// Starts it and waits until it answers `/readyz`. A port that somebody took meanwhile is
    /// answered by another try.
    pub async fn start(mut self) -> Result<ControlPlane> {
        self.users
            .insert(0, (ADMIN.to_owned(), vec!["system:masters".to_owned()]));
        let assets = assets()?;
        let mut tries = 0;
        loop {
            tries += 1;
            match ControlPlane::launch(&self, &assets).await {
                Err(error)
                    if tries < 4 && format!("{error:#}").contains("address already in use") => {}
                done => return done,
            }
        }
    }
}

/// A running control plane; see the module.
pub struct ControlPlane {
    // Fields are dropped in this order: the directory goes after those who write to it.
    api: Mutex<Option<GuardedProcess>>,
    etcd: Mutex<GuardedProcess>,
    directory: GuardedDirectory,
    api_command: Command,
    api_port: u16,
    kubectl: PathBuf,
    started_in: Duration,
    namespaces: AtomicU32,
}

impl ControlPlane {
    /// One with the admin alone, without audit.
    pub async fn start() -> Result<Self> {
        Builder::default().start().await
    }

    /// For more than that.
    pub fn builder() -> Builder {
        Builder::default()
    }

    async fn launch(builder: &Builder, assets: &Path) -> Result<Self> {
        let begin = Instant::now();
        let directory = GuardedDirectory::new("dws-control-plane-")?;
        let at = directory.path();
        let etcd_url = format!("http://127.0.0.1:{}", free_port()?);
        let api_port = free_port()?;
        write_inputs(builder, at, api_port)?;

        let etcd = etcd_command(assets, at, &etcd_url);
        let etcd = GuardedProcess::spawn(&etcd, &at.join("etcd.log"))?;

        let api_command = api_command(builder, assets, at, &etcd_url, api_port);
        let api = GuardedProcess::spawn(&api_command, &at.join("kube-apiserver.log"))?;

        let kubectl = assets.join("kubectl");
        let mut plane = Self {
            api: Mutex::new(Some(api)),
            etcd: Mutex::new(etcd),
            directory,
            api_command,
            api_port,
            kubectl: if kubectl.exists() {
                kubectl
            } else {
                PathBuf::from("kubectl")
            },
            started_in: Duration::ZERO,
            namespaces: AtomicU32::new(0),
        };
        plane.wait_ready().await?;
        plane.started_in = begin.elapsed();
        Ok(plane)
    }

    /// From the first process to the answer of `/readyz`.
    pub fn started_in(&self) -> Duration {
        self.started_in
    }

    /// Where the API server listens.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.api_port)
    }

    /// Its data, logs and credentials.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The process ids of kube-apiserver (none while it is stopped) and etcd.
    pub async fn pids(&self) -> Vec<u32> {
        let api = self.api.lock().await.as_ref().map(GuardedProcess::pid);
        api.into_iter()
            .chain([self.etcd.lock().await.pid()])
            .collect()
    }

    /// A client for the admin, of the runtime that calls this: a client lives with its runtime, so
    /// every test makes its own. It repeats no request.
    pub async fn client(&self) -> Result<kube::Client> {
        self.client_as(ADMIN).await
    }

    /// A client for a user of [`Builder::user`].
    pub async fn client_as(&self, user: &str) -> Result<kube::Client> {
        Ok(dws_operator::operator::kubernetes::client(
            self.config_as(user).await?,
        )?)
    }

    /// The configuration behind [`ControlPlane::client_as`].
    pub async fn config_as(&self, user: &str) -> Result<kube::Config> {
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig_as(user))?;
        let mut config =
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        config.default_retry = false;
        // kube takes one from the developer's environment.
        config.proxy_url = None;
        Ok(config)
    }

    /// The admin's kubeconfig file.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig_as(ADMIN)
    }

    /// The kubeconfig file of a user of [`Builder::user`].
    pub fn kubeconfig_as(&self, user: &str) -> PathBuf {
        kubeconfig_path(self.directory.path(), user)
    }

    /// kubectl as the admin; add arguments. It is the one built with the API server, else (with
    /// `KUBEBUILDER_ASSETS` of others) the one in `PATH`.
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .env_remove("KUBECONFIG");
        command
    }

    /// Makes a namespace `<prefix>-<n>` that no other test of this control plane has.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        let name = format!(
            "{prefix}-{}",
            self.namespaces.fetch_add(1, Ordering::Relaxed)
        );
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        Api::all(self.client().await?)
            .create(&PostParams::default(), &namespace)
            .await?;
        Ok(name)
    }

    /// Applies `CustomResourceDefinition`s and waits until they are served.
    pub async fn apply_crds(&self, yaml: &str) -> Result<()> {
        crds::apply_crds(&self.client().await?, yaml).await
    }

    /// The audit log so far, one JSON object a line; empty without [`Builder::audit`].
    pub fn audit_log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("audit.log")).unwrap_or_default()
    }

    /// Kills the API server: connections break, new ones are refused. Data stays. For tests that
    /// have a control plane of their own.
    pub async fn stop_api(&self) -> Result<()> {
        if let Some(mut api) = self.api.lock().await.take() {
            api.kill()?;
        }
        Ok(())
    }

    /// Starts it again on the same port, and waits until it is ready.
    pub async fn start_api(&self) -> Result<()> {
        {
            let mut api = self.api.lock().await;
            if api.is_none() {
                let log = self.directory.path().join("kube-apiserver.log");
                *api = Some(GuardedProcess::spawn(&self.api_command, &log)?);
            }
        }
        self.wait_ready().await
    }

    /// SIGSTOP: the API server accepts connections (the kernel does) and answers nothing.
    pub async fn pause_api(&self) -> Result<()> {
        self.signal_api(Signal::STOP).await
    }

    /// SIGCONT: it answers again.
    pub async fn resume_api(&self) -> Result<()> {
        self.signal_api(Signal::CONT).await
    }

    async fn signal_api(&self, signal: Signal) -> Result<()> {
        self.api
            .lock()
            .await
            .as_ref()
            .context("kube-apiserver is stopped")?
            .signal(signal)
    }

    /// Lets it run on after this process, and gives the shell command that ends it.
    pub async fn keep(self) -> Result<String> {
        let mut pids = String::new();
        if let Some(api) = self.api.lock().await.take() {
            write!(pids, "{} ", api.keep()?)?;
        }
        write!(pids, "{}", self.etcd.into_inner().keep()?)?;
        let directory = self.directory.keep()?;
        // A polite end would wait: the API server for etcd, which goes at the same time.
        Ok(format!("kill -9 {pids}; rm -rf '{}'", directory.display()))
    }

    async fn wait_ready(&self) -> Result<()> {
        let begin = Instant::now();
        loop {
            let why = match self.ready().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            for (name, ended) in [
                ("etcd", self.etcd.lock().await.ended()?),
                ("kube-apiserver", self.api_ended().await?),
            ] {
                if let Some(how) = ended {
                    bail!("{name} {how}");
                }
            }
            if begin.elapsed() > READY_LIMIT {
                bail!(
                    "kube-apiserver is not ready after {} s: {why:#}",
                    READY_LIMIT.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn api_ended(&self) -> Result<Option<String>> {
        match self.api.lock().await.as_mut() {
            Some(api) => api.ended(),
            None => Ok(Some("was stopped".to_owned())),
        }
    }

    /// Ready is what `/readyz` says, and a `default` namespace, which appears a moment later.
    async fn ready(&self) -> Result<()> {
        // The certificate authority that the kubeconfig names is written by the server itself.
        let client = self.client().await?;
        let request = http::Request::get("/readyz").body(Vec::new())?;
        tokio::time::timeout(Duration::from_secs(5), client.request_text(request)).await??;
        Api::<Namespace>::all(client).get("default").await?;
        Ok(())
    }
}
