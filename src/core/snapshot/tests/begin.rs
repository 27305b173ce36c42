//! Starting a snapshot: the cluster that it needs, its turn, its name, and what holds it back.

use rstest::rstest;

use super::*;
use crate::api::cluster_status::SecretVersion;
use crate::core::conditions::{Ready, Says, Verdict, apply};
use OperationPhase::{Accepted, OutcomeUnknown};

fn starts() -> String {
    format!("call Snapshot #1; {}", working("Snapshotting"))
}

#[rstest]
#[case::at_rest(Facts::new(), starts())]
#[case::by_cluster_id(Facts::new().by_cluster_id(), starts())]
#[case::by_cluster_id_not_allowed(Facts::new().by_cluster_id().known(|one| one.adoption_allowed = false), stalled("InvalidSpec"))]
#[case::reference_needs_no_adoption(Facts::new().known(|one| one.adoption_allowed = false), starts())]
#[case::no_such_resource(Facts::new().facts(|facts| facts.cluster = Some(ClusterRefFact::Absent)), waiting("WaitingForReference"))]
#[case::no_cluster_yet(Facts::new().owner(|owner| owner.status = None), waiting("WaitingForCluster"))]
#[case::cluster_in_deletion(Facts::new().owner_deleted(), waiting("WaitingForCluster"))]
#[case::cluster_gone(Facts::new().cluster_fails(Meaning::Absent), waiting("WaitingForCluster"))]
#[case::cluster_unreadable(Facts::new().cluster_fails(Meaning::Unavailable), out_of_sync("ServiceUnavailable"))]
#[case::list_unreadable(Facts::new().list_fails(Meaning::Throttled), out_of_sync("Throttled"))]
#[case::namespace_ends(Facts::new().facts(|facts| facts.namespace_terminating = true), waiting("NamespaceTerminating"))]
#[case::paused(Facts::new().paused(), out_of_sync("Paused"))]
fn a_snapshot_starts_when_its_cluster_is_there(#[case] facts: Facts, #[case] expected: String) {
    assert_eq!(facts.plan(), expected);
}

#[rstest]
#[case("CREATING", "", false)]
#[case("UNAVAILABLE", "", false)]
#[case("FROZEN", "", false)]
#[case("DELETING", "", false)]
#[case("SOMETHING NEW", "", false)]
#[case("AVAILABLE", "GROWING", false)]
#[case("AVAILABLE", "REBOOTING", false)]
#[case("AVAILABLE", "SNAPSHOTTING", false)]
#[case("AVAILABLE", "RESIZE_FAILURE", true)]
#[case("AVAILABLE", "DISK_EXPAND_FAILED", true)]
#[case("AVAILABLE", "WAITING_REDISTRIBUTION", true)]
#[case("AVAILABLE", "REDISTRIBUTION_PAUSED", true)]
#[case("ACTIVE", "", true)]
fn a_cluster_at_work_is_waited_for(#[case] status: &str, #[case] task: &str, #[case] goes: bool) {
    let facts = Facts::new().cluster(cluster(status, task));
    let expected = if goes {
        starts()
    } else {
        waiting("WaitingForCluster")
    };
    assert_eq!(facts.clone().plan(), expected);
    let since = facts.decide().0.status.waiting_since;
    assert_eq!(since.is_some(), !goes);
}

#[test]
fn the_wait_is_counted_from_its_beginning() {
    let facts = Facts::new()
        .cluster(cluster("AVAILABLE", "GROWING"))
        .status(|status| status.waiting_since = Some(ago(90)));
    assert_eq!(facts.decide().0.status.waiting_since, Some(ago(90)));
}

/// This one is a hundred seconds old and named `backup`.
#[rstest]
#[case::older_first(in_queue("zebra", 101), false)]
#[case::younger_later(in_queue("alpha", 99), true)]
#[case::same_age_by_name(in_queue("alpha", 100), false)]
#[case::same_age_later_name(in_queue("zebra", 100), true)]
#[case::older_that_cannot_start(Waiting { waits: false, ..in_queue("zebra", 101) }, true)]
#[case::itself(in_queue("backup", 101), true)]
fn turns_go_by_age_then_name(#[case] other: Waiting, #[case] goes: bool) {
    let facts = Facts::new().facts(|facts| facts.queue = vec![other]);
    let expected = if goes {
        starts()
    } else {
        waiting("WaitingForCluster")
    };
    assert_eq!(facts.plan(), expected);
}

fn resize(phase: OperationPhase) -> impl FnOnce(&mut DwsCluster) {
    move |owner| {
        owner.status.get_or_insert_default().operation =
            Some(operation(OperationKind::Resize, phase, 5));
    }
}

