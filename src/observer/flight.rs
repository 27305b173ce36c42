//! Shares one list among all who ask for it at the same time.
//!
//! Whoever asks gets a list whose request starts after the asking: the one that is under way is too old,
//! the next one serves all who wait for it. It knows nothing of what is fetched. A runner whose future
//! is dropped hands over to the next waiter.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::dws::answer::Failure;

type Outcome<T> = Result<Arc<T>, Failure>;

/// See the module.
#[derive(Debug)]
pub(super) struct Flight<T> {
    runner: tokio::sync::Mutex<()>,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    /// Requests that were started.
    departed: u64,
    /// The latest that ended, and how. The list itself is the account's view anyway.
    arrived: Option<(u64, Outcome<T>)>,
}

impl<T> Default for Flight<T> {
    fn default() -> Self {
        Self {
            runner: tokio::sync::Mutex::default(),
            state: Mutex::new(State {
                departed: 0,
                arrived: None,
            }),
        }
    }
}

impl<T> Flight<T> {
    /// A list that starts from now on. `run` fetches it and calls [`Self::depart`] right before it
    /// sends; if it fails before that (held back), everybody who waits tries for himself.
    pub(super) async fn join<F>(&self, run: impl FnOnce() -> F) -> Outcome<T>
    where
        F: Future<Output = Outcome<T>>,
    {
        let wanted = self.state.lock().departed + 1;
        let _runner = self.runner.lock().await;
        if let Some((number, outcome)) = &self.state.lock().arrived
            && *number >= wanted
        {
            return outcome.clone();
        }
        let before = self.state.lock().departed;
        let outcome = run().await;
        let mut state = self.state.lock();
        if state.departed > before {
            state.arrived = Some((state.departed, outcome.clone()));
        }
        outcome
    }

    /// The request goes out now: who asks later waits for the next one.
    pub(super) fn depart(&self) {
        self.state.lock().departed += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    async fn fetch(flight: &Flight<u64>, count: &AtomicU64) -> Outcome<u64> {
        flight
            .join(|| async {
                flight.depart();
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(Arc::new(number))
            })
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_during_a_list_share_the_next() {
        let (flight, count) = (Arc::new(Flight::default()), Arc::new(AtomicU64::new(0)));
        let spawn = || {
            let (flight, count) = (flight.clone(), count.clone());
            tokio::spawn(async move { fetch(&flight, &count).await })
        };
        let first = spawn();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let later: Vec<_> = (0..100).map(|_| spawn()).collect();
        assert_eq!(first.await.expect("joined").as_deref(), Ok(&1));
        for one in later {
            assert_eq!(one.await.expect("joined").as_deref(), Ok(&2));
        }
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_runner_that_goes_away_leaves_nobody_waiting() {
        let (flight, count) = (Arc::new(Flight::default()), Arc::new(AtomicU64::new(0)));
        let spawn = || {
            let (flight, count) = (flight.clone(), count.clone());
            tokio::spawn(async move { fetch(&flight, &count).await })
        };
        let first = spawn();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let second = spawn();
        tokio::time::sleep(Duration::from_millis(100)).await;
        first.abort();
        assert_eq!(second.await.expect("joined").as_deref(), Ok(&2));
    }
}
