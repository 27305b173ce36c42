//! What differs between two lists: a pure comparison.
//!
//! It knows which fields of an object move by themselves. It knows nothing of who cares.

use std::sync::Arc;

use crate::core::facts::{ClusterList, SnapshotList};
use crate::dws::model::{Cluster, Snapshot};

/// Something remote that a resource can follow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A cluster by id.
    Cluster(String),
    /// Clusters by exact name.
    ClusterName(String),
    /// A snapshot by id.
    Snapshot(String),
    /// Snapshots by name, in lower case: the service compares without case.
    SnapshotName(String),
}

/// What came, went or changed between two lists of clusters.
pub fn cluster_changes(old: &ClusterList, new: &ClusterList) -> Vec<Subject> {
    let mut changes = Vec::new();
    let mut note = |cluster: &Cluster| {
        changes.push(Subject::Cluster(cluster.id.clone()));
        changes.push(Subject::ClusterName(cluster.name.clone()));
    };
    for (id, cluster) in &new.by_id {
        match old.by_id.get(id) {
            Some(before) if Arc::ptr_eq(before, cluster) || same_cluster(before, cluster) => {}
            Some(before) => {
                if before.name != cluster.name {
                    note(before);
                }
                note(cluster);
            }
            None => note(cluster),
        }
    }
    for (id, cluster) in &old.by_id {
        if !new.by_id.contains_key(id) {
            note(cluster);
        }
    }
    changes
}

/// What came, went or changed between two lists of snapshots.
pub fn snapshot_changes(old: &SnapshotList, new: &SnapshotList) -> Vec<Subject> {
    let mut changes = Vec::new();
    let mut note = |snapshot: &Snapshot| {
        changes.push(Subject::Snapshot(snapshot.id.clone()));
        changes.push(Subject::SnapshotName(snapshot.name.to_lowercase()));
    };
    for (id, snapshot) in &new.by_id {
        match old.by_id.get(id) {
            Some(before) if Arc::ptr_eq(before, snapshot) || before == snapshot => {}
            Some(before) => {
                if before.name != snapshot.name {
                    note(before);
                }
                note(snapshot);
            }
            None => note(snapshot),
        }
    }
    for (id, snapshot) in &old.by_id {
        if !new.by_id.contains_key(id) {
            note(snapshot);
        }
    }
    changes
}

