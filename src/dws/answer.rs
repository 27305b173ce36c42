//! What came of a request: classified once, here, and never guessed at again by the caller.
//!
//! Plain data. It knows neither HTTP libraries nor the resources that a call was made for.

use std::fmt;
use std::time::Duration;

/// What came of a changing call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The service took it. `id` is that of the new cluster or snapshot, where there is one.
    Accepted {
        /// The new cluster's or snapshot's id; `Some` for every create, snapshot and restore,
        /// `None` for all others.
        id: Option<String>,
    },
    /// Certainly not executed.
    Refused(Failure),
    /// May have been executed, may still be.
    Ambiguous(Failure),
}

/// What a failure means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// A task runs, or the service says busy: wait, it is not a failure.
    Busy,
    /// 429 or APIGW.0308.
    Throttled,
    /// The credential is wrong, expired or revoked (not every 401: the code decides).
    Unauthenticated,
    /// Understood and not allowed.
    Forbidden,
    /// The service's own not-found for this id.
    Absent,
    /// DWS.0015: "does not exist or no permission".
    AbsentOrForbidden,
    /// DWS.5050 and its like.
    NameTaken,
    /// 5013, 5144, 5145, 5199.
    BadPassword,
    /// A quota is used up.
    Quota,
    /// DWS.5200.
    SoldOut,
    /// The request is wrong; `Failure::field` names what to mend.
    Invalid,
    /// 5xx, time-out, reset, connect error.
    Unavailable,
    /// The answer could not be read: never success, absence or emptiness.
    Garbled,
    /// A code that the table does not know, or one that names a failed task and not an answer.
    Unknown,
}

impl Meaning {
    /// How the caller goes on after a *definite* failure of this meaning. An ambiguous answer is
    /// [`Answer::Ambiguous`] whatever it means.
    pub const fn class(self) -> Class {
        match self {
            Self::Busy
            | Self::Throttled
            | Self::Unauthenticated
            | Self::Unavailable
            | Self::Garbled => Class::Retry,
            Self::Quota | Self::SoldOut => Class::Wait,
            Self::Absent | Self::AbsentOrForbidden => Class::Absent,
            Self::Forbidden
            | Self::NameTaken
            | Self::BadPassword
            | Self::Invalid
            | Self::Unknown => Class::Stalled,
        }
    }
}

/// How the caller goes on after a definite failure. This is the only such classification: the plans ask it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Says nothing about the request: it is planned again once the task has ended, the pause is over or
    /// the credential is mended.
    Retry,
    /// Something must be freed or raised at the service; tried again meanwhile, every ten minutes.
    Wait,
    /// Nothing changes until a person changes the spec, a Secret or a permission.
    Stalled,
    /// What the request names is not there, as far as this one answer can say.
    Absent,
}

/// A failed request, fit to be shown: no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it means.
    pub meaning: Meaning,
    /// HTTP status, where an answer came.
    pub http: Option<u16>,
    /// The service's own code, `DWS.5050`, `APIGW.0308`; `None` where it gave none.
    pub code: Option<String>,
    /// The service's message, one line, at most 512 bytes, in its own language. Where no answer
    /// came it says what happened instead.
    pub message: String,
    /// The spec field to mend, as a path (`spec.nodeType`).
    pub field: Option<&'static str>,
    /// What to do, one sentence.
    pub advice: &'static str,
    /// `Retry-After` of the answer, where it bore one.
    pub retry_after: Option<Duration>,
    /// Whether any byte of the request can have reached the socket.
    pub sent: bool,
}

impl fmt::Display for Failure {
    /// `DWS.5050 (HTTP 409): <message>`, without the advice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, self.http) {
            (Some(code), Some(http)) => write!(f, "{code} (HTTP {http})")?,
            (Some(code), None) => f.write_str(code)?,
            (None, Some(http)) => write!(f, "HTTP {http}")?,
            (None, None) => return f.write_str(&self.message),
        }
        if self.message.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.message)
        }
    }
}

impl std::error::Error for Failure {}
