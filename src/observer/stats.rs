//! Counts of remote calls by operation and result, for metrics.
//!
//! Both labels come from closed sets. It knows nothing of any metrics library.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::dws::answer::{Failure, Meaning};
use crate::dws::operation::Operation;

/// What was counted of one operation and result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// How long they took together, from sending to the answer.
    pub time: Duration,
}

/// Counters of one account. They only grow, also when its credentials are replaced.
#[derive(Debug, Default)]
pub struct Stats(Mutex<BTreeMap<(&'static str, &'static str), Tally>>);

impl Stats {
    /// Counts one request that was sent, or was to be sent.
    pub fn record(&self, operation: Operation, result: &'static str, took: Duration) {
        let mut all = self.0.lock();
        let tally = all.entry((operation_name(operation), result)).or_default();
        tally.count += 1;
        tally.time += took;
    }

    /// Everything that was counted: operation, result, tally, in order.
    pub fn snapshot(&self) -> Vec<(&'static str, &'static str, Tally)> {
        let all = self.0.lock();
        all.iter()
            .map(|((operation, result), tally)| (*operation, *result, *tally))
            .collect()
    }

    /// How many requests of this operation had this result.
    pub fn count(&self, operation: Operation, result: &str) -> u64 {
        let all = self.0.lock();
        all.iter()
            .filter(|((name, got), _)| *name == operation_name(operation) && *got == result)
            .map(|(_, tally)| tally.count)
            .sum()
    }
}

/// The result label of a request that succeeded.
pub const OK: &str = "ok";
/// The result label of a request that the circuit held back: nothing was sent.
pub const HELD: &str = "held";
/// The result label of a changing call that may have been executed.
pub const AMBIGUOUS: &str = "ambiguous";

/// The result label of a failure.
pub fn result_name(failure: &Failure) -> &'static str {
    match failure.meaning {
        Meaning::Busy => "busy",
        Meaning::Throttled => "throttled",
        Meaning::Unauthenticated => "unauthenticated",
        Meaning::Forbidden => "forbidden",
        Meaning::Absent => "absent",
        Meaning::AbsentOrForbidden => "absent_or_forbidden",
        Meaning::NameTaken => "name_taken",
        Meaning::BadPassword => "bad_password",
        Meaning::Quota => "quota",
        Meaning::SoldOut => "sold_out",
        Meaning::Invalid => "invalid",
        Meaning::Unavailable => "unavailable",
        Meaning::Garbled => "garbled",
        Meaning::Unknown => "unknown",
    }
}

/// The operation label.
pub fn operation_name(operation: Operation) -> &'static str {
    match operation {
        Operation::CreateCluster => "create_cluster",
        Operation::ListClusters => "list_clusters",
        Operation::GetCluster => "get_cluster",
        Operation::ListNodeTypes => "list_node_types",
        Operation::DeleteCluster => "delete_cluster",
        Operation::RestartCluster => "restart_cluster",
        Operation::ResizeCluster => "resize_cluster",
        Operation::ResetPassword => "reset_password",
        Operation::CreateSnapshot => "create_snapshot",
        Operation::ListSnapshots => "list_snapshots",
        Operation::GetSnapshot => "get_snapshot",
        Operation::DeleteSnapshot => "delete_snapshot",
        Operation::RestoreSnapshot => "restore_snapshot",
        Operation::CreateToken => "create_token",
        Operation::ListProjects => "list_projects",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_operation_and_result() {
        let stats = Stats::default();
        let second = Duration::from_secs(1);
        stats.record(Operation::ListClusters, OK, second);
        stats.record(Operation::ListClusters, OK, second);
        stats.record(Operation::ListClusters, "throttled", second);
        assert_eq!(stats.count(Operation::ListClusters, OK), 2);
        assert_eq!(stats.count(Operation::ListSnapshots, OK), 0);
        let all = stats.snapshot();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].0, "list_clusters");
        assert_eq!(
            all[0].2,
            Tally {
                count: 2,
                time: 2 * second
            }
        );
    }
}
