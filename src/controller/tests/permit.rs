//! The permit goes in the midst of things: the lease was lost, or the process stood still beyond it.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::task::TaskTracker;

use super::*;
use crate::controller::stopping::{End, end};
use crate::dws::permit::Permit;

struct Led {
    world: World,
    leads: Arc<AtomicBool>,
}

async fn led(latency: Duration) -> Led {
    let mut world = World::new(latency).await;
    let leads = Arc::new(AtomicBool::new(true));
    let holds = leads.clone();
    let flights = world.ctx.flights.as_mut().unwrap();
    flights.permit = Permit::new(move || holds.load(Ordering::SeqCst));
    Led { world, leads }
}

impl Led {
    /// It goes just before this request is carried out.
    fn goes_at(&self, request: &str) {
        let leads = self.leads.clone();
        self.world
            .kubernetes
            .edit(request, move |_| leads.store(false, Ordering::SeqCst));
    }

    fn is_told_to_end(&self) -> bool {
        self.world.ctx.flights.as_ref().unwrap().stop.is_cancelled()
    }

    fn writes(&self) -> usize {
        ["PUT ", "POST ", "PATCH ", "DELETE "]
            .map(|method| self.world.kubernetes.requests(method))
            .iter()
            .sum()
    }

    /// The next process, with nothing in its memory.
    async fn next(self) -> World {
        let World {
            kubernetes,
            cloud,
            key,
            ..
        } = self.world;
        let ctx = context(&kubernetes, &cloud);
        ctx.accounts.own().unwrap().poll().await;
        World {
            kubernetes,
            cloud,
            ctx,
            key,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_it_nothing_is_written_anywhere() {
    let led = led(Duration::ZERO).await;
    led.goes_at(&format!("GET {WH}"));
    let ended = led.world.reconcile().await;
    assert!(matches!(ended, Err(ReconcileError::Stopping)), "{ended:?}");
    assert!(led.is_told_to_end());
    assert_eq!((led.writes(), led.world.calls()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn gone_before_the_intent_none_is_stored() {
    let led = led(Duration::ZERO).await;
    // The Secret is written after the decision and before the intent.
    led.goes_at(&format!("POST {SECRETS}"));
    let ended = led.world.until_called().await;
    assert!(matches!(ended, Err(ReconcileError::Stopping)), "{ended:?}");
    assert!(led.is_told_to_end());
    assert!(led.world.status()["operation"].is_null());
    assert_eq!(led.world.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn gone_between_intent_and_call_the_next_process_learns_that_nothing_was_sent() {
    let led = led(Duration::ZERO).await;
    led.goes_at(&format!("PUT {WH}/status"));
    for _ in 0..4 {
        // Whatever it comes to, nothing is sent.
        let _ = led.world.reconcile().await;
    }
    assert_eq!(led.world.calls(), 0);
    assert!(led.is_told_to_end());
    let status = led.world.status();
    assert!(status["operation"].is_null(), "{status}");
    let answers = led.world.kubernetes.requests(&format!("PATCH {WH}/status"));
    assert_eq!(answers, 1, "there was an intent, and it was answered");
    // Nothing is waited for: the create goes out at once.
    let next = led.next().await;
    next.until_called().await.unwrap();
    assert_eq!(next.calls(), 1);
    assert!(next.status()["clusterId"].is_string(), "{}", next.status());
}

#[tokio::test(start_paused = true)]
async fn gone_during_a_call_its_answer_is_stored() {
    let led = led(Duration::from_secs(20)).await;
    let called = async {
        let _ = led.world.until_called().await;
    };
    let goes = async {
        while led.world.calls() == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        led.leads.store(false, Ordering::SeqCst);
    };
    tokio::join!(called, goes);
    let status = led.world.status();
    assert!(status["clusterId"].is_string(), "{status}");
    let before = led.writes();
    let _ = led.world.reconcile().await;
    assert_eq!(led.writes(), before, "and nothing more is written");
    assert_eq!(led.world.calls(), 1);
}

/// Without its API server a reconcile hangs in a read for half a minute. Nobody needs what comes of it.
#[tokio::test(start_paused = true)]
async fn once_it_is_gone_the_end_waits_for_calls_and_for_nothing_else() {
    let led = led(Duration::from_secs(20)).await;
    let workers = TaskTracker::new();
    workers.spawn(std::future::pending::<()>());
    let (ctx, key) = (led.world.ctx.clone(), led.world.key.clone());
    tokio::spawn(async move { while reconcile(&ctx, &key).await.is_ok() {} });
    while led.world.calls() == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    led.leads.store(false, Ordering::SeqCst);
    workers.close();
    let flights = led.world.ctx.flights.clone().unwrap();
    let began = Instant::now();
    let ended = end(&led.world.ctx, &flights, &workers, Duration::from_mins(5)).await;
    assert_eq!(ended, End::Orderly);
    assert!(
        began.elapsed() <= Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    assert!(led.world.status()["clusterId"].is_string());
}
