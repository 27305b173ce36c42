//! Failures stand by kind: one of one kind neither hides another's nor takes its hold off.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::api::cluster_status::RejectedSecret;
use crate::core::cluster::absorb;
use crate::dws::answer::Answer;
use OperationKind::{ResetPassword, Resize, Restart};

fn failing(failures: &[(OperationKind, &str, i64)]) -> Facts {
    let failures = failures.to_vec();
    Facts::live()
        .secret(&[("password", PASSWORD)])
        .status(|status| {
            for (kind, reason, age) in failures {
                record(status, last_failure(kind, reason, age));
            }
        })
}

/// The status after this call was refused.
fn refused(facts: Facts, kind: OperationKind, meaning: Meaning) -> DwsClusterStatus {
    let open = operation(kind, OperationPhase::Intended, 1);
    let facts = facts.operation(open.clone());
    let status = facts.facts.object.status.clone().unwrap();
    absorb(&status, 1, &open, &Answer::Refused(failure(meaning)), now()).status
}

#[test]
fn a_refused_resize_does_not_send_a_refused_rotation_again() {
    let facts = failing(&[
        (ResetPassword, "PasswordRejected", 5),
        (Resize, "QuotaExceeded", 4),
    ]);
    let facts = facts
        .annotate(names::ROTATE_PASSWORD_REQUESTED_AT, ago(9).to_string())
        .spec(|s| s.node_count = Some(5));
    assert_eq!(
        facts.plan().replace("; secret put", ""),
        "Ready=True/Available; Synced=False/QuotaExceeded; Reconciling"
    );
}

#[rstest]
#[case::quota(Resize, Meaning::Quota, ResetPassword, "PasswordRejected")]
#[case::busy(ResetPassword, Meaning::Busy, Resize, "ResizeFailed")]
#[case::busy_of_its_own_kind(Restart, Meaning::Busy, Restart, "RestartFailed")]
fn a_failure_outlives_a_refusal_of_another_kind_and_a_busy_service(
    #[case] kind: OperationKind,
    #[case] meaning: Meaning,
    #[case] stands: OperationKind,
    #[case] reason: &str,
) {
    let status = refused(failing(&[(stands, reason, 60)]), kind, meaning);
    let found = status.failures.iter().find(|one| one.kind == stands);
    assert_eq!(found.map(|one| one.reason.as_str()), Some(reason));
}

#[rstest]
#[case::resize(failing(&[(Resize, "ResizeFailed", 900)]).spec(|s| s.node_count = Some(5)).status(|s| s.settled_node_count = Some(5)), "Ready=True/Available; Synced=False/ResizeFailed; Stalled")]
#[case::restart(failing(&[(Restart, "RestartFailed", 900)]), "Ready=True/Available; Synced=False/RestartFailed")]
fn what_ended_in_failure_stays_told_when_asked_again(#[case] facts: Facts, #[case] expected: &str) {
    let asked = facts.annotate(names::RECONCILE_REQUESTED_AT, ago(1).to_string());
    assert_eq!(asked.plan().replace("; secret put", ""), expected);
}

#[test]
fn a_refused_resize_keeps_the_refused_password_in_mind() {
    let secret = RejectedSecret {
        uid: "secret".into(),
        resource_version: "7".into(),
    };
    let facts = failing(&[]).status(|s| s.rejected_secret = Some(secret.clone()));
    let status = refused(facts, Resize, Meaning::Invalid);
    assert_eq!(status.rejected_secret, Some(secret));
}

#[test]
fn the_one_failure_of_an_earlier_version_finds_its_place() {
    let stored = json!({"lastFailure": {
        "kind": "Resize", "reason": "ResizeFailed", "message": "m", "generation": 1,
        "at": "2026-01-01T00:00:00Z",
    }});
    let stored: DwsClusterStatus = serde_json::from_value(stored).unwrap();
    let facts = failing(&[]).status(|s| s.former_failure = stored.former_failure);
    let status = facts.decide().0.status;
    assert!(status.former_failure.is_none());
    assert_eq!(status.failures[0].reason, "ResizeFailed");
}

#[test]
fn a_refusal_whose_wish_is_withdrawn_is_told_no_more() {
    let facts = failing(&[(ResetPassword, "PasswordRejected", 60)]);
    let secret = RejectedSecret::default();
    let status = facts
        .status(|s| s.rejected_secret = Some(secret))
        .decide()
        .0
        .status;
    assert!(status.failures.is_empty() && status.rejected_secret.is_none());
    assert!(core_conditions::is_true(&status.conditions, "Synced"));
}
