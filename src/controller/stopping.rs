//! The end of a run: what is in flight comes to its end, and no answer stays in memory alone.
//!
//! It is called once the stop of [`Flights`] was given, so no flight begins any more and reads are dropped.
//! It knows nothing of signals.

use std::time::Duration;

use kube::ResourceExt;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::task::TaskTracker;

use super::context::{Context, Flights};
use super::error::ReconcileError;
use super::store::{self, Managed};
use super::{execute, interest};
use crate::api::{DwsCluster, DwsSnapshot};
use crate::observer::{Kind, ResourceKey};

/// Between two tries to store what could not be stored.
const PAUSE: Duration = Duration::from_millis(500);

/// How a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What was in flight has ended, and its answers are stored.
    Orderly,
    /// The grace was over before that: the journal tells the next process what is open.
    Cut,
}

/// Waits for the flights, stores what could not be stored before, then lets the workers end what they
/// write; all of it within the grace. A worker that is late cuts nothing off: it waits for no answer of the
/// service, and what it writes the next process writes as well. Where that one is at work already, since the
/// permit is gone, workers are not waited for at all.
pub async fn end(ctx: &Context, flights: &Flights, workers: &TaskTracker, grace: Duration) -> End {
    let deadline = Instant::now() + grace;
    let settled = async {
        flights.tracker.close();
        flights.tracker.wait().await;
        store_the_rest(ctx).await;
    };
    let end = match timeout_at(deadline, settled).await {
        Ok(()) => End::Orderly,
        Err(_) => End::Cut,
    };
    if !flights.permit.holds() {
        return end;
    }
    if timeout_at(deadline, workers.wait()).await.is_err() && end == End::Orderly {
        tracing::info!("a reconcile that was writing is left to the next process");
    }
    end
}

/// Until every answer is stored.
async fn store_the_rest(ctx: &Context) {
    loop {
        let keys = ctx.memory.unstored();
        if keys.is_empty() {
            return;
        }
        for key in &keys {
            let settled = match key.kind {
                Kind::Cluster => Box::pin(settle::<DwsCluster>(ctx, key)).await,
                Kind::Snapshot => Box::pin(settle::<DwsSnapshot>(ctx, key)).await,
            };
            if let Err(error) = settled {
                tracing::debug!(namespace = %key.namespace, name = %key.name, %error, "an answer is still not stored");
            }
        }
        if !ctx.memory.unstored().is_empty() {
            sleep(PAUSE).await;
        }
    }
}

async fn settle<K: Managed>(ctx: &Context, key: &ResourceKey) -> Result<(), ReconcileError> {
    let found = store::get::<K>(&ctx.client, &key.namespace, &key.name).await?;
    let Some(object) = found else {
        interest::forget(ctx, key);
        return Ok(());
    };
    let uid = object.uid().unwrap_or_default();
    if let Some(former) = ctx.memory.bind(key, &uid) {
        interest::forget_uid(ctx, &former);
    }
    execute::settle_answers(ctx, object).await.map(drop)
}
