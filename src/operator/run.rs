//! One run of the operator, from its settings to its exit code.
//!
//! The order matters: certificates and the port first (a wrong setting shows at once), then Kubernetes, then
//! the wait for the definitions, then that for the lease, then the controllers. After the first signal nothing
//! new starts, what is in flight has [`grace`] to end and to be stored, and the lease goes last.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::Client;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::config::{Config, NamespaceSet};
use super::config_error::{ConfigError, flag};
use super::health::{self, Readiness};
use super::lease::hold::Hold;
use super::lease::{Election, Place, Terms};
use super::metrics::Metrics;
use super::observe::{self, Reporter};
use super::{REVISION, VERSION, kubernetes, service, signals};
use crate::controller::index::Index;
use crate::controller::memory::Memory;
use crate::controller::queue::Queue;
use crate::controller::run as controller;
use crate::controller::run::End;
use crate::controller::watch::LONGEST_WATCH;
use crate::controller::{Context, Settings};
use crate::dws::clock::SystemClock;
use crate::dws::permit::Permit;
use crate::dws::transport::Transport;
use crate::entropy::Entropy;
use crate::observer::{Accounts, ObserverSettings, OwnCredentials};

/// Beyond the time of one request: for storing its answer against conflicts.
const STORE: Duration = Duration::from_secs(15);
/// Of a reconcile beyond its requests: reads and writes at the API server.
const RECONCILE: Duration = Duration::from_mins(2);
/// Requests that a reconcile makes one after the other at most, roughly.
const REQUESTS_OF_A_RECONCILE: u32 = 4;

/// How long the end of what is in flight may take.
pub fn grace(request_timeout: Duration) -> Duration {
    request_timeout.saturating_add(STORE)
}

/// Runs until told to stop.
pub async fn run(config: Config) -> Result<ExitCode, ConfigError> {
    service::install_crypto();
    let stop = CancellationToken::new();
    if let Err(problem) = signals::listen(stop.clone()) {
        error!("signals cannot be heard: {problem}");
        return Ok(ExitCode::FAILURE);
    }
    // All that can still be a wrong setting comes before the first word: its one line stands alone.
    let metrics = Metrics::new();
    let terms = Terms::default();
    let hold = Hold::new(terms.give_up, Arc::new(SystemClock));
    let permit = match config.lease {
        Some(_) => hold.permit(),
        None => Permit::default(),
    };
    let (transport, authorities) = service::transport(&config, &metrics, permit.clone())?;
    let own = service::own_credentials(&config)?;
    let listener = health::bind(config.listen).await.map_err(|problem| {
        ConfigError::invalid(
            flag("listen"),
            format!("{} cannot be used ({problem})", config.listen),
            "give a free port of an address of this machine",
        )
    })?;
    let kubernetes = kubernetes::Access::infer().await?;

    say(&config);
    if authorities == 0 {
        warn!(
            "no certificate authority is trusted, so no https endpoint can be reached: install the system's certificates or give --ca-bundle"
        );
    }
    if let Ok(address) = listener.local_addr() {
        info!(%address, "serving /metrics, /healthz, /readyz");
    }
    info!(server = %kubernetes.server, "Kubernetes access found");
    let client = kubernetes.client;
    let election = config.lease.as_ref().map(|lease| {
        let place = Place::new(&kubernetes.namespace, lease);
        Election::new(client.clone(), place, terms, hold, metrics.clone())
    });

    let mut code = ExitCode::SUCCESS;
    let readiness = Readiness::default();
    let server_stop = CancellationToken::new();
    let server = tokio::spawn(health::serve(
        listener,
        metrics.clone(),
        readiness.clone(),
        server_stop.clone(),
    ));
    if kubernetes::wait_for_definitions(&client, &config.namespaces, &readiness, &stop).await {
        let stopping = readiness.clone();
        let told = stop.clone();
        tokio::spawn(async move {
            told.cancelled().await;
            stopping.set_unready("stopping");
        });
        let work = async {
            metrics.set_leader(true);
            readiness.set_unready("the first lists are not in yet");
            let accounts = accounts(&config, own, transport);
            work(
                &config,
                client,
                accounts,
                &metrics,
                &readiness,
                permit,
                stop.clone(),
            )
            .await
        };
        code = match election {
            Some(election) => lead(election, &readiness, &stop, work).await,
            None => code_of(work.await == End::Orderly),
        };
    }
    server_stop.cancel();
    // An answer under way may end; a connection that only stands open must not hold the process.
    let _ = tokio::time::timeout(Duration::from_secs(1), server).await;
    info!("stopped");
    Ok(code)
}

