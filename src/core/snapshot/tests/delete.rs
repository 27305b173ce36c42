//! Deleting the resource: kept, deleted, waited for or blocked, and forgotten only for certain.

use rstest::rstest;

use super::*;
use OperationKind::DeleteSnapshot;
use OperationPhase::{Accepted, Ambiguous, Intended};
use SnapshotDeletionPolicy::{Delete, Retain};

const FORGET: &str = "forget";

fn deletes(attempt: u8) -> String {
    format!("call DeleteSnapshot #{attempt}; {}", working("Deleting"))
}

fn adopted() -> Facts {
    Facts::dying().status(|status| status.adopted = Some(true))
}

fn blocked() -> String {
    out_of_sync("DeletionBlocked")
}

/// The deletion waits for the service or the credentials.
fn held_back(reason: &str) -> String {
    format!("Ready=False/Deleting; Synced=False/{reason}")
}

#[rstest]
#[case::ours(Facts::dying(), deletes(1))]
#[case::adopted(adopted(), FORGET.into())]
#[case::adopted_and_delete(adopted().policy(Delete), deletes(1))]
#[case::ours_and_retain(Facts::dying().policy(Retain), FORGET.into())]
#[case::retain_needs_no_credentials(Facts::dying().policy(Retain).credentials_missing(), FORGET.into())]
#[case::nothing_was_taken(Facts::new().deleted(), FORGET.into())]
#[case::refused_before(Facts::new().failed(OperationKind::Snapshot, "InvalidSpec", 50).deleted(), FORGET.into())]
#[case::paused(Facts::dying().paused(), out_of_sync("Paused"))]
#[case::paused_and_retain(Facts::dying().paused().policy(Retain), out_of_sync("Paused"))]
#[case::being_taken(Facts::dying().detail(snapshot(ID, "backup", "CREATING", 5)), working("Deleting"))]
#[case::failed(Facts::dying().detail(snapshot(ID, "backup", "UNAVAILABLE", 5)), deletes(1))]
#[case::unknown_word(Facts::dying().detail(snapshot(ID, "backup", "SOMETHING NEW", 5)), deletes(1))]
#[case::a_restore_reads_it(Facts::dying().detail(snapshot(ID, "backup", "RESTORING", 5)), working("Deleting"))]
#[case::a_restore_of_ours(Facts::dying().facts(|facts| facts.restoring = vec!["data/copy".into()]), working("Deleting"))]
#[case::crd_in_deletion(Facts::dying().crd_deleted(), blocked())]
#[case::crd_in_deletion_confirmed(Facts::dying().crd_deleted().annotate(names::CONFIRM_DELETE, ID), deletes(1))]
#[case::crd_in_deletion_confirmed_for_another(Facts::dying().crd_deleted().annotate(names::CONFIRM_DELETE, OTHER), blocked())]
#[case::crd_in_deletion_and_retain(Facts::dying().crd_deleted().policy(Retain), FORGET.into())]
#[case::credentials_gone(Facts::dying().credentials_missing(), blocked())]
#[case::credentials_invalid(Facts::dying().account(Account::Invalid { message: "No.".into() }), blocked())]
#[case::other_project(Facts::dying().known(|one| one.account.project_id = "other".into()), blocked())]
#[case::first_poll(Facts::dying().account(Account::Pending), working("Deleting"))]
#[case::circuit(Facts::dying().known(|one| one.circuit = Some(circuit(1))), held_back("Throttled"))]
#[case::cluster_gone_first(Facts::dying().facts(|facts| facts.cluster = Some(ClusterRefFact::Absent)), deletes(1))]
#[case::rivals(Facts::dying().facts(|facts| facts.rivals = vec![rival("data", true, 5)]), FORGET.into())]
#[case::rival_that_only_asks(Facts::dying().facts(|facts| facts.rivals = vec![rival("other", false, 9000)]), deletes(1))]
fn what_becomes_of_the_snapshot(#[case] facts: Facts, #[case] expected: String) {
    assert_eq!(facts.plan(), expected);
}

