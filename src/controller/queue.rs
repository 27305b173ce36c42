//! The work queue: which resource to look at next, and not two looks at one resource at a time.
//!
//! A key waits at most once, at its earliest time. Woken while it is worked on, it runs once more
//! afterwards. Nothing is awaited per resource, so ten thousand waiting keys are ten thousand small
//! entries and one timer. It knows nothing of Kubernetes.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::observer::ResourceKey;

/// See the module.
#[derive(Default)]
pub struct Queue {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Default)]
struct Inner {
    /// By time, then by order of arrival.
    waiting: BTreeMap<(Instant, u64), ResourceKey>,
    place: HashMap<ResourceKey, (Instant, u64)>,
    /// Being worked on, and when to run again because of a wake-up meanwhile.
    running: HashMap<ResourceKey, Option<Instant>>,
    failures: HashMap<ResourceKey, u32>,
    arrivals: u64,
}

impl Queue {
    /// Has this resource looked at after a while, or earlier if it already waits for less.
    pub fn wake(&self, key: &ResourceKey, after: Duration) {
        let mut inner = self.inner.lock();
        let due = Instant::now() + after;
        if let Some(again) = inner.running.get_mut(key) {
            *again = Some(again.map_or(due, |known| known.min(due)));
            return;
        }
        inner.insert(key, due);
        drop(inner);
        self.changed.notify_one();
    }

    /// Something happened that concerns this resource: it is looked at now. One that is being looked at
    /// is looked at once more, this long from now, so that a flurry of happenings costs two looks.
    pub fn nudge(&self, key: &ResourceKey, pause: Duration) {
        let is_running = self.inner.lock().running.contains_key(key);
        self.wake(key, if is_running { pause } else { Duration::ZERO });
    }

    /// The next key that is due; it is being worked on until [`Self::done`].
    pub async fn next(&self) -> ResourceKey {
        loop {
            let changed = self.changed.notified();
            let wait = {
                let mut inner = self.inner.lock();
                let now = Instant::now();
                match inner.waiting.first_key_value() {
                    Some((&(due, _), _)) if due <= now => {
                        if let Some((_, key)) = inner.waiting.pop_first() {
                            inner.place.remove(&key);
                            inner.running.insert(key.clone(), None);
                            let more = !inner.waiting.is_empty();
                            drop(inner);
                            if more {
                                // Another worker may sleep towards a later key.
                                self.changed.notify_one();
                            }
                            return key;
                        }
                        None
                    }
                    Some((&(due, _), _)) => Some(due),
                    None => None,
                }
            };
            match wait {
                Some(due) => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep_until(due) => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// The look went well; the next is after `wake`, or when something wakes it.
    pub fn done(&self, key: &ResourceKey, wake: Option<Duration>) {
        self.inner.lock().failures.remove(key);
        self.finish(key, wake);
    }

    /// The look failed: again after a pause that doubles up to `longest`. Gives the pause.
    pub fn failed(&self, key: &ResourceKey, shortest: Duration, longest: Duration) -> Duration {
        let pause = {
            let mut inner = self.inner.lock();
            let failures = inner.failures.entry(key.clone()).or_default();
            let pause = shortest
                .saturating_mul(1 << (*failures).min(16))
                .min(longest);
            *failures = failures.saturating_add(1);
            pause
        };
        self.finish(key, Some(pause));
        pause
    }

    /// Keys that wait, and keys that are being worked on.
    pub fn depth(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        (inner.waiting.len(), inner.running.len())
    }

    fn finish(&self, key: &ResourceKey, wake: Option<Duration>) {
        let mut inner = self.inner.lock();
        let again = inner.running.remove(key).flatten();
        let planned = wake.map(|after| Instant::now() + after);
        let Some(due) = again.into_iter().chain(planned).min() else {
            return;
        };
        inner.insert(key, due);
        drop(inner);
        self.changed.notify_one();
    }
}

impl Inner {
    fn insert(&mut self, key: &ResourceKey, due: Instant) {
        if let Some(place) = self.place.get(key).copied() {
            if place.0 <= due {
                return;
            }
            self.waiting.remove(&place);
        }
        self.arrivals += 1;
        let place = (due, self.arrivals);
        self.waiting.insert(place, key.clone());
        self.place.insert(key.clone(), place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observer::Kind;

    fn key(name: &str) -> ResourceKey {
        ResourceKey {
            kind: Kind::Cluster,
            namespace: "n".to_owned(),
            name: name.to_owned(),
        }
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn the_earliest_wake_up_counts_and_keys_come_once() {
        let queue = Queue::default();
        let start = Instant::now();
        queue.wake(&key("a"), s(60));
        queue.wake(&key("b"), s(10));
        queue.wake(&key("a"), s(5));
        queue.wake(&key("a"), s(30));
        assert_eq!(queue.next().await, key("a"));
        assert_eq!(start.elapsed().as_secs(), 5);
        assert_eq!(queue.next().await, key("b"));
        queue.done(&key("a"), None);
        queue.done(&key("b"), None);
        assert_eq!(queue.depth(), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_never_runs_twice_at_once_and_a_wake_up_meanwhile_is_not_lost() {
        let queue = Queue::default();
        queue.wake(&key("a"), s(0));
        assert_eq!(queue.next().await, key("a"));
        queue.wake(&key("a"), s(0));
        let second = tokio::time::timeout(s(3600), queue.next()).await;
        assert!(second.is_err(), "it is still being worked on");
        queue.done(&key("a"), Some(s(60)));
        let second = tokio::time::timeout(s(1), queue.next()).await;
        assert_eq!(second.unwrap(), key("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_happens_is_looked_at_now_and_a_flurry_costs_two_looks() {
        let queue = Queue::default();
        let start = Instant::now();
        queue.wake(&key("a"), s(60));
        queue.nudge(&key("a"), s(1));
        assert_eq!(queue.next().await, key("a"));
        assert_eq!(
            start.elapsed().as_secs(),
            0,
            "nobody waits for a flurry to end"
        );
        queue.nudge(&key("a"), s(1));
        queue.nudge(&key("a"), s(1));
        queue.done(&key("a"), None);
        assert_eq!(queue.next().await, key("a"));
        assert_eq!(start.elapsed().as_secs(), 1);
        queue.done(&key("a"), None);
        assert_eq!(queue.depth(), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_the_limit_and_begin_anew_after_a_success() {
        let queue = Queue::default();
        let mut pauses = Vec::new();
        queue.wake(&key("a"), s(0));
        for _ in 0..4 {
            let found = queue.next().await;
            pauses.push(queue.failed(&found, s(1), s(5)).as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 5]);
        let found = queue.next().await;
        queue.done(&found, Some(s(0)));
        let found = queue.next().await;
        assert_eq!(queue.failed(&found, s(1), s(5)), s(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_sleeps_towards_a_late_key_takes_an_early_one() {
        let queue = std::sync::Arc::new(Queue::default());
        queue.wake(&key("late"), s(600));
        let worker = tokio::spawn({
            let queue = queue.clone();
            async move { queue.next().await }
        });
        tokio::time::sleep(s(1)).await;
        queue.wake(&key("early"), s(0));
        assert_eq!(worker.await.unwrap(), key("early"));
    }
}
