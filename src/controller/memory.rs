//! What this process remembers of each resource: lost with it, and safe to lose.
//!
//! Windows of open operations, since when a node count stands low, a call in flight, an answer that could
//! not be stored yet, and which versions of an object were our own writes (their echoes in the watch need
//! no reconcile). Keyed by uid: a new object of the same name begins with nothing.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use parking_lot::Mutex;

use crate::api::{Operation, OperationPhase};
use crate::dws::answer::Answer;
use crate::observer::{Following, ResourceKey, Source};

/// How many of our own writes per object are remembered until their echo comes.
const ECHOES: usize = 8;

/// See the module.
#[derive(Default)]
pub struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Boxed: half of a table can be empty.
    by_uid: HashMap<String, Box<Entry>>,
    uid_of: HashMap<ResourceKey, String>,
    echoes: HashMap<(&'static str, String, String), VecDeque<String>>,
}

#[derive(Default)]
struct Entry {
    window: Option<Window>,
    low_count_since: Option<Timestamp>,
    in_flight: bool,
    /// Large and rare.
    unstored: Option<Box<(Operation, Answer)>>,
    credentials: Option<Credentials>,
    /// What was said last of keys in the credentials Secret that are ignored.
    ignored_told: Option<String>,
}

/// The credentials of a resource, and where it told what it follows. Nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Where they come from.
    pub source: Source,
    /// At which account's.
    pub at: Following,
}

struct Window {
    operation: String,
    attempt: i32,
    start: Timestamp,
}

impl Memory {
    /// Binds a key to the uid that was read. Gives the uid that the key had before, if it is another.
    pub fn bind(&self, key: &ResourceKey, uid: &str) -> Option<String> {
        let mut inner = self.inner.lock();
        let former = inner.uid_of.insert(key.clone(), uid.to_owned());
        let former = former.filter(|found| found != uid)?;
        inner.by_uid.remove(&former);
        Some(former)
    }

    /// Forgets a resource that is gone. Gives its uid.
    pub fn forget(&self, key: &ResourceKey) -> Option<String> {
        let mut inner = self.inner.lock();
        let uid = inner.uid_of.remove(key)?;
        inner.by_uid.remove(&uid);
        Some(uid)
    }

    /// When the window of the journal's open attempt began: the end of its call, else the first look.
    pub fn window_start(
        &self,
        uid: &str,
        operation: Option<&Operation>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut inner = self.inner.lock();
        let entry = inner.by_uid.entry(uid.to_owned()).or_default();
        let open = operation.filter(|o| {
            matches!(
                o.phase,
                OperationPhase::Intended | OperationPhase::Ambiguous
            )
        });
        let Some(open) = open else {
            entry.window = None;
            return None;
        };
        match &entry.window {
            Some(known) if known.operation == open.id && known.attempt == open.attempt => {
                Some(known.start)
            }
            _ => {
                entry.window = Some(Window::new(open, now));
                Some(now)
            }
        }
    }

    /// Marks a call as sent: until it ends nothing is planned for this resource.
    pub fn call_begins(&self, uid: &str) {
        self.entry(uid, |entry| entry.in_flight = true);
    }

    /// The call is over: its window begins now.
    pub fn call_ended(&self, uid: &str, operation: &Operation, now: Timestamp) {
        self.entry(uid, |entry| {
            entry.window = Some(Window::new(operation, now));
        });
    }

    /// The call is over and its answer is stored or kept.
    pub fn call_over(&self, uid: &str) {
        self.entry(uid, |entry| entry.in_flight = false);
    }

    /// Keeps an answer that could not be stored for a later reconcile.
    pub fn keep_answer(&self, uid: &str, operation: Operation, answer: Answer) {
        self.entry(uid, |entry| {
            entry.unstored = Some(Box::new((operation, answer)));
        });
    }

