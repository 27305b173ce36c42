//! What each answer to each call makes of the status.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::api::cluster_status::SecretVersion;
use crate::core::cluster::absorb as absorb_answer;
use crate::dws::answer::Answer;
use OperationKind::{Create, Delete, DeleteSnapshot, ResetPassword, Resize, Restart, Restore};

fn accepted(id: Option<&str>) -> Answer {
    Answer::Accepted {
        id: id.map(str::to_owned),
    }
}

fn refused(meaning: Meaning) -> Answer {
    Answer::Refused(failure(meaning))
}

/// Nothing was written to the socket.
fn unsent() -> Answer {
    let mut failure = failure(Meaning::Unavailable);
    failure.sent = false;
    Answer::Refused(failure)
}

fn ambiguous() -> Answer {
    Answer::Ambiguous(failure(Meaning::Unavailable))
}

fn after(kind: OperationKind, attempt: i32, answer: &Answer) -> DwsClusterStatus {
    let mut open = operation(kind, OperationPhase::Intended, 5);
    open.attempt = attempt;
    open.baseline.handled = Some(ago(900));
    open.target.secret = Some(SecretVersion {
        uid: "secret".into(),
        resource_version: "1".into(),
    });
    let status = DwsClusterStatus {
        operation: Some(open.clone()),
        settled_node_count: Some(2),
        handled: Some(Handled {
            restart: Some(now()),
            rotate_password: Some(now()),
            ..Handled::default()
        }),
        ..DwsClusterStatus::default()
    };
    absorb_answer(&status, 1, &open, answer, now()).status
}

fn summary(status: &DwsClusterStatus) -> String {
    let phase = status
        .operation
        .as_ref()
        .map_or("closed".into(), |one| format!("{:?}", one.phase));
    let told = status.failures.first().or(status.last_busy.as_ref());
    let failed = told.map_or("-", |one| one.reason.as_str());
    let stalled = if core_conditions::is_true(&status.conditions, "Stalled") {
        " Stalled"
    } else {
        ""
    };
    format!("{phase} {failed}{stalled}")
}

