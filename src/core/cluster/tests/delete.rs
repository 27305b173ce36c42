//! Deletion by what there is: forget, wait, final snapshot, DELETE, confirmed absence.

use rstest::rstest;

use super::*;
use crate::api::cluster::{ClusterDeletionPolicy as Policy, ManagementPolicy};
use crate::api::cluster_status::FinalSnapshot;
use crate::core::conditions::{Ready, Says, Verdict, apply};
use crate::core::facts::Waiting;
use crate::core::facts::{Circuit, CircuitReason};

const FINAL: &str = "warehouse-final-abcdef12";
const DELETING: &str = "Ready=False/Deleting; Synced=True/Deleting; Reconciling";
const BLOCKED: &str = "Ready=False/DeletionBlocked; Synced=False/DeletionBlocked";
const SNAPSHOTS: &str = "call Snapshot #1; Ready=False/Deleting; Synced=True/Deleting; Reconciling";
const REMOVES: &str =
    "call DeleteSnapshot #1; Ready=False/Deleting; Synced=True/Deleting; Reconciling";

fn policy(policy: Policy) -> Facts {
    Facts::dying().spec(|s| s.deletion_policy = Some(policy))
}

fn sends(keep: i32) -> String {
    format!("call Delete #1 keep {keep}; {DELETING}")
}

fn taken(status: &str, age: i64) -> Facts {
    Facts::dying()
        .snapshots(&[snapshot("final", FINAL, status, age)])
        .status(|s| {
            s.final_snapshot = Some(FinalSnapshot {
                name: FINAL.into(),
                id: Some("final".into()),
                failures: 0,
                ..FinalSnapshot::default()
            });
        })
}

fn unmade(phase: OperationPhase) -> Facts {
    Facts::new()
        .deleted()
        .operation(operation(OperationKind::Create, phase, 30))
        .status(|s| s.account = Some(account()))
        .window(30)
}

/// Of the name, and made long before.
fn theirs() -> Cluster {
    let mut cluster = cluster("AVAILABLE", "", 3);
    cluster.created_at = Some(ago(9999));
    cluster
}

/// A cluster that fits is there, and another resource has a create of the name open.
fn contested(window: i64) -> Facts {
    unmade(OperationPhase::Ambiguous)
        .window(window)
        .list(&[cluster("CREATING", "", 3)])
        .facts(|f| f.making_elsewhere = vec![rival("else", false, 1)])
}

fn lost() -> Facts {
    Facts::dying().status(|s| {
        let says = Says::new("Lost", "");
        apply(
            &mut s.conditions,
            &Verdict::stalled(Ready::No(says.clone()), says),
            1,
            now(),
        );
    })
}

fn sent(phase: OperationPhase, age: i64) -> Facts {
    policy(Policy::Delete).operation(operation(OperationKind::Delete, phase, age))
}

/// The DELETE went out so many seconds ago, after a final snapshot of that age.
fn sent_after(phase: OperationPhase, age: i64, snapshot: i64) -> Facts {
    let facts =
        taken("AVAILABLE", snapshot).operation(operation(OperationKind::Delete, phase, age));
    match phase {
        OperationPhase::Accepted => facts,
        _ => facts.window(age),
    }
}

/// A final snapshot that took from then until then, in a list of then: seconds ago.
fn took(from: i64, until: i64, list: i64) -> Facts {
    let mut long = snapshot("final", FINAL, "AVAILABLE", from);
    long.finished = Some(ago(until).to_string());
    taken("AVAILABLE", 0).snapshots_at(&[long], Some(ago(list)))
}

fn removing(phase: OperationPhase, age: i64) -> Facts {
    taken("UNAVAILABLE", 60)
        .status(|s| {
            s.final_snapshot = Some(FinalSnapshot {
                name: FINAL.into(),
                id: None,
                failures: 1,
                ..FinalSnapshot::default()
            });
        })
        .operation(operation(OperationKind::DeleteSnapshot, phase, age))
}

fn missing() -> Account {
    Account::CredentialsMissing {
        message: "Secret c is not there.".into(),
    }
}

