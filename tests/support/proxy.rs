//! A proxy on loopback between the operator and a server of its: it sees every request and may hold it,
//! answer it itself, or cut and mend the stream of the answer.
//!
//! It knows HTTP/1.1 and two ways upstream, and nothing of what is asked for.

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use super::Result;

/// A request as it came in.
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Path without the query.
    pub path: String,
    /// Query, empty where there is none.
    pub query: String,
    /// Whole body.
    pub body: Bytes,
}

impl Seen {
    /// A watch of the Kubernetes API.
    pub fn is_watch(&self) -> bool {
        self.query
            .split('&')
            .any(|one| one == "watch=true" || one == "watch=1")
    }

    /// The body as JSON, null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// The bytes of an answer; an error breaks the connection.
pub type Bytestream = BoxStream<'static, io::Result<Bytes>>;

/// What becomes of a request.
pub enum Verdict {
    /// It goes through.
    Pass,
    /// It gets no answer; `reached` is told when it stands there, carried out or not.
    Hold {
        /// It is passed on all the same.
        executed: bool,
        /// Told once it hangs.
        reached: Arc<Notify>,
    },
    /// It is not passed on.
    Answer(u16, Value),
    /// It goes through, and what comes back is changed on its way.
    Change(Box<dyn FnOnce(Bytestream) -> Bytestream + Send>),
}

/// Decides for each request.
pub type Judge = Arc<dyn Fn(&Seen) -> Verdict + Send + Sync>;

/// Whom the requests are for.
#[derive(Clone)]
pub enum Upstream {
    /// An API server, as this client's user.
    Kubernetes(kube::Client),
    /// A plain HTTP server at this `host:port`; requests arrive there as they were, signatures included.
    Plain(String),
}

/// A running proxy; it ends, with every connection, when it is dropped.
pub struct Proxy {
    /// Where it listens.
    pub url: String,
    cut: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Starts it in the runtime of the caller.
    pub async fn start(upstream: Upstream, judge: Judge) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let cut: Arc<Notify> = Arc::default();
        let told = cut.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    () = told.notified() => connections.abort_all(),
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => {
                            connections.spawn(serve(stream, upstream.clone(), judge.clone()));
                        }
                        Err(_) => return,
                    },
                }
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { url, cut, task })
    }

    /// Cuts all connections that stand.
    pub fn cut_all(&self) {
        self.cut.notify_one();
    }

    /// Writes a kubeconfig that leads here.
    pub fn write_kubeconfig(&self, file: &Path) -> Result<()> {
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {"server": self.url}}],
            "users": [{"name": "proxy", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy", "namespace": "default"}}],
        });
        std::fs::write(file, kubeconfig.to_string()).context("no kubeconfig for the proxy")
    }
}

async fn serve(stream: TcpStream, upstream: Upstream, judge: Judge) {
    let service = service_fn(move |request| {
        let (upstream, judge) = (upstream.clone(), judge.clone());
        async move { Ok::<_, Infallible>(answer(request, &upstream, &judge).await) }
    });
    // Errors are the client's going away, or a stream that was broken on purpose.
    let _ = hyper::server::conn::http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

type Answer = Response<StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>>;

async fn answer(request: Request<Incoming>, upstream: &Upstream, judge: &Judge) -> Answer {
    let (head, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return own(502, &json!({"message": error.to_string()})),
    };
    let seen = Seen {
        method: head.method.clone(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body: body.clone(),
    };
    let verdict = judge(&seen);
    let request = Request::from_parts(head, body);
    match verdict {
        Verdict::Answer(status, body) => own(status, &body),
        Verdict::Hold { executed, reached } => {
            if executed && let Ok((_, mut bytes)) = forward(request, upstream).await {
                while let Some(Ok(_)) = bytes.next().await {}
            }
            reached.notify_one();
            std::future::pending().await
        }
        Verdict::Pass => passed(forward(request, upstream).await, |bytes| bytes),
        Verdict::Change(change) => passed(forward(request, upstream).await, change),
    }
}

fn passed(
    answer: Result<(http::response::Parts, Bytestream)>,
    change: impl FnOnce(Bytestream) -> Bytestream,
) -> Answer {
    match answer {
        Ok((mut head, bytes)) => {
            hop_by_hop(&mut head.headers);
            head.headers.remove(http::header::CONTENT_LENGTH);
            Response::from_parts(
                head,
                StreamBody::new(change(bytes).map_ok(Frame::data).boxed()),
            )
        }
        Err(error) => own(502, &json!({"message": format!("{error:#}")})),
    }
}

fn own(status: u16, body: &Value) -> Answer {
    let bytes = Bytes::from(body.to_string());
    let stream = futures::stream::iter([Ok(Frame::data(bytes))]).boxed();
    let mut answer = Response::new(StreamBody::new(stream));
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let json = http::HeaderValue::from_static("application/json");
    answer
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    answer
}

/// Headers of one connection, not of the exchange.
fn hop_by_hop(headers: &mut HeaderMap) {
    for name in ["connection", "keep-alive", "transfer-encoding", "upgrade"] {
        headers.remove(name);
    }
}

async fn forward(
    request: Request<Bytes>,
    upstream: &Upstream,
) -> Result<(http::response::Parts, Bytestream)> {
    let (mut head, body) = request.into_parts();
    hop_by_hop(&mut head.headers);
    match upstream {
        Upstream::Kubernetes(client) => {
            for name in ["host", "content-length", "authorization"] {
                head.headers.remove(name);
            }
            let body = kube::client::Body::from(body.to_vec());
            let answer = client.send(Request::from_parts(head, body)).await?;
            let (head, body) = answer.into_parts();
            Ok((head, data(body)))
        }
        Upstream::Plain(address) => {
            let stream = TcpStream::connect(address).await?;
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            let answer = sender
                .send_request(Request::from_parts(head, Full::new(body)))
                .await?;
            let (head, body) = answer.into_parts();
            Ok((head, data(body)))
        }
    }
}

/// The data of a body, its trailers left out.
fn data<B>(body: B) -> Bytestream
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    BodyStream::new(body)
        .filter_map(|frame| {
            let frame = frame.map(|frame| frame.into_data().ok());
            std::future::ready(frame.map_err(io::Error::other).transpose())
        })
        .boxed()
}

/// The lines of a stream, each with its end; what is left without one at the end is dropped.
pub fn lines(bytes: Bytestream) -> Bytestream {
    futures::stream::unfold((bytes, Vec::new()), |(mut bytes, mut rest)| async move {
        loop {
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let after = rest.split_off(end + 1);
                return Some((Ok(Bytes::from(rest)), (bytes, after)));
            }
            match bytes.next().await? {
                Ok(more) => rest.extend_from_slice(&more),
                Err(error) => return Some((Err(error), (bytes, rest))),
            }
        }
    })
    .boxed()
}
