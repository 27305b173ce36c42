//! Two resources and one name: who is known to be making it, and who stops.

use super::*;
use crate::api::cluster_status::AccountRef;

#[tokio::test(start_paused = true)]
async fn who_is_making_a_cluster_is_known_while_its_call_flies() {
    let world = World::new(Duration::from_secs(10)).await;
    while world.calls() == 0 {
        let _ = tokio::time::timeout(Duration::from_secs(1), world.reconcile()).await;
    }
    let account = AccountRef {
        region: "eu-west-0".to_owned(),
        project_id: "0123456789abcdef0123456789abcdef".to_owned(),
    };
    let making = world.ctx.index.making(&account, "wh", "another");
    assert_eq!(making.len(), 1, "no watch tells it here: {making:?}");
}

#[tokio::test(start_paused = true)]
async fn of_two_that_name_one_cluster_in_a_namespace_both_stop() {
    let world = World::new(Duration::ZERO).await;
    world.until_called().await.unwrap();
    world.ctx.accounts.own().unwrap().poll().await;
    let mut other = world.kubernetes.get(WH).unwrap();
    other["metadata"] = json!({
        "name": "other", "namespace": "team", "uid": "uid-other", "generation": 1,
        "creationTimestamp": "2027-01-15T07:30:00Z",
    });
    other["spec"]["clusterName"] = json!("wh");
    other["spec"]["adoptionPolicy"] = json!("IfExists");
    other.as_object_mut().unwrap().remove("status");
    let path = WH.replace("/wh", "/other");
    world.kubernetes.put(&path, other);
    let key = ResourceKey {
        name: "other".to_owned(),
        ..world.key.clone()
    };
    for _ in 0..3 {
        reconcile(&world.ctx, &key).await.unwrap();
        world.reconcile().await.unwrap();
    }
    let other = world.kubernetes.get(&path).unwrap()["status"].clone();
    for status in [other, world.status()] {
        let stalled = status["conditions"].as_array().unwrap().iter();
        let reasons: Vec<_> = stalled
            .filter(|one| one["type"] == "Stalled")
            .map(|one| one["reason"].clone())
            .collect();
        assert_eq!(reasons, ["IdentityConflict"], "{status}");
    }
    assert_eq!(world.calls(), 1);
}
