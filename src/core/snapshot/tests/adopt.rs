//! Taking hold of a snapshot that is there already.

use rstest::rstest;

use super::*;

/// The manifest names a snapshot that is complete.
fn adopting() -> Facts {
    Facts::new()
        .spec(|spec| spec.snapshot_id = Some(ID.into()))
        .detail(snapshot(ID, "backup", "AVAILABLE", 9000))
}

#[rstest]
#[case::complete(adopting(), COMPLETE.into())]
#[case::paused_makes_no_difference(adopting().paused(), COMPLETE.into())]
#[case::being_taken(adopting().detail(snapshot(ID, "backup", "CREATING", 9)), working("Snapshotting"))]
#[case::damaged(adopting().detail(snapshot(ID, "backup", "UNAVAILABLE", 9)), stalled("SnapshotFailed"))]
#[case::by_cluster_id(adopting().by_cluster_id(), COMPLETE.into())]
#[case::not_allowed(adopting().known(|one| one.adoption_allowed = false), stalled("InvalidSpec"))]
#[case::same_name_in_other_case(adopting().spec(|spec| spec.snapshot_name = Some("BACKUP".into())), COMPLETE.into())]
#[case::name_of_the_resource_does_not_count(adopting().detail(snapshot(ID, "nightly", "AVAILABLE", 9)), COMPLETE.into())]
#[case::other_name(adopting().spec(|spec| spec.snapshot_name = Some("nightly".into())), stalled("InvalidSpec"))]
#[case::other_cluster(adopting().detail(Snapshot { cluster_id: Some(OTHER.into()), ..snapshot(ID, "backup", "AVAILABLE", 9) }), stalled("InvalidSpec"))]
#[case::not_there(adopting().detail_fails(Meaning::Absent), waiting("WaitingForReference"))]
#[case::hidden(adopting().detail_fails(Meaning::AbsentOrForbidden), waiting("WaitingForReference"))]
#[case::unreadable(adopting().detail_fails(Meaning::Unavailable), out_of_sync("ServiceUnavailable"))]
#[case::rival_of_the_namespace(adopting().facts(|facts| facts.rivals = vec![rival("data", false, 5)]), stalled("IdentityConflict"))]
#[case::held_in_another_namespace(adopting().facts(|facts| facts.rivals = vec![rival("other", true, 5)]), stalled("IdentityConflict"))]
#[case::older_elsewhere(adopting().facts(|facts| facts.rivals = vec![rival("other", false, 101)]), stalled("IdentityConflict"))]
#[case::younger_elsewhere(adopting().facts(|facts| facts.rivals = vec![rival("other", false, 99)]), COMPLETE.into())]
fn a_snapshot_is_adopted_by_id(#[case] facts: Facts, #[case] expected: String) {
    assert_eq!(facts.plan(), expected);
}

#[test]
fn adoption_records_what_it_took_and_changes_nothing() {
    let (decision, reads) = adopting().decide();
    assert_eq!(reads, [Read::Snapshot(ID.into())]);
    assert!(decision.call.is_none() && decision.add_finalizer);
    assert_eq!(decision.status.snapshot_id.as_deref(), Some(ID));
    assert_eq!(decision.status.adopted, Some(true));
    assert_eq!(decision.status.account, Some(account()));
    assert_eq!(adopting().events(), "Adopted");
}
