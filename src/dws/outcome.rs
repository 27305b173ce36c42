//! What an answer means: accepted, certainly refused, or unknown.
//!
//! Pure. It is the one place that decides whether a changing call can have been executed; it errs
//! towards "may have been". Reads go through the same meanings, without that question.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::answer::{Answer, Failure, Meaning};
use super::codes::{self, Code};
use super::fault::{self, Body, Fault};
use super::operation::{Operation, is_id};
use super::redact::Redactor;
use super::time::http_date;
use super::transport::{Response, TransportError, TransportErrorKind};

/// No `Retry-After` is obeyed for longer.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// What came of a changing call.
pub fn classify(
    operation: Operation,
    outcome: &Result<Response, TransportError>,
    redactor: &Redactor,
) -> Answer {
    match outcome {
        Ok(response) => classify_response(operation, response, redactor),
        Err(error) if error.sent => Answer::Ambiguous(no_answer(error, redactor)),
        Err(error) => Answer::Refused(no_answer(error, redactor)),
    }
}

/// The failure of a read, or of a request to IAM, whose answer is no success.
pub fn failure(operation: Operation, response: &Response, redactor: &Redactor) -> Failure {
    let body = fault::read(&response.body);
    let fault = match &body {
        Body::Object(object) => Fault::of_error(object),
        Body::Empty | Body::Unreadable => Fault::default(),
    };
    describe(operation, response, &body, &fault, redactor)
}

/// The failure of a request that got no answer.
pub fn no_answer(error: &TransportError, redactor: &Redactor) -> Failure {
    let (meaning, advice) = match error.kind {
        TransportErrorKind::Connect => (
            Meaning::Unavailable,
            "Check the endpoint, the network and the CA certificates between operator and service.",
        ),
        TransportErrorKind::TooLarge => (
            Meaning::Garbled,
            "Check what answers at the endpoint: the answer is larger than any the service gives.",
        ),
        TransportErrorKind::Timeout | TransportErrorKind::Reset | TransportErrorKind::Other => {
            (Meaning::Unavailable, advice(Meaning::Unavailable))
        }
    };
    Failure {
        meaning,
        http: None,
        code: None,
        message: redactor.clean(&error.message),
        field: None,
        advice,
        retry_after: None,
        sent: error.sent,
    }
}

/// A request that this client did not send, and why.
pub fn not_sent(meaning: Meaning, message: impl Into<String>, advice: &'static str) -> Failure {
    Failure {
        meaning,
        http: None,
        code: None,
        message: message.into(),
        field: None,
        advice,
        retry_after: None,
        sent: false,
    }
}

/// An answer of good status that cannot be read as what was asked for.
pub fn garbled(response: &Response, what: &str, redactor: &Redactor) -> Failure {
    Failure {
        meaning: Meaning::Garbled,
        http: Some(response.status),
        code: None,
        message: redactor.clean(&format!("{what}{}", excerpt(&response.body))),
        field: None,
        advice: advice(Meaning::Garbled),
        retry_after: retry_after(&response.headers),
        sent: true,
    }
}

