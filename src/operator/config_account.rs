//! The part of the configuration that leads to the service: region, project, credential, endpoints.
//!
//! It reads the variables that users of Huawei Cloud's Terraform provider know. Secrets go from the
//! environment into [`SecretString`] and appear in no message.

use std::fmt;

use secrecy::SecretString;
use url::Url;

use super::config::Environment;
use super::config_error::{ConfigError, quoted};

/// Domain of the cloud where `HW_CLOUD` is not set.
pub const DEFAULT_CLOUD: &str = "myhuaweicloud.com";

/// How the operator's own account is named to IAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Project {
    /// By name: IAM is asked for the id.
    Name(String),
    /// By id.
    Id(String),
}

/// One complete credential.
#[derive(Clone)]
pub enum Credential {
    /// Access key and secret key, with a security token if they are temporary.
    Keys {
        /// Access key: part of every request, so not a secret by itself, but not shown either.
        access_key: String,
        /// Secret key.
        secret_key: SecretString,
        /// Security token of a temporary key.
        security_token: Option<SecretString>,
    },
    /// IAM user and password.
    Password {
        /// Account (IAM domain).
        domain: String,
        /// User.
        user: String,
        /// Password.
        password: SecretString,
    },
}

impl Credential {
    /// Its kind in words, for the log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Keys {
                security_token: None,
                ..
            } => "access key",
            Self::Keys { .. } => "temporary access key",
            Self::Password { .. } => "user and password",
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// Where the service and IAM are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Domain of the cloud for addresses made from a region.
    pub cloud: String,
    /// IAM, fixed; without `/v3` and without a slash at the end.
    pub iam: Option<Url>,
    /// The service, fixed; without a path.
    pub dws: Option<Url>,
}

/// What the environment says about the operator's account.
pub(super) struct Settings {
    pub region: Option<String>,
    pub project: Option<Project>,
    pub credential: Option<Credential>,
    pub endpoints: Endpoints,
}

impl Settings {
    /// Reads and judges the variables.
    pub fn read(
        environment: &Environment,
        allow_insecure: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Self, ConfigError> {
        let region = region(environment)?;
        let project = project(environment, region.as_deref(), warnings)?;
        let credential = credential(environment, warnings)?;
        let endpoints = endpoints(environment, allow_insecure, warnings)?;
        if region.is_none() {
            let mend = if credential.is_some() {
                Some(
                    "the operator's own account needs it: set it to the region's id, such as eu-west-101",
                )
            } else if endpoints.dws.is_some() || endpoints.iam.is_some() {
                Some(
                    "DWS_ENDPOINT and HW_AUTH_URL belong to one region: set it to that region's id, such as eu-west-101",
                )
            } else {
                None
            };
            if let Some(mend) = mend {
                return Err(ConfigError::missing("HW_REGION_NAME", mend));
            }
        }
        Ok(Self {
            region,
            project,
            credential,
            endpoints,
        })
    }
}

/// A variable that is set to something; white space around it is never meant.
fn value<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    let text = environment.get(name)?.trim();
    (!text.is_empty()).then_some(text)
}

/// A name or key that travels in a header or a body: no control characters, nothing without end.
fn word<'a>(
    environment: &'a Environment,
    name: &'static str,
) -> Result<Option<&'a str>, ConfigError> {
    let Some(text) = value(environment, name) else {
        return Ok(None);
    };
    if text.len() > 16 * 1024 || text.chars().any(char::is_control) {
        return Err(ConfigError::invalid(
            name,
            "it holds a line break or another control character, or is too long",
            "set it to the bare value",
        ));
    }
    Ok(Some(text))
}

fn region(environment: &Environment) -> Result<Option<String>, ConfigError> {
    let Some(text) = value(environment, "HW_REGION_NAME") else {
        return Ok(None);
    };
    let good = text.len() <= 32
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !good {
        return Err(ConfigError::invalid(
            "HW_REGION_NAME",
            format!("{} is not a region", quoted(text)),
            "write the region's id: lower-case letters, digits and '-', at most 32, such as eu-west-101",
        ));
    }
    Ok(Some(text.to_owned()))
}