#[rstest]
#[case(Create, 1, accepted(Some("id")), "Accepted -")]
#[case(Create, 1, accepted(None), "Ambiguous -")]
#[case(Restore, 1, accepted(Some("id")), "Accepted -")]
#[case(Restore, 1, accepted(None), "Ambiguous -")]
#[case(Create, 1, ambiguous(), "Ambiguous -")]
#[case(Create, 1, refused(Meaning::Invalid), "closed InvalidSpec Stalled")]
#[case(Create, 1, refused(Meaning::Unknown), "closed InvalidSpec Stalled")]
#[case(Create, 1, refused(Meaning::Forbidden), "closed Forbidden Stalled")]
#[case(Create, 1, refused(Meaning::NameTaken), "closed NameConflict Stalled")]
#[case(Create, 2, refused(Meaning::NameTaken), "Ambiguous -")]
#[case(Create, 2, refused(Meaning::Invalid), "closed InvalidSpec Stalled")]
#[case(Create, 1, refused(Meaning::Quota), "closed QuotaExceeded")]
#[case(Create, 1, refused(Meaning::SoldOut), "closed SoldOut")]
#[case(Create, 1, refused(Meaning::BadPassword), "closed PasswordRejected")]
#[case(Create, 1, refused(Meaning::Busy), "closed Busy")]
#[case(Create, 1, refused(Meaning::Throttled), "closed -")]
#[case(Create, 1, refused(Meaning::Unauthenticated), "closed -")]
#[case(Create, 1, refused(Meaning::Unavailable), "closed ServiceUnavailable")]
#[case(Create, 1, unsent(), "closed -")]
#[case(Create, 2, refused(Meaning::Unavailable), "Ambiguous -")]
#[case(Restore, 1, refused(Meaning::Unavailable), "closed ServiceUnavailable")]
#[case(Resize, 1, refused(Meaning::Unavailable), "closed ServiceUnavailable")]
#[case(Restart, 1, refused(Meaning::Unavailable), "closed ServiceUnavailable")]
#[case(
    ResetPassword,
    1,
    refused(Meaning::Unavailable),
    "closed ServiceUnavailable"
)]
#[case(ResetPassword, 2, refused(Meaning::Unavailable), "Ambiguous -")]
#[case(
    OperationKind::Snapshot,
    1,
    refused(Meaning::Unavailable),
    "closed ServiceUnavailable"
)]
#[case(Delete, 1, refused(Meaning::Unavailable), "closed DeletionBlocked")]
#[case(Delete, 2, refused(Meaning::Unavailable), "closed DeletionBlocked")]
#[case(
    DeleteSnapshot,
    2,
    refused(Meaning::Unavailable),
    "closed DeletionBlocked"
)]
#[case(Create, 2, refused(Meaning::Throttled), "Ambiguous -")]
#[case(Resize, 1, accepted(None), "Accepted -")]
#[case(Resize, 1, ambiguous(), "Ambiguous -")]
#[case(Resize, 1, refused(Meaning::Invalid), "closed ResizeFailed Stalled")]
#[case(Resize, 1, refused(Meaning::Quota), "closed QuotaExceeded")]
#[case(Resize, 1, refused(Meaning::Busy), "closed Busy")]
#[case(Resize, 2, refused(Meaning::Busy), "Ambiguous -")]
#[case(Restart, 1, accepted(None), "Accepted -")]
#[case(Restart, 1, ambiguous(), "Ambiguous -")]
#[case(Restart, 1, refused(Meaning::Invalid), "closed RestartFailed")]
#[case(Restart, 1, refused(Meaning::Busy), "closed Busy")]
#[case(ResetPassword, 1, accepted(None), "Accepted -")]
#[case(ResetPassword, 1, ambiguous(), "Ambiguous -")]
#[case(
    ResetPassword,
    1,
    refused(Meaning::BadPassword),
    "closed PasswordRejected"
)]
#[case(ResetPassword, 2, refused(Meaning::BadPassword), "Accepted -")]
#[case(ResetPassword, 2, refused(Meaning::Invalid), "Ambiguous -")]
#[case(ResetPassword, 1, refused(Meaning::Busy), "closed Busy")]
#[case(OperationKind::Snapshot, 1, accepted(Some("s")), "Accepted -")]
#[case(
    OperationKind::Snapshot,
    1,
    refused(Meaning::Invalid),
    "closed SnapshotFailed Stalled"
)]
#[case(OperationKind::Snapshot, 2, refused(Meaning::NameTaken), "Ambiguous -")]
#[case(Delete, 1, accepted(None), "Accepted -")]
#[case(Delete, 1, ambiguous(), "Ambiguous -")]
#[case(Delete, 1, refused(Meaning::Invalid), "closed DeletionRefused")]
#[case(Delete, 1, refused(Meaning::Busy), "closed Busy")]
#[case(DeleteSnapshot, 1, accepted(None), "Accepted -")]
#[case(DeleteSnapshot, 1, refused(Meaning::Absent), "closed -")]
#[case(DeleteSnapshot, 1, refused(Meaning::Invalid), "closed DeletionBlocked")]
fn an_answer(
    #[case] kind: OperationKind,
    #[case] attempt: i32,
    #[case] answer: Answer,
    #[case] expected: &str,
) {
    assert_eq!(summary(&after(kind, attempt, &answer)), expected);
}

#[test]
fn an_id_is_stored_at_once() {
    let status = after(Create, 1, &accepted(Some("id")));
    assert_eq!(
        (status.cluster_id.as_deref(), status.adopted),
        (Some("id"), Some(false))
    );
}

#[test]
fn a_request_that_was_not_carried_out_is_due_again() {
    let status = after(Restart, 1, &refused(Meaning::Busy));
    assert_eq!(status.handled.unwrap().restart, Some(ago(900)));
    let status = after(Restart, 1, &ambiguous());
    assert_eq!(status.handled.unwrap().restart, Some(now()));
}

