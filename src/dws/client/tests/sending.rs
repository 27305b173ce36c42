//! A changing call is sent once or not at all, and what is said of it is true.

use super::*;
use crate::dws::answer::Class;
use crate::dws::transport::TransportErrorKind;

#[tokio::test]
async fn past_the_deadline_nothing_is_sent() {
    let memory = Memory::new(|_, _| reply(200, json!({})));
    let clock = Still::new();
    let client = with(&settings(), access_key(), &memory, &clock);
    let prepared = client.prepare(&resize()).await.unwrap();
    assert_eq!(memory.seen().len(), 0, "preparing sends nothing");
    clock.forward(Duration::from_mins(1));
    let Answer::Refused(failure) = client.send(prepared, soon()).await else {
        panic!("refused")
    };
    assert!(!failure.sent);
    assert_eq!(failure.meaning.class(), Class::Retry);
    assert!(failure.message.starts_with("not sent"), "{failure}");
    assert_eq!(memory.seen().len(), 0);
}

#[tokio::test]
async fn the_deadline_bounds_the_time_given() {
    for (seconds, expected) in [(5, 5), (30, 30), (600, 30)] {
        let memory = Memory::new(|_, _| reply(200, json!({})));
        let client = client(access_key(), &memory);
        let deadline = now().checked_add(Duration::from_secs(seconds)).unwrap();
        client.execute(&resize(), deadline).await;
        assert_eq!(memory.seen()[0].timeout, Duration::from_secs(expected));
    }
}

#[tokio::test]
async fn an_attempt_bears_the_signature_it_was_prepared_with() {
    let memory = Memory::new(|_, _| reply(200, json!({})));
    let clock = Still::new();
    let client = with(&settings(), access_key(), &memory, &clock);
    let prepared = client.prepare(&resize()).await.unwrap();
    clock.forward(Duration::from_secs(30));
    client.send(prepared, soon()).await;
    assert_eq!(memory.seen()[0].headers["x-sdk-date"], "20191115T033655Z");
}

#[tokio::test]
async fn no_answer_to_a_changing_call_is_asked_for_twice() {
    let mut rows = 0;
    for credential in [access_key(), password()] {
        for call in calls() {
            for status in [
                200, 301, 307, 400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504,
            ] {
                let memory = Memory::new(move |seen, _| match seen.line.as_str() {
                    "POST /v3/auth/tokens" => token("t"),
                    _ => reply(status, json!({"error_code": "APIGW.0301"})),
                });
                client(credential.clone(), &memory)
                    .execute(&call, soon())
                    .await;
                let changing = memory.seen().iter().filter(|seen| seen.changing).count();
                assert_eq!(changing, 1, "{call:?} {status}");
                rows += 1;
            }
            for (kind, sent) in [
                (TransportErrorKind::Connect, false),
                (TransportErrorKind::Timeout, true),
                (TransportErrorKind::Reset, true),
            ] {
                let memory = Memory::new(move |seen, _| match seen.line.as_str() {
                    "POST /v3/auth/tokens" => token("t"),
                    _ => Err(TransportError {
                        kind,
                        sent,
                        message: "gone".into(),
                    }),
                });
                let answer = client(credential.clone(), &memory)
                    .execute(&call, soon())
                    .await;
                let changing = memory.seen().iter().filter(|seen| seen.changing).count();
                assert_eq!(changing, 1);
                assert_eq!(matches!(answer, Answer::Ambiguous(_)), sent, "{answer:?}");
                rows += 1;
            }
        }
    }
    crate::dws::figures::figure(
        "dws-client",
        &format!("{rows} changing calls, each sent once"),
    );
}

#[tokio::test]
async fn an_id_that_is_none_goes_nowhere() {
    let memory = Memory::new(|_, _| panic!("sent"));
    let client = client(access_key(), &memory);
    for id in [
        "",
        ".",
        "..",
        "a/b",
        "a?b",
        "a#b",
        "a%2fb",
        "a b",
        "ü",
        "a\n",
        &"a".repeat(65),
    ] {
        let failure = client.cluster(id).await.unwrap_err();
        assert_eq!(
            (failure.meaning, failure.sent),
            (Meaning::Invalid, false),
            "{id:?}"
        );
        assert!(client.snapshot(id).await.is_err());
        for call in [
            Call::RestartCluster {
                cluster_id: id.into(),
            },
            Call::DeleteCluster {
                cluster_id: id.into(),
                keep_last_manual_snapshot: 0,
            },
            Call::ResizeCluster {
                cluster_id: id.into(),
                count: 1,
            },
            Call::ResetPassword {
                cluster_id: id.into(),
                new_password: "Passw0rd!".into(),
            },
            Call::DeleteSnapshot {
                snapshot_id: id.into(),
            },
        ] {
            let Answer::Refused(failure) = client.execute(&call, soon()).await else {
                panic!("{call:?}")
            };
            assert!(!failure.sent && failure.meaning.class() == Class::Stalled);
        }
    }
}

#[tokio::test]
async fn what_fails_before_the_call_is_never_ambiguous() {
    // The login times out after it was sent; the call itself was not.
    let memory = Memory::new(|_, _| {
        let kind = TransportErrorKind::Timeout;
        Err(TransportError {
            kind,
            sent: true,
            message: "slow".into(),
        })
    });
    let client = client(password(), &memory);
    let Answer::Refused(failure) = client.execute(&create(), soon()).await else {
        panic!("refused")
    };
    assert!(!failure.sent);
    assert_eq!(
        (failure.meaning, failure.meaning.class()),
        (Meaning::Unavailable, Class::Retry)
    );
    assert_eq!(memory.lines(), ["POST /v3/auth/tokens"]);
}
