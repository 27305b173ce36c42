//! What came of a request: classified once, here, and never guessed at again by the caller.

use std::time::Duration;

use jiff::Timestamp;

/// What came of a changing call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The service took it. `id` is that of the new cluster or snapshot, where there is one.
    Accepted {
        id: Option<String>,
        service_time: Option<Timestamp>,
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
    /// A code that the table does not know.
    Unknown,
}

/// How the caller goes on after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    Retry,
    Wait,
    Stalled,
    Ambiguous,
    Absent,
}

/// A failed request, fit to be shown: no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub meaning: Meaning,
    pub class: Class,
    /// HTTP status, where an answer came.
    pub http: Option<u16>,
    /// The service's own code, `DWS.5050`, `APIGW.0308`; `None` where it gave none.
    pub code: Option<String>,
    /// The service's message, one line, at most 512 bytes, in its own language.
    pub message: String,
    /// The spec field to mend, as a path (`spec.nodeType`).
    pub field: Option<&'static str>,
    /// What to do, one sentence.
    pub advice: &'static str,
    pub retry_after: Option<Duration>,
    /// Whether any byte of the request can have reached the socket.
    pub sent: bool,
}
