//! Accounts, tokens and keys: who is calling, for which projects, and whether that still holds.
//!
//! It knows credentials, their expiry, revocation and locks. It must not know clusters.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::http::HttpRequest;
use super::refusal::Refusal;
use super::settings::{AccessKey, Account, Project};
use super::signature;

/// Failed logins after which a key is locked, and for how long.
const FAILURES: u32 = 5;
const LOCK: Duration = Duration::from_mins(5);

/// A caller that is who it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Index of the account.
    pub account: usize,
    /// The one project of a token; with a key, all of the account's.
    pub project: Option<String>,
    /// `key AKID` or `token user`.
    pub credential: String,
}

struct Token {
    account: usize,
    user: String,
    project: Project,
    expires: Timestamp,
    revoked: bool,
}

#[derive(Default)]
struct Failures {
    count: u32,
    locked_until: Option<Timestamp>,
}

pub(super) struct Iam {
    accounts: Vec<Account>,
    token_life: Duration,
    region: String,
    tokens: BTreeMap<String, Token>,
    failures: HashMap<String, Failures>,
}

impl Iam {
    pub fn new(accounts: Vec<Account>, token_life: Duration, region: String) -> Self {
        Self {
            accounts,
            token_life,
            region,
            tokens: BTreeMap::new(),
            failures: HashMap::new(),
        }
    }

    /// Who is calling. `expired`: the code for a token whose time is over.
    pub fn authenticate(
        &mut self,
        request: &HttpRequest,
        now: Timestamp,
        expired: &str,
    ) -> Result<Identity, Refusal> {
        if let Some(token) = request.header("x-auth-token") {
            return self.by_token(token, now, expired);
        }
        match request.header("authorization").map(signature::parse) {
            Some(Some(authorization)) => self.by_key(request, &authorization, now),
            Some(None) => Err(wrong("the authorization header is not SDK-HMAC-SHA256")),
            None => Err(wrong("neither a token nor a signature is given")),
        }
    }

    fn by_token(&self, token: &str, now: Timestamp, expired: &str) -> Result<Identity, Refusal> {
        let Some(known) = self.tokens.get(token) else {
            return Err(wrong("decrypt token fail"));
        };
        if known.revoked {
            return Err(Refusal::of("APIGW.0301").detail("token has been revoked"));
        }
        if now >= known.expires {
            return Err(Refusal::of(expired).detail("token expires"));
        }
        Ok(Identity {
            account: known.account,
            project: Some(known.project.id.clone()),
            credential: format!("token {}", known.user),
        })
    }

    fn by_key(
        &mut self,
        request: &HttpRequest,
        authorization: &signature::Authorization<'_>,
        now: Timestamp,
    ) -> Result<Identity, Refusal> {
        let name = authorization.access_key;
        let found = self
            .accounts
            .iter()
            .enumerate()
            .find_map(|(index, account)| {
                let key = account.keys.iter().find(|key| key.access_key == name)?;
                Some((index, key))
            });
        let Some((account, key)) = found else {
            return Err(wrong(&format!(
                "Get secretKey failed,ak:{name},err:ak not exist"
            )));
        };
        let failures = self.failures.entry(name.to_owned()).or_default();
        if failures.locked_until.is_some_and(|until| now < until) {
            return Err(wrong("AK access failed to reach the limit,forbidden"));
        }
        let checked = signature::verify(request, authorization, &key.secret_key, now)
            .and_then(|()| check_security_token(request, key));
        match checked {
            Ok(()) => {
                *failures = Failures::default();
                Ok(Identity {
                    account,
                    project: None,
                    credential: format!("key {name}"),
                })
            }
            Err(reason) => {
                failures.count += 1;
                if failures.count >= FAILURES {
                    *failures = Failures {
                        count: 0,
                        locked_until: Some(now + LOCK),
                    };
                }
                Err(wrong(reason))
            }
        }
    }

    /// Whether the caller may work in this project.
    pub fn may_use(&self, identity: &Identity, project: &str) -> bool {
        match &identity.project {
            Some(own) => own == project,
            None => self.accounts[identity.account]
                .projects
                .iter()
                .any(|own| own.id == project),
        }
    }

