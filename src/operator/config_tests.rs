//! Tables of flags: what each becomes, and what each wrong one says. Those of the account's variables are
//! in [`account`].

use clap::Parser;
use rstest::rstest;

use super::super::cli::{Cli, Command};
use super::*;

#[path = "config_account_tests.rs"]
mod account;

const KEYS: [(&str, &str); 3] = [
    ("HW_REGION_NAME", "eu-west-101"),
    ("HW_ACCESS_KEY", "AKCANARY"),
    ("HW_SECRET_KEY", "sk-canary"),
];
const USER: [(&str, &str); 4] = [
    ("HW_REGION_NAME", "eu-west-101"),
    ("HW_DOMAIN_NAME", "domain"),
    ("HW_USER_NAME", "user"),
    ("HW_USER_PASSWORD", " pw-canary "),
];
/// A throw-away certificate, for its form only.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIBejCCAR+gAwIBAgIUAAECAwQFBgcICQoLDA0ODw==\n-----END CERTIFICATE-----\n";

fn files(path: &Path) -> std::io::Result<Vec<u8>> {
    match path.to_str() {
        Some("/ca.pem") => Ok(CERTIFICATE.as_bytes().to_vec()),
        Some("/two.pem") => Ok(CERTIFICATE.repeat(2).into_bytes()),
        Some("/empty.pem") => Ok(b"nothing here".to_vec()),
        Some("/broken.pem") => Ok(CERTIFICATE.replace("MII", "M\u{1}I").into_bytes()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    }
}

/// `flags` is one text, separated by spaces; `changes` go over the keys, an empty value unsets one.
fn config(flags: &str, changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
    config_with(&KEYS, flags, changes)
}

fn config_with(
    base: &[(&str, &str)],
    flags: &str,
    changes: &[(&str, &str)],
) -> Result<Config, ConfigError> {
    let words = ["dws-operator", "run"].into_iter();
    let words = words.chain(flags.split(' ').filter(|word| !word.is_empty()));
    let Command::Run(args) = Cli::try_parse_from(words).unwrap().command else {
        panic!("not run");
    };
    let mut environment = Environment::new();
    for (name, value) in base.iter().chain(changes) {
        environment.insert((*name).to_owned(), (*value).to_owned());
    }
    Config::new(&args, &environment, &files)
}

/// The message is one line, begins with the setting, says what to do and shows no secret.
fn assert_complaint(error: &ConfigError, setting: &str, part: &str) {
    let line = error.to_string();
    assert!(line.starts_with(setting), "{line}");
    assert!(error.setting().starts_with(setting), "{line}");
    assert!(line.contains(part), "{line}");
    assert!(line.contains("; "), "no mend: {line}");
    assert!(!line.contains(char::is_control), "{line:?}");
    for secret in ["canary", "CANARY"] {
        assert!(!line.contains(secret) && !format!("{error:?}").contains(secret));
    }
}

#[test]
fn what_holds_without_any_flag() {
    let config = config("", &[]).unwrap();
    assert_eq!(config.namespaces, NamespaceSet::All);
    assert_eq!(config.adoption_namespaces, NamespaceSet::All);
    assert_eq!(config.lease, None);
    assert_eq!(config.poll_interval, Duration::from_mins(1));
    assert_eq!(config.active_poll_interval, Duration::from_secs(10));
    assert_eq!(config.request_timeout, Duration::from_secs(30));
    assert_eq!(config.ambiguity_window, Duration::from_mins(10));
    assert!((config.max_requests_per_second - 10.0).abs() < f64::EPSILON);
    assert_eq!(config.concurrency, 16);
    assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(config.log_format, LogFormat::Text);
    assert!(config.allow_namespace_credentials);
    assert!(config.ca_bundle.is_none());
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[rstest]
#[case("--poll-interval=0s", "--poll-interval", "above 0")]
#[case("--poll-interval=60", "--poll-interval", "'60'")]
#[case("--poll-interval=soon", "--poll-interval", "'soon'")]
#[case("--poll-interval=-5s", "--poll-interval", "'-5s'")]
#[case("--poll-interval=", "--poll-interval", "''")]
#[case("--poll-interval=2days", "--poll-interval", "too long")]
#[case("--active-poll-interval=fast", "--active-poll-interval", "'fast'")]
#[case("--active-poll-interval=0ms", "--active-poll-interval", "above 0")]
#[case(
    "--active-poll-interval=90s",
    "--active-poll-interval",
    "contradicts --poll-interval 60s"
)]
#[case(
    "--active-poll-interval=10s --poll-interval=5s",
    "--active-poll-interval",
    "contradicts"
)]
#[case("--request-timeout=0s", "--request-timeout", "above 0")]
#[case("--request-timeout=2h", "--request-timeout", "too long")]
#[case("--request-timeout=30", "--request-timeout", "500ms")]
#[case("--ambiguity-window=0s", "--ambiguity-window", "above 0")]
#[case("--ambiguity-window=ten", "--ambiguity-window", "'ten'")]
#[case("--ambiguity-window=9999years", "--ambiguity-window", "too long")]
#[case("--max-requests-per-second=0", "--max-requests-per-second", "'0'")]
#[case("--max-requests-per-second=0.009", "--max-requests-per-second", "0.01")]
#[case("--max-requests-per-second=-1", "--max-requests-per-second", "'-1'")]
#[case("--max-requests-per-second=NaN", "--max-requests-per-second", "'NaN'")]
#[case("--max-requests-per-second=inf", "--max-requests-per-second", "'inf'")]
#[case("--max-requests-per-second=1001", "--max-requests-per-second", "1000")]
#[case(
    "--max-requests-per-second=many",
    "--max-requests-per-second",
    "'many'"
)]
#[case("--concurrency=0", "--concurrency", "'0'")]
#[case("--concurrency=1001", "--concurrency", "1 to 1000")]
#[case("--concurrency=1.5", "--concurrency", "whole number")]
#[case("--concurrency=99999999", "--concurrency", "whole number")]
#[case("--listen=:8080", "--listen", "0.0.0.0:8080")]
#[case("--listen=8080", "--listen", "'8080'")]
#[case("--listen=localhost:8080", "--listen", "127.0.0.1:8080")]
#[case("--listen=0.0.0.0:99999", "--listen", "'0.0.0.0:99999'")]
#[case("--log-format=yaml", "--log-format", "text or json")]
#[case("--log-format=JSON", "--log-format", "'JSON'")]
#[case("--leader-election=perhaps", "--leader-election", "true or false")]
#[case("--lease-name=Dws", "--lease-name", "'Dws'")]
#[case("--lease-name=a..b", "--lease-name", "'a..b'")]
#[case("--lease-name=-a", "--lease-name", "such as dws-operator")]
#[case("--namespace=Team_A", "--namespace", "'Team_A'")]
#[case("--namespace=a --namespace=-b", "--namespace", "'-b'")]
#[case("--namespace=a,*", "--namespace", "contradicts")]
#[case("--adoption-namespaces=a/b", "--adoption-namespaces", "'a/b'")]
#[case(
    "--adoption-namespaces=* --adoption-namespaces=b",
    "--adoption-namespaces",
    "contradicts"
)]
#[case(
    "--allow-insecure-endpoints=maybe",
    "--allow-insecure-endpoints",
    "true or false"
)]
#[case(
    "--allow-namespace-credentials=",
    "--allow-namespace-credentials",
    "true or false"
)]
#[case("--ca-bundle=/missing.pem", "--ca-bundle", "cannot be read")]
#[case("--ca-bundle=/empty.pem", "--ca-bundle", "holds no certificate")]
#[case("--ca-bundle=/broken.pem", "--ca-bundle", "is not PEM")]
#[case("--service-language=english", "--service-language", "en_us")]
#[case("--service-language=en_us_x", "--service-language", "zh_cn")]
#[case("--service-language=de", "--service-language", "'de'")]
fn a_wrong_flag_is_named(#[case] flags: &str, #[case] setting: &str, #[case] part: &str) {
    let error = config(flags, &[]).unwrap_err();
    assert_complaint(&error, setting, part);
    let variable = super::super::cli::variable_of(setting.trim_start_matches('-'));
    assert!(error.to_string().contains(&variable), "{error}");
}

