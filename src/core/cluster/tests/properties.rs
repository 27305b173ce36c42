//! What holds of every situation, however odd the status and the service's words.

use proptest::prelude::*;

use super::*;
use crate::api::cluster::{ClusterDeletionPolicy, ManagementPolicy};

fn any_kind() -> impl Strategy<Value = OperationKind> {
    use OperationKind::{Create, Delete, DeleteSnapshot, ResetPassword, Resize, Restart, Restore};
    prop::sample::select(vec![
        Create,
        Restore,
        Resize,
        Restart,
        ResetPassword,
        OperationKind::Snapshot,
        Delete,
        DeleteSnapshot,
    ])
}

fn any_phase() -> impl Strategy<Value = OperationPhase> {
    use OperationPhase::{Accepted, Ambiguous, Intended, OutcomeUnknown};
    prop::sample::select(vec![Intended, Ambiguous, Accepted, OutcomeUnknown])
}

fn any_operation() -> impl Strategy<Value = Option<Operation>> {
    let parts = (
        any_kind(),
        any_phase(),
        0..5000i64,
        1..4i32,
        prop::option::of(2..9i32),
        prop::option::of(2..9i32),
    );
    prop::option::of(
        parts.prop_map(|(kind, phase, age, attempt, target, baseline)| {
            let mut operation = operation(kind, phase, age);
            operation.attempt = attempt;
            operation.target.node_count = target;
            operation.baseline.node_count = baseline;
            operation
        }),
    )
}

fn any_cluster() -> impl Strategy<Value = Cluster> {
    let status = prop::sample::select(vec![
        "AVAILABLE",
        "AVAILABLE",
        "AVAILABLE",
        "ACTIVE",
        "CREATING",
        "CREATION FAILED",
        "UNAVAILABLE",
        "FROZEN",
        "DELETING",
        "DELETE_FAILED",
        "",
        "NEW",
    ]);
    let task = prop::sample::select(vec![
        "",
        "",
        "",
        "GROWING",
        "REBOOTING",
        "SNAPSHOTTING",
        "RESIZE_FAILURE",
        "REBOOT_FAILURE",
        "WAITING_REDISTRIBUTION",
    ]);
    (status, task, 2..9i32).prop_map(|(status, task, nodes)| cluster(status, task, nodes))
}

fn any_failure() -> impl Strategy<Value = Option<LastFailure>> {
    let reason = prop::sample::select(vec![
        "InvalidSpec",
        "QuotaExceeded",
        "Busy",
        "PasswordRejected",
        "ResizeFailed",
        "DeletionBlocked",
        "NameConflict",
    ]);
    prop::option::of(
        (any_kind(), reason, 0..2000i64)
            .prop_map(|(kind, reason, age)| last_failure(kind, reason, age)),
    )
}

