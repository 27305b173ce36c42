//! A server that shows what came over the wire: connections, requests, and nothing hidden by a library.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub connection: usize,
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// These bytes, and the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, then the connection is closed.
    Last(Vec<u8>),
    /// These bytes, then silence.
    Stall(Vec<u8>),
    /// These bytes, then RST.
    Reset(Vec<u8>),
}

impl Reply {
    pub fn status(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        Self::Bytes(head.into_bytes())
    }
}

pub type Handler = dyn Fn(&Received) -> Reply + Send + Sync;

/// What is done with a connection before anything is read.
#[derive(Clone)]
pub enum Greeting {
    Plain,
    Tls(TlsAcceptor),
    /// RST at once.
    Reset,
    /// These bytes, then closed.
    Say(&'static [u8]),
    /// Nothing, for ever.
    Silence,
}

pub struct Server {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<Received>>>,
    /// Bytes that came outside of whole requests.
    pub stray: Arc<AtomicUsize>,
}

impl Server {
    pub async fn start(handler: Arc<Handler>) -> Self {
        Self::greeting(Greeting::Plain, handler).await
    }

    pub async fn greeting(greeting: Greeting, handler: Arc<Handler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            received: Arc::default(),
            stray: Arc::default(),
        };
        let (connections, received) = (server.connections.clone(), server.received.clone());
        let stray = server.stray.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let connection = connections.fetch_add(1, Ordering::SeqCst);
                let (received, stray) = (received.clone(), stray.clone());
                let (greeting, handler) = (greeting.clone(), handler.clone());
                tokio::spawn(async move {
                    let serving = Serving {
                        connection,
                        received,
                        stray,
                        handler,
                    };
                    match greeting {
                        Greeting::Plain => serving.serve(stream).await,
                        Greeting::Tls(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serving.serve(stream).await;
                            }
                        }
                        Greeting::Reset => reset(&stream),
                        Greeting::Say(words) => {
                            let mut stream = stream;
                            stream.write_all(words).await.unwrap();
                        }
                        Greeting::Silence => {
                            let _open = stream;
                            std::future::pending::<()>().await;
                        }
                    }
                });
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().clone()
    }

    /// Connections and requests, after the time that something sent again would take.
    pub async fn counts(&self) -> (usize, usize) {
        tokio::time::sleep(Duration::from_millis(150)).await;
        (self.connections(), self.received().len())
    }
}

struct Serving {
    connection: usize,
    received: Arc<Mutex<Vec<Received>>>,
    stray: Arc<AtomicUsize>,
    handler: Arc<Handler>,
}

impl Serving {
    async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin + Linger) {
        while let Some(received) = self.read(&mut stream).await {
            self.received.lock().push(received.clone());
            match (self.handler)(&received) {
                Reply::Bytes(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                    stream.flush().await.ok();
                }
                Reply::Last(bytes) => {
                    stream.write_all(&bytes).await.ok();
                    stream.shutdown().await.ok();
                    return;
                }
                Reply::Stall(bytes) => {
                    stream.write_all(&bytes).await.ok();
                    stream.flush().await.ok();
                    std::future::pending::<()>().await;
                }
                Reply::Reset(bytes) => {
                    stream.write_all(&bytes).await.ok();
                    // Give the bytes time to be read: a reset takes unread ones with it.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    stream.linger();
                    return;
                }
            }
        }
    }

    async fn read(&self, stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read_buf(&mut bytes).await {
                Ok(read) if read > 0 => {}
                _ => {
                    self.stray.fetch_add(bytes.len(), Ordering::SeqCst);
                    return None;
                }
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let line = lines.next()?.to_owned();
        let headers: BTreeMap<_, _> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap());
        while bytes.len() < end + length {
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
        let body = String::from_utf8(bytes[end..end + length].to_vec()).unwrap();
        Some(Received {
            connection: self.connection,
            line,
            headers,
            body,
        })
    }
}

fn reset(stream: &TcpStream) {
    stream.set_zero_linger().unwrap();
}

/// Turns the close that follows into RST.
pub trait Linger {
    fn linger(&self);
}

impl Linger for TcpStream {
    fn linger(&self) {
        reset(self);
    }
}

impl Linger for tokio_rustls::server::TlsStream<TcpStream> {
    fn linger(&self) {
        reset(self.get_ref().0);
    }
}
