//! One credential in many places is one account.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::super::testing::{FakeService, PROJECT, accounts, interest, secret, settings};
use super::super::{Account, Accounts, Source};
use crate::dws::answer::Meaning;

fn of(accounts: &Accounts, namespace: &str, version: &str, key: &str) -> Account {
    let made = accounts.from_secret(namespace, "creds", "uid", version, &secret(key));
    made.expect("valid").0
}

fn source(namespace: &str) -> Source {
    Source::Secret {
        namespace: namespace.to_owned(),
        name: "creds".to_owned(),
    }
}

/// A resource `name` in this namespace that follows `c1`.
fn follows(account: &Account, namespace: &str, name: &str) {
    let mut interest = interest(name, "c1", false);
    interest.key.namespace = namespace.to_owned();
    account.watch(interest);
}

#[tokio::test(start_paused = true)]
async fn fifty_copies_of_one_credential_cost_one_list_an_interval() {
    let service = FakeService::default();
    service.put_cluster("c1", "one", "AVAILABLE", None);
    let accounts = accounts(&service, settings(Some(PROJECT)));
    let woken = Arc::new(Mutex::new(Vec::new()));
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let (woken, accounts, shutdown) = (woken.clone(), accounts.clone(), shutdown.clone());
        let wake = move |key: super::super::ResourceKey| woken.lock().push(key.namespace);
        async move { accounts.run(wake, shutdown).await }
    });
    for number in 0..50 {
        let namespace = format!("team-{number}");
        let account = of(&accounts, &namespace, "1", "AK2");
        follows(&account, &namespace, &namespace);
    }
    assert_eq!(accounts.distinct().len(), 2);
    assert_eq!(accounts.all().len(), 51);
    sleep(Duration::from_secs(75)).await;
    woken.lock().clear();
    let before = service.count("list_clusters");
    sleep(Duration::from_mins(10)).await;
    let lists = service.count("list_clusters") - before;
    assert!((16..=21).contains(&lists), "own and one: {lists}");

    // A change is told to all of them.
    service.put_cluster("c1", "one", "UNAVAILABLE", None);
    sleep(Duration::from_secs(75)).await;
    let told = std::mem::take(&mut *woken.lock());
    assert_eq!(told.len(), 50);

    // The loop goes on until the last of them leaves.
    for number in 0..50 {
        let before = service.count("list_clusters");
        sleep(Duration::from_secs(75)).await;
        assert!(service.count("list_clusters") >= before + 2, "{number}");
        accounts.release(&source(&format!("team-{number}")));
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(accounts.distinct().len(), 1);
    let before = service.count("list_clusters");
    sleep(Duration::from_mins(10)).await;
    let lists = service.count("list_clusters") - before;
    assert!((8..=11).contains(&lists), "own alone: {lists}");
    shutdown.cancel();
    running.await.expect("ended");
}

