//! Tables of the account's variables: region, project, credential, endpoints.

use rstest::rstest;
use secrecy::ExposeSecret;

use super::*;
use crate::dws::Project;

#[rstest]
#[case("HW_REGION_NAME", "", "HW_REGION_NAME", "not set")]
#[case("HW_REGION_NAME", "EU-West", "HW_REGION_NAME", "EU-West")]
#[case("HW_REGION_NAME", "evil.example.com/", "HW_REGION_NAME", "lower-case")]
#[case(
    "HW_REGION_NAME",
    "a-region-of-more-than-thirty-two-letters",
    "HW_REGION_NAME",
    "32"
)]
#[case("HW_PROJECT_ID", "../admin", "HW_PROJECT_ID", "../admin")]
#[case("HW_PROJECT_NAME", "a\nb", "HW_PROJECT_NAME", "")]
#[case("HW_ACCESS_KEY", "", "HW_ACCESS_KEY", "HW_SECRET_KEY is set")]
#[case("HW_SECRET_KEY", "", "HW_SECRET_KEY", "HW_ACCESS_KEY is set")]
#[case("HW_SECRET_KEY", "  ", "HW_SECRET_KEY", "not set")]
#[case("HW_ACCESS_KEY", "AK\nCANARY", "HW_ACCESS_KEY", "line break")]
#[case("HW_SECURITY_TOKEN", "tok\u{7f}canary", "HW_SECURITY_TOKEN", "control")]
#[case("HW_CLOUD", "https://example.com", "HW_CLOUD", "domain")]
#[case("HW_CLOUD", "example", "HW_CLOUD", "domain")]
#[case("HW_CLOUD", "example.com:443", "HW_CLOUD", "domain")]
#[case("HW_CLOUD", "user:word@example.com", "HW_CLOUD", "domain")]
#[case("DWS_ENDPOINT", "dws.example.com", "DWS_ENDPOINT", "URL")]
#[case(
    "DWS_ENDPOINT",
    "ftp://dws.example.com",
    "DWS_ENDPOINT",
    "neither https nor http"
)]
#[case(
    "DWS_ENDPOINT",
    "http://127.0.0.1:18080",
    "DWS_ENDPOINT",
    "--allow-insecure-endpoints"
)]
#[case("DWS_ENDPOINT", "https://dws.example.com/v1.0", "DWS_ENDPOINT", "path")]
#[case(
    "DWS_ENDPOINT",
    "https://dws.example.com/?a=b",
    "DWS_ENDPOINT",
    "query"
)]
#[case(
    "DWS_ENDPOINT",
    "https://dws.example.com/#a",
    "DWS_ENDPOINT",
    "fragment"
)]
#[case(
    "DWS_ENDPOINT",
    "https://u:canary@dws.example.com",
    "DWS_ENDPOINT",
    "user"
)]
#[case("DWS_ENDPOINT", "https://u:canary@", "DWS_ENDPOINT", "")]
#[case(
    "HW_AUTH_URL",
    "http://127.0.0.1:18080/v3",
    "HW_AUTH_URL",
    "plain http"
)]
#[case("HW_AUTH_URL", "https://iam.example.com/v2", "HW_AUTH_URL", "path")]
#[case(
    "HW_AUTH_URL",
    "https://iam.example.com/v3/auth",
    "HW_AUTH_URL",
    "path"
)]
fn a_wrong_variable_is_named(
    #[case] name: &str,
    #[case] value: &str,
    #[case] setting: &str,
    #[case] part: &str,
) {
    let error = config("", &[(name, value)]).unwrap_err();
    assert_complaint(&error, setting, part);
}

#[rstest]
#[case("HW_DOMAIN_NAME", "HW_DOMAIN_NAME")]
#[case("HW_USER_NAME", "HW_USER_NAME")]
#[case("HW_USER_PASSWORD", "HW_USER_PASSWORD")]
fn an_incomplete_user_names_what_is_missing(#[case] unset: &str, #[case] setting: &str) {
    let error = config_with(&USER, "", &[(unset, "")]).unwrap_err();
    assert_complaint(&error, setting, "not set");
}

#[test]
fn two_missing_parts_are_both_named() {
    let set = [("HW_USER_NAME", "user")];
    let error = config_with(&set, "", &[]).unwrap_err();
    assert_complaint(
        &error,
        "HW_DOMAIN_NAME and HW_USER_PASSWORD",
        "HW_USER_NAME is set",
    );
}

#[test]
fn a_token_without_keys_names_the_keys() {
    let set = [("HW_SECURITY_TOKEN", "token-canary")];
    let error = config_with(&set, "", &[]).unwrap_err();
    assert_complaint(
        &error,
        "HW_ACCESS_KEY and HW_SECRET_KEY",
        "HW_SECURITY_TOKEN",
    );
}

