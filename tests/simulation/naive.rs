//! An API server that keeps less than it is given, or more: under each of its ways the operator becomes a naive
//! variant of itself, which the suites must catch.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// All off to begin with; clones are the same.
#[derive(Clone, Default)]
pub struct Naive {
    /// Changes of the fields of these names are accepted and not kept.
    pub forgets: Arc<Mutex<Vec<&'static str>>>,
    /// A PUT wins whatever version it names, as a plain patch would.
    pub blind: Arc<Mutex<bool>>,
    /// A Secret is owned by the resource that it is marked with, whatever becomes of that one's cluster.
    pub owns: Arc<Mutex<bool>>,
    /// What a password is to be shows in the next status.
    pub tells: Arc<Mutex<Option<String>>>,
}

impl Naive {
    /// Changes what is about to be stored.
    pub fn alter(&self, stored: &Value, object: &mut Value) {
        self.forget(stored, object);
        if *self.owns.lock() {
            own(object);
        }
        if let Some(told) = self.tells.lock().as_mut() {
            tell(told, object);
        }
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

fn own(object: &mut Value) {
    let meta = &mut object["metadata"];
    let mark = meta["annotations"]["dws.huaweicloud.com/connection-of"].as_str();
    let uid = mark.and_then(|mark| mark.split_once('/'));
    if let Some(uid) = uid.map(|(_, uid)| uid.to_owned()) {
        meta["ownerReferences"] = json!([{"kind": "DwsCluster", "uid": uid}]);
    }
}

fn tell(told: &mut String, object: &mut Value) {
    if let Some(pending) = object["data"]["pending-password"].as_str() {
        *told = String::from_utf8(STANDARD.decode(pending).unwrap()).unwrap();
    } else if object["status"].is_object() {
        object["status"]["told"] = json!(told);
    }
}