    /// A new token for a password (reference 3.1): the token and the answer's body.
    pub fn create_token(
        &mut self,
        body: &Value,
        now: Timestamp,
        token: String,
    ) -> Result<(String, Value), Refusal> {
        let auth = &body["auth"];
        let given = &auth["identity"]["password"]["user"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (Some(name), Some(password), Some(domain)) = (
            text(&given["name"]),
            text(&given["password"]),
            text(&given["domain"]["name"]),
        ) else {
            return Err(Refusal::iam(
                400,
                "Expecting to find valid JSON in request body.",
            ));
        };
        let found = self
            .accounts
            .iter()
            .enumerate()
            .find(|(_, account)| account.domain == domain);
        let account = found.filter(|(_, account)| {
            account
                .users
                .iter()
                .any(|user| user.name == name && user.password == password)
        });
        let Some((index, account)) = account else {
            return Err(Refusal::iam(401, "The username or password is wrong."));
        };
        let scope = &auth["scope"]["project"];
        let project = match (text(&scope["id"]), text(&scope["name"])) {
            (Some(id), _) => account.projects.iter().find(|project| project.id == id),
            (None, Some(name)) => account.projects.iter().find(|project| project.name == name),
            // Without a scope IAM takes the region's own project.
            (None, None) => account.projects.first(),
        };
        let Some(project) = project.cloned() else {
            return Err(Refusal::iam(
                401,
                "The request you have made requires authentication.",
            ));
        };
        let expires = now + self.token_life;
        let time = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
        let answer = json!({"token": {
            "issued_at": time(now),
            "expires_at": time(expires),
            "methods": ["password"],
            "catalog": [{
                "type": "data_warehouse",
                "name": "dws",
                "endpoints": [{"region_id": self.region, "interface": "public"}],
            }],
            "roles": [{"name": "te_admin", "id": "0"}],
            "project": {
                "id": project.id,
                "name": project.name,
                "domain": {"name": domain, "id": domain_id(&domain)},
            },
            "user": {"name": name, "domain": {"name": domain, "id": domain_id(&domain)}},
        }});
        // Tokens long over are of no interest to anybody.
        let day = Duration::from_hours(24);
        self.tokens.retain(|_, token| token.expires + day > now);
        self.tokens.insert(
            token.clone(),
            Token {
                account: index,
                user: name,
                project,
                expires,
                revoked: false,
            },
        );
        Ok((token, answer))
    }

    /// The caller's projects (reference 6.4).
    pub fn list_projects(&self, identity: &Identity, name: Option<&str>) -> Value {
        let account = &self.accounts[identity.account];
        let domain = domain_id(&account.domain);
        let projects: Vec<Value> = account
            .projects
            .iter()
            .filter(|project| name.is_none_or(|name| project.name == name))
            .map(|project| {
                json!({
                    "id": project.id,
                    "name": project.name,
                    "domain_id": domain,
                    "parent_id": domain,
                    "is_domain": false,
                    "description": "",
                    "enabled": true,
                    "links": {"next": null, "previous": null, "self": format!("/v3/projects/{}", project.id)},
                })
            })
            .collect();
        json!({"projects": projects, "links": {"next": null, "previous": null, "self": "/v3/projects"}})
    }

    /// Ends all tokens, as a changed password or permission does.
    pub fn revoke_tokens(&mut self) -> usize {
        self.tokens
            .values_mut()
            .for_each(|token| token.revoked = true);
        self.tokens.len()
    }

    /// One more account.
    pub fn add_account(&mut self, account: Account) {
        self.accounts.push(account);
    }

    /// Another secret for a key, which stays known; `false` where there is none of that name.
    pub fn set_secret_key(&mut self, access_key: &str, secret_key: &str) -> bool {
        let mut keys = self
            .accounts
            .iter_mut()
            .flat_map(|account| &mut account.keys);
        let key = keys.find(|key| key.access_key == access_key);
        key.map(|key| secret_key.clone_into(&mut key.secret_key))
            .is_some()
    }

    /// Another password for a user, which also ends its tokens; `false` where there is none of that name.
    pub fn set_user_password(&mut self, name: &str, password: &str) -> bool {
        let mut users = self
            .accounts
            .iter_mut()
            .flat_map(|account| &mut account.users);
        let Some(user) = users.find(|user| user.name == name) else {
            return false;
        };
        password.clone_into(&mut user.password);
        for token in self.tokens.values_mut().filter(|token| token.user == name) {
            token.revoked = true;
        }
        true
    }
}

fn wrong(reason: &str) -> Refusal {
    Refusal::of("APIGW.0301").detail(reason)
}

fn check_security_token(request: &HttpRequest, key: &AccessKey) -> Result<(), &'static str> {
    match (&key.security_token, request.header("x-security-token")) {
        (None, None) => Ok(()),
        (Some(own), Some(given)) if own == given => Ok(()),
        (Some(_), None) => Err("the temporary key needs its security token"),
        _ => Err("verify security token fail"),
    }
}

/// A stable id for a domain name.
fn domain_id(name: &str) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(&Sha256::digest(name)[..16])
}
