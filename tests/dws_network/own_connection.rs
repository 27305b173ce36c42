//! A changing call has a connection of its own and is written once, whatever comes back; reads share a
//! pool and follow nothing either.

use std::sync::Arc;

use dws_operator::dws::transport::{Transport as _, TransportErrorKind};

use super::server::{Reply, Server};
use super::{BOTH, always, request, send, transport};

#[tokio::test]
async fn what_is_written() {
    let server = Server::start(always(Reply::status(200, "", "{}"))).await;
    let transport = transport();
    for changing in BOTH {
        let url = server.url("/v1.0/p/clusters/c/restart?a=b%20c");
        let response = transport.send(request(&url, changing)).await.unwrap();
        assert_eq!((response.status, &response.body[..]), (200, &b"{}"[..]));
    }
    let [read, change] = server.received().try_into().unwrap();
    assert_eq!(read.line, "GET /v1.0/p/clusters/c/restart?a=b%20c HTTP/1.1");
    assert_eq!(
        change.line,
        "POST /v1.0/p/clusters/c/restart?a=b%20c HTTP/1.1"
    );
    assert_eq!(change.body, r#"{"restart":{}}"#);
    for received in [&read, &change] {
        assert_eq!(received.headers["host"], server.address.to_string());
        assert_eq!(received.headers["x-sdk-date"], "20191115T033655Z");
    }
    let names: Vec<_> = change.headers.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "connection",
            "content-length",
            "content-type",
            "host",
            "x-sdk-date"
        ]
    );
    assert_eq!(change.headers["connection"], "close");
    let names: Vec<_> = read.headers.keys().map(String::as_str).collect();
    assert_eq!(names, ["accept", "content-type", "host", "x-sdk-date"]);
}

#[tokio::test]
async fn changing_calls_share_no_connection_and_reads_do() {
    let server = Server::start(always(Reply::status(200, "", "{}"))).await;
    let transport = transport();
    for _ in 0..10 {
        transport
            .send(request(&server.url("/"), false))
            .await
            .unwrap();
    }
    assert_eq!(server.counts().await, (1, 10));
    for _ in 0..10 {
        transport
            .send(request(&server.url("/"), true))
            .await
            .unwrap();
    }
    assert_eq!(server.counts().await, (11, 20));
    let mut own: Vec<_> = server.received()[10..]
        .iter()
        .map(|seen| seen.connection)
        .collect();
    own.dedup();
    assert_eq!(own.len(), 10);
}

#[tokio::test]
async fn no_status_is_answered_by_sending_again() {
    let elsewhere = Server::start(always(Reply::status(200, "", "{}"))).await;
    let location = format!(
        "Location: {}\r\nRetry-After: 0\r\n",
        elsewhere.url("/there")
    );
    let mut rows = 0;
    for status in [
        201, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 407, 408, 409, 421, 425, 429,
        500, 502, 503, 504,
    ] {
        for changing in BOTH {
            let server = Server::start(always(Reply::status(status, &location, ""))).await;
            let response = send(&server.url("/"), changing).await.unwrap();
            assert_eq!(response.status, status);
            assert_eq!(server.connections(), 1, "{status}");
            assert_eq!(server.received().len(), 1, "{status}");
            rows += 1;
        }
    }
    assert_eq!(elsewhere.counts().await, (0, 0), "no redirect is followed");
    crate::figures::figure(
        "dws-client",
        &format!("{rows} statuses on the wire, each sent once"),
    );
}

#[tokio::test]
async fn a_changing_call_is_not_sent_again_after_a_reset_or_a_close() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    for reply in [
        Reply::Last(Vec::new()),
        Reply::Reset(Vec::new()),
        Reply::Last(b"HTTP/1.1 200".to_vec()),
        Reply::Last(half.clone()),
        Reply::Reset(half),
    ] {
        let server = Server::start(always(reply.clone())).await;
        let error = send(&server.url("/"), true).await.unwrap_err();
        assert_eq!(
            (error.kind, error.sent),
            (TransportErrorKind::Reset, true),
            "{error} {reply:?}"
        );
        assert_eq!(server.counts().await, (1, 1), "{reply:?}");
    }
}

/// A pool would write to the kept connection, find it closed, and send again on another.
#[tokio::test]
async fn a_changing_call_is_not_caught_by_a_connection_that_the_service_has_closed() {
    let replies = |seen: &super::server::Received| {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec();
        if seen.line.starts_with("GET") {
            // Kept alive by its headers, closed all the same.
            Reply::Last(answer)
        } else {
            Reply::Reset(Vec::new())
        }
    };
    let server = Server::start(Arc::new(replies)).await;
    let transport = transport();
    for round in 1..=5 {
        transport
            .send(request(&server.url("/"), false))
            .await
            .unwrap();
        let error = transport
            .send(request(&server.url("/"), true))
            .await
            .unwrap_err();
        assert!(error.sent);
        let posts = server
            .received()
            .iter()
            .filter(|seen| seen.line.starts_with("POST"))
            .count();
        assert_eq!(posts, round);
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_closes_its_connection() {
    let server = Server::start(always(Reply::Stall(Vec::new()))).await;
    let transport = transport();
    let sending = transport.send(request(&server.url("/"), true));
    let given_up = tokio::time::timeout(std::time::Duration::from_millis(100), sending).await;
    assert!(given_up.is_err());
    assert_eq!(server.counts().await, (1, 1));
}