/// The DELETE went out so many seconds ago.
fn sent(phase: OperationPhase, age: i64) -> Facts {
    Facts::dying().operation(operation(DeleteSnapshot, phase, age))
}

#[rstest]
#[case::still_there(sent(Accepted, 59), working("Deleting"))]
#[case::still_there_after_long(sent(Accepted, 60), deletes(2))]
#[case::lost_answer(sent(Ambiguous, 9), working("Deleting"))]
#[case::lost_answer_and_there(sent(Ambiguous, 10), deletes(2))]
#[case::lost_intent_and_there(sent(Intended, 10), deletes(2))]
#[case::not_shown(sent(Accepted, 5).detail_fails(Meaning::Absent), working("Deleting"))]
#[case::lists_too_close(sent(Accepted, 5).detail_fails(Meaning::Absent).unlisted(9), working("Deleting"))]
#[case::confirmed(sent(Accepted, 5).detail_fails(Meaning::Absent).unlisted(10), FORGET.into())]
#[case::confirmed_by_the_vague_code(sent(Accepted, 5).detail_fails(Meaning::AbsentOrForbidden).unlisted(10), FORGET.into())]
#[case::vague_code_before_our_delete(Facts::dying().detail_fails(Meaning::AbsentOrForbidden).unlisted(10), blocked())]
#[case::gone_before_our_delete(Facts::dying().detail_fails(Meaning::Absent).unlisted(10), FORGET.into())]
#[case::unreadable(sent(Accepted, 5).detail_fails(Meaning::Unavailable).unlisted(10), held_back("ServiceUnavailable"))]
#[case::not_permitted(sent(Accepted, 5).detail_fails(Meaning::Forbidden).unlisted(10), held_back("Forbidden"))]
#[case::refused(Facts::dying().failed(DeleteSnapshot, "DeletionBlocked", 599), blocked())]
#[case::refused_and_tried_again(Facts::dying().failed(DeleteSnapshot, "DeletionBlocked", 600), deletes(1))]
#[case::busy(Facts::dying().failed(DeleteSnapshot, "Busy", 9), working("Deleting"))]
#[case::busy_and_tried_again(Facts::dying().failed(DeleteSnapshot, "Busy", 10), deletes(1))]
fn the_finalizer_goes_when_absence_is_confirmed(#[case] facts: Facts, #[case] expected: String) {
    assert_eq!(facts.plan(), expected);
}

#[rstest]
#[case::too_early(Facts::asked(Ambiguous, 100).window(90), working("Deleting"))]
#[case::not_executed(Facts::asked(Ambiguous, 700).window(600), FORGET.into())]
#[case::theirs(Facts::asked(Ambiguous, 700).window(600).list(&[snapshot(ID, "backup", "AVAILABLE", 701)]), FORGET.into())]
#[case::theirs_and_too_early(Facts::asked(Ambiguous, 100).window(90).list(&[snapshot(ID, "backup", "AVAILABLE", 101)]), working("Deleting"))]
#[case::appeared(Facts::asked(Ambiguous, 100).window(90).list(&[snapshot(ID, "Backup", "CREATING", 50)]), working("Deleting"))]
#[case::list_unreadable(Facts::asked(Ambiguous, 700).window(600).list_fails(Meaning::Unavailable), held_back("ServiceUnavailable"))]
#[case::retain(Facts::asked(Ambiguous, 100).window(90).policy(Retain), FORGET.into())]
fn a_lost_request_is_settled_before_it_is_forgotten(
    #[case] facts: Facts,
    #[case] expected: String,
) {
    assert_eq!(facts.deleted().plan(), expected);
}

#[test]
fn a_late_snapshot_is_claimed_so_that_it_can_be_deleted() {
    let facts = Facts::asked(Ambiguous, 100)
        .window(90)
        .list(&[snapshot(ID, "backup", "AVAILABLE", 50)])
        .deleted();
    let status = facts.clone().decide().0.status;
    assert_eq!(status.snapshot_id.as_deref(), Some(ID));
    let next = facts
        .status(|old| *old = status)
        .detail(snapshot(ID, "backup", "AVAILABLE", 50));
    assert_eq!(next.plan(), deletes(1));
}

