//! The observer over a stand-in of the service, in tokio's paused time.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::SignedDuration;
use parking_lot::Mutex;
use rstest::rstest;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::testing::{
    FakeService, Fault, PROJECT, account, accounts, interest, key, secret, settings,
};
use super::{Account, CredentialsProblem, ObserverSettings, Source};
use crate::core::facts::{self, CircuitReason};
use crate::dws::answer::{Answer, Meaning};
use crate::dws::call::Call;
use crate::dws::operation::Operation;

fn restart() -> Call {
    Call::RestartCluster {
        cluster_id: "c1".to_owned(),
    }
}

async fn execute(account: &Account, seconds: i64) -> Answer {
    let deadline = account.now() + SignedDuration::from_secs(seconds);
    account.execute(&restart(), deadline).await
}

fn known(account: &Account) -> facts::KnownAccount {
    match account.facts(true) {
        facts::Account::Known(known) => known,
        other => panic!("not known: {other:?}"),
    }
}

/// Sleeps until the next poll is due and polls.
async fn next_poll(account: &Account) -> Vec<super::ResourceKey> {
    let pause = account.next_poll().duration_since(account.now());
    sleep(pause.try_into().unwrap_or_default()).await;
    account.poll().await
}

#[tokio::test(start_paused = true)]
async fn a_hundred_who_ask_share_two_lists() {
    let service = FakeService::default();
    service.put_cluster("c1", "one", "AVAILABLE", None);
    service.latency(Duration::from_millis(300));
    let account = account(&service);
    let lists = join_all((0..100).map(|_| account.fresh_clusters())).await;
    assert!(lists.iter().all(Result::is_ok));
    assert!(service.count("list_clusters") <= 2);

    // A list that is under way does not serve one who asks later.
    let under_way = tokio::spawn({
        let account = account.clone();
        async move { account.fresh_clusters().await }
    });
    sleep(Duration::from_millis(100)).await;
    let asked_at = account.now();
    let later = account.fresh_clusters().await.expect("listed");
    assert!(later.requested_at >= asked_at);
    assert!(
        under_way
            .await
            .expect("joined")
            .expect("listed")
            .requested_at
            < asked_at
    );
}

#[tokio::test(start_paused = true)]
async fn the_project_is_looked_up_once() {
    let service = FakeService::default();
    service.latency(Duration::from_millis(100));
    let accounts = accounts(&service, settings(None));
    let account = accounts.own().expect("own");
    assert!(matches!(account.facts(true), facts::Account::Pending));
    join_all((0..20).map(|_| account.fresh_clusters())).await;
    join_all((0..20).map(|_| account.cluster("c1"))).await;
    account.poll().await;
    assert_eq!(service.count("list_projects"), 1);
    assert_eq!(known(&account).account.project_id, PROJECT);
    assert_eq!(known(&account).account.region, "eu-west-0");
}

#[tokio::test(start_paused = true)]
async fn only_those_whose_cluster_changed_are_woken() {
    let service = FakeService::default();
    for n in 0..100 {
        service.put_cluster(&format!("c{n}"), &format!("n{n}"), "AVAILABLE", None);
    }
    let account = account(&service);
    for n in 0..100 {
        account.watch(interest(&format!("n{n}"), &format!("c{n}"), false));
    }
    assert_eq!(account.poll().await.len(), 100, "the account is known now");
    assert!(account.poll().await.is_empty());
    service.put_cluster("c7", "n7", "AVAILABLE", Some("GROWING"));
    service.put_cluster("unknown", "stranger", "CREATING", None);
    assert_eq!(account.poll().await, [key("n7")]);
    service.remove_cluster("c9");
    assert_eq!(account.poll().await, [key("n9")]);
    account.unwatch("uid-n7");
    service.put_cluster("c7", "n7", "AVAILABLE", None);
    assert!(account.poll().await.is_empty());
    assert_eq!(
        service.total(),
        5,
        "one request per poll, however many resources"
    );
}

