//! The client of one account.
//!
//! It puts requests together, authenticates them and sends each once. It decides nothing about
//! repeating: only a read whose token has ended is sent a second time, with a new one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use url::Url;

use super::answer::{Answer, Failure, Meaning};
use super::auth::Credential;
use super::auth::sign::{self, Unsigned};
use super::auth::token::{Token, TokenCache, TokenRequest};
use super::call::Call;
use super::clock::Clock;
use super::decode;
use super::endpoint::{AccountConfig, Project};
use super::model::{Cluster, Listing, NodeType, Snapshot};
use super::operation::{Operation, is_id};
use super::outcome;
use super::redact::Redactor;
use super::transport::{Request, Response, Transport};
use super::wire::body;

const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const X_SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");
const X_LANGUAGE: HeaderName = HeaderName::from_static("x-language");
const X_PROJECT_ID: HeaderName = HeaderName::from_static("x-project-id");
const X_SDK_DATE: HeaderName = HeaderName::from_static("x-sdk-date");
const X_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-security-token");

const AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// The client of one account: cheap to clone, all clones share token and project id.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    config: AccountConfig,
    credential: Credential,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    tokens: TokenCache,
    project_id: Mutex<Option<String>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("region", &self.inner.config.region)
            .field("project", &self.inner.config.project)
            .finish_non_exhaustive()
    }
}

/// A changing request, complete and authenticated: all that is left is to send it. It can be sent once,
/// and is never signed again.
pub struct Prepared {
    operation: Operation,
    request: Request,
    redactor: Redactor,
    token: Option<SecretString>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("operation", &self.operation)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client; nothing is sent yet.
    pub fn new(
        config: AccountConfig,
        credential: Credential,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let project_id = match &config.project {
            Project::Id(id) => Some(id.clone()),
            Project::Name(_) => None,
        };
        Self {
            inner: Arc::new(Inner {
                config,
                credential,
                transport,
                clock,
                tokens: TokenCache::default(),
                project_id: Mutex::new(project_id),
            }),
        }
    }

    /// The account that this client is for.
    pub fn config(&self) -> &AccountConfig {
        &self.inner.config
    }

    /// The id of the account's project: as configured, or looked up by its name, once.
    pub async fn project_id(&self) -> Result<String, Failure> {
        // The lock is held while asking, so that many who start at once ask once.
        let mut known = self.inner.project_id.lock().await;
        if let Some(id) = &*known {
            return Ok(id.clone());
        }
        let id = self.look_up_project().await?;
        *known = Some(id.clone());
        Ok(id)
    }

    /// All clusters of the project (reference 5.1.2).
    pub async fn list_clusters(&self) -> Result<Listing<Cluster>, Failure> {
        let (response, redactor) = self.read(Operation::ListClusters, "").await?;
        decode::clusters(&response, &redactor)
    }

    /// One cluster in detail (reference 5.1.3).
    pub async fn cluster(&self, id: &str) -> Result<Cluster, Failure> {
        let (response, redactor) = self.read(Operation::GetCluster, checked(id)?).await?;
        decode::cluster(&response, id, &redactor)
    }

    /// All snapshots of the project (reference 5.2.2).
    pub async fn list_snapshots(&self) -> Result<Listing<Snapshot>, Failure> {
        let (response, redactor) = self.read(Operation::ListSnapshots, "").await?;
        decode::snapshots(&response, &redactor)
    }

    /// One snapshot in detail (reference 5.2.3).
    pub async fn snapshot(&self, id: &str) -> Result<Snapshot, Failure> {
        let (response, redactor) = self.read(Operation::GetSnapshot, checked(id)?).await?;
        decode::snapshot(&response, id, &redactor)
    }

    /// The node types on sale (reference 5.1.4).
    pub async fn node_types(&self) -> Result<Vec<NodeType>, Failure> {
        let (response, redactor) = self.read(Operation::ListNodeTypes, "").await?;
        decode::node_types(&response, &redactor)
    }

    /// Puts a changing request together and authenticates it. Reads may be sent for that (a token, the
    /// project id); nothing that changes anything is.
    pub async fn prepare(&self, call: &Call) -> Result<Prepared, Failure> {
        let (operation, id) = Operation::of(call);
        let id = id.map_or(Ok(""), checked)?;
        let body = body::of(call).map_err(|error| unwritable(&error))?;
        let project = self.project_id().await?;
        let (mut request, mut redactor, token) = self
            .authenticated(operation, &project, id, None, body)
            .await?;
        request.changing = true;
        match call {
            Call::CreateCluster(create) => redactor.add(create.user_pwd.expose_secret()),
            Call::ResetPassword { new_password, .. } => redactor.add(new_password.expose_secret()),
            _ => {}
        }
        Ok(Prepared {
            operation,
            request,
            redactor,
            token,
        })
    }

