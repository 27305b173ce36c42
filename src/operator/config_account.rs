//! The part of the configuration that leads to the service: region, project, credential, endpoints.
//!
//! It reads the variables that users of Huawei Cloud's Terraform provider know; what they may hold is judged
//! by [`crate::dws::endpoint`], which the Secrets of namespaces go through as well. Secrets go from the
//! environment into [`SecretString`] and appear in no message.

use std::time::Duration;

use secrecy::SecretString;

use super::config::Environment;
use super::config_error::{ConfigError, flag};
use crate::dws::auth::written_password;
use crate::dws::{Credential, SettingError, Settings};

/// What holds for requests to every account.
pub(super) struct Common {
    /// Plain http is accepted.
    pub allow_insecure: bool,
    /// `X-Language`.
    pub language: String,
    /// For one request.
    pub request_timeout: Duration,
}

/// Region, project and endpoints, checked. They stay text: a Secret's own region may take their place.
pub(super) fn endpoint(
    environment: &Environment,
    common: Common,
    own_credential: bool,
    warnings: &mut Vec<String>,
) -> Result<Settings, ConfigError> {
    let text = |name: &str| value(environment, name).map(str::to_owned);
    let settings = Settings {
        region: text("HW_REGION_NAME"),
        project_id: text("HW_PROJECT_ID"),
        project_name: text("HW_PROJECT_NAME"),
        cloud: text("HW_CLOUD"),
        auth_url: text("HW_AUTH_URL"),
        dws_endpoint: text("DWS_ENDPOINT"),
        allow_insecure: common.allow_insecure,
        language: Some(common.language),
        request_timeout: Some(common.request_timeout),
    };
    let fixed = settings.auth_url.is_some() || settings.dws_endpoint.is_some();
    if settings.region.is_none() && own_credential {
        return Err(ConfigError::missing(
            "HW_REGION_NAME",
            "the operator's own account needs it: set it to the region's id, such as ap-southeast-3",
        ));
    }
    if settings.region.is_none() && fixed {
        return Err(ConfigError::missing(
            "HW_REGION_NAME",
            "DWS_ENDPOINT and HW_AUTH_URL belong to one region: set it to that region's id, such as ap-southeast-3",
        ));
    }
    let mut checked = settings.clone();
    // Without one the region comes with each Secret; the rest is checked all the same.
    checked.region.get_or_insert_with(|| "any".to_owned());
    checked.resolve()?;

    if settings.project_id.is_some() && settings.project_name.is_some() {
        warnings.push("HW_PROJECT_ID and HW_PROJECT_NAME are both set: the id is used".into());
    }
    if settings.cloud.is_some() && settings.auth_url.is_some() && settings.dws_endpoint.is_some() {
        warnings.push("HW_CLOUD is ignored: HW_AUTH_URL and DWS_ENDPOINT are set".into());
    }
    Ok(settings)
}

impl From<SettingError> for ConfigError {
    fn from(error: SettingError) -> Self {
        let setting = match error.setting.strip_prefix("--") {
            Some(name) => flag(name),
            None => error.setting.to_owned(),
        };
        Self::invalid(setting, error.problem, error.mend)
    }
}

/// Its kind in words, for the log.
pub fn kind(credential: &Credential) -> &'static str {
    match credential {
        Credential::AccessKey {
            security_token: None,
            ..
        } => "access key",
        Credential::AccessKey { .. } => "temporary access key",
        Credential::Password { .. } => "user and password",
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

/// The operator's own credential, complete or not there at all.
pub(super) fn credential(
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<Option<Credential>, ConfigError> {
    let access_key = word(environment, "HW_ACCESS_KEY")?;
    let secret_key = word(environment, "HW_SECRET_KEY")?;
    let security_token = word(environment, "HW_SECURITY_TOKEN")?;
    let domain = word(environment, "HW_DOMAIN_NAME")?;
    let user = word(environment, "HW_USER_NAME")?;
    let password = environment.get("HW_USER_PASSWORD");
    let password = password.and_then(|text| written_password(text));

    let keys = match (access_key, secret_key) {
        (Some(access_key), Some(secret_key)) => Some(Credential::AccessKey {
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
        let given = parts.iter().filter(|(_, set)| *set).count();
        return Err(ConfigError::missing(
            named(false),
            format!(
                "{} {}: a credential is HW_DOMAIN_NAME, HW_USER_NAME and HW_USER_PASSWORD together, or HW_ACCESS_KEY and HW_SECRET_KEY",
                named(true),
                if given == 1 { "is set" } else { "are set" }
            ),
        ));
    };
    Ok(Some(Credential::Password {
        domain_name: domain.to_owned(),
        user_name: user.to_owned(),
        password: SecretString::from(password),
    }))
}
