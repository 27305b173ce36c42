//! The relative call: when it goes out, what settles it, and when a person must decide.

use rstest::rstest;

use super::*;
use crate::api::cluster::ManagementPolicy;
use crate::core::facts::Waiting;
use crate::dws::model::ResizeInfo;

const GROWS: &str = "call Resize #1 +2; Ready=True/Resizing; Synced=True/Resizing; Reconciling";
const WAITS: &str = "Ready=True/Resizing; Synced=True/Resizing; Reconciling";
const QUIET: &str = "Ready=True/Available; Synced=True/InSync";
const UNKNOWN: &str = "Ready=True/Available; Synced=False/OutcomeUnknown; Stalled";
const FAILED: &str = "Ready=True/Available; Synced=False/ResizeFailed; Stalled";
const DRIFT: &str = "Ready=True/Available; Synced=False/Drifted";

/// The manifest asks for five nodes; three were brought to rest.
fn wants(count: i32) -> Facts {
    Facts::live().spec(|s| s.node_count = Some(count))
}

fn low_for(facts: Facts, seconds: i64) -> Facts {
    facts.facts(|f| f.memory.low_count_since = Some(ago(seconds)))
}

fn failed(reason: &str, age: i64) -> Facts {
    wants(5).status(|s| record(s, last_failure(OperationKind::Resize, reason, age)))
}

/// A restart that ends in this very plan, and a snapshot that has waited since before it, maybe.
fn after_a_restart(waits: bool) -> Facts {
    let mut restart = operation(OperationKind::Restart, OperationPhase::Accepted, 60);
    restart.task_seen = Some("REBOOTING".into());
    let waiting = Waiting {
        waits,
        overdue: false,
        ..overdue()
    };
    wants(5)
        .operation(restart)
        .window(60)
        .facts(|f| f.snapshots_of_cluster = vec![waiting])
}

pub(super) fn overdue() -> Waiting {
    Waiting {
        name: "s".into(),
        uid: "s".into(),
        created: None,
        snapshot_id: None,
        waits: true,
        overdue: true,
    }
}

#[rstest]
#[case::nothing_to_do(wants(3), QUIET)]
#[case::growth(wants(5), GROWS)]
#[case::brought_by_others(wants(5).detail(cluster("AVAILABLE", "", 5)), QUIET)]
#[case::fewer_than_there_are(wants(2), DRIFT)]
#[case::others_grew_it(wants(3).detail(cluster("AVAILABLE", "", 4)), DRIFT)]
#[case::others_shrank_it(wants(5).status(|s| s.settled_node_count = Some(5)), DRIFT)]
#[case::busy(wants(5).detail(cluster("AVAILABLE", "SNAPSHOTTING", 3)), "Ready=True/Snapshotting; Synced=False/Busy; Reconciling")]
#[case::unavailable(wants(5).detail(cluster("UNAVAILABLE", "", 3)), "Ready=False/Unavailable; Synced=False/Busy; Reconciling")]
#[case::a_failed_task_is_no_task(wants(5).detail(cluster("AVAILABLE", "RESIZE_FAILURE", 3)), GROWS)]
#[case::waiting_redistribution_is_no_task(wants(5).detail(cluster("AVAILABLE", "WAITING_REDISTRIBUTION", 3)), GROWS)]
#[case::redistributing_is_one(wants(5).detail(cluster("AVAILABLE", "REDISTRIBUTING", 3)), "Ready=True/Available; Synced=False/Busy; Reconciling")]
#[case::paused(wants(5).paused(), "Ready=True/Available; Synced=False/Paused")]
#[case::observed(wants(5).spec(|s| s.management_policy = Some(ManagementPolicy::ObserveOnly)), "Ready=True/Available; Synced=True/ObserveOnly")]
#[case::a_snapshot_waited_longer(wants(5).facts(|f| f.snapshots_of_cluster = vec![overdue()]), "Ready=True/Available; Synced=False/Busy; Reconciling")]
#[case::a_snapshot_may_have_waited_for_what_just_ended(after_a_restart(true).detail(cluster("AVAILABLE", "", 3)), "Ready=True/Available; Synced=False/Busy; Reconciling")]
#[case::no_snapshot_waited_for_what_just_ended(after_a_restart(false).detail(cluster("AVAILABLE", "", 3)), GROWS)]
#[case::a_low_count_just_now(wants(6).status(|s| s.settled_node_count = Some(5)), "Ready=True/Available; Synced=False/Busy; Reconciling")]
#[case::a_low_count_almost_for_a_window(low_for(wants(6).status(|s| s.settled_node_count = Some(5)), 599), "Ready=True/Available; Synced=False/Busy; Reconciling")]
#[case::a_low_count_for_a_window(low_for(wants(6).status(|s| s.settled_node_count = Some(5)), 600), "call Resize #1 +3; Ready=True/Resizing; Synced=True/Resizing; Reconciling")]
#[case::quota(
    failed("QuotaExceeded", 599),
    "Ready=True/Available; Synced=False/QuotaExceeded; Reconciling"
)]
#[case::quota_after_ten_minutes(failed("QuotaExceeded", 600), GROWS)]
#[case::quota_and_edited(failed("QuotaExceeded", 1).object(|o| o.metadata.generation = Some(2)), GROWS)]
#[case::sold_out(
    failed("SoldOut", 1),
    "Ready=True/Available; Synced=False/SoldOut; Reconciling"
)]
#[case::just_busy(
    failed("Busy", 5),
    "Ready=True/Available; Synced=False/Busy; Reconciling"
)]
#[case::busy_an_interval_ago(failed("Busy", 10), GROWS)]
#[case::failed_is_not_repeated(failed("ResizeFailed", 86_400).status(|s| s.settled_node_count = Some(5)), FAILED)]
#[case::failed_and_another_count(low_for(failed("ResizeFailed", 86_400).status(|s| s.settled_node_count = Some(5)).spec(|s| s.node_count = Some(4)), 700), "call Resize #1 +1; Ready=True/Resizing; Synced=True/Resizing; Reconciling")]
#[case::failed_and_taken_back(failed("ResizeFailed", 86_400).status(|s| s.settled_node_count = Some(5)).spec(|s| s.node_count = Some(3)), QUIET)]
fn a_count(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan_but_for_the_secret(), expected);
}

