//! A stand-in for the API server: objects in memory, versions, generations, sub-resource `status`, JSON and
//! merge patches, finalizers, and the events of a watch. It knows nothing of what the objects mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::sim::Boundaries;

/// Where the objects of the tests live.
pub const CLUSTERS: &str = "/apis/dws.huaweicloud.com/v1alpha1/namespaces/team/dwsclusters";
pub const SNAPSHOTS: &str = "/apis/dws.huaweicloud.com/v1alpha1/namespaces/team/dwssnapshots";
pub const SECRETS: &str = "/api/v1/namespaces/team/secrets";
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// What is stored, and what a watch would tell.
#[derive(Default)]
pub struct State {
    /// By path.
    pub objects: BTreeMap<String, Value>,
    /// Path and object of every change, `None` for one that went.
    pub events: Vec<(String, Option<Value>)>,
    /// Changing requests that were carried out, events of Kubernetes excepted.
    pub writes: u64,
    version: u64,
}

/// The stand-in; clones are the same.
#[derive(Clone, Default)]
pub struct ApiServer {
    pub state: Arc<Mutex<State>>,
    pub boundaries: Boundaries,
    /// A mutant: changes of the fields of these names are accepted and not kept.
    pub forgets: Arc<Mutex<Vec<&'static str>>>,
}

impl ApiServer {
    /// With the namespace and the definitions that the operator looks at.
    pub fn new(boundaries: Boundaries) -> Self {
        let server = Self {
            boundaries,
            ..Self::default()
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

    /// A client of one process.
    pub fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.map_err(lost)?.to_bytes();
                let merge = parts
                    .headers
                    .get("content-type")
                    .is_some_and(|kind| kind == "application/merge-patch+json");
                let changes = parts.method != Method::GET;
                server.boundaries.before().await;
                let path = parts.uri.path().to_owned();
                let (status, body) = server.handle(&parts.method, &path, &body, merge);
                server.boundaries.after(changes).await;
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
    }

    /// Deletes an object as somebody else would.
    pub fn delete(&self, path: &str, now: jiff::Timestamp) {
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

    fn handle(&self, method: &Method, path: &str, body: &[u8], merge: bool) -> (StatusCode, Value) {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let mut state = self.state.lock();
        if method != Method::GET && !path.contains("/events") {
            state.writes += 1;
        }
        if method == Method::POST {
            let name = body["metadata"]["name"].as_str().unwrap().to_owned();
            let path = format!("{path}/{name}");
            if state.objects.contains_key(&path) {
                return failure(409, "AlreadyExists");
            }
            let mut object = body;
            object["metadata"]["uid"] = json!(format!("uid-of-{name}"));
            self.forget(&Value::Null, &mut object);
            return (StatusCode::CREATED, state.store(&path, object));
        }
        let (path, sub) = path
            .strip_suffix("/status")
            .map_or((path, false), |path| (path, true));
        let Some(stored) = state.objects.get(path).cloned() else {
            return failure(404, "NotFound");
        };
        if method == Method::GET {
            return (StatusCode::OK, stored);
        }
        let mut wanted = stored.clone();
        if method == Method::PUT {
            let version = &body["metadata"]["resourceVersion"];
            if !version.is_null() && *version != stored["metadata"]["resourceVersion"] {
                return failure(409, "Conflict");
            }
            wanted = body;
        } else if merge {
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
        self.forget(&stored, &mut wanted);
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
        if wanted == stored {
            return (StatusCode::OK, stored);
        }
        raise_generation(&stored, &mut wanted);
        (StatusCode::OK, state.store(path, wanted))
    }

    /// A forgotten field stays as it was.
    fn forget(&self, stored: &Value, object: &mut Value) {
        for field in self.forgets.lock().iter() {
            for part in ["status", "data"] {
                let Some(now) = object.get_mut(part).and_then(Value::as_object_mut) else {
                    continue;
                };
                match stored[part].get(*field) {
                    Some(value) => drop(now.insert((*field).to_owned(), value.clone())),
                    None => drop(now.remove(*field)),
                }
            }
        }
    }
}

fn raise_generation(stored: &Value, wanted: &mut Value) {
    if stored["spec"] != wanted["spec"] {
        let generation = stored["metadata"]["generation"].as_i64().unwrap_or(0);
        wanted["metadata"]["generation"] = json!(generation + 1);
    }
}

impl State {
    fn store(&mut self, path: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let meta = &object["metadata"];
        let held = meta["finalizers"]
            .as_array()
            .is_some_and(|held| !held.is_empty());
        if !held && !meta["deletionTimestamp"].is_null() {
            self.objects.remove(path);
            self.events.push((path.to_owned(), None));
        } else {
            self.objects.insert(path.to_owned(), object.clone());
            self.events.push((path.to_owned(), Some(object.clone())));
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
