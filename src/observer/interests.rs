//! Which resource follows what: an index by remote object, pure.
//!
//! It knows neither lists nor requests. It grows and shrinks with the resources.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::view::Subject;
use super::{Interest, ResourceKey};

#[derive(Debug)]
struct Entry {
    interest: Interest,
    /// Not told of any list since this interest began: a change can have fallen between the resource's
    /// look and its interest, so the next list wakes it whatever it says.
    awaits_clusters: bool,
    awaits_snapshots: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Interests {
    /// Boxed: half of a table can be empty.
    by_uid: HashMap<Arc<str>, Box<Entry>>,
    by_subject: HashMap<Subject, HashSet<Arc<str>>>,
    with_work: usize,
    with_snapshots: usize,
}

impl Interests {
    /// Begins, changes or keeps an interest. Returns whether anything is different.
    pub fn watch(&mut self, interest: Interest) -> bool {
        let before = self.by_uid.get(interest.uid.as_str());
        if before.is_some_and(|entry| entry.interest == interest) {
            return false;
        }
        let same_subjects = before.is_some_and(|entry| {
            entry.interest.subjects().collect::<HashSet<_>>()
                == interest.subjects().collect::<HashSet<_>>()
        });
        let (awaits_clusters, awaits_snapshots) = match before {
            Some(entry) if same_subjects => (entry.awaits_clusters, entry.awaits_snapshots),
            _ => (interest.in_clusters(), interest.in_snapshots()),
        };
        let uid = Arc::<str>::from(interest.uid.as_str());
        self.unwatch(&uid);
        for subject in interest.subjects() {
            self.by_subject
                .entry(subject)
                .or_default()
                .insert(uid.clone());
        }
        self.with_work += usize::from(interest.has_work);
        self.with_snapshots += usize::from(interest.in_snapshots());
        self.by_uid.insert(
            uid,
            Box::new(Entry {
                interest,
                awaits_clusters,
                awaits_snapshots,
            }),
        );
        true
    }

    /// Ends an interest.
    pub fn unwatch(&mut self, uid: &str) {
        let Some(entry) = self.by_uid.remove(uid) else {
            return;
        };
        for subject in entry.interest.subjects() {
            if let Some(followers) = self.by_subject.get_mut(&subject) {
                followers.remove(uid);
                if followers.is_empty() {
                    self.by_subject.remove(&subject);
                }
            }
        }
        self.with_work -= usize::from(entry.interest.has_work);
        self.with_snapshots -= usize::from(entry.interest.in_snapshots());
    }

    /// Ends all of them.
    pub fn take_all(&mut self) -> Vec<Interest> {
        let all = std::mem::take(self).by_uid;
        all.into_values().map(|entry| entry.interest).collect()
    }

    /// A list of clusters arrived: whoever follows one of `changes`, and whoever waited for any list.
    pub fn clusters_arrived(&mut self, changes: &[Subject]) -> Vec<ResourceKey> {
        let mut keys = self.followers(changes);
        for entry in self.by_uid.values_mut() {
            if std::mem::take(&mut entry.awaits_clusters) {
                keys.insert(entry.interest.key.clone());
            }
        }
        in_order(keys)
    }

    /// A list of snapshots arrived; as above.
    pub fn snapshots_arrived(&mut self, changes: &[Subject]) -> Vec<ResourceKey> {
        let mut keys = self.followers(changes);
        for entry in self.by_uid.values_mut() {
            if std::mem::take(&mut entry.awaits_snapshots) {
                keys.insert(entry.interest.key.clone());
            }
        }
        in_order(keys)
    }

    /// The lists are lost (other credentials): the next ones wake everybody.
    pub fn await_all(&mut self) {
        for entry in self.by_uid.values_mut() {
            entry.awaits_clusters = true;
            entry.awaits_snapshots = entry.interest.in_snapshots();
        }
    }

    /// Resources that have work, or that have none.
    pub fn by_work(&self, has_work: bool) -> Vec<ResourceKey> {
        in_order(
            self.by_uid
                .values()
                .filter(|entry| entry.interest.has_work == has_work)
                .map(|entry| entry.interest.key.clone())
                .collect(),
        )
    }

    /// Everybody.
    pub fn all(&self) -> Vec<ResourceKey> {
        in_order(
            self.by_uid
                .values()
                .map(|entry| entry.interest.key.clone())
                .collect(),
        )
    }

    /// Somebody has work.
    pub fn any_work(&self) -> bool {
        self.with_work > 0
    }

    /// Somebody follows snapshots.
    pub fn any_snapshots(&self) -> bool {
        self.with_snapshots > 0
    }

    /// Somebody who has work follows this.
    pub fn work_on(&self, subject: &Subject) -> bool {
        self.by_subject.get(subject).is_some_and(|uids| {
            uids.iter()
                .filter_map(|uid| self.by_uid.get(uid))
                .any(|entry| entry.interest.has_work)
        })
    }

