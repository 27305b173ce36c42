//! Every row of the table of conditions that no other file shows.

use rstest::rstest;

use super::*;
use crate::core::facts::{Circuit, CircuitReason};

fn shows(status: &str, sub: &str, task: &str) -> Facts {
    let mut cluster = cluster(status, task, 3);
    cluster.sub_status = Some(sub.into());
    Facts::live().detail(cluster)
}

fn circuit(failed_polls: u32) -> Facts {
    let circuit = Circuit {
        reason: CircuitReason::Throttled,
        message: "m".into(),
        until: now(),
        failed_polls,
    };
    let mut facts = Facts::live();
    let status = facts.clone().decide().0.status;
    facts = facts.object(|o| o.status = Some(status));
    facts.known(|k| k.circuit = Some(circuit))
}

#[rstest]
#[case::available(
    shows("AVAILABLE", "NORMAL", ""),
    "Ready=True/Available; Synced=True/InSync"
)]
#[case::active(
    shows("ACTIVE", "NORMAL", ""),
    "Ready=True/Available; Synced=True/InSync"
)]
#[case::nightly_snapshot(
    shows("AVAILABLE", "NORMAL", "SNAPSHOTTING"),
    "Ready=True/Snapshotting; Synced=True/InSync"
)]
#[case::growth_by_others(
    shows("AVAILABLE", "NORMAL", "GROWING"),
    "Ready=True/Resizing; Synced=True/InSync"
)]
#[case::restart_by_others(
    shows("AVAILABLE", "NORMAL", "REBOOTING"),
    "Ready=False/Restarting; Synced=True/InSync"
)]
#[case::any_task(
    shows("AVAILABLE", "NORMAL", "DISK_EXPANDING"),
    "Ready=True/Available; Synced=True/InSync"
)]
#[case::degraded(
    shows("AVAILABLE", "DEGRADED", ""),
    "Ready=True/Degraded; Synced=True/InSync"
)]
#[case::unbalanced(
    shows("AVAILABLE", "UNBALANCED", ""),
    "Ready=True/Available; Synced=True/InSync"
)]
#[case::redistributing(
    shows("AVAILABLE", "REDISTRIBUTING", ""),
    "Ready=True/Available; Synced=True/InSync"
)]
#[case::read_only(
    shows("AVAILABLE", "READONLY", ""),
    "Ready=False/ReadOnly; Synced=True/InSync"
)]
#[case::read_only_and_more(
    shows("AVAILABLE", "DEGRADED | READONLY", ""),
    "Ready=False/ReadOnly; Synced=True/InSync"
)]
#[case::unavailable(
    shows("UNAVAILABLE", "NORMAL", ""),
    "Ready=False/Unavailable; Synced=True/InSync"
)]
#[case::frozen(
    shows("FROZEN", "NORMAL", ""),
    "Ready=False/Unavailable; Synced=True/InSync"
)]
#[case::frozen_by_police(
    shows("POLICE_FROZEN", "NORMAL", ""),
    "Ready=False/Unavailable; Synced=True/InSync"
)]
#[case::deleted_by_others(
    shows("DELETING", "NORMAL", ""),
    "Ready=False/Deleting; Synced=True/InSync"
)]
#[case::a_new_word(
    shows("DREAMING", "NORMAL", ""),
    "Ready=False/Unknown; Synced=True/InSync"
)]
#[case::absent_and_unconfirmed(Facts::live().detail_fails(Meaning::Absent), "Ready=False/ConfirmingAbsence; Synced=False/ConfirmingAbsence")]
#[case::absent_and_listed_once(Facts::live().detail_fails(Meaning::Absent).unlisted(9), "Ready=False/ConfirmingAbsence; Synced=False/ConfirmingAbsence")]
#[case::lost(Facts::live().detail_fails(Meaning::Absent).unlisted(10), "Ready=False/Lost; Synced=False/Lost; Stalled")]
#[case::hidden(Facts::live().detail_fails(Meaning::AbsentOrForbidden).unlisted(60), "Ready=False/Forbidden; Synced=False/Forbidden")]
#[case::lost_to_a_known_reader(Facts::live().detail_fails(Meaning::AbsentOrForbidden).unlisted(60).facts(|f| f.memory.id_was_read = true), "Ready=False/Lost; Synced=False/Lost; Stalled")]
#[case::unauthenticated(Facts::live().detail_fails(Meaning::Unauthenticated).unlisted(60), "Ready=False/CredentialsInvalid; Synced=False/CredentialsInvalid")]
#[case::service_down(Facts::live().detail_fails(Meaning::Unavailable).unlisted(60), "Ready=False/ServiceUnavailable; Synced=False/ServiceUnavailable")]
#[case::throttled_and_idle(circuit(2), "Ready=True/Available; Synced=True/InSync")]
#[case::throttled_for_three_polls(circuit(3), "Ready=True/Available; Synced=False/Throttled")]
#[case::throttled_with_work(circuit(1).object(|o| o.metadata.generation = Some(2)), "Ready=True/Available; Synced=False/Throttled")]
#[case::in_the_same_namespace(Facts::live().facts(|f| f.rivals = vec![rival("data", false, 1)]), "Ready=False/IdentityConflict; Synced=False/IdentityConflict; Stalled")]
#[case::elsewhere_and_only_asking(Facts::live().facts(|f| f.rivals = vec![rival("else", false, 9999)]), "Ready=True/Available; Synced=True/InSync")]
#[case::elsewhere_and_older(Facts::live().facts(|f| f.rivals = vec![rival("else", true, 9999)]), "Ready=False/IdentityConflict; Synced=False/IdentityConflict; Stalled")]
#[case::elsewhere_and_younger(Facts::live().facts(|f| f.rivals = vec![rival("else", true, 1)]), "Ready=True/Available; Synced=True/InSync")]
#[case::paused(Facts::live().paused(), "Ready=True/Available; Synced=False/Paused")]
fn a_living_cluster(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan().replace("; secret put", ""), expected);
}

