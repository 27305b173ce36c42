//! Create and restore, and everything that comes before the call.

use rstest::rstest;

use super::*;
use crate::api::cluster::{AdoptionPolicy, ManagementPolicy};
use crate::api::cluster_status::SecretVersion;
use crate::api::{DwsSnapshot, DwsSnapshotStatus};
use crate::core::conditions::{Ready, Says, Verdict, apply};
use crate::core::connection::Passwords;
use crate::core::facts::{Circuit, CircuitReason};

const CREATE: &str =
    "call Create #1; Ready=False/Creating; Synced=True/Creating; Reconciling; secret put";
const RESTORE: &str = "call Restore #1; Ready=False/Restoring; Synced=True/Restoring; Reconciling";

fn backup(ready: bool, change: impl FnOnce(&mut DwsSnapshot)) -> SnapshotRefFact {
    let mut status = DwsSnapshotStatus {
        snapshot_id: Some("snap".into()),
        account: Some(account()),
        ..DwsSnapshotStatus::default()
    };
    let says = Says::new("Available", "");
    let verdict = Verdict {
        ready: if ready {
            Ready::Yes(says.clone())
        } else {
            Ready::No(says.clone())
        },
        synced: Ok(says),
        reconciling: None,
        stalled: None,
    };
    apply(&mut status.conditions, &verdict, 1, now());
    let mut object = DwsSnapshot::new("backup", crate::api::DwsSnapshotSpec::default());
    object.status = Some(status);
    change(&mut object);
    SnapshotRefFact::Present(Arc::new(object))
}

#[rstest]
#[case::coming(false, "is not Ready yet")]
#[case::failed(true, "cannot be restored from")]
fn what_hinders_a_restore_is_told(#[case] stalled: bool, #[case] expected: &str) {
    let snapshot = backup(false, |object| {
        let says = Says::new("SnapshotFailed", "");
        let verdict = Verdict::stalled(Ready::No(says.clone()), says);
        if let Some(status) = object.status.as_mut().filter(|_| stalled) {
            apply(&mut status.conditions, &verdict, 1, now());
        }
    });
    let message = Facts::new().restores(snapshot).message("Synced");
    assert!(message.contains(expected), "{message}");
}

pub(super) fn circuit(reason: CircuitReason, failed_polls: u32) -> Circuit {
    Circuit {
        reason,
        message: "words".into(),
        until: now(),
        failed_polls,
    }
}

fn failed(reason: &str, age: i64) -> Facts {
    Facts::new().status(|s| record(s, last_failure(OperationKind::Create, reason, age)))
}

#[allow(clippy::unnecessary_wraps)] // as the status holds it
fn refused_secret(version: &str) -> Option<SecretVersion> {
    Some(SecretVersion {
        uid: "secret".into(),
        resource_version: version.into(),
    })
}

/// The credentials Secret at this version.
#[allow(clippy::unnecessary_wraps)] // as the facts hold it
fn credentials(version: &str) -> Option<SecretVersion> {
    Some(SecretVersion {
        uid: "credentials".into(),
        resource_version: version.into(),
    })
}

/// The refusal met version 1 of the credentials Secret; it is at this one now.
fn with_credentials(facts: Facts, version: &str) -> Facts {
    facts
        .status(|s| s.failures[0].credentials = credentials("1"))
        .facts(|f| f.credentials = credentials(version))
}

#[rstest]
#[case::create(Facts::new(), CREATE)]
#[case::create_with_a_referenced_password(Facts::new().password("Chosen-Pw-1"), CREATE)]
#[case::another_is_making_one_of_the_name(Facts::new().facts(|f| f.making_elsewhere = vec![rival("else", false, 1)]),
    "Ready=False/WaitingForCluster; Synced=False/WaitingForCluster; Reconciling")]
#[case::the_reference_is_not_there(Facts::new().password_is(PasswordSecret::NoSecret),
    "Ready=False/WaitingForReference; Synced=False/WaitingForReference; Reconciling")]
#[case::the_key_is_not_there(Facts::new().password_is(PasswordSecret::NoKey),
    "Ready=False/WaitingForReference; Synced=False/WaitingForReference; Reconciling")]
