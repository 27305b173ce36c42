//! The token bucket of one account, for tasks to wait at.
//!
//! It knows tokio's clock and tasks; the order is [`super::bucket`]'s. One waiter at a time drives the
//! bucket for all of them, so ten thousand waiters cost one timer.

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::bucket::{Bucket, Urgency};

/// See the module.
#[derive(Debug)]
pub struct Limiter {
    began: Instant,
    bucket: Mutex<Bucket<oneshot::Sender<()>>>,
    /// Held by the waiter that drives. It is dropped with its future, so a cancelled driver hands over.
    wheel: tokio::sync::Mutex<()>,
}

impl Limiter {
    /// At most `per_second` requests a second.
    pub fn new(per_second: f64) -> Self {
        Self {
            began: Instant::now(),
            bucket: Mutex::new(Bucket::new(per_second)),
            wheel: tokio::sync::Mutex::new(()),
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.bucket.lock().waiting()
    }

    /// Waits for the turn. One who stops waiting costs no token.
    pub async fn acquire(&self, urgency: Urgency) {
        let (sender, mut granted) = oneshot::channel();
        self.bucket.lock().enqueue(urgency, sender);
        self.turn();
        let _wheel = tokio::select! {
            biased;
            _ = &mut granted => return,
            wheel = self.wheel.lock() => wheel,
        };
        loop {
            let pause = self.bucket.lock().next_in(self.began.elapsed());
            tokio::select! {
                biased;
                _ = &mut granted => return,
                () = tokio::time::sleep(pause) => self.turn(),
            }
        }
    }

    /// Hands out the tokens that there are.
    fn turn(&self) {
        let now = self.began.elapsed();
        let mut bucket = self.bucket.lock();
        while let Some(waiter) = bucket.grant(now) {
            if waiter.send(()).is_err() {
                bucket.refund();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waiters_go_at_the_rate() {
        let limiter = Arc::new(Limiter::new(10.0));
        let began = Instant::now();
        let all = (0..102).map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move { limiter.acquire(Urgency::Idle).await })
        });
        futures::future::join_all(all).await;
        let took = began.elapsed();
        assert!(took >= Duration::from_secs(10), "{took:?}");
        assert!(took < Duration::from_millis(10_200), "{took:?}");
        assert_eq!(limiter.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_give_up_cost_nothing_and_stop_nobody() {
        let limiter = Arc::new(Limiter::new(1.0));
        limiter.acquire(Urgency::Idle).await;
        let spawn = || {
            let limiter = limiter.clone();
            tokio::spawn(async move { limiter.acquire(Urgency::Idle).await })
        };
        let given_up: Vec<_> = (0..1_000).map(|_| spawn()).collect();
        tokio::task::yield_now().await;
        let last = spawn();
        tokio::task::yield_now().await;
        // The first of them drives; it goes with the others.
        given_up.iter().for_each(tokio::task::JoinHandle::abort);
        let began = Instant::now();
        assert!(last.await.is_ok());
        assert!(began.elapsed() < Duration::from_millis(1_100));
        assert_eq!(limiter.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_changing_call_does_not_queue_behind_reads() {
        let limiter = Arc::new(Limiter::new(10.0));
        for _ in 0..5_000 {
            let limiter = limiter.clone();
            tokio::spawn(async move { limiter.acquire(Urgency::Idle).await });
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let began = Instant::now();
        limiter.acquire(Urgency::Changing).await;
        assert!(began.elapsed() <= Duration::from_millis(300));
    }
}
