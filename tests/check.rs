//! `dws-operator check`: what someone who just wrote a Secret with credentials reads.

#![allow(clippy::unwrap_used)]

use std::process::Output;
use std::time::Duration;

use dws_operator::simulator::server::Shell;
use dws_operator::simulator::{Count, Oddities, Service, Settings};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::process::Command;

/// Where, with what, exit code, and words of the complaint.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], i32, &'a [&'a str]);

/// The simulator's address and its settings.
async fn service(count: Count) -> (String, Settings) {
    let settings = Settings {
        automated_snapshots: None,
        ..Settings::default()
    };
    let mut service = Service::new(settings.clone(), Timestamp::now());
    service.set_oddities(Oddities {
        count,
        ..Oddities::default()
    });
    let shell = Shell::new(service, Duration::from_secs(5));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(shell.serve(listener));
    (url, settings)
}

/// What the program says in this environment and nothing else.
async fn check(environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    checked(&[], environment).await
}

async fn checked(
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_dws-operator"))
        .arg("check")
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .await
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn key(settings: &Settings) -> [(&str, &str); 2] {
    [
        ("HW_ACCESS_KEY", &settings.access_key),
        ("HW_SECRET_KEY", &settings.secret_key),
    ]
}

fn at(url: &str) -> Vec<(&str, &str)> {
    vec![
        ("HW_AUTH_URL", url),
        ("DWS_ENDPOINT", url),
        ("HW_REGION_NAME", "cn-north-4"),
        ("DWS_OPERATOR_ALLOW_INSECURE_ENDPOINTS", "true"),
        ("DWS_OPERATOR_REQUEST_TIMEOUT", "5s"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_works_is_told_with_what_is_in_it() {
    let (url, settings) = service(Count::Number).await;
    let key = key(&settings);
    let user = [
        ("HW_DOMAIN_NAME", settings.domain.as_str()),
        ("HW_USER_NAME", settings.user.as_str()),
        ("HW_USER_PASSWORD", settings.password.as_str()),
    ];
    let project = settings.project_id.as_str();
    for (credential, kind) in [(&key[..], "access key"), (&user[..], "user and password")] {
        let (code, said, complaint) = check(&[&at(&url), credential].concat()).await;
        assert_eq!((code, complaint.as_str()), (Some(0), ""), "{said}");
        let expected = format!(
            "account: {kind}, region cn-north-4, project {project}\nclusters: 0\nsnapshots: 0\nthe account can be used\n"
        );
        assert_eq!(said, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_in_one_line_with_the_services_code() {
    let (url, settings) = service(Count::Number).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let id = settings.access_key.as_str();
    let canary = "canary-canary-canary-canary-canary-00000";
    let rows: [Row<'_>; 5] = [
        (
            &url,
            &[("HW_ACCESS_KEY", id), ("HW_SECRET_KEY", canary)],
            1,
            &["the project's id", "access key, region cn-north-4"],
        ),
        (
            &url,
            &[
                ("HW_ACCESS_KEY", id),
                ("HW_SECRET_KEY", canary),
                ("HW_PROJECT_ID", &settings.project_id),
            ],
            1,
            &["the list of clusters", "APIGW.0301"],
        ),
        (
            &url,
            &[
                ("HW_DOMAIN_NAME", &settings.domain),
                ("HW_USER_NAME", &settings.user),
                ("HW_USER_PASSWORD", canary),
            ],
            1,
            &["user and password"],
        ),
        (
            &nowhere,
            &[("HW_ACCESS_KEY", id), ("HW_SECRET_KEY", canary)],
            1,
            &["no answer"],
        ),
        (&url, &[("HW_ACCESS_KEY", id)], 2, &["HW_SECRET_KEY"]),
    ];
    for (url, credential, expected, words) in rows {
        let (code, said, complaint) = check(&[&at(url), credential].concat()).await;
        assert_eq!(code, Some(expected), "{said}{complaint}");
        assert!(
            complaint.starts_with("error: ") && complaint.lines().count() == 1,
            "{complaint}"
        );
        for word in words {
            assert!(complaint.contains(word), "{word}: {complaint}");
        }
        assert!(!complaint.contains("canary") && !said.contains("can be used"));
        eprintln!("{complaint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_there_is_nothing_to_look_at() {
    let (code, said, complaint) = check(&[]).await;
    assert_eq!(code, Some(0));
    assert!(complaint.starts_with("warning: ") && complaint.lines().count() == 1);
    assert!(said.starts_with("no account:") && said.contains("credentialsSecretRef"));
    // As in a Secret whose keys are misspelt.
    let (code, said, complaint) = checked(
        &["--require-account"],
        &[("access_key", "AK"), ("secret_key", "SK")],
    )
    .await;
    assert_eq!((code, said.as_str()), (Some(1), ""));
    assert!(complaint.contains("HW_ACCESS_KEY"), "{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_not_whole_is_no_answer() {
    let (url, settings) = service(Count::OneMore).await;
    let key = key(&settings);
    let (code, said, complaint) = check(&[&at(&url), &key[..]].concat()).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        complaint.contains("the list of clusters is not whole"),
        "{complaint}"
    );
}
