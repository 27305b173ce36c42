//! Every phase in which an exchange can break, and whether a byte can have been written by then.

use std::time::{Duration, Instant};

use dws_operator::dws::transport::{Transport as _, TransportErrorKind};
use tokio::net::TcpListener;

use super::server::{Greeting, Reply, Server};
use super::{BOTH, always, request, send, transport};

#[tokio::test]
async fn before_a_connection_nothing_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    for changing in BOTH {
        let error = send(&closed, changing).await.unwrap_err();
        assert_eq!(
            (error.kind, error.sent),
            (TransportErrorKind::Connect, false),
            "{error}"
        );
        assert!(error.message.to_lowercase().contains("refused"), "{error}");
        assert!(error.message.starts_with("127.0.0.1:"), "{error}");

        let error = send("http://no-such-host.invalid/", changing)
            .await
            .unwrap_err();
        assert!(!error.sent, "{error}");
    }
}

#[tokio::test]
async fn a_handshake_that_fails_or_hangs_sends_nothing() {
    let ok = always(Reply::status(200, "", "{}"));
    for (greeting, kind) in [
        (
            Greeting::Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            TransportErrorKind::Connect,
        ),
        (Greeting::Say(b""), TransportErrorKind::Connect),
        (Greeting::Reset, TransportErrorKind::Connect),
        (Greeting::Silence, TransportErrorKind::Timeout),
    ] {
        let server = Server::greeting(greeting, ok.clone()).await;
        for changing in BOTH {
            let url = server.url("/").replace("http:", "https:");
            let error = send(&url, changing).await.unwrap_err();
            assert_eq!((error.kind, error.sent), (kind, false), "{error}");
        }
    }
}

#[tokio::test]
async fn silence_after_the_request_is_a_time_out_of_something_sent() {
    let stalls = [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ];
    let rows = stalls
        .iter()
        .flat_map(|stall| BOTH.map(|changing| (*stall, changing)));
    let rows = rows.map(|(stall, changing)| async move {
        let server = Server::start(always(Reply::Stall(stall.into()))).await;
        let begun = Instant::now();
        let error = send(&server.url("/"), changing).await.unwrap_err();
        assert_eq!(
            (error.kind, error.sent),
            (TransportErrorKind::Timeout, true),
            "{stall}"
        );
        assert!(begun.elapsed() < Duration::from_secs(4), "{stall}");
        assert_eq!(server.received().len(), 1);
    });
    futures::future::join_all(rows).await;
    crate::figures::figure(
        "dws-client",
        &format!("{} stalls on the wire", stalls.len() * 2),
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_reset_of_something_sent() {
    for reply in [
        Reply::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec()),
        Reply::Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec()),
        Reply::Last(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n".to_vec()),
    ] {
        for changing in BOTH {
            let server = Server::start(always(reply.clone())).await;
            let error = send(&server.url("/"), changing).await.unwrap_err();
            assert_eq!(
                (error.kind, error.sent),
                (TransportErrorKind::Reset, true),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_without_a_length_ends_with_its_connection() {
    for changing in BOTH {
        let reply = Reply::Last(b"HTTP/1.1 200 OK\r\n\r\n{}".to_vec());
        let server = Server::start(always(reply)).await;
        let response = send(&server.url("/"), changing).await.unwrap();
        assert_eq!(&response.body[..], b"{}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_not_an_answer() {
    for words in [
        "hello\r\n\r\n",
        "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        for changing in BOTH {
            let server = Server::start(always(Reply::Last(words.into()))).await;
            let error = send(&server.url("/"), changing).await.unwrap_err();
            assert_eq!(
                (error.kind, error.sent),
                (TransportErrorKind::Other, true),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_cut_off() {
    let chunk = format!("190\r\n{}\r\n", "x".repeat(400));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let endless = format!("{chunked}{}", chunk.repeat(3));
    for changing in BOTH {
        let server = Server::start(always(Reply::status(200, "", &"x".repeat(1000)))).await;
        assert_eq!(
            send(&server.url("/"), changing).await.unwrap().body.len(),
            1000
        );
        for reply in [
            Reply::status(200, "", &"x".repeat(1001)),
            Reply::status(500, "", &"x".repeat(1001)),
            // It would never end: the limit is found while reading, not afterwards.
            Reply::Stall(endless.clone().into()),
            // Nothing is read of what announces itself as too large.
            Reply::Stall(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n".to_vec()),
        ] {
            let server = Server::start(always(reply)).await;
            let error = send(&server.url("/"), changing).await.unwrap_err();
            assert_eq!(
                (error.kind, error.sent),
                (TransportErrorKind::TooLarge, true),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_connection_reset_before_the_request_says_what_is_true() {
    for _ in 0..20 {
        let server = Server::greeting(Greeting::Reset, always(Reply::status(200, "", "{}"))).await;
        let error = send(&server.url("/"), true).await.unwrap_err();
        // Either may come first; what must not be is a request that arrived and was not sent.
        assert!(error.sent || server.received().is_empty(), "{error}");
        assert_eq!(server.counts().await.0, 1);
    }
}

#[tokio::test]
async fn the_time_given_is_for_the_whole_exchange() {
    let server = Server::start(always(Reply::Stall(Vec::new()))).await;
    for changing in BOTH {
        let mut request = request(&server.url("/"), changing);
        request.timeout = Duration::from_millis(120);
        let begun = Instant::now();
        let error = transport().send(request).await.unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::Timeout);
        let took = begun.elapsed();
        assert!(
            took >= Duration::from_millis(110) && took < Duration::from_millis(800),
            "{took:?}"
        );
    }
}
