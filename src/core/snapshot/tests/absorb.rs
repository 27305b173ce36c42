//! What each answer to each call makes of the status.

use rstest::rstest;

use super::*;
use crate::core::snapshot::absorb as absorb_answer;
use crate::dws::answer::Answer;
use OperationKind::{DeleteSnapshot, Snapshot as Take};

fn accepted(id: Option<&str>) -> Answer {
    Answer::Accepted {
        id: id.map(str::to_owned),
    }
}

fn refused(meaning: Meaning) -> Answer {
    Answer::Refused(failure(meaning))
}

fn lost() -> Answer {
    Answer::Ambiguous(failure(Meaning::Unavailable))
}

fn unsent() -> Answer {
    let mut failure = failure(Meaning::Invalid);
    failure.sent = false;
    Answer::Refused(failure)
}

/// `phase; id; reason of the failure; events`.
fn after(kind: OperationKind, attempt: i32, answer: &Answer) -> String {
    let mut open = operation(kind, OperationPhase::Intended, 5);
    open.attempt = attempt;
    let status = DwsSnapshotStatus {
        operation: Some(open.clone()),
        ..DwsSnapshotStatus::default()
    };
    let absorbed = absorb_answer(&status, 1, &open, answer, now());
    let status = absorbed.status;
    let phase = status
        .operation
        .as_ref()
        .map_or("closed".into(), |one| format!("{:?}", one.phase));
    let id = status.snapshot_id.as_deref().unwrap_or("-");
    let failed = status.last_failure.as_ref();
    let failed = failed.map_or("-", |one| one.reason.as_str());
    let events: Vec<_> = absorbed.events.iter().map(|one| one.reason).collect();
    format!("{phase}; {id}; {failed}; {}", events.join(" "))
}

#[rstest]
#[case::accepted(Take, 1, accepted(Some("id")), "Accepted; id; -; SnapshotStarted")]
#[case::accepted_without_id(Take, 1, accepted(None), "Ambiguous; -; -; ")]
#[case::lost(Take, 1, lost(), "Ambiguous; -; -; AnswerLost")]
#[case::invalid(
    Take,
    1,
    refused(Meaning::Invalid),
    "closed; -; InvalidSpec; SnapshotRefused"
)]
#[case::quota(
    Take,
    1,
    refused(Meaning::Quota),
    "closed; -; QuotaExceeded; SnapshotRefused"
)]
#[case::forbidden(
    Take,
    1,
    refused(Meaning::Forbidden),
    "closed; -; Forbidden; SnapshotRefused"
)]
#[case::taken(
    Take,
    1,
    refused(Meaning::NameTaken),
    "closed; -; NameConflict; SnapshotRefused"
)]
#[case::busy(Take, 1, refused(Meaning::Busy), "closed; -; Busy; ")]
#[case::throttled(Take, 1, refused(Meaning::Throttled), "closed; -; -; ")]
#[case::service_fails(
    Take,
    1,
    refused(Meaning::Unavailable),
    "closed; -; ServiceUnavailable; SnapshotRefused"
)]
#[case::second_service_fails(Take, 2, refused(Meaning::Unavailable), "Ambiguous; -; -; ")]
#[case::deletion_service_fails(
    DeleteSnapshot,
    1,
    refused(Meaning::Unavailable),
    "closed; -; DeletionBlocked; SnapshotDeletionRefused"
)]
#[case::unsent(Take, 1, unsent(), "closed; -; -; ")]
#[case::second_finds_the_first(Take, 2, refused(Meaning::NameTaken), "Ambiguous; -; -; ")]
#[case::second_finds_work(Take, 2, refused(Meaning::Busy), "Ambiguous; -; -; ")]
#[case::second_unsent(Take, 2, unsent(), "Ambiguous; -; -; ")]
#[case::second_invalid(
    Take,
    2,
    refused(Meaning::Invalid),
    "closed; -; InvalidSpec; SnapshotRefused"
)]
#[case::deletion(DeleteSnapshot, 1, accepted(None), "Accepted; -; -; DeletionStarted")]
#[case::deletion_lost(DeleteSnapshot, 1, lost(), "Ambiguous; -; -; AnswerLost")]
#[case::deletion_busy(DeleteSnapshot, 1, refused(Meaning::Busy), "closed; -; Busy; ")]
#[case::deletion_gone(DeleteSnapshot, 1, refused(Meaning::Absent), "closed; -; -; ")]
#[case::deletion_refused(
    DeleteSnapshot,
    1,
    refused(Meaning::Invalid),
    "closed; -; DeletionBlocked; SnapshotDeletionRefused"
)]
#[case::deletion_throttled(DeleteSnapshot, 1, refused(Meaning::Throttled), "closed; -; -; ")]
fn an_answer_becomes_status(
    #[case] kind: OperationKind,
    #[case] attempt: i32,
    #[case] answer: Answer,
    #[case] expected: &str,
) {
    assert_eq!(after(kind, attempt, &answer), expected);
}

#[test]
fn a_repeated_refusal_is_one_event() {
    let key = |id: &str| {
        let mut open = operation(Take, OperationPhase::Intended, 5);
        open.id = id.into();
        let status = DwsSnapshotStatus {
            operation: Some(open.clone()),
            ..DwsSnapshotStatus::default()
        };
        let absorbed = absorb_answer(&status, 1, &open, &refused(Meaning::Quota), now());
        absorbed.events[0].key.clone()
    };
    assert_eq!(key("a"), key("b"));
}