#[rstest]
// Forget.
#[case::without_our_finalizer(Facts::dying().object(|o| o.metadata.finalizers = None), "")]
#[case::nothing_was_made(Facts::new().deleted(), "forget")]
#[case::nothing_was_made_and_no_credentials(Facts::new().deleted().account(missing()), "forget")]
#[case::retain(policy(Policy::Retain), "forget; secret release")]
#[case::retain_without_credentials(policy(Policy::Retain).account(missing()), "forget; secret release")]
#[case::retain_of_a_foreign_secret(policy(Policy::Retain).secret_is(ConnectionSecret::Foreign("x".into())), "forget")]
#[case::retain_while_a_create_is_lost(unmade(OperationPhase::Ambiguous).spec(|s| s.deletion_policy = Some(Policy::Retain)), "forget")]
#[case::adopted(Facts::adopted().deleted(), "forget; secret release")]
#[case::adopted_and_to_be_deleted(Facts::adopted().deleted().spec(|s| s.deletion_policy = Some(Policy::Delete)), &sends(5))]
#[case::observed(Facts::dying().spec(|s| s.management_policy = Some(ManagementPolicy::ObserveOnly)), "forget; secret release")]
#[case::identity_conflict(Facts::dying().facts(|f| f.rivals = vec![rival("data", true, 1)]), "forget; secret release")]
#[case::lost(lost(), "forget")]
// The Secret goes with the cluster, though it was to stay before the policy was changed.
#[case::gone_with_a_kept_secret(sent(OperationPhase::Accepted, 60).detail_fails(Meaning::Absent).unlisted(10).tied(Some(Tie::Kept)), "forget; secret delete")]
#[case::lost_with_a_kept_secret(lost().tied(Some(Tie::Kept)), "forget; secret delete")]
// A password without a cluster came with a backup, and may open one that is there still.
#[case::nothing_was_made_and_a_password(Facts::new().deleted().secret(&[("password", PASSWORD)]), "forget; secret release")]
#[case::nothing_was_made_and_only_tried(Facts::new().deleted().secret(&[("pending-password", PASSWORD)]), "forget")]
#[case::nothing_was_made_under_retain(Facts::new().deleted().spec(|s| s.deletion_policy = Some(Policy::Retain)).secret(&[("pending-password", PASSWORD)]).tied(Some(Tie::Kept)), "forget; secret delete")]
#[case::observed_and_nothing_known(Facts::new().deleted().spec(|s| s.management_policy = Some(ManagementPolicy::ObserveOnly)).secret(&[("password", PASSWORD)]), "forget; secret release")]
// Blocked, and waiting.
#[case::protected(Facts::dying().spec(|s| s.deletion_protection = Some(true)), BLOCKED)]
#[case::protected_and_retained(policy(Policy::Retain).spec(|s| s.deletion_protection = Some(true)), "forget; secret release")]
#[case::paused(Facts::dying().paused(), "Ready=False/Deleting; Synced=False/Paused")]
#[case::paused_and_retained(policy(Policy::Retain).paused(), "Ready=False/Deleting; Synced=False/Paused")]
#[case::paused_and_gone(Facts::dying().paused().detail_fails(Meaning::Absent).unlisted(10), "Ready=False/Deleting; Synced=False/Paused")]
#[case::paused_and_unreadable(Facts::dying().paused().detail_fails(Meaning::Unavailable), "Ready=False/Deleting; Synced=False/Paused")]
#[case::paused_without_credentials(Facts::dying().paused().account(missing()), "Ready=False/Deleting; Synced=False/Paused")]
#[case::no_credentials(Facts::dying().account(missing()), BLOCKED)]
#[case::another_project(Facts::dying().status(|s| s.account = Some(AccountRef::default())), BLOCKED)]
#[case::the_crd_goes(policy(Policy::Delete).crd_deleted(), BLOCKED)]
#[case::the_crd_goes_under_snapshot(Facts::dying().crd_deleted(), BLOCKED)]
#[case::the_crd_goes_and_another_id(policy(Policy::Delete).crd_deleted().annotate(names::CONFIRM_DELETE, "x"), BLOCKED)]
#[case::the_crd_goes_and_confirmed(policy(Policy::Delete).crd_deleted().annotate(names::CONFIRM_DELETE, ID), &sends(5))]
#[case::the_crd_goes_and_retained(policy(Policy::Retain).crd_deleted(), "forget; secret release")]
#[case::creating(Facts::dying().detail(cluster("CREATING", "", 3)), DELETING)]
#[case::a_task_runs(policy(Policy::Delete).detail(cluster("AVAILABLE", "GROWING", 3)), DELETING)]
#[case::a_failed_task(policy(Policy::Delete).detail(cluster("AVAILABLE", "RESIZE_FAILURE", 3)), &sends(5))]
#[case::unavailable_under_snapshot(Facts::dying().detail(cluster("UNAVAILABLE", "", 3)), BLOCKED)]
#[case::frozen_under_snapshot(Facts::dying().detail(cluster("FROZEN", "", 3)), BLOCKED)]
#[case::unavailable_under_delete(policy(Policy::Delete).detail(cluster("UNAVAILABLE", "", 3)), &sends(5))]
#[case::creation_failed(Facts::dying().detail(cluster("CREATION FAILED", "", 3)), &sends(5))]
#[case::deleted_by_others(Facts::dying().detail(cluster("DELETING", "", 3)), DELETING)]
#[case::outcome_unknown(policy(Policy::Delete).operation(operation(OperationKind::Resize, OperationPhase::OutcomeUnknown, 60)), &sends(5))]
#[case::a_lost_resize(policy(Policy::Delete).operation(operation(OperationKind::Resize, OperationPhase::Ambiguous, 60)), &sends(5))]
// A lost create.
#[case::create_lost(unmade(OperationPhase::Ambiguous), DELETING)]
#[case::create_crashed(unmade(OperationPhase::Intended), DELETING)]
#[case::create_lost_and_there(unmade(OperationPhase::Ambiguous).list(&[cluster("CREATING", "", 3)]), DELETING)]
#[case::create_lost_and_over(unmade(OperationPhase::Ambiguous).window(600), "forget")]
#[case::create_lost_and_theirs(unmade(OperationPhase::Ambiguous).list(&[theirs()]), DELETING)]
#[case::create_lost_and_theirs_and_over(unmade(OperationPhase::Ambiguous).window(600).list(&[theirs()]), "forget")]
#[case::create_lost_and_another_asked(contested(30), DELETING)]
#[case::create_lost_and_another_asked_and_over(contested(600), "forget")]
#[case::create_lost_and_no_list(unmade(OperationPhase::Ambiguous).window(600).list_fails(Meaning::Unavailable), "Ready=False/Deleting; Synced=False/ServiceUnavailable")]
// The final snapshot.
#[case::snapshot_first(Facts::dying(), SNAPSHOTS)]
#[case::by_name_of_another_cluster(Facts::dying().snapshots(&[{ let mut s = snapshot("x", FINAL, "AVAILABLE", 5); s.cluster_id = Some("y".into()); s }]), BLOCKED)]
#[case::snapshot_runs(taken("CREATING", 60).detail(cluster("AVAILABLE", "SNAPSHOTTING", 3)).operation(operation(OperationKind::Snapshot, OperationPhase::Accepted, 60)), DELETING)]
#[case::snapshot_done(taken("AVAILABLE", 60), &sends(6))]
#[case::snapshot_old(taken("AVAILABLE", 3601), REMOVES)]
#[case::snapshot_that_took_hours(took(9000, 3600, 0), &sends(6))]
#[case::snapshot_that_took_hours_and_is_old(took(9000, 3601, 0), REMOVES)]
#[case::snapshot_new_by_the_clock_of_the_service(took(9000, 8000, 7000), &sends(6))]
#[case::snapshot_old_by_the_clock_of_the_service(took(3000, 2000, -1601), REMOVES)]
#[case::snapshot_failed(taken("UNAVAILABLE", 60), REMOVES)]
#[case::snapshot_failed_twice(taken("UNAVAILABLE", 60).status(|s| s.final_snapshot.as_mut().unwrap().failures = 1), BLOCKED)]
#[case::snapshot_being_removed(removing(OperationPhase::Accepted, 5), DELETING)]
#[case::removal_lost(removing(OperationPhase::Ambiguous, 10), &REMOVES.replace("#1", "#2"))]
#[case::removed_and_taken_once_more(removing(OperationPhase::Accepted, 5).snapshots(&[]), SNAPSHOTS)]
#[case::snapshot_lost(Facts::dying().operation(operation(OperationKind::Snapshot, OperationPhase::Ambiguous, 60)).window(60), DELETING)]
#[case::snapshot_lost_and_over(Facts::dying().operation(operation(OperationKind::Snapshot, OperationPhase::Ambiguous, 600)).window(600), &SNAPSHOTS.replace("#1", "#2"))]
#[case::snapshot_accepted_and_not_listed(Facts::dying().operation(operation(OperationKind::Snapshot, OperationPhase::Accepted, 599)), DELETING)]
#[case::snapshot_accepted_and_forgotten(Facts::dying().operation(operation(OperationKind::Snapshot, OperationPhase::Accepted, 600)), &SNAPSHOTS.replace("#1", "#2"))]
#[case::snapshot_refused(Facts::dying().status(|s| record(s, last_failure(OperationKind::Snapshot, "SnapshotFailed", 599))), BLOCKED)]
#[case::snapshot_refused_ten_minutes_ago(Facts::dying().status(|s| record(s, last_failure(OperationKind::Snapshot, "SnapshotFailed", 600))), SNAPSHOTS)]
#[case::snapshot_refused_as_busy(Facts::dying().status(|s| record(s, last_failure(OperationKind::Snapshot, "Busy", 5))), DELETING)]
// DELETE and after.
#[case::delete(policy(Policy::Delete), &sends(5))]
#[case::accepted(sent(OperationPhase::Accepted, 60), DELETING)]
#[case::accepted_and_failed(sent(OperationPhase::Accepted, 600).detail(cluster("DELETE_FAILED", "", 3)), &sends(5).replace("#1", "#2"))]
#[case::accepted_and_forgotten(sent(OperationPhase::Accepted, 3600), &sends(5).replace("#1", "#2"))]
#[case::accepted_and_forgotten_and_the_snapshot_is_old(
    sent_after(OperationPhase::Accepted, 3600, 3700),
    REMOVES
)]
#[case::accepted_and_forgotten_and_a_snapshot_is_wanted_now(Facts::dying().operation(operation(OperationKind::Delete, OperationPhase::Accepted, 3600)), SNAPSHOTS)]
#[case::accepted_and_failed_after_its_snapshot(sent_after(OperationPhase::Accepted, 600, 7200).detail(cluster("DELETE_FAILED", "", 3)), &sends(6).replace("#1", "#2"))]
#[case::accepted_and_failed_and_no_snapshot(Facts::dying().operation(operation(OperationKind::Delete, OperationPhase::Accepted, 600)).detail(cluster("DELETE_FAILED", "", 3)), BLOCKED)]
#[case::accepted_and_failed_and_a_failed_snapshot(taken("UNAVAILABLE", 7200).operation(operation(OperationKind::Delete, OperationPhase::Accepted, 600)).detail(cluster("DELETE_FAILED", "", 3)), BLOCKED)]
#[case::accepted_and_forgotten_and_the_crd_goes(sent(OperationPhase::Accepted, 3600).crd_deleted(), BLOCKED)]
#[case::lost_and_the_snapshot_is_still_new(sent_after(OperationPhase::Ambiguous, 10, 3600), &sends(6).replace("#1", "#2"))]
#[case::lost_and_the_snapshot_turned_old(sent_after(OperationPhase::Ambiguous, 10, 3601), DELETING)]
#[case::crashed_and_the_snapshot_turned_old(
    sent_after(OperationPhase::Intended, 599, 3601),
    DELETING
)]
#[case::lost_and_the_snapshot_turned_old_and_over(
    sent_after(OperationPhase::Ambiguous, 600, 4200),
    REMOVES
)]
#[case::answer_lost(sent(OperationPhase::Ambiguous, 9), DELETING)]
#[case::answer_lost_an_interval_ago(sent(OperationPhase::Ambiguous, 10), &sends(5).replace("#1", "#2"))]
#[case::refused(policy(Policy::Delete).status(|s| record(s, last_failure(OperationKind::Delete, "DeletionBlocked", 5))), BLOCKED)]
#[case::refused_ten_minutes_ago(policy(Policy::Delete).status(|s| record(s, last_failure(OperationKind::Delete, "DeletionBlocked", 600))), &sends(0))]
#[case::refused_once(policy(Policy::Delete).status(|s| record(s, last_failure(OperationKind::Delete, "DeletionRefused", 1))), &sends(0))]
#[case::gone(sent(OperationPhase::Accepted, 60).detail_fails(Meaning::Absent).unlisted(10), "forget")]
#[case::gone_and_not_confirmed(sent(OperationPhase::Accepted, 60).detail_fails(Meaning::Absent).unlisted(9), DELETING)]
#[case::gone_or_forbidden_after_delete(sent(OperationPhase::Accepted, 60).detail_fails(Meaning::AbsentOrForbidden).unlisted(10), "forget")]
#[case::gone_or_forbidden(policy(Policy::Delete).detail_fails(Meaning::AbsentOrForbidden).unlisted(10), BLOCKED)]
#[case::forbidden(sent(OperationPhase::Accepted, 60).detail_fails(Meaning::Forbidden).unlisted(99), "Ready=False/Deleting; Synced=False/Forbidden")]
#[case::unauthenticated(sent(OperationPhase::Accepted, 60).detail_fails(Meaning::Unauthenticated).unlisted(99), "Ready=False/Deleting; Synced=False/CredentialsInvalid")]
#[case::throttled(sent(OperationPhase::Accepted, 60).detail_fails(Meaning::Throttled).unlisted(99), "Ready=False/Deleting; Synced=False/Throttled")]
#[case::service_down(sent(OperationPhase::Accepted, 60).detail_fails(Meaning::Unavailable).unlisted(99), "Ready=False/Deleting; Synced=False/ServiceUnavailable")]
fn a_deletion(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan(), expected);
}

