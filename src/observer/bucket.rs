//! A token bucket with three queues: who may send the next request, as pure state.
//!
//! It is told the time and knows no task, no timer and no request. Changing calls go first without
//! shutting the reads out: a smooth weighted round robin gives each waiting queue its share.

use std::collections::VecDeque;
use std::time::Duration;

/// How urgent a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Urgency {
    /// A changing call.
    Changing,
    /// A list (it serves every resource of the account), a project look-up, or a detail of something
    /// that has work.
    Prompt,
    /// A detail of something that is at rest.
    Idle,
}

/// The lowest sustained rate, a request in 100 seconds: less could not follow a single task.
pub const SLOWEST: f64 = 0.01;

/// Shares of the queues while all of them wait: of 13 requests 8 change, 4 are prompt, 1 is idle.
const WEIGHTS: [i64; 3] = [8, 4, 1];

/// See the module.
#[derive(Debug)]
pub struct Bucket<T> {
    per_second: f64,
    capacity: f64,
    tokens: f64,
    at: Duration,
    queues: [VecDeque<T>; 3],
    credit: [i64; 3],
}

impl<T> Bucket<T> {
    /// A full bucket. `per_second` is the sustained rate, at least [`SLOWEST`]; a fifth of a second's worth
    /// may go out at once.
    pub fn new(per_second: f64) -> Self {
        let per_second = if per_second.is_finite() {
            per_second.clamp(SLOWEST, 100_000.0)
        } else {
            100_000.0
        };
        let capacity = (per_second / 5.0).max(1.0);
        Self {
            per_second,
            capacity,
            tokens: capacity,
            at: Duration::ZERO,
            queues: Default::default(),
            credit: [0; 3],
        }
    }

    /// Lets one wait.
    pub fn enqueue(&mut self, urgency: Urgency, waiter: T) {
        self.queues[urgency as usize].push_back(waiter);
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.queues.iter().map(VecDeque::len).sum()
    }

    /// Takes a token for the next waiter, if there are both. `now` counts from any fixed moment.
    pub fn grant(&mut self, now: Duration) -> Option<T> {
        self.refill(now);
        if self.tokens < 1.0 {
            return None;
        }
        let next = self.choose()?;
        let waiter = self.queues[next].pop_front()?;
        self.tokens -= 1.0;
        Some(waiter)
    }

    /// Gives a token back that was granted to one who no longer waits.
    pub fn refund(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.capacity);
    }

    /// How long until there is a token; zero when there is one.
    pub fn next_in(&mut self, now: Duration) -> Duration {
        self.refill(now);
        let missing = 1.0 - self.tokens;
        if missing <= 0.0 {
            Duration::ZERO
        } else {
            // A nanosecond more than the quotient: rounding down would ask again too early.
            Duration::from_secs_f64(missing / self.per_second) + Duration::from_nanos(1)
        }
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at);
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed.as_secs_f64() * self.per_second).min(self.capacity);
    }

    fn choose(&mut self) -> Option<usize> {
        let mut total = 0;
        let mut best: Option<usize> = None;
        for (index, weight) in WEIGHTS.iter().enumerate() {
            if self.queues[index].is_empty() {
                // Credit is for waiting only: an empty queue saves up none, and owes none.
                self.credit[index] = 0;
                continue;
            }
            total += weight;
            self.credit[index] += weight;
            if best.is_none_or(|best| self.credit[index] > self.credit[best]) {
                best = Some(index);
            }
        }
        self.credit[best?] -= total;
        best
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const ALL: [Urgency; 3] = [Urgency::Changing, Urgency::Prompt, Urgency::Idle];

    fn drain(bucket: &mut Bucket<Urgency>, many: usize) -> Vec<Urgency> {
        let mut now = bucket.at;
        let mut out = Vec::new();
        while out.len() < many {
            now += bucket.next_in(now);
            match bucket.grant(now) {
                Some(urgency) => out.push(urgency),
                None => break,
            }
        }
        out
    }

    #[rstest]
    #[case(10.0, 2, 21)]
    #[case(1.0, 1, 2)]
    #[case(100.0, 20, 219)]
    fn the_rate_holds(#[case] rate: f64, #[case] at_once: usize, #[case] in_two_seconds: usize) {
        let mut bucket = Bucket::new(rate);
        for _ in 0..1_000 {
            bucket.enqueue(Urgency::Idle, ());
        }
        let burst = std::iter::from_fn(|| bucket.grant(Duration::ZERO)).count();
        assert_eq!(burst, at_once);
        let mut sent = burst;
        let mut now = Duration::ZERO;
        loop {
            now += bucket.next_in(now);
            if now >= Duration::from_secs(2) {
                break;
            }
            sent += usize::from(bucket.grant(now).is_some());
        }
        assert_eq!(sent, in_two_seconds);
    }

    #[test]
    fn a_changing_call_overtakes_ten_thousand_reads() {
        let mut bucket = Bucket::new(10.0);
        for _ in 0..10_000 {
            bucket.enqueue(Urgency::Idle, Urgency::Idle);
            bucket.enqueue(Urgency::Prompt, Urgency::Prompt);
        }
        drain(&mut bucket, 57);
        bucket.enqueue(Urgency::Changing, Urgency::Changing);
        let next = drain(&mut bucket, 3);
        assert!(next.contains(&Urgency::Changing), "{next:?}");
    }

    #[test]
    fn everybody_waiting_gets_the_share() {
        let mut bucket = Bucket::new(10.0);
        for _ in 0..1_000 {
            for urgency in ALL {
                bucket.enqueue(urgency, urgency);
            }
        }
        let out = drain(&mut bucket, 130);
        let count = |wanted| out.iter().filter(|got| **got == wanted).count();
        assert_eq!(ALL.map(count), [80, 40, 10]);
    }

    #[test]
    fn a_refund_is_a_token_and_no_more() {
        let mut bucket = Bucket::new(1.0);
        bucket.enqueue(Urgency::Idle, 1);
        bucket.enqueue(Urgency::Idle, 2);
        assert_eq!(bucket.grant(Duration::ZERO), Some(1));
        assert_eq!(bucket.grant(Duration::ZERO), None);
        bucket.refund();
        bucket.refund();
        assert_eq!(bucket.grant(Duration::ZERO), Some(2));
        assert_eq!(bucket.next_in(Duration::ZERO).as_millis(), 1_000);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_away() {
        let mut bucket = Bucket::<()>::new(1.0);
        bucket.enqueue(Urgency::Idle, ());
        bucket.enqueue(Urgency::Idle, ());
        assert!(bucket.grant(Duration::from_secs(100)).is_some());
        assert!(bucket.grant(Duration::from_secs(5)).is_none());
        assert!(bucket.grant(Duration::from_secs(100)).is_none());
    }

    proptest! {
        /// Whatever arrives when: whoever waits alone in its queue is served within 13 grants.
        #[test]
        fn nobody_starves(arrivals in prop::collection::vec(0_usize..3, 1..300)) {
            let mut bucket = Bucket::new(10.0);
            let mut waited = [0_u32; 3];
            let mut now = Duration::ZERO;
            for which in arrivals {
                bucket.enqueue(ALL[which], which);
                now += bucket.next_in(now);
                let Some(granted) = bucket.grant(now) else { continue };
                for index in 0..3 {
                    if index == granted || bucket.queues[index].is_empty() {
                        waited[index] = 0;
                    } else {
                        waited[index] += 1;
                        let limit = [3, 4, 13][index];
                        prop_assert!(waited[index] <= limit, "{index} waited {}", waited[index]);
                    }
                }
            }
        }
    }
}
