//! A changing call: a connection that is opened for it and closed after it, HTTP/1.1.
//!
//! No pool means no reused connection, and so nobody below who would send again; and it means that
//! whether anything was written is known exactly: [`Watched`] sees every write above TLS. It is also the last
//! place where a call can be held back, after all waiting for its turn, its token and its connection.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::{Either, select};
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Position, Url};

use super::chain;
use crate::dws::auth::sign::host;
use crate::dws::permit::Permit;
use crate::dws::transport::{Request, Response, TransportError, TransportErrorKind};

/// Sends the request over a connection of its own. Dropping the future closes the connection.
pub(super) async fn send(
    request: Request,
    tls: Arc<ClientConfig>,
    connect_timeout: Duration,
    permit: Permit,
) -> Result<Response, TransportError> {
    let sent = Arc::new(AtomicBool::new(false));
    let timeout = request.timeout;
    let address = host(&request.url).to_owned();
    let gate = Gate {
        permit,
        sent: Arc::clone(&sent),
    };
    let outcome =
        tokio::time::timeout(timeout, exchange(request, tls, connect_timeout, gate)).await;
    // Read after the exchange has ended: its futures are gone and nothing is written any more.
    let (kind, message) = match outcome {
        Ok(Ok(response)) => return Ok(response),
        Ok(Err(error)) => error,
        Err(_) => (
            TransportErrorKind::Timeout,
            format!("no whole answer within {timeout:?}"),
        ),
    };
    Err(TransportError {
        kind,
        sent: sent.load(Ordering::Acquire),
        message: format!("{address}: {message}"),
    })
}

type Broken = (TransportErrorKind, String);

async fn exchange(
    request: Request,
    tls: Arc<ClientConfig>,
    connect_timeout: Duration,
    gate: Gate,
) -> Result<Response, Broken> {
    let connect = connect(&request.url, tls);
    let stream = tokio::time::timeout(connect_timeout, connect)
        .await
        .map_err(|_| {
            (
                TransportErrorKind::Timeout,
                format!("no connection within {connect_timeout:?}"),
            )
        })??;
    let stream = TokioIo::new(Watched { stream, gate });
    let (mut sender, connection) = http1::handshake(stream)
        .await
        .map_err(|error| broken(&error))?;

    let max_answer = request.max_answer;
    let request = hyper_request(request)?;
    let exchange = pin!(async move {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| broken(&error))?;
        let (head, body) = response.into_parts();
        let body = read(body, max_answer).await?;
        Ok(Response {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    });
    match select(exchange, pin!(connection)).await {
        Either::Left((outcome, _)) => outcome,
        // The connection has ended; what it read before is still to be had.
        Either::Right((_, exchange)) => exchange.await,
    }
}

async fn read(mut body: hyper::body::Incoming, max_answer: usize) -> Result<Bytes, Broken> {
    let too_large = || {
        let message = format!("the answer is larger than {max_answer} bytes");
        (TransportErrorKind::TooLarge, message)
    };
    // What announces itself as too large is not read at all.
    if body.size_hint().lower() > max_answer as u64 {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error))?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        if bytes.len() + data.len() > max_answer {
            return Err(too_large());
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes.freeze())
}

fn hyper_request(request: Request) -> Result<http::Request<Full<Bytes>>, Broken> {
    let other = |message: String| (TransportErrorKind::Other, message);
    let target = &request.url[Position::BeforePath..Position::AfterQuery];
    let target: Uri = target
        .parse()
        .map_err(|_| other("the path is none".to_owned()))?;
    let host = HeaderValue::from_str(host(&request.url))
        .map_err(|_| other("the host is none".to_owned()))?;
    let mut message = http::Request::new(Full::new(request.body));
    *message.method_mut() = request.method;
    *message.uri_mut() = target;
    *message.headers_mut() = request.headers;
    message.headers_mut().insert(HOST, host);
    message
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(message)
}

async fn connect(url: &Url, tls: Arc<ClientConfig>) -> Result<Box<dyn Stream>, Broken> {
    let refuse = |error: &dyn std::error::Error| (TransportErrorKind::Connect, chain(error));
    let no_host = || {
        (
            TransportErrorKind::Connect,
            "the address names no host".to_owned(),
        )
    };
    let port = url.port_or_known_default().ok_or_else(no_host)?;
    let tcp = match url.host().ok_or_else(no_host)? {
        Host::Domain(domain) => TcpStream::connect((domain, port)).await,
        Host::Ipv4(address) => TcpStream::connect((address, port)).await,
        Host::Ipv6(address) => TcpStream::connect((address, port)).await,
    }
    .map_err(|error| refuse(&error))?;
    tcp.set_nodelay(true).map_err(|error| refuse(&error))?;
    if url.scheme() != "https" {
        return Ok(Box::new(tcp));
    }
    let name = match url.host().ok_or_else(no_host)? {
        Host::Domain(domain) => {
            ServerName::try_from(domain.to_owned()).map_err(|error| refuse(&error))?
        }
        Host::Ipv4(address) => ServerName::from(std::net::IpAddr::from(address)),
        Host::Ipv6(address) => ServerName::from(std::net::IpAddr::from(address)),
    };
    let stream = TlsConnector::from(tls)
        .connect(name, tcp)
        .await
        .map_err(|error| refuse(&error))?;
    Ok(Box::new(stream))
}

fn broken(error: &hyper::Error) -> Broken {
    let kind = if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_parse() {
        TransportErrorKind::Other
    } else {
        TransportErrorKind::Reset
    };
    (kind, chain(error))
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Notes the first attempt to write: from then on a byte *can* have reached the service. Without the permit
/// there is no first one.
struct Watched {
    stream: Box<dyn Stream>,
    gate: Gate,
}

struct Gate {
    permit: Permit,
    sent: Arc<AtomicBool>,
}

impl Gate {
    fn pass(&self) -> io::Result<()> {
        // What has begun is written to its end: half a request helps nobody.
        if self.sent.load(Ordering::Acquire) || self.permit.holds() {
            // Before the write and not after it: TLS can fail with half of it on its way.
            self.sent.store(true, Ordering::Release);
            return Ok(());
        }
        Err(io::Error::other(
            "not sent: this process may make no changing call any more",
        ))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !buf.is_empty() {
            self.gate.pass()?;
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
