//! Where an account lives: region, project, the addresses of its two APIs, and what may be in them.
//!
//! Pure: settings go in as text, checked values come out. It knows the settings' names, since its errors
//! name them, and not where they were read.

use std::fmt;
use std::time::Duration;

use url::{Host, Url};

use super::operation::is_id;

/// The cloud whose hosts are meant where none is named.
pub const DEFAULT_CLOUD: &str = "myhuaweicloud.com";

/// The project of an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Project {
    /// Its id: nothing is looked up.
    Id(String),
    /// Its name, `eu-west-0` or `eu-west-0_team`: the id is looked up once.
    Name(String),
}

/// One account as its client needs it, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountConfig {
    /// Region, `[a-z0-9-]{1,32}`.
    pub region: String,
    /// Project.
    pub project: Project,
    /// `https://dws.{region}.{cloud}/`, or what was set instead; no path.
    pub dws: Url,
    /// `https://iam.{region}.{cloud}/`, or what was set instead; no path.
    pub iam: Url,
    /// `X-Language` of requests, `en_us` or `zh_cn`.
    pub language: String,
    /// From the start of a request to the whole answer.
    pub request_timeout: Duration,
}

/// The settings of one account as given. An empty text is as good as none.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `HW_REGION_NAME`.
    pub region: Option<String>,
    /// `HW_PROJECT_ID`; wins over the name.
    pub project_id: Option<String>,
    /// `HW_PROJECT_NAME`; the region's own project where absent.
    pub project_name: Option<String>,
    /// `HW_CLOUD`.
    pub cloud: Option<String>,
    /// `HW_AUTH_URL`, with or without `/v3`.
    pub auth_url: Option<String>,
    /// `DWS_ENDPOINT`.
    pub dws_endpoint: Option<String>,
    /// Whether plain `http` is accepted.
    pub allow_insecure: bool,
    /// `X-Language`; `en_us` where absent.
    pub language: Option<String>,
    /// 30 s where absent.
    pub request_timeout: Option<Duration>,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// The setting's name, `DWS_ENDPOINT`.
    pub setting: &'static str,
    /// What is wrong, without the value where that could hold a secret.
    pub problem: String,
    /// What to write instead.
    pub mend: &'static str,
}

impl fmt::Display for SettingError {
    /// One line: the setting, what is wrong, what to write.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.setting, self.problem, self.mend)
    }
}

impl std::error::Error for SettingError {}

impl Settings {
    /// Checks the settings and fills in what follows from the region.
    pub fn resolve(&self) -> Result<AccountConfig, SettingError> {
        let region = set(self.region.as_deref()).ok_or_else(|| SettingError {
            setting: "HW_REGION_NAME",
            problem: "is not set".to_owned(),
            mend: "write the region of the warehouses, for example eu-west-0",
        })?;
        if !is_region(region) {
            return Err(SettingError {
                setting: "HW_REGION_NAME",
                problem: format!("`{}` is no region", shown(region)),
                mend: "write 1 to 32 lower-case letters, digits and hyphens",
            });
        }
        let cloud = set(self.cloud.as_deref()).unwrap_or(DEFAULT_CLOUD);
        Ok(AccountConfig {
            project: self.project(region)?,
            dws: match set(self.dws_endpoint.as_deref()) {
                Some(url) => guard("DWS_ENDPOINT", url, self.allow_insecure, &["/"])?,
                None => host_of("dws", region, cloud)?,
            },
            iam: match set(self.auth_url.as_deref()) {
                Some(url) => guard(
                    "HW_AUTH_URL",
                    url,
                    self.allow_insecure,
                    &["/", "/v3", "/v3/"],
                )?,
                None => host_of("iam", region, cloud)?,
            },
            language: self.language()?,
            request_timeout: match self.request_timeout {
                Some(Duration::ZERO) => {
                    return Err(SettingError {
                        setting: "--request-timeout",
                        problem: "is zero".to_owned(),
                        mend: "write a positive duration, for example 30s",
                    });
                }
                given => given.unwrap_or(Duration::from_secs(30)),
            },
            region: region.to_owned(),
        })
    }

    fn project(&self, region: &str) -> Result<Project, SettingError> {
        if let Some(id) = set(self.project_id.as_deref()) {
            return if is_id(id) {
                Ok(Project::Id(id.to_owned()))
            } else {
                Err(SettingError {
                    setting: "HW_PROJECT_ID",
                    problem: format!("`{}` is no project id", shown(id)),
                    mend: "copy the id from the console's page of credentials, 32 letters and digits",
                })
            };
        }
        let name = set(self.project_name.as_deref()).unwrap_or(region);
        if name.chars().count() > 64 || name.chars().any(char::is_control) {
            return Err(SettingError {
                setting: "HW_PROJECT_NAME",
                problem: format!("`{}` is no project name", shown(name)),
                mend: "write the project's name of at most 64 characters, or set HW_PROJECT_ID",
            });
        }
        Ok(Project::Name(name.to_owned()))
    }

    fn language(&self) -> Result<String, SettingError> {
        let language = set(self.language.as_deref()).unwrap_or("en_us");
        let fits = language.len() <= 16
            && language
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if fits {
            Ok(language.to_owned())
        } else {
            Err(SettingError {
                setting: "--service-language",
                problem: format!("`{}` is no language", shown(language)),
                mend: "write en_us or zh_cn",
            })
        }
    }
}

/// Whether a text can be a region: `[a-z0-9-]{1,32}`, so it cannot lead to another host.
pub fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn host_of(service: &str, region: &str, cloud: &str) -> Result<Url, SettingError> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let error = || SettingError {
        setting: "HW_CLOUD",
        problem: format!("`{}` is no domain", shown(cloud)),
        mend: "write a domain such as myhuaweicloud.com, without scheme, port or path",
    };
    if cloud.len() > 200 || !cloud.contains('.') || !cloud.split('.').all(label) {
        return Err(error());
    }
    Url::parse(&format!("https://{service}.{region}.{cloud}/")).map_err(|_| error())
}

/// An address that an administrator wrote: scheme, host and port, nothing else.
fn guard(
    setting: &'static str,
    text: &str,
    allow_insecure: bool,
    paths: &[&str],
) -> Result<Url, SettingError> {
    const MEND: &str = "write scheme and host, for example https://dws.eu-west-0.myhuaweicloud.com";
    let refuse = |problem: &str, mend| {
        Err(SettingError {
            setting,
            problem: problem.to_owned(),
            mend,
        })
    };
    // `Url` drops tabs and line ends inside an address: what was written is not what would be used.
    if text
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
    {
        return refuse("has a character that no address has", MEND);
    }
    let Ok(mut url) = Url::parse(text) else {
        return refuse("is no URL", MEND);
    };
    match url.scheme() {
        "https" => {}
        "http" if allow_insecure => {}
        "http" => {
            return refuse(
                "is plain http",
                "write https://, or set --allow-insecure-endpoints for a simulator",
            );
        }
        _ => return refuse("is neither https nor http", MEND),
    }
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return refuse(
            "holds a user",
            "write the address without user and password: credentials have settings of their own",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("holds a query or a fragment", MEND);
    }
    match url.host() {
        Some(Host::Domain(domain)) if !domain.is_empty() => {}
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {}
        _ => return refuse("names no host", MEND),
    }
    if url.port() == Some(0) {
        return refuse("names port 0", MEND);
    }
    if !paths.contains(&url.path()) {
        return refuse(
            "holds a path",
            "write the address without a path: the API versions are added to it",
        );
    }
    url.set_path("/");
    Ok(url)
}

fn set(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// A value as an error shows it.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests;
