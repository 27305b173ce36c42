//! Elections in the process: what becomes of the lease, and of those who hold it or wait for it, in all weathers.

mod server;

use std::sync::Arc;

use serde_json::json;
use tokio::time::Instant;

use self::server::{ApiServer, Weather};
use super::*;
use crate::operator::health::Readiness;

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_leads_the_second_stands_by_and_a_release_is_seen_at_once() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    let two = server.replica("two");
    pass(120).await;
    assert!(one.hold.holds() && !two.hold.holds());
    assert_eq!(two.readiness.why_not(), None, "it stands by");
    assert_eq!(server.holder(), "one");

    one.stop.cancel();
    let (took, held) = one.ends().await;
    assert_eq!(held, Some(true));
    assert!(took < Duration::from_secs(1));
    assert!(two.leads().await <= Duration::from_millis(1_100));
    let lease = server.0.lock().lease.clone().unwrap();
    assert_eq!(lease["spec"]["leaseTransitions"], 1, "{lease}");
    assert_eq!(lease["spec"]["leaseDurationSeconds"], 15);
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_told_to_stop_leaves_no_trace() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    let two = server.replica("two");
    pass(3).await;
    two.stop.cancel();
    let (took, how) = two.ends().await;
    assert!(took < Duration::from_millis(100), "{took:?}");
    assert_eq!(how, None);
    assert!(
        server
            .0
            .lock()
            .written
            .iter()
            .all(|line| line.ends_with("one"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_died_is_followed_when_its_time_is_over() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    let two = server.replica("two");
    pass(30).await;
    *one.weather.lock() = Weather::Unreachable;
    let took = two.leads().await;
    assert!(
        took > Duration::from_secs(12) && took < Duration::from_secs(17),
        "{took:?}"
    );
    assert!(one.life.is_finished(), "it had given up before");
}

#[tokio::test(start_paused = true)]
async fn a_holder_without_an_api_server_gives_up_before_a_follower_begins() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    pass(7).await;
    server.weather(Weather::Unreachable);
    let begin = Instant::now();
    one.stop.cancelled().await;
    let took = begin.elapsed();
    assert!(
        took > Duration::from_secs(7) && took <= Duration::from_secs(10),
        "{took:?}"
    );
    assert!(!one.hold.holds());
    let (_, held) = one.ends().await;
    assert_eq!(held, Some(false));
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_costs_nothing() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    for weather in [
        Weather::Unreachable,
        Weather::NoAnswer,
        Weather::Refused(503),
        Weather::Refused(429),
    ] {
        pass(10).await;
        server.weather(weather);
        pass(4).await;
        assert!(one.hold.holds(), "{weather:?}");
        server.weather(Weather::Fair);
        pass(6).await;
        assert!(one.hold.time_left() > Duration::from_secs(7), "{weather:?}");
    }
    assert!(!one.life.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_slow_api_server_costs_no_lease() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    server.weather(Weather::Slow(4_500));
    pass(120).await;
    assert!(one.hold.holds());
}

#[tokio::test(start_paused = true)]
async fn the_hold_counts_from_the_begin_of_a_request_and_not_from_its_answer() {
    let server = ApiServer::new();
    server.weather(Weather::Slow(2_000));
    let one = server.replica("one");
    one.leads().await;
    let mut longest = Duration::ZERO;
    for _ in 0..600 {
        longest = longest.max(one.hold.time_left());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(longest > Duration::from_secs(7), "{longest:?}");
    assert!(longest <= Duration::from_secs(8), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_after_a_take_without_an_answer_leaves_no_name_behind() {
    let server = ApiServer::new();
    let two = server.replica("two");
    *two.weather.lock() = Weather::WriteUnanswered;
    pass(5).await;
    assert_eq!(server.holder(), "two");
    *two.weather.lock() = Weather::Fair;
    two.stop.cancel();
    let (_, how) = two.ends().await;
    assert_eq!(how, None);
    assert_eq!(server.holder(), "");
}

#[tokio::test(start_paused = true)]
async fn a_take_whose_answer_was_lost_is_known_by_its_name() {
    let server = ApiServer::new();
    server.weather(Weather::NoAnswer);
    let one = server.replica("one");
    pass(8).await;
    assert!(!one.hold.holds());
    server.weather(Weather::Fair);
    one.leads().await;
    assert_eq!(server.holder(), "one");
}

#[tokio::test(start_paused = true)]
async fn somebody_else_s_label_takes_no_lease_away() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    for _ in 0..5 {
        server.edit(|lease| lease["metadata"]["labels"] = json!({"team": "platform"}));
        pass(5).await;
    }
    assert!(one.hold.holds());
    let lease = server.0.lock().lease.clone().unwrap();
    assert_eq!(lease["metadata"]["labels"]["team"], "platform", "it stays");
}

#[tokio::test(start_paused = true)]
async fn a_holder_whose_name_is_written_over_ends_at_once() {
    for other in ["two", ""] {
        let server = ApiServer::new();
        let one = server.replica("one");
        one.leads().await;
        server.edit(|lease| lease["spec"]["holderIdentity"] = json!(other));
        let (took, held) = one.ends().await;
        assert!(took <= Duration::from_secs(3), "{took:?}");
        assert_eq!(held, Some(false));
        assert_eq!(server.holder(), other, "it is not released again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_deleted_stays_its_holder_s() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.leads().await;
    let two = server.replica("two");
    pass(5).await;
    server.delete();
    pass(60).await;
    assert!(one.hold.holds() && !two.hold.holds());
    assert_eq!(server.holder(), "one");
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_is_said_and_tried_again() {
    let server = ApiServer::new();
    server.weather(Weather::Refused(403));
    let one = server.replica("one");
    pass(5).await;
    let why = one.readiness.why_not().unwrap();
    assert!(
        why.contains("grant it get, create and update on leases"),
        "{why}"
    );
    assert!(
        why.contains("Lease dws-operator in namespace dws-system"),
        "{why}"
    );
    server.weather(Weather::Unreachable);
    pass(10).await;
    let why = one.readiness.why_not().unwrap();
    assert!(why.contains("no answer within"), "{why}");
    server.weather(Weather::Fair);
    one.leads().await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_namespace_is_named() {
    let server = ApiServer::new();
    let (mut election, _) = server.election("one", &Arc::default());
    election.store.read(Duration::from_secs(1)).await.unwrap();
    server.weather(Weather::Refused(404));
    let error = election.store.write(Duration::from_secs(1)).await;
    let why = error.unwrap_err().to_string();
    assert!(why.contains("namespace dws-system is not there"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_the_take_leaves_no_name_behind() {
    let server = ApiServer::new();
    let one = server.replica("one");
    one.stop.cancel();
    let (_, how) = one.ends().await;
    assert_eq!(how, None, "it had not asked yet");
    // Told to stop as soon as it leads.
    let two = server.replica("two");
    two.leads().await;
    two.stop.cancel();
    two.ends().await;
    assert_eq!(server.holder(), "");
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_keeps_the_lease_until_it_runs_out() {
    let server = ApiServer::new();
    let (mut election, hold) = server.election("one", &Arc::default());
    let stop = CancellationToken::new();
    assert!(election.win(&Readiness::default(), &stop).await);
    let reign = election.reign(stop.clone());
    assert!(reign.end(false).await);
    assert_eq!(server.holder(), "one");
    assert!(!hold.holds(), "and nothing begins any more");
}

#[test]
fn no_two_processes_have_one_name() {
    let one = Place::new("dws-system", "dws-operator");
    let two = Place::new("dws-system", "dws-operator");
    assert_ne!(one.identity, two.identity);
    let (host, uuid) = one.identity.rsplit_once('_').unwrap();
    assert!(!host.is_empty() && uuid.len() == 36, "{}", one.identity);
}
