//! What belongs to a source of credentials and outlives each of them: who is interested, whom to wake,
//! the rate limit and the counters.
//!
//! It knows no credential and no list. A rotated Secret gives a new account on the same seat, so nobody
//! has to tell it anew what they follow.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::circuit::Signal;
use super::interests::Interests;
use super::limiter::Limiter;
use super::{Interest, ResourceKey};

/// See the module.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) interests: Mutex<Interests>,
    pub(super) limiter: Limiter,
    wakes: Mutex<BTreeSet<ResourceKey>>,
    /// The loop has to look again: somebody is to be woken, or the next poll is due earlier.
    pub(super) changed: Notify,
}

impl Seat {
    pub(super) fn new(max_requests_per_second: f64) -> Self {
        Self {
            interests: Mutex::default(),
            limiter: Limiter::new(max_requests_per_second),
            wakes: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Returns whether the resource is new here.
    pub(super) fn watch(&self, interest: Interest) -> bool {
        let mut interests = self.interests.lock();
        let before = interests.len();
        let changed = interests.watch(interest);
        let is_new = interests.len() > before;
        drop(interests);
        if changed {
            self.changed.notify_one();
        }
        is_new
    }

    pub(super) fn unwatch(&self, uid: &str) {
        self.interests.lock().unwatch(uid);
    }

    pub(super) fn wake(&self, keys: Vec<ResourceKey>) {
        if !keys.is_empty() {
            self.wakes.lock().extend(keys);
            self.changed.notify_one();
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        let interests = self.interests.lock();
        let mut keys = Vec::new();
        if signal.with_work {
            keys.extend(interests.by_work(true));
        }
        if signal.idle {
            keys.extend(interests.by_work(false));
        }
        drop(interests);
        self.wake(keys);
    }

    /// Other credentials took the seat: the lists are lost and everybody is to look again.
    pub(super) fn retake(&self) {
        let mut interests = self.interests.lock();
        interests.await_all();
        let everybody = interests.all();
        drop(interests);
        self.wake(everybody);
    }

    pub(super) fn take_wakes(&self) -> Vec<ResourceKey> {
        std::mem::take(&mut *self.wakes.lock())
            .into_iter()
            .collect()
    }
}
