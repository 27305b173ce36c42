//! Who refers to what: an index in memory, fed by the watches and by our own reads and writes.
//!
//! It tells a reconcile which other resources name or hold the same remote object, which snapshots wait
//! for a cluster, and tells the watches whom to wake when something changes. A change costs the number of
//! terms of one resource, never the number of resources. It knows no client and decides nothing.

pub mod entry;
mod tables;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use kube::ResourceExt;
use parking_lot::Mutex;

use crate::api::cluster_status::AccountRef;
use crate::api::{DwsCluster, DwsSnapshot};
use crate::core::facts::{Rival, Waiting};
use crate::observer::{Kind, ResourceKey};
use entry::{Entry, Facts, Term};
use tables::Inner;

/// See the module.
#[derive(Default)]
pub struct Index {
    inner: Mutex<Inner>,
}

/// Whether an object may be older than what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// A watch event or an answer: an older version is dropped.
    Stream,
    /// From a new list: it counts whatever came before (an API server can be restored from a backup).
    List,
}

impl Index {
    /// Takes in a cluster as it is now. Gives whom to wake, the cluster itself excepted.
    pub fn apply_cluster(&self, cluster: &DwsCluster, order: Order) -> Vec<ResourceKey> {
        let who = key_of(Kind::Cluster, cluster);
        let entry = Entry {
            uid: cluster.uid().unwrap_or_default(),
            version: version(cluster.resource_version()),
            facts: Facts::of_cluster(cluster),
        };
        self.inner.lock().apply(&who, entry, order)
    }

    /// Takes in a snapshot as it is now. Gives whom to wake, the snapshot itself excepted.
    pub fn apply_snapshot(&self, snapshot: &DwsSnapshot, order: Order) -> Vec<ResourceKey> {
        let who = key_of(Kind::Snapshot, snapshot);
        let entry = Entry {
            uid: snapshot.uid().unwrap_or_default(),
            version: version(snapshot.resource_version()),
            facts: Facts::of_snapshot(snapshot),
        };
        self.inner.lock().apply(&who, entry, order)
    }

    /// A resource is gone. Gives whom to wake.
    pub fn remove(&self, key: &ResourceKey) -> Vec<ResourceKey> {
        self.inner.lock().remove(key)
    }

    /// A list is complete: what it did not hold is gone. `namespace` is that of the list, `None` for all.
    /// Gives those that are gone and whom to wake.
    pub fn retain(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        listed: &HashSet<ResourceKey>,
    ) -> Vec<ResourceKey> {
        let mut inner = self.inner.lock();
        let gone: Vec<Arc<ResourceKey>> = inner
            .entries
            .keys()
            .filter(|who| who.kind == kind)
            .filter(|who| namespace.is_none_or(|wanted| who.namespace == wanted))
            .filter(|who| !listed.contains(who))
            .cloned()
            .collect();
        let mut wake = Vec::new();
        for who in gone {
            wake.extend(inner.remove(&who));
            wake.push(ResourceKey::clone(&who));
        }
        wake
    }

    /// Takes hold of a remote id for a resource before its status is stored. `false` when another
    /// resource of the kind holds it: two reconciles at once cannot both claim one object.
    pub fn reserve(&self, key: &ResourceKey, uid: &str, id: &str) -> bool {
        let mut inner = self.inner.lock();
        if inner.holders(key.kind, id, uid).next().is_some() {
            return false;
        }
        if let Some(entry) = inner.entries.get(key).filter(|entry| entry.uid == uid) {
            let mut entry = Entry::clone(entry);
            entry.facts.holds = Some(id.to_owned());
            inner.put(key, entry);
        }
        true
    }