/// Five failed logins lock a key for five minutes.
#[tokio::test(start_paused = true)]
async fn fifty_copies_of_a_wrong_key_try_it_once_a_minute() {
    let service = FakeService::default();
    service.accept_key("AK");
    let accounts = accounts(&service, settings(Some(PROJECT)));
    for number in 0..50 {
        let account = of(&accounts, &format!("team-{number}"), "1", "wrong");
        let failure = account.fresh_clusters().await.expect_err("wrong");
        assert_eq!(failure.meaning, Meaning::Unauthenticated);
    }
    assert_eq!(service.total(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_of_two_is_rotated_and_comes_back() {
    let service = FakeService::default();
    service.put_cluster("c1", "one", "AVAILABLE", None);
    let accounts = accounts(&service, settings(Some(PROJECT)));
    let (a, b) = (
        of(&accounts, "a", "1", "AK1"),
        of(&accounts, "b", "1", "AK1"),
    );
    assert!(a.is_same(&b));
    for (namespace, account) in [("a", &a), ("b", &b)] {
        follows(account, namespace, namespace);
    }
    a.poll().await;
    a.take_wakes();

    // Another account for one of them; who came by it is told, the other goes on where it was.
    let rotated = of(&accounts, "a", "2", "AK2");
    assert!(!rotated.is_same(&b));
    assert_ne!(rotated.following(), b.following());
    assert_eq!(rotated.interested(), 0, "it moves when it looks");
    let woken: Vec<_> = b
        .take_wakes()
        .into_iter()
        .map(|key| key.namespace)
        .collect();
    assert_eq!(woken, ["a"]);
    assert!(of(&accounts, "b", "1", "AK1").is_same(&b));
    b.unwatch("uid-a");
    follows(&rotated, "a", "a");

    // The other follows: its former account has no source left, and whoever was there is here now.
    let joined = of(&accounts, "b", "2", "AK2");
    assert!(joined.is_same(&rotated));
    assert_eq!(accounts.distinct().len(), 2);
    assert_eq!(joined.interested(), 2);
    let woken: Vec<_> = joined
        .take_wakes()
        .into_iter()
        .map(|key| key.namespace)
        .collect();
    assert_eq!(woken, ["b"]);

    // One is let go; the last good credential is kept for the other, whatever becomes of its Secret.
    accounts.release(&source("a"));
    assert!(accounts.last_good(&source("a")).is_none());
    let broken = accounts.from_secret("b", "creds", "uid", "3", &[].into());
    assert!(broken.is_err());
    let last = accounts.last_good(&source("b")).expect("kept");
    assert!(last.is_same(&joined));
    accounts.release(&source("b"));
    assert_eq!(accounts.distinct().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_the_operators_own_credential_is_its_account_and_never_ends_it() {
    let service = FakeService::default();
    let accounts = accounts(&service, settings(Some(PROJECT)));
    let own = accounts.own().expect("own");
    assert!(of(&accounts, "a", "1", "AK").is_same(&own));
    assert_eq!(accounts.distinct().len(), 1);
    let rotated = of(&accounts, "a", "2", "AK2");
    assert!(!rotated.is_same(&own));
    assert_ne!(
        rotated.following(),
        own.following(),
        "the own seat stays its own"
    );
    assert!(of(&accounts, "a", "3", "AK").is_same(&own));
    accounts.release(&source("a"));
    assert_eq!(accounts.distinct().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_place_is_another_account() {
    let service = FakeService::default();
    let accounts = accounts(&service, settings(Some(PROJECT)));
    let with = |namespace: &str, key: &str, value: &str| {
        let mut data = secret("AK1");
        data.insert(key.to_owned(), value.to_owned().into());
        let made = accounts.from_secret(namespace, "creds", "uid", "1", &data);
        made.expect("valid").0
    };
    let plain = of(&accounts, "a", "1", "AK1");
    for (namespace, key, value) in [
        ("b", "HW_REGION_NAME", "ap-1"),
        ("c", "HW_PROJECT_ID", "ffffffffffffffffffffffffffffffff"),
        ("d", "HW_PROJECT_NAME", "eu-west-0_team"),
        ("e", "HW_SECURITY_TOKEN", "token"),
    ] {
        assert!(!with(namespace, key, value).is_same(&plain), "{key}");
    }
    assert!(with("f", "HW_REGION_NAME", "eu-west-0").is_same(&plain));
    assert_eq!(accounts.distinct().len(), 6);
}

/// What the metric of an account's last list is made of.
#[tokio::test(start_paused = true)]
async fn the_age_of_the_last_list_goes_on_over_a_rotation_to_a_bad_key() {
    let service = FakeService::default();
    service.accept_key("AK1");
    let accounts = accounts(&service, settings(Some(PROJECT)));
    let good = of(&accounts, "a", "1", "AK1");
    let began = good.now();
    assert_eq!(good.seen_at(), began, "from never: since it is there");
    sleep(Duration::from_secs(10)).await;
    good.poll().await;
    let listed = good.seen_at();
    assert_eq!(listed.duration_since(began).as_secs(), 10);
    sleep(Duration::from_secs(10)).await;
    let bad = of(&accounts, "a", "2", "AK2");
    sleep(Duration::from_secs(10)).await;
    bad.poll().await;
    assert_eq!(bad.seen_at(), listed);
}
