//! The small HTTP server: `/metrics`, `/healthz`, `/readyz`.
//!
//! It knows nothing of resources: readiness is told to it, metrics render themselves.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parking_lot::RwLock;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::metrics::{CONTENT_TYPE, Metrics};

/// Whether the operator does its work, and if not, why. Clones share the state.
#[derive(Clone, Debug)]
pub struct Readiness {
    state: Arc<RwLock<Is>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Is {
    Ready,
    StandingBy,
    Unready(String),
}

impl Default for Readiness {
    fn default() -> Self {
        Self {
            state: Arc::new(RwLock::new(Is::Unready("starting".into()))),
        }
    }
}

impl Readiness {
    /// The caches are filled and work is being done.
    pub fn set_ready(&self) {
        *self.state.write() = Is::Ready;
    }

    /// Another replica works; this one could at once.
    pub fn set_standing_by(&self) {
        *self.state.write() = Is::StandingBy;
    }

    /// It is not, for this reason (one line).
    pub fn set_unready(&self, why: impl Into<String>) {
        *self.state.write() = Is::Unready(why.into());
    }

    /// Why it is not; `None` while it is, standing by included.
    pub fn why_not(&self) -> Option<String> {
        match &*self.state.read() {
            Is::Ready | Is::StandingBy => None,
            Is::Unready(why) => Some(why.clone()),
        }
    }
}

#[derive(Clone)]
struct Shared {
    metrics: Metrics,
    readiness: Readiness,
}

/// The routes.
pub fn router(metrics: Metrics, readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(render))
        .with_state(Shared { metrics, readiness })
}

/// Takes the port, so that a wrong `--listen` shows before anything else starts.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until told to stop; requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    readiness: Readiness,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, router(metrics, readiness))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

async fn readyz(State(shared): State<Shared>) -> Response {
    let state = shared.readiness.state.read().clone();
    match state {
        Is::Ready => "ok\n".into_response(),
        Is::StandingBy => "ok (standing by)\n".into_response(),
        Is::Unready(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn render(State(shared): State<Shared>) -> Response {
    match shared.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(router: &Router, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_follows_what_is_told() {
        let readiness = Readiness::default();
        let router = router(Metrics::new(), readiness.clone());
        assert_eq!(ask(&router, "/readyz").await, (503, "starting\n".into()));
        assert_eq!(ask(&router, "/healthz").await, (200, "ok\n".into()));
        readiness.set_ready();
        assert_eq!(ask(&router, "/readyz").await, (200, "ok\n".into()));
        readiness.set_standing_by();
        let standing_by = (200, "ok (standing by)\n".into());
        assert_eq!(ask(&router, "/readyz").await, standing_by);
        readiness.set_unready("stopping");
        assert_eq!(ask(&router, "/readyz").await, (503, "stopping\n".into()));
    }

    #[tokio::test]
    async fn metrics_are_served_and_nothing_else() {
        let router = router(Metrics::new(), Readiness::default());
        let (status, text) = ask(&router, "/metrics").await;
        assert_eq!(status, 200);
        assert!(text.contains("dws_operator_build_info"), "{text}");
        assert_eq!(ask(&router, "/debug").await.0, 404);
    }

    #[tokio::test]
    async fn it_serves_on_a_port_until_told_to_stop() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let taken = listener.local_addr().unwrap();
        assert!(bind(taken).await.is_err());
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(
            listener,
            Metrics::new(),
            Readiness::default(),
            stop.clone(),
        ));
        assert!(tokio::net::TcpStream::connect(taken).await.is_ok());
        stop.cancel();
        served.await.unwrap().unwrap();
    }
}