#[rstest]
#[case::at_a_desk("", "", None)]
#[case::in_a_pod("", "10.0.0.1", Some("dws-operator"))]
#[case::asked_for("--leader-election", "", Some("dws-operator"))]
#[case::asked_for_by_name("--leader-election=on --lease-name=one.two", "", Some("one.two"))]
#[case::not_in_this_pod("--leader-election=false", "10.0.0.1", None)]
#[case::a_template_that_says_nothing(
    "--leader-election= --lease-name=",
    "10.0.0.1",
    Some("dws-operator")
)]
fn who_elects_a_leader(#[case] flags: &str, #[case] host: &str, #[case] lease: Option<&str>) {
    let config = config(flags, &[("KUBERNETES_SERVICE_HOST", host)]).unwrap();
    assert_eq!(config.lease.as_deref(), lease);
    let warned = !host.is_empty() && lease.is_none();
    assert_eq!(
        config.warnings.len(),
        usize::from(warned),
        "{:?}",
        config.warnings
    );
}

#[test]
fn a_lease_that_nobody_uses_is_warned_of() {
    let config = config("--lease-name=mine", &[]).unwrap();
    assert!(
        config.warnings[0].contains("--lease-name mine"),
        "{:?}",
        config.warnings
    );
}

#[test]
fn a_window_below_the_request_timeout_is_warned_of_and_kept() {
    let config = config("--ambiguity-window=1ms", &[]).unwrap();
    assert_eq!(config.ambiguity_window, Duration::from_millis(1));
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].contains("--request-timeout 30s"));
}

