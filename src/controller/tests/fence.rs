//! Between the stored intent and the call somebody else writes the connection Secret: what is sent is what
//! the Secret holds, or nothing is sent.

use k8s_openapi::ByteString;

use super::*;

/// The pending password that a Secret holds.
fn pending(secret: &Value) -> String {
    let data: ByteString =
        serde_json::from_value(secret["data"]["pending-password"].clone()).unwrap();
    String::from_utf8(data.0).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_password_that_the_secret_lost_after_the_intent_is_not_sent() {
    let world = World::new(Duration::ZERO).await;
    world
        .kubernetes
        .edit(&format!("PATCH {SECRET}"), |objects| {
            let secret = objects.get_mut(SECRET).unwrap();
            secret["data"]["pending-password"] = json!(ByteString(b"Another-1".to_vec()));
            secret["metadata"]["resourceVersion"] = json!("another");
        });
    // A Secret that changed under the plan may also end the reconcile as a conflict.
    while world.kubernetes.requests(&format!("PATCH {SECRET}")) == 0 {
        let _ = world.reconcile().await;
    }
    assert_eq!(world.calls(), 0, "{}", world.status());

    for _ in 0..8 {
        let _ = world.reconcile().await;
        tokio::time::sleep(Duration::from_mins(1)).await;
        world.ctx.accounts.own().unwrap().poll().await;
    }
    let calls = world.cloud.calls.lock();
    let sent = world.cloud.sent.lock();
    assert_eq!(calls.len(), 1, "{}", world.status());
    let password = sent[0]["cluster"]["user_pwd"].as_str().unwrap();
    assert_eq!(pending(&calls[0].1), password);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_gone_after_the_intent_holds_the_call_back() {
    let world = World::new(Duration::ZERO).await;
    world
        .kubernetes
        .edit(&format!("PATCH {SECRET}"), |objects| {
            objects.remove(SECRET);
        });
    while world.kubernetes.requests(&format!("PATCH {SECRET}")) == 0 {
        let _ = world.reconcile().await;
    }
    assert_eq!(world.calls(), 0, "{}", world.status());
}
