//! Taking hold of what others made: no changing call, and every difference told.

use rstest::rstest;

use super::*;
use crate::api::cluster::{AdoptionPolicy, ManagementPolicy};
use crate::dws::model::FailedReasons;

const TAKEN: &str = "Ready=True/Available; Synced=True/InSync";

fn by_id() -> Facts {
    Facts::new()
        .spec(|s| s.cluster_id = Some(ID.into()))
        .detail(cluster("AVAILABLE", "", 3))
}

fn by_name() -> Facts {
    Facts::new()
        .spec(|s| s.adoption_policy = Some(AdoptionPolicy::IfExists))
        .list(&[cluster("AVAILABLE", "", 3)])
        .detail(cluster("AVAILABLE", "", 3))
}

fn observed() -> Facts {
    by_name().spec(|s| {
        s.adoption_policy = None;
        s.management_policy = Some(ManagementPolicy::ObserveOnly);
    })
}

/// Adopted with three nodes under a manifest that wrote six, which is brought down to this.
fn lowered(count: i32) -> Facts {
    Facts::adopted()
        .spec(|s| s.node_count = Some(count))
        .status(|s| s.settled_node_count = Some(6))
        .facts(|f| f.memory.low_count_since = Some(ago(9000)))
}

/// The id of another cluster was written while ours was being made.
fn astray() -> Facts {
    Facts::live().spec(|s| s.cluster_id = Some("another-id".into()))
}

#[test]
fn an_id_beside_the_one_that_was_made_is_told_with_both() {
    let message = astray().message("Stalled");
    assert!(
        message.contains("another-id") && message.contains(ID),
        "{message}"
    );
}

#[test]
fn a_growth_is_counted_from_what_the_manifest_last_wrote() {
    let status = lowered(5).decide().0.status;
    assert_eq!(status.settled_node_count, Some(5));
    let grown = lowered(6).status(|old| *old = status);
    assert!(grown.plan().starts_with("call Resize #1 +3"));
}

#[rstest]
#[case::by_id(by_id(), TAKEN)]
#[case::by_name(by_name(), TAKEN)]
#[case::only_observed(observed(), "Ready=True/Available; Synced=True/ObserveOnly")]
#[case::observed_by_id(by_id().spec(|s| s.management_policy = Some(ManagementPolicy::ObserveOnly)),
    "Ready=True/Available; Synced=True/ObserveOnly")]