    /// Resources with an answer that could not be stored yet.
    pub fn unstored(&self) -> Vec<ResourceKey> {
        let inner = self.inner.lock();
        let keys = inner.uid_of.iter().filter(|(_, uid)| {
            let entry = inner.by_uid.get(*uid);
            entry.is_some_and(|entry| entry.unstored.is_some())
        });
        keys.map(|(key, _)| key.clone()).collect()
    }

    /// A call of this resource has not come back yet.
    pub fn in_flight(&self, uid: &str) -> bool {
        let inner = self.inner.lock();
        inner.by_uid.get(uid).is_some_and(|entry| entry.in_flight)
    }

    /// The answer that could not be stored. It stays until [`Self::answer_stored`].
    pub fn unstored_of(&self, uid: &str) -> Option<(Operation, Answer)> {
        let inner = self.inner.lock();
        inner.by_uid.get(uid)?.unstored.as_deref().cloned()
    }

    /// It is stored now, or has no place any more.
    pub fn answer_stored(&self, uid: &str) {
        self.entry(uid, |entry| entry.unstored = None);
    }

    /// Since when the observed node count has stood below the settled one without a break.
    /// `observed` is `None` when it was not seen: that breaks nothing.
    pub fn low_count_since(
        &self,
        uid: &str,
        observed: Option<i32>,
        settled: Option<i32>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut inner = self.inner.lock();
        let entry = inner.by_uid.entry(uid.to_owned()).or_default();
        match (observed, settled) {
            (Some(observed), Some(settled)) if observed < settled => {
                entry.low_count_since.get_or_insert(now);
            }
            (Some(_), _) => entry.low_count_since = None,
            (None, _) => {}
        }
        entry.low_count_since
    }

    /// Whether a resource told an account with this seat what it follows.
    pub fn is_following(&self, uid: &str, at: &Following) -> bool {
        let inner = self.inner.lock();
        let credentials = inner.by_uid.get(uid).and_then(|e| e.credentials.as_ref());
        credentials.is_some_and(|credentials| credentials.at == *at)
    }

    /// Remembers which credentials a resource uses. Gives the former ones, if they are others.
    pub fn uses(&self, uid: &str, credentials: Option<Credentials>) -> Option<Credentials> {
        let mut inner = self.inner.lock();
        let entry = inner.by_uid.entry(uid.to_owned()).or_default();
        let former = std::mem::replace(&mut entry.credentials, credentials);
        former.filter(|found| Some(found) != entry.credentials.as_ref())
    }

    /// Whether this is news about ignored keys of the resource's credentials Secret; `None`: there are none.
    pub fn is_news_of_ignored(&self, uid: &str, told: Option<&str>) -> bool {
        let mut inner = self.inner.lock();
        let entry = inner.by_uid.entry(uid.to_owned()).or_default();
        let is_news = told.is_some() && entry.ignored_told.as_deref() != told;
        entry.ignored_told = told.map(str::to_owned);
        is_news
    }

    /// Notes a version that we wrote. `kind` is the Kubernetes kind.
    pub fn wrote(&self, kind: &'static str, namespace: &str, name: &str, version: Option<String>) {
        let Some(version) = version else { return };
        let mut inner = self.inner.lock();
        let key = (kind, namespace.to_owned(), name.to_owned());
        let versions = inner.echoes.entry(key).or_default();
        if versions.len() == ECHOES {
            versions.pop_front();
        }
        versions.push_back(version);
    }

    /// Whether a watched version is one that we wrote. A watch tells each version once and in order, so
    /// it and those before it are forgotten: nothing is kept of an object at rest.
    pub fn is_echo(&self, kind: &'static str, namespace: &str, name: &str, version: &str) -> bool {
        let mut inner = self.inner.lock();
        let key = (kind, namespace.to_owned(), name.to_owned());
        let Some(versions) = inner.echoes.get_mut(&key) else {
            return false;
        };
        let Some(place) = versions.iter().position(|found| found == version) else {
            return false;
        };
        versions.drain(..=place);
        if versions.is_empty() {
            inner.echoes.remove(&key);
        }
        true
    }

