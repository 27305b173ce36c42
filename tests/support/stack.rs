//! Simulator and operator beside a control plane: the world in which scenarios and the demo take place.
//!
//! It knows the programs by their flags, environment and ready lines only.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::guard::GuardedDirectory;
use super::process::{Process, free_port};
use super::proxy::Proxy;
use super::{Result, eventually};

/// Access key that the simulator accepts by default.
pub const ACCESS_KEY: &str = "SIMULATORACCESSKEY01";
/// Its secret key.
pub const SECRET_KEY: &str = "SimulatorSecretKeyForTryingThings0000001";
/// The simulator's region and project.
pub const REGION: &str = "cn-north-4";

/// How the two programs are started.
#[derive(Clone)]
pub struct Options {
    /// Divides how long the service's tasks take.
    pub speed: u32,
    /// Further flags of the simulator.
    pub simulator: Vec<String>,
    /// Further flags of the operator; a later one of the same name wins.
    pub operator: Vec<String>,
    /// Further environment of the operator, or a replacement of what [`Stack::operator_env`] sets.
    pub env: Vec<(String, String)>,
    /// Namespaces that the operator looks at; all of them when empty.
    pub namespaces: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            speed: 400,
            simulator: Vec::new(),
            operator: Vec::new(),
            env: Vec::new(),
            namespaces: Vec::new(),
        }
    }
}

/// A simulator, an operator that talks to it, and where they log.
pub struct Stack {
    /// `dws-simulator`.
    pub simulator: Process,
    /// `dws-operator`; `None` after it was killed.
    pub operator: Option<Process>,
    /// The simulator's address.
    pub url: String,
    /// Where `/metrics`, `/healthz` and `/readyz` of the operator are.
    pub health: String,
    kubeconfig: PathBuf,
    options: Options,
    directory: GuardedDirectory,
}

impl Stack {
    /// Starts both and waits until the operator is ready.
    pub async fn start(kubeconfig: &Path, options: Options) -> Result<Self> {
        let mut stack = Self::simulator_only(kubeconfig, options).await?;
        stack.start_operator().await?;
        Ok(stack)
    }

    /// Starts the simulator alone.
    pub async fn simulator_only(kubeconfig: &Path, options: Options) -> Result<Self> {
        let directory = GuardedDirectory::new("dws-stack")?;
        let mut command = Process::simulator()?;
        command.args([
            "--listen",
            "127.0.0.1:0",
            "--seed",
            "7",
            "--speed",
            &options.speed.to_string(),
        ]);
        command.args(&options.simulator);
        let mut simulator = Process::spawn(&command, &directory.path().join("simulator.log"))?;
        let ready = simulator
            .wait_for_log("dws-simulator ready on ", 0, Duration::from_secs(20))
            .await?;
        let url = ready.rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self {
            simulator,
            operator: None,
            url,
            health: String::new(),
            kubeconfig: kubeconfig.to_owned(),
            options,
            directory,
        })
    }

    /// Starts the operator (again) and waits until it is ready.
    pub async fn start_operator(&mut self) -> Result<()> {
        self.launch_operator()?;
        let health = self.health.clone();
        let http = reqwest_client()?;
        let ready = eventually("the operator's /readyz", Duration::from_mins(2), || {
            let request = http.get(format!("{health}/readyz"));
            async move {
                Ok(request
                    .send()
                    .await
                    .ok()
                    .filter(|answer| answer.status().is_success())
                    .map(|_| ()))
            }
        })
        .await;
        ready.map_err(|error| {
            anyhow::anyhow!(
                "{error}; its log ends:\n{}",
                super::guard::tail(&self.operator_log())
            )
        })
    }

    /// Starts the operator without waiting for anything.
    pub fn launch_operator(&mut self) -> Result<()> {
        let port = free_port()?;
        self.health = format!("http://127.0.0.1:{port}");
        let mut command = Process::operator()?;
        command.arg("run").arg("--allow-insecure-endpoints");
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        for (flag, value) in [
            ("--poll-interval", "1s"),
            ("--active-poll-interval", "300ms"),
            ("--ambiguity-window", "4s"),
            ("--request-timeout", "3s"),
            ("--max-requests-per-second", "200"),
        ] {
            // A flag cannot be given twice.
            if !self.options.operator.iter().any(|one| one == flag) {
                command.args([flag, value]);
            }
        }
        for namespace in &self.options.namespaces {
            command.args(["--namespace", namespace]);
        }
        command.args(&self.options.operator);
        command.env("KUBECONFIG", &self.kubeconfig);
        for (key, value) in self.operator_env() {
            command.env(key, value);
        }
        for (key, value) in &self.options.env {
            command.env(key, value);
        }
        self.operator = Some(Process::spawn(
            &command,
            &self.directory.path().join("operator.log"),
        )?);
        Ok(())
    }

    /// What points the operator at the simulator.
    pub fn operator_env(&self) -> Vec<(String, String)> {
        [
            ("HW_AUTH_URL", self.url.as_str()),
            ("DWS_ENDPOINT", self.url.as_str()),
            ("HW_REGION_NAME", REGION),
            ("HW_ACCESS_KEY", ACCESS_KEY),
            ("HW_SECRET_KEY", SECRET_KEY),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// From its next start on the operator talks to these instead of the API server and the simulator.
    pub fn redirect_operator(&mut self, kubernetes: &Proxy, service: &Proxy) -> Result<()> {
        self.kubeconfig = self.directory.path().join("proxy.kubeconfig");
        kubernetes.write_kubeconfig(&self.kubeconfig)?;
        let endpoint = ("DWS_ENDPOINT".to_owned(), service.url.clone());
        self.options.env.push(endpoint);
        Ok(())
    }

    /// SIGKILL for the operator.
    pub fn kill_operator(&mut self) -> Result<()> {
        if let Some(operator) = self.operator.take() {
            operator.kill_9()?;
        }
        Ok(())
    }

    /// All that the operator has printed, over all its lives.
    pub fn operator_log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("operator.log")).unwrap_or_default()
    }

    /// `GET /__sim/<what>` as JSON.
    pub async fn sim_get(&self, what: &str) -> Result<serde_json::Value> {
        let answer = reqwest_client()?
            .get(format!("{}/__sim/{what}", self.url))
            .send()
            .await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// `POST /__sim/<what>`; the answer as text.
    pub async fn sim_post(&self, what: &str, body: &serde_json::Value) -> Result<String> {
        let answer = reqwest_client()?
            .post(format!("{}/__sim/{what}", self.url))
            .json(body)
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "{what}: {status}: {text}");
        Ok(text)
    }

    /// The ledger of executed effects.
    pub async fn ledger(&self) -> Result<Vec<serde_json::Value>> {
        let ledger = self.sim_get("ledger").await?;
        let effects = ledger
            .as_array()
            .cloned()
            .or_else(|| ledger["effects"].as_array().cloned());
        Ok(effects.unwrap_or_default())
    }

    /// How many effects of this kind (`create`, `restore`, `resize`, ...) have been executed.
    pub async fn effects(&self, kind: &str) -> Result<usize> {
        Ok(self
            .ledger()
            .await?
            .iter()
            .filter(|effect| effect["effect"] == kind)
            .count())
    }
}

/// A client for loopback, with the one crypto provider of this project.
pub fn reqwest_client() -> Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()?)
}
