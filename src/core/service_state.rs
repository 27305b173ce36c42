//! What the service's words mean for a plan. The words themselves stay verbatim in the status.
//!
//! From the reference (5.1.2, 5.2.2) and the newer words that real clients meet; an unknown word is
//! [`Life::Unknown`], never an error and never taken for usable or gone.

use jiff::Timestamp;

use crate::dws::model::{Cluster, Snapshot};

/// Where a cluster is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Being made, by a create or a restore.
    Creating,
    /// Usable, as far as its sub-status allows.
    Available,
    /// The service says that it cannot be used just now.
    Unavailable,
    /// Frozen by the account's state.
    Frozen,
    /// The create failed; the cluster exists and must be deleted.
    CreationFailed,
    /// Being deleted.
    Deleting,
    /// Gone, though still shown.
    Deleted,
    /// A word that this version does not know.
    Unknown,
}

/// The life that `status` tells.
pub fn life(status: &str) -> Life {
    match status {
        "CREATING" | "RESTORING" => Life::Creating,
        "AVAILABLE" | "ACTIVE" => Life::Available,
        "UNAVAILABLE" | "DELETE_FAILED" => Life::Unavailable,
        "FROZEN" | "POLICE_FROZEN" => Life::Frozen,
        "CREATION FAILED" | "CREATION_FAILED" | "CREATE_FAILED" | "FAILED" => Life::CreationFailed,
        "DELETING" => Life::Deleting,
        "DELETED" => Life::Deleted,
        _ => Life::Unknown,
    }
}

/// Whether `task_status` names a task that runs (a failed, waiting or paused one does not).
pub fn task_runs(task: Option<&str>) -> bool {
    task.is_some_and(|task| !task.is_empty() && !task_failed(task) && !task_rests(task))
}

/// A task that ended in failure.
pub fn task_failed(task: &str) -> bool {
    task.ends_with("_FAILURE") || task.ends_with("_FAILED")
}

/// A task that may stay for days with the nodes already there.
fn task_rests(task: &str) -> bool {
    matches!(task, "WAITING_REDISTRIBUTION" | "REDISTRIBUTION_PAUSED")
}

/// Usable and without a running task: a changing call may go out.
pub fn idle(cluster: &Cluster) -> bool {
    life(&cluster.status) == Life::Available && !task_runs(cluster.task_status.as_deref())
}

/// One of the sub-status words, which come joined by ` | `.
pub fn sub_status_has(cluster: &Cluster, word: &str) -> bool {
    cluster
        .sub_status
        .as_deref()
        .is_some_and(|all| all.split('|').any(|one| one.trim() == word))
}

/// A time as the service writes it: with or without `Z`, with or without fractions; UTC.
pub fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
    })
}

/// The line of the progress column: `GROWING 20%`; several tasks joined by a comma.
pub fn progress(cluster: &Cluster) -> Option<String> {
    let line: Vec<String> = cluster
        .action_progress
        .iter()
        .map(|(task, done)| format!("{task} {done}"))
        .collect();
    (!line.is_empty()).then(|| line.join(", "))
}

/// Where a snapshot is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotLife {
    /// Being taken.
    Creating,
    /// Complete; a restore from it may run.
    Available,
    /// It failed, or was damaged.
    Unavailable,
    /// Frozen by the account's state.
    Frozen,
    /// A word that this version does not know.
    Unknown,
}

/// The life that a snapshot's `status` tells.
pub fn snapshot_life(status: &str) -> SnapshotLife {
    match status {
        "CREATING" => SnapshotLife::Creating,
        "AVAILABLE" | "RESTORING" | "ACTIVE" => SnapshotLife::Available,
        "UNAVAILABLE" | "FAILED" | "CREATE_FAILED" | "CREATION FAILED" => SnapshotLife::Unavailable,
        "FROZEN" | "POLICE_FROZEN" => SnapshotLife::Frozen,
        _ => SnapshotLife::Unknown,
    }
}

/// Whether somebody asked for the snapshot (the service takes others by itself).
pub fn is_manual(snapshot: &Snapshot) -> bool {
    !snapshot
        .type_
        .as_deref()
        .is_some_and(|type_| type_.starts_with("AUTO"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, false)]
    #[case(Some(""), false)]
    #[case(Some("GROWING"), true)]
    #[case(Some("REBOOTING"), true)]
    #[case(Some("SNAPSHOTTING"), true)]
    #[case(Some("RESIZE_FAILURE"), false)]
    #[case(Some("DISK_EXPAND_FAILED"), false)]
    #[case(Some("WAITING_REDISTRIBUTION"), false)]
    #[case(Some("REDISTRIBUTION_PAUSED"), false)]
    #[case(Some("SOMETHING_NEW"), true)]
    fn a_running_task_is_told_from_a_rest(#[case] task: Option<&str>, #[case] runs: bool) {
        assert_eq!(task_runs(task), runs);
    }

    #[rstest]
    #[case("AVAILABLE", Life::Available)]
    #[case("ACTIVE", Life::Available)]
    #[case("CREATION FAILED", Life::CreationFailed)]
    #[case("POLICE_FROZEN", Life::Frozen)]
    #[case("available", Life::Unknown)]
    #[case("", Life::Unknown)]
    fn words_keep_their_meaning(#[case] status: &str, #[case] expected: Life) {
        assert_eq!(life(status), expected);
    }

    #[rstest]
    #[case("2018-02-03T02:28:18Z", Some(1_517_624_898))]
    #[case("2018-02-03T02:28:18", Some(1_517_624_898))]
    #[case("2018-02-03T02:28:18.250", Some(1_517_624_898))]
    #[case("yesterday", None)]
    fn a_time_is_read_in_every_shape(#[case] text: &str, #[case] second: Option<i64>) {
        assert_eq!(time(text).map(Timestamp::as_second), second);
    }

    #[test]
    fn a_joined_sub_status_is_read_word_by_word() {
        let cluster = Cluster {
            sub_status: Some("DEGRADED | READONLY".into()),
            ..Cluster::default()
        };
        assert!(sub_status_has(&cluster, "READONLY"));
        assert!(!sub_status_has(&cluster, "READ"));
    }
}