#[rstest]
#[case::paused(Facts::dying().paused())]
#[case::protected(Facts::dying().spec(|s| s.deletion_protection = Some(true)))]
fn a_deletion_that_is_held_up_goes_on_observing(#[case] facts: Facts) {
    let facts = facts.detail(cluster("AVAILABLE", "GROWING", 6));
    let status = facts.decide().0.status;
    assert_eq!(status.task_status.as_deref(), Some("GROWING"));
    assert_eq!(status.node_count, Some(6));
}

#[rstest]
#[case::paused(unmade(OperationPhase::Ambiguous).paused())]
#[case::protected(unmade(OperationPhase::Ambiguous).spec(|s| s.deletion_protection = Some(true)))]
fn a_deletion_that_is_held_up_claims_what_a_lost_create_made(#[case] facts: Facts) {
    let status = facts.list(&[cluster("CREATING", "", 3)]).decide().0.status;
    assert_eq!(status.cluster_id.as_deref(), Some(ID));
}

#[test]
fn a_finalizer_that_was_taken_away_is_put_back() {
    let stripped = |facts: Facts| {
        let facts = facts.object(|o| o.metadata.finalizers = None);
        facts.decide().0.add_finalizer
    };
    assert!(stripped(Facts::live()));
    assert!(stripped(Facts::live().paused()));
    assert!(stripped(Facts::live().account(missing())));
    let asked = operation(OperationKind::Create, OperationPhase::Ambiguous, 30);
    assert!(stripped(Facts::new().operation(asked)));
    // Nothing to hold, and what the API server forbids during a deletion.
    assert!(!stripped(
        Facts::new()
            .spec(|s| s.cluster_id = Some(ID.into()))
            .detail_fails(Meaning::Absent)
    ));
    assert!(!stripped(Facts::dying()));
}