fn behind(owner: &mut DwsCluster) {
    owner.metadata.generation = Some(2);
}

/// The cluster's own work waits for something, and says so.
fn reconciling(reason: &'static str) -> impl FnOnce(&mut DwsCluster) {
    move |owner| {
        let says = Says::new(reason, "m");
        let verdict = Verdict::waiting(Ready::Yes(says.clone()), says);
        let status = owner.status.get_or_insert_default();
        apply(&mut status.conditions, &verdict, 1, now());
    }
}

/// A younger one has waited for a whole operation, and this one was refused before that.
fn a_younger_one_is_overdue(facts: &mut SnapshotFacts) {
    let younger = Waiting {
        overdue: true,
        ..in_queue("younger", 50)
    };
    facts.queue = vec![in_queue("backup", 100), younger];
}

fn overdue(facts: &mut SnapshotFacts) {
    facts.queue = vec![Waiting {
        overdue: true,
        ..in_queue("backup", 100)
    }];
}

#[rstest]
#[case::operation_of_the_cluster(Facts::new().owner(resize(Accepted)), false)]
#[case::operation_even_when_overdue(Facts::new().owner(resize(Accepted)).facts(overdue), false)]
#[case::operation_that_was_given_up(Facts::new().owner(resize(OutcomeUnknown)), true)]
#[case::manifest_not_looked_at(Facts::new().owner(behind), false)]
#[case::manifest_not_looked_at_but_overdue(Facts::new().owner(behind).facts(overdue), true)]
#[case::a_younger_one_overdue(Facts::new().owner(reconciling("Busy")).facts(a_younger_one_is_overdue), true)]
#[case::work_that_is_held_up(Facts::new().owner(reconciling("Busy")), false)]
#[case::a_missing_password(Facts::new().owner(reconciling("WaitingForReference")), true)]
#[case::missing_credentials(Facts::new().owner(reconciling("CredentialsMissing")), true)]
#[case::no_quota(Facts::new().owner(reconciling("QuotaExceeded")), true)]
#[case::sold_out(Facts::new().owner(reconciling("SoldOut")), true)]
#[case::by_id_and_an_operation(Facts::new().held_by(resize(Accepted)), false)]
#[case::by_id_and_at_rest(Facts::new().held_by(|_| {}), true)]
#[case::by_id_and_in_deletion(Facts::new().held_by(|one| one.metadata.deletion_timestamp = Some(Time(now()))), false)]
fn work_of_the_cluster_itself_goes_first(#[case] facts: Facts, #[case] goes: bool) {
    let expected = if goes {
        starts()
    } else {
        waiting("WaitingForCluster")
    };
    assert_eq!(facts.plan(), expected);
}

#[rstest]
#[case("backup", true)]
#[case("BackUp", true)]
#[case("backup-2", false)]
fn a_taken_name_is_told_without_regard_to_case(#[case] there: &str, #[case] taken: bool) {
    let facts = Facts::new().list(&[snapshot(OTHER, there, "AVAILABLE", 9000)]);
    let expected = if taken {
        stalled("NameConflict")
    } else {
        starts()
    };
    assert_eq!(facts.clone().plan(), expected);
    let message = facts.message("Stalled");
    assert_eq!(message.contains(OTHER), taken, "{message}");
}

#[test]
fn a_written_name_goes_before_the_resources() {
    let facts = Facts::new().spec(|spec| {
        spec.snapshot_name = Some("Weekly".into());
        spec.description = Some("before the move".into());
    });
    let intent = facts.decide().0.call.unwrap();
    assert_eq!(intent.operation().target.name.as_deref(), Some("Weekly"));
    assert!(
        matches!(intent.call(), Call::CreateSnapshot { name, cluster_id, description }
        if name == "Weekly" && cluster_id == CLUSTER && description.as_deref() == Some("before the move"))
    );
}

#[test]
fn the_intent_comes_with_finalizer_account_and_baseline() {
    let decision = Facts::new().decide().0;
    assert!(decision.add_finalizer);
    assert_eq!(decision.status.account, Some(account()));
    assert_eq!(decision.status.credentials_secret_name.as_deref(), Some(""));
    let open = decision.status.operation.unwrap();
    assert_eq!(open.phase, OperationPhase::Intended);
    assert_eq!(open.baseline.service_time, Some(now()));
}

#[test]
fn list_then_cluster_are_read_before_a_call() {
    let reads = Facts::new().decide().1;
    assert_eq!(reads, [Read::Snapshots, Read::Cluster(CLUSTER.into())]);
}

fn refused(reason: &str, age: i64) -> Facts {
    Facts::new().failed(OperationKind::Snapshot, reason, age)
}

