//! A small client with virtual time. It signs by itself, from the published scheme.

use std::time::Duration;

use dws_operator::simulator::{Delivery, HttpRequest, HttpResponse, Service, Settings};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const PASSWORD: &str = "Dws2017demo!";
pub const UNKNOWN: &str = "7d85f602-a948-4a30-afd4-e84f47471c15";

/// How a request proves who it is.
#[derive(Clone)]
pub enum Proof {
    Key {
        access_key: String,
        secret_key: String,
        security_token: Option<String>,
    },
    Token(String),
    Nothing,
}

pub struct Sim {
    pub service: Service,
    pub now: Timestamp,
    pub proof: Proof,
    pub project: String,
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub json: Value,
    pub text: String,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.json["error_code"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl From<&HttpResponse> for Answer {
    fn from(answer: &HttpResponse) -> Self {
        Self {
            status: answer.status,
            headers: answer.headers.clone(),
            json: serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
            text: String::from_utf8_lossy(&answer.body).into_owned(),
        }
    }
}

impl Sim {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        let now: Timestamp = "2026-03-01T10:00:00.25Z".parse().unwrap();
        Self {
            now,
            project: settings.project_id.clone(),
            proof: Proof::Key {
                access_key: settings.access_key.clone(),
                secret_key: settings.secret_key.clone(),
                security_token: settings.security_token.clone(),
            },
            service: Service::new(settings, now),
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) {
        self.now += time;
        self.service.advance(self.now);
    }

    pub fn minutes(&mut self, minutes: u64) {
        self.pass(Duration::from_secs(60 * minutes));
    }

    /// Lets time pass until nothing runs any more.
    pub fn rest(&mut self) {
        for _ in 0..10_000 {
            let working = self
                .service
                .world()
                .clusters()
                .any(dws_operator::simulator::Cluster::is_working);
            if !working {
                return;
            }
            self.now = self.now.max(
                self.service
                    .next_event()
                    .expect("work, and no end in sight"),
            );
            self.service.advance(self.now);
        }
        panic!("no rest");
    }

    pub fn deliver(&mut self, method: &str, path: &str, body: Option<&Value>) -> Delivery {
        let request = self.request(method, path, body);
        self.service.handle(self.now, &request)
    }

    /// A request of its own making, signed as `proof` says.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> HttpRequest {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut request = HttpRequest {
            method: method.to_owned(),
            path: path.replace("{p}", &self.project),
            query: query.to_owned(),
            headers: vec![
                ("Host".to_owned(), "dws.example.com".to_owned()),
                ("Content-Type".to_owned(), "application/json".to_owned()),
            ],
            body: body
                .map(|body| body.to_string().into_bytes())
                .unwrap_or_default(),
        };
        match &self.proof {
            Proof::Nothing => {}
            Proof::Token(token) => {
                request
                    .headers
                    .push(("X-Auth-Token".to_owned(), token.clone()));
            }
            Proof::Key {
                access_key,
                secret_key,
                security_token,
            } => {
                if let Some(token) = security_token {
                    request
                        .headers
                        .push(("X-Security-Token".to_owned(), token.clone()));
                }
                sign(&mut request, access_key, secret_key, self.now);
            }
        }
        request
    }

    pub fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        match self.deliver(method, path, body) {
            Delivery::Answer(answer) | Delivery::Delayed { answer, .. } => Answer::from(&answer),
            other => panic!("{method} {path}: {other:?}"),
        }
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.call("GET", path, None)
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, Some(body))
    }

    pub fn create_body(name: &str) -> Value {
        json!({"cluster": {
            "name": name,
            "node_type": "dws.d1.xlarge",
            "number_of_node": 3,
            "vpc_id": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574",
            "subnet_id": "374eca02-cfc4-4de7-8ab5-dbebf7d9a720",
            "security_group_id": "dc3ec145-9029-4b39-b5a3-ace5a01f772b",
            "user_name": "dbadmin",
            "user_pwd": PASSWORD,
        }})
    }

    pub fn create(&mut self, name: &str) -> String {
        let answer = self.post("/v1.0/{p}/clusters", &Self::create_body(name));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json["cluster"]["id"].as_str().unwrap().to_owned()
    }

    /// A cluster that is AVAILABLE.
    pub fn cluster(&mut self, name: &str) -> String {
        let id = self.create(name);
        self.rest();
        assert_eq!(
            self.service.world().cluster(&id).unwrap().state().status,
            "AVAILABLE"
        );
        id
    }

    pub fn detail(&mut self, id: &str) -> Value {
        let answer = self.get(&format!("/v1.0/{{p}}/clusters/{id}"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json["cluster"].clone()
    }

    pub fn snapshot(&mut self, cluster: &str, name: &str) -> Answer {
        let body =
            json!({"snapshot": {"name": name, "cluster_id": cluster, "description": "a test"}});
        self.post("/v1.0/{p}/snapshots", &body)
    }

    pub fn resize(&mut self, id: &str, count: i64) -> Answer {
        let body = json!({"scale_out": {"count": count}});
        self.post(&format!("/v1.0/{{p}}/clusters/{id}/resize"), &body)
    }

    pub fn restart(&mut self, id: &str) -> Answer {
        self.post(
            &format!("/v1.0/{{p}}/clusters/{id}/restart"),
            &json!({"restart": {}}),
        )
    }

    pub fn reset_password(&mut self, id: &str, password: &str) -> Answer {
        let body = json!({"new_password": password});
        self.post(&format!("/v1.0/{{p}}/clusters/{id}/reset-password"), &body)
    }

    pub fn delete(&mut self, id: &str, keep: i64) -> Answer {
        let body = json!({"keep_last_manual_snapshot": keep});
        self.call("DELETE", &format!("/v1.0/{{p}}/clusters/{id}"), Some(&body))
    }

    pub fn token(&mut self, password: &str) -> Answer {
        let settings = self.service.settings();
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": settings.user, "password": password, "domain": {"name": settings.domain},
            }}},
            "scope": {"project": {"name": settings.project_name}},
        }});
        self.post("/v3/auth/tokens", &body)
    }
}

/// SDK-HMAC-SHA256 over all headers present.
pub fn sign(request: &mut HttpRequest, access_key: &str, secret_key: &str, now: Timestamp) {
    let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    request
        .headers
        .push(("X-Sdk-Date".to_owned(), date.clone()));
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect();
    headers.sort();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let mut lines = String::new();
    for (name, value) in &headers {
        lines.extend([name, ":", value, "\n"]);
    }
    let path = &request.path;
    let slash = if path.ends_with('/') { "" } else { "/" };
    let canonical = format!(
        "{}\n{path}{slash}\n{}\n{lines}\n{names}\n{}",
        request.method,
        request.query,
        hex::encode(Sha256::digest(&request.body)),
    );
    let text = format!(
        "SDK-HMAC-SHA256\n{date}\n{}",
        hex::encode(Sha256::digest(canonical))
    );
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret_key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let value = format!(
        "SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={names}, Signature={signature}"
    );
    request.headers.push(("Authorization".to_owned(), value));
}