#[rstest]
#[case::running(Facts::dying(), "keeps running")]
#[case::being_deleted(Facts::dying().operation(operation(OperationKind::Delete, OperationPhase::Accepted, 60)), "DELETE")]
#[case::perhaps_being_deleted(Facts::dying().operation(operation(OperationKind::Delete, OperationPhase::Ambiguous, 60)), "DELETE")]
fn what_is_kept_is_told_as_it_is(#[case] facts: Facts, #[case] words: &str) {
    let facts = facts.spec(|s| s.deletion_policy = Some(Policy::Retain));
    let note = facts.decide().0.events[0].note.clone();
    assert!(note.contains(words) && note.contains(ID), "{note}");
}

/// A restored backup: the finalizer is there, and nothing in the status.
#[rstest]
#[case::free(Facts::new().deleted(), "forget")]
#[case::of_the_name(Facts::new().deleted().list(&[cluster("AVAILABLE", "", 3)]), "forget")]
#[case::the_list_fails(Facts::new().deleted().list_fails(Meaning::Unavailable), "Ready=False/Deleting; Synced=False/ServiceUnavailable")]
#[case::the_account_is_not_read_yet(Facts::new().deleted().account(Account::Pending), "Ready=False/Deleting; Synced=False/Waiting")]
#[case::nobody_can_look(Facts::new().deleted().account(missing()), "forget")]
#[case::refused_before(Facts::new().deleted().status(|s| s.account = Some(account())).list_fails(Meaning::Unavailable), "forget")]
fn a_status_that_was_lost(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan(), expected);
}

