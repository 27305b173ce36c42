//! Target: redaction.
//!
//! A service echoes whatever it was sent, in every form that servers have; nothing that is shown of anything that
//! saw a secret (`Debug`, `Display`, errors, answers, the log at trace level) bears it: not as it is, not escaped,
//! percent-encoded or in base64, and no long part of it.

use std::io::Write;
use std::sync::Arc;

use dws_operator::core::connection::Passwords;
use dws_operator::core::password;
use dws_operator::dws::call::{Call, CreateCluster};
use dws_operator::dws::clock::{Clock, SystemClock};
use dws_operator::dws::redact::Redactor;
use dws_operator::dws::{Client, Credential, Settings};
use dws_operator::entropy::Entropy;
use dws_operator::observer::{Accounts, ObserverSettings, OwnCredentials};
use jiff::SignedDuration;
use parking_lot::Mutex;
use proptest::prelude::*;
use secrecy::SecretString;

use super::echo::{Echo, Network, WAYS, forms, percent};
use super::engine::{Judgement, caught, fails, holds};

#[derive(Clone, Debug)]
struct Case {
    echo: usize,
    /// Who calls: an access key, a temporary one, a user.
    who: usize,
    credential: String,
    token: String,
    database: String,
}

/// A secret as people and services make them. It is no ordinary word: it has eight different characters.
fn secret(alphabet: &'static str) -> impl Strategy<Value = String> {
    alphabet.prop_filter("a secret", |secret| {
        let mut chars: Vec<char> = secret.chars().collect();
        chars.sort_unstable();
        chars.dedup();
        chars.len() >= 8 && secret.trim() == secret
    })
}

fn cases() -> impl Strategy<Value = Case> {
    let database = prop_oneof![
        3 => secret("[!-~]{8,32}"),
        1 => secret("[ -~]{10,32}"),
        1 => secret("[A-Za-z0-9~!?,.:;_'(){}\\[\\]/<>@#%^&*+|\\\\=\"$`-]{8,32}"),
        1 => secret("\\PC{10,24}"),
    ];
    (
        0..WAYS.len(),
        0..3_usize,
        prop_oneof![secret("[A-Za-z0-9]{20,40}"), secret("[!-~]{8,32}")],
        secret("[A-Za-z0-9+/=_.-]{20,300}"),
        database,
    )
        .prop_map(|(echo, who, credential, token, database)| Case {
            echo,
            who,
            credential,
            token,
            database,
        })
}

impl Case {
    fn credential(&self) -> Credential {
        match self.who {
            0 | 1 => Credential::AccessKey {
                access_key: "AK".to_owned(),
                secret_key: self.credential.clone().into(),
                security_token: (self.who == 1).then(|| self.token.clone().into()),
            },
            _ => Credential::Password {
                domain_name: "d".to_owned(),
                user_name: "u".to_owned(),
                password: self.credential.clone().into(),
            },
        }
    }

    fn secrets(&self) -> [&str; 3] {
        [&self.credential, &self.token, &self.database]
    }

    fn calls(&self) -> [Call; 2] {
        let id = || "7d85f602-a948-4a30-afd4-e84f47471c15".to_owned();
        [
            Call::ResetPassword {
                cluster_id: id(),
                new_password: self.database.clone().into(),
            },
            Call::CreateCluster(CreateCluster {
                name: "dws-1".to_owned(),
                node_type: "dws.d1.xlarge".to_owned(),
                number_of_node: 3,
                vpc_id: id(),
                subnet_id: id(),
                security_group_id: id(),
                availability_zone: None,
                port: 8000,
                user_name: "dbadmin".to_owned(),
                user_pwd: self.database.clone().into(),
                public_ip: None,
                number_of_cn: None,
                enterprise_project_id: None,
            }),
        ]
    }
}

/// A log that is kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// All that can be seen of a client at work, of its account and of what it was told.
fn shown(case: &Case) -> Vec<String> {
    let log = Kept::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let mut shown = Vec::new();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(work(case, &mut shown));
    });
    shown.push(String::from_utf8_lossy(&log.0.lock()).into_owned());
    shown
}

