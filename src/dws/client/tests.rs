//! The client over a transport that answers from memory: what it sends, and what it makes of answers.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use http::HeaderMap;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use crate::dws::call::{CreateCluster, PublicIpRequest, Restore};
use crate::dws::endpoint::Settings;
use crate::dws::transport::TransportError;

mod operations;
mod secrets;
mod sending;
mod tokens;

pub(super) const PROJECT: &str = "89cd04f168b84af6be287f71730fdb4b";
pub(super) const CLUSTER: &str = "4ca46bf1-5c61-48ff-b4f3-0ad4e5e3ba90";
pub(super) const SNAPSHOT: &str = "2a4d0f86-67cd-408a-8b66-017454fb7793";
pub(super) const SECRET_KEY: &str = "Canary-SecretKey-MFyfvK41ba2giqM7Uio6";
pub(super) const SECURITY_TOKEN: &str = "Canary-SecurityToken-ggpjbi1ub3J0aC0";
pub(super) const PASSWORD: &str = "Canary-IamPassw0rd!";
pub(super) const DATABASE_PASSWORD: &str = "Canary\"Database/Passw0rd";

/// A request as the transport got it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub line: String,
    pub host: String,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
    pub raw: String,
    pub timeout: Duration,
    pub changing: bool,
    pub max_answer: usize,
}

type Answers = dyn Fn(&Seen, usize) -> Result<Response, TransportError> + Send + Sync;

/// Answers from memory, a millisecond later, and remembers.
pub(super) struct Memory {
    answers: Box<Answers>,
    seen: Mutex<Vec<Seen>>,
}

impl Memory {
    /// `answers` gets the request and how many of its line came before.
    pub fn new(
        answers: impl Fn(&Seen, usize) -> Result<Response, TransportError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            answers: Box::new(answers),
            seen: Mutex::default(),
        })
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.seen
            .lock()
            .iter()
            .map(|seen| seen.line.clone())
            .collect()
    }
}

impl Transport for Memory {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let query = request
            .url
            .query()
            .map_or(String::new(), |query| format!("?{query}"));
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let seen = Seen {
            line: format!("{} {}{query}", request.method, request.url.path()),
            host: sign_host(&request.url),
            headers: headers.collect(),
            body: serde_json::from_slice(&request.body).unwrap_or(Value::Null),
            raw: String::from_utf8(request.body.to_vec()).unwrap(),
            timeout: request.timeout,
            changing: request.changing,
            max_answer: request.max_answer,
        };
        let before = self
            .lines()
            .iter()
            .filter(|line| **line == seen.line)
            .count();
        self.seen.lock().push(seen.clone());
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            (self.answers)(&seen, before)
        })
    }
}

fn sign_host(url: &url::Url) -> String {
    crate::dws::auth::sign::host(url).to_owned()
}

/// A clock that stands until it is moved.
pub(super) struct Still(Mutex<Timestamp>);

impl Still {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(now())))
    }

    pub fn forward(&self, by: Duration) {
        let mut now = self.0.lock();
        *now = now.checked_add(by).unwrap();
    }
}

impl Clock for Still {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

/// Where [`Still`] stands at first.
pub(super) fn now() -> Timestamp {
    "2019-11-15T03:36:55Z".parse().unwrap()
}

/// A minute later.
pub(super) fn soon() -> Timestamp {
    now().checked_add(Duration::from_mins(1)).unwrap()
}

#[allow(clippy::unnecessary_wraps)] // What a transport returns.
pub(super) fn reply(status: u16, body: impl Into<Value>) -> Result<Response, TransportError> {
    let body: Value = body.into();
    let body = if body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(body.to_string())
    };
    Ok(Response {
        status,
        headers: HeaderMap::new(),
        body,
    })
}

pub(super) fn token(value: &str) -> Result<Response, TransportError> {
    let mut response = reply(
        201,
        json!({"token": {"expires_at": "2019-11-16T03:36:55.000000Z"}}),
    )?;
    response
        .headers
        .insert("x-subject-token", value.parse().unwrap());
    Ok(response)
}

pub(super) fn access_key() -> Credential {
    Credential::AccessKey {
        access_key: "QTWAOYTTINDUT2QVKYUC".into(),
        secret_key: SECRET_KEY.into(),
        security_token: None,
    }
}

pub(super) fn temporary_key() -> Credential {
    Credential::AccessKey {
        access_key: "QTWAOYTTINDUT2QVKYUC".into(),
        secret_key: SECRET_KEY.into(),
        security_token: Some(SECURITY_TOKEN.into()),
    }
}

pub(super) fn password() -> Credential {
    Credential::Password {
        domain_name: "domain".into(),
        user_name: "user".into(),
        password: PASSWORD.into(),
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        region: Some("eu-west-0".into()),
        project_id: Some(PROJECT.into()),
        ..Settings::default()
    }
}

pub(super) fn client(credential: Credential, transport: &Arc<Memory>) -> Client {
    with(&settings(), credential, transport, &Still::new())
}

pub(super) fn with(
    settings: &Settings,
    credential: Credential,
    transport: &Arc<Memory>,
    clock: &Arc<Still>,
) -> Client {
    Client::new(
        settings.resolve().unwrap(),
        credential,
        transport.clone(),
        clock.clone(),
    )
}

pub(super) fn create() -> Call {
    Call::CreateCluster(CreateCluster {
        name: "dws-1".into(),
        node_type: "dws.d1.xlarge.ultrahigh".into(),
        number_of_node: 3,
        vpc_id: "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574".into(),
        subnet_id: "374eca02-cfc4-4de7-8ab5-dbebf7d9a720".into(),
        security_group_id: "dc3ec145-9029-4b39-b5a3-ace5a01f772b".into(),
        availability_zone: Some("eu-west-0a".into()),
        port: 8000,
        user_name: "dbadmin".into(),
        user_pwd: DATABASE_PASSWORD.into(),
        public_ip: Some(PublicIpRequest {
            public_bind_type: "auto_assign",
            eip_id: None,
        }),
        number_of_cn: Some(3),
        enterprise_project_id: Some("0".into()),
    })
}

pub(super) fn restore() -> Call {
    Call::RestoreSnapshot {
        snapshot_id: SNAPSHOT.into(),
        restore: Restore {
            name: "dws-2".into(),
            vpc_id: None,
            subnet_id: None,
            security_group_id: None,
            availability_zone: None,
            port: None,
            public_ip: None,
        },
    }
}

pub(super) fn resize() -> Call {
    Call::ResizeCluster {
        cluster_id: CLUSTER.into(),
        count: 3,
    }
}

pub(super) fn reset_password() -> Call {
    Call::ResetPassword {
        cluster_id: CLUSTER.into(),
        new_password: DATABASE_PASSWORD.into(),
    }
}

/// Every changing call.
pub(super) fn calls() -> Vec<Call> {
    vec![
        create(),
        restore(),
        Call::DeleteCluster {
            cluster_id: CLUSTER.into(),
            keep_last_manual_snapshot: 5,
        },
        Call::RestartCluster {
            cluster_id: CLUSTER.into(),
        },
        resize(),
        reset_password(),
        Call::CreateSnapshot {
            name: "snapshot-3".into(),
            cluster_id: CLUSTER.into(),
            description: Some("Snapshot-3 description".into()),
        },
        Call::DeleteSnapshot {
            snapshot_id: SNAPSHOT.into(),
        },
    ]
}
