//! What a credentials Secret may say: from its keys to a checked account, pure.
//!
//! It knows the settings' names and the rules for tenants: a Secret brings one complete credential of its
//! own, may take region and project from the operator's settings, and has no say in where requests go.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::dws::auth::written_password;
use crate::dws::endpoint::is_region;
use crate::dws::{AccountConfig, Credential, Settings};

/// Keys that a Secret must not decide on.
const IGNORED: [&str; 3] = ["HW_CLOUD", "HW_AUTH_URL", "DWS_ENDPOINT"];
/// A temporary key's token is the longest value, a few kilobytes.
const LONGEST: usize = 16 << 10;
const BOTH_WAYS: &str =
    "HW_ACCESS_KEY and HW_SECRET_KEY, or HW_DOMAIN_NAME, HW_USER_NAME and HW_USER_PASSWORD";

/// The operator's own account.
#[derive(Clone, Debug)]
pub struct OwnCredentials {
    /// Where it lives.
    pub config: AccountConfig,
    /// Who it is.
    pub credential: Credential,
}

/// Why a Secret makes no account. The message is one sentence and holds no value of a secret key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialsProblem {
    /// Keys are not there; they may come.
    Missing {
        /// What is missing and what to do.
        message: String,
    },
    /// What is there can never work: the Secret must change.
    Invalid {
        /// What to mend.
        message: String,
    },
}

impl fmt::Display for CredentialsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { message } | Self::Invalid { message } => f.write_str(message),
        }
    }
}

impl std::error::Error for CredentialsProblem {}

/// A Secret, understood.
#[derive(Clone, Debug)]
pub(super) struct Understood {
    pub(super) config: AccountConfig,
    pub(super) credential: Credential,
    /// One sentence per key that is ignored.
    pub(super) warnings: Vec<String>,
}

/// Reads a Secret. `operator` are the operator's own settings.
pub(super) fn understand(
    name: &str,
    data: &BTreeMap<String, SecretString>,
    operator: &Settings,
) -> Result<Understood, CredentialsProblem> {
    let mut warnings: Vec<String> = IGNORED
        .iter()
        .filter(|key| data.contains_key(**key))
        .map(|key| {
            format!(
                "{key} in Secret {name} is ignored: only the operator's administrator sets endpoints."
            )
        })
        .collect();
    let keys = Keys { name, data };
    let credential = credential(&keys, &mut warnings)?;
    let config = place(&keys, operator)?;
    Ok(Understood {
        config,
        credential,
        warnings,
    })
}

struct Keys<'a> {
    name: &'a str,
    data: &'a BTreeMap<String, SecretString>,
}

impl<'a> Keys<'a> {
    /// The value without white space around it (files end in a line feed); `None` where nothing is left.
    fn get(&self, key: &'static str) -> Result<Option<&'a str>, CredentialsProblem> {
        let value = self.data.get(key).map(|value| value.expose_secret().trim());
        self.plain(key, value.filter(|value| !value.is_empty()))
    }

    /// The password: white space around it belongs to it, as in the operator's own settings.
    fn password(&self) -> Result<Option<&'a str>, CredentialsProblem> {
        let key = "HW_USER_PASSWORD";
        let value = self.data.get(key).map(ExposeSecret::expose_secret);
        self.plain(key, value.and_then(written_password))
    }

    fn plain(
        &self,
        key: &'static str,
        value: Option<&'a str>,
    ) -> Result<Option<&'a str>, CredentialsProblem> {
        let Some(value) = value else {
            return Ok(None);
        };
        if value.len() > LONGEST || value.chars().any(char::is_control) {
            return Err(self.invalid(format!(
                "{key} is too long or has control characters; write the plain value"
            )));
        }
        Ok(Some(value))
    }

    fn invalid(&self, what: impl fmt::Display) -> CredentialsProblem {
        CredentialsProblem::Invalid {
            message: format!("Secret {}: {what}.", self.name),
        }
    }

    fn missing(&self, what: impl fmt::Display) -> CredentialsProblem {
        CredentialsProblem::Missing {
            message: format!("Secret {}: {what}.", self.name),
        }
    }
}

