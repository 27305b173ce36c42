//! The inspection interface under `/__sim/`: what was done, what is to go wrong, what others do meanwhile.
//!
//! It knows JSON and the service's own methods. It is no part of the real API and needs no credentials.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::http::{HttpRequest, HttpResponse};
use super::settings::Account;
use super::world::{Cluster, Outside, Snapshot};
use super::{Fault, Oddities, Service};

/// What `GET /__sim/help` says.
pub const HELP: &str = include_str!("help.txt");

/// Where the interface is.
pub const PREFIX: &str = "/__sim/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    cluster_id: String,
    user: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyChange {
    access_key: String,
    secret_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserChange {
    user: String,
    password: String,
}

impl Service {
    /// Answers a request whose path begins with [`PREFIX`].
    pub fn control(&mut self, now: Timestamp, request: &HttpRequest) -> HttpResponse {
        self.advance(now);
        let name = request
            .path
            .strip_prefix(PREFIX)
            .unwrap_or_default()
            .trim_end_matches('/');
        let answer = match (request.method.as_str(), name) {
            ("GET", "" | "help") => {
                return HttpResponse::text(200, "text/plain; charset=utf-8", HELP);
            }
            ("GET", _) => self.inspect(name, request),
            ("DELETE", "faults") => {
                self.clear_faults();
                Ok(json!({}))
            }
            ("DELETE", "oddities") => {
                self.set_oddities(Oddities::default());
                Ok(json!({}))
            }
            ("POST", "reset") => {
                self.reset(now);
                Ok(json!({}))
            }
            ("POST", "revoke-tokens") => Ok(json!({"revoked": self.revoke_tokens()})),
            ("POST", _) => match serde_json::from_slice::<Value>(&request.body) {
                Ok(body) => self.control_change(now, name, body),
                Err(error) => Err(format!("the body is not JSON: {error}")),
            },
            _ => Err(unknown(name)),
        };
        match answer {
            Ok(value) => HttpResponse::json(200, &value),
            Err(error) => HttpResponse::json(400, &json!({"error": error})),
        }
    }

    fn inspect(&self, name: &str, request: &HttpRequest) -> Result<Value, String> {
        // Everything that is counted can be asked for from a number on.
        let after = match request.query_value("after") {
            None => 0,
            Some(after) => after
                .parse::<u64>()
                .map_err(|_| "after: a number".to_owned())?,
        };
        Ok(match name {
            "ledger" => {
                let effects: Vec<_> = self
                    .ledger()
                    .iter()
                    .filter(|effect| effect.number > after)
                    .collect();
                json!({"effects": effects})
            }
            "requests" => {
                let received: Vec<_> = self
                    .requests()
                    .filter(|received| received.number > after)
                    .collect();
                let counts: Map<String, Value> = self
                    .counts
                    .iter()
                    .map(|(operation, count)| (operation.name().to_owned(), json!(count)))
                    .collect();
                json!({"requests": received, "total": self.request_count(), "per_operation": counts})
            }
            "clusters" => {
                json!({"clusters": self.world.clusters().map(cluster).collect::<Vec<_>>()})
            }
            "snapshots" => {
                json!({"snapshots": self.world.snapshots().map(snapshot).collect::<Vec<_>>()})
            }
            "faults" => json!({"faults": self.faults()}),
            "oddities" => json!(self.oddities()),
            _ => return Err(unknown(name)),
        })
    }

    fn control_change(&mut self, now: Timestamp, name: &str, body: Value) -> Result<Value, String> {
        match name {
            "faults" => {
                let given = match body {
                    Value::Array(faults) => faults,
                    fault => vec![fault],
                };
                // All or none.
                let faults: Vec<Fault> = given
                    .iter()
                    .map(Fault::from_json)
                    .collect::<Result<_, _>>()?;
                for fault in faults {
                    self.inject(fault);
                }
                Ok(json!({"faults": self.faults()}))
            }
            "oddities" => {
                let oddities = merged(self.oddities(), body)?;
                self.set_oddities(oddities);
                Ok(json!(self.oddities()))
            }
            "outside" => {
                let change: Outside = parse(body)?;
                let id = self
                    .outside(now, &change)
                    .map_err(|error| error.to_string())?;
                Ok(json!({"id": id}))
            }
            "login-check" => {
                let Login {
                    cluster_id,
                    user,
                    password,
                } = parse(body)?;
                Ok(json!({"logs_in": self.world.logs_in(&cluster_id, &user, &password)}))
            }
            "accounts" => {
                self.add_account(parse::<Account>(body)?);
                Ok(json!({}))
            }
            "keys" => {
                let KeyChange {
                    access_key,
                    secret_key,
                } = parse(body)?;
                let known = self.set_secret_key(&access_key, &secret_key);
                known
                    .then(|| json!({}))
                    .ok_or_else(|| format!("no account has the key {access_key:?}"))
            }
            "users" => {
                let UserChange { user, password } = parse(body)?;
                let known = self.set_user_password(&user, &password);
                known
                    .then(|| json!({}))
                    .ok_or_else(|| format!("no account has a user {user:?}"))
            }
            _ => Err(unknown(name)),
        }
    }
}

fn unknown(name: &str) -> String {
    format!("nothing is at {PREFIX}{name} with this method: see GET {PREFIX}help")
}

fn parse<T: DeserializeOwned>(body: Value) -> Result<T, String> {
    serde_json::from_value(body).map_err(|error| error.to_string())
}

/// The oddities with those changed that the body names.
pub(super) fn merged(current: &Oddities, body: Value) -> Result<Oddities, String> {
    let Value::Object(changes) = body else {
        return Err("oddities are a JSON object".to_owned());
    };
    let mut all = serde_json::to_value(current).map_err(|error| error.to_string())?;
    if let Value::Object(all) = &mut all {
        all.extend(changes);
    }
    parse(all)
}

/// A cluster as it truly is.
fn cluster(cluster: &Cluster) -> Value {
    let state = cluster.state();
    json!({
        "id": cluster.id,
        "project_id": cluster.project_id,
        "name": state.name,
        "status": state.status,
        "sub_status": state.sub_status,
        "task_status": state.task_status,
        "working": cluster.is_working(),
        "nodes": state.node_count,
        "node_type": state.node_type,
        "user_name": state.user_name,
        "password_version": cluster.password_version(),
        "created": cluster.created,
    })
}

/// A snapshot as it truly is.
fn snapshot(snapshot: &Snapshot) -> Value {
    let state = snapshot.state();
    json!({
        "id": snapshot.id,
        "project_id": snapshot.project_id,
        "name": snapshot.name,
        "cluster_id": snapshot.cluster_id,
        "status": state.status,
        "automated": snapshot.automated,
        "started": snapshot.started,
        "finished": state.finished,
    })
}
