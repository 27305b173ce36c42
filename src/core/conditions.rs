//! The four conditions, made from one verdict so that they cannot contradict one another.
//!
//! `Ready` and `Synced` are always there; `Reconciling` and `Stalled` (kstatus' abnormal-true pair) only
//! while they are true. All four change in the same write.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// A reason and what to read beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Says {
    /// CamelCase.
    pub reason: &'static str,
    /// One or two sentences.
    pub message: String,
}

impl Says {
    /// A reason with its message.
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }

    /// No changing call goes out, by the user's wish.
    pub fn paused() -> Self {
        Self::new(
            "Paused",
            "The annotation dws.huaweicloud.com/paused holds back every changing call: remove it to go on.",
        )
    }
}

/// What condition `Ready` becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// `True`.
    Yes(Says),
    /// `False`.
    No(Says),
    /// As it was last seen; `False` with this text where it was never seen.
    AsBefore(Says),
}

/// What all four conditions become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The warehouse can be used; the snapshot is complete.
    pub ready: Ready,
    /// The last reconcile did what the spec asks.
    pub synced: Result<Says, Says>,
    /// Work goes on, or will by itself.
    pub reconciling: Option<Says>,
    /// Nothing will change until a person or another object does.
    pub stalled: Option<Says>,
}

impl Verdict {
    /// Something that will come is waited for.
    pub fn waiting(ready: Ready, says: Says) -> Self {
        Self {
            ready,
            synced: Err(says.clone()),
            reconciling: Some(says),
            stalled: None,
        }
    }

    /// Nothing will change until a person or another object does.
    pub fn stalled(ready: Ready, says: Says) -> Self {
        Self {
            ready,
            synced: Err(says.clone()),
            reconciling: None,
            stalled: Some(says),
        }
    }

    /// Our own operation runs.
    pub fn working(ready: Ready, says: Says) -> Self {
        Self {
            ready,
            synced: Ok(says.clone()),
            reconciling: Some(says),
            stalled: None,
        }
    }

    /// Not what the spec asks for, yet nothing is under way and nothing is stuck.
    pub fn out_of_sync(ready: Ready, says: Says) -> Self {
        Self {
            ready,
            synced: Err(says),
            reconciling: None,
            stalled: None,
        }
    }
}

/// Writes the verdict into the list. A condition's `lastTransitionTime` moves only with its status.
pub fn apply(conditions: &mut Vec<Condition>, verdict: &Verdict, generation: i64, now: Timestamp) {
    match &verdict.ready {
        Ready::Yes(says) => set(conditions, "Ready", true, says, generation, now),
        Ready::No(says) => set(conditions, "Ready", false, says, generation, now),
        Ready::AsBefore(says) => match conditions.iter_mut().find(|one| one.type_ == "Ready") {
            Some(known) if was_seen(known) => known.observed_generation = Some(generation),
            _ => set(conditions, "Ready", false, says, generation, now),
        },
    }
    match &verdict.synced {
        Ok(says) => set(conditions, "Synced", true, says, generation, now),
        Err(says) => set(conditions, "Synced", false, says, generation, now),
    }
    for (type_, says) in [
        ("Reconciling", &verdict.reconciling),
        ("Stalled", &verdict.stalled),
    ] {
        match says {
            Some(says) => set(conditions, type_, true, says, generation, now),
            None => conditions.retain(|one| one.type_ != type_),
        }
    }
}

/// A time as a status holds it.
pub fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Reasons that `Ready` has only where nothing was ever seen of the object.
const UNSEEN: [&str; 8] = [
    "Waiting",
    "AccountMismatch",
    "CredentialsInvalid",
    "CredentialsMissing",
    "Forbidden",
    "InvalidSpec",
    "ServiceUnavailable",
    "Throttled",
];

/// Whether a stored `Ready` tells what the object was like, rather than why it could not be looked at.
fn was_seen(ready: &Condition) -> bool {
    ready.status == "True" || !UNSEEN.contains(&ready.reason.as_str())
}

/// The reason of a condition, where it is there.
pub fn reason<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a str> {
    conditions
        .iter()
        .find(|one| one.type_ == type_)
        .map(|one| one.reason.as_str())
}

/// Whether a condition is there and true.
pub fn is_true(conditions: &[Condition], type_: &str) -> bool {
    conditions
        .iter()
        .any(|one| one.type_ == type_ && one.status == "True")
}

fn set(
    conditions: &mut Vec<Condition>,
    type_: &str,
    truth: bool,
    says: &Says,
    generation: i64,
    now: Timestamp,
) {
    let status = if truth { "True" } else { "False" };
    let known = conditions.iter().find(|one| one.type_ == type_);
    let since = match known {
        Some(known) if known.status == status => known.last_transition_time.clone(),
        // Seconds only: that is all the wire keeps, and a stored condition must compare equal.
        _ => Time(whole_second(now)),
    };
    let condition = Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: says.reason.to_owned(),
        message: says.message.clone(),
        observed_generation: Some(generation),
        last_transition_time: since,
    };
    match conditions.iter_mut().find(|one| one.type_ == type_) {
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_abnormal_pair_is_there_only_while_true() {
        let mut conditions = Vec::new();
        let no = || Ready::No(Says::new("Creating", "made"));
        apply(
            &mut conditions,
            &Verdict::working(no(), Says::new("Creating", "made")),
            1,
            at(10),
        );
        assert!(is_true(&conditions, "Reconciling"));
        apply(
            &mut conditions,
            &Verdict::stalled(no(), Says::new("CreationFailed", "failed")),
            1,
            at(20),
        );
        assert!(!is_true(&conditions, "Reconciling"));
        assert!(is_true(&conditions, "Stalled"));
        assert_eq!(reason(&conditions, "Synced"), Some("CreationFailed"));
    }

    #[test]
    fn a_transition_time_moves_with_the_status_and_nothing_else() {
        let mut conditions = Vec::new();
        let verdict =
            |reason| Verdict::working(Ready::No(Says::new(reason, "")), Says::new(reason, ""));
        apply(&mut conditions, &verdict("Creating"), 1, at(10));
        apply(&mut conditions, &verdict("Restarting"), 2, at(20));
        assert_eq!(conditions[0].last_transition_time, Time(at(10)));
        assert_eq!(conditions[0].observed_generation, Some(2));
    }

    #[test]
    fn ready_stays_as_it_was_last_seen() {
        let mut conditions = Vec::new();
        let yes = Verdict {
            ready: Ready::Yes(Says::new("Available", "")),
            synced: Ok(Says::new("InSync", "")),
            reconciling: None,
            stalled: None,
        };
        apply(&mut conditions, &yes, 1, at(10));
        let held = Verdict::out_of_sync(
            Ready::AsBefore(Says::new("Unknown", "")),
            Says::new("Throttled", ""),
        );
        apply(&mut conditions, &held, 2, at(20));
        assert!(is_true(&conditions, "Ready"));
        assert_eq!(reason(&conditions, "Ready"), Some("Available"));
    }

    #[test]
    fn where_nothing_was_seen_ready_says_what_hinders_now() {
        let mut conditions = Vec::new();
        for hindrance in ["CredentialsMissing", "CredentialsInvalid", "Throttled"] {
            let says = Says::new(hindrance, hindrance);
            let held = Verdict::out_of_sync(Ready::AsBefore(says.clone()), says);
            apply(&mut conditions, &held, 1, at(10));
            assert_eq!(reason(&conditions, "Ready"), Some(hindrance));
            assert_eq!(conditions[0].message, hindrance);
            assert_eq!(conditions[0].last_transition_time, Time(at(10)));
        }
    }
}