async fn work(case: &Case, shown: &mut Vec<String>) {
    let settings = Settings {
        region: Some("eu-west-0".to_owned()),
        project_id: Some("0123456789abcdef0123456789abcdef".to_owned()),
        ..Settings::default()
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let soon = || clock.now() + SignedDuration::from_secs(60);
    // A user's token comes before the echo, or the echo takes its place.
    for token in [case.token.clone(), String::new()] {
        let network = Arc::new(Network {
            echo: Some(WAYS[case.echo]),
            token,
            ..Network::default()
        });
        let client = Client::new(
            settings.resolve().unwrap(),
            case.credential(),
            network.clone(),
            clock.clone(),
        );
        match client.list_clusters().await {
            Ok(list) => shown.push(format!("{list:?}")),
            Err(failure) => shown.push(format!("{failure} {failure:?}")),
        }
        for call in case.calls() {
            match client.prepare(&call).await {
                Ok(prepared) => {
                    shown.push(format!("{call:?} {prepared:?} {client:?}"));
                    shown.push(format!("{:?}", client.send(prepared, soon()).await));
                }
                Err(failure) => shown.push(format!("{failure} {failure:?}")),
            }
        }
        let own = OwnCredentials {
            config: settings.resolve().unwrap(),
            credential: case.credential(),
        };
        shown.push(format!("{own:?}"));
        let observer = ObserverSettings {
            max_requests_per_second: 1e6,
            endpoint: settings.clone(),
            ..ObserverSettings::default()
        };
        let accounts = Accounts::new(
            observer,
            Some(own),
            network,
            clock.clone(),
            Entropy::seeded(1),
        );
        let account = accounts.own().unwrap();
        account.poll().await;
        shown.push(format!("{:?} {:?}", account.circuit(), account.facts(true)));
        // A Secret that is not quite one.
        for odd in [
            case.database.clone(),
            format!("{}\u{7}", case.credential),
            case.credential.repeat(16_500 / case.credential.len()),
        ] {
            let data = [
                ("HW_ACCESS_KEY", "AK"),
                ("HW_SECRET_KEY", odd.as_str()),
                ("HW_REGION_NAME", case.token.as_str()),
            ];
            let data = data
                .map(|(key, value)| (key.to_owned(), SecretString::from(value)))
                .into();
            if let Err(problem) =
                accounts.from_secret("team", "account", "uid", &odd.len().to_string(), &data)
            {
                shown.push(format!("{problem} {problem:?}"));
            }
        }
    }
    let passwords = Passwords {
        current: Some(case.database.clone().into()),
        ..Passwords::default()
    };
    shown.push(format!(
        "{passwords:?} {:?}",
        password::judge(&case.database.clone().into(), "dbadmin", None)
    ));
    shown.push(format!("{:?}", Redactor::new(case.secrets())));
    let endpoint = Settings {
        dws_endpoint: Some(format!(
            "https://user:{}@h",
            percent(&case.database, "", false, false)
        )),
        ..settings
    };
    shown.push(format!("{:?}", endpoint.resolve().map(|_| ())));
}

fn nothing_shows(case: &Case) -> Judgement {
    let secrets = case.secrets().map(forms);
    for text in shown(case) {
        for secret in &secrets {
            let leak = secret.in_text(&text);
            prop_assert!(
                leak.is_none(),
                "{:?}: {}",
                WAYS[case.echo],
                leak.unwrap_or_default()
            );
        }
    }
    Ok(())
}

#[test]
fn no_secret_shows_in_anything_that_saw_it() {
    holds(
        "redaction",
        "clients with an echoing service",
        400,
        &cases(),
        |case| nothing_shows(&case),
    );
}

// --- the redactor by itself ---------------------------------------------------------------------------

/// A text with secrets in it, and what becomes of it.
fn texts() -> impl Strategy<Value = (String, usize, String, String)> {
    (
        secret("[ -~]{8,40}"),
        0..6_usize,
        "\\PC{0,200}",
        "\\PC{0,200}",
    )
}

fn stays_clean(
    clean: impl Fn(&str, &str) -> String,
    (secret, form, before, after): &(String, usize, String, String),
) -> Judgement {
    let (way, _) = [
        (Echo::Plain, 0),
        (Echo::Base64, 1),
        (Echo::UrlBase64, 2),
        (Echo::Percent, 3),
        (Echo::Component, 4),
        (Echo::Form, 5),
    ][*form];
    let told = match way {
        Echo::Base64 | Echo::UrlBase64 => {
            use base64::Engine as _;
            let whole = format!("{before}{secret}{after}");
            match way {
                Echo::Base64 => base64::engine::general_purpose::STANDARD.encode(whole),
                _ => base64::engine::general_purpose::URL_SAFE.encode(whole),
            }
        }
        Echo::Percent => format!("{before}{}{after}", percent(secret, "", false, false)),
        Echo::Component => format!(
            "{before}{}{after}",
            percent(secret, "-_.!~*'()", false, false)
        ),
        Echo::Form => format!("{before}{}{after}", percent(secret, "*-._", true, true)),
        _ => format!("{before}{secret}{after}"),
    };
    let leak = forms(secret).in_text(&clean(&told, secret));
    prop_assert!(leak.is_none(), "{}", leak.unwrap_or_default());
    Ok(())
}

#[test]
fn the_redactor_finds_a_secret_in_every_form() {
    let clean = |text: &str, secret: &str| Redactor::new([secret]).clean(text);
    holds("redaction", "texts", 3_000, &texts(), |case| {
        stays_clean(clean, &case)
    });
}

#[test]
fn broken_redactors_are_caught() {
    let with = |clean: fn(&str, &str) -> String| fails(&texts(), |case| stays_clean(clean, &case));
    caught(
        "redaction",
        &[
            ("nothing is taken out", with(|text, _| text.to_owned())),
            (
                "only the secret as it is",
                with(|text, secret| text.replace(secret, "")),
            ),
            (
                "base64 of the secret alone",
                with(|text, secret| {
                    use base64::Engine as _;
                    let packed = base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret);
                    text.replace(secret, "").replace(&packed, "")
                }),
            ),
            (
                "cut before it is cleaned",
                with(|text, secret| {
                    let head: String = text.chars().take(120).collect();
                    Redactor::new([secret]).clean(&head)
                }),
            ),
        ],
    );
}
