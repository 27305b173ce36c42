//! When an account is polled next, and what makes it lively: pure functions of what was seen.
//!
//! They know neither a clock nor a client; the words for running tasks are the core's.

use jiff::{SignedDuration, Timestamp};

use crate::core::service_state::{Life, SnapshotLife, life, snapshot_life, task_runs};
use crate::dws::model::{Cluster, Snapshot};

/// The longest that jitter adds, as a fraction. It only lengthens: two polls are never closer than the
/// interval, because absence is confirmed by lists one interval apart.
const JITTER: f64 = 0.2;

/// The two intervals.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// While a task of the account runs or a resource has work.
    pub active: SignedDuration,
    /// Else.
    pub idle: SignedDuration,
}

/// When to poll after a poll at `last`. `unit` from `[0, 1)` spreads the accounts.
pub fn next(last: Timestamp, pace: Pace, active: bool, unit: f64) -> Timestamp {
    let base = if active {
        pace.active.min(pace.idle)
    } else {
        pace.idle
    };
    let base = base.max(SignedDuration::from_millis(1));
    let interval = SignedDuration::try_from_secs_f64(
        base.as_secs_f64() * (1.0 + JITTER * unit.clamp(0.0, 1.0)),
    )
    .unwrap_or(base);
    last.checked_add(interval).unwrap_or(Timestamp::MAX)
}

/// Something goes on in this cluster that will end by itself.
pub fn cluster_is_busy(cluster: &Cluster) -> bool {
    task_runs(cluster.task_status.as_deref())
        || matches!(life(&cluster.status), Life::Creating | Life::Deleting)
}

/// Something goes on in this snapshot that will end by itself. A restore from it shows in the new cluster
/// as well, and it may stay in `RESTORING` for an hour without changing.
pub fn snapshot_is_busy(snapshot: &Snapshot) -> bool {
    snapshot_life(&snapshot.status) == SnapshotLife::Creating || snapshot.status == "DELETING"
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const PACE: Pace = Pace {
        active: SignedDuration::from_secs(10),
        idle: SignedDuration::from_mins(1),
    };

    #[rstest]
    #[case(true, 0.0, 10)]
    #[case(true, 0.5, 11)]
    #[case(false, 0.0, 60)]
    #[case(false, 1.0, 72)]
    fn intervals_follow_activity_and_only_grow(
        #[case] active: bool,
        #[case] unit: f64,
        #[case] seconds: i64,
    ) {
        let last = Timestamp::UNIX_EPOCH;
        assert_eq!(next(last, PACE, active, unit).as_second(), seconds);
    }

    #[test]
    fn a_short_idle_interval_is_not_lengthened_by_work() {
        let pace = Pace {
            active: SignedDuration::from_secs(10),
            idle: SignedDuration::from_secs(2),
        };
        assert_eq!(next(Timestamp::UNIX_EPOCH, pace, true, 0.0).as_second(), 2);
    }

    #[rstest]
    #[case("AVAILABLE", None, false)]
    #[case("CREATING", None, true)]
    #[case("CREATION FAILED", None, false)]
    #[case("DELETING", None, true)]
    #[case("AVAILABLE", Some("GROWING"), true)]
    #[case("AVAILABLE", Some("SNAPSHOTTING"), true)]
    #[case("AVAILABLE", Some("SOMETHING_NEW"), true)]
    #[case("AVAILABLE", Some("RESIZE_FAILURE"), false)]
    #[case("AVAILABLE", Some("SNAPSHOT_FAILED"), false)]
    #[case("AVAILABLE", Some("WAITING_REDISTRIBUTION"), false)]
    #[case("AVAILABLE", Some("REDISTRIBUTION_PAUSED"), false)]
    #[case("AVAILABLE", Some("REDISTRIBUTING"), true)]
    fn clusters_with_a_task_are_busy(
        #[case] status: &str,
        #[case] task: Option<&str>,
        #[case] busy: bool,
    ) {
        let cluster = Cluster {
            status: status.to_owned(),
            task_status: task.map(str::to_owned),
            ..Cluster::default()
        };
        assert_eq!(cluster_is_busy(&cluster), busy);
    }

    #[rstest]
    #[case("CREATING", true)]
    #[case("AVAILABLE", false)]
    #[case("UNAVAILABLE", false)]
    #[case("DELETING", true)]
    fn snapshots_in_the_making_are_busy(#[case] status: &str, #[case] busy: bool) {
        let snapshot = Snapshot {
            status: status.to_owned(),
            ..Snapshot::default()
        };
        assert_eq!(snapshot_is_busy(&snapshot), busy);
    }
}