/// The service's clock, from the `Date` header.
pub fn service_time(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

fn classify_response(operation: Operation, response: &Response, redactor: &Redactor) -> Answer {
    let body = fault::read(&response.body);
    if matches!(response.status, 200 | 201 | 202 | 204) {
        return classify_success(operation, response, &body, redactor);
    }
    let fault = match &body {
        Body::Object(object) => Fault::of_error(object),
        Body::Empty | Body::Unreadable => Fault::default(),
    };
    let definite = says_busy(&fault) || is_definite(response.status, &fault);
    let failure = describe(operation, response, &body, &fault, redactor);
    if definite {
        Answer::Refused(failure)
    } else {
        Answer::Ambiguous(failure)
    }
}

fn classify_success(
    operation: Operation,
    response: &Response,
    body: &Body,
    redactor: &Redactor,
) -> Answer {
    let nothing = Map::new();
    let object = match body {
        Body::Object(object) => object,
        Body::Empty => &nothing,
        Body::Unreadable => {
            let failure = garbled(response, "the answer is no JSON object", redactor);
            return Answer::Ambiguous(failure);
        }
    };
    let id = operation.makes().and_then(|made| new_id(object, made));
    let fault = Fault::of_success(object);
    if let Some(code) = &fault.code
        && !is_success_code(code)
        && !has_job(object)
    {
        // An id beside an error, or the gateway's word that it does not know, settles nothing.
        let definite = says_busy(&fault) || (id.is_none() && !is_undecided_gateway(code));
        let failure = describe(operation, response, body, &fault, redactor);
        return if definite {
            Answer::Refused(failure)
        } else {
            Answer::Ambiguous(failure)
        };
    }
    if operation.makes().is_some() && id.is_none() {
        let failure = garbled(response, "the answer bears no id", redactor);
        return Answer::Ambiguous(failure);
    }
    if fault.code.is_none() && object.contains_key("error") {
        let failure = garbled(response, "a success that speaks of an error", redactor);
        return Answer::Ambiguous(failure);
    }
    Answer::Accepted { id }
}

/// The 200s of some operations bear a code: this one is success.
pub(crate) fn is_success_code(code: &str) -> bool {
    code.eq_ignore_ascii_case("DWS.0000")
}

fn has_job(object: &Map<String, Value>) -> bool {
    object
        .get("job_id")
        .and_then(Value::as_str)
        .is_some_and(|job| !job.trim().is_empty())
}

fn new_id(object: &Map<String, Value>, made: &str) -> Option<String> {
    let id = object.get(made)?.get("id")?.as_str()?.trim();
    is_id(id).then(|| id.to_owned())
}

/// Whether a status and what stands in the body prove that the request was not executed.
fn is_definite(status: u16, fault: &Fault) -> bool {
    if !(400..500).contains(&status) || status == 408 {
        return false;
    }
    let Some(code) = fault.code.as_deref() else {
        return false;
    };
    let code = code.to_ascii_uppercase();
    if let Some(number) = code.strip_prefix("DWS.") {
        return !number.is_empty() && !is_success_code(&code);
    }
    if let Some(number) = code.strip_prefix("APIGW.") {
        return matches!(
            number,
            "0101" | "0301" | "0302" | "0303" | "0304" | "0305" | "0306" | "0307" | "0308" | "0802"
        );
    }
    fault.iam
        || code
            .strip_prefix("IAM.")
            .is_some_and(|number| !number.is_empty())
}

/// `APIGW.0201` and `06xx`: the gateway gave up, the service may go on.
fn is_undecided_gateway(code: &str) -> bool {
    let code = code.to_ascii_uppercase();
    code == "APIGW.0201" || code.starts_with("APIGW.06")
}

/// Busy comes as a code, or as a message under another code: a restart while restarting is
/// `DWS.9999` whose message is `DWS.7023`.
fn says_busy(fault: &Fault) -> bool {
    let is_busy = |text: &str| {
        let text = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        ["DWS.7023", "DWS.0011"]
            .into_iter()
            .any(|busy| match text.get(..busy.len()) {
                Some(head) if head.eq_ignore_ascii_case(busy) => {
                    !text[busy.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
                }
                _ => false,
            })
    };
    fault.code.as_deref().is_some_and(is_busy) || fault.message.as_deref().is_some_and(is_busy)
}

fn describe(
    operation: Operation,
    response: &Response,
    body: &Body,
    fault: &Fault,
    redactor: &Redactor,
) -> Failure {
    let code = fault.code.clone().filter(|code| !redactor.finds_in(code));
    let row = code.as_deref().and_then(codes::lookup);
    let meaning = meaning(operation, response.status, fault, row, body);
    let message = match (&fault.message, body) {
        (Some(message), _) => redactor.clean(message),
        (None, Body::Unreadable) => redactor.clean(&format!(
            "the answer is no JSON object{}",
            excerpt(&response.body)
        )),
        (None, Body::Empty) => "the answer has no body".to_owned(),
        (None, Body::Object(_)) => String::new(),
    };
    Failure {
        meaning,
        http: Some(response.status),
        code,
        message,
        field: row.and_then(|row| field(operation, row)),
        // A row whose meaning was corrected gives no advice that fits.
        advice: row
            .filter(|row| row.meaning == meaning)
            .map_or(advice(meaning), |row| row.advice),
        retry_after: retry_after(&response.headers),
        sent: true,
    }
}

fn meaning(
    operation: Operation,
    status: u16,
    fault: &Fault,
    row: Option<&Code>,
    body: &Body,
) -> Meaning {
    if says_busy(fault) {
        return Meaning::Busy;
    }
    if status == 429 {
        return Meaning::Throttled;
    }
    if let Some(row) = row {
        return match (operation, row.code) {
            // The service has no not-found for snapshots: a read of one that is gone is a bad id, and
            // so, under another code, is its second deletion.
            (Operation::GetSnapshot | Operation::DeleteSnapshot, "DWS.5149")
            | (Operation::DeleteSnapshot, "DWS.0001") => Meaning::Absent,
            _ => row.meaning,
        };
    }
    let of_the_service = fault.code.as_deref().is_some_and(|code| {
        code.get(..4)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("DWS."))
    });
    match status {
        401 => Meaning::Unauthenticated,
        403 => Meaning::Forbidden,
        404 | 410 if of_the_service && operation.is_by_id() => Meaning::Absent,
        300..=399 | 408 | 500.. => Meaning::Unavailable,
        _ if fault.code.as_deref().is_some_and(is_undecided_gateway) => Meaning::Unavailable,
        _ if fault.code.is_some() => Meaning::Unknown,
        _ if *body == Body::Unreadable || *body == Body::Empty => Meaning::Garbled,
        _ => Meaning::Unknown,
    }
}

/// The field to mend, where the resource behind the operation has it.
fn field(operation: Operation, row: &Code) -> Option<&'static str> {
    let field = row.field?;
    match operation {
        Operation::CreateCluster => Some(field),
        Operation::CreateSnapshot => (field == "spec.clusterName").then_some("spec.snapshotName"),
        // A restore takes node type, administrator and password from the snapshot.
        Operation::RestoreSnapshot => match field {
            "spec.nodeType" | "spec.nodeCount" => Some("spec.restoreFrom"),
            "spec.adminUser" | "spec.adminPasswordSecretRef" => None,
            _ => Some(field),
        },
        Operation::ResizeCluster => {
            matches!(field, "spec.nodeType" | "spec.nodeCount").then_some("spec.nodeCount")
        }
        Operation::ResetPassword => (field == "spec.adminPasswordSecretRef").then_some(field),
        _ => None,
    }
}