    /// Forgets the versions of an object that is gone.
    pub fn forget_echoes(&self, kind: &'static str, namespace: &str, name: &str) {
        let key = (kind, namespace.to_owned(), name.to_owned());
        self.inner.lock().echoes.remove(&key);
    }

    /// Resources that something is remembered of.
    pub fn len(&self) -> usize {
        self.inner.lock().by_uid.len()
    }

    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn entry(&self, uid: &str, change: impl FnOnce(&mut Entry)) {
        let mut inner = self.inner.lock();
        change(inner.by_uid.entry(uid.to_owned()).or_default());
    }
}

impl Window {
    fn new(operation: &Operation, start: Timestamp) -> Self {
        Self {
            operation: operation.id.clone(),
            attempt: operation.attempt,
            start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Baseline, OperationKind, Target};
    use crate::observer::Kind;

    fn operation(id: &str, attempt: i32) -> Operation {
        Operation {
            id: id.to_owned(),
            kind: OperationKind::Resize,
            attempt,
            phase: OperationPhase::Intended,
            target: Target::default(),
            baseline: Baseline::default(),
            intended_at: at(0),
            message: None,
            task_seen: None,
            other: std::collections::BTreeMap::default(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn key() -> ResourceKey {
        ResourceKey {
            kind: Kind::Cluster,
            namespace: "n".to_owned(),
            name: "c".to_owned(),
        }
    }

    #[test]
    fn the_window_starts_at_the_first_look_and_again_at_the_end_of_the_call() {
        let memory = Memory::default();
        let first = operation("o", 1);
        assert_eq!(memory.window_start("u", Some(&first), at(10)), Some(at(10)));
        assert_eq!(memory.window_start("u", Some(&first), at(20)), Some(at(10)));
        memory.call_ended("u", &first, at(30));
        assert_eq!(memory.window_start("u", Some(&first), at(40)), Some(at(30)));
        // A renewed attempt has a window of its own.
        assert_eq!(
            memory.window_start("u", Some(&operation("o", 2)), at(50)),
            Some(at(50))
        );
        assert_eq!(memory.window_start("u", None, at(60)), None);
    }

    #[test]
    fn a_low_count_is_timed_without_a_break_and_an_unseen_one_breaks_nothing() {
        let memory = Memory::default();
        assert_eq!(
            memory.low_count_since("u", Some(3), Some(6), at(1)),
            Some(at(1))
        );
        assert_eq!(
            memory.low_count_since("u", None, Some(6), at(2)),
            Some(at(1))
        );
        assert_eq!(memory.low_count_since("u", Some(6), Some(6), at(3)), None);
        assert_eq!(
            memory.low_count_since("u", Some(3), Some(6), at(4)),
            Some(at(4))
        );
    }

    #[test]
    fn an_echo_comes_once_and_leaves_nothing() {
        let memory = Memory::default();
        let is_echo = |version| memory.is_echo("DwsCluster", "n", "c", version);
        for version in ["1", "2", "4"] {
            memory.wrote("DwsCluster", "n", "c", Some(version.to_owned()));
        }
        assert!(
            is_echo("2"),
            "the first was lost, or folded into the second"
        );
        assert!(!is_echo("3"), "somebody else's");
        assert!(is_echo("4"));
        assert!(!is_echo("4"));
        assert!(memory.inner.lock().echoes.is_empty());
    }

    #[test]
    fn a_new_object_of_the_same_name_begins_with_nothing() {
        let memory = Memory::default();
        assert_eq!(memory.bind(&key(), "u1"), None);
        memory.call_begins("u1");
        assert_eq!(memory.bind(&key(), "u2"), Some("u1".to_owned()));
        assert!(!memory.in_flight("u1"));
        assert_eq!(memory.forget(&key()), Some("u2".to_owned()));
        assert!(memory.is_empty());
    }
}
