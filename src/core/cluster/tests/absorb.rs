//! What each answer to each call makes of the status.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::api::cluster_status::RejectedSecret;
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

fn ambiguous() -> Answer {
    Answer::Ambiguous(failure(Meaning::Unavailable))
}

fn after(kind: OperationKind, attempt: i32, answer: &Answer) -> DwsClusterStatus {
    let mut open = operation(kind, OperationPhase::Intended, 5);
    open.attempt = attempt;
    open.baseline.handled = Some(ago(900));
    open.target.secret = Some(RejectedSecret {
        uid: "secret".into(),
        resource_version: "1".into(),
    });
    let status = DwsClusterStatus {
        operation: Some(open.clone()),
        settled_node_count: Some(2),
        handled: Some(Handled {
            restart: Some(now()),
            rotate_password: Some(now()),
            reconcile: None,
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
    let failed = status
        .last_failure
        .as_ref()
        .map_or("-", |one| one.reason.as_str());
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
#[case(Create, 1, refused(Meaning::Unavailable), "closed -")]
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
    let after = absorb_answer(&status, 1, &open, &accepted(Some("id")), now()).status;
    assert_eq!(after.other["future"], json!([1, 2]));
    assert_eq!(after.operation.unwrap().other["later"], json!({"x": 1}));
}
