//! The observer over a stand-in of the service, in tokio's paused time.

mod coming;
mod holding;
mod lists;
mod sharing;

use jiff::SignedDuration;
use tokio::time::sleep;

use super::Account;
use crate::core::facts;
use crate::dws::answer::Answer;
use crate::dws::call::Call;

fn restart() -> Call {
    Call::RestartCluster {
        cluster_id: "c1".to_owned(),
    }
}

pub(super) async fn execute(account: &Account, seconds: i64) -> Answer {
    let deadline = account.now() + SignedDuration::from_secs(seconds);
    account.execute(&restart(), deadline).await
}

pub(super) fn known(account: &Account) -> facts::KnownAccount {
    match account.facts(true) {
        facts::Account::Known(known) => known,
        other => panic!("not known: {other:?}"),
    }
}

/// Sleeps until the next poll is due and polls.
pub(super) async fn next_poll(account: &Account) -> Vec<super::ResourceKey> {
    let pause = account.next_poll().duration_since(account.now());
    sleep(pause.try_into().unwrap_or_default()).await;
    account.poll().await
}
