//! The simulator's world behind the client's boundary to the network, and a few liars in between.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dws_operator::dws::clock::Clock;
use dws_operator::dws::transport::{
    Request, Response, Transport, TransportError, TransportErrorKind,
};
use dws_operator::simulator::{Delivery, HttpRequest, HttpResponse, Service};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use parking_lot::Mutex;
use serde_json::json;

use super::api_server::ApiServer;
use super::gate::Gate;
use super::judge::Judge;
use super::sim::SimClock;

/// What stands between client and service and must not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lie {
    #[default]
    None,
    /// Sends a resize again, without a word, until it is accepted.
    RepeatsResizes,
    /// Claims that a deletion was carried out, and hides the cluster from then on.
    ClaimsDeletion,
    /// Shows snapshots that failed as complete.
    EmbellishesSnapshots,
}

/// The way to the service; clones are the same.
#[derive(Clone)]
pub struct Cloud {
    pub service: Arc<Mutex<Service>>,
    pub clock: Arc<SimClock>,
    pub kubernetes: ApiServer,
    pub lie: Lie,
    /// A deletion was claimed.
    pub claimed: Arc<Mutex<bool>>,
    /// Looks at every effect when it is carried out.
    pub judge: Arc<Mutex<Judge>>,
    /// The door of the process that calls.
    pub gate: Gate,
}

impl Transport for Cloud {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            self.gate.before(request.changing).await;
            let timeout = request.timeout;
            let delivery = self.deliver(&request);
            self.gate.after(request.changing).await;
            match delivery {
                Delivery::Answer(answer) => Ok(response(answer)),
                Delivery::Delayed { answer, after } => {
                    tokio::time::sleep(after).await;
                    Ok(response(answer))
                }
                Delivery::NoAnswer => {
                    tokio::time::sleep(timeout).await;
                    Err(failed(TransportErrorKind::Timeout))
                }
                Delivery::Reset => Err(failed(TransportErrorKind::Reset)),
            }
        })
    }
}

impl Cloud {
    fn deliver(&self, request: &Request) -> Delivery {
        let http = plain(request);
        let is_delete = request.method == Method::DELETE && http.path.contains("/clusters/");
        if self.lie == Lie::ClaimsDeletion {
            let mut claimed = self.claimed.lock();
            *claimed |= is_delete;
            if *claimed && http.path.contains("/clusters") {
                return Delivery::Answer(absent(&http));
            }
        }
        let mut service = self.service.lock();
        // What is late comes first, and is judged by itself.
        service.advance(self.clock.now());
        self.judge.lock().look(&service, &self.kubernetes);
        let delivery = service.handle(self.clock.now(), &http);
        self.judge.lock().look(&service, &self.kubernetes);
        if self.lie == Lie::RepeatsResizes
            && http.path.ends_with("/resize")
            && delivery.answer().is_none_or(|answer| answer.status >= 500)
        {
            self.repeat(http);
        } else if self.lie == Lie::EmbellishesSnapshots && http.path.contains("/snapshots") {
            return embellished(delivery);
        }
        delivery
    }

    /// The naive retry: the same bytes, each half minute, until they are accepted.
    fn repeat(&self, http: HttpRequest) {
        let (service, clock) = (self.service.clone(), self.clock.clone());
        tokio::spawn(async move {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_secs(30)).await;
                let answer = service.lock().handle(clock.now(), &http);
                if answer.answer().is_some_and(|answer| answer.status == 200) {
                    return;
                }
            }
        });
    }
}

fn absent(http: &HttpRequest) -> HttpResponse {
    if http.method == "DELETE" {
        HttpResponse::json(202, &json!({}))
    } else if http.path.ends_with("/clusters") {
        HttpResponse::json(200, &json!({"clusters": [], "count": 0}))
    } else {
        let body = json!({"error_code": "DWS.3027", "error_msg": "The cluster has been deleted."});
        HttpResponse::json(404, &body)
    }
}

fn embellished(delivery: Delivery) -> Delivery {
    let Delivery::Answer(mut answer) = delivery else {
        return delivery;
    };
    let text = String::from_utf8(answer.body).unwrap();
    answer.body = text
        .replace("\"UNAVAILABLE\"", "\"AVAILABLE\"")
        .into_bytes();
    Delivery::Answer(answer)
}

fn plain(request: &Request) -> HttpRequest {
    let url = &request.url;
    let host = url.host_str().unwrap_or_default();
    let host = url
        .port()
        .map_or(host.to_owned(), |port| format!("{host}:{port}"));
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.push(("Host".to_owned(), host));
    HttpRequest {
        method: request.method.to_string(),
        path: url.path().to_owned(),
        query: url.query().unwrap_or_default().to_owned(),
        headers,
        body: request.body.to_vec(),
    }
}

fn response(answer: HttpResponse) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in &answer.headers {
        headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    Response {
        status: answer.status,
        headers,
        body: Bytes::from(answer.body),
    }
}

fn failed(kind: TransportErrorKind) -> TransportError {
    TransportError {
        kind,
        sent: true,
        message: format!("{kind:?}"),
    }
}