#[test]
fn what_a_failing_service_refused_is_due_again_and_held_for_a_while() {
    let status = after(Restart, 1, &refused(Meaning::Unavailable));
    assert_eq!(status.handled.unwrap().restart, Some(ago(900)));
    let status = after(ResetPassword, 1, &refused(Meaning::Unavailable));
    assert_eq!(status.handled.unwrap().rotate_password, Some(ago(900)));
    let status = after(Resize, 1, &refused(Meaning::Unavailable));
    assert_eq!(status.settled_node_count, Some(2));
}

#[rstest]
#[case::the_same_again(refused(Meaning::Quota), 1, refused(Meaning::Quota), 1, true)]
#[case::of_another_manifest(refused(Meaning::Quota), 1, refused(Meaning::Quota), 2, false)]
fn a_repeated_refusal_is_one_event(
    #[case] one: Answer,
    #[case] then: i64,
    #[case] other: Answer,
    #[case] now_at: i64,
    #[case] same: bool,
) {
    let key = |id: &str, answer: &Answer, generation| {
        let mut open = operation(Create, OperationPhase::Intended, 5);
        open.id = id.into();
        let status = DwsClusterStatus {
            operation: Some(open.clone()),
            ..DwsClusterStatus::default()
        };
        absorb_answer(&status, generation, &open, answer, now()).events[0]
            .key
            .clone()
    };
    assert_eq!(key("a", &one, then) == key("b", &other, now_at), same);
}

#[test]
fn lost_answers_of_one_operation_are_one_event() {
    let key = |attempt| {
        let mut open = operation(Create, OperationPhase::Intended, 5);
        open.attempt = attempt;
        let status = DwsClusterStatus {
            operation: Some(open.clone()),
            ..DwsClusterStatus::default()
        };
        absorb_answer(&status, 1, &open, &ambiguous(), now()).events[0]
            .key
            .clone()
    };
    assert_eq!(key(1), key(2));
}

#[test]
fn a_refused_resize_is_at_rest() {
    assert_eq!(
        after(Resize, 1, &refused(Meaning::Invalid)).settled_node_count,
        Some(3)
    );
    assert_eq!(
        after(Resize, 1, &refused(Meaning::Quota)).settled_node_count,
        Some(2)
    );
    assert_eq!(after(Resize, 1, &ambiguous()).settled_node_count, Some(2));
}

#[test]
fn a_refused_password_is_remembered_by_its_secret() {
    let status = after(ResetPassword, 1, &refused(Meaning::BadPassword));
    assert_eq!(status.rejected_secret.unwrap().resource_version, "1");
}

#[test]
fn fields_of_a_later_version_survive() {
    let mut open = operation(Create, OperationPhase::Intended, 5);
    open.other.insert("later".into(), json!({"x": 1}));
    let mut status = DwsClusterStatus {
        operation: Some(open.clone()),
        ..DwsClusterStatus::default()
    };
    status.other.insert("future".into(), json!([1, 2]));
    let stored = json!({
        "operation": {
            "id": OP, "kind": "Create", "attempt": 1, "phase": "Intended",
            "target": {"later": 1}, "baseline": {"later": 2}, "intendedAt": "2026-01-01T00:00:00Z",
        },
        "handled": {"later": 3},
        "finalSnapshot": {"name": "n", "later": 4},
        "failures": [{
            "kind": "Resize", "reason": "r", "message": "m", "generation": 1,
            "at": "2026-01-01T00:00:00Z", "later": 5,
        }],
    });
    let nested: DwsClusterStatus = serde_json::from_value(stored.clone()).unwrap();
    let written = serde_json::to_value(&nested).unwrap();
    for (path, value) in [
        ("/operation/target/later", 1),
        ("/operation/baseline/later", 2),
        ("/handled/later", 3),
        ("/finalSnapshot/later", 4),
        ("/failures/0/later", 5),
    ] {
        assert_eq!(written.pointer(path), Some(&json!(value)), "{path}");
    }
    let after = absorb_answer(&status, 1, &open, &accepted(Some("id")), now()).status;
    assert_eq!(after.other["future"], json!([1, 2]));
    assert_eq!(after.operation.unwrap().other["later"], json!({"x": 1}));
}
