//! How a failure is told: the service's code and words, the field to mend, and what to do.

use jiff::SignedDuration;

use super::conditions::Says;
use super::facts::{Circuit, CircuitReason};
use crate::api::cluster_status::LastFailure;
use crate::api::{DwsClusterStatus, OperationKind};
use crate::dws::answer::{Class, Failure, Meaning};
use crate::dws::codes;
use crate::dws::model::FailedReasons;

/// One or two sentences: code, words, field, advice.
pub fn text(failure: &Failure) -> String {
    let mut text = String::new();
    match (&failure.code, failure.http) {
        (Some(code), _) => text.push_str(code),
        (None, Some(http)) => text.extend(["HTTP ", &http.to_string()]),
        (None, None) => text.push_str("no answer"),
    }
    if !failure.message.is_empty() {
        text.push_str(": ");
        text.push_str(failure.message.trim_end_matches('.'));
    }
    text.push('.');
    if let Some(field) = failure.field {
        text.extend([" See ", field, "."]);
    }
    if !failure.advice.is_empty() {
        text.push(' ');
        text.push_str(failure.advice);
    }
    text
}

/// Why a task failed that the service had accepted: its code, its words and what to do, with a space before
/// them; nothing where the service gives no reason.
pub fn of_task(why: Option<&FailedReasons>) -> String {
    let given = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default().trim();
        text.trim_end_matches('.').to_owned()
    };
    let Some((code, words)) = why.map(|why| (given(&why.error_code), given(&why.error_msg))) else {
        return String::new();
    };
    let reason = match (code.is_empty(), words.is_empty()) {
        (true, true) => return String::new(),
        (false, false) => format!("{code}: {words}"),
        _ => format!("{code}{words}"),
    };
    let advice = codes::lookup(&code).map_or_else(String::new, |row| format!(" {}", row.advice));
    format!(" The service's reason: {reason}.{advice}")
}

/// What of an event's key tells this failure from another.
pub fn key(failure: &Failure) -> String {
    failure.code.clone().unwrap_or_else(|| {
        failure
            .http
            .map_or_else(|| "none".to_owned(), |http| http.to_string())
    })
}

/// A definite refusal that passes by itself: the call is planned again later.
pub fn passes(failure: &Failure) -> bool {
    failure.meaning.class() == Class::Retry || !failure.sent
}

/// Reason of a [`LastFailure`] that only says "not just now".
pub const BUSY: &str = "Busy";

/// Refusals for want of quota or stock, and refused deletions, are tried again after this long.
pub const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// The same, as it is told.
pub const TRIED_AGAIN: &str = "It is tried again every 10 minutes";

/// Puts a failure into the status, in the place of the one of its kind: a failure of one kind never
/// takes the hold off a call of another. "Busy" is none and has a place of its own.
pub fn record(status: &mut DwsClusterStatus, failure: LastFailure) {
    if failure.reason == BUSY {
        status.last_busy = Some(failure);
        return;
    }
    overcome(status, failure.kind);
    status.failures.push(failure);
}

/// The failure of this kind that stands.
pub fn of_kind(status: &DwsClusterStatus, kind: OperationKind) -> Option<&LastFailure> {
    status.failures.iter().find(|one| one.kind == kind)
}

/// A failure of this kind is overcome; one of another kind stays told.
pub fn overcome(status: &mut DwsClusterStatus, kind: OperationKind) {
    status.failures.retain(|one| one.kind != kind);
}

/// Reason of a [`LastFailure`] where the service itself failed and said that nothing was done.
pub const SERVICE_FAILED: &str = "ServiceUnavailable";

/// The service answered that it failed. The circuit of its account closes at the next good answer, so the
/// call must be held by itself or it would go out every few seconds for as long as its cause lasts.
pub fn is_the_services_own(failure: &Failure) -> bool {
    failure.sent && failure.meaning == Meaning::Unavailable
}

/// A refusal that is tried again after [`TRY_AGAIN`]: for want of something, or by a service that failed.
pub fn tried_again(meaning: Meaning) -> bool {
    meaning.class() == Class::Wait || meaning == Meaning::Unavailable
}

