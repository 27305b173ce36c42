//! The client of one account.
//!
//! It puts requests together, authenticates them and sends each once. It decides nothing about
//! repeating: only a read whose token has ended is sent a second time, with a new one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::answer::{Answer, Failure, Meaning};
use super::auth::Credential;
use super::auth::token::Token;
use super::call::Call;
use super::clock::Clock;
use super::decode;
use super::endpoint::{AccountConfig, Project};
use super::model::{Cluster, Listing, NodeType, Snapshot};
use super::operation::{Operation, is_id};
use super::outcome;
use super::redact::Redactor;
use super::shared::Shared;
use super::transport::{Request, Response, Transport};
use super::wire::body;

mod authenticate;

use authenticate::unwritable;

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
    token: Shared<Token>,
    project_id: Shared<String>,
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
    token: Option<Token>,
}

/// What came of a changing call, and of the token that it bore.
#[derive(Debug)]
pub struct Executed {
    /// What came of it.
    pub answer: Answer,
    /// It was refused because a token that had worked before has ended: no fault of the credential, and
    /// the next call fetches a new one.
    pub token_ended: bool,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("operation", &self.operation)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

impl Executed {
    fn unsent(failure: Failure) -> Self {
        let sent = false;
        Self {
            answer: Answer::Refused(Failure { sent, ..failure }),
            token_ended: false,
        }
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
                token: Shared::new(None),
                project_id: Shared::new(project_id),
            }),
        }
    }

    /// The account that this client is for.
    pub fn config(&self) -> &AccountConfig {
        &self.inner.config
    }

    /// The id of the account's project: as configured, or looked up by its name, once.
    pub async fn project_id(&self) -> Result<String, Failure> {
        self.inner
            .project_id
            .get(|_| true, self.look_up_project())
            .await
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
        let (request, mut redactor, token) = self
            .authenticated(operation, &project, id, None, body)
            .await?;
        match call {
            Call::CreateCluster(create) => redactor.add(create.user_pwd.expose_secret()),
            Call::ResetPassword { new_password, .. } => redactor.add(new_password.expose_secret()),
            // Spelt out, so that a new call must say here whether it carries a secret.
            Call::RestoreSnapshot { .. }
            | Call::DeleteCluster { .. }
            | Call::RestartCluster { .. }
            | Call::ResizeCluster { .. }
            | Call::CreateSnapshot { .. }
            | Call::DeleteSnapshot { .. } => {}
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
        self.sent(prepared, deadline).await.answer
    }

    async fn sent(&self, prepared: Prepared, deadline: Timestamp) -> Executed {
        let Prepared {
            operation,
            mut request,
            redactor,
            token,
        } = prepared;
        let left = deadline.duration_since(self.inner.clock.now());
        let left = Duration::try_from(left).unwrap_or_default();
        if left.is_zero() {
            return Executed::unsent(outcome::not_sent(
                Meaning::Unavailable,
                "not sent: the deadline for sending was past",
                "Wait: the request is planned anew.",
            ));
        }
        request.timeout = request.timeout.min(left);
        let outcome = self.inner.transport.send(request).await;
        let answer = outcome::classify(operation, &outcome, &redactor);
        let mut token_ended = false;
        if let Some(token) = &token {
            match &answer {
                Answer::Refused(failure) if failure.meaning == Meaning::Unauthenticated => {
                    token_ended = token.has_worked();
                    self.refuse(token).await;
                }
                Answer::Accepted { .. } => token.works(),
                Answer::Refused(_) | Answer::Ambiguous(_) => {}
            }
        }
        Executed {
            answer,
            token_ended,
        }
    }

    /// [`Self::prepare`] and [`Self::send`]. Whatever keeps the request from being prepared is a
    /// refusal that says that it was not sent.
    pub async fn execute(&self, call: &Call, deadline: Timestamp) -> Answer {
        self.execute_once(call, deadline).await.answer
    }

    /// As [`Self::execute`], with what it showed of the token.
    pub async fn execute_once(&self, call: &Call, deadline: Timestamp) -> Executed {
        match self.prepare(call).await {
            Ok(prepared) => self.sent(prepared, deadline).await,
            Err(failure) => Executed::unsent(failure),
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
        token: &Token,
    ) -> bool {
        let refused = response.status == 401
            && outcome::failure(operation, response, redactor).meaning == Meaning::Unauthenticated;
        if refused {
            self.refuse(token).await;
        } else if (200..300).contains(&response.status) {
            token.works();
        }
        refused
    }

    async fn ask(&self, request: Request, redactor: &Redactor) -> Result<Response, Failure> {
        let outcome = self.inner.transport.send(request).await;
        outcome.map_err(|error| outcome::no_answer(&error, redactor))
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

#[cfg(test)]
mod tests;
