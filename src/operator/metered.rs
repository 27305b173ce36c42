//! Counts what goes over the wire: a [`Transport`] around a [`Transport`].
//!
//! It sees operation and status and nothing else of a request; headers and bodies hold secrets.

use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;

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
        let operation = request.operation.as_str();
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
