//! The network side of the DWS client, on real sockets: what is connected, what is written, how often,
//! and what is said of it. Everything listens on loopback.

#![allow(clippy::unwrap_used)] // A helper that fails is a test that fails.

#[path = "../support/figures.rs"]
mod figures;
mod own_connection;
mod permit;
mod phases;
mod proxies;
mod server;
mod tls;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use dws_operator::dws::http::{HttpOptions, HttpTransport};
use dws_operator::dws::operation::Operation;
use dws_operator::dws::transport::{Request, Response, Transport as _, TransportError};
use http::{HeaderMap, HeaderValue, Method};

/// A transport that does not wait long for a connection. One for all: to read the machine's authorities
/// takes longer than most tests.
fn transport() -> HttpTransport {
    static TRANSPORT: LazyLock<HttpTransport> = LazyLock::new(|| {
        let connect_timeout = Some(Duration::from_millis(400));
        HttpTransport::new(&HttpOptions {
            ca_bundle: None,
            connect_timeout,
            ..HttpOptions::default()
        })
        .unwrap()
    });
    TRANSPORT.clone()
}

fn request(url: &str, changing: bool) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-sdk-date", HeaderValue::from_static("20191115T033655Z"));
    Request {
        operation: if changing {
            Operation::RestartCluster
        } else {
            Operation::ListClusters
        },
        method: if changing { Method::POST } else { Method::GET },
        url: url.parse().unwrap(),
        headers,
        body: if changing {
            Bytes::from_static(br#"{"restart":{}}"#)
        } else {
            Bytes::new()
        },
        timeout: Duration::from_millis(900),
        changing,
        max_answer: 1000,
    }
}

async fn send(url: &str, changing: bool) -> Result<Response, TransportError> {
    transport().send(request(url, changing)).await
}

/// Both ways of sending.
const BOTH: [bool; 2] = [false, true];

/// A handler that always says the same.
fn always(reply: server::Reply) -> Arc<server::Handler> {
    Arc::new(move |_| reply.clone())
}
