//! Holding back: the circuit and the rate.

use std::time::Duration;

use futures::future::join_all;
use rstest::rstest;
use tokio::time::{Instant, sleep};

use super::super::ObserverSettings;
use super::super::testing::{
    FakeService, Fault, PROJECT, account, account_of_user, accounts, interest, key, settings,
};
use super::{execute, known, next_poll};
use crate::core::facts::CircuitReason;
use crate::dws::answer::{Answer, Meaning};

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
    let end = Instant::now() + Duration::from_mins(5);
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
async fn a_token_that_ended_before_a_changing_call_holds_nothing_back() {
    let service = FakeService::default();
    let account = account_of_user(&service);
    account.poll().await;
    service.fail("restart_cluster", [Fault::unauthenticated()]);
    let Answer::Refused(failure) = execute(&account, 10).await else {
        panic!("not refused");
    };
    assert_eq!(failure.meaning, Meaning::Unauthenticated);
    assert!(
        account.circuit().is_none(),
        "the login may be as good as before"
    );
    let again = execute(&account, 10).await;
    assert!(matches!(again, Answer::Accepted { .. }), "{again:?}");
    assert_eq!(service.count("create_token"), 2);

    // A new token that is refused as well: the credential.
    service.fail(
        "restart_cluster",
        [Fault::unauthenticated(), Fault::unauthenticated()],
    );
    for _ in 0..2 {
        assert!(account.circuit().is_none());
        assert!(matches!(execute(&account, 10).await, Answer::Refused(_)));
    }
    let reason = account.circuit().map(|circuit| circuit.reason);
    assert_eq!(reason, Some(CircuitReason::CredentialsInvalid));
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_the_accounts_whatever_it_was_for() {
    let service = FakeService::default();
    let account = account_of_user(&service);
    account.watch(interest("one", "c1", true));
    let forbidden = serde_json::json!({"error": {"code": 403, "message": "user is disabled"}});
    service.always("create_token", Some(Fault::Status(403, None, forbidden)));
    let failure = account.cluster("c1").await.expect_err("fails");
    assert_eq!(failure.meaning, Meaning::Unauthenticated);
    let reason = account.circuit().map(|circuit| circuit.reason);
    assert_eq!(reason, Some(CircuitReason::CredentialsInvalid));
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
    assert!(reads >= 5, "{reads} reads in {elapsed:?}");

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
async fn those_who_wait_for_a_token_learn_of_the_circuit_and_leave_the_tokens_to_the_probe() {
    let service = FakeService::default();
    let accounts = accounts(
        &service,
        ObserverSettings {
            max_requests_per_second: 1.0,
            ..settings(Some(PROJECT))
        },
    );
    let account = accounts.own().expect("own");
    account.poll().await;
    service.fail("get_cluster", [Fault::throttled(Some(10))]);
    let began = Instant::now();
    let results = join_all((0..1_000).map(|_| account.cluster("c1"))).await;
    assert!(results.iter().all(Result::is_err));
    assert!(
        began.elapsed() <= Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(service.count("get_cluster"), 1);
    sleep(Duration::from_secs(10)).await;
    let failure = account.cluster("c1").await.expect_err("gone");
    assert_eq!(failure.meaning, Meaning::Absent, "the service itself again");
}

#[tokio::test(start_paused = true)]
async fn a_missing_project_is_no_missing_cluster() {
    let not_found = serde_json::json!({"error_code": "DWS.3027", "error_msg": "gone"});
    for project_id in [None, Some(PROJECT)] {
        let service = FakeService::default();
        let fault = Fault::Status(404, None, not_found.clone());
        service.always("list_projects", Some(fault.clone()));
        service.always("list_clusters", Some(fault));
        let accounts = accounts(&service, settings(project_id));
        let account = accounts.own().expect("own");
        account.poll().await;
        assert_eq!(
            account.circuit().map(|c| c.reason),
            Some(CircuitReason::CredentialsInvalid)
        );
        let failure = account.fresh_clusters().await.expect_err("fails");
        assert_eq!(failure.meaning, Meaning::Unauthenticated);
        let failure = account.cluster("c1").await.expect_err("fails");
        assert_eq!(failure.meaning, Meaning::Unauthenticated);
        sleep(Duration::from_mins(1)).await;
        if project_id.is_none() {
            // The look-up itself, not the circuit.
            let failure = account.cluster("c1").await.expect_err("fails");
            assert_eq!(failure.meaning, Meaning::Unauthenticated);
            assert!(failure.sent);
            sleep(Duration::from_mins(1)).await;
            let Answer::Refused(failure) = execute(&account, 100).await else {
                panic!("not refused");
            };
            assert_eq!(failure.meaning, Meaning::Unauthenticated);
            assert!(!failure.sent);
        }
    }
}
