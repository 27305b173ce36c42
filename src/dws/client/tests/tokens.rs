//! When a token is fetched, and when not.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const LOGIN: &str = "POST /v3/auth/tokens";

/// A service that takes the tokens from `good` on; tokens are numbered.
fn service(good: usize, code: &'static str) -> Arc<Memory> {
    let logins = AtomicUsize::new(0);
    Memory::new(move |seen, _| {
        if seen.line == LOGIN {
            return token(&format!("token-{}", logins.fetch_add(1, Ordering::SeqCst)));
        }
        let number: usize = seen.headers["x-auth-token"][6..].parse().unwrap();
        if number < good {
            reply(401, json!({"error_code": code, "error_msg": "no"}))
        } else if seen.line.starts_with("GET") {
            reply(200, json!({"clusters": [], "snapshots": [], "count": 0}))
        } else {
            reply(200, json!({}))
        }
    })
}

fn logins(memory: &Memory) -> usize {
    memory.lines().iter().filter(|line| *line == LOGIN).count()
}

#[tokio::test]
async fn one_token_serves_a_crowd() {
    let memory = service(0, "");
    let client = client(password(), &memory);
    let reads = (0..20).map(|_| client.list_clusters());
    assert!(
        futures::future::join_all(reads)
            .await
            .iter()
            .all(Result::is_ok)
    );
    client.execute(&resize(), soon()).await;
    assert_eq!((logins(&memory), memory.seen().len()), (1, 22));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let memory = service(0, "");
    let clock = Still::new();
    let client = with(&settings(), password(), &memory, &clock);
    client.list_clusters().await.unwrap();
    clock.forward(Duration::from_mins(24 * 60 - 11));
    client.list_clusters().await.unwrap();
    assert_eq!(logins(&memory), 1);
    clock.forward(Duration::from_mins(2));
    client.list_clusters().await.unwrap();
    assert_eq!(logins(&memory), 2);
}

#[tokio::test]
async fn a_read_whose_token_is_refused_gets_one_new_token() {
    for code in ["APIGW.0301", "APIGW.0305", "APIGW.0307"] {
        let memory = service(1, code);
        let client = client(password(), &memory);
        assert!(client.list_clusters().await.unwrap().complete, "{code}");
        assert_eq!((logins(&memory), memory.seen().len()), (2, 4));
    }
    // Once: the second refusal is the answer.
    let memory = service(usize::MAX, "APIGW.0307");
    let client = client(password(), &memory);
    let failure = client.list_clusters().await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::Unauthenticated);
    assert_eq!((logins(&memory), memory.seen().len()), (2, 4));
}

#[tokio::test]
async fn a_crowd_whose_token_is_refused_gets_one_new_token() {
    let memory = service(1, "APIGW.0307");
    let client = client(password(), &memory);
    let reads = (0..20).map(|_| client.list_clusters());
    assert!(
        futures::future::join_all(reads)
            .await
            .iter()
            .all(Result::is_ok)
    );
    assert_eq!(logins(&memory), 2);
}

#[tokio::test]
async fn a_401_about_the_cluster_is_not_about_the_token() {
    let memory = service(usize::MAX, "DWS.0047");
    let client = client(password(), &memory);
    for _ in 0..3 {
        let failure = client.cluster(CLUSTER).await.unwrap_err();
        assert_eq!(
            (failure.meaning, failure.http),
            (Meaning::Absent, Some(401))
        );
    }
    assert_eq!((logins(&memory), memory.seen().len()), (1, 4));
}

#[tokio::test]
async fn a_changing_call_is_not_repeated_with_a_new_token() {
    let memory = service(1, "APIGW.0307");
    let client = client(password(), &memory);
    let Answer::Refused(failure) = client.execute(&resize(), soon()).await else {
        panic!("refused")
    };
    assert_eq!(
        (failure.meaning, failure.sent),
        (Meaning::Unauthenticated, true)
    );
    assert_eq!((logins(&memory), memory.seen().len()), (1, 2));
    // The refused token is not used again.
    let answer = client.execute(&resize(), soon()).await;
    assert!(matches!(answer, Answer::Accepted { .. }), "{answer:?}");
    assert_eq!((logins(&memory), memory.seen().len()), (2, 4));
}

#[tokio::test]
async fn a_signed_request_is_not_repeated() {
    let memory = Memory::new(|_, _| reply(401, json!({"error_code": "APIGW.0301"})));
    let client = client(access_key(), &memory);
    let failure = client.list_clusters().await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::Unauthenticated);
    assert_eq!(memory.seen().len(), 1);
}

