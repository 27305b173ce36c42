//! The store over a stand-in that loses requests and answers and edits in between.

use super::*;
use crate::controller::testing::{ApiServer, CLUSTERS, Fault, cluster, operation};

#[test]
fn a_diff_names_only_whole_fields_that_differ() {
    let old = json!({"clusterId": "a", "conditions": [1], "gone": 1, "future/field~": {"x": 1}});
    let new = json!({"clusterId": "a", "conditions": [2], "operation": {"id": "o"}, "future/field~": {"x": 1}});
    let operations: Vec<Value> = status_diff(&old, &new)
        .into_iter()
        .map(|change| change.operation)
        .collect();
    assert_eq!(
        operations,
        vec![
            json!({"op": "add", "path": "/status/conditions", "value": [2]}),
            json!({"op": "add", "path": "/status/operation", "value": {"id": "o"}}),
            json!({"op": "remove", "path": "/status/gone"}),
        ]
    );
}

#[test]
fn a_diff_escapes_field_names() {
    let changes = status_diff(&json!({}), &json!({"a/b~c": 1}));
    assert_eq!(changes[0].operation["path"], "/status/a~1b~0c");
}

const WH: &str = "/apis/dws.huaweicloud.com/v1alpha1/namespaces/team/dwsclusters/wh";

async fn read(client: &Client) -> DwsCluster {
    get(client, "team", "wh").await.unwrap().unwrap()
}

fn status(value: Value) -> DwsClusterStatus {
    serde_json::from_value(value).unwrap()
}

/// A server with one cluster, and the cluster as it was read.
async fn served(stored: Value) -> (ApiServer, Client, DwsCluster) {
    let server = ApiServer::default();
    server.put(WH, cluster(stored));
    let client = server.client();
    let object = read(&client).await;
    (server, client, object)
}

#[tokio::test]
async fn a_status_is_stored_only_over_the_version_that_was_read() {
    let (server, client, object) = served(json!({})).await;
    let wanted = status(json!({"operation": operation("o", 1, "Intended")}));
    replace_status(&client, &object, wanted.clone())
        .await
        .unwrap();
    // The same object again: somebody (here ourselves) wrote in between, and it is not our intent.
    let other = status(json!({"operation": operation("p", 1, "Intended")}));
    let again = replace_status(&client, &object, other).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    assert_eq!(server.get(WH).unwrap()["status"]["operation"]["id"], "o");
}

#[tokio::test]
async fn a_stored_intent_whose_answer_was_lost_is_told_by_its_id() {
    let (server, client, object) = served(json!({})).await;
    server.fault("PUT", Fault::LostAfter);
    let wanted = status(json!({"operation": operation("o", 1, "Intended")}));
    let stored = replace_status(&client, &object, wanted).await.unwrap();
    assert_eq!(stored.status.unwrap().operation.unwrap().id, "o");
    assert_ne!(
        stored.metadata.resource_version,
        object.metadata.resource_version
    );
}

#[tokio::test]
async fn an_intent_that_never_arrived_is_not_believed_to_be_stored() {
    let (server, client, object) = served(json!({})).await;
    server.fault("PUT", Fault::LostBefore);
    let wanted = status(json!({"operation": operation("o", 1, "Intended")}));
    let stored = replace_status(&client, &object, wanted).await;
    assert!(
        matches!(stored, Err(StoreError::Unavailable { .. })),
        "{stored:?}"
    );
}

#[tokio::test]
async fn a_renewed_attempt_that_another_process_stored_first_is_not_ours() {
    let former = json!({"operation": operation("o", 1, "Ambiguous")});
    let (_server, client, object) = served(former).await;
    let second = status(json!({"operation": operation("o", 2, "Intended")}));
    // Two leaders renew at the same moment: the very same words.
    replace_status(&client, &object, second.clone())
        .await
        .unwrap();
    let other_leader = replace_status(&client, &object, second).await;
    assert!(
        matches!(other_leader, Err(StoreError::Conflict)),
        "{other_leader:?}"
    );
}

#[tokio::test]
async fn status_fields_of_a_later_version_survive() {
    let (server, client, object) = served(json!({"fromTheFuture": {"x": [1]}})).await;
    let mut wanted = object.status.clone().unwrap();
    wanted.cluster_id = Some("id".to_owned());
    replace_status(&client, &object, wanted).await.unwrap();
    let stored = server.get(WH).unwrap();
    assert_eq!(stored["status"]["fromTheFuture"], json!({"x": [1]}));
    assert_eq!(stored["status"]["clusterId"], "id");
}

