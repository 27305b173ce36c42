//! The annotations: recorded the first time, acted on once, told when they ask for nothing.

use rstest::rstest;

use super::*;

#[rstest]
#[case::past(5, Some(5))]
#[case::a_little_ahead(-600, Some(-600))]
#[case::far_ahead(-601, Some(-601))]
fn the_first_write_records_what_is_there(#[case] age: i64, #[case] recorded: Option<i64>) {
    let facts = Facts::live()
        .status(|s| s.handled = None)
        .annotate(names::RESTART_REQUESTED_AT, ago(age).to_string());
    let handled = facts.decide().0.status.handled.unwrap();
    assert_eq!(handled.restart, recorded.map(ago));
}

/// A manifest that always bore a value of next year restarts nothing, then or now, and real requests count.
#[rstest]
#[case::its_time_has_come(0, -86_400, false)]
#[case::a_real_request_meanwhile(-86_400, 5, true)]
#[case::the_same_value(-86_400, -86_400, false)]
fn a_value_far_ahead_at_the_first_write_never_acts(
    #[case] recorded: i64,
    #[case] asked: i64,
    #[case] acts: bool,
) {
    let asked = if recorded == 0 { recorded } else { asked };
    let facts = Facts::live()
        .status(|s| s.handled.as_mut().unwrap().restart = Some(ago(recorded)))
        .annotate(names::RESTART_REQUESTED_AT, ago(asked).to_string());
    assert_eq!(facts.plan().starts_with("call Restart"), acts);
}

#[test]
fn what_is_stored_is_in_whole_seconds() {
    let facts = Facts::new().facts(|f| f.now = now() + SignedDuration::from_millis(1_700));
    let open = facts.decide().0.status.operation.unwrap();
    assert_eq!(open.intended_at, now() + SignedDuration::from_secs(1));
    let facts = Facts::live().password("short");
    let facts = facts.facts(|f| f.now = now() + SignedDuration::from_millis(1_700));
    let failure = facts.decide().0.status.failures.remove(0);
    assert_eq!(failure.at, now() + SignedDuration::from_secs(1));
}

#[test]
fn nothing_is_recorded_as_well() {
    let facts = Facts::live().status(|s| s.handled = None);
    assert_eq!(facts.decide().0.status.handled, Some(Handled::default()));
}

#[rstest]
#[case::lapsed(Facts::live().object(|o| o.metadata.creation_timestamp = Some(Time(ago(100_000)))).annotate(names::RESTART_REQUESTED_AT, ago(90_000).to_string()), "RequestLapsed")]
#[case::far_ahead(Facts::live().annotate(names::RESTART_REQUESTED_AT, ago(-601).to_string()), "RequestIgnored")]
#[case::unreadable(Facts::live().annotate(names::ROTATE_PASSWORD_REQUESTED_AT, "x"), "RequestIgnored")]
#[case::no_pause(Facts::live().annotate(names::PAUSED, "yes"), "RequestIgnored")]
#[case::acknowledged(Facts::live().operation(operation(OperationKind::Restart, OperationPhase::OutcomeUnknown, 60)).annotate(names::ACKNOWLEDGE_ATTEMPT, OP), "AttemptAcknowledged")]
#[case::rotation_of_a_referenced_password(Facts::live().password(PASSWORD).annotate(names::ROTATE_PASSWORD_REQUESTED_AT, ago(1).to_string()), "RotationIgnored")]
#[case::a_zone_in_brackets_is_not_rfc_3339(Facts::live().annotate(names::RESTART_REQUESTED_AT, format!("{}+00:00[UTC]", ago(5).to_string().trim_end_matches('Z'))), "RequestIgnored")]
#[case::an_empty_value_asks_for_nothing(Facts::live().annotate(names::RESTART_REQUESTED_AT, ""), "")]
#[case::acknowledged_with_spaces(Facts::live().operation(operation(OperationKind::Restart, OperationPhase::OutcomeUnknown, 60)).annotate(names::ACKNOWLEDGE_ATTEMPT, format!(" {OP} ")), "AttemptAcknowledged")]
fn what_is_not_done_is_told(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.events(), expected);
}

#[test]
fn an_acknowledgement_that_names_nothing_is_told() {
    let unknown = operation(OperationKind::Restart, OperationPhase::OutcomeUnknown, 60);
    let facts = Facts::live().operation(unknown);
    let message = facts
        .annotate(names::ACKNOWLEDGE_ATTEMPT, "x")
        .message("Synced");
    assert!(
        message.contains("acknowledge-attempt=\"x\" is not the id"),
        "{message}"
    );
}

#[test]
fn what_is_told_of_an_unreadable_request_has_no_clock_in_it() {
    let mut stored = again(Facts::live().annotate(names::RESTART_REQUESTED_AT, "x"));
    let before = stored.facts.object.status.clone().unwrap();
    stored.facts.now += jiff::SignedDuration::from_secs(60);
    assert_eq!(stored.decide().0.status, before);
}

/// The facts after a reconcile whose status was stored.
fn again(mut facts: Facts) -> Facts {
    let status = facts.clone().decide().0.status;
    Arc::make_mut(&mut facts.facts.object).status = Some(status);
    facts
}

#[rstest]
#[case::at_rest(Facts::live())]
#[case::an_unreadable_request(Facts::live().annotate(names::RESTART_REQUESTED_AT, "x"))]
#[case::a_taken_name(Facts::new().list(&[cluster("AVAILABLE", "", 3)]))]
#[case::a_foreign_secret(Facts::new().secret_is(ConnectionSecret::Foreign("x".into())))]
#[case::a_blocked_deletion(Facts::dying().spec(|s| s.deletion_protection = Some(true)))]
#[case::a_lost_cluster(Facts::live().detail_fails(Meaning::Absent).unlisted(60))]
#[case::drift(Facts::live().spec(|s| s.node_count = Some(2)))]
fn nothing_is_written_while_nothing_happens(#[case] facts: Facts) {
    let stored = again(facts);
    let before = stored.facts.object.status.clone().unwrap();
    let (decision, _) = stored.decide();
    assert_eq!(decision.status, before);
    assert!(decision.events.is_empty(), "{:?}", decision.events);
}

#[test]
fn what_moves_by_itself_travels_only_with_another_change() {
    let mut stored = again(Facts::live());
    let before = stored.facts.object.status.clone().unwrap();
    let mut moved = cluster("AVAILABLE", "", 3);
    moved.recent_events = Some(7);
    moved.updated = Some("later".into());
    stored = stored.detail(moved.clone());
    assert_eq!(stored.clone().decide().0.status, before);
    moved.sub_status = Some("DEGRADED".into());
    assert_eq!(
        stored.detail(moved).decide().0.status.recent_events,
        Some(7)
    );
}