#[test]
fn the_active_interval_follows_a_short_idle_one() {
    let short = config("--poll-interval=500ms", &[]).unwrap();
    assert_eq!(short.active_poll_interval, Duration::from_millis(500));
    let both = config("--poll-interval=10m --active-poll-interval=10m", &[]).unwrap();
    assert_eq!(both.active_poll_interval, Duration::from_mins(10));
}

#[test]
fn namespaces_are_repeated_or_separated() {
    let config = config("--namespace=a --namespace=b,c --adoption-namespaces=b", &[]).unwrap();
    let NamespaceSet::Only(names) = &config.namespaces else {
        panic!("all");
    };
    assert_eq!(names.iter().map(String::as_str).collect::<String>(), "abc");
    assert!(config.namespaces.contains("b") && !config.namespaces.contains("d"));
    assert!(config.warnings.is_empty());
}

#[test]
fn empty_lists_mean_all_to_watch_and_none_to_adopt_in() {
    let config = config("--namespace= --adoption-namespaces=", &[]).unwrap();
    assert_eq!(config.namespaces, NamespaceSet::All);
    assert!(!config.adoption_namespaces.contains("a"));
}

#[test]
fn adoption_outside_the_watched_namespaces_is_warned_of() {
    let config = config("--namespace=a --adoption-namespaces=b", &[]).unwrap();
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].contains("--adoption-namespaces b"));
}

#[test]
fn certificates_are_kept_as_they_are() {
    let config = config("--ca-bundle=/two.pem", &[]).unwrap();
    assert_eq!(
        config.ca_bundle.unwrap(),
        CERTIFICATE.repeat(2).into_bytes()
    );
}

#[test]
fn a_misspelt_variable_is_warned_of() {
    let set = [("DWS_OPERATOR_POLL_INTERVALL", "5s")];
    let config = config("", &set).unwrap();
    assert!(config.warnings[0].contains("DWS_OPERATOR_POLL_INTERVALL"));
}
