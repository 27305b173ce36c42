//! Elections in the process: a Lease in memory, behind an API server that can be slow, lose answers, refuse, and
//! show what others wrote meanwhile.

use std::sync::Arc;

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::dws::clock::SystemClock;
use crate::operator::health::Readiness;

const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/dws-system/leases";

/// What becomes of the requests from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Weather {
    #[default]
    Fair,
    /// Carried out, and no answer ever comes.
    NoAnswer,
    /// Neither.
    Unreachable,
    /// Answered with this status.
    Refused(u16),
}

struct Server {
    lease: Option<Value>,
    version: u64,
    weather: Weather,
    /// `METHOD holder` of all that was written.
    written: Vec<String>,
}

#[derive(Clone)]
struct ApiServer(Arc<Mutex<Server>>);

impl ApiServer {
    fn new() -> Self {
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
                let (status, answer) = match weather {
                    Weather::Refused(status) => failure(status),
                    _ => server.0.lock().answer(&parts.method, body),
                };
                if weather == Weather::NoAnswer {
                    std::future::pending::<()>().await;
                }
                let body = Body::from(answer.to_string().into_bytes());
                Ok::<_, std::io::Error>(Response::builder().status(status).body(body).unwrap())
            }
        });
        Client::new(service, "dws-system")
    }

    fn weather(&self, weather: Weather) {
        self.0.lock().weather = weather;
    }

    fn holder(&self) -> String {
        let server = self.0.lock();
        let lease = server.lease.as_ref().unwrap();
        lease["spec"]["holderIdentity"].as_str().unwrap().to_owned()
    }

    /// As somebody with kubectl does.
    fn edit(&self, edit: impl FnOnce(&mut Value)) {
        let mut server = self.0.lock();
        let mut lease = server.lease.clone().unwrap();
        edit(&mut lease);
        server.store(lease);
    }

    fn delete(&self) {
        self.0.lock().lease = None;
    }

    fn election(&self, name: &str, own: &Arc<Mutex<Weather>>) -> (Election, Hold) {
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
    fn replica(&self, name: &'static str) -> Replica {
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

struct Replica {
    hold: Hold,
    stop: CancellationToken,
    readiness: Readiness,
    weather: Arc<Mutex<Weather>>,
    life: JoinHandle<Option<bool>>,
}

impl Replica {
    async fn leads(&self) -> Duration {
        let begin = Instant::now();
        while !self.hold.holds() {
            assert!(begin.elapsed() < Duration::from_mins(2), "it never leads");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        begin.elapsed()
    }

    /// How long it takes to end; `None`: as a follower, `Some`: whether it held the lease to the end.
    async fn ends(self) -> (Duration, Option<bool>) {
        let begin = Instant::now();
        let how = self.life.await.unwrap();
        (begin.elapsed(), how)
    }
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_leads_the_second_stands_by_and_a_release_is_seen_at_once() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    let two = server.replica("two");
    pass(120).await;
    assert!(one.hold.holds() && !two.hold.holds());
    assert_eq!(two.readiness.why_not(), None, "it stands by");
    assert_eq!(server.holder(), "one");

    one.stop.cancel();
    let (took, held) = one.ends().await;
    assert_eq!(held, Some(true));
    assert!(took < Duration::from_secs(1));
    assert!(two.leads().await <= Duration::from_millis(1_100));
    let lease = server.0.lock().lease.clone().unwrap();
    assert_eq!(lease["spec"]["leaseTransitions"], 1, "{lease}");
    assert_eq!(lease["spec"]["leaseDurationSeconds"], 15);
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_told_to_stop_leaves_no_trace() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    let two = server.replica("two");
    pass(3).await;
    two.stop.cancel();
    let (took, how) = two.ends().await;
    assert!(took < Duration::from_millis(100), "{took:?}");
    assert_eq!(how, None);
    assert!(
        server
            .0
            .lock()
            .written
            .iter()
            .all(|line| line.ends_with("one"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_died_is_followed_when_its_time_is_over() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    let two = server.replica("two");
    pass(30).await;
    *one.weather.lock() = Weather::Unreachable;
    let took = two.leads().await;
    assert!(
        took > Duration::from_secs(12) && took < Duration::from_secs(17),
        "{took:?}"
    );
    assert!(one.life.is_finished(), "it had given up before");
}

#[tokio::test(start_paused = true)]
async fn a_holder_without_an_api_server_gives_up_before_a_follower_begins() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    pass(7).await;
    server.weather(Weather::Unreachable);
    let begin = Instant::now();
    one.stop.cancelled().await;
    let took = begin.elapsed();
    assert!(
        took > Duration::from_secs(7) && took <= Duration::from_secs(10),
        "{took:?}"
    );
    assert!(!one.hold.holds());
    let (_, held) = one.ends().await;
    assert_eq!(held, Some(false));
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_costs_nothing() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    for weather in [
        Weather::Unreachable,
        Weather::NoAnswer,
        Weather::Refused(503),
        Weather::Refused(429),
    ] {
        pass(10).await;
        server.weather(weather);
        pass(4).await;
        assert!(one.hold.holds(), "{weather:?}");
        server.weather(Weather::Fair);
        pass(6).await;
        assert!(one.hold.time_left() > Duration::from_secs(7), "{weather:?}");
    }
    assert!(!one.life.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_take_whose_answer_was_lost_is_known_by_its_name() {
    let server = ApiServer::new();
    server.weather(Weather::NoAnswer);
    let one = server.replica("one");
    pass(8).await;
    assert!(!one.hold.holds());
    server.weather(Weather::Fair);
    one.leads().await;
    assert_eq!(server.holder(), "one");
}

#[tokio::test(start_paused = true)]
async fn somebody_else_s_label_takes_no_lease_away() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    for _ in 0..5 {
        server.edit(|lease| lease["metadata"]["labels"] = json!({"team": "platform"}));
        pass(5).await;
    }
    assert!(one.hold.holds());
    let lease = server.0.lock().lease.clone().unwrap();
    assert_eq!(lease["metadata"]["labels"]["team"], "platform", "it stays");
}

#[tokio::test(start_paused = true)]
async fn a_holder_whose_name_is_written_over_ends_at_once() {
    for other in ["two", ""] {
        let server = ApiServer::new();
        let one = server.replica("one");
        one.leads().await;
        server.edit(|lease| lease["spec"]["holderIdentity"] = json!(other));
        let (took, held) = one.ends().await;
        assert!(took <= Duration::from_secs(3), "{took:?}");
        assert_eq!(held, Some(false));
        assert_eq!(server.holder(), other, "it is not released again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_deleted_stays_its_holder_s() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    let two = server.replica("two");
    pass(5).await;
    server.delete();
    pass(60).await;
    assert!(one.hold.holds() && !two.hold.holds());
    assert_eq!(server.holder(), "one");
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_is_said_and_tried_again() {
    let server = ApiServer::new();
    server.weather(Weather::Refused(403));
    let one = server.replica("one");
    pass(5).await;
    let why = one.readiness.why_not().unwrap();
    assert!(
        why.contains("grant it get, create and update on leases"),
        "{why}"
    );
    assert!(
        why.contains("Lease dws-operator in namespace dws-system"),
        "{why}"
    );
    server.weather(Weather::Unreachable);
    pass(10).await;
    let why = one.readiness.why_not().unwrap();
    assert!(why.contains("no answer within"), "{why}");
    server.weather(Weather::Fair);
    one.leads().await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_namespace_is_named() {
    let server = ApiServer::new();
    let (mut election, _) = server.election("one", &Arc::default());
    election.store.read(Duration::from_secs(1)).await.unwrap();
    server.weather(Weather::Refused(404));
    let error = election.store.write(Duration::from_secs(1)).await;
    let why = error.unwrap_err().to_string();
    assert!(why.contains("namespace dws-system is not there"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_the_take_leaves_no_name_behind() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.stop.cancel();
    let (_, how) = one.ends().await;
    assert_eq!(how, None, "it had not asked yet");
    // Told to stop as soon as it leads.
    let two = server.replica("two");
    two.leads().await;
    two.stop.cancel();
    two.ends().await;
    assert_eq!(server.holder(), "");
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_keeps_the_lease_until_it_runs_out() {
    let server = ApiServer::new();
    let (mut election, hold) = server.election("one", &Arc::default());
    let stop = CancellationToken::new();
    assert!(election.win(&Readiness::default(), &stop).await);
    let reign = election.reign(stop.clone());
    assert!(reign.end(false).await);
    assert_eq!(server.holder(), "one");
    assert!(!hold.holds(), "and nothing begins any more");
}

#[test]
fn no_two_processes_have_one_name() {
    let one = Place::new("dws-system", "dws-operator");
    let two = Place::new("dws-system", "dws-operator");
    assert_ne!(one.identity, two.identity);
    let (host, uuid) = one.identity.rsplit_once('_').unwrap();
    assert!(!host.is_empty() && uuid.len() == 36, "{}", one.identity);
}
