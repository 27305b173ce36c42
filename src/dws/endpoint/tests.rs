//! Which settings make an account, and what the others are told.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn settings() -> Settings {
    Settings {
        region: Some("eu-west-0".into()),
        ..Settings::default()
    }
}

#[test]
fn a_region_is_enough() {
    let account = settings().resolve().unwrap();
    assert_eq!(
        account,
        AccountConfig {
            region: "eu-west-0".into(),
            project: Project::Name("eu-west-0".into()),
            dws: Url::parse("https://dws.eu-west-0.myhuaweicloud.com/").unwrap(),
            iam: Url::parse("https://iam.eu-west-0.myhuaweicloud.com/").unwrap(),
            language: "en_us".into(),
            request_timeout: Duration::from_secs(30),
        }
    );
}

#[test]
fn everything_can_be_set() {
    let account = Settings {
        region: Some(" eu-de ".into()),
        project_id: Some("89cd04f168b84af6be287f71730fdb4b".into()),
        project_name: Some("eu-de_team".into()),
        cloud: Some("otc.example.com".into()),
        auth_url: None,
        dws_endpoint: Some("http://127.0.0.1:18080".into()),
        allow_insecure: true,
        language: Some("zh_cn".into()),
        request_timeout: Some(Duration::from_secs(5)),
    }
    .resolve()
    .unwrap();
    assert_eq!(
        account.project,
        Project::Id("89cd04f168b84af6be287f71730fdb4b".into())
    );
    assert_eq!(account.iam.as_str(), "https://iam.eu-de.otc.example.com/");
    assert_eq!(account.dws.as_str(), "http://127.0.0.1:18080/");
    assert_eq!(account.language, "zh_cn");
}

#[test]
fn an_empty_setting_is_none() {
    let empty = Some(String::new());
    let account = Settings {
        project_id: empty.clone(),
        project_name: Some(" ".into()),
        cloud: empty.clone(),
        auth_url: empty.clone(),
        dws_endpoint: empty.clone(),
        language: empty,
        ..settings()
    };
    assert_eq!(account.resolve(), settings().resolve());
}

#[rstest]
#[case("https://iam.example.com")]
#[case("https://iam.example.com/")]
#[case("https://iam.example.com/v3")]
#[case("https://iam.example.com/v3/")]
#[case("HTTPS://IAM.example.com:443/v3")]
fn iam_is_given_with_or_without_its_version(#[case] url: &str) {
    let account = Settings {
        auth_url: Some(url.into()),
        ..settings()
    }
    .resolve()
    .unwrap();
    assert_eq!(account.iam.as_str(), "https://iam.example.com/");
}

#[rstest]
#[case::port("https://dws.example.com:8443", "https://dws.example.com:8443/")]
#[case::ipv4("https://10.0.0.8:8443/", "https://10.0.0.8:8443/")]
#[case::ipv6("https://[::1]:8443", "https://[::1]:8443/")]
#[case::spaces(" https://dws.example.com ", "https://dws.example.com/")]
fn endpoints_that_may_be(#[case] url: &str, #[case] expected: &str) {
    let account = Settings {
        dws_endpoint: Some(url.into()),
        ..settings()
    }
    .resolve()
    .unwrap();
    assert_eq!(account.dws.as_str(), expected);
}

