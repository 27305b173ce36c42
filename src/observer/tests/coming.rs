//! Accounts come, are replaced and go.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::super::testing::{
    FakeService, Fault, PROJECT, accounts, interest, key, secret, settings,
};
use super::super::{CredentialsProblem, Source};
use super::known;
use crate::core::facts::{self, CircuitReason};

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
    assert_eq!(service.count("list_clusters"), 2, "refused, then taken");

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
    sleep(Duration::from_mins(10)).await;
    let polls = service.count("list_clusters") - before;
    assert!((16..=21).contains(&polls), "{polls}");
    assert!(taken().is_empty());

    // Work shortens a pause that has begun.
    tenant.watch(interest("one", "c1", true));
    sleep(Duration::from_secs(13)).await;
    let before = service.count("list_clusters");
    sleep(Duration::from_mins(1)).await;
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
    sleep(Duration::from_mins(10)).await;
    let polls = service.count("list_clusters") - before;
    assert!((8..=11).contains(&polls), "the own account alone: {polls}");
    shutdown.cancel();
    running.await.expect("ended");
    let arrivals = service.arrivals("list_clusters");
    sleep(Duration::from_mins(10)).await;
    assert_eq!(service.arrivals("list_clusters"), arrivals);
}
