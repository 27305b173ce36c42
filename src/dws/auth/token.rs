//! Tokens of IAM (reference 3.2): what a request for one says, how long one is used, and that only one
//! is fetched at a time.
//!
//! It knows no network: the client hands in how a token is fetched.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::dws::answer::Failure;
use crate::dws::endpoint::Project;
use crate::dws::time::timestamp;

/// A token is replaced this long before it ends: long enough for any request that is under way.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_mins(10);

/// How long a token is used whose end the answer does not tell. The service's tokens last 24 hours.
const UNTOLD_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// A token.
#[derive(Clone, Debug)]
pub struct Token {
    /// What goes into `X-Auth-Token`.
    pub value: SecretString,
    /// From when on it is not used any more.
    pub renew_at: Timestamp,
    /// The project it is scoped to, where the answer says so.
    pub project_id: Option<String>,
}

/// The body of `POST /v3/auth/tokens`.
#[derive(Serialize)]
pub(crate) struct TokenRequest<'a> {
    auth: Auth<'a>,
}

#[derive(Serialize)]
struct Auth<'a> {
    identity: Identity<'a>,
    scope: Scope<'a>,
}

#[derive(Serialize)]
struct Identity<'a> {
    methods: [&'static str; 1],
    password: PasswordMethod<'a>,
}

#[derive(Serialize)]
struct PasswordMethod<'a> {
    user: User<'a>,
}

#[derive(Serialize)]
struct User<'a> {
    name: &'a str,
    password: &'a str,
    domain: Named<'a>,
}

#[derive(Serialize)]
struct Scope<'a> {
    project: Named<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Named<'a> {
    Name(&'a str),
    Id(&'a str),
}

impl<'a> TokenRequest<'a> {
    /// A token for one project.
    pub(crate) fn new(
        domain_name: &'a str,
        user_name: &'a str,
        password: &'a SecretString,
        project: &'a Project,
    ) -> Self {
        let user = User {
            name: user_name,
            password: password.expose_secret(),
            domain: Named::Name(domain_name),
        };
        let project = match project {
            Project::Id(id) => Named::Id(id),
            Project::Name(name) => Named::Name(name),
        };
        let identity = Identity {
            methods: ["password"],
            password: PasswordMethod { user },
        };
        Self {
            auth: Auth {
                identity,
                scope: Scope { project },
            },
        }
    }
}

impl Token {
    /// A token from `X-Subject-Token` and the body of the answer. The body only adds when it ends and
    /// which project it is for; a body that does not say is as good.
    pub(crate) fn read(value: &str, body: &[u8], now: Timestamp) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            token: Inner,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Inner {
            expires_at: Option<String>,
            project: Option<Scoped>,
        }
        #[derive(Deserialize)]
        struct Scoped {
            id: Option<String>,
        }
        let Inner {
            expires_at,
            project,
        } = serde_json::from_slice::<Body>(body)
            .unwrap_or_default()
            .token;
        let life = expires_at
            .and_then(|text| timestamp(&text))
            .map_or(UNTOLD_LIFE, |end| end.duration_since(now));
        // A short-lived token (a test, a strict account) is used for most of its life all the same.
        let used = (life - RENEW_BEFORE).max(life * 3 / 4);
        Self {
            value: SecretString::from(value),
            renew_at: now.checked_add(used).unwrap_or(now),
            project_id: project.and_then(|project| project.id),
        }
    }
}

/// The token in use. At most one is fetched at a time; those who wait share what comes of it, a failure
/// too: five failed logins lock the user, so a crowd must not make five of one.
#[derive(Default)]
pub(crate) struct TokenCache {
    state: Mutex<State>,
    /// Fetches that have ended, to tell whether one ended while its caller waited.
    fetched: AtomicU64,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    failed: Option<Failure>,
}

impl TokenCache {
    /// The token in use, or a new one.
    pub(crate) async fn get<F>(&self, now: Timestamp, fetch: F) -> Result<Token, Failure>
    where
        F: Future<Output = Result<Token, Failure>>,
    {
        let before = self.fetched.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(token) = &state.token
            && now < token.renew_at
        {
            return Ok(token.clone());
        }
        if let Some(failure) = &state.failed
            && self.fetched.load(Ordering::Acquire) != before
        {
            return Err(failure.clone());
        }
        let fetched = fetch.await;
        self.fetched.fetch_add(1, Ordering::AcqRel);
        match &fetched {
            Ok(token) => {
                *state = State {
                    token: Some(token.clone()),
                    failed: None,
                }
            }
            Err(failure) => {
                *state = State {
                    token: None,
                    failed: Some(failure.clone()),
                }
            }
        }
        fetched
    }

    /// Forgets the token that the service refused, unless another has taken its place meanwhile.
    pub(crate) async fn refuse(&self, refused: &SecretString) {
        let mut state = self.state.lock().await;
        let same = state
            .token
            .as_ref()
            .is_some_and(|token| token.value.expose_secret() == refused.expose_secret());
        if same {
            state.token = None;
        }
    }
}
