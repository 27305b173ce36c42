//! The boundary to the network: one exchange, replaceable.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method};
use url::Url;

/// One request, complete and signed.
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// From now to the whole answer.
    pub timeout: Duration,
    /// A changing call: a connection of its own, HTTP/1.1.
    pub changing: bool,
}

/// The whole answer, at most the size limit.
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// No answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    pub kind: TransportErrorKind,
    /// Whether any byte of the request can have reached the socket.
    pub sent: bool,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportErrorKind {
    Connect,
    Timeout,
    Reset,
    TooLarge,
    Other,
}

/// Sends one request once.
pub trait Transport: Send + Sync + 'static {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;
}
