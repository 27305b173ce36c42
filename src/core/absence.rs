//! When a remote object counts as gone: the one judgement that may let a finalizer go.
//!
//! One not-found is never enough, because answers lag and a 403 may mean "no permission". Absence needs
//! the service's own not-found for this id *and* two complete lists without it, one interval apart. And
//! what was made only just now is not gone because details and lists that lag do not show it yet.

use jiff::{SignedDuration, Timestamp};

use super::facts::{Absence, Memory, Settings};
use crate::api::{Operation, OperationKind, OperationPhase};
use crate::dws::answer::{Failure, Meaning};

/// What a failed detail read and the lists say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Confirmed gone.
    Gone,
    /// The service does not show it; the lists have not confirmed it yet.
    NotShown,
    /// The service accepted it so lately that it need not show it yet.
    NotYet,
    /// The failure says nothing about it.
    Unknown,
}

/// Judges `failure`, the answer to a detail read of the recorded id, at `now`.
///
/// DWS.0015 ("does not exist or no permission") counts only if these credentials have read the id
/// before, or our own DELETE of it was accepted.
pub fn judge(
    failure: &Failure,
    memory: &Memory,
    operation: Option<&Operation>,
    settings: &Settings,
    now: Timestamp,
) -> Presence {
    let hidden = matches!(
        failure.meaning,
        Meaning::Absent | Meaning::AbsentOrForbidden
    );
    let accepted = operation.filter(|one| one.phase == OperationPhase::Accepted);
    if hidden && accepted.is_some_and(|one| is_young(one, settings.ambiguity_window, now)) {
        return Presence::NotYet;
    }
    let delete_accepted = accepted.is_some_and(|one| {
        matches!(
            one.kind,
            OperationKind::Delete | OperationKind::DeleteSnapshot
        )
    });
    if !hidden || failure.meaning != Meaning::Absent && !memory.id_was_read && !delete_accepted {
        return Presence::Unknown;
    }
    if lists_agree(memory.absence, settings.active_interval) {
        Presence::Gone
    } else {
        Presence::NotShown
    }
}

/// What this made may not show yet: the window holds the longest lag of the service's lists.
fn is_young(accepted: &Operation, window: SignedDuration, now: Timestamp) -> bool {
    let makes = matches!(
        accepted.kind,
        OperationKind::Create | OperationKind::Restore | OperationKind::Snapshot
    );
    makes && now.duration_since(accepted.intended_at) < window
}

/// Two complete lists without the id, at least one interval apart.
fn lists_agree(absence: Option<Absence>, interval: SignedDuration) -> bool {
    absence.is_some_and(|absence| absence.last.duration_since(absence.first) >= interval)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::core::failures::tests::failure;

    #[rstest]
    #[case(Meaning::Absent, false, false, Some(10), Presence::Gone)]
    #[case(Meaning::Absent, false, false, Some(9), Presence::NotShown)]
    #[case(Meaning::Absent, true, true, None, Presence::NotShown)]
    #[case(Meaning::AbsentOrForbidden, false, false, Some(60), Presence::Unknown)]
    #[case(Meaning::AbsentOrForbidden, true, false, Some(60), Presence::Gone)]
    #[case(Meaning::AbsentOrForbidden, false, true, Some(60), Presence::Gone)]
    #[case(Meaning::Unauthenticated, true, true, Some(60), Presence::Unknown)]
    #[case(Meaning::Forbidden, true, true, Some(60), Presence::Unknown)]
    #[case(Meaning::Throttled, true, true, Some(60), Presence::Unknown)]
    #[case(Meaning::Unavailable, true, true, Some(60), Presence::Unknown)]
    #[case(Meaning::Garbled, true, true, Some(60), Presence::Unknown)]
    fn only_a_confirmed_absence_is_gone(
        #[case] meaning: Meaning,
        #[case] read: bool,
        #[case] deleted: bool,
        #[case] apart: Option<i64>,
        #[case] expected: Presence,
    ) {
        let absence = apart.map(|seconds| Absence {
            first: Timestamp::from_second(100).unwrap(),
            last: Timestamp::from_second(100 + seconds).unwrap(),
        });
        let memory = Memory {
            id_was_read: read,
            absence,
            ..Memory::default()
        };
        let delete = deleted.then(|| operation(OperationKind::Delete, 60));
        assert_eq!(judged(meaning, &memory, delete.as_ref()), expected);
    }

    #[rstest]
    #[case(OperationKind::Create, 599, Presence::NotYet)]
    #[case(OperationKind::Restore, 599, Presence::NotYet)]
    #[case(OperationKind::Snapshot, 599, Presence::NotYet)]
    #[case(OperationKind::Create, 600, Presence::Gone)]
    #[case(OperationKind::Resize, 5, Presence::Gone)]
    fn what_was_made_just_now_need_not_show_yet(
        #[case] kind: OperationKind,
        #[case] age: i64,
        #[case] expected: Presence,
    ) {
        let memory = Memory {
            id_was_read: true,
            absence: Some(Absence {
                first: Timestamp::from_second(100).unwrap(),
                last: Timestamp::from_second(500).unwrap(),
            }),
            ..Memory::default()
        };
        let open = operation(kind, age);
        for meaning in [Meaning::Absent, Meaning::AbsentOrForbidden] {
            assert_eq!(judged(meaning, &memory, Some(&open)), expected);
        }
        assert_eq!(
            judged(Meaning::Forbidden, &memory, Some(&open)),
            Presence::Unknown
        );
    }

    const NOW: i64 = 10_000;

    fn judged(meaning: Meaning, memory: &Memory, operation: Option<&Operation>) -> Presence {
        let settings = Settings {
            ambiguity_window: SignedDuration::from_mins(10),
            active_interval: SignedDuration::from_secs(10),
            idle_interval: SignedDuration::from_mins(1),
        };
        let now = Timestamp::from_second(NOW).unwrap();
        judge(&failure(meaning), memory, operation, &settings, now)
    }

    fn operation(kind: OperationKind, age: i64) -> Operation {
        Operation {
            id: "o".to_owned(),
            kind,
            attempt: 1,
            phase: OperationPhase::Accepted,
            target: crate::api::Target::default(),
            baseline: crate::api::Baseline::default(),
            intended_at: Timestamp::from_second(NOW - age).unwrap(),
            message: None,
            task_seen: None,
            other: std::collections::BTreeMap::default(),
        }
    }
}
