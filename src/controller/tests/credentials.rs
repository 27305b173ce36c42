//! Reconciles with credentials of the namespace's own.

use super::*;

const CREDENTIALS: &str = "/api/v1/namespaces/team/secrets/creds";

/// As they are stored: base64 of `AK` and `SK`, and an endpoint that a tenant may not choose.
fn credentials(more: &[(&str, &str)]) -> Value {
    let mut secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "creds", "namespace": "team", "uid": "creds"},
        "data": {"HW_ACCESS_KEY": "QUs=", "HW_SECRET_KEY": "U0s="},
    });
    for (key, value) in more {
        secret["data"][*key] = json!(value);
    }
    secret
}

async fn tenant(secret: Value) -> World {
    let world = World::new(Duration::ZERO).await;
    world.kubernetes.put(CREDENTIALS, secret);
    let mut wh = world.kubernetes.get(WH).unwrap();
    wh["spec"]["credentialsSecretRef"] = json!({"name": "creds"});
    world.kubernetes.put(WH, wh);
    world
}

/// Polls all accounts and reconciles, some times.
async fn go_on(world: &World) {
    for _ in 0..6 {
        for (_, account) in world.ctx.accounts.all() {
            account.poll().await;
        }
        world.reconcile().await.unwrap();
    }
}

fn told(world: &World) -> Vec<i64> {
    let state = world.kubernetes.0.lock();
    let events = state.objects.values();
    events
        .filter(|object| object["reason"] == "CredentialsKeysIgnored")
        .map(|event| event["count"].as_i64().unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_ignored_endpoint_is_one_event_until_the_secret_says_something_else() {
    let evil = "aHR0cHM6Ly9ldmlsLmV4YW1wbGUuY29t";
    let world = tenant(credentials(&[("DWS_ENDPOINT", evil)])).await;
    go_on(&world).await;
    assert_eq!(told(&world), [1]);
    let writes = |world: &World| ["PUT", "POST", "PATCH"].map(|m| world.kubernetes.requests(m));
    let before = writes(&world);
    go_on(&world).await;
    assert_eq!(writes(&world), before);

    world.kubernetes.put(
        CREDENTIALS,
        credentials(&[("DWS_ENDPOINT", evil), ("HW_CLOUD", evil)]),
    );
    go_on(&world).await;
    assert_eq!(told(&world), [1, 1]);
    // Gone and back again is news.
    world.kubernetes.put(CREDENTIALS, credentials(&[]));
    go_on(&world).await;
    world
        .kubernetes
        .put(CREDENTIALS, credentials(&[("DWS_ENDPOINT", evil)]));
    go_on(&world).await;
    let mut counts = told(&world);
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
}

/// A tenant's region cannot lead a request anywhere, and the condition says what to write.
#[tokio::test(start_paused = true)]
async fn a_region_that_is_none_is_told_and_nothing_is_sent() {
    // `evil.example.com/`
    let world = tenant(credentials(&[(
        "HW_REGION_NAME",
        "ZXZpbC5leGFtcGxlLmNvbS8=",
    )]))
    .await;
    go_on(&world).await;
    assert_eq!(world.ctx.accounts.all().len(), 1, "no account but the own");
    assert_eq!(world.calls(), 0);
    let status = world.status();
    let conditions = status["conditions"].as_array().unwrap();
    let synced = conditions.iter().find(|c| c["type"] == "Synced").unwrap();
    assert_eq!(synced["status"], "False");
    let message = synced["message"].as_str().unwrap();
    assert!(
        message.contains("HW_REGION_NAME") && message.contains("creds"),
        "{message}"
    );
    assert!(!message.contains("evil"), "{message}");

    world.kubernetes.put(CREDENTIALS, credentials(&[]));
    go_on(&world).await;
    assert_eq!(world.calls(), 1, "mended");
}

/// What a resource follows moves with its credentials, also between accounts that others share.
#[tokio::test(start_paused = true)]
async fn who_follows_something_moves_with_a_rotated_secret() {
    // The operator's own credential, copied.
    let world = tenant(credentials(&[])).await;
    let own = world.ctx.accounts.own().unwrap();
    go_on(&world).await;
    assert_eq!(
        (world.ctx.accounts.distinct().len(), own.interested()),
        (1, 1)
    );
    let other = json!({"HW_ACCESS_KEY": "QUsy", "HW_SECRET_KEY": "U0s="});
    let mut rotated = credentials(&[]);
    rotated["data"] = other;
    world.kubernetes.put(CREDENTIALS, rotated);
    go_on(&world).await;
    let all = world.ctx.accounts.distinct();
    let followed: usize = all.iter().map(crate::observer::Account::interested).sum();
    assert_eq!((all.len(), own.interested(), followed), (2, 0, 1));
    world.kubernetes.put(CREDENTIALS, credentials(&[]));
    go_on(&world).await;
    assert_eq!(
        (world.ctx.accounts.distinct().len(), own.interested()),
        (1, 1)
    );
    world.kubernetes.0.lock().objects.remove(WH);
    world.reconcile().await.unwrap();
    assert_eq!(own.interested(), 0);
    assert_eq!(world.ctx.accounts.all().len(), 1, "the Secret is let go");
}
