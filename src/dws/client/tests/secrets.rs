//! Canaries: no secret is in anything that can be shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::dws::auth::token::Token;
use crate::dws::redact::Redactor;
use crate::dws::transport::TransportErrorKind;

const TOKEN: &str = "Canary-Token-MIIPAgYJKoZIhvcNAQcCoIIO";

fn assert_clean(text: &str) {
    for secret in [
        SECRET_KEY,
        SECURITY_TOKEN,
        PASSWORD,
        DATABASE_PASSWORD,
        TOKEN,
    ] {
        // What base64 of the secret shares with base64 of any text that it begins.
        let packed = STANDARD.encode(secret);
        let escaped = serde_json::Value::from(secret).to_string();
        for form in [
            secret,
            &packed[..packed.len() - 4],
            &escaped[1..escaped.len() - 1],
        ] {
            assert!(!text.contains(form), "{form} in {text}");
        }
    }
    assert!(!text.contains("Canary"), "{text}");
}

/// A service that echoes what it got: headers, body, or the body in base64.
fn echo(what: usize) -> Arc<Memory> {
    Memory::new(move |seen, _| {
        if seen.line == "POST /v3/auth/tokens" {
            return token(TOKEN);
        }
        let echo = match what {
            0 => format!("{:?}", seen.headers),
            1 => seen.raw.clone(),
            2 => STANDARD.encode(&seen.raw),
            _ => {
                let body = &seen.body;
                let password = body["cluster"]["user_pwd"]
                    .as_str()
                    .or(body["new_password"].as_str());
                format!("{{user_pwd={}}}", password.unwrap_or_default())
            }
        };
        reply(400, json!({"error_code": "DWS.5144", "error_msg": echo}))
    })
}

#[tokio::test]
async fn nothing_shows_a_secret() {
    let mut shown = Vec::new();
    for credential in [access_key(), temporary_key(), password()] {
        shown.push(format!("{credential:?}"));
        for what in 0..4 {
            let client = client(credential.clone(), &echo(what));
            shown.push(format!("{client:?} {:?}", client.config()));
            for call in calls() {
                let prepared = client.prepare(&call).await.unwrap();
                shown.push(format!("{call:?} {prepared:?}"));
                let answer = client.send(prepared, soon()).await;
                let Answer::Refused(failure) = &answer else {
                    panic!("{answer:?}")
                };
                assert!(!failure.message.is_empty() || what > 0, "{failure}");
                shown.push(format!("{failure} {answer:?}"));
            }
            let failure = client.list_clusters().await.unwrap_err();
            shown.push(format!("{failure} {failure:?}"));
        }
    }
    // IAM's echo, a proxy's page, and a transport that says too much.
    for status in [401, 502] {
        let memory = Memory::new(move |seen, _| {
            if seen.changing {
                let message = format!("while sending {}", seen.raw);
                return Err(TransportError {
                    kind: TransportErrorKind::Reset,
                    sent: true,
                    message,
                });
            }
            let body = Bytes::from(format!("<p>{}", seen.raw));
            Ok(Response {
                status,
                headers: HeaderMap::new(),
                body,
            })
        });
        let failure = client(password(), &memory)
            .list_clusters()
            .await
            .unwrap_err();
        shown.push(format!("{failure} {failure:?}"));
        let answer = client(access_key(), &memory)
            .execute(&reset_password(), soon())
            .await;
        shown.push(format!("{answer:?}"));
    }
    let token = Token::read(TOKEN, b"", None, now());
    shown.push(format!("{token:?} {:?}", Redactor::new([TOKEN, PASSWORD])));
    let response = Response {
        status: 201,
        headers: [("x-subject-token".parse().unwrap(), TOKEN.parse().unwrap())]
            .into_iter()
            .collect::<HeaderMap>(),
        body: Bytes::from(DATABASE_PASSWORD),
    };
    shown.push(format!("{response:?}"));

    for text in &shown {
        assert_clean(text);
    }
    crate::dws::figures::figure(
        "dws-client",
        &format!("{} texts without a canary", shown.len()),
    );
}

#[tokio::test]
async fn a_credential_that_no_header_can_bear_is_refused_unsent() {
    let memory = Memory::new(|_, _| panic!("sent"));
    let credential = Credential::AccessKey {
        access_key: "key\nX-Evil: 1".into(),
        secret_key: SECRET_KEY.into(),
        security_token: None,
    };
    let failure = client(credential, &memory)
        .list_clusters()
        .await
        .unwrap_err();
    assert_eq!(
        (failure.meaning, failure.sent),
        (Meaning::Unauthenticated, false)
    );
    assert!(!format!("{failure:?}").contains("Evil"));
}
