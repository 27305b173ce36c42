//! How a failure is told: the service's code and words, the field to mend, and what to do.

use super::conditions::Says;
use super::facts::{Circuit, CircuitReason};
use crate::api::cluster_status::LastFailure;
use crate::api::{DwsClusterStatus, OperationKind};
use crate::dws::answer::{Failure, Meaning};

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
    matches!(
        failure.meaning,
        Meaning::Busy | Meaning::Throttled | Meaning::Unauthenticated | Meaning::Unavailable
    ) || !failure.sent
}

/// Reason of a [`LastFailure`] that only says "not just now".
pub const BUSY: &str = "Busy";

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

/// The status with the one failure of an earlier version in its place.
pub fn by_kind(mut status: DwsClusterStatus) -> DwsClusterStatus {
    if let Some(former) = status.former_failure.take()
        && of_kind(&status, former.kind).is_none()
    {
        record(&mut status, former);
    }
    status
}

/// Reason of a [`LastFailure`] where the service itself failed and said that nothing was done.
pub const SERVICE_FAILED: &str = "ServiceUnavailable";

/// The service answered that it failed. The circuit of its account closes at the next good answer, so the
/// call must be held by itself or it would go out every few seconds for as long as its cause lasts.
pub fn is_the_services_own(failure: &Failure) -> bool {
    failure.sent && failure.meaning == Meaning::Unavailable
}

/// A refusal that is tried again every ten minutes.
pub fn tried_again(meaning: Meaning) -> bool {
    matches!(
        meaning,
        Meaning::Quota | Meaning::SoldOut | Meaning::Unavailable
    )
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
    use super::*;
    use crate::dws::answer::Class;

    /// A failure of this meaning, as the wire would give it.
    pub(crate) fn failure(meaning: Meaning) -> Failure {
        Failure {
            meaning,
            class: Class::Retry,
            http: Some(400),
            code: Some("DWS.5006".into()),
            message: "Invalid specification.".into(),
            field: Some("spec.nodeType"),
            advice: "Write a node type that the region offers.",
            retry_after: None,
            sent: true,
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
