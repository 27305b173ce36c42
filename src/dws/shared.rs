//! A value that is fetched by one and used by all.
//!
//! It knows neither what the value is nor how it is fetched.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::answer::Failure;

/// A value that at most one caller fetches at a time. Those who wait meanwhile share what comes of it, a
/// failure too: five failed logins lock a user, so a crowd must not make five of one.
pub(crate) struct Shared<T> {
    state: Mutex<State<T>>,
    /// Fetches that have ended, to tell whether one ended while its caller waited.
    ended: AtomicU64,
}

struct State<T> {
    value: Option<T>,
    failed: Option<Failure>,
}

impl<T: Clone> Shared<T> {
    /// With a value, or with none yet.
    pub(crate) fn new(value: Option<T>) -> Self {
        Self {
            state: Mutex::new(State {
                value,
                failed: None,
            }),
            ended: AtomicU64::new(0),
        }
    }

    /// The value, while it is good; else a new one. A fetch whose caller goes away is given up and the
    /// next one starts its own.
    pub(crate) async fn get<F>(&self, is_good: impl Fn(&T) -> bool, fetch: F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let before = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(value) = state.value.as_ref().filter(|value| is_good(value)) {
            return Ok(value.clone());
        }
        if let Some(failure) = &state.failed
            && self.ended.load(Ordering::Acquire) != before
        {
            return Err(failure.clone());
        }
        let fetched = fetch.await;
        self.ended.fetch_add(1, Ordering::AcqRel);
        match &fetched {
            Ok(value) => {
                *state = State {
                    value: Some(value.clone()),
                    failed: None,
                }
            }
            Err(failure) => {
                *state = State {
                    value: None,
                    failed: Some(failure.clone()),
                }
            }
        }
        fetched
    }

    /// Forgets the value, if it is this one.
    pub(crate) async fn forget(&self, is_this: impl Fn(&T) -> bool) {
        let mut state = self.state.lock().await;
        if state.value.as_ref().is_some_and(is_this) {
            state.value = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::*;
    use crate::dws::answer::Meaning;
    use crate::dws::outcome::not_sent;

    async fn crowd(outcome: Result<u32, Failure>) -> (usize, Vec<Result<u32, Failure>>) {
        let shared = Arc::new(Shared::new(None));
        let fetches = Arc::new(AtomicUsize::new(0));
        let callers = (0..50).map(|_| {
            let (shared, fetches, outcome) = (shared.clone(), fetches.clone(), outcome.clone());
            async move {
                let fetch = async {
                    fetches.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    outcome
                };
                shared.get(|_| true, fetch).await
            }
        });
        let answers = futures::future::join_all(callers).await;
        (fetches.load(Ordering::SeqCst), answers)
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_fetches_once() {
        let (fetches, answers) = crowd(Ok(7)).await;
        assert_eq!(fetches, 1);
        assert!(answers.iter().all(|answer| *answer == Ok(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_fails_once() {
        let failure = not_sent(Meaning::Unauthenticated, "no", "x");
        let (fetches, answers) = crowd(Err(failure.clone())).await;
        assert_eq!(fetches, 1);
        assert!(answers.iter().all(|answer| *answer == Err(failure.clone())));
    }

    #[tokio::test]
    async fn a_failure_is_not_kept_for_those_who_come_later() {
        let shared = Shared::new(None);
        let failure = not_sent(Meaning::Unauthenticated, "no", "x");
        assert!(shared.get(|_| true, async { Err(failure) }).await.is_err());
        assert_eq!(shared.get(|_| true, async { Ok(1) }).await, Ok(1));
        assert_eq!(shared.get(|_| true, async { Ok(2) }).await, Ok(1));
        assert_eq!(shared.get(|value| *value > 1, async { Ok(3) }).await, Ok(3));
        shared.forget(|value| *value == 2).await;
        assert_eq!(shared.get(|_| true, async { Ok(4) }).await, Ok(3));
        shared.forget(|value| *value == 3).await;
        assert_eq!(shared.get(|_| true, async { Ok(4) }).await, Ok(4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_is_given_up_holds_nobody() {
        let shared = Shared::new(None);
        let given_up = shared.get(|_| true, std::future::pending());
        assert!(
            tokio::time::timeout(Duration::from_secs(1), given_up)
                .await
                .is_err()
        );
        assert_eq!(shared.get(|_| true, async { Ok(1) }).await, Ok(1));
    }
}