#[case::the_password_breaks_a_rule(Facts::new().password("short"),
    "Ready=False/NotCreated; Synced=False/PasswordRejected")]
#[case::the_password_is_the_user(Facts::new().spec(|s| s.admin_user = Some("abc_defg1".into())).password("abc_defg1"),
    "Ready=False/NotCreated; Synced=False/PasswordRejected")]
#[case::the_name_is_taken(Facts::new().list(&[cluster("AVAILABLE", "", 3)]),
    "Ready=False/NameConflict; Synced=False/NameConflict; Stalled")]
#[case::another_name_is_free(Facts::new().spec(|s| s.cluster_name = Some("other-name".into())).list(&[cluster("AVAILABLE", "", 3)]), CREATE)]
#[case::the_list_is_not_there(Facts::new().list_fails(Meaning::Unavailable),
    "Ready=False/ServiceUnavailable; Synced=False/ServiceUnavailable")]
#[case::the_list_is_throttled(Facts::new().list_fails(Meaning::Throttled), "Ready=False/Throttled; Synced=False/Throttled")]
#[case::a_foreign_connection_secret(Facts::new().secret_is(ConnectionSecret::Foreign("no owner".into())),
    "Ready=False/SecretConflict; Synced=False/SecretConflict; Stalled")]
#[case::a_foreign_secret_and_a_taken_name(Facts::new().list(&[cluster("AVAILABLE", "", 3)]).secret_is(ConnectionSecret::Foreign("x".into())),
    "Ready=False/NameConflict; Synced=False/NameConflict; Stalled")]
#[case::paused(Facts::new().paused(), "Ready=False/Paused; Synced=False/Paused")]
#[case::observe_only_without_a_cluster(Facts::new().spec(|s| s.management_policy = Some(ManagementPolicy::ObserveOnly)),
    "Ready=False/WaitingForCluster; Synced=False/WaitingForCluster; Reconciling")]
#[case::the_namespace_goes(Facts::new().facts(|f| f.namespace_terminating = true),
    "Ready=False/NamespaceTerminating; Synced=False/NamespaceTerminating; Reconciling")]
#[case::if_exists_and_free(Facts::new().spec(|s| s.adoption_policy = Some(AdoptionPolicy::IfExists)), CREATE)]
#[case::if_exists_is_not_allowed(Facts::new().spec(|s| s.adoption_policy = Some(AdoptionPolicy::IfExists)).known(|k| k.adoption_allowed = false),
    "Ready=False/InvalidSpec; Synced=False/InvalidSpec; Stalled")]
// The account.
#[case::credentials_missing(Facts::new().account(Account::CredentialsMissing { message: "Secret c is not there.".into() }),
    "Ready=False/CredentialsMissing; Synced=False/CredentialsMissing; Reconciling")]
#[case::credentials_contradictory(Facts::new().account(Account::Invalid { message: "m".into() }),
    "Ready=False/InvalidSpec; Synced=False/InvalidSpec; Stalled")]
#[case::iam_unreachable(Facts::new().account(Account::Unreachable(circuit(CircuitReason::ServiceUnavailable, 1))),
    "Ready=False/ServiceUnavailable; Synced=False/ServiceUnavailable")]
#[case::circuit_open(Facts::new().known(|k| k.circuit = Some(circuit(CircuitReason::CredentialsInvalid, 1))),
    "Ready=False/CredentialsInvalid; Synced=False/CredentialsInvalid")]
#[case::first_poll_pending(Facts::new().account(Account::Pending), "Ready=False/Waiting; Synced=False/Waiting; Reconciling")]
#[case::first_poll_pending_as_the_schema_fills_the_status(Facts::new().status(|s| s.observed_generation = Some(names::UNOBSERVED)).account(Account::Pending), "Ready=False/Waiting; Synced=False/Waiting; Reconciling")]
#[case::another_project(Facts::new().status(|s| s.account = Some(AccountRef { region: "r".into(), project_id: "p".into() })),
    "Ready=False/AccountMismatch; Synced=False/AccountMismatch; Stalled")]
