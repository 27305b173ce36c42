//! Passwords: at every moment one of the three keys logs in.

use rstest::rstest;
use secrecy::ExposeSecret;

use super::resize::overdue;
use super::*;
use crate::api::cluster::{ClusterDeletionPolicy as Policy, ManagementPolicy};
use crate::api::cluster_status::SecretVersion;

const RESETS: &str = "call ResetPassword #1; Ready=True/Available; Synced=True/PasswordPending; Reconciling; secret put";
const RESETS_KEPT: &str = "call ResetPassword #1; Ready=True/Available; Synced=True/PasswordPending; Reconciling; secret kept";
const KEPT: &str = "Ready=True/Available; Synced=True/InSync; secret kept";
const QUIET: &str = "Ready=True/Available; Synced=True/InSync";
const PENDING: &str = "Ready=True/Available; Synced=True/PasswordPending; Reconciling";

fn settled(facts: Facts) -> Facts {
    // The Secret as a former reconcile left it, so that only what is new shows.
    let mut facts = facts;
    if let Some(SecretWrite::Put { data, .. }) = Facts::live().decide().0.secret {
        facts.secret = ConnectionSecret::Ours {
            data,
            tie: Some(Tie::Owned),
        };
    }
    facts
}

fn rotation() -> Facts {
    settled(Facts::live()).annotate(names::ROTATE_PASSWORD_REQUESTED_AT, ago(5).to_string())
}

fn refused(facts: Facts, age: i64) -> Facts {
    facts.status(|s| {
        record(
            s,
            last_failure(OperationKind::ResetPassword, "PasswordRejected", age),
        );
    })
}

fn rejected(version: &str) -> impl FnOnce(&mut DwsClusterStatus) {
    let secret = SecretVersion {
        uid: "secret".into(),
        resource_version: version.into(),
    };
    move |status| status.rejected_secret = Some(secret)
}

/// The content of this version of the referenced Secret is known to be in force.
fn in_force(version: &str) -> impl FnOnce(&mut DwsClusterStatus) {
    let secret = SecretVersion {
        uid: "secret".into(),
        resource_version: version.into(),
    };
    move |status| status.password_secret = Some(secret)
}

fn restored() -> Facts {
    Facts::live()
        .spec(|s| {
            s.restore_from = Some(RestoreFrom {
                snapshot_ref: None,
                snapshot_id: Some("snap".into()),
            });
        })
        .status(|s| s.binding = None)
        .secret_is(ConnectionSecret::Absent)
}

/// The manifest was changed while nodes are being added.
fn resizing() -> Facts {
    super::resize::open(
        OperationPhase::Accepted,
        60,
        cluster("AVAILABLE", "GROWING", 3),
    )
    .object(|o| o.metadata.generation = Some(2))
}

