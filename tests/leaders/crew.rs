//! Replicas of one installation: a simulator, a lease, and operators that each stand behind proxies of their own.
//!
//! It knows the programs by their flags, their health and what the simulator wrote down of their requests.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::support::control_plane::{ControlPlane, shared};
use crate::support::guard::{GuardedDirectory, tail};
use crate::support::process::{Process, free_port};
use crate::support::proxy::{Judge, Proxy, Upstream, Verdict};
use crate::support::stack::{Options, Stack, reqwest_client};
use crate::support::{Result, eventually};
use crate::world::{World, items};

/// A follower begins at the earliest when its leader's lease of 15 s is over; a busy machine makes it later.
pub const TAKE_OVER: Duration = Duration::from_mins(1);
/// What should happen at once.
pub const SOON: Duration = Duration::from_secs(20);

/// The languages by which two replicas are told apart.
pub const FIRST: &str = "zh_cn";
/// See [`FIRST`].
pub const SECOND: &str = "en_us";

/// Operations of the simulator that change something.
const CHANGING: [&str; 8] = [
    "create_cluster",
    "delete_cluster",
    "restart_cluster",
    "resize_cluster",
    "reset_password",
    "create_snapshot",
    "delete_snapshot",
    "restore_cluster",
];

/// The control plane of all tests here, with both kinds in it.
async fn plane() -> Result<&'static ControlPlane> {
    static SERVED: OnceCell<()> = OnceCell::const_new();
    let plane = shared().await?;
    let serve = async || {
        for crd in [
            include_str!("../../crds/dws.huaweicloud.com_dwsclusters.yaml"),
            include_str!("../../crds/dws.huaweicloud.com_dwssnapshots.yaml"),
        ] {
            plane.apply_crds(crd).await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    SERVED.get_or_try_init(serve).await?;
    Ok(plane)
}

/// What replicas have in common.
pub struct Crew {
    /// Objects and the far side.
    pub world: World,
    stack: Stack,
    directory: GuardedDirectory,
    flags: Vec<&'static str>,
}

/// One operator.
pub struct Replica {
    /// It runs, or it ended.
    pub process: Process,
    /// What it sends its requests as.
    pub language: &'static str,
    health: String,
    kubernetes: Proxy,
    _service: Proxy,
}

impl Crew {
    /// A simulator and a namespace; `flags` are for all operators, further than those that make them quick.
    pub async fn new(flags: &[&'static str]) -> Result<Self> {
        let plane = plane().await?;
        let namespace = plane.namespace("leaders").await?;
        let options = Options {
            simulator: ["--automated-snapshots", "off"].map(str::to_owned).to_vec(),
            ..Options::default()
        };
        let stack = Stack::simulator_only(&plane.kubeconfig(), options).await?;
        let world = World::new(plane.client().await?, &stack.url, &namespace);
        Ok(Self {
            world,
            stack,
            directory: GuardedDirectory::new("dws-leaders")?,
            flags: flags.to_vec(),
        })
    }

    /// Starts an operator whose requests to the API server are judged.
    pub async fn replica(&self, language: &'static str, judge: Judge) -> Result<Replica> {
        let upstream = Upstream::Kubernetes(plane().await?.client().await?);
        let kubernetes = Proxy::start(upstream, judge).await?;
        let upstream = Upstream::Plain(self.world.url.trim_start_matches("http://").to_owned());
        let service = Proxy::start(upstream, Arc::new(|_| Verdict::Pass)).await?;
        let port = free_port()?;
        let at = self.directory.path().join(format!("operator-{port}"));
        let kubeconfig = at.with_extension("kubeconfig");
        kubernetes.write_kubeconfig(&kubeconfig)?;
        let process = self.spawn(language, port, &kubeconfig, &service.url, &at)?;
        Ok(Replica {
            process,
            language,
            health: format!("http://127.0.0.1:{port}"),
            kubernetes,
            _service: service,
        })
    }

    fn spawn(
        &self,
        language: &str,
        port: u16,
        kubeconfig: &Path,
        service: &str,
        at: &Path,
    ) -> Result<Process> {
        let mut command = Process::operator()?;
        command.args(["run", "--allow-insecure-endpoints", "--leader-election"]);
        command.args(["--lease-name", &self.world.namespace]);
        command.args(["--namespace", &self.world.namespace]);
        command.args(["--service-language", language]);
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--poll-interval", "1s", "--active-poll-interval", "300ms"]);
        command.args(["--ambiguity-window", "4s"]);
        command.args(["--max-requests-per-second", "200"]);
        command.args(&self.flags);
        for (key, value) in self.stack.operator_env() {
            command.env(key, value);
        }
        command.env("DWS_ENDPOINT", service);
        command.env("KUBECONFIG", kubeconfig);
        Process::spawn(&command, &at.with_extension("log"))
    }

    /// One that leads, and one that stands by.
    pub async fn two(&self) -> Result<(Replica, Replica)> {
        self.two_with(Arc::new(|_| Verdict::Pass)).await
    }

    /// The same; what the leader asks of the API server is judged.
    pub async fn two_with(&self, judge: Judge) -> Result<(Replica, Replica)> {
        let mut first = self.replica(FIRST, judge).await?;
        first.works(TAKE_OVER).await?;
        let mut second = self.replica(SECOND, Arc::new(|_| Verdict::Pass)).await?;
        second.is_ready("ok (standing by)", TAKE_OVER).await?;
        ensure!(first.leads().await? && !second.leads().await?);
        Ok((first, second))
    }

    /// Who holds the lease.
    pub async fn holder(&self) -> Result<String> {
        let api: Api<Lease> = Api::namespaced(plane().await?.client().await?, "default");
        let lease = api.get(&self.world.namespace).await?;
        let spec = lease.spec.context("an empty lease")?;
        Ok(spec.holder_identity.unwrap_or_default())
    }

    /// How many requests the simulator has received.
    pub async fn received(&self) -> Result<u64> {
        let requests = self.world.sim("requests").await?;
        requests["total"].as_u64().context("no total")
    }

    /// The changing requests that a replica sent, later than the first `after` of all.
    pub async fn changes_of(&self, replica: &Replica, after: u64) -> Result<Vec<Value>> {
        let requests = self.world.sim(&format!("requests?after={after}")).await?;
        let changes = items(&requests, "requests").filter(|one| {
            let operation = one["operation"].as_str().unwrap_or_default();
            let mut headers = one["headers"].as_array().into_iter().flatten();
            let is_theirs = headers.any(|header| {
                let name = header[0].as_str().unwrap_or_default();
                name.eq_ignore_ascii_case("x-language") && header[1] == replica.language
            });
            CHANGING.contains(&operation) && is_theirs
        });
        Ok(changes.cloned().collect())
    }
}

impl Replica {
    /// Waits until it works: it leads, and its first lists are in.
    pub async fn works(&mut self, limit: Duration) -> Result<Duration> {
        self.is_ready("ok", limit).await
    }

    /// Waits until `/readyz` says this, word for word, and gives how long it took.
    pub async fn is_ready(&mut self, word: &str, limit: Duration) -> Result<Duration> {
        let begin = Instant::now();
        let (http, url) = (reqwest_client()?, format!("{}/readyz", self.health));
        let what = format!("/readyz with {word:?}");
        let ready = eventually(&what, limit, || {
            let request = http.get(&url);
            async move {
                let Ok(answer) = request.send().await else {
                    return Ok(None);
                };
                let good = answer.status().is_success();
                let text = answer.text().await.unwrap_or_default();
                Ok((good && text.trim() == word).then_some(()))
            }
        });
        let log = self.process.log_path().to_owned();
        ready.await.with_context(|| {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            format!("its log ends:\n{}", tail(&log))
        })?;
        Ok(begin.elapsed())
    }

    /// What its metrics say.
    pub async fn leads(&self) -> Result<bool> {
        let answer = reqwest_client()?
            .get(format!("{}/metrics", self.health))
            .send()
            .await?;
        Ok(answer.text().await?.contains("\ndws_operator_leader 1\n"))
    }

    /// Cuts what stands between it and the API server.
    pub fn cut_kubernetes(&self) {
        self.kubernetes.cut_all();
    }

    /// Waits until it has ended, with this code and after these words.
    pub async fn ends(&mut self, code: i32, words: &str, limit: Duration) -> Result<Duration> {
        let begin = Instant::now();
        let status = self.process.wait_exit(limit).await?;
        let log = self.process.log();
        ensure!(status.code() == Some(code), "{status}: {}", tail(&log));
        let said = log.matches(words).count();
        ensure!(said == 1, "{words:?} is {said} times in\n{}", tail(&log));
        Ok(begin.elapsed())
    }
}