// Restore.
#[case::restore(Facts::new().restores(backup(true, |_| {})), RESTORE)]
#[case::restore_source_absent(Facts::new().restores(SnapshotRefFact::Absent),
    "Ready=False/WaitingForReference; Synced=False/WaitingForReference; Reconciling")]
#[case::restore_source_not_ready(Facts::new().restores(backup(false, |_| {})),
    "Ready=False/WaitingForReference; Synced=False/WaitingForReference; Reconciling")]
#[case::restore_source_being_deleted(Facts::new().restores(backup(true, |o| o.metadata.deletion_timestamp = Some(Time(now())))),
    "Ready=False/WaitingForReference; Synced=False/WaitingForReference; Reconciling")]
#[case::restore_source_of_another_project(Facts::new().restores(backup(true, |o| o.status.as_mut().unwrap().account = Some(AccountRef::default()))),
    "Ready=False/InvalidSpec; Synced=False/InvalidSpec; Stalled")]
#[case::restore_by_id(Facts::new().spec(|s| s.restore_from = Some(RestoreFrom { snapshot_ref: None, snapshot_id: Some("snap".into()) })), RESTORE)]
#[case::restore_by_id_is_not_allowed(Facts::new().spec(|s| s.restore_from = Some(RestoreFrom { snapshot_ref: None, snapshot_id: Some("snap".into()) })).known(|k| k.adoption_allowed = false),
    "Ready=False/InvalidSpec; Synced=False/InvalidSpec; Stalled")]
#[case::restore_and_the_name_is_taken(Facts::new().restores(backup(true, |_| {})).list(&[cluster("AVAILABLE", "", 3)]),
    "Ready=False/NameConflict; Synced=False/NameConflict; Stalled")]
// After a refusal.
#[case::refused_spec(
    failed("InvalidSpec", 86_400),
    "Ready=False/NotCreated; Synced=False/InvalidSpec; Stalled"
)]
#[case::refused_spec_and_edited(failed("InvalidSpec", 5).object(|o| o.metadata.generation = Some(2)), CREATE)]
#[case::refused_spec_same_secret(failed("InvalidSpec", 5).status(|s| s.rejected_secret = refused_secret("1")).password("Chosen-Pw-1"),
    "Ready=False/NotCreated; Synced=False/InvalidSpec; Stalled")]
#[case::refused_spec_secret_changed(failed("InvalidSpec", 5).status(|s| s.rejected_secret = refused_secret("0")).password("Chosen-Pw-1"), CREATE)]
#[case::refused_spec_and_asked_again(failed("InvalidSpec", 5).status(|s| s.handled = Some(Handled::default())).annotate(names::RECONCILE_REQUESTED_AT, ago(1).to_string()), CREATE)]
#[case::forbidden(
    failed("Forbidden", 5),
    "Ready=False/NotCreated; Synced=False/Forbidden; Stalled"
)]
#[case::name_conflict_from_the_call(
    failed("NameConflict", 5),
    "Ready=False/NotCreated; Synced=False/NameConflict; Stalled"
)]
#[case::name_conflict_with_if_exists(failed("NameConflict", 20).spec(|s| s.adoption_policy = Some(AdoptionPolicy::IfExists)).list(&[cluster("AVAILABLE", "", 3)]).detail(cluster("AVAILABLE", "", 3)),
    "Ready=True/Available; Synced=True/InSync; secret kept")]