#[case::paused(by_id().paused(), "Ready=True/Available; Synced=False/Paused")]
#[case::not_allowed(by_id().known(|k| k.adoption_allowed = false), "Ready=False/InvalidSpec; Synced=False/InvalidSpec; Stalled")]
#[case::observing_is_not_allowed(observed().known(|k| k.adoption_allowed = false), "Ready=False/InvalidSpec; Synced=False/InvalidSpec; Stalled")]
#[case::another_name(by_id().spec(|s| s.cluster_name = Some("else".into())), "Ready=False/InvalidSpec; Synced=False/InvalidSpec; Stalled")]
#[case::the_same_name(by_id().spec(|s| s.cluster_name = Some("warehouse".into())), TAKEN)]
#[case::not_shown(by_id().detail_fails(Meaning::AbsentOrForbidden), "Ready=False/WaitingForCluster; Synced=False/WaitingForCluster; Reconciling")]
#[case::absent(by_id().detail_fails(Meaning::Absent), "Ready=False/WaitingForCluster; Synced=False/WaitingForCluster; Reconciling")]
#[case::malformed(by_id().detail_fails(Meaning::Invalid), "Ready=False/InvalidSpec; Synced=False/InvalidSpec; Stalled")]
#[case::unavailable(by_id().detail_fails(Meaning::Unavailable), "Ready=False/ServiceUnavailable; Synced=False/ServiceUnavailable")]
#[case::a_count_at_adoption(by_id().spec(|s| s.node_count = Some(6)), "Ready=True/Available; Synced=False/Drifted")]
#[case::a_type_at_adoption(by_id().spec(|s| s.node_type = Some("dws.x".into())), "Ready=True/Available; Synced=False/Drifted")]
#[case::what_was_not_written(by_id().spec(|s| { s.node_type = None; s.node_count = None; s.network = None; }), TAKEN)]
#[case::a_port(by_id().spec(|s| s.port = Some(9000)), "Ready=True/Available; Synced=False/Drifted")]
#[case::a_user(by_id().spec(|s| s.admin_user = Some("boss".into())), "Ready=True/Available; Synced=False/Drifted")]
#[case::its_password_is_published(by_id().password("Chosen-Pw-1"), TAKEN)]
#[case::creating(by_id().detail(cluster("CREATING", "", 3)), "Ready=False/Creating; Synced=True/InSync")]
#[case::failed(by_id().detail(cluster("CREATION FAILED", "", 3)), "Ready=False/CreationFailed; Synced=False/CreationFailed; Stalled")]
#[case::claimed_in_the_namespace(by_id().facts(|f| f.rivals = vec![rival("data", false, 1)]), "Ready=False/IdentityConflict; Synced=False/IdentityConflict; Stalled")]
#[case::held_elsewhere(by_id().facts(|f| f.rivals = vec![rival("else", true, 1)]), "Ready=False/IdentityConflict; Synced=False/IdentityConflict; Stalled")]
#[case::asked_for_later_elsewhere(by_id().facts(|f| f.rivals = vec![rival("else", false, 1)]), TAKEN)]
#[case::by_name_and_held(by_name().facts(|f| { f.held_elsewhere.insert(ID.into(), rival("else", true, 1)); }), "Ready=False/IdentityConflict; Synced=False/IdentityConflict; Stalled")]
#[case::by_name_and_another_is_making_it(by_name().facts(|f| f.making_elsewhere = vec![rival("else", false, 1)]), "Ready=False/WaitingForCluster; Synced=False/WaitingForCluster; Reconciling")]
#[case::observed_and_another_is_making_it(observed().facts(|f| f.making_elsewhere = vec![rival("else", false, 1)]), "Ready=False/WaitingForCluster; Synced=False/WaitingForCluster; Reconciling")]
#[case::by_id_says_which(by_id().facts(|f| f.making_elsewhere = vec![rival("else", false, 1)]), TAKEN)]
// Afterwards.
#[case::an_id_beside_the_one_that_was_made(
    astray(),
    "Ready=True/Available; Synced=False/InvalidSpec; Stalled"
)]
#[case::which_changes_nothing_more(astray().spec(|s| s.node_count = Some(6)), "Ready=True/Available; Synced=False/InvalidSpec; Stalled")]
#[case::a_later_growth(Facts::adopted().spec(|s| s.node_count = Some(6)), "call Resize #1 +3; Ready=True/Resizing; Synced=True/Resizing; Reconciling")]
#[case::a_count_from_adoption_stays_drift(Facts::adopted().spec(|s| s.node_count = Some(6)).status(|s| s.settled_node_count = Some(6)), "Ready=True/Available; Synced=False/Drifted")]
#[case::a_lower_count_that_is_still_more_than_there_is(
    lowered(5),
    "Ready=True/Available; Synced=False/Drifted"
)]
#[case::a_lower_count_after_a_resize_that_failed(lowered(5).status(|s| record(s, last_failure(OperationKind::Resize, "ResizeFailed", 900))), "call Resize #1 +2; Ready=True/Resizing; Synced=True/Resizing; Reconciling")]
fn a_cluster_of_others(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan_but_for_the_secret(), expected);
}

#[test]
fn the_drift_names_field_wanted_and_found() {
    let message = by_id().spec(|s| s.node_count = Some(6)).message("Synced");
    assert!(
        message.contains("spec.nodeCount wants 6, found 3"),
        "{message}"
    );
}

#[test]
fn an_adopted_cluster_is_recorded_as_such() {
    let (decision, _) = by_id().decide();
    assert_eq!(decision.status.adopted, Some(true));
    assert_eq!(decision.status.cluster_id.as_deref(), Some(ID));
    assert_eq!(decision.status.settled_node_count, Some(3));
    assert!(decision.add_finalizer && decision.call.is_none());
}

#[test]
fn a_failed_creation_tells_the_services_reason() {
    let mut failed = cluster("CREATION FAILED", "", 3);
    failed.failed_reasons = Some(FailedReasons {
        error_code: Some("DWS.6000".into()),
        error_msg: Some("The flavor is sold out.".into()),
    });
    let message = by_id().detail(failed).message("Synced");
    assert!(
        message.contains(" reason: DWS.6000: The flavor is sold out. ")
            && message.contains(" The failed cluster"),
        "{message}"
    );
}
