//! What outlives an account whose credentials are replaced: who is interested, whom to wake,
//! the rate limit and the counters.
//!
//! It knows no credential and no list. Where a Secret is an account's only source and is rotated, the new
//! account takes the seat, so nobody has to tell it anew what they follow.

use std::collections::BTreeSet;

use jiff::Timestamp;
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
    /// When the latest complete list was requested.
    last_list: Mutex<Option<Timestamp>>,
    /// The loop has to look again: somebody is to be woken, or the next poll is due earlier.
    pub(super) changed: Notify,
}

impl Seat {
    pub(super) fn new(max_requests_per_second: f64) -> Self {
        Self {
            interests: Mutex::default(),
            limiter: Limiter::new(max_requests_per_second),
            wakes: Mutex::default(),
            last_list: Mutex::default(),
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

    /// The account of another seat is gone, and this one's account is in its place: those who followed
    /// something there do it here, and are to look again.
    pub(super) fn take_over(&self, vacated: &Self) {
        let there = vacated.interests.lock().take_all();
        let keys = there.iter().map(|interest| interest.key.clone()).collect();
        for interest in there {
            self.watch(interest);
        }
        self.wake(keys);
    }

    /// The credentials of a Secret in this namespace have become others.
    pub(super) fn wake_namespace(&self, namespace: &str) {
        let keys = self.interests.lock().all();
        let here = keys.into_iter().filter(|key| key.namespace == namespace);
        self.wake(here.collect());
    }

    pub(super) fn listed(&self, requested_at: Timestamp) {
        *self.last_list.lock() = Some(requested_at);
    }

    pub(super) fn last_list(&self) -> Option<Timestamp> {
        *self.last_list.lock()
    }

    pub(super) fn take_wakes(&self) -> Vec<ResourceKey> {
        std::mem::take(&mut *self.wakes.lock())
            .into_iter()
            .collect()
    }
}