fn project(
    environment: &Environment,
    region: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Option<Project>, ConfigError> {
    let name = word(environment, "HW_PROJECT_NAME")?;
    if let Some(id) = value(environment, "HW_PROJECT_ID") {
        let good = id.len() <= 64
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !good {
            return Err(ConfigError::invalid(
                "HW_PROJECT_ID",
                format!("{} is not a project id", quoted(id)),
                "write the 32 hexadecimal digits that the console shows under My Credentials",
            ));
        }
        if name.is_some() {
            warnings.push("HW_PROJECT_ID and HW_PROJECT_NAME are both set: the id is used".into());
        }
        return Ok(Some(Project::Id(id.to_owned())));
    }
    Ok(name.or(region).map(|name| Project::Name(name.to_owned())))
}

fn credential(
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<Option<Credential>, ConfigError> {
    let access_key = word(environment, "HW_ACCESS_KEY")?;
    let secret_key = word(environment, "HW_SECRET_KEY")?;
    let security_token = word(environment, "HW_SECURITY_TOKEN")?;
    let domain = word(environment, "HW_DOMAIN_NAME")?;
    let user = word(environment, "HW_USER_NAME")?;
    // A password may begin or end with a space: it is taken as it stands.
    let password = environment
        .get("HW_USER_PASSWORD")
        .filter(|password| !password.is_empty());

    let keys = match (access_key, secret_key) {
        (Some(access_key), Some(secret_key)) => Some(Credential::Keys {
            access_key: access_key.to_owned(),
            secret_key: SecretString::from(secret_key),
            security_token: security_token.map(SecretString::from),
        }),
        (Some(_), None) => {
            return Err(ConfigError::missing(
                "HW_SECRET_KEY",
                "HW_ACCESS_KEY is set: set the secret key that belongs to it, or unset both",
            ));
        }
        (None, Some(_)) => {
            return Err(ConfigError::missing(
                "HW_ACCESS_KEY",
                "HW_SECRET_KEY is set: set the access key that it belongs to, or unset both",
            ));
        }
        (None, None) if security_token.is_some() => {
            return Err(ConfigError::missing(
                "HW_ACCESS_KEY and HW_SECRET_KEY",
                "HW_SECURITY_TOKEN is set: set the temporary keys that it belongs to, or unset it",
            ));
        }
        (None, None) => None,
    };
    if let Some(keys) = keys {
        if user.is_some() || password.is_some() {
            warnings.push(
                "HW_ACCESS_KEY and HW_SECRET_KEY are set: HW_USER_NAME and HW_USER_PASSWORD are ignored".into(),
            );
        }
        return Ok(Some(keys));
    }
    let (Some(domain), Some(user), Some(password)) = (domain, user, password) else {
        let parts = [
            ("HW_DOMAIN_NAME", domain.is_some()),
            ("HW_USER_NAME", user.is_some()),
            ("HW_USER_PASSWORD", password.is_some()),
        ];
        if parts.iter().all(|(_, set)| !set) {
            return Ok(None);
        }
        let named = |wanted: bool| {
            let names = parts.iter().filter(|(_, set)| *set == wanted);
            names
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(" and ")
        };
        return Err(ConfigError::missing(
            named(false),
            format!(
                "{} is set: a credential is HW_DOMAIN_NAME, HW_USER_NAME and HW_USER_PASSWORD together, or HW_ACCESS_KEY and HW_SECRET_KEY",
                named(true)
            ),
        ));
    };
    Ok(Some(Credential::Password {
        domain: domain.to_owned(),
        user: user.to_owned(),
        password: SecretString::from(password.as_str()),
    }))
}

fn endpoints(
    environment: &Environment,
    allow_insecure: bool,
    warnings: &mut Vec<String>,
) -> Result<Endpoints, ConfigError> {
    let cloud = value(environment, "HW_CLOUD");
    if let Some(text) = cloud
        && !is_domain(text)
    {
        return Err(ConfigError::invalid(
            "HW_CLOUD",
            "it is not a domain name",
            "write a domain such as myhuaweicloud.com, without scheme, port or path",
        ));
    }
    let iam = endpoint(
        environment,
        "HW_AUTH_URL",
        &["", "/v3"],
        "write it like https://iam.eu-west-101.myhuaweicloud.com, with or without /v3",
        allow_insecure,
    )?;
    let dws = endpoint(
        environment,
        "DWS_ENDPOINT",
        &[""],
        "write it like https://dws.eu-west-101.myhuaweicloud.com, without a version path",
        allow_insecure,
    )?;
    if cloud.is_some() && iam.is_some() && dws.is_some() {
        warnings.push("HW_CLOUD is ignored: HW_AUTH_URL and DWS_ENDPOINT are set".into());
    }
    Ok(Endpoints {
        cloud: cloud.unwrap_or(DEFAULT_CLOUD).to_owned(),
        iam,
        dws,
    })
}

/// A fixed endpoint. Its text is not repeated in messages: it may hold a password by mistake.
fn endpoint(
    environment: &Environment,
    name: &'static str,
    paths: &[&str],
    mend: &str,
    allow_insecure: bool,
) -> Result<Option<Url>, ConfigError> {
    let Some(text) = value(environment, name) else {
        return Ok(None);
    };
    let wrong = |problem: &str| ConfigError::invalid(name, problem, mend);
    let mut url = Url::parse(text).map_err(|_| wrong("it is not an address with a scheme"))?;
    match url.scheme() {
        "https" => {}
        "http" if allow_insecure => {}
        "http" => {
            return Err(ConfigError::invalid(
                name,
                "plain http sends credentials readable",
                "use https, or allow it with --allow-insecure-endpoints (DWS_OPERATOR_ALLOW_INSECURE_ENDPOINTS=true)",
            ));
        }
        _ => return Err(wrong("its scheme is neither https nor http")),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("it names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query or a fragment"));
    }
    let path = url.path().trim_end_matches('/');
    if !paths.contains(&path) {
        return Err(wrong("its path does not belong there"));
    }
    url.set_path("");
    Ok(Some(url))
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 200 && text.contains('.') && text.split('.').all(label)
}
