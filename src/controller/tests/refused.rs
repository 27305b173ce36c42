//! What the service or the API server refuses, and what does not begin because of another resource.

use super::*;

/// Looks again, with fresh polls, until it has been called so many times.
async fn until_calls(world: &World, calls: usize) {
    for _ in 0..12 {
        for (_, account) in world.ctx.accounts.all() {
            account.poll().await;
        }
        let _ = world.reconcile().await;
        if world.calls() == calls {
            return;
        }
    }
    panic!("{} calls: {}", world.calls(), world.status());
}

#[tokio::test(start_paused = true)]
async fn a_refused_create_is_sent_again_with_another_credentials_secret() {
    let world = World::new(Duration::ZERO).await;
    let credentials = |user: &str| {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "creds", "namespace": "team", "uid": "uid-creds"},
            "data": {"HW_ACCESS_KEY": user, "HW_SECRET_KEY": "U0s="},
        });
        world.kubernetes.put(&format!("{SECRETS}/creds"), secret);
    };
    credentials("QUsx");
    let mut wh = world.kubernetes.get(WH).unwrap();
    wh["spec"]["credentialsSecretRef"] = json!({"name": "creds"});
    world.kubernetes.put(WH, wh);
    *world.cloud.refusal.lock() = Some((403, "APIGW.0302"));
    until_calls(&world, 1).await;
    for _ in 0..5 {
        world.reconcile().await.unwrap();
    }
    let status = world.status();
    assert_eq!(world.calls(), 1, "{status}");
    assert_eq!(status["failures"][0]["credentials"]["uid"], "uid-creds");
    // Another user of the same project, who may.
    *world.cloud.refusal.lock() = None;
    credentials("QUsy");
    until_calls(&world, 2).await;
    let status = world.status();
    assert!(status["clusterId"].is_string(), "{status}");
    assert!(status["failures"].is_null(), "{status}");
}

#[tokio::test(start_paused = true)]
async fn no_snapshot_by_id_is_started_of_a_cluster_that_is_being_deleted() {
    let world = World::new(Duration::ZERO).await;
    let id = "22222222-2222-4222-8222-222222222222";
    let mut wh = world.kubernetes.get(WH).unwrap();
    wh["metadata"]["deletionTimestamp"] = json!("2027-01-15T08:00:00Z");
    wh["metadata"]["finalizers"] = json!(["dws.huaweicloud.com/finalizer"]);
    wh["status"] = json!({"clusterId": id});
    world.kubernetes.put(WH, wh);
    let wh: Option<crate::api::DwsCluster> =
        crate::controller::store::get(&world.ctx.client, "team", "wh")
            .await
            .unwrap();
    let order = crate::controller::index::Order::List;
    world.ctx.index.apply_cluster(&wh.unwrap(), order);
    world.cloud.clusters.lock().push(json!({
        "id": id, "name": "wh", "status": "AVAILABLE", "number_of_node": 3,
    }));
    let backup = WH.replace("dwsclusters/wh", "dwssnapshots/backup");
    let object = json!({
        "apiVersion": "dws.huaweicloud.com/v1alpha1", "kind": "DwsSnapshot",
        "metadata": {"name": "backup", "namespace": "team", "uid": "uid-backup", "generation": 1},
        "spec": {"clusterId": id},
    });
    world.kubernetes.put(&backup, object);
    let key = ResourceKey {
        kind: Kind::Snapshot,
        namespace: "team".to_owned(),
        name: "backup".to_owned(),
    };
    for _ in 0..4 {
        reconcile(&world.ctx, &key).await.unwrap();
    }
    let status = world.kubernetes.get(&backup).unwrap()["status"].clone();
    assert_eq!(world.calls(), 0, "{status}");
    assert_eq!(
        status["conditions"][0]["reason"], "WaitingForCluster",
        "{status}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_may_not_be_written_is_told_and_heals_by_itself() {
    let world = World::new(Duration::ZERO).await;
    let refuse = || {
        let making = format!("POST {SECRETS}");
        world.kubernetes.fault(&making, Fault::Forbidden);
    };
    let writes = || world.kubernetes.requests(&format!("PUT {WH}/status"));
    let mut before = 0;
    for _ in 0..8 {
        refuse();
        let _ = world.reconcile().await;
        before = writes();
    }
    let conditions = world.status()["conditions"].clone();
    assert_eq!(conditions[1]["reason"], "SecretRefused", "{conditions}");
    let message = conditions[1]["message"].as_str().unwrap();
    assert!(message.contains("wh-connection"), "{message}");
    refuse();
    assert!(world.reconcile().await.is_err());
    assert_eq!((world.calls(), writes()), (0, before));
    world.until_called().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_secret_a_going_namespace_forbids_is_not_sent() {
    let world = World::new(Duration::ZERO).await;
    for _ in 0..20 {
        world
            .kubernetes
            .fault(&format!("POST {SECRETS}"), Fault::Terminating);
    }
    for _ in 0..5 {
        let _ = world.reconcile().await;
    }
    assert_eq!(world.calls(), 0);
    assert!(world.kubernetes.get(SECRET).is_none());
}