#[test]
fn a_cluster_that_a_lost_status_may_have_held_is_told_by_its_id() {
    let facts = Facts::new().deleted().list(&[cluster("AVAILABLE", "", 3)]);
    let note = &facts.clone().decide().0.events[0];
    assert!(note.warning && note.note.contains(ID), "{}", note.note);
    assert_eq!(facts.events(), "Retained");
}

#[test]
fn a_namesake_that_is_left_alone_is_told_by_its_id() {
    let (decision, _) = unmade(OperationPhase::Ambiguous)
        .window(600)
        .list(&[theirs()])
        .decide();
    let note = &decision.events[0].note;
    assert!(decision.remove_finalizer && note.contains(ID), "{note}");
}

#[test]
fn a_final_snapshot_that_failed_twice_and_was_deleted_is_taken_anew() {
    let failed_twice = taken("UNAVAILABLE", 60)
        .operation(operation(
            OperationKind::Snapshot,
            OperationPhase::Accepted,
            700,
        ))
        .status(|s| s.final_snapshot.as_mut().unwrap().failures = 1);
    assert_eq!(failed_twice.clone().plan(), BLOCKED);
    let deleted = failed_twice.snapshots(&[]);
    assert_eq!(deleted.plan(), SNAPSHOTS.replace("#1", "#2"));
}

