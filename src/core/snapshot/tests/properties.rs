//! What holds of every situation, however odd the status and the service's words.

use proptest::prelude::*;

use super::*;

fn any_operation() -> impl Strategy<Value = Option<Operation>> {
    use OperationPhase::{Accepted, Ambiguous, Intended, OutcomeUnknown};
    let kind = prop::sample::select(vec![
        OperationKind::Snapshot,
        OperationKind::Snapshot,
        OperationKind::DeleteSnapshot,
    ]);
    let phase = prop::sample::select(vec![Intended, Ambiguous, Accepted, OutcomeUnknown]);
    prop::option::of(
        (kind, phase, 0..2000i64, 1..4i32).prop_map(|(kind, phase, age, attempt)| Operation {
            attempt,
            ..operation(kind, phase, age)
        }),
    )
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let status = prop::sample::select(vec![
        "AVAILABLE",
        "AVAILABLE",
        "CREATING",
        "RESTORING",
        "UNAVAILABLE",
        "FROZEN",
        "NEW",
        "",
    ]);
    let name = prop::sample::select(vec!["backup", "BACKUP", "other"]);
    (status, name, 0..2000i64).prop_map(|(status, name, age)| snapshot(ID, name, status, age))
}

fn any_meaning() -> impl Strategy<Value = Meaning> {
    use Meaning::{Absent, AbsentOrForbidden, Forbidden, Throttled, Unavailable};
    prop::sample::select(vec![
        Absent,
        AbsentOrForbidden,
        Forbidden,
        Throttled,
        Unavailable,
    ])
}

fn any_failure() -> impl Strategy<Value = Option<LastFailure>> {
    let kind = prop::sample::select(vec![OperationKind::Snapshot, OperationKind::DeleteSnapshot]);
    let reason = prop::sample::select(vec!["InvalidSpec", "QuotaExceeded", "Busy"]);
    prop::option::weighted(
        0.3,
        (kind, reason, 0..2000i64).prop_map(|(kind, reason, age)| last_failure(kind, reason, age)),
    )
}

prop_compose! {
    fn any_facts()(
        operation in any_operation(),
        failed in any_failure(),
        shown in any_snapshot(),
        hidden in prop::option::weighted(0.3, any_meaning()),
        listed in any::<bool>(),
        id_known in any::<bool>(),
        adopted in prop::option::of(any::<bool>()),
        adopts in any::<bool>(),
        deleted in any::<bool>(),
        task in prop::sample::select(vec!["", "", "GROWING", "SNAPSHOTTING"]),
        window in prop::option::of(0..1200i64),
        unlisted in prop::option::of(0..60i64),
        crd in any::<bool>(),
    ) -> Facts {
        let mut facts = Facts::new().cluster(cluster("AVAILABLE", task)).status(|status| {
            status.operation = operation;
            status.last_failure = failed;
            status.snapshot_id = id_known.then(|| ID.into());
            status.adopted = adopted;
        });
        if listed {
            facts = facts.list(std::slice::from_ref(&shown));
        }
        facts = match hidden {
            Some(meaning) => facts.detail_fails(meaning),
            None => facts.detail(shown),
        };
        if adopts {
            facts = facts.spec(|spec| spec.snapshot_id = Some(ID.into()));
        }
        if deleted {
            facts = facts.deleted();
        }
        if let Some(began) = window {
            facts = facts.window(began);
        }
        if let Some(apart) = unlisted {
            facts = facts.unlisted(apart);
        }
        if crd {
            facts = facts.crd_deleted();
        }
        facts
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn paused_makes_no_call_and_forgets_nothing(facts in any_facts()) {
        let decision = facts.paused().decide().0;
        prop_assert!(decision.call.is_none());
        prop_assert!(!decision.remove_finalizer);
    }

    #[test]
    fn a_call_has_its_intent_in_the_status(facts in any_facts()) {
        let decision = facts.decide().0;
        if let Some(intent) = &decision.call {
            prop_assert_eq!(decision.status.operation.as_ref(), Some(intent.operation()));
            prop_assert_eq!(intent.operation().phase, OperationPhase::Intended);
            prop_assert!(decision.add_finalizer && !decision.remove_finalizer);
        }
    }

    #[test]
    fn a_recorded_id_is_never_replaced_or_taken_twice(facts in any_facts()) {
        let before = facts.start.object.status.clone().and_then(|one| one.snapshot_id);
        let decision = facts.decide().0;
        if before.is_some() {
            prop_assert_eq!(&decision.status.snapshot_id, &before);
            let taking = decision.call.is_some_and(|one| one.operation().kind == OperationKind::Snapshot);
            prop_assert!(!taking);
        }
    }

    #[test]
    fn what_cannot_be_repaired_is_not_also_under_way(facts in any_facts()) {
        let conditions = facts.decide().0.status.conditions;
        let both = core_conditions::is_true(&conditions, "Stalled")
            && core_conditions::is_true(&conditions, "Reconciling");
        prop_assert!(!both);
    }
}