#[case::quota(
    failed("QuotaExceeded", 599),
    "Ready=False/NotCreated; Synced=False/QuotaExceeded; Reconciling"
)]
#[case::quota_after_ten_minutes(failed("QuotaExceeded", 600), CREATE)]
#[case::sold_out(
    failed("SoldOut", 1),
    "Ready=False/NotCreated; Synced=False/SoldOut; Reconciling"
)]
#[case::sold_out_after_ten_minutes(failed("SoldOut", 600), CREATE)]
#[case::the_service_fails(
    failed("ServiceUnavailable", 599),
    "Ready=False/NotCreated; Synced=False/ServiceUnavailable"
)]
#[case::the_service_failed_ten_minutes_ago(failed("ServiceUnavailable", 600), CREATE)]
#[case::the_service_failed_and_edited(failed("ServiceUnavailable", 5).object(|o| o.metadata.generation = Some(2)), CREATE)]
#[case::forbidden_to_the_same_user(
    with_credentials(failed("Forbidden", 5), "1"),
    "Ready=False/NotCreated; Synced=False/Forbidden; Stalled"
)]
#[case::forbidden_to_another_user(with_credentials(failed("Forbidden", 5), "2"), CREATE)]
#[case::forbidden_before_credentials_were_noted(failed("Forbidden", 5).facts(|f| f.credentials = credentials("2")), "Ready=False/NotCreated; Synced=False/Forbidden; Stalled")]
#[case::busy(
    failed("Busy", 9),
    "Ready=False/NotCreated; Synced=False/Busy; Reconciling"
)]
#[case::busy_an_interval_later(failed("Busy", 10), CREATE)]
#[case::password_refused(failed("PasswordRejected", 5).status(|s| s.rejected_secret = refused_secret("1")).password("Chosen-Pw-1"),
    "Ready=False/NotCreated; Synced=False/PasswordRejected")]
#[case::password_refused_and_changed(failed("PasswordRejected", 5).status(|s| s.rejected_secret = refused_secret("0")).password("Chosen-Pw-1"), CREATE)]
#[case::generated_password_refused(
    failed("PasswordRejected", 5),
    "Ready=False/NotCreated; Synced=False/PasswordRejected"
)]
#[case::generated_password_refused_a_minute_ago(failed("PasswordRejected", 60), CREATE)]
fn a_new_manifest(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan(), expected);
}

#[test]
fn what_costs_nothing_is_looked_at_first() {
    let (_, reads) = Facts::new().password("Chosen-Pw-1").decide();
    assert_eq!(
        reads,
        [Read::Clusters, Read::ConnectionSecret, Read::PasswordSecret]
    );
}

#[test]
fn the_password_is_in_the_secret_before_the_intent() {
    let (decision, _) = Facts::new().decide();
    let Some(SecretWrite::Put { data, .. }) = decision.secret else {
        panic!("no Secret")
    };
    assert!(data.contains_key("pending-password") && !data.contains_key("password"));
    assert!(decision.add_finalizer);
    assert_eq!(decision.status.account, Some(account()));
}

/// After a restored backup it may be all that opens a cluster which this status does not know.
#[test]
fn a_password_that_a_backup_brought_stays_beside_the_new_one() {
    let facts = Facts::new()
        .secret(&[("password", "Former-Pw-1")])
        .tied(None);
    let Some(SecretWrite::Put { data, .. }) = facts.decide().0.secret else {
        panic!("no Secret")
    };
    let passwords = Passwords::of(&data);
    assert!(passwords.current.is_none() && passwords.pending.is_some());
    for passwords in [passwords.clone(), passwords.promoted()] {
        let previous = passwords.previous.unwrap();
        assert!(crate::core::password::same(
            &previous,
            &"Former-Pw-1".into()
        ));
    }
}

#[test]
fn the_intent_keeps_the_services_clock() {
    let (decision, _) = Facts::new().decide();
    let open = decision.status.operation.unwrap();
    assert_eq!(open.baseline.service_time, Some(now()));
    assert_eq!(open.phase, OperationPhase::Intended);
}

#[test]
fn a_pending_password_that_was_never_refused_is_kept() {
    let facts = Facts::new().secret(&[("pending-password", "Pending-Pw-1")]);
    let (decision, _) = facts.decide();
    let Some(Call::CreateCluster(body)) = decision
        .call
        .as_ref()
        .map(crate::core::journal::Intent::call)
    else {
        panic!()
    };
    assert!(crate::core::password::same(
        &body.user_pwd,
        &"Pending-Pw-1".into()
    ));
    assert_eq!((body.port, body.user_name.as_str()), (8000, "dbadmin"));
}

#[test]
fn the_intent_keeps_the_credentials_that_it_is_sent_with() {
    let facts = Facts::new().facts(|f| f.credentials = credentials("7"));
    let open = facts.decide().0.status.operation.unwrap();
    assert_eq!(open.target.credentials, credentials("7"));
}
