//! Lists: shared, compared, told to those who care.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;

use super::super::testing::{FakeService, PROJECT, account, accounts, interest, key, settings};
use super::{known, next_poll};
use crate::core::facts;
use crate::dws::answer::Meaning;

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
async fn one_who_looked_before_the_first_list_need_not_wait_for_the_second() {
    let service = FakeService::default();
    let account = account(&service);
    assert!(matches!(account.facts(true), facts::Account::Pending));
    account.poll().await;
    account.watch(interest("early", "c1", false));
    assert_eq!(account.take_wakes(), [key("early")]);
    account.watch(interest("early", "c1", true));
    assert!(account.take_wakes().is_empty());
    sleep(Duration::from_secs(5)).await;
    account.watch(interest("late", "c1", false));
    assert!(account.take_wakes().is_empty());
}
