//! The reconcile that makes a cluster: what it reads before, and what keeps it from making one.

use super::*;

#[tokio::test(start_paused = true)]
async fn nothing_is_made_in_a_namespace_that_goes() {
    let world = World::new(Duration::ZERO).await;
    let going = json!({"metadata": {
        "name": "team", "uid": "ns", "deletionTimestamp": "2027-01-15T08:00:00Z",
    }});
    world.kubernetes.put(NAMESPACE, going);
    for _ in 0..5 {
        world.reconcile().await.unwrap();
    }
    assert_eq!(world.calls(), 0);
    assert!(world.kubernetes.get(SECRET).is_none());
    let conditions = world.status()["conditions"].to_string();
    assert!(conditions.contains("NamespaceTerminating"), "{conditions}");
}

/// `make bench` holds the time until the call beside that of a loop with five exchanges.
#[tokio::test(start_paused = true)]
async fn a_create_takes_one_reconcile_and_three_reads() {
    let world = World::new(Duration::ZERO).await;
    world.reconcile().await.unwrap();
    assert_eq!(world.calls(), 1);
    assert_eq!(
        world.kubernetes.requests("GET"),
        3,
        "itself, namespace, Secret"
    );
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_somebody_makes_meanwhile_is_not_taken() {
    let world = World::new(Duration::ZERO).await;
    let theirs = json!({"metadata": {"name": "wh-connection", "namespace": "team", "uid": "u"}});
    let made = theirs.clone();
    world
        .kubernetes
        .edit(&format!("POST {SECRETS}"), move |objects| {
            objects.insert(SECRET.to_owned(), made);
        });
    let conflict = world.reconcile().await;
    assert!(
        matches!(&conflict, Err(error) if error.is_conflict()),
        "{conflict:?}"
    );
    world.reconcile().await.unwrap();
    assert_eq!(world.calls(), 0);
    let found = world.kubernetes.get(SECRET).unwrap();
    assert_eq!(found["metadata"]["uid"], "u");
    assert!(found["data"].is_null(), "{found}");
    let conditions = world.status()["conditions"].to_string();
    assert!(conditions.contains("SecretConflict"), "{conditions}");
}
