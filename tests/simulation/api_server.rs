//! A stand-in for the API server: objects in memory, versions, generations, sub-resource `status`, JSON and
//! merge patches, finalizers, the log that watches read, and a garbage collector that never waits. It knows
//! nothing of what the objects mean.

#[path = "naive.rs"]
pub mod naive;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::gate::Gate;
use naive::Naive;

/// Where the objects of the tests live.
pub const CLUSTERS: &str = "/apis/dws.huaweicloud.com/v1alpha1/namespaces/team/dwsclusters";
pub const SNAPSHOTS: &str = "/apis/dws.huaweicloud.com/v1alpha1/namespaces/team/dwssnapshots";
pub const SECRETS: &str = "/api/v1/namespaces/team/secrets";
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// One change, as a watch tells it.
#[derive(Clone)]
pub struct Change {
    pub path: String,
    /// The object then; `None`: it went.
    pub object: Option<Value>,
    /// The process that did it; 0: somebody else.
    pub by: u64,
}

/// What is stored, and what was.
#[derive(Default)]
pub struct State {
    /// By path.
    pub objects: BTreeMap<String, Value>,
    /// Every change since the beginning.
    pub log: Vec<Change>,
    /// Changing requests that were carried out, events of Kubernetes excepted.
    pub writes: u64,
    version: u64,
    /// Who is at work.
    by: u64,
    /// Resources whose status is the schema's default, shown to every reader and stored with the next write.
    filled_in: BTreeSet<String>,
}

/// Reads of resources that show how they were. A real API server does this to lists and watches only; to a
/// single read it is worse than anything that a process will meet.
#[derive(Default)]
pub struct Stale {
    /// Reads of resources so far.
    pub reads: u64,
    /// Reads of these numbers are stale.
    pub numbers: Range<u64>,
    /// By so many versions of the object, its first one at most.
    pub back: usize,
    /// Stale now and then, by up to `back` versions.
    pub dice: Option<(StdRng, f64)>,
}

/// The stand-in; clones are the same.
#[derive(Clone)]
pub struct ApiServer {
    pub state: Arc<Mutex<State>>,
    /// What it does that a real one does not.
    pub naive: Naive,
    /// Nothing is made below paths that end in one of these, as by a `ResourceQuota`.
    pub refuses: Arc<Mutex<Vec<&'static str>>>,
    pub stale: Arc<Mutex<Stale>>,
    /// Told the length of the log.
    grown: watch::Sender<usize>,
}

impl ApiServer {
    /// With the namespace and the definitions that the operator looks at.
    pub fn new() -> Self {
        let server = Self {
            state: Arc::default(),
            naive: Naive::default(),
            refuses: Arc::default(),
            stale: Arc::default(),
            grown: watch::Sender::new(0),
        };
        server.put(
            "/api/v1/namespaces/team",
            json!({"metadata": {"name": "team"}}),
        );
        for plural in ["dwsclusters", "dwssnapshots"] {
            let name = format!("{plural}.dws.huaweicloud.com");
            server.put(
                &format!("{CRDS}/{name}"),
                json!({"metadata": {"name": name}}),
            );
        }
        server
    }

