//! Tokens of IAM (reference 3.2): what a request for one says, and how long one is used.
//!
//! It knows no network: the client fetches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::dws::endpoint::Project;
use crate::dws::time::timestamp;

/// A token is replaced this long before it ends: long enough for any request that is under way.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_mins(10);

/// How long a token is used whose end the answer does not tell. The service's tokens last 24 hours.
const UNTOLD_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// A token. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Token {
    /// What goes into `X-Auth-Token`.
    pub value: SecretString,
    /// The service took it at least once.
    worked: Arc<AtomicBool>,
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
    /// The service took it.
    pub(crate) fn works(&self) {
        self.worked.store(true, Ordering::Relaxed);
    }

    /// Whether the service took it at least once: refused now, it has ended, and the login behind it may be
    /// as good as before.
    pub(crate) fn has_worked(&self) -> bool {
        self.worked.load(Ordering::Relaxed)
    }

    /// A token from `X-Subject-Token` and the body of the answer. The body only adds when it ends and
    /// which project it is for; a body that does not say is as good.
    ///
    /// Its life is what IAM's own clock says, `served_at` where the body does not tell when it was issued:
    /// ours may be hours off.
    pub(crate) fn read(
        value: &str,
        body: &[u8],
        served_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            token: Inner,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Inner {
            expires_at: Option<String>,
            issued_at: Option<String>,
            project: Option<Scoped>,
        }
        #[derive(Deserialize)]
        struct Scoped {
            id: Option<String>,
        }
        let Inner {
            expires_at,
            issued_at,
            project,
        } = serde_json::from_slice::<Body>(body)
            .unwrap_or_default()
            .token;
        let told = |text: Option<String>| text.and_then(|text| timestamp(&text));
        let begin = told(issued_at).or(served_at).unwrap_or(now);
        let life = told(expires_at).map_or(UNTOLD_LIFE, |end| end.duration_since(begin));
        // A short-lived token (a test, a strict account) is used for most of its life all the same.
        let used = (life - RENEW_BEFORE)
            .max(life * 3 / 4)
            .min(life)
            .max(SignedDuration::ZERO);
        Self {
            value: SecretString::from(value),
            worked: Arc::default(),
            renew_at: now.checked_add(used).unwrap_or(now),
            project_id: project.and_then(|project| project.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// How many minutes a token is used that was fetched at midnight.
    #[rstest]
    #[case::a_day(r#"{"token":{"expires_at":"2019-02-13T00:00:00.855000Z"}}"#, 24 * 60 - 10)]
    #[case::an_hour(r#"{"token":{"expires_at":"2019-02-12T01:00:00Z"}}"#, 50)]
    #[case::short(r#"{"token":{"expires_at":"2019-02-12T00:08:00Z"}}"#, 6)]
    #[case::over(r#"{"token":{"expires_at":"2019-02-11T00:00:00Z"}}"#, 0)]
    #[case::unreadable_end(r#"{"token":{"expires_at":"tomorrow"}}"#, 50)]
    #[case::untold("{}", 50)]
    #[case::no_body("", 50)]
    #[case::garbled("<html>", 50)]
    #[case::odd(r#"{"token":{"expires_at":7}}"#, 50)]
    fn a_token_is_replaced_before_it_ends(#[case] body: &str, #[case] minutes: i64) {
        let now: Timestamp = "2019-02-12T00:00:00Z".parse().unwrap();
        let token = Token::read("t", body.as_bytes(), None, now);
        assert_eq!(
            token.renew_at.duration_since(now).as_mins(),
            minutes,
            "{body}"
        );
        assert!(token.renew_at >= now);
    }

    #[rstest]
    #[case::issued(
        r#"{"token":{"issued_at":"2019-02-12T00:00:00Z","expires_at":"2019-02-13T00:00:00Z"}}"#,
        None
    )]
    #[case::served(
        r#"{"token":{"expires_at":"2019-02-13T00:00:00Z"}}"#,
        Some("2019-02-12T00:00:00Z")
    )]
    #[case::issued_earlier(
        r#"{"token":{"issued_at":"2019-02-12T00:00:00Z","expires_at":"2019-02-13T00:00:00Z"}}"#,
        Some("2019-02-12T12:00:00Z")
    )]
    fn a_clock_of_ours_that_is_off_neither_lengthens_nor_shortens_its_life(
        #[case] body: &str,
        #[case] served_at: Option<&str>,
    ) {
        let served_at = served_at.map(|text| text.parse().unwrap());
        for ours in ["2019-02-11T00:00:00Z", "2019-02-12T23:55:00Z"] {
            let now: Timestamp = ours.parse().unwrap();
            let token = Token::read("t", body.as_bytes(), served_at, now);
            let used = token.renew_at.duration_since(now);
            assert_eq!(used.as_mins(), 24 * 60 - 10, "{ours}");
        }
    }

    #[test]
    fn the_project_is_read_where_it_is_told() {
        let body = br#"{"token":{"project":{"id":"p1","name":"eu-west-0"}}}"#;
        let token = Token::read("t", body, None, Timestamp::UNIX_EPOCH);
        assert_eq!(token.project_id.as_deref(), Some("p1"));
    }

    #[test]
    fn the_request_is_that_of_the_reference() {
        let password = SecretString::from("*****#");
        let by_id = Project::Id("xxxxxxxx".to_owned());
        let request = TokenRequest::new("domainname", "user_name", &password, &by_id);
        assert_eq!(
            serde_json::to_value(&request).unwrap(),
            serde_json::json!({"auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {
                        "name": "user_name",
                        "password": "*****#",
                        "domain": {"name": "domainname"}
                    }}
                },
                "scope": {"project": {"id": "xxxxxxxx"}}
            }})
        );
        let by_name = Project::Name("eu-west".to_owned());
        let request = TokenRequest::new("d", "u", &password, &by_name);
        let value = serde_json::to_value(&request).unwrap();
        assert_eq!(
            value["auth"]["scope"],
            serde_json::json!({"project": {"name": "eu-west"}})
        );
    }
}