#[test]
fn a_lost_snapshot_is_not_asked_for_again() {
    let gone = Facts::taken().detail_fails(Meaning::Absent).unlisted(10);
    let lost = gone.clone().decide().0.status;
    let (decision, reads) = gone.status(|status| *status = lost).deleted().decide();
    assert!(decision.remove_finalizer);
    assert_eq!(reads, []);
}

#[rstest]
#[case::kept(Facts::dying().policy(Retain), "Retained", ID)]
#[case::of_a_lost_status(Facts::new().deleted().list(&[snapshot(ID, "backup", "AVAILABLE", 5)]), "Retained", ID)]
#[case::of_a_lost_status_and_free(Facts::new().deleted(), "Deleted", "nothing")]
#[case::of_a_lost_status_without_credentials(Facts::new().deleted().credentials_missing(), "Deleted", "nothing")]
#[case::never_taken(Facts::new().deleted().policy(Retain), "Retained", "no snapshot")]
#[case::theirs(Facts::asked(Ambiguous, 700).window(600).list(&[snapshot(ID, "backup", "AVAILABLE", 701)]).deleted(), "Deleted", ID)]
#[case::gone(sent(Accepted, 5).detail_fails(Meaning::Absent).unlisted(10), "Deleted", ID)]
#[case::blocked(Facts::dying().credentials_missing(), "DeletionBlocked", "Retain")]
#[case::crd(Facts::dying().crd_deleted(), "DeletionBlocked", names::CONFIRM_DELETE)]
fn an_event_names_what_stays_or_the_way_out(
    #[case] facts: Facts,
    #[case] reason: &str,
    #[case] names: &str,
) {
    let events = facts.decide().0.events;
    let told: Vec<_> = events.iter().map(|one| one.reason).collect();
    assert_eq!(told, [reason]);
    assert!(events[0].note.contains(names), "{}", events[0].note);
}

#[test]
fn without_our_finalizer_nothing_is_read_or_done() {
    let facts = Facts::dying().object(|object| object.metadata.finalizers = None);
    let (decision, reads) = facts.decide();
    assert!(decision.call.is_none() && !decision.remove_finalizer);
    assert_eq!(reads, []);
}

#[test]
fn a_finalizer_that_was_taken_away_is_put_back() {
    let stripped = |facts: Facts| {
        let facts = facts.object(|object| object.metadata.finalizers = None);
        facts.decide().0.add_finalizer
    };
    assert!(stripped(Facts::taken()));
    assert!(stripped(Facts::asked(Ambiguous, 100).window(90)));
    assert!(!stripped(Facts::dying()));
}

#[test]
fn a_paused_deletion_goes_on_observing_and_claiming() {
    let seen = Facts::dying()
        .paused()
        .detail(snapshot(ID, "backup", "UNAVAILABLE", 5));
    let status = seen.decide().0.status;
    assert_eq!(status.status.as_deref(), Some("UNAVAILABLE"));
    let lost = Facts::asked(Ambiguous, 100)
        .window(90)
        .list(&[snapshot(ID, "backup", "CREATING", 50)]);
    let (decision, _) = lost.deleted().paused().decide();
    assert_eq!(decision.status.snapshot_id.as_deref(), Some(ID));
    assert!(decision.call.is_none() && !decision.remove_finalizer);
}

#[test]
fn a_restore_is_named() {
    let facts = Facts::dying().facts(|facts| facts.restoring = vec!["data/copy".into()]);
    let message = facts.message("Ready");
    assert!(message.contains("data/copy"), "{message}");
}

#[test]
fn a_deletion_that_is_held_back_is_not_ready() {
    let ready = Facts::taken().decide().0.status;
    let facts = Facts::taken()
        .object(|one| one.status = Some(ready))
        .deleted();
    let facts = facts.known(|one| one.circuit = Some(circuit(1)));
    assert_eq!(facts.plan(), held_back("Throttled"));
}
