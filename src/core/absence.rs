//! When a remote object counts as gone: the one judgement that may let a finalizer go.
//!
//! One not-found is never enough, because answers lag and a 403 may mean "no permission". Absence needs
//! the service's own not-found for this id *and* two complete lists without it, one interval apart.

use jiff::SignedDuration;

use super::facts::{Absence, Memory};
use crate::dws::answer::{Failure, Meaning};

/// What a failed detail read and the lists say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Confirmed gone.
    Gone,
    /// The service does not show it; the lists have not confirmed it yet.
    NotShown,
    /// The failure says nothing about it.
    Unknown,
}

/// Judges `failure`, the answer to a detail read of the recorded id.
///
/// DWS.0015 ("does not exist or no permission") counts only if these credentials have read the id
/// before, or our own DELETE of it was accepted.
pub fn judge(
    failure: &Failure,
    memory: &Memory,
    delete_accepted: bool,
    interval: SignedDuration,
) -> Presence {
    let not_found = match failure.meaning {
        Meaning::Absent => true,
        Meaning::AbsentOrForbidden => memory.id_was_read || delete_accepted,
        _ => false,
    };
    if !not_found {
        return Presence::Unknown;
    }
    if lists_agree(memory.absence, interval) {
        Presence::Gone
    } else {
        Presence::NotShown
    }
}

/// Two complete lists without the id, at least one interval apart.
fn lists_agree(absence: Option<Absence>, interval: SignedDuration) -> bool {
    absence.is_some_and(|absence| absence.last.duration_since(absence.first) >= interval)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
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
        let judged = judge(
            &failure(meaning),
            &memory,
            deleted,
            SignedDuration::from_secs(10),
        );
        assert_eq!(judged, expected);
    }
}