/// What to do where the code itself has no advice.
const fn advice(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Busy => "Wait until the cluster's running task has ended.",
        Meaning::Throttled => {
            "Wait, or lower --max-requests-per-second: the account's request limit is reached."
        }
        Meaning::Unauthenticated => {
            "Correct the credentials of the account, or the clock of this machine."
        }
        Meaning::Forbidden => "Grant the account's user the right to do this.",
        Meaning::Absent => "Check the id: the service does not know it.",
        Meaning::AbsentOrForbidden => {
            "Check the id and the account's rights: the service does not tell which is wrong."
        }
        Meaning::NameTaken => "Choose another name, or adopt what bears it.",
        Meaning::BadPassword => {
            "Put a password into the referenced Secret that meets the service's rules."
        }
        Meaning::Quota => "Have the quota of the project raised, or free some of it.",
        Meaning::SoldOut => "Wait for stock, or choose another node type, zone or region.",
        Meaning::Invalid => "Correct what the message names.",
        Meaning::Unavailable => "Wait: the service does not answer and is asked again.",
        Meaning::Garbled => {
            "Check what answers at the endpoint, a proxy for example: it does not speak as the service."
        }
        Meaning::Unknown => {
            "Read the service's message, and look the code up in its documentation."
        }
    }
}

/// The beginning of a body that could not be read, to recognise a proxy's page by.
fn excerpt(body: &[u8]) -> String {
    let head = &body[..body.len().min(120)];
    match String::from_utf8_lossy(head).trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            Duration::try_from(http_date(text)?.duration_since(service_time(headers)?)).ok()?
        }
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests;
