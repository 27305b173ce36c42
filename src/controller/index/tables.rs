//! The tables of the index: resources by key, and who bears which term.
//!
//! A change costs the number of terms of one resource. It knows no lock and no kind's fields.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::entry::{Entry, Facts, Term};
use super::{Order, cluster_key};
use crate::observer::{Kind, ResourceKey};

#[derive(Default)]
pub(super) struct Inner {
    /// Boxed: half of a table can be empty.
    pub(super) entries: HashMap<Arc<ResourceKey>, Box<Entry>>,
    /// Shared with the key above: a set of names by value takes ten times the room.
    pub(super) terms: HashMap<Term, BTreeSet<Arc<ResourceKey>>>,
    /// When the last finished operation of a `DwsCluster` began.
    pub(super) last_done: HashMap<Arc<ResourceKey>, Timestamp>,
}

impl Inner {
    pub(super) fn apply(
        &mut self,
        who: &ResourceKey,
        entry: Entry,
        order: Order,
    ) -> Vec<ResourceKey> {
        let former = self.entries.get(who);
        if let Some(former) = former {
            let is_stale = former
                .version
                .zip(entry.version)
                .is_some_and(|(old, new)| new < old);
            if is_stale && order == Order::Stream {
                return Vec::new();
            }
            if former.uid == entry.uid && former.facts == entry.facts {
                self.put(who, entry);
                return Vec::new();
            }
        }
        let mut neighbours = BTreeSet::new();
        if let Some(former) = former.cloned() {
            self.neighbours(who, &former.facts, &mut neighbours);
            let ended = former.facts.operation.filter(|(id, _)| {
                entry
                    .facts
                    .operation
                    .as_ref()
                    .is_none_or(|(new, _)| new != id)
            });
            if let (Kind::Cluster, Some((_, began))) = (who.kind, ended) {
                self.last_done.insert(self.shared(who), began);
            }
        }
        self.neighbours(who, &entry.facts, &mut neighbours);
        self.put(who, entry);
        neighbours
            .iter()
            .map(|who| ResourceKey::clone(who))
            .collect()
    }

    /// The one copy of it.
    pub(super) fn shared(&self, who: &ResourceKey) -> Arc<ResourceKey> {
        let known = self.entries.get_key_value(who);
        known.map_or_else(|| Arc::new(who.clone()), |(who, _)| who.clone())
    }

    pub(super) fn put(&mut self, who: &ResourceKey, entry: Entry) {
        let terms = entry.facts.terms(who);
        let shared = self.shared(who);
        if let Some(former) = self.entries.insert(shared.clone(), Box::new(entry)) {
            for term in former.facts.terms(who).difference(&terms) {
                self.drop_term(term, who);
            }
        }
        for term in terms {
            self.terms.entry(term).or_default().insert(shared.clone());
        }
    }

    pub(super) fn remove(&mut self, who: &ResourceKey) -> Vec<ResourceKey> {
        let Some(entry) = self.entries.remove(who) else {
            return Vec::new();
        };
        self.last_done.remove(who);
        for term in entry.facts.terms(who) {
            self.drop_term(&term, who);
        }
        let mut neighbours = BTreeSet::new();
        self.neighbours(who, &entry.facts, &mut neighbours);
        neighbours
            .iter()
            .map(|who| ResourceKey::clone(who))
            .collect()
    }

    pub(super) fn drop_term(&mut self, term: &Term, who: &ResourceKey) {
        if let Some(found) = self.terms.get_mut(term) {
            found.remove(who);
            if found.is_empty() {
                self.terms.remove(term);
            }
        }
    }

    /// Whom a change of this resource concerns.
    pub(super) fn neighbours(
        &self,
        who: &ResourceKey,
        facts: &Facts,
        into: &mut BTreeSet<Arc<ResourceKey>>,
    ) {
        let (namespace, name) = (who.namespace.clone(), who.name.clone());
        let mut terms = facts.terms(who);
        terms.retain(|term| !matches!(term, Term::Secret(..) | Term::Credentials(..)));
        terms.insert(match who.kind {
            Kind::Cluster => Term::ClusterRef(namespace, name),
            Kind::Snapshot => Term::SnapshotRef(namespace, name),
        });
        for found in terms
            .iter()
            .filter_map(|term| self.terms.get(term))
            .flatten()
        {
            let Some(entry) = self.entries.get(found) else {
                continue;
            };
            let rivals = [&entry.facts.holds, &entry.facts.asks]
                .into_iter()
                .flatten()
                .any(|id| facts.holds.as_ref() == Some(id) || facts.asks.as_ref() == Some(id));
            // A thousand finished snapshots of one cluster do not listen to each other or to it.
            let concerned = found.kind == Kind::Cluster || rivals || !entry.facts.is_at_rest();
            if **found != *who && concerned {
                into.insert(found.clone());
            }
        }
        if let (Kind::Snapshot, Some(cluster)) = (who.kind, &facts.refers) {
            let cluster = cluster_key(&who.namespace, cluster);
            if let Some((cluster, _)) = self.entries.get_key_value(&cluster) {
                into.insert(cluster.clone());
            }
        }
    }

    pub(super) fn of_kind(
        &self,
        kind: Kind,
        term: &Term,
    ) -> impl Iterator<Item = (&ResourceKey, &Entry)> {
        let found = self.terms.get(term).into_iter().flatten();
        found
            .filter(move |who| who.kind == kind)
            .filter_map(|who| self.entries.get_key_value(who))
            .map(|(who, entry)| (&**who, &**entry))
    }

    pub(super) fn holders<'a>(
        &'a self,
        kind: Kind,
        id: &'a str,
        except: &'a str,
    ) -> impl Iterator<Item = (&'a ResourceKey, &'a Entry)> {
        let found = self.of_kind(kind, &Term::id(kind, id)).collect::<Vec<_>>();
        found.into_iter().filter(move |(_, entry)| {
            entry.uid != except && entry.facts.holds.as_deref() == Some(id)
        })
    }
}