#[tokio::test(start_paused = true)]
async fn snapshots_are_listed_while_somebody_follows_any() {
    let service = FakeService::default();
    service.put_snapshot("s1", "Nightly", "CREATING");
    let account = account(&service);
    account.poll().await;
    assert_eq!(service.count("list_snapshots"), 0);
    assert!(known(&account).snapshots.is_none());
    let mut follows = interest("a", "c1", false);
    follows.snapshot_names = vec!["NIGHTLY".to_owned()];
    account.watch(follows);
    assert!(account.next_poll() <= account.now(), "due at once");
    account.poll().await;
    account.poll().await;
    service.put_snapshot("s1", "Nightly", "AVAILABLE");
    assert_eq!(account.poll().await, [key("a")]);
    assert_eq!(service.count("list_snapshots"), 3);
    account.unwatch("uid-a");
    account.poll().await;
    assert_eq!(service.count("list_snapshots"), 3);
    assert!(
        known(&account).snapshots.is_none(),
        "a stale list is no fact"
    );
}

#[tokio::test(start_paused = true)]
async fn intervals_adapt() {
    let service = FakeService::default();
    service.put_cluster("c1", "one", "AVAILABLE", None);
    let account = account(&service);
    let pause = || account.next_poll().duration_since(account.now()).as_secs();
    assert_eq!(pause(), 0);
    account.poll().await;
    assert!((59..=72).contains(&pause()), "{}", pause());
    // A task of a cluster that nobody follows counts as well.
    service.put_cluster("c1", "one", "AVAILABLE", Some("SNAPSHOTTING"));
    account.poll().await;
    assert!((9..=12).contains(&pause()), "{}", pause());
    service.put_cluster("c1", "one", "AVAILABLE", None);
    account.poll().await;
    account.watch(interest("one", "c1", true));
    assert!((9..=12).contains(&pause()), "{}", pause());
    account.watch(interest("one", "c1", false));
    assert!((59..=72).contains(&pause()), "{}", pause());
}

