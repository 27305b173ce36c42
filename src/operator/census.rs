//! Counts the resources by the reason of their condition `Ready`, and times how long a new one took.
//!
//! It is shown all resources again and again (from the caches, never from the API server) and remembers
//! only the uids of those that were never Ready. After a restart of the operator a resource that is not
//! Ready could be new or merely restarting: it is timed only if `Ready` has been false since it was made.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use parking_lot::Mutex;

use super::metrics::ResourceCount;

/// More different reasons than this, of one kind, are shown as `Other`.
const MOST_REASONS: usize = 64;
/// The first status write follows a creation within this time, unless the operator was away.
const FIRST_WRITE_SECONDS: i64 = 300;

/// One resource as the census sees it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// `DwsCluster` or `DwsSnapshot`.
    pub kind: &'static str,
    /// Its uid.
    pub uid: &'a str,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its conditions.
    pub conditions: &'a [Condition],
}

/// What one census gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// Resources by kind and reason.
    pub counts: Vec<ResourceCount>,
    /// Kind and seconds of those that became Ready for the first time.
    pub became_ready: Vec<(&'static str, f64)>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Census {
    never_ready: Mutex<HashSet<String>>,
}

impl Census {
    /// Counts all of them.
    pub fn take<'a>(&self, entries: impl Iterator<Item = Entry<'a>>) -> Counted {
        let mut counts = BTreeMap::<&'static str, BTreeMap<&'a str, i64>>::new();
        let mut became_ready = Vec::new();
        let mut never_ready = self.never_ready.lock();
        let mut still = HashSet::new();
        for entry in entries {
            let ready = entry.conditions.iter().find(|c| c.type_ == "Ready");
            let of_kind = counts.entry(entry.kind).or_default();
            let reason = ready.map_or("Pending", |c| bounded(&c.reason));
            let reason = if of_kind.contains_key(reason) || of_kind.len() < MOST_REASONS {
                reason
            } else {
                "Other"
            };
            *of_kind.entry(reason).or_default() += 1;

            match ready {
                Some(condition) if condition.status == "True" => {
                    if never_ready.contains(entry.uid)
                        && let Some(seconds) = age(entry.created, condition)
                    {
                        became_ready.push((entry.kind, seconds));
                    }
                }
                Some(condition) if !since_birth(entry.created, condition) => {}
                _ => {
                    still.insert(entry.uid.to_owned());
                }
            }
        }
        *never_ready = still;
        let counts = counts.into_iter().flat_map(|(kind, of_kind)| {
            of_kind
                .into_iter()
                .map(move |(reason, count)| ResourceCount {
                    kind,
                    reason: reason.to_owned(),
                    count,
                })
        });
        Counted {
            counts: counts.collect(),
            became_ready,
        }
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
    if good { reason } else { "Other" }
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

    fn entry<'a>(uid: &'a str, conditions: &'a [Condition]) -> Entry<'a> {
        Entry {
            kind: "DwsCluster",
            uid,
            created: Some(at(0)),
            conditions,
        }
    }

    #[test]
    fn a_new_resource_is_timed_once() {
        let census = Census::default();
        census.take([entry("a", &[])].into_iter());
        let creating = ready("False", "Creating", 2);
        census.take([entry("a", &creating)].into_iter());
        let available = ready("True", "Available", 700);
        let counted = census.take([entry("a", &available)].into_iter());
        assert_eq!(counted.became_ready, [("DwsCluster", 700.0)]);
        let counted = census.take([entry("a", &available)].into_iter());
        assert!(counted.became_ready.is_empty());
    }

    #[test]
    fn one_that_restarts_is_not_new() {
        let census = Census::default();
        let restarting = ready("False", "Restarting", 90_000);
        census.take([entry("a", &restarting)].into_iter());
        let available = ready("True", "Available", 90_200);
        let counted = census.take([entry("a", &available)].into_iter());
        assert!(counted.became_ready.is_empty());
    }

    #[test]
    fn reasons_are_counted_and_bounded() {
        let census = Census::default();
        let wild = (0..200)
            .map(|n| ready("False", &format!("Reason{n}"), 1))
            .collect::<Vec<_>>();
        let uids = (0..200).map(|n| format!("u{n}")).collect::<Vec<_>>();
        let entries = uids.iter().zip(&wild).map(|(uid, c)| entry(uid, c));
        let counted = census.take(entries);
        assert_eq!(counted.counts.iter().map(|c| c.count).sum::<i64>(), 200);
        assert!(counted.counts.len() <= MOST_REASONS + 1);

        let odd = ready("False", "with space \"and\" more", 1);
        let counted = census.take([entry("a", &odd), entry("b", &[])].into_iter());
        let reasons = counted.counts.iter().map(|c| c.reason.as_str());
        assert_eq!(reasons.collect::<Vec<_>>(), ["Other", "Pending"]);
    }
}