fn credential(
    keys: &Keys<'_>,
    warnings: &mut Vec<String>,
) -> Result<Credential, CredentialsProblem> {
    let access_key = keys.get("HW_ACCESS_KEY")?;
    let secret_key = keys.get("HW_SECRET_KEY")?;
    let security_token = keys.get("HW_SECURITY_TOKEN")?;
    let domain = keys.get("HW_DOMAIN_NAME")?;
    let user = keys.get("HW_USER_NAME")?;
    let password = keys.password()?;
    if let (Some(access_key), Some(secret_key)) = (access_key, secret_key) {
        return Ok(Credential::AccessKey {
            access_key: access_key.to_owned(),
            secret_key: SecretString::from(secret_key),
            security_token: security_token.map(SecretString::from),
        });
    }
    if let (Some(domain), Some(user), Some(password)) = (domain, user, password) {
        if access_key.is_some() || secret_key.is_some() {
            warnings.push(format!(
                "Secret {} holds half an access key, which is ignored: user and password are used.",
                keys.name
            ));
        }
        return Ok(Credential::Password {
            domain_name: domain.to_owned(),
            user_name: user.to_owned(),
            password: SecretString::from(password),
        });
    }
    let pair = [("HW_ACCESS_KEY", access_key), ("HW_SECRET_KEY", secret_key)];
    let login = [
        ("HW_DOMAIN_NAME", domain),
        ("HW_USER_NAME", user),
        ("HW_USER_PASSWORD", password),
    ];
    let begun: &[(&str, Option<&str>)] = if pair.iter().any(|(_, value)| value.is_some()) {
        &pair
    } else if login.iter().any(|(_, value)| value.is_some()) {
        &login
    } else {
        return Err(keys.missing(format!("add {BOTH_WAYS}; it holds neither")));
    };
    let absent: Vec<&str> = begun
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(key, _)| *key)
        .collect();
    Err(keys.missing(format!(
        "add {}; it must hold a complete credential of its own ({BOTH_WAYS})",
        absent.join(" and ")
    )))
}

