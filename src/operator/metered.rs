//! Counts what goes over the wire: a [`Transport`] around a [`Transport`].
//!
//! It sees method, path and status and nothing else of a request; headers and bodies hold secrets.

use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;

use super::metrics::Metrics;
use crate::dws::transport::{Request, Response, Transport, TransportError, TransportErrorKind};

/// See the module.
pub struct Metered {
    inner: Arc<dyn Transport>,
    metrics: Metrics,
}

impl Metered {
    /// Counts what goes through `inner`.
    pub fn new(inner: Arc<dyn Transport>, metrics: Metrics) -> Self {
        Self { inner, metrics }
    }
}

impl Transport for Metered {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let operation = operation(&request.method, request.url.path());
        let start = Instant::now();
        async move {
            let answer = self.inner.send(request).await;
            self.metrics
                .called(operation, result(&answer), start.elapsed());
            answer
        }
        .boxed()
    }
}

/// The operation that a request is, in one of a dozen fixed words.
fn operation(method: &Method, path: &str) -> &'static str {
    let parts = path.split('/').filter(|part| !part.is_empty());
    let parts = parts.collect::<Vec<_>>();
    match (method.as_str(), parts.as_slice()) {
        ("POST", [.., "auth", "tokens"]) => "authenticate",
        ("GET", ["v3", "projects"]) => "find_project",
        ("GET", [_, _, "clusters"]) => "list_clusters",
        ("POST", [_, _, "clusters"]) => "create_cluster",
        ("GET", [_, _, "clusters", _]) => "get_cluster",
        ("DELETE", [_, _, "clusters", _]) => "delete_cluster",
        ("POST", [_, _, "clusters", _, "restart"]) => "restart_cluster",
        ("POST", [_, _, "clusters", _, "resize"]) => "resize_cluster",
        ("POST", [_, _, "clusters", _, "reset-password"]) => "reset_password",
        ("GET", [_, _, "snapshots"]) => "list_snapshots",
        ("POST", [_, _, "snapshots"]) => "create_snapshot",
        ("GET", [_, _, "snapshots", _]) => "get_snapshot",
        ("DELETE", [_, _, "snapshots", _]) => "delete_snapshot",
        ("POST", [_, _, "snapshots", _, "actions"]) => "restore_snapshot",
        ("GET", [_, _, "node-types"]) => "list_node_types",
        _ => "other",
    }
}

fn result(answer: &Result<Response, TransportError>) -> &'static str {
    match answer {
        Ok(response) => match response.status {
            200..=299 => "ok",
            300..=399 => "redirect",
            401 => "unauthenticated",
            429 => "throttled",
            400..=499 => "refused",
            _ => "failed",
        },
        Err(error) => match error.kind {
            TransportErrorKind::Connect => "no_connection",
            TransportErrorKind::Timeout => "timeout",
            TransportErrorKind::Reset => "reset",
            TransportErrorKind::TooLarge => "too_large",
            TransportErrorKind::Other => "broken",
        },
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    #[test]
    fn every_operation_has_its_word() {
        let rows = [
            ("POST", "/v3/auth/tokens", "authenticate"),
            ("GET", "/v3/projects", "find_project"),
            ("GET", "/v1.0/p/clusters", "list_clusters"),
            ("POST", "/v1.0/p/clusters", "create_cluster"),
            ("GET", "/v1.0/p/clusters/c", "get_cluster"),
            ("DELETE", "/v1.0/p/clusters/c", "delete_cluster"),
            ("POST", "/v1.0/p/clusters/c/restart", "restart_cluster"),
            ("POST", "/v1.0/p/clusters/c/resize", "resize_cluster"),
            (
                "POST",
                "/v1.0/p/clusters/c/reset-password",
                "reset_password",
            ),
            ("GET", "/v1.0/p/snapshots", "list_snapshots"),
            ("POST", "/v1.0/p/snapshots", "create_snapshot"),
            ("GET", "/v1.0/p/snapshots/s", "get_snapshot"),
            ("DELETE", "/v1.0/p/snapshots/s", "delete_snapshot"),
            ("POST", "/v1.0/p/snapshots/s/actions", "restore_snapshot"),
            ("GET", "/v2/p/node-types", "list_node_types"),
            ("PUT", "/v1.0/p/clusters/c", "other"),
        ];
        for (method, path, word) in rows {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(operation(&method, path), word, "{method} {path}");
        }
    }

    #[test]
    fn every_answer_has_its_word() {
        let rows = [
            (200, "ok"),
            (202, "ok"),
            (302, "redirect"),
            (401, "unauthenticated"),
            (403, "refused"),
            (409, "refused"),
            (429, "throttled"),
            (500, "failed"),
            (504, "failed"),
        ];
        for (status, word) in rows {
            let answer = Ok(Response {
                status,
                headers: HeaderMap::new(),
                body: Bytes::new(),
            });
            assert_eq!(result(&answer), word, "{status}");
        }
        let lost = Err(TransportError {
            kind: TransportErrorKind::Timeout,
            sent: true,
            message: String::new(),
        });
        assert_eq!(result(&lost), "timeout");
    }
}
