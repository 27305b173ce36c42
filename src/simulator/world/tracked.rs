//! A value that remembers what it was: reads that lag behind see an earlier state.
//!
//! It knows times and copies. It must not know what the value is.

use std::collections::VecDeque;

use jiff::Timestamp;

/// A value with as much of its past as reads may still ask for.
#[derive(Clone, Debug)]
pub(crate) struct Tracked<T> {
    born: Timestamp,
    since: Timestamp,
    current: T,
    removed: Option<Timestamp>,
    past: VecDeque<(Timestamp, T)>,
}

impl<T: Clone> Tracked<T> {
    pub fn new(now: Timestamp, value: T) -> Self {
        Self {
            born: now,
            since: now,
            current: value,
            removed: None,
            past: VecDeque::new(),
        }
    }

    /// The true state.
    pub fn now(&self) -> &T {
        &self.current
    }

    /// Since when the true state has been what it is.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Opens the true state for a change at `now`; what it was before stays visible to reads as of an earlier
    /// time, as far back as `oldest`.
    pub fn edit(&mut self, now: Timestamp, oldest: Timestamp) -> &mut T {
        if oldest < now && self.since < now {
            self.past.push_back((self.since, self.current.clone()));
        }
        // The first state may go once the second one already held at the oldest time that can be asked for.
        while self.past.len() > 1 && self.past[1].0 <= oldest {
            self.past.pop_front();
        }
        if self.past.len() == 1 && self.since <= oldest && self.since < now {
            self.past.pop_front();
            self.past.push_back((self.since, self.current.clone()));
        }
        if oldest >= now {
            self.past.clear();
        }
        self.since = now;
        &mut self.current
    }

    /// From then on it is not there any more.
    pub fn remove(&mut self, at: Timestamp) {
        self.removed = Some(at);
    }

    /// Whether it is truly there.
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.removed.is_none_or(|removed| now < removed)
    }

    /// What a read as of `when` sees.
    pub fn at(&self, when: Timestamp) -> Option<&T> {
        if when < self.born || !self.is_there(when) {
            return None;
        }
        if self.since <= when {
            return Some(&self.current);
        }
        let seen = self.past.iter().rev().find(|(since, _)| *since <= when);
        // Before the oldest state that is kept: the lag was switched on later than that.
        Some(
            seen.or(self.past.front())
                .map_or(&self.current, |(_, value)| value),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(second: i64) -> Timestamp {
        Timestamp::from_second(1_000 + second).unwrap()
    }

    #[test]
    fn reads_see_the_state_of_their_time() {
        let mut value = Tracked::new(t(0), "a");
        *value.edit(t(10), t(-50)) = "b";
        *value.edit(t(20), t(-40)) = "c";
        value.remove(t(30));
        let seen = |second| value.at(t(second)).copied();
        assert_eq!(seen(-1), None);
        assert_eq!(seen(0), Some("a"));
        assert_eq!(seen(9), Some("a"));
        assert_eq!(seen(10), Some("b"));
        assert_eq!(seen(25), Some("c"));
        assert_eq!(seen(30), None);
        assert!(value.is_there(t(29)) && !value.is_there(t(30)));
    }

    #[test]
    fn no_more_past_is_kept_than_can_be_asked_for() {
        let mut value = Tracked::new(t(0), 0);
        for second in 1..1_000 {
            *value.edit(t(second), t(second - 5)) = second;
        }
        assert!(value.past.len() <= 7, "{}", value.past.len());
        assert_eq!(value.at(t(994)), Some(&994));
        let mut value = Tracked::new(t(0), 0);
        for second in 1..1_000 {
            *value.edit(t(second), t(second)) = second;
        }
        assert!(value.past.is_empty());
    }

    #[test]
    fn two_changes_at_one_time_are_one() {
        let mut value = Tracked::new(t(0), "a");
        *value.edit(t(5), t(0)) = "b";
        *value.edit(t(5), t(0)) = "c";
        assert_eq!(value.at(t(4)), Some(&"a"));
        assert_eq!(value.at(t(5)), Some(&"c"));
    }
}