    /// Other resources of the kind that hold or ask for one of these ids.
    pub fn rivals(&self, kind: Kind, uid: &str, ids: &[&str]) -> Vec<Rival> {
        let inner = self.inner.lock();
        let mut rivals = BTreeMap::new();
        for id in ids {
            for (who, entry) in inner.of_kind(kind, &Term::id(kind, id)) {
                let facts = &entry.facts;
                let claims = [&facts.holds, &facts.asks];
                if entry.uid != uid && claims.iter().any(|found| found.as_deref() == Some(*id)) {
                    let rival = facts.rival(who, &entry.uid, id);
                    let known = rivals.entry(who.clone()).or_insert_with(|| rival.clone());
                    known.holds |= rival.holds;
                }
            }
        }
        rivals.into_values().collect()
    }

    /// Other `DwsCluster`s of the namespace that would take over what bears this name, with these credentials.
    pub fn asking_by_name(
        &self,
        namespace: &str,
        name: &str,
        credentials: Option<&str>,
        uid: &str,
    ) -> Vec<Rival> {
        let inner = self.inner.lock();
        let term = Term::NameHere(namespace.to_owned(), name.to_owned());
        inner
            .of_kind(Kind::Cluster, &term)
            .filter(|(_, entry)| entry.uid != uid && entry.facts.asks_by_name)
            .filter(|(_, entry)| entry.facts.credentials.as_deref() == credentials)
            .map(|(who, entry)| entry.facts.rival(who, &entry.uid, ""))
            .collect()
    }

    /// Other `DwsCluster`s with an open create or restore of this name in this account.
    pub fn making(&self, account: &AccountRef, name: &str, uid: &str) -> Vec<Rival> {
        let inner = self.inner.lock();
        let (region, project) = (account.region.clone(), account.project_id.clone());
        let term = Term::ClusterName(region, project, name.to_owned());
        inner
            .of_kind(Kind::Cluster, &term)
            .filter(|(_, entry)| entry.uid != uid && entry.facts.is_making())
            .map(|(who, entry)| entry.facts.rival(who, &entry.uid, ""))
            .collect()
    }

    /// Of these ids, those that another resource's status holds, with the oldest holder.
    pub fn held_elsewhere<'a>(
        &self,
        kind: Kind,
        uid: &str,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> BTreeMap<String, Rival> {
        let inner = self.inner.lock();
        let mut held = BTreeMap::new();
        for id in ids {
            let oldest = inner
                .holders(kind, id, uid)
                .map(|(who, entry)| entry.facts.rival(who, &entry.uid, id))
                .min_by_key(|rival| (rival.created, rival.namespace.clone(), rival.name.clone()));
            if let Some(rival) = oldest {
                held.insert(id.to_owned(), rival);
            }
        }
        held
    }

    /// The `DwsSnapshot`s of a cluster: by reference in its namespace, and by its id anywhere.
    pub fn snapshots_of(
        &self,
        cluster: Option<(&str, &str)>,
        cluster_id: Option<&str>,
    ) -> Vec<Waiting> {
        let inner = self.inner.lock();
        let last_done = cluster.and_then(|(namespace, name)| {
            let who = cluster_key(namespace, name);
            inner.last_done.get(&who).copied()
        });
        let by_reference = cluster
            .map(|(namespace, name)| Term::ClusterRef(namespace.to_owned(), name.to_owned()));
        let by_id = cluster_id.map(|id| Term::ClusterId(id.to_owned()));
        let found: BTreeMap<&ResourceKey, &Entry> = by_reference
            .iter()
            .chain(&by_id)
            .flat_map(|term| inner.of_kind(Kind::Snapshot, term))
            .collect();
        found
            .into_iter()
            .map(|(who, entry)| entry.facts.waiting(who, &entry.uid, last_done))
            .collect()
    }

    /// The `DwsCluster` that holds a cluster id, if one does.
    pub fn cluster_of(&self, cluster_id: &str) -> Option<(String, String)> {
        let inner = self.inner.lock();
        let (who, _) = inner.holders(Kind::Cluster, cluster_id, "").next()?;
        Some((who.namespace.clone(), who.name.clone()))
    }

