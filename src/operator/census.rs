//! Counts the resources by the reason of their condition `Ready`, and times how long a new one took.
//!
//! It is told of every resource that the watches show, and remembers a reason for each. After a restart
//! of the operator a resource that is not Ready could be new or merely restarting: it is timed only if
//! `Ready` has been false since it was made.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use parking_lot::Mutex;

use super::metrics::ResourceCount;

/// More different reasons than this, of one kind, are shown as `Other`.
const MOST_REASONS: usize = 64;
/// The first status write follows a creation within this time, unless the operator was away.
const FIRST_WRITE_SECONDS: i64 = 300;
/// Shown where there is no condition `Ready` yet.
const NOTHING_YET: &str = "Pending";
/// Shown for what is no reason, or one too many.
const OTHER: &str = "Other";

/// One resource as the census sees it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// `DwsCluster` or `DwsSnapshot`.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its uid.
    pub uid: &'a str,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its conditions.
    pub conditions: &'a [Condition],
}

#[derive(Debug)]
struct Known {
    uid: String,
    reason: Arc<str>,
    /// It was seen, and has not been Ready since it was made.
    never_ready: bool,
}

type Key = (&'static str, String, String);

/// See the module.
#[derive(Debug, Default)]
pub struct Census {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    known: HashMap<Key, Known>,
    /// How many have which reason; also shares one text among all that have it.
    counts: BTreeMap<(&'static str, Arc<str>), i64>,
}

impl Census {
    /// A resource as it is now. Gives the seconds since its creation if it just became Ready for the first
    /// time.
    pub fn saw(&self, entry: &Entry<'_>) -> Option<f64> {
        let ready = entry.conditions.iter().find(|c| c.type_ == "Ready");
        let mut inner = self.inner.lock();
        let before = inner.leave(entry.kind, entry.namespace, entry.name);
        let same = before.filter(|known| known.uid == entry.uid);
        let waited = same.as_ref().is_some_and(|known| known.never_ready);
        let (never_ready, seconds) = match ready {
            None => (true, None),
            Some(ready) if ready.status == "True" => {
                (false, waited.then(|| age(entry.created, ready)).flatten())
            }
            // What was Ready once is not new again, however young it is.
            Some(ready) => match same {
                Some(known) => (known.never_ready, None),
                None => (since_birth(entry.created, ready), None),
            },
        };
        let reason = ready.map_or(NOTHING_YET, |c| bounded(&c.reason));
        inner.enter(entry, reason, never_ready);
        seconds
    }

    /// A resource is gone.
    pub fn gone(&self, kind: &'static str, namespace: &str, name: &str) {
        self.inner.lock().leave(kind, namespace, name);
    }

    /// A list of a kind is in (`namespace`: of one namespace): what it does not hold is gone.
    pub fn retain(
        &self,
        kind: &'static str,
        namespace: Option<&str>,
        is_listed: impl Fn(&str, &str) -> bool,
    ) {
        let mut inner = self.inner.lock();
        let gone = inner.known.keys().filter(|(of_kind, in_namespace, name)| {
            *of_kind == kind
                && namespace.is_none_or(|namespace| namespace == in_namespace)
                && !is_listed(in_namespace, name)
        });
        for (_, namespace, name) in gone.cloned().collect::<Vec<_>>() {
            inner.leave(kind, &namespace, &name);
        }
    }

    /// Resources by kind and reason.
    pub fn counts(&self) -> Vec<ResourceCount> {
        let inner = self.inner.lock();
        let counts = inner
            .counts
            .iter()
            .map(|((kind, reason), count)| ResourceCount {
                kind,
                reason: reason.to_string(),
                count: *count,
            });
        counts.collect()
    }
}

impl Inner {
    fn leave(&mut self, kind: &'static str, namespace: &str, name: &str) -> Option<Known> {
        let key = (kind, namespace.to_owned(), name.to_owned());
        let known = self.known.remove(&key)?;
        let counted = (kind, Arc::clone(&known.reason));
        if let Some(count) = self.counts.get_mut(&counted) {
            *count -= 1;
            if *count <= 0 {
                self.counts.remove(&counted);
            }
        }
        Some(known)
    }

    fn enter(&mut self, entry: &Entry<'_>, reason: &str, never_ready: bool) {
        let reason = self.shared(entry.kind, reason);
        *self
            .counts
            .entry((entry.kind, Arc::clone(&reason)))
            .or_default() += 1;
        let key = (
            entry.kind,
            entry.namespace.to_owned(),
            entry.name.to_owned(),
        );
        let known = Known {
            uid: entry.uid.to_owned(),
            reason,
            never_ready,
        };
        self.known.insert(key, known);
    }

    fn shared(&self, kind: &'static str, reason: &str) -> Arc<str> {
        let of_kind = || self.counts.keys().filter(move |(found, _)| *found == kind);
        let find = |wanted: &str| of_kind().find(|(_, text)| **text == *wanted);
        if let Some((_, text)) = find(reason) {
            return Arc::clone(text);
        }
        let reason = if of_kind().count() < MOST_REASONS {
            reason
        } else {
            OTHER
        };
        find(reason).map_or_else(|| Arc::from(reason), |(_, text)| Arc::clone(text))
    }
}

fn age(created: Option<Timestamp>, ready: &Condition) -> Option<f64> {
    let seconds = ready
        .last_transition_time
        .0
        .duration_since(created?)
        .as_secs_f64();
    (seconds >= 0.0).then_some(seconds)
}

fn since_birth(created: Option<Timestamp>, ready: &Condition) -> bool {
    created.is_some_and(|created| {
        let after = ready.last_transition_time.0.duration_since(created);
        after.as_secs() <= FIRST_WRITE_SECONDS
    })
}

/// Reasons are ours, but the API server stores what anybody with the right writes.
fn bounded(reason: &str) -> &str {
    let good =
        (1..=48).contains(&reason.len()) && reason.bytes().all(|b| b.is_ascii_alphanumeric());
    if good { reason } else { OTHER }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn ready(status: &str, reason: &str, since: i64) -> Vec<Condition> {
        vec![Condition {
            type_: "Ready".into(),
            status: status.into(),
            reason: reason.into(),
            message: String::new(),
            last_transition_time: Time(at(since)),
            observed_generation: None,
        }]
    }

    fn entry<'a>(name: &'a str, conditions: &'a [Condition]) -> Entry<'a> {
        Entry {
            kind: "DwsCluster",
            namespace: "team",
            name,
            uid: "uid",
            created: Some(at(0)),
            conditions,
        }
    }

    fn shown(census: &Census) -> Vec<(String, i64)> {
        let counts = census.counts().into_iter();
        counts.map(|entry| (entry.reason, entry.count)).collect()
    }

    #[test]
    fn a_new_resource_is_timed_once() {
        let census = Census::default();
        assert_eq!(census.saw(&entry("a", &[])), None);
        assert_eq!(
            census.saw(&entry("a", &ready("False", "Creating", 2))),
            None
        );
        let available = ready("True", "Available", 700);
        assert_eq!(census.saw(&entry("a", &available)), Some(700.0));
        assert_eq!(census.saw(&entry("a", &available)), None);
    }

    #[test]
    fn one_that_restarts_is_not_new() {
        let census = Census::default();
        census.saw(&entry("a", &ready("False", "Restarting", 90_000)));
        assert_eq!(
            census.saw(&entry("a", &ready("True", "Available", 90_200))),
            None
        );
    }

    #[test]
    fn a_young_one_that_restarts_is_timed_once() {
        let census = Census::default();
        census.saw(&entry("a", &[]));
        assert_eq!(
            census.saw(&entry("a", &ready("True", "Available", 5))),
            Some(5.0)
        );
        census.saw(&entry("a", &ready("False", "Restarting", 8)));
        assert_eq!(
            census.saw(&entry("a", &ready("True", "Available", 10))),
            None
        );
    }

    #[test]
    fn one_that_was_ready_when_first_seen_is_not_new() {
        let census = Census::default();
        assert_eq!(
            census.saw(&entry("a", &ready("True", "Available", 5))),
            None
        );
    }

    #[test]
    fn one_made_anew_under_the_same_name_is_another() {
        let census = Census::default();
        census.saw(&entry("a", &[]));
        let conditions = ready("True", "Available", 700);
        let mut other = entry("a", &conditions);
        other.uid = "another";
        assert_eq!(census.saw(&other), None);
    }

    #[test]
    fn counts_follow_what_is_seen_and_what_is_gone() {
        let census = Census::default();
        census.saw(&entry("a", &[]));
        census.saw(&entry("b", &[]));
        assert_eq!(shown(&census), [("Pending".into(), 2)]);
        census.saw(&entry("a", &ready("True", "Available", 5)));
        assert_eq!(
            shown(&census),
            [("Available".into(), 1), ("Pending".into(), 1)]
        );
        census.gone("DwsCluster", "team", "b");
        census.gone("DwsCluster", "team", "b");
        assert_eq!(shown(&census), [("Available".into(), 1)]);
    }

    #[test]
    fn reasons_are_bounded() {
        let census = Census::default();
        for n in 0..200 {
            let name = format!("n{n}");
            census.saw(&entry(&name, &ready("False", &format!("Reason{n}"), 1)));
        }
        let counts = shown(&census);
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<i64>(), 200);
        assert!(counts.len() <= MOST_REASONS + 1, "{}", counts.len());

        let census = Census::default();
        census.saw(&entry("a", &ready("False", "with \"quotes\"", 1)));
        assert_eq!(shown(&census), [("Other".into(), 1)]);
    }
}