#[rstest]
#[case::at_rest(settled(Facts::live()), QUIET)]
#[case::a_referenced_one_in_force(settled(Facts::live()).password(PASSWORD), QUIET)]
#[case::a_referenced_one_changed(settled(Facts::live()).password("Chosen-Pw-1"), RESETS)]
#[case::it_breaks_a_rule(settled(Facts::live()).password("short"), "Ready=True/Available; Synced=False/PasswordRejected")]
#[case::it_is_the_previous_one(Facts::live().secret(&[("password", PASSWORD), ("previous-password", "Previous-Pw1")]).password("Previous-Pw1"), "Ready=True/Available; Synced=False/PasswordRejected; secret put")]
#[case::it_was_refused(refused(settled(Facts::live()).password("Chosen-Pw-1").status(rejected("1")), 5), "Ready=True/Available; Synced=False/PasswordRejected")]
#[case::it_was_refused_and_a_resize_failed_since(settled(Facts::live()).password("Chosen-Pw-1").status(rejected("1")), "Ready=True/Available; Synced=False/PasswordRejected")]
#[case::it_was_refused_and_changed(refused(settled(Facts::live()).password("Chosen-Pw-1").status(rejected("0")), 5), RESETS)]
#[case::the_reference_goes(settled(Facts::live()), QUIET)]
#[case::the_secret_goes(settled(Facts::live()).password_is(PasswordSecret::NoSecret), "Ready=True/Available; Synced=False/WaitingForReference; Reconciling")]
#[case::it_was_refused_and_goes(refused(settled(Facts::live()).password_is(PasswordSecret::NoSecret), 5), "Ready=True/Available; Synced=False/WaitingForReference; Reconciling")]
#[case::the_key_goes(settled(Facts::live()).password_is(PasswordSecret::NoKey), "Ready=True/Available; Synced=False/WaitingForReference; Reconciling")]
#[case::paused(settled(Facts::live()).password("Chosen-Pw-1").paused(), "Ready=True/Available; Synced=False/Paused")]
#[case::observed(settled(Facts::live()).password("Chosen-Pw-1").spec(|s| s.management_policy = Some(ManagementPolicy::ObserveOnly)).tied(Some(Tie::Kept)), "Ready=True/Available; Synced=True/ObserveOnly")]
#[case::during_a_snapshot(settled(Facts::live()).password("Chosen-Pw-1").detail(cluster("AVAILABLE", "SNAPSHOTTING", 3)), "Ready=True/Snapshotting; Synced=False/Busy; Reconciling")]
#[case::rotation(rotation(), RESETS)]
#[case::rotation_already_handled(rotation().status(|s| s.handled.as_mut().unwrap().rotate_password = Some(ago(5))), QUIET)]
#[case::rotation_of_an_adopted_one(rotation().status(|s| s.adopted = Some(true)).tied(Some(Tie::Kept)), RESETS_KEPT)]
#[case::rotation_just_refused(
    refused(rotation(), 5),
    "Ready=True/Available; Synced=False/PasswordRejected"
)]
#[case::rotation_refused_a_minute_ago(refused(rotation(), 60), RESETS)]
#[case::before_a_resize(rotation().spec(|s| s.node_count = Some(5)), RESETS)]
// The Secret.
#[case::deleted_and_generated(Facts::live().secret_is(ConnectionSecret::Absent), "Ready=True/Available; Synced=False/PasswordMissing; secret put")]
#[case::deleted_and_changed(Facts::live().secret_is(ConnectionSecret::Absent).password(PASSWORD).status(in_force("0")), RESETS)]
#[case::deleted_and_nobody_knows(Facts::live().secret_is(ConnectionSecret::Absent).password(PASSWORD), RESETS)]
#[case::edited_by_hand(Facts::live().secret(&[("password", "Edited-Pw-1")]).password(PASSWORD).status(in_force("1")), "Ready=True/Available; Synced=True/InSync; secret put")]
#[case::adopted_and_referenced(Facts::adopted().secret_is(ConnectionSecret::Absent).password(PASSWORD), "Ready=True/Available; Synced=True/InSync; secret kept")]
#[case::adopted_rotated_and_then_referenced(Facts::adopted().secret_is(ConnectionSecret::Absent).password(PASSWORD).status(|s| s.password_secret = Some(SecretVersion::default())), RESETS_KEPT)]
#[case::deleted_and_referenced(Facts::live().secret_is(ConnectionSecret::Absent).password(PASSWORD).status(in_force("1")), "Ready=True/Available; Synced=True/InSync; secret put")]
#[case::deleted_and_adopted(Facts::adopted().secret_is(ConnectionSecret::Absent), "Ready=True/Available; Synced=True/InSync; secret kept")]
#[case::foreign(Facts::live().secret_is(ConnectionSecret::Foreign("x".into())), "Ready=True/Available; Synced=False/SecretConflict; Stalled")]
#[case::to_be_reowned(Facts::live().secret_is(ConnectionSecret::Ours { data: BTreeMap::new(), tie: None }).password(PASSWORD).status(in_force("1")), "Ready=True/Available; Synced=True/InSync; secret put")]
// It is tied as firmly as the cluster.
#[case::retained(settled(Facts::live()).spec(|s| s.deletion_policy = Some(Policy::Retain)), KEPT)]
#[case::protected(settled(Facts::live()).spec(|s| s.deletion_protection = Some(true)), KEPT)]
#[case::observed_from_now_on(settled(Facts::live()).spec(|s| s.management_policy = Some(ManagementPolicy::ObserveOnly)), "Ready=True/Available; Synced=True/ObserveOnly; secret kept")]
#[case::retained_and_kept(settled(Facts::live()).spec(|s| s.deletion_policy = Some(Policy::Retain)).tied(Some(Tie::Kept)), QUIET)]
#[case::retained_no_more(settled(Facts::live()).tied(Some(Tie::Kept)), "Ready=True/Available; Synced=True/InSync; secret put")]
#[case::retained_during_a_resize(resizing().spec(|s| s.deletion_policy = Some(Policy::Retain)), "Ready=True/Resizing; Synced=True/Resizing; Reconciling; secret kept")]
// The first one after a restore.
#[case::restored(
    restored(),
    "call ResetPassword #1; Ready=False/Restoring; Synced=True/PasswordPending; Reconciling; secret put"
)]
#[case::restored_with_a_reference(restored().password("Chosen-Pw-1"), "call ResetPassword #1; Ready=False/Restoring; Synced=True/PasswordPending; Reconciling; secret put")]
#[case::restored_and_a_backup_holds_the_same(restored().secret(&[("password", "Chosen-Pw-1")]).password("Chosen-Pw-1"), "call ResetPassword #1; Ready=False/Restoring; Synced=True/PasswordPending; Reconciling; secret put")]
#[case::restored_and_the_reference_is_not_there(restored().password_is(PasswordSecret::NoSecret), "Ready=False/WaitingForReference; Synced=False/WaitingForReference; Reconciling")]
#[case::restored_and_busy(restored().detail(cluster("AVAILABLE", "SNAPSHOTTING", 3)), "Ready=False/Restoring; Synced=False/Busy; Reconciling")]
#[case::restored_and_paused(restored().paused(), "Ready=False/Restoring; Synced=False/Paused; secret put")]
#[case::restored_and_refused(restored().password("short"), "Ready=False/Restoring; Synced=False/PasswordRejected; secret put")]
fn a_password(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan(), expected);
}

