//! What was really done: the list of executed effects, and the record of the requests that came in.
//!
//! It knows data only, and no secret: passwords appear as version numbers, bodies with their secrets cut out.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::operation::Operation;

/// One executed effect. A refused or lost request leaves none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// Counted from 1.
    pub number: u64,
    /// When it was executed (for an asynchronous operation: accepted).
    pub at: Timestamp,
    /// What was done.
    #[serde(flatten)]
    pub kind: EffectKind,
    /// Project of the cluster or snapshot.
    pub project_id: String,
    /// Id of the cluster (create, restore, resize, restart, password, delete) or of the snapshot.
    pub id: String,
    /// Its name then.
    pub name: String,
    /// Who asked for it.
    pub by: By,
}

/// The kinds of effects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum EffectKind {
    /// A cluster is being created.
    Create {
        /// Its nodes.
        nodes: u32,
    },
    /// A new cluster is being restored.
    Restore {
        /// From this snapshot.
        snapshot_id: String,
        /// Its nodes.
        nodes: u32,
    },
    /// A cluster grows, or was changed to another size by the console.
    Resize {
        /// Nodes added; negative where the console took some away.
        added: i64,
        /// Nodes afterwards.
        total: u32,
    },
    /// A cluster restarts.
    Restart,
    /// The administrator's password is another one now.
    ResetPassword {
        /// Counted from 1, the password of the creation.
        version: u32,
    },
    /// A snapshot is being taken.
    Snapshot {
        /// Of this cluster.
        cluster_id: String,
        /// By the nightly policy.
        automated: bool,
    },
    /// A cluster is being deleted.
    DeleteCluster {
        /// As in the request.
        keep_last_manual_snapshot: u32,
    },
    /// A snapshot is gone.
    DeleteSnapshot {
        /// It was of this cluster.
        cluster_id: String,
        /// Not by a request of its own: with its cluster, or because its days were over.
        along: bool,
    },
}

/// Who asked for an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A request of the API.
    Request {
        /// Its number in the record of requests.
        number: u64,
        /// `key AKID` or `token user`.
        credential: String,
    },
    /// A person at the console, as the inspection interface was told.
    Console,
    /// The service itself.
    Service,
}

/// One received request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Received {
    /// Counted from 1.
    pub number: u64,
    /// When it arrived.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path as it arrived.
    pub path: String,
    /// Query as it arrived.
    pub query: String,
    /// `None` for a path that the gateway does not know.
    pub operation: Option<Operation>,
    /// Cluster or snapshot of the path, else the name in the body.
    pub target: Option<String>,
    /// `key AKID` or `token user`; `None` where authentication failed or was not reached.
    pub credential: Option<String>,
    /// The body with its secrets cut out; null where it is empty or not JSON.
    pub body: Value,
    /// Fields of the body that the reference does not have.
    pub ignored: Vec<String>,
    /// Headers that are harmless: content type, language, project, user agent, host.
    pub headers: Vec<(String, String)>,
    /// Name of the fault that met it.
    pub fault: Option<String>,
    /// Status that was sent; `None` where no answer was.
    pub status: Option<u16>,
    /// The service's code for a refusal.
    pub code: Option<String>,
}

/// Cuts the values of secret fields out of a body, at any depth.
pub(super) fn redact(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if matches!(
                    key.as_str(),
                    "user_pwd" | "new_password" | "secret" | "secret_key"
                ) || (key == "password" && !inner.is_object())
                {
                    *inner = Value::from("***");
                } else {
                    redact(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_cut_out_of_bodies() {
        let mut body = json!({
            "cluster": {"name": "dws-1", "user_pwd": "canary"},
            "new_password": "canary",
            "auth": {"identity": {"password": {"user": {"name": "u", "password": "canary"}}}},
        });
        redact(&mut body);
        assert!(!body.to_string().contains("canary"));
        assert_eq!(body["cluster"]["name"], "dws-1");
        assert_eq!(body["auth"]["identity"]["password"]["user"]["name"], "u");
    }
}