#[test]
fn the_sub_status_stands_in_the_message() {
    let message = shows("AVAILABLE", "DEGRADED | UNBALANCED", "").message("Ready");
    assert!(message.contains("DEGRADED | UNBALANCED"), "{message}");
}

#[test]
fn the_services_words_stay_verbatim() {
    let status = shows("AVAILABLE", "ODD | THING", "NEW_TASK")
        .decide()
        .0
        .status;
    assert_eq!(status.sub_status.as_deref(), Some("ODD | THING"));
    assert_eq!(status.task_status.as_deref(), Some("NEW_TASK"));
}

#[test]
fn a_failed_create_tells_the_service_s_reason_and_its_advice() {
    let mut cluster = cluster("CREATION FAILED", "", 3);
    cluster.failed_reasons = Some(why("6000"));
    let facts = Facts::live().detail(cluster);
    for type_ in ["Ready", "Synced", "Stalled"] {
        let message = facts.clone().message(type_);
        assert!(
            message.contains("The service's reason: 6000: No luck. Delete the failed"),
            "{message}"
        );
        assert!(message.contains("often sold out"), "{message}");
    }
}

fn lost_before() -> Facts {
    let lost = Facts::live().detail_fails(Meaning::Absent).unlisted(60);
    let status = lost.decide().0.status;
    Facts::live().object(|o| o.status = Some(status))
}

const LOST: &str = "Ready=False/Lost; Synced=False/Lost; Stalled";

/// A new process remembers neither lists nor which ids it has read.
#[rstest]
#[case::not_found(lost_before().detail_fails(Meaning::Absent), LOST)]
#[case::not_found_or_forbidden(lost_before().detail_fails(Meaning::AbsentOrForbidden), LOST)]
#[case::the_service_is_away(lost_before().detail_fails(Meaning::Unavailable), "Ready=False/Lost; Synced=False/ServiceUnavailable")]
#[case::it_is_shown_again(lost_before(), "Ready=True/Available; Synced=True/InSync; secret put")]
fn what_is_lost_stays_lost(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan(), expected);
}

#[test]
fn an_outage_does_not_make_a_lost_cluster_doubtful() {
    let away = lost_before().detail_fails(Meaning::Unavailable);
    let status = away.decide().0.status;
    let after = Facts::live().object(|o| o.status = Some(status));
    let found = after.clone().detail_fails(Meaning::AbsentOrForbidden);
    assert_eq!(found.plan(), LOST);
    let deleted = after.deleted().detail_fails(Meaning::AbsentOrForbidden);
    assert_eq!(deleted.plan(), "forget");
}