fn open(phase: OperationPhase, attempt: i32, age: i64) -> Facts {
    let mut operation = operation(OperationKind::ResetPassword, phase, age);
    operation.attempt = attempt;
    Facts::live()
        .operation(operation)
        .secret(&[("password", PASSWORD), ("pending-password", "Pending-Pw-1")])
}

#[rstest]
#[case::accepted(
    open(OperationPhase::Accepted, 1, 5),
    "Ready=True/Available; Synced=True/InSync; secret put"
)]
#[case::lost_just_now(open(OperationPhase::Ambiguous, 1, 9), PENDING)]
#[case::lost_an_interval_ago(
    open(OperationPhase::Ambiguous, 1, 10),
    "call ResetPassword #2; Ready=True/Available; Synced=True/PasswordPending; Reconciling"
)]
#[case::crashed(
    open(OperationPhase::Intended, 1, 10),
    "call ResetPassword #2; Ready=True/Available; Synced=True/PasswordPending; Reconciling"
)]
#[case::lost_and_a_snapshot_is_overdue(
    open(OperationPhase::Ambiguous, 1, 10).facts(|f| f.snapshots_of_cluster = vec![overdue()]),
    "call ResetPassword #2; Ready=True/Available; Synced=True/PasswordPending; Reconciling"
)]
#[case::pauses_grow(open(OperationPhase::Ambiguous, 5, 49), PENDING)]
#[case::and_are_bounded(
    open(OperationPhase::Ambiguous, 500, 600),
    "call ResetPassword #501; Ready=True/Available; Synced=True/PasswordPending; Reconciling"
)]
#[case::paused(open(OperationPhase::Ambiguous, 1, 60).paused(), PENDING)]
#[case::what_was_sent_is_lost(open(OperationPhase::Ambiguous, 1, 60).secret(&[("password", PASSWORD)]), "Ready=True/Available; Synced=False/OutcomeUnknown; secret put")]
fn an_open_reset(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan(), expected);
}