fn place(keys: &Keys<'_>, operator: &Settings) -> Result<AccountConfig, CredentialsProblem> {
    let of_operator = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let own_region = of_operator(&operator.region);
    let region = match keys.get("HW_REGION_NAME")? {
        Some(region) if is_region(region) => region.to_owned(),
        Some(_) => {
            return Err(keys.invalid(
                "HW_REGION_NAME is no region; write 1 to 32 lower-case letters, digits and hyphens",
            ));
        }
        None => own_region.clone().ok_or_else(|| {
            keys.missing("add HW_REGION_NAME; the operator has no region of its own")
        })?,
    };
    let same_region = own_region.as_deref() == Some(region.as_str());
    let fixed = of_operator(&operator.dws_endpoint)
        .map(|_| "DWS_ENDPOINT")
        .or_else(|| of_operator(&operator.auth_url).map(|_| "HW_AUTH_URL"));
    if let (false, Some(setting)) = (same_region, fixed) {
        return Err(keys.invalid(format!(
            "HW_REGION_NAME must be the operator's ({}), since its {setting} serves that region only",
            own_region.as_deref().unwrap_or("not set")
        )));
    }
    let mut project_id = keys.get("HW_PROJECT_ID")?.map(str::to_owned);
    let mut project_name = keys.get("HW_PROJECT_NAME")?.map(str::to_owned);
    // A project belongs to one region: the operator's is no project of another.
    if project_id.is_none() && project_name.is_none() && same_region {
        project_id = of_operator(&operator.project_id);
        project_name = of_operator(&operator.project_name);
    }
    let settings = Settings {
        region: Some(region),
        project_id,
        project_name,
        ..operator.clone()
    };
    settings.resolve().map_err(|error| keys.invalid(error))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::dws::Project;

    const AK: &[(&str, &str)] = &[("HW_ACCESS_KEY", "AK"), ("HW_SECRET_KEY", "SK-canary")];
    const LOGIN: &[(&str, &str)] = &[
        ("HW_DOMAIN_NAME", "acme"),
        ("HW_USER_NAME", "ops"),
        ("HW_USER_PASSWORD", "pw-canary"),
    ];

    fn data(parts: &[&[(&str, &str)]]) -> BTreeMap<String, SecretString> {
        parts
            .iter()
            .flat_map(|part| part.iter())
            .map(|(key, value)| ((*key).to_owned(), SecretString::from(*value)))
            .collect()
    }

    fn operator() -> Settings {
        Settings {
            region: Some("eu-west-0".to_owned()),
            project_id: Some("0123456789abcdef0123456789abcdef".to_owned()),
            ..Settings::default()
        }
    }

    fn read(parts: &[&[(&str, &str)]]) -> Result<Understood, CredentialsProblem> {
        understand("team-creds", &data(parts), &operator())
    }

    #[test]
    fn a_key_pair_alone_takes_region_and_project_from_the_operator() {
        let understood = read(&[AK]).expect("complete");
        assert_eq!(understood.config.region, "eu-west-0");
        assert!(matches!(understood.config.project, Project::Id(_)));
        assert!(matches!(
            understood.credential,
            Credential::AccessKey { .. }
        ));
        assert!(understood.warnings.is_empty());
    }

    #[rstest]
    #[case::login(&[LOGIN], false)]
    #[case::both(&[AK, LOGIN], true)]
    #[case::half_a_pair(&[LOGIN, &[("HW_ACCESS_KEY", "AK")]], false)]
    #[case::blank_pair(&[LOGIN, &[("HW_ACCESS_KEY", " "), ("HW_SECRET_KEY", "")]], false)]
    fn the_key_pair_wins_when_complete(#[case] parts: &[&[(&str, &str)]], #[case] key_pair: bool) {
        let understood = read(parts).expect("complete");
        let is_pair = matches!(understood.credential, Credential::AccessKey { .. });
        assert_eq!(is_pair, key_pair);
    }

    #[test]
    fn a_password_is_taken_as_it_stands_but_for_a_file_s_line_end() {
        let login = &LOGIN[..2];
        let understood = read(&[login, &[("HW_USER_PASSWORD", " pw-canary \n")]]);
        let Credential::Password { password, .. } = understood.expect("complete").credential else {
            panic!("no password");
        };
        assert_eq!(password.expose_secret(), " pw-canary ");
    }

    #[rstest]
    #[case::empty(&[], "HW_ACCESS_KEY")]
    #[case::half(&[&[("HW_ACCESS_KEY", "AK")][..]], "add HW_SECRET_KEY;")]
    #[case::blank(&[&[("HW_ACCESS_KEY", "AK"), ("HW_SECRET_KEY", " \n")][..]], "add HW_SECRET_KEY;")]
    #[case::no_domain(&[LOGIN.split_at(1).1], "add HW_DOMAIN_NAME;")]
    #[case::mixed(&[AK.split_at(1).0, LOGIN.split_at(1).0], "add HW_SECRET_KEY;")]
    fn incomplete_credentials_are_missing(
        #[case] parts: &[&[(&str, &str)]],
        #[case] expected: &str,
    ) {
        let Err(CredentialsProblem::Missing { message }) = read(parts) else {
            panic!("not missing");
        };
        assert!(message.contains(expected), "{message}");
    }

    #[rstest]
    #[case("evil.example.com/")]
    #[case("a@b")]
    #[case("EU-WEST-0")]
    #[case("eu-west-0.evil")]
    #[case("abcdefghijklmnopqrstuvwxyz0123456")]
    #[case("eu\u{2010}west")]
    fn a_region_cannot_lead_elsewhere(#[case] region: &str) {
        let result = read(&[AK, &[("HW_REGION_NAME", region)]]);
        assert!(matches!(result, Err(CredentialsProblem::Invalid { .. })));
    }

    #[test]
    fn endpoints_are_ignored_with_a_warning() {
        let understood = read(&[
            AK,
            &[
                ("HW_CLOUD", "evil.example.com"),
                ("HW_AUTH_URL", "https://evil.example.com"),
                ("DWS_ENDPOINT", "https://evil.example.com"),
            ],
        ])
        .expect("complete");
        assert_eq!(understood.warnings.len(), 3);
        assert_eq!(
            understood.config.dws.as_str(),
            "https://dws.eu-west-0.myhuaweicloud.com/"
        );
        assert_eq!(
            understood.config.iam.as_str(),
            "https://iam.eu-west-0.myhuaweicloud.com/"
        );
    }

    #[test]
    fn another_region_has_its_own_project_and_hosts() {
        let understood = read(&[AK, &[("HW_REGION_NAME", "ap-1\n")]]).expect("complete");
        assert_eq!(understood.config.project, Project::Name("ap-1".to_owned()));
        assert_eq!(
            understood.config.dws.host_str(),
            Some("dws.ap-1.myhuaweicloud.com")
        );
    }

    #[rstest]
    #[case::dws(Some("https://dws.example.com"), None)]
    #[case::iam(None, Some("https://iam.example.com/v3"))]
    fn with_a_fixed_endpoint_the_region_is_the_operators(
        #[case] dws: Option<&str>,
        #[case] iam: Option<&str>,
    ) {
        let settings = Settings {
            dws_endpoint: dws.map(str::to_owned),
            auth_url: iam.map(str::to_owned),
            ..operator()
        };
        let with = |region: &str| {
            let data = data(&[AK, &[("HW_REGION_NAME", region)]]);
            understand("team-creds", &data, &settings)
        };
        assert!(with("eu-west-0").is_ok());
        assert!(matches!(
            with("ap-1"),
            Err(CredentialsProblem::Invalid { .. })
        ));
    }

    #[rstest]
    #[case::project_id(("HW_PROJECT_ID", "../../v1"))]
    #[case::key(("HW_ACCESS_KEY", "AK\r\nX-Evil: 1"))]
    #[case::name(("HW_PROJECT_NAME", "a\u{0}b"))]
    fn what_could_break_a_request_is_invalid(#[case] pair: (&str, &str)) {
        let result = read(&[AK, &[pair]]);
        assert!(matches!(result, Err(CredentialsProblem::Invalid { .. })));
    }

    #[test]
    fn no_secret_is_shown() {
        let long = "canary".repeat(4_000);
        let cases: [&[&[(&str, &str)]]; 6] = [
            &[AK],
            &[LOGIN],
            &[&AK[1..]],
            &[&LOGIN[2..]],
            &[AK, &[("HW_SECURITY_TOKEN", long.as_str())]],
            &[&[("HW_ACCESS_KEY", "AK"), ("HW_SECRET_KEY", "canary\u{7}")]],
        ];
        for parts in cases {
            let shown = format!("{:?}", read(parts));
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}