    /// Somebody follows this.
    pub fn followed(&self, subject: &Subject) -> bool {
        self.by_subject.contains_key(subject)
    }

    /// Ids of all clusters that are followed.
    pub fn cluster_ids(&self) -> Vec<String> {
        self.by_subject
            .keys()
            .filter_map(|subject| match subject {
                Subject::Cluster(id) => Some(id.clone()),
                _ => None,
            })
            .collect()
    }

    /// Ids of all snapshots that are followed.
    pub fn snapshot_ids(&self) -> Vec<String> {
        self.by_subject
            .keys()
            .filter_map(|subject| match subject {
                Subject::Snapshot(id) => Some(id.clone()),
                _ => None,
            })
            .collect()
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        self.by_uid.len()
    }

    /// Nobody follows anything.
    pub fn is_empty(&self) -> bool {
        self.by_uid.is_empty()
    }

    fn followers(&self, changes: &[Subject]) -> HashSet<ResourceKey> {
        changes
            .iter()
            .filter_map(|subject| self.by_subject.get(subject))
            .flatten()
            .filter_map(|uid| self.by_uid.get(uid))
            .map(|entry| entry.interest.key.clone())
            .collect()
    }
}

/// Sorted: a simulation that is run again must see the same order.
fn in_order(keys: HashSet<ResourceKey>) -> Vec<ResourceKey> {
    let mut keys: Vec<_> = keys.into_iter().collect();
    keys.sort();
    keys
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    fn interest(name: &str, cluster: &str, has_work: bool) -> Interest {
        Interest {
            key: ResourceKey {
                kind: Kind::Cluster,
                namespace: "team".to_owned(),
                name: name.to_owned(),
            },
            uid: format!("uid-{name}"),
            cluster_ids: vec![cluster.to_owned()],
            cluster_names: vec![name.to_owned()],
            snapshot_ids: vec![],
            snapshot_names: vec![],
            has_work,
        }
    }

    fn names(keys: &[ResourceKey]) -> Vec<&str> {
        keys.iter().map(|key| key.name.as_str()).collect()
    }

    #[test]
    fn only_followers_wake() {
        let mut interests = Interests::default();
        interests.watch(interest("a", "1", false));
        interests.watch(interest("b", "2", true));
        assert_eq!(
            names(&interests.clusters_arrived(&[])),
            ["a", "b"],
            "first list"
        );
        assert!(interests.clusters_arrived(&[]).is_empty());
        let change = [Subject::Cluster("2".to_owned())];
        assert_eq!(names(&interests.clusters_arrived(&change)), ["b"]);
        let change = [Subject::ClusterName("a".to_owned())];
        assert_eq!(names(&interests.clusters_arrived(&change)), ["a"]);
        assert_eq!(names(&interests.by_work(true)), ["b"]);
        assert!(interests.work_on(&Subject::Cluster("2".to_owned())));
        assert!(!interests.work_on(&Subject::Cluster("1".to_owned())));
    }

    #[test]
    fn a_changed_interest_is_woken_once_and_work_alone_is_no_change() {
        let mut interests = Interests::default();
        assert!(interests.watch(interest("a", "1", false)));
        interests.clusters_arrived(&[]);
        assert!(!interests.watch(interest("a", "1", false)));
        assert!(interests.watch(interest("a", "1", true)));
        assert!(interests.clusters_arrived(&[]).is_empty());
        assert!(interests.watch(interest("a", "2", true)));
        assert_eq!(names(&interests.clusters_arrived(&[])), ["a"]);
        let gone = [Subject::Cluster("1".to_owned())];
        assert!(interests.clusters_arrived(&gone).is_empty());
        assert_eq!(interests.cluster_ids(), ["2"]);
    }

    #[test]
    fn snapshot_names_have_no_case() {
        let mut interests = Interests::default();
        interests.watch(Interest {
            snapshot_names: vec!["Nightly".to_owned()],
            ..interest("a", "1", false)
        });
        assert!(interests.any_snapshots());
        interests.snapshots_arrived(&[]);
        let change = [Subject::SnapshotName("nightly".to_owned())];
        assert_eq!(names(&interests.snapshots_arrived(&change)), ["a"]);
    }

    #[test]
    fn nothing_is_left_of_those_who_go() {
        let mut interests = Interests::default();
        for round in 0..1_000 {
            interests.watch(interest(&format!("n{round}"), "1", true));
            interests.watch(interest(&format!("n{round}"), "2", round % 2 == 0));
        }
        for round in 0..1_000 {
            interests.unwatch(&format!("uid-n{round}"));
        }
        interests.unwatch("uid-n0");
        assert!(interests.is_empty() && interests.by_subject.is_empty());
        assert!(!interests.any_work() && !interests.any_snapshots());
    }
}