    /// Sends a prepared request, once, unless the deadline is past. The answer is awaited until the
    /// deadline, at most for the request timeout.
    pub async fn send(&self, prepared: Prepared, deadline: Timestamp) -> Answer {
        let Prepared {
            operation,
            mut request,
            redactor,
            token,
        } = prepared;
        let left = deadline.duration_since(self.inner.clock.now());
        let left = Duration::try_from(left).unwrap_or_default();
        if left.is_zero() {
            return Answer::Refused(outcome::not_sent(
                Meaning::Unavailable,
                "not sent: the deadline for sending was past",
                "Wait: the request is planned anew.",
            ));
        }
        request.timeout = request.timeout.min(left);
        let outcome = self.inner.transport.send(request).await;
        let answer = outcome::classify(operation, &outcome, &redactor);
        if let Answer::Refused(failure) = &answer
            && failure.meaning == Meaning::Unauthenticated
            && let Some(token) = &token
        {
            self.inner.tokens.refuse(token).await;
        }
        answer
    }

    /// [`Self::prepare`] and [`Self::send`]. Whatever keeps the request from being prepared is a
    /// refusal that says that it was not sent.
    pub async fn execute(&self, call: &Call, deadline: Timestamp) -> Answer {
        match self.prepare(call).await {
            Ok(prepared) => self.send(prepared, deadline).await,
            Err(failure) => Answer::Refused(Failure {
                sent: false,
                ..failure
            }),
        }
    }

    /// A read of the service, with a new token where the first has ended.
    async fn read(&self, operation: Operation, id: &str) -> Result<(Response, Redactor), Failure> {
        let project = self.project_id().await?;
        let (request, redactor, token) = self
            .authenticated(operation, &project, id, None, Bytes::new())
            .await?;
        let response = self.ask(request, &redactor).await?;
        let Some(token) = token else {
            return Ok((response, redactor));
        };
        if !self
            .is_refused(operation, &response, &redactor, &token)
            .await
        {
            return Ok((response, redactor));
        }
        let (request, redactor, token) = self
            .authenticated(operation, &project, id, None, Bytes::new())
            .await?;
        let response = self.ask(request, &redactor).await?;
        if let Some(token) = token {
            self.is_refused(operation, &response, &redactor, &token)
                .await;
        }
        Ok((response, redactor))
    }

    /// Whether the answer refuses the token, which is then not used again. Not every 401 does: one
    /// with the service's own not-found speaks of the cluster.
    async fn is_refused(
        &self,
        operation: Operation,
        response: &Response,
        redactor: &Redactor,
        token: &SecretString,
    ) -> bool {
        let refused = response.status == 401
            && outcome::failure(operation, response, redactor).meaning == Meaning::Unauthenticated;
        if refused {
            self.inner.tokens.refuse(token).await;
        }
        refused
    }

    async fn ask(&self, request: Request, redactor: &Redactor) -> Result<Response, Failure> {
        let outcome = self.inner.transport.send(request).await;
        outcome.map_err(|error| outcome::no_answer(&error, redactor))
    }

    async fn look_up_project(&self) -> Result<String, Failure> {
        let Project::Name(name) = &self.inner.config.project else {
            return Err(no_project(""));
        };
        if let Credential::Password { .. } = self.inner.credential
            && let Some(id) = self.token().await?.project_id.filter(|id| is_id(id))
        {
            return Ok(id);
        }
        let operation = Operation::ListProjects;
        let (request, redactor, _) = self
            .authenticated(operation, "", "", Some(name), Bytes::new())
            .await?;
        let response = self.ask(request, &redactor).await?;
        let id = decode::project_id(&response, name, &redactor)?;
        id.filter(|id| is_id(id)).ok_or_else(|| no_project(name))
    }

    /// A request with everything that it needs to be accepted, what must not be shown of it, and the
    /// token it bears.
    async fn authenticated(
        &self,
        operation: Operation,
        project: &str,
        id: &str,
        name: Option<&str>,
        body: Bytes,
    ) -> Result<(Request, Redactor, Option<SecretString>), Failure> {
        let Inner {
            config, credential, ..
        } = &*self.inner;
        let iam = matches!(operation, Operation::ListProjects | Operation::CreateToken);
        let mut url = if iam {
            config.iam.clone()
        } else {
            config.dws.clone()
        };
        url.set_path(&operation.path(project, id));
        if let Some(name) = name {
            url.query_pairs_mut().append_pair("name", name);
        }
        let mut request = self.request(operation, url, body)?;
        if !project.is_empty() {
            request
                .headers
                .insert(X_PROJECT_ID, header(project, false)?);
        }
        let mut redactor = Redactor::new(credential.secrets());
        match credential {
            Credential::AccessKey {
                access_key,
                secret_key,
                security_token,
            } => {
                self.sign(
                    &mut request,
                    access_key,
                    secret_key,
                    security_token.as_ref(),
                )?;
                Ok((request, redactor, None))
            }
            Credential::Password { .. } => {
                let token = self.token().await?.value;
                request
                    .headers
                    .insert(X_AUTH_TOKEN, header(token.expose_secret(), true)?);
                redactor.add(token.expose_secret());
                Ok((request, redactor, Some(token)))
            }
        }
    }