/// What tells a refusal from another: the same one of the same manifest is one event with a count.
pub fn refusal_key(kind: OperationKind, failure: &Failure, generation: i64) -> String {
    format!("{kind:?}/{}/{generation}", key(failure))
}

/// The condition reason of a refused create, restore or snapshot.
pub fn refusal_reason(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::NameTaken => "NameConflict",
        Meaning::BadPassword => "PasswordRejected",
        Meaning::Quota => "QuotaExceeded",
        Meaning::SoldOut => "SoldOut",
        Meaning::Forbidden => "Forbidden",
        Meaning::Unavailable => SERVICE_FAILED,
        _ => "InvalidSpec",
    }
}

/// The reason of a stored failure, as a condition bears it: one of [`refusal_reason`].
pub fn told_reason(stored: &str) -> &'static str {
    match stored {
        "NameConflict" => "NameConflict",
        "QuotaExceeded" => "QuotaExceeded",
        "SoldOut" => "SoldOut",
        "Forbidden" => "Forbidden",
        "PasswordRejected" => "PasswordRejected",
        SERVICE_FAILED => SERVICE_FAILED,
        _ => "InvalidSpec",
    }
}

/// The `Synced` reason of a failed read.
pub fn held_back(failure: &Failure) -> Says {
    let reason = match failure.meaning {
        Meaning::Throttled => CircuitReason::Throttled,
        Meaning::Unauthenticated => CircuitReason::CredentialsInvalid,
        // No outage: the service answers, and these credentials may not see it.
        Meaning::Forbidden | Meaning::AbsentOrForbidden => {
            return Says::new("Forbidden", text(failure));
        }
        _ => CircuitReason::ServiceUnavailable,
    };
    Says::new(reason.as_str(), text(failure))
}

/// The `Synced` reason of an open circuit.
pub fn circuit(circuit: &Circuit) -> Says {
    Says::new(circuit.reason.as_str(), circuit.message.clone())
}

#[cfg(test)]
pub(crate) mod tests {
    use rstest::rstest;

    use super::*;

    /// A failure of this meaning, as the wire would give it.
    pub(crate) fn failure(meaning: Meaning) -> Failure {
        Failure {
            meaning,
            http: Some(400),
            code: Some("DWS.5006".into()),
            message: "Invalid specification.".into(),
            field: Some("spec.nodeType"),
            advice: "Write a node type that the region offers.",
            retry_after: None,
            sent: true,
        }
    }

    #[rstest]
    #[case(None, None, "")]
    #[case(Some(" "), Some(""), "")]
    #[case(
        Some("6000"),
        Some("Sold out."),
        " The service's reason: 6000: Sold out. Delete the failed cluster and create it with another node type or zone: this one is often sold out."
    )]
    #[case(
        Some("DWS.6001"),
        None,
        " The service's reason: DWS.6001. Check quota and stock for the nodes to be added, then ask the service's support to settle the failed resize."
    )]
    #[case(Some("7777"), Some("Odd"), " The service's reason: 7777: Odd.")]
    #[case(None, Some("Odd"), " The service's reason: Odd.")]
    fn a_failed_task_is_told_with_code_and_advice(
        #[case] code: Option<&str>,
        #[case] words: Option<&str>,
        #[case] expected: &str,
    ) {
        let why = FailedReasons {
            error_code: code.map(str::to_owned),
            error_msg: words.map(str::to_owned),
        };
        assert_eq!(of_task(Some(&why)), expected);
        assert_eq!(of_task(None), "");
    }

    #[test]
    fn a_stored_reason_is_told_as_it_was() {
        for meaning in [
            Meaning::NameTaken,
            Meaning::BadPassword,
            Meaning::Quota,
            Meaning::SoldOut,
            Meaning::Forbidden,
            Meaning::Invalid,
        ] {
            let reason = refusal_reason(meaning);
            assert_eq!(told_reason(reason), reason);
        }
    }

    #[test]
    fn a_failure_is_told_with_code_field_and_advice() {
        assert_eq!(
            text(&failure(Meaning::Invalid)),
            "DWS.5006: Invalid specification. See spec.nodeType. Write a node type that the region offers."
        );
    }
}
