//! Why a reconcile could not be carried through: classes and words fit for a log.
//!
//! No error here carries an object or a body: a message of the API server about a Secret names keys at
//! most, and text that could not be decoded is left out.

use crate::core::journal::NotStored;
use crate::core::step::Read;

/// What the API server answered, or that it did not.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The object (of this uid) is not there.
    #[error("the object is gone")]
    Gone,
    /// It was changed since it was read.
    #[error("the object was changed meanwhile")]
    Conflict,
    /// Create: one of that name is there.
    #[error("an object of that name exists")]
    Exists,
    /// 403.
    #[error("forbidden: {message}")]
    Forbidden {
        /// The namespace is being deleted and takes nothing new.
        terminating: bool,
        /// The API server's words.
        message: String,
    },
    /// 422 or another 4xx: the same request will not pass by being repeated.
    #[error("refused ({code}): {message}")]
    Refused {
        /// The HTTP status.
        code: u16,
        /// The API server's words.
        message: String,
    },
    /// No answer, 429, 5xx, or an unreadable one: a write may have been carried out.
    #[error("the API server cannot be used: {message}")]
    Unavailable {
        /// What happened.
        message: String,
    },
}

impl StoreError {
    /// A closed set, for metrics.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Conflict | Self::Exists => "conflict",
            Self::Forbidden { .. } => "forbidden",
            Self::Refused { .. } => "refused",
            Self::Unavailable { .. } => "unavailable",
        }
    }
}

impl From<kube::Error> for StoreError {
    fn from(error: kube::Error) -> Self {
        let status = match error {
            kube::Error::Api(status) => status,
            // Its text quotes the value that it stumbled over.
            kube::Error::SerdeError(_) => {
                return Self::Unavailable {
                    message: "an answer could not be decoded".to_owned(),
                };
            }
            other => {
                return Self::Unavailable {
                    message: other.to_string(),
                };
            }
        };
        let message = status.message.clone();
        let cause = |reason: &str| {
            status
                .details
                .iter()
                .flat_map(|details| &details.causes)
                .any(|cause| cause.reason == reason)
        };
        match status.code {
            404 => Self::Gone,
            409 if status.reason == "AlreadyExists" => Self::Exists,
            409 => Self::Conflict,
            403 => Self::Forbidden {
                terminating: cause("NamespaceTerminating"),
                message,
            },
            408 | 429 | 500.. => Self::Unavailable { message },
            code => Self::Refused { code, message },
        }
    }
}

/// Why a reconcile ends without a result; it is tried again with back-off.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The API server.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The intent is not what the API server holds: nothing was sent.
    #[error(transparent)]
    NotStored(#[from] NotStored),
    /// The plan asked for something that its facts cannot hold, or for too much.
    #[error("the plan asks for {0:?} again, or for what its facts cannot hold")]
    Unreadable(Read),
    /// The plan asks for a read or a call, and there are no credentials to do it with.
    #[error("there is no account to use")]
    NoAccount,
    /// The Secret that the call needs could not be written: nothing was sent.
    #[error(
        "the connection Secret cannot be written in a namespace that is being deleted; nothing is sent"
    )]
    SecretNotStored,
    /// The API server refuses the connection Secret (a quota, a policy): nothing was sent.
    #[error("the connection Secret is refused ({message}); nothing is sent")]
    SecretRefused {
        /// The API server's words.
        message: String,
    },
    /// The API server showed an earlier version than it did before: nothing is decided on that.
    #[error("the API server shows an earlier version than before; looking again")]
    Outdated,
    /// Somebody else took hold of the same remote object a moment ago.
    #[error("another resource holds the same remote object; looking again")]
    HeldElsewhere,
    /// A task died.
    #[error("the task that carried the call out ended early")]
    Lost,
    /// The process is to end: nothing new is begun.
    #[error("the operator is stopping; nothing new is begun")]
    Stopping,
    /// Past the time limit of one reconcile.
    #[error("the reconcile took longer than its limit")]
    TimedOut,
}

impl ReconcileError {
    /// A closed set, for metrics.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Store(error) => error.class(),
            Self::NotStored(_) | Self::HeldElsewhere | Self::Outdated => "conflict",
            Self::Unreadable(_) => "plan",
            Self::NoAccount => "account",
            Self::SecretNotStored | Self::SecretRefused { .. } => "forbidden",
            Self::Lost => "lost",
            Self::Stopping => "stopping",
            Self::TimedOut => "timeout",
        }
    }

    /// Whether coming again at once has a good chance: somebody else's write came between.
    pub fn is_conflict(&self) -> bool {
        self.class() == "conflict"
    }
}