    /// `DwsCluster`s (`namespace/name`) whose restore from this snapshot is not over.
    pub fn restoring(&self, namespace: &str, name: &str, snapshot_id: Option<&str>) -> Vec<String> {
        let inner = self.inner.lock();
        let by_reference = Term::SnapshotRef(namespace.to_owned(), name.to_owned());
        let by_id = snapshot_id.map(|id| Term::SnapshotId(id.to_owned()));
        let found: BTreeSet<&ResourceKey> = by_id
            .iter()
            .chain([&by_reference])
            .flat_map(|term| inner.of_kind(Kind::Cluster, term))
            .filter(|(_, entry)| entry.facts.is_restoring())
            .map(|(who, _)| who)
            .collect();
        let text = |who: &ResourceKey| format!("{}/{}", who.namespace, who.name);
        found.into_iter().map(text).collect()
    }

    /// Who refers to a Secret, or writes it.
    pub fn secret_users(&self, namespace: &str, name: &str) -> Vec<ResourceKey> {
        self.users(&Term::Secret(namespace.to_owned(), name.to_owned()))
    }

    /// Who takes credentials from a Secret.
    pub fn credentials_users(&self, namespace: &str, name: &str) -> Vec<ResourceKey> {
        self.users(&Term::Credentials(namespace.to_owned(), name.to_owned()))
    }

    /// Who refers to Secrets of the namespace (`None`: of all) that a complete list does not hold.
    pub fn users_of_unlisted_secrets(
        &self,
        namespace: Option<&str>,
        listed: &HashSet<(String, String)>,
    ) -> Vec<ResourceKey> {
        let inner = self.inner.lock();
        let mut users = BTreeSet::new();
        for (term, found) in &inner.terms {
            let Term::Secret(ns, name) = term else {
                continue;
            };
            let in_scope = namespace.is_none_or(|wanted| wanted == ns);
            if in_scope && !listed.contains(&(ns.clone(), name.clone())) {
                users.extend(found);
            }
        }
        users
            .into_iter()
            .map(|who| ResourceKey::clone(who))
            .collect()
    }

    /// Whether a resource is known at this very version.
    pub fn is_known_at(&self, key: &ResourceKey, resource_version: Option<String>) -> bool {
        let Some(wanted) = version(resource_version) else {
            return false;
        };
        let inner = self.inner.lock();
        let entry = inner.entries.get(key);
        entry.is_some_and(|entry| entry.version == Some(wanted))
    }

    /// Whether a later version of this very object was seen than the one that was read.
    pub fn is_ahead_of(&self, key: &ResourceKey, uid: &str, read: Option<String>) -> bool {
        let inner = self.inner.lock();
        let entry = inner.entries.get(key);
        let seen = entry.filter(|entry| entry.uid == uid);
        let seen = seen.and_then(|entry| entry.version);
        seen.zip(version(read))
            .is_some_and(|(seen, read)| read < seen)
    }

    /// How many resources of a kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        let inner = self.inner.lock();
        inner.entries.keys().filter(|who| who.kind == kind).count()
    }

    fn users(&self, term: &Term) -> Vec<ResourceKey> {
        let inner = self.inner.lock();
        let users = inner.terms.get(term);
        users
            .into_iter()
            .flatten()
            .map(|who| ResourceKey::clone(who))
            .collect()
    }
}

fn key_of<K: ResourceExt>(kind: Kind, object: &K) -> ResourceKey {
    ResourceKey {
        kind,
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    }
}

fn cluster_key(namespace: &str, name: &str) -> ResourceKey {
    ResourceKey {
        kind: Kind::Cluster,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// Versions are numbers that grow wherever etcd stands behind the API server; elsewhere nothing is dropped.
fn version(text: Option<String>) -> Option<u64> {
    text?.parse().ok()
}

#[cfg(test)]
mod tests;
