//! No proxy from the environment. The variables are set in a child process, which is this test binary.

use std::process::Command;
use std::sync::Arc;

use super::server::{Handler, Reply, Server};
use super::{BOTH, always, send};

const TARGET: &str = "DWS_NETWORK_TARGET";

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_in_the_environment_is_not_used() {
    let ok: Arc<Handler> = always(Reply::status(200, "", "{}"));
    let target = Server::start(ok.clone()).await;
    let proxy = Server::start(ok).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "proxies::the_child", "--ignored", "--nocapture"]);
    child.env(TARGET, target.url("/"));
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(name, proxy.url(""));
        child.env(name.to_lowercase(), proxy.url(""));
    }
    child
        .env("NO_PROXY", "")
        .env("no_proxy", "")
        .env_remove("REQUEST_METHOD");
    let output = tokio::task::spawn_blocking(move || child.output())
        .await
        .unwrap()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    assert_eq!(target.received().len(), 2, "a read and a changing call");
    assert_eq!(proxy.counts().await, (0, 0));
}

/// Runs in the child alone.
#[tokio::test]
#[ignore = "the other half of the test above"]
async fn the_child() {
    let Ok(url) = std::env::var(TARGET) else {
        return;
    };
    assert!(std::env::var("HTTP_PROXY").is_ok_and(|proxy| proxy.starts_with("http://127.0.0.1:")));
    for changing in BOTH {
        assert_eq!(send(&url, changing).await.unwrap().status, 200);
    }
}