    /// A client of one process, with its door.
    pub fn client(&self, gate: &Gate) -> Client {
        let (server, gate) = (self.clone(), gate.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (server, gate) = (server.clone(), gate.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.map_err(lost)?.to_bytes();
                let merge = parts
                    .headers
                    .get("content-type")
                    .is_some_and(|kind| kind == "application/merge-patch+json");
                let changes = parts.method != Method::GET;
                gate.before(false).await;
                let path = parts.uri.path().to_owned();
                let (status, body) =
                    server.handle(gate.process(), &parts.method, &path, &body, merge);
                gate.after(changes).await;
                Response::builder()
                    .status(status)
                    .body(Body::from(body.to_string().into_bytes()))
                    .map_err(lost)
            }
        });
        Client::new(service, "team")
    }

    /// Puts an object there as somebody else would.
    pub fn put(&self, path: &str, object: Value) {
        self.state.lock().store(path, object);
        self.tell();
    }

    /// Tells of the log's length from now on.
    pub fn grown(&self) -> watch::Receiver<usize> {
        self.grown.subscribe()
    }

    fn tell(&self) {
        let length = self.state.lock().log.len();
        self.grown
            .send_if_modified(|known| std::mem::replace(known, length) != length);
    }

    /// Edits an object as somebody else would.
    pub fn edit(&self, path: &str, edit: impl FnOnce(&mut Value)) {
        let mut state = self.state.lock();
        let stored = state.objects[path].clone();
        let mut object = stored.clone();
        edit(&mut object);
        if object == stored {
            return;
        }
        raise_generation(&stored, &mut object);
        state.store(path, object);
        drop(state);
        self.tell();
    }

    /// Deletes an object as somebody else would, and in the foreground what it owns before it.
    pub fn delete(&self, path: &str, now: jiff::Timestamp, in_the_foreground: bool) {
        if in_the_foreground {
            let mut state = self.state.lock();
            let uid = state.objects[path]["metadata"]["uid"].clone();
            state.collect(&uid);
        }
        let now = jiff::Timestamp::from_second(now.as_second()).unwrap();
        self.edit(path, |object| {
            if !object["metadata"]["deletionTimestamp"].is_null() {
                return;
            }
            object["metadata"]["deletionTimestamp"] = json!(now.to_string());
            let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
            object["metadata"]["generation"] = json!(generation + 1);
        });
    }

    /// The object as it is stored.
    pub fn get(&self, path: &str) -> Option<Value> {
        self.state.lock().objects.get(path).cloned()
    }

    fn handle(
        &self,
        by: u64,
        method: &Method,
        path: &str,
        body: &[u8],
        merge: bool,
    ) -> (StatusCode, Value) {
        self.state.lock().by = by;
        let answer = self.answer(method, path, body, merge);
        self.state.lock().by = 0;
        self.tell();
        answer
    }

    fn answer(&self, method: &Method, path: &str, body: &[u8], merge: bool) -> (StatusCode, Value) {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let mut state = self.state.lock();
        if method != Method::GET && !path.contains("/events") {
            state.writes += 1;
        }
        if method == Method::POST {
            let name = body["metadata"]["name"].as_str().unwrap().to_owned();
            let (folder, path) = (path, format!("{path}/{name}"));
            if state.objects.contains_key(&path) {
                return failure(409, "AlreadyExists");
            }
            if self.refuses.lock().iter().any(|end| folder.ends_with(end)) {
                return failure(403, "Forbidden");
            }
            let mut object = body;
            object["metadata"]["uid"] = json!(format!("uid-of-{name}"));
            self.naive.alter(&Value::Null, &mut object);
            return (StatusCode::CREATED, state.store(&path, object));
        }
        let (path, sub) = path
            .strip_suffix("/status")
            .map_or((path, false), |path| (path, true));
        if method == Method::GET {
            let seen = self.seen(&state, path);
            return seen.map_or_else(|| failure(404, "NotFound"), |seen| (StatusCode::OK, seen));
        }
        let Some(stored) = state.objects.get(path).cloned() else {
            return failure(404, "NotFound");
        };
        if method == Method::DELETE {
            let asked = &body["preconditions"];
            let differs =
                |key: &str| !asked[key].is_null() && asked[key] != stored["metadata"][key];
            if differs("uid") || differs("resourceVersion") {
                return failure(409, "Conflict");
            }
            state.remove(path);
            return (
                StatusCode::OK,
                json!({"kind": "Status", "status": "Success"}),
            );
        }
        let mut wanted = stored.clone();
        if method == Method::PUT {
            let version = &body["metadata"]["resourceVersion"];
            let blind = *self.naive.blind.lock();
            if !blind && !version.is_null() && *version != stored["metadata"]["resourceVersion"] {
                return failure(409, "Conflict");
            }
            wanted = body;
        } else if merge {
            let version = &body["metadata"]["resourceVersion"];
            if !version.is_null() && *version != stored["metadata"]["resourceVersion"] {
                return failure(409, "Conflict");
            }
            json_patch::merge(&mut wanted, &body);
        } else {
            let operations: json_patch::Patch = serde_json::from_value(body).unwrap();
            if json_patch::patch(&mut wanted, &operations).is_err() {
                return failure(422, "Invalid");
            }
        }
        if path.contains("/dws") {
            // The sub-resource changes nothing but the status, the resource all but that.
            let (mut base, other) = if sub {
                (stored.clone(), &wanted)
            } else {
                (wanted.clone(), &stored)
            };
            base["status"] = other["status"].clone();
            wanted = base;
            if wanted["status"].is_null() {
                wanted.as_object_mut().unwrap().remove("status");
            }
        }
        self.naive.alter(&stored, &mut wanted);
        for key in [
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "generation",
            "resourceVersion",
        ] {
            match stored["metadata"].get(key) {
                Some(value) => wanted["metadata"][key] = value.clone(),
                None => drop(wanted["metadata"].as_object_mut().unwrap().remove(key)),
            }
        }
        if wanted == stored && !state.filled_in.contains(path) {
            return (StatusCode::OK, stored);
        }
        raise_generation(&stored, &mut wanted);
        (StatusCode::OK, state.store(path, wanted))
    }

    /// What a read shows.
    fn seen(&self, state: &State, path: &str) -> Option<Value> {
        let now = state.objects.get(path).cloned();
        if !path.contains("/dws") {
            return now;
        }
        let mut views = self.stale.lock();
        views.reads += 1;
        let back = views.back;
        let mut behind = if views.numbers.contains(&views.reads) {
            back
        } else {
            0
        };
        if let Some((rng, chance)) = &mut views.dice
            && rng.random_bool(*chance)
        {
            behind = rng.random_range(1..=back.max(1));
        }
        if behind == 0 {
            return now;
        }
        let versions = state.log.iter().rev().filter(|change| change.path == path);
        let versions: Vec<&Change> = versions.take(behind + 1).collect();
        versions.last().and_then(|change| change.object.clone())
    }
}