#[tokio::test]
async fn a_crowd_with_a_wrong_password_logs_in_once() {
    for by_name in [false, true] {
        let memory = Memory::new(|seen, _| {
            assert_eq!(seen.line, LOGIN);
            reply(
                401,
                json!({"error": {"code": 401, "message": "wrong", "title": "Unauthorized"}}),
            )
        });
        let mut settings = settings();
        settings.project_id = settings.project_id.filter(|_| !by_name);
        let client = with(&settings, password(), &memory, &Still::new());
        let reads = (0..20).map(|_| client.list_clusters());
        for answer in futures::future::join_all(reads).await {
            let failure = answer.unwrap_err();
            assert_eq!(failure.meaning, Meaning::Unauthenticated);
            assert_eq!(failure.code.as_deref(), Some("401"));
        }
        assert_eq!(logins(&memory), 1, "five failed logins lock the user");
        let Answer::Refused(failure) = client.execute(&resize(), soon()).await else {
            panic!("refused")
        };
        assert!(!failure.sent, "the resize was not sent");
    }
}

#[tokio::test]
async fn whatever_iam_answers_to_a_login_is_about_the_login() {
    #[rustfmt::skip] // A row a line.
    let rows = [
        (400, json!({"error": {"code": 400, "message": "m", "title": "Bad Request"}}), Meaning::Unauthenticated),
        (401, json!({"error": {"code": 401, "message": "m", "title": "Unauthorized"}}), Meaning::Unauthenticated),
        (403, json!({"error": {"code": 403, "message": "m", "title": "Forbidden"}}), Meaning::Unauthenticated),
        (404, json!({"error": {"code": 404, "message": "m", "title": "Not Found"}}), Meaning::Unauthenticated),
        (403, json!({"error_code": "APIGW.0302"}), Meaning::Unauthenticated),
        (404, json!({"error_code": "DWS.3027"}), Meaning::Unauthenticated),
        (429, json!({"error": {"code": 429, "message": "m"}}), Meaning::Throttled),
        (500, json!({"error": {"code": 500, "message": "m"}}), Meaning::Unavailable),
        (503, json!({}), Meaning::Unavailable),
    ];
    for (status, body, meaning) in rows {
        let answer = body.clone();
        let memory = Memory::new(move |_, _| reply(status, answer.clone()));
        let client = client(password(), &memory);
        let failure = client.cluster(CLUSTER).await.unwrap_err();
        assert_eq!(failure.meaning, meaning, "{status} {body}");
        let Answer::Refused(failure) = client.execute(&resize(), soon()).await else {
            panic!("refused")
        };
        assert_eq!(failure.meaning, meaning, "{status} {body}");
    }
}

/// A token that ends between a read and a changing call says nothing about the credential behind it.
#[tokio::test]
async fn a_token_that_has_ended_is_told_from_one_that_was_never_good() {
    let ended = Arc::new(AtomicUsize::new(0));
    let memory = Memory::new({
        let (ended, logins) = (ended.clone(), AtomicUsize::new(0));
        move |seen, _| {
            if seen.line == LOGIN {
                return token(&format!("token-{}", logins.fetch_add(1, Ordering::SeqCst)));
            }
            let number: usize = seen.headers["x-auth-token"][6..].parse().unwrap();
            if number < ended.load(Ordering::SeqCst) {
                reply(401, json!({"error_code": "APIGW.0307"}))
            } else {
                reply(200, json!({"clusters": [], "count": 0}))
            }
        }
    });
    let client = client(password(), &memory);
    client.list_clusters().await.unwrap();
    ended.store(1, Ordering::SeqCst);
    let first = client.execute_once(&resize(), soon()).await;
    assert!(matches!(first.answer, Answer::Refused(_)));
    assert!(first.token_ended, "it had worked");
    ended.store(usize::MAX, Ordering::SeqCst);
    let second = client.execute_once(&resize(), soon()).await;
    assert!(matches!(second.answer, Answer::Refused(_)));
    assert!(!second.token_ended, "a new one that is refused as well");
}

#[tokio::test]
async fn an_answer_without_a_token_is_no_login() {
    let memory = Memory::new(|_, _| reply(201, json!({"token": {"canary": "in-the-body"}})));
    let failure = client(password(), &memory)
        .list_clusters()
        .await
        .unwrap_err();
    assert_eq!(
        (failure.meaning, failure.http),
        (Meaning::Garbled, Some(201))
    );
    assert!(!format!("{failure:?}").contains("in-the-body"));
}