pub(super) fn open(phase: OperationPhase, age: i64, cluster: Cluster) -> Facts {
    let mut operation = operation(OperationKind::Resize, phase, age);
    operation.target.node_count = Some(5);
    operation.baseline.node_count = Some(3);
    wants(5).operation(operation).window(age).detail(cluster)
}

fn with_info(mut cluster: Cluster, target: i32, status: &str, start: &str) -> Cluster {
    cluster.resize_info = Some(ResizeInfo {
        target_node_num: Some(target),
        origin_node_num: Some(3),
        resize_status: Some(status.into()),
        start_time: Some(start.into()),
    });
    cluster
}

/// Just after the intent of an operation that is a minute old.
fn since() -> String {
    ago(50).to_string()
}

fn idle(count: i32) -> Cluster {
    cluster("AVAILABLE", "", count)
}

#[rstest]
#[case::accepted_and_quiet(open(OperationPhase::Accepted, 60, idle(3)), WAITS)]
#[case::accepted_and_grows(open(OperationPhase::Accepted, 60, with_info(cluster("AVAILABLE", "GROWING", 3), 5, "GROWING", &since())), WAITS)]
#[case::accepted_and_offline(
    open(OperationPhase::Accepted, 60, cluster("UNAVAILABLE", "GROWING", 3)),
    "Ready=False/Unavailable; Synced=True/Resizing; Reconciling"
)]
#[case::accepted_and_done(open(OperationPhase::Accepted, 60, idle(5)), QUIET)]
#[case::done_and_redistribution_waits(
    open(
        OperationPhase::Accepted,
        60,
        cluster("AVAILABLE", "WAITING_REDISTRIBUTION", 5)
    ),
    QUIET
)]
#[case::there_and_still_redistributing(
    open(
        OperationPhase::Accepted,
        60,
        cluster("AVAILABLE", "REDISTRIBUTING", 5)
    ),
    WAITS
)]
#[case::accepted_and_nothing_for_an_hour(open(OperationPhase::Accepted, 3600, idle(3)), UNKNOWN)]
#[case::accepted_and_nothing_for_59_minutes(open(OperationPhase::Accepted, 3599, idle(3)), WAITS)]
#[case::failed(open(OperationPhase::Accepted, 60, with_info(cluster("AVAILABLE", "RESIZE_FAILURE", 3), 5, "RESIZE_FAILURE", &since())), FAILED)]
#[case::the_failure_of_the_one_before(open(OperationPhase::Accepted, 60, with_info(cluster("AVAILABLE", "RESIZE_FAILURE", 3), 5, "RESIZE_FAILURE", &ago(61).to_string())), WAITS)]
#[case::the_failure_of_another_target(open(OperationPhase::Accepted, 60, with_info(cluster("AVAILABLE", "RESIZE_FAILURE", 3), 9, "RESIZE_FAILURE", &since())), WAITS)]
#[case::somebody_else_as_well(open(OperationPhase::Accepted, 60, idle(4)), UNKNOWN)]
#[case::lost_and_quiet(open(OperationPhase::Ambiguous, 60, idle(3)), WAITS)]
#[case::crashed(open(OperationPhase::Intended, 60, idle(3)), WAITS)]
#[case::lost_and_grows(open(OperationPhase::Ambiguous, 60, with_info(cluster("AVAILABLE", "GROWING", 3), 5, "GROWING", &since())), WAITS)]
#[case::lost_and_done(open(OperationPhase::Ambiguous, 60, idle(5)), QUIET)]
#[case::lost_and_failed(open(OperationPhase::Ambiguous, 60, with_info(cluster("AVAILABLE", "RESIZE_FAILURE", 3), 5, "RESIZE_FAILURE", &since())), FAILED)]
#[case::lost_and_the_window_is_not_over(open(OperationPhase::Ambiguous, 599, idle(3)), WAITS)]
#[case::lost_and_the_window_is_over(
    open(OperationPhase::Ambiguous, 600, idle(3)),
    "call Resize #2 +2; Ready=True/Resizing; Synced=True/Resizing; Reconciling"
)]
#[case::lost_and_another_grows(open(OperationPhase::Ambiguous, 700, with_info(cluster("AVAILABLE", "GROWING", 3), 9, "GROWING", &since())), WAITS)]
#[case::lost_and_another_count(open(OperationPhase::Ambiguous, 700, idle(4)), UNKNOWN)]
#[case::lost_and_paused(open(OperationPhase::Ambiguous, 700, idle(3)).paused(), WAITS)]
#[case::lost_and_observed(open(OperationPhase::Ambiguous, 700, idle(3)).spec(|s| s.management_policy = Some(ManagementPolicy::ObserveOnly)), WAITS)]
#[case::a_change_of_mind_waits(open(OperationPhase::Accepted, 60, cluster("AVAILABLE", "GROWING", 3)).spec(|s| s.node_count = Some(9)), WAITS)]
#[case::a_change_of_mind_after_it(open(OperationPhase::Accepted, 60, idle(5)).spec(|s| s.node_count = Some(9)), "call Resize #1 +4; Ready=True/Resizing; Synced=True/Resizing; Reconciling")]
#[case::lost_and_taken_back_while_it_waits(open(OperationPhase::Ambiguous, 599, idle(3)).spec(|s| s.node_count = Some(3)), WAITS)]
#[case::lost_and_taken_back(open(OperationPhase::Ambiguous, 600, idle(3)).spec(|s| s.node_count = Some(3)), QUIET)]
#[case::lost_and_no_longer_written(open(OperationPhase::Ambiguous, 600, idle(3)).spec(|s| s.node_count = None), QUIET)]
#[case::lost_and_taken_back_while_paused(open(OperationPhase::Ambiguous, 600, idle(3)).spec(|s| s.node_count = Some(3)).paused(), "Ready=True/Available; Synced=False/Paused")]
#[case::lost_and_less_is_wanted(open(OperationPhase::Ambiguous, 600, idle(3)).spec(|s| s.node_count = Some(4)), "call Resize #1 +1; Ready=True/Resizing; Synced=True/Resizing; Reconciling")]
#[case::lost_and_more_is_wanted(open(OperationPhase::Ambiguous, 600, idle(3)).spec(|s| s.node_count = Some(9)), "call Resize #1 +6; Ready=True/Resizing; Synced=True/Resizing; Reconciling")]
#[case::unknown_stays(open(OperationPhase::OutcomeUnknown, 9000, idle(3)), UNKNOWN)]
#[case::unknown_is_acknowledged(open(OperationPhase::OutcomeUnknown, 9000, idle(3)).annotate(names::ACKNOWLEDGE_ATTEMPT, OP), DRIFT)]
#[case::another_is_acknowledged(open(OperationPhase::OutcomeUnknown, 9000, idle(3)).annotate(names::ACKNOWLEDGE_ATTEMPT, "x"), UNKNOWN)]
#[case::what_is_not_unknown_is_not_acknowledged(open(OperationPhase::Accepted, 60, idle(3)).annotate(names::ACKNOWLEDGE_ATTEMPT, OP), WAITS)]
fn an_open_resize(#[case] facts: Facts, #[case] expected: &str) {
    assert_eq!(facts.plan_but_for_the_secret(), expected);
}

#[test]
fn before_the_call_a_fresh_detail_is_read() {
    let (_, reads) = wants(5).decide();
    assert!(reads.contains(&Read::Cluster(ID.into())));
}

#[test]
fn an_unknown_resize_does_not_block_a_restart() {
    let facts = open(OperationPhase::OutcomeUnknown, 9000, idle(3))
        .annotate(names::RESTART_REQUESTED_AT, ago(1).to_string());
    let (decision, _) = facts.decide();
    assert!(line(&decision).starts_with("call Restart #1"));
    assert_eq!(decision.status.unsettled_operations.len(), 1);
}

#[test]
fn the_service_s_reason_and_its_advice_are_told() {
    let mut cluster = with_info(
        cluster("AVAILABLE", "RESIZE_FAILURE", 3),
        5,
        "RESIZE_FAILURE",
        &since(),
    );
    cluster.failed_reasons = Some(why("6001"));
    let message = open(OperationPhase::Accepted, 60, cluster).message("Synced");
    assert!(
        message.contains("The service's reason: 6001: No luck. Check quota and stock"),
        "{message}"
    );
}