#[rstest]
#[case::throttled(Fault::throttled(None), CircuitReason::Throttled, 2)]
#[case::asked_for(Fault::throttled(Some(17)), CircuitReason::Throttled, 17)]
#[case::unavailable(Fault::unavailable(), CircuitReason::ServiceUnavailable, 2)]
#[case::connect(Fault::Connect, CircuitReason::ServiceUnavailable, 2)]
#[case::garbled(Fault::Garbled, CircuitReason::ServiceUnavailable, 2)]
#[case::key(Fault::unauthenticated(), CircuitReason::CredentialsInvalid, 60)]
#[tokio::test(start_paused = true)]
async fn the_circuit_opens_holds_and_closes(
    #[case] fault: Fault,
    #[case] reason: CircuitReason,
    #[case] seconds: i64,
) {
    let service = FakeService::default();
    service.put_cluster("c1", "one", "AVAILABLE", None);
    let account = account(&service);
    account.watch(interest("one", "c1", true));
    account.watch(interest("idle", "c2", false));
    account.poll().await;
    account.poll().await;
    service.fail("list_clusters", [fault]);
    assert_eq!(
        account.poll().await,
        [key("one")],
        "who has work learns at once"
    );
    let circuit = known(&account).circuit.expect("open");
    assert_eq!(circuit.reason, reason);
    assert_eq!(
        circuit.until.duration_since(account.now()).as_secs(),
        seconds
    );
    assert_eq!(account.next_poll(), circuit.until);
    assert!(known(&account).clusters.is_some(), "the last list stays");

    // Nothing goes out meanwhile, a changing call neither: it is refused unsent.
    let sent = service.total();
    assert!(account.fresh_clusters().await.is_err());
    assert!(account.cluster("c1").await.is_err());
    assert!(account.poll().await.is_empty());
    let Answer::Refused(failure) = execute(&account, 100).await else {
        panic!("not refused");
    };
    assert!(!failure.sent);
    assert_eq!(service.total(), sent);

    assert_eq!(next_poll(&account).await, [key("one")]);
    assert!(known(&account).circuit.is_none());
    assert!(matches!(
        execute(&account, 100).await,
        Answer::Accepted { .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn a_changing_call_opens_the_circuit_as_well() {
    let service = FakeService::default();
    let account = account(&service);
    account.poll().await;
    service.fail("restart_cluster", [Fault::throttled(Some(5))]);
    assert!(matches!(execute(&account, 10).await, Answer::Refused(_)));
    assert_eq!(
        account.circuit().map(|c| c.reason),
        Some(CircuitReason::Throttled)
    );
    sleep(Duration::from_secs(5)).await;
    service.fail("restart_cluster", [Fault::unavailable()]);
    assert!(matches!(execute(&account, 10).await, Answer::Ambiguous(_)));
    assert_eq!(
        account.circuit().map(|c| c.reason),
        Some(CircuitReason::ServiceUnavailable)
    );
}

#[tokio::test(start_paused = true)]
async fn idle_resources_learn_after_three_failed_polls() {
    let service = FakeService::default();
    let account = account(&service);
    account.watch(interest("idle", "c1", false));
    account.poll().await;
    account.poll().await;
    service.always("*", Some(Fault::unavailable()));
    let mut woken = Vec::new();
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let began = Instant::now();
        woken.push(next_poll(&account).await.len());
        pauses.push(began.elapsed().as_secs());
    }
    assert_eq!(woken, [0, 0, 1, 0, 0, 0]);
    assert_eq!(pauses[1..], [2, 4, 8, 16, 30]);
    assert_eq!(account.circuit().map(|c| c.failed_polls), Some(6));
    service.always("*", None);
    assert_eq!(
        next_poll(&account).await,
        [key("idle")],
        "and when it is over"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_tried_once_a_minute_however_many_ask() {
    let service = FakeService::default();
    service.latency(Duration::from_millis(200));
    service.accept_key("another");
    let account = account(&service);
    let end = Instant::now() + Duration::from_secs(300);
    while Instant::now() < end {
        let results = join_all((0..50).map(|_| account.cluster("c1"))).await;
        assert!(results.iter().all(|r| {
            r.as_ref()
                .is_err_and(|f| f.meaning == Meaning::Unauthenticated)
        }));
        account.poll().await;
        sleep(Duration::from_secs(1)).await;
    }
    assert!(
        service.total() <= 5,
        "{} tries lock the key",
        service.total()
    );
    assert!(service.total() >= 4);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_secret_ends_the_authentication_pause_at_once() {
    let service = FakeService::default();
    service.accept_key("AK2");
    let accounts = accounts(&service, settings(Some(PROJECT)));
    let source = Source::Secret {
        namespace: "team".to_owned(),
        name: "creds".to_owned(),
    };
    let of = |version: &str, key: &str| {
        let (account, warnings) = accounts
            .from_secret("team", "creds", "uid", version, &secret(key))
            .expect("valid");
        assert!(warnings.is_empty());
        account
    };
    let before = of("1", "AK1");
    before.watch(interest("one", "c1", true));
    before.watch(interest("idle", "c2", false));
    before.poll().await;
    assert_eq!(
        before.circuit().map(|c| c.reason),
        Some(CircuitReason::CredentialsInvalid)
    );
    assert!(before.is_same(&of("1", "AK1")));
    assert!(
        before.is_same(&of("2", "AK1")),
        "labels changed, content did not"
    );

    let after = of("3", "AK2");
    assert!(!after.is_same(&before));
    assert!(after.circuit().is_none());
    assert!(after.next_poll() <= after.now());
    assert_eq!(after.take_wakes(), [key("idle"), key("one")]);
    assert_eq!(after.poll().await, [key("idle"), key("one")]);
    assert!(known(&after).circuit.is_none());
    // The former account is the same seat: who leaves there has left.
    before.unwatch("uid-one");
    assert_eq!(after.interested(), 1);
    assert_eq!(
        after
            .stats()
            .count(Operation::ListClusters, "unauthenticated"),
        1
    );
    assert_eq!(after.stats().count(Operation::ListClusters, "ok"), 1);

    // A Secret that makes no account leaves the last good one.
    let broken = accounts.from_secret("team", "creds", "uid", "4", &[].into());
    assert!(matches!(broken, Err(CredentialsProblem::Missing { .. })));
    let last = accounts.last_good(&source).expect("kept");
    assert!(last.is_same(&after));
    assert_eq!(accounts.all().len(), 2);
    accounts.release(&source);
    accounts.release(&Source::Own);
    assert!(accounts.last_good(&source).is_none());
    assert_eq!(accounts.all().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_one_credential_saw_is_not_known_of_the_next() {
    let service = FakeService::default();
    service.put_cluster("c1", "one", "AVAILABLE", None);
    let accounts = accounts(&service, settings(Some(PROJECT)));
    let of = |version: &str, key: &str| {
        let result = accounts.from_secret("team", "creds", "uid", version, &secret(key));
        result.expect("valid").0
    };
    let before = of("1", "AK1");
    before.watch(interest("one", "c1", true));
    before.cluster("c1").await.expect("read");
    service.remove_cluster("c1");
    before.poll().await;
    assert!(before.id_was_read("c1"));
    assert!(before.cluster_absence("c1").is_some());
    let after = of("2", "AK2");
    assert!(!after.id_was_read("c1"));
    assert!(after.cluster_absence("c1").is_none());
    assert!(matches!(after.facts(true), facts::Account::Pending));
}

#[tokio::test(start_paused = true)]
async fn absence_counts_complete_lists_only() {
    let service = FakeService::default();
    let account = account(&service);
    account.watch(interest("one", "c1", true));
    account.fresh_clusters().await.expect("listed");
    let first = account.cluster_absence("c1").expect("missing").first;
    sleep(Duration::from_secs(10)).await;
    service.wrong_count(true);
    let failure = account.fresh_clusters().await.expect_err("incomplete");
    assert_eq!(failure.meaning, Meaning::Garbled);
    assert_eq!(account.cluster_absence("c1").map(|a| a.last), Some(first));
    sleep(Duration::from_secs(10)).await;
    service.wrong_count(false);
    account.fresh_clusters().await.expect("listed");
    let absence = account.cluster_absence("c1").expect("missing");
    assert_eq!(absence.first, first);
    assert_eq!(absence.last.duration_since(first).as_secs(), 20);
    service.put_cluster("c1", "one", "DELETING", None);
    account.cluster("c1").await.expect("read");
    assert!(account.cluster_absence("c1").is_none(), "a detail shows it");
}

#[tokio::test(start_paused = true)]
async fn changing_calls_go_out_while_reads_queue_and_reads_do_not_stop() {
    let service = FakeService::default();
    service.put_cluster("c1", "one", "AVAILABLE", None);
    let accounts = accounts(
        &service,
        ObserverSettings {
            max_requests_per_second: 10.0,
            ..settings(Some(PROJECT))
        },
    );
    let account = accounts.own().expect("own");
    account.poll().await;
    let began = Instant::now();
    for _ in 0..2_000 {
        let account = account.clone();
        tokio::spawn(async move { account.cluster("c1").await });
    }
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let asked = Instant::now();
        assert!(matches!(
            execute(&account, 30).await,
            Answer::Accepted { .. }
        ));
        slowest = slowest.max(asked.elapsed());
    }
    assert!(slowest <= Duration::from_millis(350), "{slowest:?}");
    let elapsed = began.elapsed();
    let reads = service.count("get_cluster");
    assert!(reads >= 20, "{reads} reads in {elapsed:?}");

    // Many at once do not shut the list out either, and the rate holds.
    for _ in 0..200 {
        let account = account.clone();
        tokio::spawn(async move { execute(&account, 300).await });
    }
    tokio::task::yield_now().await;
    let asked = Instant::now();
    account.fresh_clusters().await.expect("listed");
    assert!(
        asked.elapsed() <= Duration::from_secs(1),
        "{:?}",
        asked.elapsed()
    );
    let before = service.total();
    sleep(Duration::from_secs(10)).await;
    let sent = service.total() - before;
    assert!((99..=102).contains(&sent), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_turn_comes_too_late_is_not_sent() {
    let service = FakeService::default();
    let accounts = accounts(
        &service,
        ObserverSettings {
            max_requests_per_second: 0.1,
            ..settings(Some(PROJECT))
        },
    );
    let account = accounts.own().expect("own");
    account.poll().await;
    let Answer::Refused(failure) = execute(&account, 5).await else {
        panic!("not refused");
    };
    assert!(!failure.sent);
    assert!(matches!(execute(&account, -1).await, Answer::Refused(_)));
    assert_eq!(service.count("restart_cluster"), 0);
    assert!(account.circuit().is_none(), "no fault of the service");
}

#[tokio::test(start_paused = true)]
async fn nothing_grows_with_time() {
    let service = FakeService::default();
    let account = account(&service);
    account.watch(interest("one", "c1", false));
    for n in 0..500 {
        let id = format!("gone-{n}");
        service.put_cluster(&id, &id, "AVAILABLE", None);
        account.cluster(&id).await.expect("read");
        assert!(account.id_was_read(&id));
        service.remove_cluster(&id);
        next_poll(&account).await;
    }
    assert!(account.state().lock().read_ids.len() <= 12);
    assert_eq!(account.state().lock().cluster_absences.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_loops_follow_the_accounts() {
    let service = FakeService::default();
    service.put_cluster("c1", "one", "AVAILABLE", None);
    let accounts = accounts(&service, settings(Some(PROJECT)));
    let woken = Arc::new(Mutex::new(Vec::new()));
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let (woken, accounts) = (woken.clone(), accounts.clone());
        accounts.run(move |key| woken.lock().push(key.name), shutdown.clone())
    });
    let taken = || std::mem::take(&mut *woken.lock());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(service.count("list_clusters"), 1, "the own account at once");

    let of = |version: &str, key: &str| {
        let result = accounts.from_secret("team", "creds", "uid", version, &secret(key));
        result.expect("valid").0
    };
    let tenant = of("1", "AK1");
    tenant.watch(interest("one", "c1", false));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(service.count("list_clusters"), 2);
    assert_eq!(taken(), ["one"]);

    // A change is seen within an interval; at rest that is two lists a minute for two accounts.
    service.put_cluster("c1", "one", "UNAVAILABLE", None);
    sleep(Duration::from_secs(75)).await;
    assert_eq!(taken(), ["one"]);
    let before = service.count("list_clusters");
    sleep(Duration::from_secs(600)).await;
    let polls = service.count("list_clusters") - before;
    assert!((16..=21).contains(&polls), "{polls}");
    assert!(taken().is_empty());

    // Work shortens a pause that has begun.
    tenant.watch(interest("one", "c1", true));
    sleep(Duration::from_secs(13)).await;
    let before = service.count("list_clusters");
    sleep(Duration::from_secs(60)).await;
    assert!(service.count("list_clusters") - before >= 5);

    // A circuit that another's call opens is told at once, and so is a rotated Secret.
    service.fail("get_cluster", [Fault::throttled(Some(30))]);
    assert!(tenant.cluster("c1").await.is_err());
    sleep(Duration::from_millis(1)).await;
    assert_eq!(taken(), ["one"]);
    of("2", "AK2");
    sleep(Duration::from_millis(1)).await;
    assert_eq!(taken(), ["one", "one"], "replaced, then listed");

    accounts.release(&Source::Secret {
        namespace: "team".to_owned(),
        name: "creds".to_owned(),
    });
    sleep(Duration::from_secs(1)).await;
    let before = service.count("list_clusters");
    sleep(Duration::from_secs(600)).await;
    let polls = service.count("list_clusters") - before;
    assert!((8..=11).contains(&polls), "the own account alone: {polls}");
    shutdown.cancel();
    running.await.expect("ended");
    let arrivals = service.arrivals("list_clusters");
    sleep(Duration::from_secs(600)).await;
    assert_eq!(service.arrivals("list_clusters"), arrivals);
}