#[rstest]
#[case::path("https://dws.example.com/v1.0", "holds a path")]
#[case::iam_path("https://dws.example.com/v3", "holds a path")]
#[case::dots("https://dws.example.com/a/../b", "holds a path")]
#[case::query("https://dws.example.com?a=b", "holds a query or a fragment")]
#[case::empty_query("https://dws.example.com/?", "holds a query or a fragment")]
#[case::fragment("https://dws.example.com#a", "holds a query or a fragment")]
#[case::user("https://user@dws.example.com", "holds a user")]
#[case::password("https://user:canary@dws.example.com", "holds a user")]
#[case::empty_user("https://@dws.example.com", "holds a user")]
#[case::at("https://dws.example.com@evil.example", "holds a user")]
#[case::plain("http://dws.example.com", "is plain http")]
#[case::scheme("ftp://dws.example.com", "is neither https nor http")]
#[case::file("file:///etc/passwd", "is neither https nor http")]
#[case::bare("dws.example.com", "is no URL")]
#[case::bare_port("dws.example.com:443", "is neither https nor http")]
#[case::no_host("https://", "is no URL")]
#[case::port_zero("https://dws.example.com:0", "names port 0")]
#[case::bad_port("https://dws.example.com:99999", "is no URL")]
#[case::tab("https://dws.exa\tmple.com", "has a character that no address has")]
#[case::line("https://dws.example.com\nx", "has a character that no address has")]
#[case::backslash("https:\\\\dws.example.com", "has a character that no address has")]
fn endpoints_that_may_not_be(#[case] url: &str, #[case] problem: &str) {
    let error = Settings {
        dws_endpoint: Some(url.into()),
        ..settings()
    }
    .resolve()
    .unwrap_err();
    assert_eq!(
        (error.setting, error.problem.as_str()),
        ("DWS_ENDPOINT", problem)
    );
    let iam = Settings {
        auth_url: Some(url.into()),
        ..settings()
    }
    .resolve();
    match iam {
        Err(error) => assert_eq!(error.setting, "HW_AUTH_URL"),
        Ok(_) => assert!(url.ends_with("/v3"), "{url}"),
    }
    let line = error.to_string();
    assert!(!line.contains('\n') && !line.contains("canary"), "{line}");
    assert!(
        line.starts_with("DWS_ENDPOINT: ") && line.len() > 40,
        "{line}"
    );
}

#[rstest]
#[case::none(Settings::default(), "HW_REGION_NAME")]
#[case::upper(Settings { region: Some("EU-West".into()), ..settings() }, "HW_REGION_NAME")]
#[case::dot(Settings { region: Some("evil.example/".into()), ..settings() }, "HW_REGION_NAME")]
#[case::long(Settings { region: Some("a".repeat(33)), ..settings() }, "HW_REGION_NAME")]
#[case::cloud(Settings { cloud: Some("evil.example/x".into()), ..settings() }, "HW_CLOUD")]
#[case::cloud_port(Settings { cloud: Some("evil.example:1".into()), ..settings() }, "HW_CLOUD")]
#[case::cloud_user(Settings { cloud: Some("a@evil.example".into()), ..settings() }, "HW_CLOUD")]
#[case::cloud_word(Settings { cloud: Some("localhost".into()), ..settings() }, "HW_CLOUD")]
#[case::cloud_dots(Settings { cloud: Some("a..b".into()), ..settings() }, "HW_CLOUD")]
#[case::project(Settings { project_id: Some("../x".into()), ..settings() }, "HW_PROJECT_ID")]
#[case::name(Settings { project_name: Some("x".repeat(65)), ..settings() }, "HW_PROJECT_NAME")]
#[case::line(Settings { project_name: Some("a\nb".into()), ..settings() }, "HW_PROJECT_NAME")]
#[case::language(Settings { language: Some("en us".into()), ..settings() }, "--service-language")]
#[case::zero(
    Settings { request_timeout: Some(Duration::ZERO), ..settings() },
    "--request-timeout"
)]
fn a_wrong_setting_is_named(#[case] settings: Settings, #[case] setting: &str) {
    let error = settings.resolve().unwrap_err();
    assert_eq!(error.setting, setting);
    let line = error.to_string();
    assert!(!line.contains('\n') && !error.mend.is_empty(), "{line}");
}

proptest! {
    /// The guard: whatever is written, what comes out is a scheme, a host and a port, and the host is the
    /// one that a reader sees.
    #[test]
    fn no_text_leads_elsewhere(text in "(https?:)?[/\\\\]{0,3}[a-z0-9.@:#?/%\\[\\] \t-]{0,40}") {
        if let Ok(url) = guard("DWS_ENDPOINT", &text, true, &["/"]) {
            prop_assert!(matches!(url.scheme(), "http" | "https"));
            prop_assert!(url.username().is_empty() && url.password().is_none());
            prop_assert_eq!((url.path(), url.query(), url.fragment()), ("/", None, None));
            prop_assert!(url.has_host());
        }
    }

    #[test]
    fn no_region_leads_elsewhere(region in "\\PC{0,40}", cloud in "[a-z.@/:#?-]{0,20}") {
        let settings = Settings {
            region: Some(region.clone()),
            cloud: Some(cloud.clone()),
            ..Settings::default()
        };
        if let Ok(account) = settings.resolve() {
            let cloud = if cloud.is_empty() { DEFAULT_CLOUD } else { cloud.as_str() };
            let host = format!("dws.{}.{cloud}", region.trim());
            prop_assert_eq!(account.dws.host_str(), Some(host.as_str()));
        }
    }
}
