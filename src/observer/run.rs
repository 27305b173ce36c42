//! The loops: one per account, started and ended as accounts come and go.
//!
//! It knows when to poll and whom to hand the wake-ups to, and nothing of what a poll does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Account, Accounts, ResourceKey};

type Wake = Arc<dyn Fn(ResourceKey) + Send + Sync>;

impl Accounts {
    /// Polls every account when it is due and hands the resources to be woken to `wake`, until
    /// `shutdown`. Requests that are under way then are dropped.
    pub async fn run(
        self,
        wake: impl Fn(ResourceKey) + Send + Sync + 'static,
        shutdown: CancellationToken,
    ) {
        let wake: Wake = Arc::new(wake);
        // By the account's address, which stays its own while it is held here.
        let mut loops: HashMap<usize, (Account, tokio::task::AbortHandle)> = HashMap::new();
        let mut tasks = JoinSet::new();
        loop {
            let mut all: HashMap<_, _> = self
                .distinct()
                .into_iter()
                .map(|account| (account.address(), account))
                .collect();
            loops.retain(|address, (_, task)| {
                let goes_on = !task.is_finished() && all.contains_key(address);
                if goes_on {
                    all.remove(address);
                } else {
                    task.abort();
                }
                goes_on
            });
            for (address, account) in all {
                let one = self.clone().follow(account.clone(), wake.clone());
                loops.insert(address, (account, tasks.spawn(one)));
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.0.changed.notified() => {}
                Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                    if let Err(error) = ended && error.is_panic() {
                        tracing::error!("the loop of an account failed and is started again");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
            }
        }
        tasks.shutdown().await;
    }

    /// The loop of one account; it ends only from outside.
    async fn follow(self, account: Account, wake: Wake) {
        let hand_over = |keys: Vec<ResourceKey>| keys.into_iter().for_each(|key| wake(key));
        loop {
            hand_over(account.take_wakes());
            let pause = account
                .next_poll()
                .duration_since(self.clock().now())
                // The wall clock may be set while we sleep.
                .min(self.longest_sleep());
            match Duration::try_from(pause) {
                Ok(pause) if !pause.is_zero() => {
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = account.seat().changed.notified() => {}
                    }
                }
                _ => {
                    // Looked at while it polls as well: others' calls can open the circuit meanwhile.
                    let poll = account.poll();
                    tokio::pin!(poll);
                    loop {
                        tokio::select! {
                            keys = &mut poll => break hand_over(keys),
                            () = account.seat().changed.notified() => {
                                hand_over(account.take_wakes());
                            }
                        }
                    }
                }
            }
        }
    }
}
