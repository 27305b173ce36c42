//! The production wiring: watches and the observer wake keys in the queue, workers reconcile them.
//!
//! Nothing is reconciled before the first lists are in, because the index must know who holds what before
//! anything is claimed. On shutdown no new key is taken, reads are dropped, and a changing call in flight is
//! waited for until its answer is stored.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::context::{Context, Flights};
use super::queue::Queue;
pub use super::stopping::End;
use super::{ReconcileError, stopping, watch};
use crate::api::{DwsCluster, DwsSnapshot};
use crate::dws::permit::Permit;
use crate::observer::ResourceKey;

/// Pauses after a failure.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Pauses after somebody else's write came between.
const CONFLICT_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_CONFLICT_PAUSE: Duration = Duration::from_secs(2);
/// What happens to a resource while it is reconciled is one more reconcile, after this time.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// What an account's list shows is looked at after this share of the interval between its lists, and no
/// later than [`LONGEST_OBSERVED_PAUSE`]. A list that was read for one create shows the progress of all
/// others: what a person asked for goes before what moves by itself, and two such lists cost one look.
const OBSERVED_SHARE: u32 = 10;
const LONGEST_OBSERVED_PAUSE: Duration = Duration::from_millis(500);
/// Share by which planned wake-ups are spread.
const JITTER: f64 = 0.1;
/// How often the depth of the queue is told.
const DEPTH_INTERVAL: Duration = Duration::from_secs(5);

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Namespaces to watch; empty for all.
    pub namespaces: Vec<String>,
    /// Reconciles at once, at least 1.
    pub concurrency: usize,
    /// How long calls in flight and the storing of their answers may take to end.
    pub grace: Duration,
    /// The age at which a watch ends and begins anew: [`watch::LONGEST_WATCH`], or less.
    pub watch_age: Duration,
    /// Where it is gone nothing begins any more, and the run ends as by its shutdown.
    pub permit: Permit,
}

/// The wake-up of a [`Context`] that goes into this queue.
pub fn waker(queue: &Arc<Queue>) -> Arc<dyn Fn(&ResourceKey) + Send + Sync> {
    let queue = queue.clone();
    Arc::new(move |key: &ResourceKey| queue.nudge(key, DEBOUNCE))
}

/// Runs until `shutdown`. `ctx.wake` must be [`waker`] of the same queue; `ctx.flights` are made here.
pub async fn run(
    mut ctx: Context,
    queue: Arc<Queue>,
    options: Options,
    shutdown: CancellationToken,
) -> End {
    let flights = Flights {
        tracker: TaskTracker::new(),
        stop: shutdown.clone(),
        permit: options.permit.clone(),
    };
    ctx.flights = Some(flights.clone());
    let mut background = JoinSet::new();
    let synced = begin_watches(&ctx, &options, &mut background);
    tokio::select! {
        () = synced => {}
        () = shutdown.cancelled() => return End::Orderly,
    }
    ctx.observe.synced();
    tracing::info!("the first lists are in; reconciling begins");

    let accounts = ctx.accounts.clone();
    let (observed, pause) = (queue.clone(), observed_pause(&ctx));
    let wake = move |key: ResourceKey| observed.wake(&key, pause);
    let token = shutdown.clone();
    background.spawn(async move { accounts.run(wake, token).await });
    background.spawn(tell_depth(ctx.clone(), queue.clone()));

    let workers = TaskTracker::new();
    for _ in 0..options.concurrency.max(1) {
        workers.spawn(work(ctx.clone(), queue.clone(), shutdown.clone()));
    }
    workers.close();
    shutdown.cancelled().await;

    tracing::info!("stopping: no new reconcile begins");
    let end = stopping::end(&ctx, &flights, &workers, options.grace).await;
    if end == End::Cut {
        tracing::warn!(
            "not everything ended in time; the journal tells the next process what is open"
        );
    }
    background.shutdown().await;
    end
}

fn observed_pause(ctx: &Context) -> Duration {
    (ctx.settings.active_interval / OBSERVED_SHARE).min(LONGEST_OBSERVED_PAUSE)
}

/// Begins all watches; the future ends when the first list of each resource watch is in.
fn begin_watches(
    ctx: &Context,
    options: &Options,
    background: &mut JoinSet<()>,
) -> impl Future<Output = ()> + use<> {
    let age = options.watch_age;
    let scopes: Vec<Option<String>> = if options.namespaces.is_empty() {
        vec![None]
    } else {
        options.namespaces.iter().cloned().map(Some).collect()
    };
    let mut first_lists = Vec::new();
    for scope in scopes {
        let (clusters, listed) = oneshot::channel();
        first_lists.push(listed);
        background.spawn(watch::resources::<DwsCluster>(
            ctx.clone(),
            scope.clone(),
            age,
            clusters,
        ));
        let (snapshots, listed) = oneshot::channel();
        first_lists.push(listed);
        background.spawn(watch::resources::<DwsSnapshot>(
            ctx.clone(),
            scope.clone(),
            age,
            snapshots,
        ));
        background.spawn(watch::secrets(ctx.clone(), scope, age));
    }
    async move {
        for listed in first_lists {
            let _ = listed.await;
        }
    }
}

/// One worker: a key, a reconcile, the next key.
async fn work(ctx: Context, queue: Arc<Queue>, shutdown: CancellationToken) {
    loop {
        let key = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            key = queue.next() => key,
        };
        // A task of its own, so that a panic costs one reconcile and not the worker.
        let reconcile = tokio::spawn({
            let (ctx, key) = (ctx.clone(), key.clone());
            async move { super::reconcile(&ctx, &key).await }
        });
        match reconcile.await.unwrap_or(Err(ReconcileError::Lost)) {
            Ok(done) => {
                let wake = done.wake.map(|wait| ctx.entropy.jitter(wait, JITTER));
                queue.done(&key, wake);
            }
            Err(ReconcileError::Stopping) => return,
            Err(error) if error.is_conflict() => {
                queue.failed(&key, CONFLICT_PAUSE, LONGEST_CONFLICT_PAUSE);
                tracing::debug!(kind = key.kind.as_str(), namespace = %key.namespace, name = %key.name, %error, "again");
            }
            Err(error) => {
                let pause = queue.failed(&key, SHORTEST_PAUSE, LONGEST_PAUSE);
                tracing::warn!(kind = key.kind.as_str(), namespace = %key.namespace, name = %key.name, %error, ?pause, "a reconcile failed");
            }
        }
    }
}

async fn tell_depth(ctx: Context, queue: Arc<Queue>) {
    loop {
        let (waiting, running) = queue.depth();
        ctx.observe.queue(waiting, running);
        tokio::time::sleep(DEPTH_INTERVAL).await;
    }
}
