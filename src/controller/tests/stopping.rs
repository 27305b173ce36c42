//! The process is told to stop in the midst of things.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::*;
use crate::controller::stopping::{End, end};

const GRACE: Duration = Duration::from_secs(45);

fn stop(world: &World) {
    world.ctx.flights.as_ref().unwrap().stop.cancel();
}

async fn ended(world: &World, workers: &TaskTracker) -> End {
    workers.close();
    let flights = world.ctx.flights.clone().unwrap();
    end(&world.ctx, &flights, workers, GRACE).await
}

/// Reconciles until the call is under way.
async fn until_in_flight(world: &World, workers: &TaskTracker) {
    while world.calls() == 0 {
        let (ctx, key) = (world.ctx.clone(), world.key.clone());
        workers.spawn(async move { drop(reconcile(&ctx, &key).await) });
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_decided_when_the_signal_comes_is_neither_intended_nor_sent() {
    let world = World::new(Duration::ZERO).await;
    let token = world.ctx.flights.as_ref().unwrap().stop.clone();
    // The Secret is written after the decision and before the intent.
    world
        .kubernetes
        .edit(&format!("POST {SECRETS}"), move |_| token.cancel());
    let ended = world.until_called().await;
    assert!(matches!(ended, Err(ReconcileError::Stopping)), "{ended:?}");
    assert_eq!(world.calls(), 0);
    assert!(world.status()["operation"].is_null(), "{}", world.status());
}

#[tokio::test(start_paused = true)]
async fn reads_under_way_are_dropped_and_cut_nothing_off() {
    let world = World::new(Duration::ZERO).await;
    *world.cloud.read_latency.lock() = Duration::from_secs(25);
    let workers = TaskTracker::new();
    let (ctx, key) = (world.ctx.clone(), world.key.clone());
    let reading = workers.spawn(async move {
        // The finalizer's reconcile reads nothing.
        loop {
            if let Err(error) = reconcile(&ctx, &key).await {
                return error;
            }
        }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!reading.is_finished());
    let began = Instant::now();
    stop(&world);
    assert_eq!(ended(&world, &workers).await, End::Orderly);
    assert!(began.elapsed() < Duration::from_secs(1));
    let error = reading.await.unwrap();
    assert!(matches!(error, ReconcileError::Stopping), "{error}");
    assert_eq!(world.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_is_waited_for() {
    let world = World::new(Duration::from_secs(20)).await;
    let workers = TaskTracker::new();
    until_in_flight(&world, &workers).await;
    stop(&world);
    assert!(world.status()["clusterId"].is_null());
    assert_eq!(ended(&world, &workers).await, End::Orderly);
    assert!(world.status()["clusterId"].is_string());
    // Its event as well, which the reconcile writes.
    assert!(world.kubernetes.requests(&format!("POST {EVENTS}")) > 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_in_memory_alone_is_stored_or_the_end_is_a_cut() {
    for (faults, end) in [(12, End::Orderly), (2_000, End::Cut)] {
        let world = World::new(Duration::from_secs(5)).await;
        for _ in 0..faults {
            world
                .kubernetes
                .fault(&format!("PATCH {WH}/status"), Fault::LostBefore);
        }
        let workers = TaskTracker::new();
        until_in_flight(&world, &workers).await;
        stop(&world);
        assert_eq!(ended(&world, &workers).await, end);
        let stored = world.status()["clusterId"].is_string();
        assert_eq!(stored, end == End::Orderly, "{}", world.status());
        assert_eq!(world.calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_that_hangs_in_a_write_is_left_after_the_grace() {
    let world = World::new(Duration::ZERO).await;
    let workers = TaskTracker::new();
    workers.spawn(std::future::pending::<()>());
    stop(&world);
    let began = Instant::now();
    assert_eq!(ended(&world, &workers).await, End::Orderly);
    assert_eq!(began.elapsed().as_secs(), GRACE.as_secs());
}