#[test]
fn no_credential_at_all_needs_those_of_namespaces() {
    let config = config_with(&[], "", &[]).unwrap();
    assert!(config.credential.is_none());
    assert!(
        config
            .warnings
            .iter()
            .any(|w| w.contains("credentialsSecretRef"))
    );
    let error = config_with(&[], "--allow-namespace-credentials=false", &[]).unwrap_err();
    assert_complaint(
        &error,
        "HW_ACCESS_KEY and HW_SECRET_KEY",
        "--allow-namespace-credentials",
    );
}

#[test]
fn a_fixed_endpoint_belongs_to_a_region() {
    let set = [("DWS_ENDPOINT", "https://dws.example.com")];
    let error = config_with(&set, "", &[]).unwrap_err();
    assert_complaint(&error, "HW_REGION_NAME", "DWS_ENDPOINT");
}

#[test]
fn keys_win_over_a_user_with_a_warning() {
    let config = config("", &USER[1..]).unwrap();
    assert_eq!(
        config_account::kind(&config.credential.unwrap()),
        "access key"
    );
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].contains("HW_USER_PASSWORD are ignored"));
}

#[test]
fn half_a_key_is_refused_beside_a_whole_user() {
    let error = config_with(&USER, "", &[("HW_ACCESS_KEY", "AKCANARY")]).unwrap_err();
    assert_complaint(&error, "HW_SECRET_KEY", "not set");
}

#[test]
fn keys_lose_the_line_end_of_a_file_and_a_password_loses_nothing() {
    let keys = config("", &[("HW_SECRET_KEY", "sk-canary\n")]).unwrap();
    let Some(Credential::AccessKey { secret_key, .. }) = keys.credential else {
        panic!("no keys");
    };
    assert_eq!(secret_key.expose_secret(), "sk-canary");
    let user = config_with(&USER, "", &[]).unwrap();
    let Some(Credential::Password { password, .. }) = user.credential else {
        panic!("no user");
    };
    assert_eq!(password.expose_secret(), " pw-canary ");
}

#[rstest]
#[case(&[], Project::Name("eu-west-101".into()), 0)]
#[case(&[("HW_PROJECT_NAME", "eu-west-101_team")], Project::Name("eu-west-101_team".into()), 0)]
#[case(&[("HW_PROJECT_ID", "0123abcd")], Project::Id("0123abcd".into()), 0)]
#[case(&[("HW_PROJECT_ID", "0123abcd"), ("HW_PROJECT_NAME", "x")], Project::Id("0123abcd".into()), 1)]
fn the_project_is_what_is_said_of_it(
    #[case] set: &[(&str, &str)],
    #[case] project: Project,
    #[case] warnings: usize,
) {
    let config = config("", set).unwrap();
    assert_eq!(config.endpoint.resolve().unwrap().project, project);
    assert_eq!(config.warnings.len(), warnings);
}

#[rstest]
#[case("https://iam.example.com", "https://iam.example.com/")]
#[case("https://iam.example.com/", "https://iam.example.com/")]
#[case("https://iam.example.com/v3", "https://iam.example.com/")]
#[case("https://iam.example.com:8443/v3/", "https://iam.example.com:8443/")]
fn iam_is_taken_with_and_without_version(#[case] text: &str, #[case] url: &str) {
    let config = config("", &[("HW_AUTH_URL", text)]).unwrap();
    assert_eq!(config.endpoint.resolve().unwrap().iam.as_str(), url);
}

#[test]
fn plain_http_works_with_the_flag_only() {
    let set = [("DWS_ENDPOINT", "http://127.0.0.1:18080")];
    for flags in [
        "--allow-insecure-endpoints",
        "--allow-insecure-endpoints=true",
    ] {
        let config = config(flags, &set).unwrap();
        assert_eq!(config.endpoint.resolve().unwrap().dws.port(), Some(18080));
    }
    assert!(config("--allow-insecure-endpoints=false", &set).is_err());
}

#[test]
fn a_cloud_that_nothing_uses_is_warned_of() {
    let set = [
        ("HW_CLOUD", "example.com"),
        ("HW_AUTH_URL", "https://iam.example.com"),
        ("DWS_ENDPOINT", "https://dws.example.com"),
    ];
    assert_eq!(config("", &set).unwrap().warnings.len(), 1);
    let config = config("", &set[..1]).unwrap();
    let account = config.endpoint.resolve().unwrap();
    assert_eq!(account.dws.as_str(), "https://dws.eu-west-101.example.com/");
    assert!(config.warnings.is_empty());
}

#[test]
fn debug_shows_no_secret() {
    let set = [("HW_SECURITY_TOKEN", "token-canary")];
    for config in [
        config("", &set).unwrap(),
        config_with(&USER, "", &[]).unwrap(),
    ] {
        let shown = format!("{config:?}");
        assert!(shown.contains("eu-west-101"), "{shown}");
        for secret in ["canary", "CANARY"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
