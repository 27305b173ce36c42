//! A snapshot whose id is known: what the service shows of it, and what if it shows it no longer.

use rstest::rstest;

use super::*;

fn shown(status: &str) -> Facts {
    Facts::taken().detail(snapshot(ID, "backup", status, 50))
}

#[rstest]
#[case("CREATING", working("Snapshotting"))]
#[case("AVAILABLE", COMPLETE.into())]
#[case("RESTORING", COMPLETE.into())]
#[case("UNAVAILABLE", stalled("SnapshotFailed"))]
#[case("FAILED", stalled("SnapshotFailed"))]
#[case("FROZEN", stalled("SnapshotFailed"))]
#[case("SOMETHING NEW", out_of_sync("Unknown"))]
#[case("", out_of_sync("Unknown"))]
fn the_services_word_becomes_conditions(#[case] status: &str, #[case] expected: String) {
    assert_eq!(shown(status).plan(), expected);
    assert_eq!(
        shown(status).decide().0.status.status.as_deref(),
        Some(status)
    );
}

#[rstest]
#[case::not_shown(Facts::taken().detail_fails(Meaning::Absent), out_of_sync("ConfirmingAbsence"))]
#[case::lists_too_close(Facts::taken().detail_fails(Meaning::Absent).unlisted(9), out_of_sync("ConfirmingAbsence"))]
#[case::gone(Facts::taken().detail_fails(Meaning::Absent).unlisted(10), stalled("Lost"))]
#[case::hidden(Facts::taken().detail_fails(Meaning::AbsentOrForbidden).unlisted(10), out_of_sync("Forbidden"))]
#[case::hidden_after_it_was_read(Facts::taken().detail_fails(Meaning::AbsentOrForbidden).unlisted(10).facts(|facts| facts.memory.id_was_read = true), stalled("Lost"))]
#[case::unreadable(Facts::taken().detail_fails(Meaning::Unavailable).unlisted(10), out_of_sync("ServiceUnavailable"))]
fn one_not_found_is_not_lost(#[case] facts: Facts, #[case] expected: String) {
    assert_eq!(facts.plan(), expected);
}

#[rstest]
#[case::rival_of_the_namespace(rival("data", false, 5), stalled("IdentityConflict"))]
#[case::asked_for_elsewhere(rival("other", false, 9000), COMPLETE.into())]
#[case::held_elsewhere_before(rival("other", true, 9000), stalled("IdentityConflict"))]
#[case::held_elsewhere_later(rival("other", true, 5), COMPLETE.into())]
fn two_resources_of_one_snapshot(#[case] other: Rival, #[case] expected: String) {
    let facts = Facts::taken().facts(|facts| facts.rivals = vec![other]);
    assert_eq!(facts.plan(), expected);
}

#[rstest]
#[case("AVAILABLE", "SnapshotFinished")]
#[case("UNAVAILABLE", "SnapshotFailed")]
#[case("CREATING", "")]
fn the_end_of_our_own_snapshot_is_told_once(#[case] status: &str, #[case] expected: &str) {
    let facts = shown(status).operation(operation(
        OperationKind::Snapshot,
        OperationPhase::Accepted,
        50,
    ));
    assert_eq!(facts.clone().events(), expected);
    let after = facts.clone().decide().0.status;
    assert_eq!(after.operation.is_none(), status != "CREATING");
    assert_eq!(facts.status(|status| *status = after).events(), "");
}

#[test]
fn a_listed_snapshot_needs_no_read() {
    let list = Listing {
        items: vec![snapshot(ID, "backup", "AVAILABLE", 500)],
        complete: true,
        service_time: None,
    };
    let list = SnapshotList::from_listing(list, now()).unwrap();
    let facts = Facts::taken().known(|known| known.snapshots = Some(Arc::new(list)));
    let (decision, reads) = facts.decide();
    assert_eq!(line(&decision), COMPLETE);
    assert_eq!(reads, []);
}

#[test]
fn a_second_look_changes_nothing() {
    let first = Facts::taken().decide().0.status;
    let second = Facts::taken()
        .status(|status| *status = first.clone())
        .decide();
    assert_eq!(second.0.status, first);
}

#[test]
fn what_was_gone_and_is_there_again_is_ready() {
    let gone = Facts::taken().detail_fails(Meaning::Absent).unlisted(10);
    let lost = gone.decide().0.status;
    assert_eq!(
        Facts::taken().status(|status| *status = lost).plan(),
        COMPLETE
    );
}

fn lost_before() -> Facts {
    let lost = Facts::taken().detail_fails(Meaning::Absent).unlisted(60);
    let status = lost.decide().0.status;
    Facts::taken().object(|one| one.status = Some(status))
}

/// A new process remembers neither lists nor which ids it has read.
#[rstest]
#[case::not_found(lost_before().detail_fails(Meaning::Absent), stalled("Lost"))]
#[case::not_found_or_forbidden(lost_before().detail_fails(Meaning::AbsentOrForbidden), stalled("Lost"))]
#[case::it_is_shown_again(lost_before(), COMPLETE.to_owned())]
fn what_is_lost_stays_lost(#[case] facts: Facts, #[case] expected: String) {
    assert_eq!(facts.plan(), expected);
}

#[test]
fn an_outage_does_not_make_a_lost_snapshot_doubtful() {
    let away = lost_before().detail_fails(Meaning::Unavailable);
    let status = away.decide().0.status;
    let after = Facts::taken().object(|one| one.status = Some(status));
    let found = after.clone().detail_fails(Meaning::AbsentOrForbidden);
    assert_eq!(found.plan(), stalled("Lost"));
    assert_eq!(after.deleted().plan(), "forget");
}
