//! One run of the operator, from its settings to its exit code.
//!
//! The order matters: the port first (a wrong `--listen` shows at once), then Kubernetes, then the wait for
//! the definitions, then the controllers. After the first signal nothing new starts, and what is in
//! flight has [`grace`] to end and to be stored.

use std::process::ExitCode;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::config::Config;
use super::config_error::{ConfigError, flag};
use super::health::{self, Readiness};
use super::kubernetes;
use super::metrics::Metrics;
use super::{REVISION, VERSION, signals};

/// Beyond the time of one request: for storing its answer against conflicts.
const STORE: Duration = Duration::from_secs(15);

/// How long the end of what is in flight may take.
pub fn grace(request_timeout: Duration) -> Duration {
    request_timeout + STORE
}

/// Runs until told to stop.
pub async fn run(config: Config) -> Result<ExitCode, ConfigError> {
    // Two providers compiled in would make rustls panic later; installed once, it is settled here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let stop = CancellationToken::new();
    if let Err(problem) = signals::listen(stop.clone()) {
        error!("signals cannot be heard: {problem}");
        return Ok(ExitCode::FAILURE);
    }
    say(&config);

    let listener = health::bind(config.listen).await.map_err(|problem| {
        ConfigError::invalid(
            flag("listen"),
            format!("{} cannot be used ({problem})", config.listen),
            "give a free port of an address of this machine",
        )
    })?;
    let metrics = Metrics::new();
    let readiness = Readiness::default();
    let server_stop = CancellationToken::new();
    if let Ok(address) = listener.local_addr() {
        info!(%address, "serving /metrics, /healthz, /readyz");
    }
    let server = tokio::spawn(health::serve(
        listener,
        metrics.clone(),
        readiness.clone(),
        server_stop.clone(),
    ));

    let client = kubernetes::client().await?;
    let code =
        if kubernetes::wait_for_definitions(&client, &config.namespaces, &readiness, &stop).await {
            stop.cancelled().await;
            ExitCode::SUCCESS
        } else {
            ExitCode::SUCCESS
        };
    readiness.set_unready("stopping");
    server_stop.cancel();
    let _ = tokio::time::timeout(Duration::from_secs(1), server).await;
    info!("stopped");
    Ok(code)
}

/// What a person wants to see first.
fn say(config: &Config) {
    info!(version = VERSION, revision = REVISION, settings = ?config, "dws-operator starts");
    for warning in &config.warnings {
        warn!("{warning}");
    }
}
