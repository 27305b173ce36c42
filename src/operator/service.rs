//! The way to the service and to the operator's own account, as the settings say; whoever talks to it begins
//! here.

use std::sync::Arc;

use super::config::Config;
use super::config_error::{ConfigError, flag, printable};
use super::metered::Metered;
use super::metrics::Metrics;
use crate::dws::http::{HttpOptions, HttpTransport, TlsError};
use crate::dws::permit::Permit;
use crate::dws::transport::Transport;
use crate::observer::OwnCredentials;

/// Two providers compiled in would make rustls panic later; installed once, it is settled.
pub(super) fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The way to the service, and how many certificate authorities it trusts.
pub(super) fn transport(
    config: &Config,
    metrics: &Metrics,
    permit: Permit,
) -> Result<(Arc<dyn Transport>, usize), ConfigError> {
    let options = HttpOptions {
        ca_bundle: config.ca_bundle.clone(),
        permit,
        ..HttpOptions::default()
    };
    let http = HttpTransport::new(&options).map_err(|problem| {
        let (TlsError::CaBundle(text) | TlsError::Setup(text)) = problem;
        ConfigError::invalid(
            flag("ca-bundle"),
            printable(&text),
            "write PEM certificates of authorities into the file",
        )
    })?;
    let authorities = http.trusted_authorities();
    let metered = Metered::new(Arc::new(http), metrics.clone());
    Ok((Arc::new(metered), authorities))
}

/// The operator's own account, where it has one.
pub(super) fn own_credentials(config: &Config) -> Result<Option<OwnCredentials>, ConfigError> {
    let Some(credential) = config.credential.clone() else {
        return Ok(None);
    };
    let account = config.endpoint.resolve()?;
    Ok(Some(OwnCredentials {
        config: account,
        credential,
    }))
}