/// Equal in everything but what moves by itself (`recentEvents`, `updated`), which travels only with
/// another change. Written out so that a new field must be decided on here.
fn same_cluster(old: &Cluster, new: &Cluster) -> bool {
    let Cluster {
        id,
        name,
        status,
        sub_status,
        task_status,
        action_progress,
        node_type,
        vpc_id,
        subnet_id,
        security_group_id,
        availability_zone,
        enterprise_project_id,
        node_count,
        port,
        user_name,
        version,
        public_ip,
        endpoints,
        public_endpoints,
        created,
        updated: _,
        created_at,
        recent_events: _,
        tags,
        failed_reasons,
        private_ips,
        maintain_window,
        resize_info,
        parameter_group,
    } = old;
    *id == new.id
        && *name == new.name
        && *status == new.status
        && *sub_status == new.sub_status
        && *task_status == new.task_status
        && *action_progress == new.action_progress
        && *node_type == new.node_type
        && *vpc_id == new.vpc_id
        && *subnet_id == new.subnet_id
        && *security_group_id == new.security_group_id
        && *availability_zone == new.availability_zone
        && *enterprise_project_id == new.enterprise_project_id
        && *node_count == new.node_count
        && *port == new.port
        && *user_name == new.user_name
        && *version == new.version
        && *public_ip == new.public_ip
        && *endpoints == new.endpoints
        && *public_endpoints == new.public_endpoints
        && *created == new.created
        && *created_at == new.created_at
        && *tags == new.tags
        && *failed_reasons == new.failed_reasons
        && *private_ips == new.private_ips
        && *maintain_window == new.maintain_window
        && *resize_info == new.resize_info
        && *parameter_group == new.parameter_group
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rstest::rstest;

    use super::*;
    use crate::dws::model::Listing;

    fn cluster(id: &str, name: &str) -> Cluster {
        Cluster {
            id: id.to_owned(),
            name: name.to_owned(),
            status: "AVAILABLE".to_owned(),
            ..Cluster::default()
        }
    }

    fn clusters(items: Vec<Cluster>) -> ClusterList {
        let listing = Listing {
            items,
            complete: true,
            service_time: None,
        };
        ClusterList::from_listing(listing, Timestamp::UNIX_EPOCH).expect("complete")
    }

    fn sorted(changes: Vec<Subject>) -> Vec<String> {
        let mut texts: Vec<_> = changes
            .into_iter()
            .map(|change| match change {
                Subject::Cluster(id) => format!("cluster {id}"),
                Subject::ClusterName(name) => format!("cluster name {name}"),
                Subject::Snapshot(id) => format!("snapshot {id}"),
                Subject::SnapshotName(name) => format!("snapshot name {name}"),
            })
            .collect();
        texts.sort();
        texts
    }

    type Change = for<'a> fn(&'a mut Cluster);

    #[rstest]
    #[case::nothing(|_: &mut Cluster| (), false)]
    #[case::events(|c: &mut Cluster| c.recent_events = Some(9), false)]
    #[case::updated(|c: &mut Cluster| c.updated = Some("2026-01-01T00:00:00".into()), false)]
    #[case::status(|c: &mut Cluster| c.status = "UNAVAILABLE".into(), true)]
    #[case::task(|c: &mut Cluster| c.task_status = Some("GROWING".into()), true)]
    #[case::sub_status(|c: &mut Cluster| c.sub_status = Some("READONLY".into()), true)]
    #[case::progress(|c: &mut Cluster| { c.action_progress.insert("GROWING".into(), "20%".into()); }, true)]
    #[case::nodes(|c: &mut Cluster| c.node_count = Some(4), true)]
    #[case::reasons(|c: &mut Cluster| c.failed_reasons = Some(crate::dws::model::FailedReasons::default()), true)]
    fn only_what_means_something_is_a_change(#[case] change: Change, #[case] expected: bool) {
        let mut after = cluster("1", "one");
        change(&mut after);
        let changes = cluster_changes(
            &clusters(vec![cluster("1", "one"), cluster("2", "two")]),
            &clusters(vec![cluster("2", "two"), after]),
        );
        let told = if expected {
            vec!["cluster 1", "cluster name one"]
        } else {
            vec![]
        };
        assert_eq!(sorted(changes), told);
    }

    #[test]
    fn what_has_not_changed_is_held_once() {
        let listing = |status: &str| Listing {
            items: vec![
                cluster("1", "one"),
                Cluster {
                    status: status.to_owned(),
                    ..cluster("2", "two")
                },
            ],
            complete: true,
            service_time: None,
        };
        let now = Timestamp::UNIX_EPOCH;
        let old = ClusterList::from_listing(listing("AVAILABLE"), now).expect("complete");
        let new = ClusterList::following(&old, listing("FROZEN"), now).expect("complete");
        assert!(Arc::ptr_eq(&old.by_id["1"], &new.by_id["1"]));
        assert!(Arc::ptr_eq(&new.named("two")[0], &new.by_id["2"]));
        assert_eq!(new.by_id["2"].status, "FROZEN");
        assert_eq!(old.by_id["2"].status, "AVAILABLE");
    }

    #[test]
    fn coming_going_and_renaming_are_changes() {
        let changes = cluster_changes(
            &clusters(vec![cluster("1", "one"), cluster("2", "two")]),
            &clusters(vec![cluster("2", "zwei"), cluster("3", "three")]),
        );
        let mut expected = vec![
            "cluster 1",
            "cluster 2",
            "cluster 2",
            "cluster 3",
            "cluster name one",
            "cluster name three",
            "cluster name two",
            "cluster name zwei",
        ];
        expected.sort_unstable();
        assert_eq!(sorted(changes), expected);
    }

    #[test]
    fn snapshot_names_are_compared_without_case() {
        let snapshot = |status: &str| {
            let listing = Listing {
                items: vec![Snapshot {
                    id: "s".to_owned(),
                    name: "Nightly".to_owned(),
                    status: status.to_owned(),
                    ..Snapshot::default()
                }],
                complete: true,
                service_time: None,
            };
            SnapshotList::from_listing(listing, Timestamp::UNIX_EPOCH).expect("complete")
        };
        assert_eq!(
            sorted(snapshot_changes(
                &snapshot("CREATING"),
                &snapshot("AVAILABLE")
            )),
            ["snapshot name nightly", "snapshot s"]
        );
        assert!(snapshot_changes(&snapshot("CREATING"), &snapshot("CREATING")).is_empty());
        assert_eq!(
            sorted(snapshot_changes(
                &SnapshotList::default(),
                &snapshot("CREATING")
            )),
            ["snapshot name nightly", "snapshot s"]
        );
    }
}