fn raise_generation(stored: &Value, wanted: &mut Value) {
    if stored["spec"] != wanted["spec"] {
        let generation = stored["metadata"]["generation"].as_i64().unwrap_or(0);
        wanted["metadata"]["generation"] = json!(generation + 1);
    }
}

impl Stale {
    /// A read in `1 / chance` is up to `back` versions old.
    pub fn now_and_then(seed: u64, chance: f64, back: usize) -> Self {
        Self {
            dice: Some((StdRng::seed_from_u64(seed), chance)),
            back,
            ..Self::default()
        }
    }
}

impl State {
    /// Counts every change there ever was.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The garbage collector: what this one alone owns goes.
    fn collect(&mut self, owner: &Value) {
        let goes = |object: &Value| {
            let owners = object["metadata"]["ownerReferences"].as_array();
            owners.is_some_and(|all| !all.is_empty() && all.iter().all(|one| one["uid"] == *owner))
        };
        let objects = self.objects.iter().filter(|(_, object)| goes(object));
        let paths: Vec<String> = objects.map(|(path, _)| path.clone()).collect();
        self.by = 0;
        for path in paths {
            self.remove(&path);
        }
    }

    fn remove(&mut self, path: &str) {
        self.version += 1;
        self.objects.remove(path);
        self.log.push(Change {
            path: path.to_owned(),
            object: None,
            by: self.by,
        });
    }

    fn store(&mut self, path: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        if path.contains("/dws") && object["status"].is_null() {
            object["status"] = json!({"observedGeneration": -1});
            self.filled_in.insert(path.to_owned());
        } else {
            self.filled_in.remove(path);
        }
        let meta = &object["metadata"];
        let held = meta["finalizers"]
            .as_array()
            .is_some_and(|held| !held.is_empty());
        if !held && !meta["deletionTimestamp"].is_null() {
            self.objects.remove(path);
            self.log.push(Change {
                path: path.to_owned(),
                object: None,
                by: self.by,
            });
            let uid = object["metadata"]["uid"].clone();
            self.collect(&uid);
        } else {
            self.objects.insert(path.to_owned(), object.clone());
            self.log.push(Change {
                path: path.to_owned(),
                object: Some(object.clone()),
                by: self.by,
            });
        }
        object
    }
}

fn failure(code: u16, reason: &str) -> (StatusCode, Value) {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason,
        "reason": reason, "code": code, "details": {"causes": []},
    });
    (StatusCode::from_u16(code).unwrap(), body)
}

fn lost(problem: impl std::error::Error + Send + Sync + 'static) -> std::io::Error {
    std::io::Error::other(problem)
}