/// Stands by until this process leads, then works, then lets go of the lease.
async fn lead(
    mut election: Election,
    readiness: &Readiness,
    stop: &CancellationToken,
    work: impl Future<Output = End>,
) -> ExitCode {
    readiness.set_unready("the lease is not read yet");
    if !election.win(readiness, stop).await {
        return ExitCode::SUCCESS;
    }
    let reign = election.reign(stop.clone());
    let is_orderly = work.await == End::Orderly;
    let held = reign.end(is_orderly).await;
    code_of(is_orderly && held)
}

fn code_of(is_good: bool) -> ExitCode {
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What a person wants to see first.
fn say(config: &Config) {
    info!(version = VERSION, revision = REVISION, settings = ?config, "dws-operator starts");
    for warning in &config.warnings {
        warn!("{warning}");
    }
}

fn accounts(
    config: &Config,
    own: Option<OwnCredentials>,
    transport: Arc<dyn Transport>,
) -> Accounts {
    let settings = ObserverSettings {
        active_interval: signed(config.active_poll_interval),
        idle_interval: signed(config.poll_interval),
        max_requests_per_second: config.max_requests_per_second,
        endpoint: config.endpoint.clone(),
    };
    Accounts::new(
        settings,
        own,
        transport,
        Arc::new(SystemClock),
        Entropy::system(),
    )
}

/// Runs the controllers until told to stop, and until what was in flight has ended.
async fn work(
    config: &Config,
    client: Client,
    accounts: Accounts,
    metrics: &Metrics,
    readiness: &Readiness,
    permit: Permit,
    stop: CancellationToken,
) -> End {
    let reporter = Arc::new(Reporter::new(metrics.clone(), readiness.clone()));
    let (shown, seen) = (Arc::clone(&reporter), accounts.clone());
    metrics.on_scrape(move |metrics| {
        shown.show_resources(metrics);
        metrics.set_accounts(&observe::account_views(&seen, Timestamp::now()));
    });
    let queue = Arc::new(Queue::default());
    let context = Context {
        client,
        accounts,
        clock: Arc::new(SystemClock),
        entropy: Entropy::system(),
        settings: Arc::new(settings(config)),
        index: Arc::new(Index::default()),
        memory: Arc::new(Memory::default()),
        observe: reporter,
        wake: controller::waker(&queue),
        flights: None,
    };
    let options = controller::Options {
        namespaces: names(&config.namespaces),
        concurrency: usize::from(config.concurrency),
        grace: grace(config.request_timeout),
        watch_age: LONGEST_WATCH,
        permit,
    };
    controller::run(context, queue, options, stop).await
}

fn settings(config: &Config) -> Settings {
    let adoption_namespaces = match &config.adoption_namespaces {
        NamespaceSet::All => std::iter::once("*".to_owned()).collect(),
        NamespaceSet::Only(names) => names.clone(),
    };
    Settings {
        adoption_namespaces,
        allow_namespace_credentials: config.allow_namespace_credentials,
        read_definitions: config.namespaces == NamespaceSet::All,
        request_timeout: config.request_timeout,
        ambiguity_window: config.ambiguity_window,
        active_interval: config.active_poll_interval,
        idle_interval: config.poll_interval,
        reconcile_timeout: config
            .request_timeout
            .saturating_mul(REQUESTS_OF_A_RECONCILE)
            .saturating_add(RECONCILE),
    }
}

/// The namespaces to watch; empty is all.
fn names(set: &NamespaceSet) -> Vec<String> {
    match set {
        NamespaceSet::All => Vec::new(),
        NamespaceSet::Only(names) => names.iter().cloned().collect(),
    }
}

/// The settings' limits keep it far from the longest.
fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