    fn request(&self, operation: Operation, url: Url, body: Bytes) -> Result<Request, Failure> {
        let config = &self.inner.config;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(X_LANGUAGE, header(&config.language, false)?);
        Ok(Request {
            method: operation.method(),
            url,
            headers,
            body,
            timeout: config.request_timeout,
            changing: false,
            max_answer: operation.max_answer(),
        })
    }

    fn sign(
        &self,
        request: &mut Request,
        access_key: &str,
        secret_key: &SecretString,
        security_token: Option<&SecretString>,
    ) -> Result<(), Failure> {
        let date = sign::sdk_date(self.inner.clock.now());
        request.headers.insert(X_SDK_DATE, header(&date, false)?);
        let mut signed = vec![CONTENT_TYPE, HOST, X_SDK_DATE];
        if request.headers.contains_key(X_PROJECT_ID) {
            signed.push(X_PROJECT_ID);
        }
        if let Some(token) = security_token {
            request
                .headers
                .insert(X_SECURITY_TOKEN, header(token.expose_secret(), true)?);
            signed.push(X_SECURITY_TOKEN);
        }
        let unsigned = Unsigned {
            method: &request.method,
            url: &request.url,
            headers: &request.headers,
            signed: &signed,
            body: &request.body,
        };
        let value = sign::authorization(unsigned, &date, access_key, secret_key.expose_secret());
        request.headers.insert(AUTHORIZATION, header(&value, true)?);
        Ok(())
    }

    async fn token(&self) -> Result<Token, Failure> {
        self.inner
            .tokens
            .get(self.inner.clock.now(), self.fetch_token())
            .await
    }

    async fn fetch_token(&self) -> Result<Token, Failure> {
        let Inner {
            config, credential, ..
        } = &*self.inner;
        let Credential::Password {
            domain_name,
            user_name,
            password,
        } = credential
        else {
            return Err(outcome::not_sent(
                Meaning::Unauthenticated,
                "an access key needs no token",
                "Set user and password, or use the access key.",
            ));
        };
        let operation = Operation::CreateToken;
        let wanted = TokenRequest::new(domain_name, user_name, password, &config.project);
        let body = body::json(&wanted).map_err(|error| unwritable(&error))?;
        let mut url = config.iam.clone();
        url.set_path(&operation.path("", ""));
        let redactor = Redactor::new(credential.secrets());
        let response = self
            .ask(self.request(operation, url, body)?, &redactor)
            .await?;
        if !matches!(response.status, 200 | 201) {
            return Err(outcome::failure(operation, &response, &redactor));
        }
        match response
            .headers
            .get(X_SUBJECT_TOKEN)
            .map(HeaderValue::to_str)
        {
            Some(Ok(value)) if !value.is_empty() => {
                Ok(Token::read(value, &response.body, self.inner.clock.now()))
            }
            // The body is not shown: it may hold the token.
            _ => Err(Failure {
                http: Some(response.status),
                sent: true,
                ..outcome::not_sent(
                    Meaning::Garbled,
                    "the answer bears no X-Subject-Token",
                    "Check that HW_AUTH_URL is an IAM endpoint.",
                )
            }),
        }
    }
}

fn checked(id: &str) -> Result<&str, Failure> {
    if is_id(id) {
        return Ok(id);
    }
    Err(outcome::not_sent(
        Meaning::Invalid,
        "not sent: the id is not one that the service gives",
        "Correct the id: the service's are of at most 64 letters, digits and hyphens.",
    ))
}

fn header(value: &str, secret: bool) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        outcome::not_sent(
            Meaning::Unauthenticated,
            "not sent: the credential has a character that no header may have",
            "Correct the credentials of the account: a line end or a control character is in them.",
        )
    })?;
    value.set_sensitive(secret);
    Ok(value)
}

fn unwritable(error: &serde_json::Error) -> Failure {
    outcome::not_sent(
        Meaning::Invalid,
        format!(
            "not sent: the request cannot be written ({:?})",
            error.classify()
        ),
        "Report this: it is a fault of the operator.",
    )
}

fn no_project(name: &str) -> Failure {
    outcome::not_sent(
        Meaning::Forbidden,
        format!("no project `{name}` that this account may see"),
        "Correct HW_PROJECT_NAME, or set HW_PROJECT_ID.",
    )
}
