//! Restart on request, at most once.

use rstest::rstest;

use super::*;
use crate::api::cluster::ManagementPolicy;

const RESTARTS: &str =
    "call Restart #1; Ready=False/Restarting; Synced=True/Restarting; Reconciling";
const WAITS: &str = "Ready=False/Restarting; Synced=True/Restarting; Reconciling";
const QUIET: &str = "Ready=True/Available; Synced=True/InSync";

fn asked(age: i64) -> Facts {
    Facts::live().annotate(names::RESTART_REQUESTED_AT, ago(age).to_string())
}

fn open(phase: OperationPhase, age: i64, task: &str, seen: bool) -> Facts {
    let mut operation = operation(OperationKind::Restart, phase, age);
    operation.task_seen = seen.then(|| "REBOOTING".into());
    Facts::live()
        .operation(operation)
        .facts(|facts| {
            // The memory keeps a window only while the answer is open.
            let accepted = phase == OperationPhase::Accepted;
            facts.memory.window_start = (!accepted).then(|| ago(age));
        })
        .detail(cluster("AVAILABLE", task, 3))
}

#[rstest]
#[case::asked(asked(5), RESTARTS)]
#[case::already_handled(asked(5).status(|s| s.handled.as_mut().unwrap().restart = Some(ago(5))), QUIET)]
#[case::older_than_the_handled_one(asked(5).status(|s| s.handled.as_mut().unwrap().restart = Some(ago(4))), QUIET)]
#[case::newer_than_the_handled_one(asked(5).status(|s| s.handled.as_mut().unwrap().restart = Some(ago(6))), RESTARTS)]
#[case::older_than_the_resource(asked(3601), QUIET)]
#[case::first_look_at_the_resource(asked(5).status(|s| s.handled = None), QUIET)]
#[case::five_minutes_ahead(asked(-300), RESTARTS)]
#[case::far_ahead(asked(-601), QUIET)]
#[case::a_day_late(asked(86_401).object(|o| o.metadata.creation_timestamp = Some(Time(ago(100_000)))), QUIET)]
#[case::unreadable(Facts::live().annotate(names::RESTART_REQUESTED_AT, "now"), QUIET)]
#[case::busy(asked(5).detail(cluster("AVAILABLE", "GROWING", 3)), "Ready=True/Resizing; Synced=False/Busy; Reconciling")]
#[case::paused(asked(5).paused(), "Ready=True/Available; Synced=False/Paused")]
#[case::observed(asked(5).spec(|s| s.management_policy = Some(ManagementPolicy::ObserveOnly)), "Ready=True/Available; Synced=True/ObserveOnly")]
#[case::before_a_resize(asked(5).spec(|s| s.node_count = Some(5)), RESTARTS)]
#[case::accepted_and_quiet(open(OperationPhase::Accepted, 60, "", false), WAITS)]
#[case::rebooting(open(OperationPhase::Accepted, 60, "REBOOTING", false), WAITS)]
#[case::rebooted(open(OperationPhase::Accepted, 60, "", true), QUIET)]
#[case::accepted_and_never_seen(open(OperationPhase::Accepted, 600, "", false), QUIET)]
#[case::failed(
    open(OperationPhase::Accepted, 60, "REBOOT_FAILURE", true),
    "Ready=True/Available; Synced=False/RestartFailed"
)]
#[case::the_failure_of_the_one_before(
    open(OperationPhase::Accepted, 60, "REBOOT_FAILURE", false),
    WAITS
)]
#[case::failed_and_never_seen_rebooting(
    open(OperationPhase::Accepted, 600, "REBOOT_FAILURE", false),
    "Ready=True/Available; Synced=False/RestartFailed"
)]
#[case::lost(open(OperationPhase::Ambiguous, 60, "", false), WAITS)]
#[case::crashed(open(OperationPhase::Intended, 60, "", false), WAITS)]
#[case::lost_and_seen(open(OperationPhase::Ambiguous, 60, "REBOOTING", false), WAITS)]
#[case::lost_and_never_seen(
    open(OperationPhase::Ambiguous, 600, "", false),
    "Ready=True/Available; Synced=False/OutcomeUnknown"
)]
#[case::unknown_holds_the_next_one(open(OperationPhase::OutcomeUnknown, 600, "", false).annotate(names::RESTART_REQUESTED_AT, ago(1).to_string()), "Ready=True/Available; Synced=False/OutcomeUnknown")]
#[case::unknown_and_a_resize(open(OperationPhase::OutcomeUnknown, 600, "", false).spec(|s| s.node_count = Some(5)), "call Resize #1 +2; Ready=True/Resizing; Synced=True/Resizing; Reconciling")]
#[case::acknowledged(open(OperationPhase::OutcomeUnknown, 600, "", false).annotate(names::ACKNOWLEDGE_ATTEMPT, OP), QUIET)]
fn a_restart(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan_but_for_the_secret(), expected);
}

#[test]
fn the_request_is_handled_before_the_call() {
    let (decision, _) = asked(5).decide();
    assert_eq!(decision.status.handled.unwrap().restart, Some(ago(5)));
}

#[test]
fn the_service_s_reason_and_its_advice_are_told() {
    let mut cluster = cluster("AVAILABLE", "REBOOT_FAILURE", 3);
    cluster.failed_reasons = Some(why("6002"));
    let message = open(OperationPhase::Accepted, 60, "REBOOT_FAILURE", true)
        .detail(cluster)
        .message("Synced");
    assert!(
        message.contains("The service's reason: 6002: No luck. Look at the cluster"),
        "{message}"
    );
}
