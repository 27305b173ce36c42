//! Failures stand by kind: one of one kind neither hides another's nor takes its hold off.

use rstest::rstest;

use super::*;
use crate::api::cluster_status::SecretVersion;
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

const HELD: &str = "Ready=True/Available; Synced=False/ServiceUnavailable";

fn restart(age: i64) -> Facts {
    failing(&[(Restart, "ServiceUnavailable", age)])
        .annotate(names::RESTART_REQUESTED_AT, ago(900).to_string())
}

fn reset(age: i64) -> Facts {
    failing(&[(ResetPassword, "ServiceUnavailable", age)]).password("Chosen-Pw-1")
}

fn grow(age: i64) -> Facts {
    failing(&[(Resize, "ServiceUnavailable", age)]).spec(|s| s.node_count = Some(5))
}

#[rstest]
#[case::restart(restart(599), Some(1), HELD)]
#[case::restart_again(
    restart(600),
    Some(10),
    "call Restart #1; Ready=False/Restarting; Synced=True/Restarting; Reconciling"
)]
#[case::password(reset(599), Some(1), HELD)]
#[case::password_again(
    reset(600),
    Some(10),
    "call ResetPassword #1; Ready=True/Available; Synced=True/PasswordPending; Reconciling"
)]
#[case::resize(grow(599), Some(1), HELD)]
#[case::resize_again(
    grow(600),
    Some(10),
    "call Resize #1 +2; Ready=True/Resizing; Synced=True/Resizing; Reconciling"
)]
#[case::a_refused_rotation(failing(&[(ResetPassword, "PasswordRejected", 59)]).annotate(names::ROTATE_PASSWORD_REQUESTED_AT, ago(90).to_string()), Some(1), "Ready=True/Available; Synced=False/PasswordRejected")]
fn what_a_failing_service_refused_is_tried_again_slowly(
    #[case] facts: Facts,
    #[case] wake: Option<i64>,
    #[case] expected: &str,
) {
    assert_eq!(facts.clone().plan().replace("; secret put", ""), expected);
    assert_eq!(facts.decide().0.wake.map(|one| one.as_secs()), wake);
}

#[test]
fn a_held_restart_that_nobody_wants_any_more_is_told_no_more() {
    let facts = failing(&[(Restart, "ServiceUnavailable", 5)]);
    assert!(facts.decide().0.status.failures.is_empty());
}

#[test]
fn a_restart_that_is_held_holds_nothing_else() {
    let facts = restart(5).spec(|s| s.node_count = Some(5));
    assert!(facts.plan().starts_with("call Resize #1"));
}

#[test]
fn a_refused_resize_keeps_the_refused_password_in_mind() {
    let secret = SecretVersion {
        uid: "secret".into(),
        resource_version: "7".into(),
    };
    let facts = failing(&[]).status(|s| s.rejected_secret = Some(secret.clone()));
    let status = refused(facts, Resize, Meaning::Invalid);
    assert_eq!(status.rejected_secret, Some(secret));
}

#[test]
fn a_refusal_whose_wish_is_withdrawn_is_told_no_more() {
    let facts = failing(&[(ResetPassword, "PasswordRejected", 60)]);
    let secret = SecretVersion::default();
    let status = facts
        .status(|s| s.rejected_secret = Some(secret))
        .decide()
        .0
        .status;
    assert!(status.failures.is_empty() && status.rejected_secret.is_none());
    assert!(core_conditions::is_true(&status.conditions, "Synced"));
}