#[allow(clippy::unnecessary_wraps)] // as the facts hold it
fn credentials(version: &str) -> Option<SecretVersion> {
    Some(SecretVersion {
        uid: "credentials".into(),
        resource_version: version.into(),
    })
}

/// The clock of whoever asks may be ahead of ours.
#[rstest]
#[case::two_seconds(-2, Some(2))]
#[case::ten_minutes(-600, Some(600))]
#[case::too_far(-601, None)]
#[case::before_the_failure(51, None)]
fn a_request_from_a_little_ahead_is_waited_for(#[case] age: i64, #[case] wake: Option<i64>) {
    let facts = refused("InvalidSpec", 50);
    let facts = facts.annotate(names::RECONCILE_REQUESTED_AT, ago(age).to_string());
    let decision = facts.decide().0;
    assert_eq!(decision.wake.map(|one| one.as_secs()), wake);
    assert!(decision.call.is_none());
}

#[test]
fn the_intent_keeps_the_credentials_that_it_is_sent_with() {
    let facts = Facts::new().facts(|one| one.credentials = credentials("7"));
    let open = facts.decide().0.status.operation.unwrap();
    assert_eq!(open.target.credentials, credentials("7"));
}

#[rstest]
#[case::quota(refused("QuotaExceeded", 599), waiting("QuotaExceeded"))]
#[case::quota_again(refused("QuotaExceeded", 600), starts())]
#[case::the_service_fails(refused("ServiceUnavailable", 599), out_of_sync("ServiceUnavailable"))]
#[case::the_service_failed(refused("ServiceUnavailable", 600), starts())]
#[case::forbidden_to_another_user(refused("Forbidden", 5).status(|one| one.last_failure.as_mut().unwrap().credentials = credentials("1")).facts(|one| one.credentials = credentials("2")), starts())]
#[case::forbidden_to_the_same_user(refused("Forbidden", 5).status(|one| one.last_failure.as_mut().unwrap().credentials = credentials("1")).facts(|one| one.credentials = credentials("1")), stalled("Forbidden"))]
#[case::busy(refused("Busy", 9), waiting("Busy"))]
#[case::busy_again(refused("Busy", 10), starts())]
#[case::invalid(refused("InvalidSpec", 90_000), stalled("InvalidSpec"))]
#[case::forbidden(refused("Forbidden", 90_000), stalled("Forbidden"))]
#[case::name(refused("NameConflict", 90_000), stalled("NameConflict"))]
#[case::corrected(refused("InvalidSpec", 5).object(|one| one.metadata.generation = Some(2)), starts())]
#[case::asked_again(refused("InvalidSpec", 50).annotate(names::RECONCILE_REQUESTED_AT, ago(5).to_string()), starts())]
#[case::asked_before(refused("InvalidSpec", 50).annotate(names::RECONCILE_REQUESTED_AT, ago(51).to_string()), stalled("InvalidSpec"))]
#[case::asked_in_a_zone_in_brackets(refused("InvalidSpec", 50).annotate(names::RECONCILE_REQUESTED_AT, format!("{}+00:00[UTC]", ago(5).to_string().trim_end_matches('Z'))), stalled("InvalidSpec"))]
#[case::asked_in_the_future(refused("InvalidSpec", 50).annotate(names::RECONCILE_REQUESTED_AT, ago(-60).to_string()), stalled("InvalidSpec"))]
fn a_refused_snapshot_is_repeated_for_a_reason_only(
    #[case] facts: Facts,
    #[case] expected: String,
) {
    assert_eq!(facts.plan(), expected);
}

#[rstest]
#[case::missing(Facts::new().credentials_missing(), waiting("CredentialsMissing"))]
#[case::invalid(Facts::new().account(Account::Invalid { message: "No.".into() }), stalled("InvalidSpec"))]
#[case::unreachable(Facts::new().account(Account::Unreachable(circuit(1))), out_of_sync("Throttled"))]
#[case::circuit(Facts::new().known(|one| one.circuit = Some(circuit(1))), out_of_sync("Throttled"))]
#[case::first_poll(Facts::new().account(Account::Pending), String::new())]
#[case::other_project(Facts::taken().known(|one| one.account.project_id = "other".into()), stalled("AccountMismatch"))]
#[case::idle_through_a_short_outage(Facts::taken().known(|one| one.circuit = Some(circuit(2))), String::new())]
#[case::idle_through_a_long_outage(Facts::taken().known(|one| one.circuit = Some(circuit(3))), out_of_sync("Throttled"))]
fn an_account_that_does_not_work_makes_no_call(#[case] facts: Facts, #[case] expected: String) {
    assert_eq!(facts.plan(), expected);
}
