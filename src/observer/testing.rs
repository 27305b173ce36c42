//! A service for tests of this folder: answers by operation, counts, takes its time.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Account, Accounts, Interest, Kind, ObserverSettings, OwnCredentials, ResourceKey};
use crate::dws::clock::Clock;
use crate::dws::transport::{Request, Response, Transport, TransportError, TransportErrorKind};
use crate::dws::{Credential, Settings};
use crate::entropy::Entropy;

/// The project's id.
pub(super) const PROJECT: &str = "0123456789abcdef0123456789abcdef";

/// Tokio's paused clock as a wall clock.
pub(super) struct TestClock {
    began: Instant,
}

impl TestClock {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
        }
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let base = Timestamp::from_second(1_800_000_000).expect("in range");
        base + SignedDuration::try_from(self.began.elapsed()).expect("short")
    }
}

/// One answer out of turn.
#[derive(Clone)]
pub(super) enum Fault {
    /// Status, `Retry-After`, body.
    Status(u16, Option<u64>, Value),
    /// No connection.
    Connect,
    /// 200 and something that is not JSON.
    Garbled,
}

impl Fault {
    pub(super) fn throttled(retry_after: Option<u64>) -> Self {
        let body = json!({"error_code": "APIGW.0308", "error_msg": "threshold reached"});
        Self::Status(429, retry_after, body)
    }

    pub(super) fn unauthenticated() -> Self {
        let body = json!({"error_code": "APIGW.0301", "error_msg": "signature wrong"});
        Self::Status(401, None, body)
    }

    pub(super) fn unavailable() -> Self {
        Self::Status(
            503,
            None,
            json!({"error_code": "APIGW.0613", "error_msg": "down"}),
        )
    }
}

#[derive(Default)]
struct World {
    clusters: BTreeMap<String, Value>,
    snapshots: BTreeMap<String, Value>,
    faults: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
    seen: Vec<(String, Instant)>,
    accepted_key: Option<String>,
    latency: Duration,
    wrong_count: bool,
    tokens: u64,
}

/// The service.
#[derive(Clone, Default)]
pub(super) struct FakeService(Arc<Mutex<World>>);

impl FakeService {
    pub(super) fn put_cluster(&self, id: &str, name: &str, status: &str, task: Option<&str>) {
        let value = json!({"id": id, "name": name, "status": status, "task_status": task});
        self.0.lock().clusters.insert(id.to_owned(), value);
    }

    pub(super) fn remove_cluster(&self, id: &str) {
        self.0.lock().clusters.remove(id);
    }

    pub(super) fn put_snapshot(&self, id: &str, name: &str, status: &str) {
        let value = json!({"id": id, "name": name, "status": status, "cluster_id": "c1",
            "started": "2026-01-01T00:00:00", "size": 1});
        self.0.lock().snapshots.insert(id.to_owned(), value);
    }

    /// The next requests of this operation (`list_clusters`, `get_cluster`, ... or `*`) go wrong.
    pub(super) fn fail(&self, operation: &str, faults: impl IntoIterator<Item = Fault>) {
        let mut world = self.0.lock();
        let queue = world.faults.entry(operation.to_owned()).or_default();
        queue.extend(faults);
    }

    /// All of this operation go wrong until told otherwise.
    pub(super) fn always(&self, operation: &str, fault: Option<Fault>) {
        let mut world = self.0.lock();
        match fault {
            Some(fault) => world.always.insert(operation.to_owned(), fault),
            None => world.always.remove(operation),
        };
    }

    /// Only this access key is right.
    pub(super) fn accept_key(&self, key: &str) {
        self.0.lock().accepted_key = Some(key.to_owned());
    }

    pub(super) fn latency(&self, latency: Duration) {
        self.0.lock().latency = latency;
    }

    pub(super) fn wrong_count(&self, wrong: bool) {
        self.0.lock().wrong_count = wrong;
    }

    /// How many requests of this operation arrived.
    pub(super) fn count(&self, operation: &str) -> usize {
        let world = self.0.lock();
        world.seen.iter().filter(|(op, _)| op == operation).count()
    }

    /// How many requests arrived at all.
    pub(super) fn total(&self) -> usize {
        self.0.lock().seen.len()
    }

    /// When the requests of this operation arrived.
    pub(super) fn arrivals(&self, operation: &str) -> Vec<Instant> {
        let world = self.0.lock();
        let seen = world.seen.iter().filter(|(op, _)| op == operation);
        seen.map(|(_, at)| *at).collect()
    }
}

fn operation(request: &Request) -> (&'static str, String) {
    let parts: Vec<&str> = request.url.path().trim_matches('/').split('/').collect();
    let id = parts.get(3).copied().unwrap_or_default().to_owned();
    let name = match (&request.method, parts.as_slice()) {
        (&Method::GET, ["v3", "projects"]) => "list_projects",
        (&Method::POST, ["v3", "auth", "tokens"]) => "create_token",
        (&Method::GET, [_, _, "clusters"]) => "list_clusters",
        (&Method::GET, [_, _, "clusters", _]) => "get_cluster",
        (&Method::GET, [_, _, "snapshots"]) => "list_snapshots",
        (&Method::GET, [_, _, "snapshots", _]) => "get_snapshot",
        (&Method::POST, [_, _, "clusters", _, "restart"]) => "restart_cluster",
        _ => "other",
    };
    (name, id)
}

fn ok(body: &Value) -> Response {
    respond(200, None, Bytes::from(body.to_string()))
}

fn respond(status: u16, retry_after: Option<u64>, body: Bytes) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    if let Some(seconds) = retry_after {
        headers.insert("retry-after", HeaderValue::from(seconds));
    }
    Response {
        status,
        headers,
        body,
    }
}

