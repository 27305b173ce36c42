//! A request whose answer was lost: claimed, waited for, sent again, or given up for a stranger's name.

use rstest::rstest;

use super::*;
use OperationPhase::{Ambiguous, Intended};

/// Asked for a hundred seconds ago.
fn lost() -> Facts {
    Facts::asked(Ambiguous, 100).window(90)
}

/// The same, and the window is over.
fn settled() -> Facts {
    Facts::asked(Ambiguous, 700).window(600)
}

fn again() -> String {
    format!("call Snapshot #2; {}", working("Snapshotting"))
}

fn of_other_cluster() -> Snapshot {
    Snapshot {
        cluster_id: Some(OTHER.into()),
        ..snapshot(ID, "backup", "CREATING", 50)
    }
}

fn automated() -> Snapshot {
    Snapshot {
        type_: Some("AUTOMATED".into()),
        ..snapshot(ID, "backup", "CREATING", 50)
    }
}

fn undated() -> Snapshot {
    Snapshot {
        started_at: None,
        ..snapshot(ID, "backup", "CREATING", 50)
    }
}

#[rstest]
#[case::claimed(lost().list(&[snapshot(ID, "backup", "CREATING", 50)]), working("Snapshotting"))]
#[case::claimed_in_the_same_second(lost().list(&[snapshot(ID, "backup", "CREATING", 100)]), working("Snapshotting"))]
#[case::claimed_complete(lost().list(&[snapshot(ID, "BACKUP", "AVAILABLE", 50)]), COMPLETE.into())]
#[case::claimed_failed(lost().list(&[snapshot(ID, "backup", "UNAVAILABLE", 50)]), stalled("SnapshotFailed"))]
#[case::claimed_though_paused(lost().paused().list(&[snapshot(ID, "backup", "CREATING", 50)]), working("Snapshotting"))]
#[case::theirs_is_older(settled().list(&[snapshot(ID, "backup", "AVAILABLE", 701)]), stalled("NameConflict"))]
#[case::theirs_of_another_cluster(settled().list(&[of_other_cluster()]), stalled("NameConflict"))]
#[case::theirs_is_automated(settled().list(&[automated()]), stalled("NameConflict"))]
#[case::theirs_and_too_early(lost().list(&[snapshot(ID, "backup", "AVAILABLE", 101)]), working("Snapshotting"))]
#[case::theirs_has_no_time(settled().list(&[undated()]), stalled("NameConflict"))]
#[case::theirs_is_held(settled().list(&[snapshot(ID, "backup", "CREATING", 50)]).facts(|facts| {
    facts.held_elsewhere.insert(ID.into(), rival("other", true, 50));
}), stalled("NameConflict"))]
#[case::too_early(lost(), working("Snapshotting"))]
#[case::too_early_by_a_second(settled().window(599), working("Snapshotting"))]
#[case::too_early_after_a_restart(Facts::asked(Intended, 9000), working("Snapshotting"))]
#[case::list_unreadable(settled().list_fails(Meaning::Unavailable), out_of_sync("ServiceUnavailable"))]
#[case::renewed(settled(), again())]
#[case::not_renewed_while_paused(settled().paused(), out_of_sync("Paused"))]
#[case::not_renewed_under_a_deletion(settled().owner_deleted(), waiting("WaitingForCluster"))]
#[case::not_renewed_in_an_ending_namespace(settled().facts(|facts| facts.namespace_terminating = true), waiting("WaitingForCluster"))]
fn a_lost_answer_is_settled(#[case] facts: Facts, #[case] expected: String) {
    assert_eq!(facts.plan(), expected);
}

#[test]
fn a_claim_records_the_id_and_says_so() {
    let facts = lost().list(&[snapshot(ID, "backup", "CREATING", 50)]);
    assert_eq!(facts.clone().events(), "Claimed");
    let status = facts.decide().0.status;
    assert_eq!(status.snapshot_id.as_deref(), Some(ID));
    assert_eq!(status.adopted, Some(false));
    assert_eq!(status.operation.unwrap().phase, OperationPhase::Accepted);
}

#[test]
fn a_strangers_snapshot_is_left_alone() {
    let facts = settled().list(&[snapshot(OTHER, "backup", "AVAILABLE", 800)]);
    let status = facts.decide().0.status;
    assert_eq!(status.snapshot_id, None);
    assert_eq!(status.operation, None);
    assert_eq!(status.last_failure.unwrap().reason, "NameConflict");
}

#[test]
fn an_intent_found_at_the_start_may_have_been_sent() {
    let status = Facts::asked(Intended, 9000).decide().0.status;
    assert_eq!(status.operation.unwrap().phase, Ambiguous);
}

#[test]
fn the_second_attempt_keeps_id_and_baseline() {
    let decision = settled().decide().0;
    let open = decision.status.operation.unwrap();
    assert_eq!((open.id.as_str(), open.attempt), (OP, 2));
    assert_eq!(open.baseline.service_time, Some(ago(700)));
    assert_eq!(open.intended_at, now());
}
