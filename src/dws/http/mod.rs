//! The network: [`Transport`] over TCP and TLS.
//!
//! Reads share a pool of connections; a changing call has one of its own. Nothing here sends twice, follows
//! a redirect or asks the environment for a proxy.

mod own;
mod pooled;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

pub use tls::TlsError;

use super::permit::Permit;
use super::transport::{Request, Response, Transport, TransportError};

/// How to reach the network.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {
    /// PEM certificates that are trusted beside the machine's own (`--ca-bundle`).
    pub ca_bundle: Option<Vec<u8>>,
    /// How long name, TCP and TLS may take together; 10 s where absent. The request's own time-out
    /// goes on meanwhile.
    pub connect_timeout: Option<Duration>,
    /// Without it no byte of a changing call is written; given for ever where absent.
    pub permit: Permit,
}

/// The real transport. Cheap to clone; clones share the pool.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    reads: reqwest::Client,
    tls: Arc<rustls::ClientConfig>,
    connect_timeout: Duration,
    permit: Permit,
    trusted: usize,
}

impl HttpTransport {
    /// Reads the trusted certificates and prepares the pool. Nothing is connected yet.
    pub fn new(options: &HttpOptions) -> Result<Self, TlsError> {
        let roots = tls::roots(options.ca_bundle.as_deref())?;
        let trusted = roots.len();
        let tls = tls::client_config(roots)?;
        let connect_timeout = options.connect_timeout.unwrap_or(Duration::from_secs(10));
        Ok(Self {
            reads: pooled::client(tls.clone(), connect_timeout)?,
            tls: Arc::new(tls),
            connect_timeout,
            permit: options.permit.clone(),
            trusted,
        })
    }

    /// How many certificate authorities are trusted: with none, every `https` endpoint is refused.
    pub fn trusted_authorities(&self) -> usize {
        self.trusted
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        if request.changing {
            Box::pin(own::send(
                request,
                Arc::clone(&self.tls),
                self.connect_timeout,
                self.permit.clone(),
            ))
        } else {
            Box::pin(pooled::send(&self.reads, request))
        }
    }
}

/// An error and its causes, as one text.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some errors repeat their cause in their own text.
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
