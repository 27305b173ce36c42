//! A Lease in memory behind an API server that can be slow, lose answers, refuse, and show what others wrote; and
//! replicas that stand before it.

use std::sync::Arc;

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::*;
use crate::dws::clock::SystemClock;
use crate::operator::health::Readiness;

const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/dws-system/leases";

/// What becomes of the requests from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    #[default]
    Fair,
    /// Carried out, and no answer ever comes.
    NoAnswer,
    /// Neither.
    Unreachable,
    /// Reads are answered, writes are carried out and not answered.
    WriteUnanswered,
    /// Answered with this status.
    Refused(u16),
    /// Carried out, and answered after so many milliseconds.
    Slow(u64),
}

pub struct Server {
    pub lease: Option<Value>,
    version: u64,
    weather: Weather,
    /// `METHOD holder` of all that was written.
    pub written: Vec<String>,
}

#[derive(Clone)]
pub struct ApiServer(pub Arc<Mutex<Server>>);

impl ApiServer {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Server {
            lease: None,
            version: 0,
            weather: Weather::Fair,
            written: Vec::new(),
        })))
    }

    /// The way of one replica to it, with a weather of its own.
    fn client(&self, own: &Arc<Mutex<Weather>>) -> Client {
        let (server, own) = (self.clone(), own.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (server, own) = (server.clone(), own.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                let weather = match *own.lock() {
                    Weather::Fair => server.0.lock().weather,
                    weather => weather,
                };
                if weather == Weather::Unreachable {
                    std::future::pending::<()>().await;
                }
                assert!(parts.uri.path().starts_with(PATH), "{}", parts.uri);
                if let Weather::Slow(time) = weather {
                    tokio::time::sleep(Duration::from_millis(time)).await;
                }
                let (status, answer) = match weather {
                    Weather::Refused(status) => failure(status),
                    _ => server.0.lock().answer(&parts.method, body),
                };
                let writes = parts.method != Method::GET;
                if weather == Weather::NoAnswer || weather == Weather::WriteUnanswered && writes {
                    std::future::pending::<()>().await;
                }
                let body = Body::from(answer.to_string().into_bytes());
                Ok::<_, std::io::Error>(Response::builder().status(status).body(body).unwrap())
            }
        });
        Client::new(service, "dws-system")
    }

    pub fn weather(&self, weather: Weather) {
        self.0.lock().weather = weather;
    }

    pub fn holder(&self) -> String {
        let server = self.0.lock();
        let lease = server.lease.as_ref().unwrap();
        lease["spec"]["holderIdentity"].as_str().unwrap().to_owned()
    }

    /// As somebody with kubectl does.
    pub fn edit(&self, edit: impl FnOnce(&mut Value)) {
        let mut server = self.0.lock();
        let mut lease = server.lease.clone().unwrap();
        edit(&mut lease);
        server.store(lease);
    }

    pub fn delete(&self) {
        self.0.lock().lease = None;
    }

    pub fn election(&self, name: &str, own: &Arc<Mutex<Weather>>) -> (Election, Hold) {
        let terms = Terms::default();
        let hold = Hold::new(terms.give_up, Arc::new(SystemClock));
        let place = Place {
            namespace: "dws-system".into(),
            name: "dws-operator".into(),
            identity: name.into(),
        };
        let election = Election::new(self.client(own), place, terms, hold.clone(), Metrics::new());
        (election, hold)
    }

    /// A replica from its start to its end.
    pub fn replica(&self, name: &'static str) -> Replica {
        let weather = Arc::new(Mutex::new(Weather::Fair));
        let (mut election, hold) = self.election(name, &weather);
        let (stop, readiness) = (CancellationToken::new(), Readiness::default());
        let (told, shown) = (stop.clone(), readiness.clone());
        let life = tokio::spawn(async move {
            if !election.win(&shown, &told).await {
                return None;
            }
            let reign = election.reign(told.clone());
            told.cancelled().await;
            Some(reign.end(true).await)
        });
        Replica {
            hold,
            stop,
            readiness,
            weather,
            life,
        }
    }
}

impl Server {
    fn answer(&mut self, method: &Method, body: Value) -> (u16, Value) {
        let holder = body["spec"]["holderIdentity"].as_str().unwrap_or_default();
        match (method.as_str(), &self.lease) {
            ("GET", Some(lease)) => return (200, lease.clone()),
            ("GET" | "PUT", None) => return failure(404),
            ("POST", Some(_)) => return failure(409),
            ("PUT", Some(lease))
                if body["metadata"]["resourceVersion"] != lease["metadata"]["resourceVersion"] =>
            {
                return failure(409);
            }
            _ => self.written.push(format!("{method} {holder}")),
        }
        (200, self.store(body))
    }

    fn store(&mut self, mut lease: Value) -> Value {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
        lease
    }
}

fn failure(code: u16) -> (u16, Value) {
    let reason = "words of the API server";
    (
        code,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason, "reason": "x", "code": code}),
    )
}

pub struct Replica {
    pub hold: Hold,
    pub stop: CancellationToken,
    pub readiness: Readiness,
    pub weather: Arc<Mutex<Weather>>,
    pub life: JoinHandle<Option<bool>>,
}

impl Replica {
    pub async fn leads(&self) -> Duration {
        let begin = Instant::now();
        while !self.hold.holds() {
            assert!(begin.elapsed() < Duration::from_mins(2), "it never leads");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        begin.elapsed()
    }

    /// How long it takes to end; `None`: as a follower, `Some`: whether it held the lease to the end.
    pub async fn ends(self) -> (Duration, Option<bool>) {
        let begin = Instant::now();
        let how = self.life.await.unwrap();
        (begin.elapsed(), how)
    }
}
