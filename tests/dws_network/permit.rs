//! A changing call that may no longer be made is not written, however far it has come; one that has begun is
//! written to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dws_operator::dws::http::{HttpOptions, HttpTransport};
use dws_operator::dws::permit::Permit;
use dws_operator::dws::transport::Transport as _;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::server::{Reply, Server};
use super::{always, request, tls};

fn transport(pem: Option<String>, permit: Permit) -> HttpTransport {
    let options = HttpOptions {
        ca_bundle: pem.map(String::into_bytes),
        connect_timeout: Some(Duration::from_secs(5)),
        permit,
    };
    HttpTransport::new(&options).unwrap()
}

#[tokio::test]
async fn without_a_permit_nothing_is_written_and_reads_go_on() {
    let server = Server::start(always(Reply::status(200, "", "{}"))).await;
    let transport = transport(None, Permit::new(|| false));
    let error = transport
        .send(request(&server.url("/"), true))
        .await
        .unwrap_err();
    assert!(!error.sent, "{error}");
    assert!(
        error.message.contains("may make no changing call"),
        "{error}"
    );
    assert_eq!(server.received().len(), 0);
    transport
        .send(request(&server.url("/"), false))
        .await
        .unwrap();
    assert_eq!(server.received().len(), 1);
}

/// The connection takes its time, and the permit is gone when it stands.
#[tokio::test]
async fn a_permit_that_goes_during_the_handshake_is_missed() {
    let (pem, acceptor) = tls::certified(&["127.0.0.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let given = Arc::new(AtomicBool::new(true));
    let holds = given.clone();
    let transport = transport(Some(pem), Permit::new(move || holds.load(Ordering::SeqCst)));
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        given.store(false, Ordering::SeqCst);
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut read = Vec::new();
        let _ = stream.read_to_end(&mut read).await;
        read
    };
    let mut slow = request(&url, true);
    slow.timeout = Duration::from_secs(10);
    let (answer, read) = tokio::join!(transport.send(slow), server);
    let error = answer.unwrap_err();
    assert!(!error.sent, "{error}");
    assert_eq!(read.len(), 0, "the handshake is all that the server saw");
}

#[tokio::test]
async fn what_has_begun_is_written_to_its_end() {
    let server = Server::start(always(Reply::status(200, "", "{}"))).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let once = Permit::new(move || count.fetch_add(1, Ordering::SeqCst) == 0);
    let mut large = request(&server.url("/"), true);
    large.body = Bytes::from(vec![b'x'; 4 << 20]);
    large.timeout = Duration::from_secs(20);
    transport(None, once).send(large).await.unwrap();
    assert_eq!(server.received()[0].body.len(), 4 << 20);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
