//! The boundary to the network: one exchange, replaceable.
//!
//! Whoever implements it sends exactly once and follows nothing: no retry, no redirect, no proxy from
//! the environment.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method};
use url::Url;

use super::operation::Operation;

/// One request, complete and signed.
pub struct Request {
    /// Which operation it is.
    pub operation: Operation,
    /// The method.
    pub method: Method,
    /// Where it goes: scheme, host and port, path and query.
    pub url: Url,
    /// All headers but `Host` and `Content-Length`, which follow from the rest.
    pub headers: HeaderMap,
    /// The body; it may hold a password.
    pub body: Bytes,
    /// From now to the whole answer.
    pub timeout: Duration,
    /// A changing call: a connection of its own, HTTP/1.1.
    pub changing: bool,
    /// The most bytes that the answer's body may have.
    pub max_answer: usize,
}

impl fmt::Debug for Request {
    // Headers hold signatures and tokens, the body passwords: neither is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("path", &self.url.path())
            .field("changing", &self.changing)
            .finish_non_exhaustive()
    }
}

/// The whole answer, at most the size limit.
#[derive(Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers; those of IAM hold a token.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// No answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// What happened.
    pub kind: TransportErrorKind,
    /// Whether any byte of the request can have reached the socket.
    pub sent: bool,
    /// What the network said, without addresses of queries or headers.
    pub message: String,
}

/// What happened instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// No connection: name, TCP or TLS.
    Connect,
    /// The time given ran out, in whatever phase.
    Timeout,
    /// The connection ended before the whole answer.
    Reset,
    /// The answer is larger than allowed.
    TooLarge,
    /// Anything else, an answer that is not HTTP for example.
    Other,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TransportError {}

/// Sends one request once.
pub trait Transport: Send + Sync + 'static {
    /// Sends the request and reads the whole answer. An answer of any status is `Ok`.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;
}