fn stands_for(id: &str) -> Waiting {
    Waiting {
        name: "s".into(),
        uid: "s".into(),
        created: None,
        snapshot_id: Some(id.into()),
        waits: false,
        overdue: false,
    }
}

#[rstest]
#[case::none_written(None, &[], 8)]
#[case::none_to_be_kept(Some(0), &[], 0)]
#[case::a_wish(Some(2), &[], 2)]
#[case::never_less_than_what_a_snapshot_stands_for(Some(0), &["old"], 3)]
#[case::the_newest(Some(0), &["new"], 1)]
#[case::more_than_there_are(Some(9), &[], 9)]
fn snapshots_to_keep(#[case] wish: Option<i32>, #[case] held: &[&str], #[case] keep: i32) {
    let mut nightly = snapshot("auto", "nightly", "AVAILABLE", 1);
    nightly.type_ = Some("AUTOMATED".into());
    let mut other = snapshot("other", "of-another", "AVAILABLE", 1);
    other.cluster_id = Some("x".into());
    let facts = policy(Policy::Delete)
        .spec(|s| s.keep_last_manual_snapshots = wish)
        .snapshots(&[
            snapshot("old", "a", "AVAILABLE", 300),
            snapshot("new", "b", "CREATING", 100),
            snapshot("mid", "c", "UNAVAILABLE", 200),
            nightly,
            other,
        ])
        .facts(|f| f.snapshots_of_cluster = held.iter().map(|id| stands_for(id)).collect());
    assert_eq!(facts.plan(), sends(keep));
}

/// The credentials are refused.
fn circuit() -> Circuit {
    Circuit {
        reason: CircuitReason::CredentialsInvalid,
        message: "The credentials in Secret c are refused.".into(),
        ..super::begin::circuit(CircuitReason::CredentialsInvalid, 1)
    }
}

#[test]
fn a_blocked_deletion_names_the_ways_out() {
    for facts in [
        Facts::dying().detail(cluster("UNAVAILABLE", "", 3)),
        taken("UNAVAILABLE", 60).status(|s| s.final_snapshot.as_mut().unwrap().failures = 1),
        Facts::dying().account(missing()),
        Facts::dying().crd_deleted(),
        Facts::dying().known(|k| k.circuit = Some(circuit())),
        Facts::dying().account(Account::Unreachable(circuit())),
    ] {
        let message = facts.message("Ready");
        assert!(message.contains("Retain"), "{message}");
    }
}

#[test]
fn the_name_of_the_final_snapshot_fits_the_longest_name() {
    let facts = Facts::dying().spec(|s| s.cluster_name = Some("n".repeat(64)));
    let (decision, _) = facts.decide();
    let name = decision.status.final_snapshot.unwrap().name;
    assert_eq!(name, format!("{}-final-abcdef12", "n".repeat(49)));
    assert_eq!(name.len(), 64);
}
