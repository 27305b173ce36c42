//! Since when which ids are missing from complete lists: pure bookkeeping.
//!
//! Only ids that somebody follows are kept, so it grows with the resources and not with time.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::core::facts::Absence;

/// Ids that complete lists lacked since they were last seen.
#[derive(Clone, Debug, Default)]
pub struct Absences(HashMap<String, Absence>);

impl Absences {
    /// A complete list that was requested at `at`. `followed` are all ids of interest: what is not among
    /// them is forgotten.
    pub fn list(
        &mut self,
        followed: impl IntoIterator<Item = String>,
        present: impl Fn(&str) -> bool,
        at: Timestamp,
    ) {
        let mut before = std::mem::take(&mut self.0);
        self.0 = followed
            .into_iter()
            .filter(|id| !present(id))
            .map(|id| {
                let first = before.remove(&id).map_or(at, |absence| absence.first);
                (id, Absence { first, last: at })
            })
            .collect();
    }

    /// A detail showed it.
    pub fn seen(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// How long this id has been missing; `None` while it is there, or nobody follows it.
    pub fn of(&self, id: &str) -> Option<Absence> {
        self.0.get(id).copied()
    }

    /// How many ids are kept.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// None is missing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn list(absences: &mut Absences, followed: &[&str], present: &[&str], seconds: i64) {
        absences.list(
            followed.iter().map(|id| (*id).to_owned()),
            |id| present.contains(&id),
            at(seconds),
        );
    }

    #[test]
    fn absence_spans_the_lists_since_it_was_last_seen() {
        let mut absences = Absences::default();
        list(&mut absences, &["a", "b"], &["a"], 1);
        assert_eq!(absences.of("a"), None);
        list(&mut absences, &["a", "b"], &[], 11);
        list(&mut absences, &["a", "b"], &[], 21);
        let span = |first, last| {
            Some(Absence {
                first: at(first),
                last: at(last),
            })
        };
        assert_eq!(absences.of("a"), span(11, 21));
        assert_eq!(absences.of("b"), span(1, 21));
        // Seen again in a list, or by a detail: the count begins anew.
        list(&mut absences, &["a", "b"], &["a"], 31);
        assert_eq!(absences.of("a"), None);
        absences.seen("b");
        list(&mut absences, &["a", "b"], &[], 41);
        assert_eq!(absences.of("a"), span(41, 41));
        assert_eq!(absences.of("b"), span(41, 41));
    }

    #[test]
    fn what_nobody_follows_is_forgotten() {
        let mut absences = Absences::default();
        for round in 0..1_000 {
            let id = format!("id-{round}");
            list(&mut absences, &[&id, "kept"], &[], round);
        }
        assert_eq!(absences.len(), 2);
        assert_eq!(absences.of("id-1"), None);
        list(&mut absences, &[], &[], 2_000);
        assert!(absences.is_empty());
    }
}
