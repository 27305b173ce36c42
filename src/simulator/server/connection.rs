//! One connection: HTTP/1.1 in, the service's answer out, or a hang, or a reset.
//!
//! It is served by hyper itself, because a web framework always answers, and the network does not.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::{Delivery, HttpRequest, HttpResponse, Shared, too_large};

/// Larger bodies than any real request has.
const LIMIT: usize = 1 << 20;

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer, on purpose")]
struct Cut;

pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let reset = Arc::new(AtomicBool::new(false));
    let socket = Socket {
        stream,
        reset: Arc::clone(&reset),
    };
    let service = service_fn(move |request| {
        let (shared, reset) = (Arc::clone(&shared), Arc::clone(&reset));
        async move { answer(&shared, &reset, request).await }
    });
    // The service writes the `Date` header: its clock, not hyper's. Errors are the client's going away, or ours
    // on purpose.
    let _ = hyper::server::conn::http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

async fn answer(
    shared: &Shared,
    reset: &AtomicBool,
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let delivery = match Limited::new(body, LIMIT).collect().await {
        Ok(body) => shared.handle(&plain(&head, body.to_bytes().to_vec())),
        Err(_) => too_large(),
    };
    match delivery {
        Delivery::Answer(answer) => Ok(written(answer)),
        Delivery::Delayed { answer, after } => {
            tokio::time::sleep(after).await;
            Ok(written(answer))
        }
        Delivery::NoAnswer => {
            tokio::time::sleep(shared.hang).await;
            Err(Cut)
        }
        Delivery::Reset => {
            reset.store(true, Ordering::Relaxed);
            Err(Cut)
        }
    }
}

fn plain(head: &http::request::Parts, body: Vec<u8>) -> HttpRequest {
    HttpRequest {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body,
    }
}

fn written(answer: HttpResponse) -> http::Response<Full<Bytes>> {
    let mut builder = http::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    let body = Full::new(Bytes::from(answer.body));
    // Header values come from a request only in part, a redirect's location say: one that cannot be sent is a 500.
    builder.body(body).unwrap_or_else(|_| {
        let mut broken = http::Response::new(Full::new(Bytes::new()));
        *broken.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}

/// A socket that can end in a reset (RST) instead of an orderly close.
struct Socket {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // Where it cannot be set, the connection is closed without an answer: lost all the same.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // An orderly end would come before the reset and spoil it.
        if self.reset.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