impl World {
    fn answer(&mut self, name: &str, id: &str, key: &str) -> Result<Response, TransportError> {
        if self
            .accepted_key
            .as_deref()
            .is_some_and(|right| right != key)
        {
            return Self::fault(Fault::unauthenticated());
        }
        for which in [name, "*"] {
            if let Some(fault) = self.faults.get_mut(which).and_then(VecDeque::pop_front) {
                return Self::fault(fault);
            }
            if let Some(fault) = self.always.get(which).cloned() {
                return Self::fault(fault);
            }
        }
        let not_found = json!({"error_code": "DWS.3027", "error_msg": "gone"});
        Ok(match name {
            "create_token" => {
                let mut login = respond(201, None, Bytes::from_static(b"{}"));
                self.tokens += 1;
                let token = HeaderValue::from(self.tokens);
                login.headers.insert("x-subject-token", token);
                login
            }
            "list_projects" => ok(&json!({"projects": [{"id": PROJECT, "name": "eu-west-0"}]})),
            "list_clusters" => {
                let items: Vec<_> = self.clusters.values().collect();
                let count = items.len() + usize::from(self.wrong_count);
                ok(&json!({"clusters": items, "count": count}))
            }
            "list_snapshots" => {
                let items: Vec<_> = self.snapshots.values().collect();
                ok(&json!({"snapshots": items, "count": items.len()}))
            }
            "get_cluster" => match self.clusters.get(id) {
                Some(cluster) => ok(&json!({"cluster": cluster})),
                None => respond(404, None, Bytes::from(not_found.to_string())),
            },
            "get_snapshot" => match self.snapshots.get(id) {
                Some(snapshot) => ok(&json!({"snapshot": snapshot})),
                None => respond(404, None, Bytes::from(not_found.to_string())),
            },
            _ => ok(&json!({})),
        })
    }

    fn fault(fault: Fault) -> Result<Response, TransportError> {
        match fault {
            Fault::Status(status, retry_after, body) => {
                Ok(respond(status, retry_after, Bytes::from(body.to_string())))
            }
            Fault::Garbled => Ok(respond(200, None, Bytes::from_static(b"<html>"))),
            Fault::Connect => Err(TransportError {
                kind: TransportErrorKind::Connect,
                sent: false,
                message: "connection refused".to_owned(),
            }),
        }
    }
}

impl Transport for FakeService {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let (name, id) = operation(&request);
        let authorization = request.headers.get("authorization");
        let key = authorization
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split("Access=").nth(1))
            .and_then(|rest| rest.split(',').next())
            .unwrap_or_default()
            .to_owned();
        let latency = {
            let mut world = self.0.lock();
            world.seen.push((name.to_owned(), Instant::now()));
            world.latency
        };
        Box::pin(async move {
            tokio::time::sleep(latency).await;
            self.0.lock().answer(name, &id, &key)
        })
    }
}

pub(super) fn endpoint(project_id: Option<&str>) -> Settings {
    Settings {
        region: Some("eu-west-0".to_owned()),
        project_id: project_id.map(str::to_owned),
        ..Settings::default()
    }
}

pub(super) fn settings(project_id: Option<&str>) -> ObserverSettings {
    ObserverSettings {
        max_requests_per_second: 1_000.0,
        endpoint: endpoint(project_id),
        ..ObserverSettings::default()
    }
}

/// Accounts with an own one, over this service.
pub(super) fn accounts(service: &FakeService, settings: ObserverSettings) -> Accounts {
    let key = Credential::AccessKey {
        access_key: "AK".to_owned(),
        secret_key: SecretString::from("SK"),
        security_token: None,
    };
    accounts_of(service, settings, key)
}

/// An own account that logs in with a password.
pub(super) fn account_of_user(service: &FakeService) -> Account {
    let user = Credential::Password {
        domain_name: "acme".to_owned(),
        user_name: "ops".to_owned(),
        password: SecretString::from("pw"),
    };
    let accounts = accounts_of(service, settings(Some(PROJECT)), user);
    accounts.own().expect("own")
}

fn accounts_of(
    service: &FakeService,
    settings: ObserverSettings,
    credential: Credential,
) -> Accounts {
    let own = OwnCredentials {
        config: settings.endpoint.resolve().expect("valid"),
        credential,
    };
    Accounts::new(
        settings,
        Some(own),
        Arc::new(service.clone()),
        Arc::new(TestClock::new()),
        Entropy::seeded(1),
    )
}

/// The own account over this service, project known, hardly limited.
pub(super) fn account(service: &FakeService) -> Account {
    let accounts = accounts(service, settings(Some(PROJECT)));
    accounts.own().expect("own")
}

pub(super) fn key(name: &str) -> ResourceKey {
    ResourceKey {
        kind: Kind::Cluster,
        namespace: "team".to_owned(),
        name: name.to_owned(),
    }
}

/// A resource `name` that follows cluster `id`.
pub(super) fn interest(name: &str, id: &str, has_work: bool) -> Interest {
    Interest {
        key: key(name),
        uid: format!("uid-{name}"),
        cluster_ids: vec![id.to_owned()],
        cluster_names: vec![name.to_owned()],
        snapshot_ids: vec![],
        snapshot_names: vec![],
        has_work,
    }
}

/// Data of a credentials Secret with this access key.
pub(super) fn secret(access_key: &str) -> BTreeMap<String, SecretString> {
    [("HW_ACCESS_KEY", access_key), ("HW_SECRET_KEY", "SK")]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), SecretString::from(value)))
        .collect()
}
