//! A stand-in for the API server, for tests: objects in memory, versions, sub-resource `status`, JSON and
//! merge patches with their tests, finalizers, and faults that lose a request or its answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// What goes wrong with the next request that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives.
    LostBefore,
    /// It is carried out and the answer is lost.
    LostAfter,
    /// The namespace is being deleted.
    Terminating,
    /// The user may not.
    Forbidden,
}

/// A concurrent edit, made just before a matching request is carried out.
type Edit = Box<dyn FnOnce(&mut BTreeMap<String, Value>) + Send>;

#[derive(Default)]
pub struct State {
    /// By path.
    pub objects: BTreeMap<String, Value>,
    /// `METHOD path` of everything that arrived.
    pub requests: Vec<String>,
    faults: Vec<(String, Fault)>,
    edits: Vec<(String, Edit)>,
    version: u64,
}

/// The stand-in.
#[derive(Clone, Default)]
pub struct ApiServer(pub Arc<Mutex<State>>);

pub const CLUSTERS: &str = "/apis/dws.huaweicloud.com/v1alpha1/namespaces/team/dwsclusters";
pub const SECRETS: &str = "/api/v1/namespaces/team/secrets";
pub const EVENTS: &str = "/api/v1/namespaces/team/events";

impl ApiServer {
    pub fn client(&self) -> Client {
        let state = self.0.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let state = state.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.map_err(lost)?.to_bytes();
                let (path, method) = (parts.uri.path().to_owned(), parts.method);
                let kind = parts.headers.get("content-type").cloned();
                let merge = kind.is_some_and(|k| k == "application/merge-patch+json");
                let (status, body) = state.lock().answer(&method, &path, &body, merge)?;
                let answer = Response::builder().status(status);
                answer
                    .body(Body::from(body.to_string().into_bytes()))
                    .map_err(lost)
            }
        });
        Client::new(service, "team")
    }

    /// The next request that starts with `METHOD path-part` meets this.
    pub fn fault(&self, matching: &str, fault: Fault) {
        self.0.lock().faults.push((matching.to_owned(), fault));
    }

    /// Just before the next request that matches, this happens.
    pub fn edit(
        &self,
        matching: &str,
        edit: impl FnOnce(&mut BTreeMap<String, Value>) + Send + 'static,
    ) {
        self.0
            .lock()
            .edits
            .push((matching.to_owned(), Box::new(edit)));
    }

    pub fn put(&self, path: &str, mut object: Value) {
        let mut state = self.0.lock();
        state.version += 1;
        object["metadata"]["resourceVersion"] = json!(state.version.to_string());
        state.objects.insert(path.to_owned(), object);
    }

    pub fn get(&self, path: &str) -> Option<Value> {
        self.0.lock().objects.get(path).cloned()
    }

    pub fn requests(&self, matching: &str) -> usize {
        let state = self.0.lock();
        state
            .requests
            .iter()
            .filter(|r| r.contains(matching))
            .count()
    }
}

impl State {
    fn answer(
        &mut self,
        method: &Method,
        path: &str,
        body: &[u8],
        merge: bool,
    ) -> Result<(StatusCode, Value), std::io::Error> {
        let request = format!("{method} {path}");
        let fault = self.faults.iter().position(|(m, _)| request.contains(m));
        let fault = fault.map(|place| self.faults.remove(place).1);
        if fault == Some(Fault::LostBefore) {
            return Err(lost("nothing was sent"));
        }
        self.requests.push(request.clone());
        if let Some(place) = self.edits.iter().position(|(m, _)| request.contains(m)) {
            let (_, edit) = self.edits.remove(place);
            edit(&mut self.objects);
        }
        let answer = match fault {
            Some(Fault::Terminating) => failure(403, "Forbidden", &["NamespaceTerminating"]),
            Some(Fault::Forbidden) => failure(403, "Forbidden", &[]),
            _ => self.handle(method, path, body, merge),
        };
        if fault == Some(Fault::LostAfter) {
            return Err(lost("the answer is lost"));
        }
        Ok(answer)
    }

    fn handle(
        &mut self,
        method: &Method,
        path: &str,
        body: &[u8],
        merge: bool,
    ) -> (StatusCode, Value) {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        if method == Method::POST {
            let name = body["metadata"]["name"].as_str().unwrap().to_owned();
            let path = format!("{path}/{name}");
            if self.objects.contains_key(&path) {
                return failure(409, "AlreadyExists", &[]);
            }
            let mut object = body;
            object["metadata"]["uid"] = json!(format!("uid-of-{name}"));
            return self.store(&path, object, true);
        }
        let (path, sub) = path
            .strip_suffix("/status")
            .map_or((path, false), |p| (p, true));
        let Some(stored) = self.objects.get(path).cloned() else {
            return failure(404, "NotFound", &[]);
        };
        if method == Method::GET {
            return (StatusCode::OK, stored);
        }
        let mut wanted = stored.clone();
        if method == Method::PUT {
            let version = &body["metadata"]["resourceVersion"];
            if *version != stored["metadata"]["resourceVersion"] {
                return failure(409, "Conflict", &[]);
            }
            wanted = body;
        } else if merge {
            let version = &body["metadata"]["resourceVersion"];
            if !version.is_null() && *version != stored["metadata"]["resourceVersion"] {
                return failure(409, "Conflict", &[]);
            }
            json_patch::merge(&mut wanted, &body);
        } else {
            let operations: json_patch::Patch = serde_json::from_value(body).unwrap();
            if json_patch::patch(&mut wanted, &operations).is_err() {
                return failure(422, "Invalid", &[]);
            }
        }
        let status = wanted.get("status").cloned();
        if sub {
            wanted = stored.clone();
            wanted["status"] = status.unwrap_or_default();
            if wanted["status"]["subStatus"]
                .as_str()
                .is_some_and(|s| s.len() > 256)
            {
                return failure(422, "Invalid", &[]);
            }
        }
        self.store(path, wanted.clone(), wanted != stored)
    }

    fn store(&mut self, path: &str, mut object: Value, changed: bool) -> (StatusCode, Value) {
        if changed {
            self.version += 1;
            object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        }
        let meta = &object["metadata"];
        let finalizers = meta["finalizers"].as_array().map_or(0, Vec::len);
        if finalizers == 0 && !meta["deletionTimestamp"].is_null() {
            self.objects.remove(path);
        } else {
            self.objects.insert(path.to_owned(), object.clone());
        }
        (StatusCode::OK, object)
    }
}

fn failure(code: u16, reason: &str, causes: &[&str]) -> (StatusCode, Value) {
    let causes: Vec<Value> = causes.iter().map(|c| json!({"reason": c})).collect();
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason,
        "reason": reason, "code": code, "details": {"causes": causes},
    });
    (StatusCode::from_u16(code).unwrap(), body)
}

#[allow(clippy::needless_pass_by_value)] // for map_err
fn lost(text: impl ToString) -> std::io::Error {
    std::io::Error::other(text.to_string())
}

/// A stored cluster with this status.
#[allow(clippy::needless_pass_by_value)] // made on the spot by all who call
pub fn cluster(status: Value) -> Value {
    json!({
        "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsCluster",
        "metadata": {"name": "wh", "namespace": "team", "uid": "uid-wh", "generation": 1},
        "spec": {}, "status": status,
    })
}

/// An intent as it is stored.
pub fn operation(id: &str, attempt: i32, phase: &str) -> Value {
    json!({
        "id": id, "kind": "Create", "attempt": attempt, "phase": phase,
        "target": {}, "baseline": {}, "intendedAt": "2026-01-01T00:00:00Z",
    })
}
