//! What makes a request of the client's acceptable: headers, a signature or a token, and for those the
//! project's id. Nothing here changes anything at the service.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{Client, Inner};
use crate::dws::answer::{Failure, Meaning};
use crate::dws::auth::Credential;
use crate::dws::auth::sign::{self, Unsigned};
use crate::dws::auth::token::{Token, TokenRequest};
use crate::dws::decode;
use crate::dws::endpoint::Project;
use crate::dws::operation::{Operation, is_id};
use crate::dws::outcome;
use crate::dws::redact::Redactor;
use crate::dws::transport::Request;
use crate::dws::wire::body;

const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const X_SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");
const X_LANGUAGE: HeaderName = HeaderName::from_static("x-language");
const X_PROJECT_ID: HeaderName = HeaderName::from_static("x-project-id");
const X_SDK_DATE: HeaderName = HeaderName::from_static("x-sdk-date");
const X_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-security-token");

const AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

impl Client {
    pub(super) async fn look_up_project(&self) -> Result<String, Failure> {
        let Project::Name(name) = &self.inner.config.project else {
            return Err(no_project(""));
        };
        if let Credential::Password { .. } = self.inner.credential
            && let Some(id) = self.token().await?.project_id.filter(|id| is_id(id))
        {
            return Ok(id);
        }
        let operation = Operation::ListProjects;
        let (request, redactor, token) = self
            .authenticated(operation, "", "", Some(name), Bytes::new())
            .await?;
        let response = self.ask(request, &redactor).await?;
        if let Some(token) = token {
            self.is_refused(operation, &response, &redactor, &token)
                .await;
        }
        let id = decode::project_id(&response, name, &redactor)?;
        id.filter(|id| is_id(id)).ok_or_else(|| no_project(name))
    }

    /// A request with everything that it needs to be accepted, what must not be shown of it, and the
    /// token it bears.
    pub(super) async fn authenticated(
        &self,
        operation: Operation,
        project: &str,
        id: &str,
        name: Option<&str>,
        body: Bytes,
    ) -> Result<(Request, Redactor, Option<Token>), Failure> {
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
                let token = self.token().await?;
                let value = token.value.expose_secret();
                request.headers.insert(X_AUTH_TOKEN, header(value, true)?);
                redactor.add(value);
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
            operation,
            method: operation.method(),
            url,
            headers,
            body,
            timeout: config.request_timeout,
            changing: operation.is_changing(),
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
        let now = self.inner.clock.now();
        self.inner
            .token
            .get(|token| now < token.renew_at, self.fetch_token())
            .await
    }

    /// Forgets the token that the service refused, unless another has taken its place meanwhile.
    pub(super) async fn refuse(&self, refused: &Token) {
        let is_it = |token: &Token| token.value.expose_secret() == refused.value.expose_secret();
        self.inner.token.forget(is_it).await;
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
            let failure = outcome::failure(operation, &response, &redactor);
            return Err(refused_login(failure));
        }
        match response
            .headers
            .get(X_SUBJECT_TOKEN)
            .map(HeaderValue::to_str)
        {
            Some(Ok(value)) if !value.is_empty() => {
                let served_at = outcome::service_time(&response.headers);
                let now = self.inner.clock.now();
                Ok(Token::read(value, &response.body, served_at, now))
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

/// IAM tells a wrong login in many ways (400, 401, 403, 404). Whatever it was fetched for, it is the login
/// that failed: nothing is said about rights, objects or the request behind it.
fn refused_login(failure: Failure) -> Failure {
    match failure.meaning {
        Meaning::Unauthenticated
        | Meaning::Throttled
        | Meaning::Unavailable
        | Meaning::Garbled
        | Meaning::Busy => failure,
        Meaning::Forbidden
        | Meaning::Absent
        | Meaning::AbsentOrForbidden
        | Meaning::NameTaken
        | Meaning::BadPassword
        | Meaning::Quota
        | Meaning::SoldOut
        | Meaning::Invalid
        | Meaning::Unknown => Failure {
            meaning: Meaning::Unauthenticated,
            field: None,
            advice: "Correct domain, user, password and project of the account: IAM refuses the login.",
            ..failure
        },
    }
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

pub(super) fn unwritable(error: &serde_json::Error) -> Failure {
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