#[test]
fn all_three_keys_after_a_change() {
    let (decision, _) = open(OperationPhase::Accepted, 1, 5).decide();
    let Some(SecretWrite::Put { data, .. }) = decision.secret else {
        panic!()
    };
    assert!(crate::core::password::same(
        &data["password"],
        &"Pending-Pw-1".into()
    ));
    assert!(crate::core::password::same(
        &data["previous-password"],
        &PASSWORD.into()
    ));
    assert!(!data.contains_key("pending-password"));
}

#[test]
fn the_same_one_is_sent_again() {
    let (decision, _) = open(OperationPhase::Ambiguous, 1, 60).decide();
    let intent = decision.call.unwrap();
    let Call::ResetPassword { new_password, .. } = intent.call() else {
        panic!()
    };
    assert!(crate::core::password::same(
        new_password,
        &"Pending-Pw-1".into()
    ));
}

#[test]
fn the_former_password_stays_while_a_candidate_is_pending() {
    let (decision, _) = rotation().decide();
    let Some(SecretWrite::Put { data, .. }) = decision.secret else {
        panic!()
    };
    assert!(data.contains_key("password") && data.contains_key("pending-password"));
}

#[test]
fn a_restored_cluster_is_bound_by_its_first_reset() {
    let (decision, _) = restored().secret(&[("password", "Old-Backup-1")]).decide();
    assert!(decision.status.binding.is_none());
    let mut facts = restored().secret(&[("pending-password", "Pending-Pw-1")]);
    facts = facts.operation(operation(
        OperationKind::ResetPassword,
        OperationPhase::Accepted,
        5,
    ));
    assert_eq!(
        facts.decide().0.status.binding.unwrap().name,
        "warehouse-connection"
    );
}

/// The password that a plan writes into the connection Secret.
fn written(facts: Facts) -> Option<String> {
    let Some(SecretWrite::Put { data, .. }) = facts.decide().0.secret else {
        panic!()
    };
    let value = data.get("password")?;
    Some(secrecy::ExposeSecret::expose_secret(value).to_owned())
}

#[test]
fn what_is_in_force_comes_back_as_it_is() {
    let deleted = Facts::live().secret_is(ConnectionSecret::Absent);
    let deleted = deleted.password(PASSWORD).status(in_force("1"));
    assert_eq!(written(deleted).as_deref(), Some(PASSWORD));
    let edited = Facts::live().secret(&[("password", "Edited-Pw-1")]);
    let edited = edited.password(PASSWORD).status(in_force("1"));
    assert_eq!(written(edited).as_deref(), Some(PASSWORD));
}

#[test]
fn a_change_that_cannot_be_sent_now_is_not_shown_as_in_force() {
    let facts = Facts::live().secret_is(ConnectionSecret::Absent);
    let facts = facts.password("Chosen-Pw-1").status(in_force("0")).paused();
    assert_eq!(written(facts), None);
}

#[rstest]
#[case::adoption(Facts::adopted().secret_is(ConnectionSecret::Absent).password(PASSWORD), "1")]
#[case::a_change_of_labels(settled(Facts::live()).password(PASSWORD).status(in_force("0")), "1")]
#[case::a_reset(with_secret(open(OperationPhase::Accepted, 1, 5)).password("Pending-Pw-1"), "1")]
#[case::a_generated_one(open(OperationPhase::Accepted, 1, 5).status(in_force("0")), "")]
fn what_is_in_force_is_remembered_by_its_secret(#[case] facts: Facts, #[case] version: &str) {
    let remembered = facts.decide().0.status.password_secret.unwrap();
    assert_eq!(remembered.resource_version, version);
}