prop_compose! {
    fn any_facts()(
        operation in any_operation(),
        detail in prop::option::weighted(0.9, any_cluster()),
        listed in any::<bool>(),
        known_id in any::<bool>(),
        adopted in prop::option::of(any::<bool>()),
        settled in prop::option::of(2..9i32),
        wanted in prop::option::of(2..9i32),
        failure in any_failure(),
        flags in prop::array::uniform8(any::<bool>()),
        policy in prop::option::of(prop::sample::select(vec![
            ClusterDeletionPolicy::Delete, ClusterDeletionPolicy::Snapshot, ClusterDeletionPolicy::Retain])),
        window in prop::option::of(0..2000i64),
        snapshot_status in prop::option::of(prop::sample::select(vec!["AVAILABLE", "CREATING", "UNAVAILABLE"])),
        secret in prop::sample::select(vec![0, 1, 2, 3]),
    ) -> Facts {
        let [paused, observed, deleting, restart, rotate, restored, referenced, low] = flags;
        let mut facts = Facts::new().finalizer()
            .spec(|s| {
                s.node_count = wanted;
                s.deletion_policy = policy;
                s.management_policy = (observed && restart).then_some(ManagementPolicy::ObserveOnly);
                if restored {
                    s.restore_from = Some(RestoreFrom { snapshot_ref: None, snapshot_id: Some("snap".into()) });
                }
            })
            .status(|s| {
                s.operation = operation;
                s.cluster_id = known_id.then(|| ID.into());
                s.adopted = adopted;
                s.settled_node_count = settled;
                if let Some(failure) = failure {
                    record(s, failure);
                }
                s.handled = Some(Handled::default());
            });
        facts = match detail {
            Some(cluster) => {
                let facts = facts.detail(cluster.clone());
                if listed { facts.list(&[cluster]) } else { facts }
            }
            None => facts.detail_fails(Meaning::Absent).unlisted(if listed { 60 } else { 1 }),
        };
        if paused && low { facts = facts.paused(); }
        if deleting { facts = facts.deleted(); }
        if restart { facts = facts.annotate(names::RESTART_REQUESTED_AT, ago(5).to_string()); }
        if rotate { facts = facts.annotate(names::ROTATE_PASSWORD_REQUESTED_AT, ago(5).to_string()); }
        if referenced { facts = facts.password("Chosen-Pw-1"); }
        if low { facts = facts.facts(|f| f.memory.low_count_since = Some(ago(900))); }
        if let Some(began) = window { facts = facts.window(began); }
        if let Some(status) = snapshot_status {
            facts = facts.snapshots(&[snapshot("final", "warehouse-final-abcdef12", status, 60)]);
        }
        match secret {
            0 => facts.secret_is(ConnectionSecret::Absent),
            1 => facts.secret_is(ConnectionSecret::Foreign("x".into())),
            2 => facts.secret(&[("password", PASSWORD), ("pending-password", "Pending-Pw-1")]),
            _ => facts.secret(&[("password", PASSWORD)]),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    // `decide` itself fails where a read is asked for twice.
    #[test]
    fn every_plan_ends_and_every_call_is_covered(facts in any_facts()) {
        let object = facts.facts.object.clone();
        let stored = object.status.clone().unwrap();
        let hands_off = object.spec.management_policy == Some(ManagementPolicy::ObserveOnly)
            || object.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(names::PAUSED));
        let listed = facts.snapshots.clone();
        let (decision, reads) = facts.decide();
        prop_assert!(decision.call.is_none() || !decision.remove_finalizer);
        if decision.remove_finalizer {
            prop_assert!(object.metadata.deletion_timestamp.is_some());
        }
        let Some(intent) = &decision.call else { return Ok(()) };
        prop_assert!(!hands_off);
        prop_assert_eq!(decision.status.operation.as_ref(), Some(intent.operation()));
        prop_assert_eq!(intent.operation().phase, OperationPhase::Intended);
        match intent.call() {
            Call::DeleteCluster { cluster_id, .. } => {
                prop_assert!(object.metadata.deletion_timestamp.is_some());
                prop_assert_eq!(Some(cluster_id), stored.cluster_id.as_ref());
                prop_assert!(reads.contains(&Read::Snapshots));
                let kept = object.spec.deletion_policy.unwrap_or(ClusterDeletionPolicy::Snapshot);
                let status = decision.status.status.as_deref().unwrap_or_default();
                let repeated = stored.operation.as_ref().is_some_and(|one| one.kind == OperationKind::Delete);
                if kept == ClusterDeletionPolicy::Snapshot && status != "CREATION FAILED" && !repeated {
                    let list = listed.unwrap().unwrap();
                    let last = list.named("warehouse-final-abcdef12");
                    prop_assert!(last.first().is_some_and(|one| one.status == "AVAILABLE"));
                }
            }
            Call::ResizeCluster { count, .. } => {
                let open = intent.operation();
                let (target, baseline) = (open.target.node_count.unwrap(), open.baseline.node_count.unwrap());
                prop_assert!(*count == target - baseline && *count > 0);
                prop_assert_eq!(decision.status.node_count, Some(baseline));
                if open.attempt == 1 {
                    prop_assert_eq!(Some(target), object.spec.node_count);
                }
            }
            Call::CreateCluster(_) | Call::RestoreSnapshot { .. } => {
                prop_assert!(stored.cluster_id.is_none());
                prop_assert!(reads.contains(&Read::Clusters));
            }
            Call::CreateSnapshot { .. } | Call::DeleteSnapshot { .. } => {
                prop_assert!(object.metadata.deletion_timestamp.is_some());
            }
            Call::RestartCluster { .. } | Call::ResetPassword { .. } => {
                prop_assert!(object.metadata.deletion_timestamp.is_none());
            }
        }
    }
}