#[tokio::test]
async fn the_finalizer_is_added_to_what_was_read_and_removed_from_what_is_there() {
    let (server, client, object) = served(json!({})).await;
    let held = add_finalizer(&client, &object).await.unwrap();
    assert_eq!(held.finalizers(), [FINALIZER]);
    let stale = add_finalizer(&client, &object).await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");

    // Somebody puts another finalizer before ours between our look and our patch.
    server.edit("PATCH", |objects| {
        objects.get_mut(WH).unwrap()["metadata"]["finalizers"] = json!(["other", FINALIZER]);
    });
    remove_finalizer(&client, &held).await.unwrap();
    assert_eq!(
        server.get(WH).unwrap()["metadata"]["finalizers"],
        json!(["other"])
    );
    assert_eq!(server.requests("PATCH"), 4);
}

#[tokio::test]
async fn a_finalizer_of_a_new_object_of_the_same_name_is_left_alone() {
    let (server, client, object) = served(json!({})).await;
    let held = add_finalizer(&client, &object).await.unwrap();
    let mut successor = server.get(WH).unwrap();
    successor["metadata"]["uid"] = json!("uid-new");
    server.put(WH, successor);
    remove_finalizer(&client, &held).await.unwrap();
    assert_eq!(
        server.get(WH).unwrap()["metadata"]["finalizers"],
        json!([FINALIZER])
    );
}

/// The core's `absorb` is not under test here: this one puts the id in.
async fn store_id(client: &Client, object: DwsCluster) -> Result<bool, StoreError> {
    let operation = object.status.as_ref().unwrap().operation.clone().unwrap();
    let absorb = |status: &DwsClusterStatus| {
        let mut status = status.clone();
        status.cluster_id = Some("new-id".to_owned());
        status.sub_status = status.sub_status.map(|_| "x".repeat(300));
        status.operation.as_mut().unwrap().phase = OperationPhase::Accepted;
        Absorbed {
            status,
            events: Vec::new(),
            wake: None,
        }
    };
    let stored = Box::pin(store_absorbed(client, object, &operation, |status, _| {
        absorb(status)
    }))
    .await?;
    Ok(matches!(stored, AnswerStored::Stored(..)))
}

#[tokio::test(start_paused = true)]
async fn an_id_does_not_lose_against_a_concurrent_edit() {
    let intent = json!({"operation": operation("o", 1, "Intended")});
    let (server, client, object) = served(intent).await;
    server.edit("PATCH", |objects| {
        let stored = objects.get_mut(WH).unwrap();
        stored["metadata"]["resourceVersion"] = json!("77");
        stored["status"]["handled"] = json!({"reconcile": "2026-01-01T00:00:00Z"});
    });
    assert!(Box::pin(store_id(&client, object)).await.unwrap());
    let stored = server.get(WH).unwrap();
    assert_eq!(stored["status"]["clusterId"], "new-id");
    assert!(
        stored["status"]["handled"].is_object(),
        "the other edit stays: {stored}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_id_is_stored_through_lost_requests_and_lost_answers() {
    let intent = json!({"operation": operation("o", 1, "Intended")});
    let (server, client, object) = served(intent).await;
    for fault in [Fault::LostBefore, Fault::LostBefore, Fault::LostAfter] {
        server.fault("PATCH", fault);
    }
    assert!(Box::pin(store_id(&client, object)).await.unwrap());
    assert_eq!(server.get(WH).unwrap()["status"]["clusterId"], "new-id");
    assert_eq!(
        server.requests("PATCH"),
        1,
        "what was stored is not stored again"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_former_attempt_has_no_place() {
    let intent = json!({"operation": operation("o", 1, "Intended")});
    let (server, client, object) = served(intent).await;
    server.edit("PATCH", |objects| {
        objects.get_mut(WH).unwrap()["status"]["operation"]["attempt"] = json!(2);
    });
    assert!(!Box::pin(store_id(&client, object)).await.unwrap());
    assert!(server.get(WH).unwrap()["status"]["clusterId"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_status_that_the_schema_refuses_still_keeps_the_id() {
    let intent = json!({"operation": operation("o", 1, "Intended"), "subStatus": "NORMAL"});
    let (server, client, object) = served(intent).await;
    assert!(Box::pin(store_id(&client, object)).await.unwrap());
    let stored = server.get(WH).unwrap();
    assert_eq!(stored["status"]["clusterId"], "new-id");
    assert_eq!(stored["status"]["subStatus"], "NORMAL");
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_stays_away_ends_the_try_and_keeps_the_object_as_it_is() {
    let intent = json!({"operation": operation("o", 1, "Intended")});
    let (server, client, object) = served(intent).await;
    for _ in 0..=STORE_ATTEMPTS {
        server.fault("PATCH", Fault::LostBefore);
    }
    let stored = Box::pin(store_id(&client, object)).await;
    assert!(
        matches!(stored, Err(StoreError::Unavailable { .. })),
        "{stored:?}"
    );
    assert_eq!(server.requests(CLUSTERS), 1 + STORE_ATTEMPTS);
}