fn with_secret(facts: Facts) -> Facts {
    facts.status(|status| {
        let open = status.operation.as_mut().unwrap();
        open.target.secret = Some(SecretVersion {
            uid: "secret".into(),
            resource_version: "1".into(),
        });
    })
}

#[rstest]
#[case::referenced(with_secret(open(OperationPhase::Accepted, 1, 5)).secret_is(ConnectionSecret::Absent).password("Chosen-Pw-1"), "PasswordChanged")]
#[case::generated(open(OperationPhase::Accepted, 1, 5).secret_is(ConnectionSecret::Absent), "PasswordMissing")]
#[case::promoted_before_a_crash(open(OperationPhase::Accepted, 1, 5).secret(&[("password", PASSWORD)]), "PasswordChanged")]
fn a_secret_that_went_with_the_new_password_is_not_said_to_hold_it(
    #[case] facts: Facts,
    #[case] event: &str,
) {
    assert_eq!(facts.events(), event);
}

#[test]
fn nothing_is_in_force_for_sure_while_the_outcome_is_unknown() {
    let facts = open(OperationPhase::Ambiguous, 1, 60).secret(&[("previous-password", PASSWORD)]);
    let facts = facts.password("Chosen-Pw-1").status(in_force("1"));
    assert_eq!(facts.decide().0.status.password_secret, None);
}

fn anew(facts: Facts) -> Facts {
    let retain = |s: &mut crate::api::DwsClusterSpec| s.deletion_policy = Some(Policy::Retain);
    facts
        .spec(retain)
        .object(|o| o.metadata.generation = Some(2))
}

#[rstest]
#[case::without_credentials(anew(settled(Facts::live())).account(Account::CredentialsMissing { message: "Secret c is not there.".into() }))]
#[case::while_the_service_is_away(anew(settled(Facts::live())).detail_fails(Meaning::Unavailable).object(|o| o.metadata.annotations = None))]
#[case::while_nodes_are_added(anew(resizing()))]
#[case::before_a_restart(anew(settled(Facts::live())).annotate(names::RESTART_REQUESTED_AT, ago(5).to_string()))]
fn a_new_manifest_ties_the_secret_whatever_the_reconcile_comes_to(#[case] facts: Facts) {
    let (decision, _) = facts.decide();
    assert_eq!(decision.status.observed_generation, Some(2));
    let Some(SecretWrite::Put { data, tie }) = decision.secret else {
        panic!("the Secret stays as it is tied");
    };
    assert_eq!((tie, data.contains_key("password")), (Tie::Kept, true));
}

#[test]
fn a_manifest_that_is_known_has_no_secret_read_for_it() {
    let facts = settled(Facts::live()).account(Account::CredentialsMissing {
        message: "Secret c is not there.".into(),
    });
    assert_eq!(facts.decide().1, []);
}

#[test]
fn a_secret_that_is_tied_anew_is_published_in_the_same_write() {
    let wanted = published(Facts::live().secret_is(ConnectionSecret::Absent));
    let former = Facts::live().secret(&[("password", PASSWORD), ("host", "former.example.com")]);
    let found = published(former.tied(None));
    assert_eq!(found["host"], wanted["host"]);
    assert_eq!(found["password"], PASSWORD);
}

/// What the connection Secret is to hold.
fn published(facts: Facts) -> BTreeMap<String, String> {
    let Some(SecretWrite::Put { data, .. }) = facts.decide().0.secret else {
        panic!("nothing is written");
    };
    let shown = data.into_iter();
    shown
        .map(|(key, value)| (key, value.expose_secret().to_owned()))
        .collect()
}
