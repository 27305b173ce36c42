//! The configuration, judged: arguments and environment in, [`Config`] or one error out.
//!
//! Pure but for the certificate file, which it reads through an argument. It opens nothing, asks nobody
//! and prints nothing; what deserves a word without being wrong is in [`Config::warnings`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::cli::RunArgs;
use super::config_account::{self, Common};
use super::config_error::{ConfigError, flag, quoted};
use super::variables;
use crate::dws::{Credential, Settings};
use crate::observer::bucket::SLOWEST;

/// Everything that `dws-operator run` was told.
#[derive(Clone)]
pub struct Config {
    /// Where to look for resources.
    pub namespaces: NamespaceSet,
    /// Where the operator's own credentials may adopt.
    pub adoption_namespaces: NamespaceSet,
    /// The Lease by which replicas agree on who works; `None`: there is one replica.
    pub lease: Option<String>,
    /// Between two polls of an idle account.
    pub poll_interval: Duration,
    /// Between two polls of an account in which a task runs; at most `poll_interval`.
    pub active_poll_interval: Duration,
    /// For one request to the service.
    pub request_timeout: Duration,
    /// See `--ambiguity-window`.
    pub ambiguity_window: Duration,
    /// Requests per second and account, 0.01 to 1000.
    pub max_requests_per_second: f64,
    /// Resources reconciled at once, 1 to 1000.
    pub concurrency: u16,
    /// Of metrics and health.
    pub listen: SocketAddr,
    /// Of the log.
    pub log_format: LogFormat,
    /// `credentialsSecretRef` works.
    pub allow_namespace_credentials: bool,
    /// PEM certificates to trust besides the system's.
    pub ca_bundle: Option<Vec<u8>>,
    /// Region, project, addresses, language and time-out of requests. Checked: it resolves with any
    /// region where it names none, and it names one if there is a credential or a fixed address.
    pub endpoint: Settings,
    /// The operator's own credential.
    pub credential: Option<Credential>,
    /// What deserves a word: one line each.
    pub warnings: Vec<String>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("namespaces", &self.namespaces)
            .field("adoption_namespaces", &self.adoption_namespaces)
            .field("lease", &self.lease)
            .field("poll_interval", &self.poll_interval)
            .field("active_poll_interval", &self.active_poll_interval)
            .field("request_timeout", &self.request_timeout)
            .field("ambiguity_window", &self.ambiguity_window)
            .field("max_requests_per_second", &self.max_requests_per_second)
            .field("concurrency", &self.concurrency)
            .field("listen", &self.listen)
            .field(
                "credential",
                &self.credential.as_ref().map(config_account::kind),
            )
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Namespaces, all or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamespaceSet {
    /// All of them.
    All,
    /// These; none where empty.
    Only(BTreeSet<String>),
}

impl NamespaceSet {
    /// Whether it holds this namespace.
    pub fn contains(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(namespace),
        }
    }
}

/// See `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object in each line.
    Json,
}

/// The environment, by name.
pub type Environment = BTreeMap<String, String>;

/// Reads a whole file.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>;

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
/// Times of the operation journal are added up: a window of ages would leave the calendar.
const LONGEST_WINDOW: Duration = Duration::from_hours(365 * 24);
const DEFAULT_ACTIVE_INTERVAL: Duration = Duration::from_secs(10);

impl Config {
    /// Judges the arguments of `dws-operator run` together with the environment.
    pub fn new(
        args: &RunArgs,
        environment: &Environment,
        read_file: ReadFile<'_>,
    ) -> Result<Self, ConfigError> {
        let mut warnings = Vec::new();
        for name in variables::misspelt(environment.keys().map(String::as_str)) {
            warnings.push(format!(
                "{name} is not a setting of this version; it is ignored"
            ));
        }

        let namespaces = namespaces("namespace", &args.namespace)?;
        let namespaces = match namespaces {
            NamespaceSet::Only(names) if names.is_empty() => NamespaceSet::All,
            other => other,
        };
        let adoption_namespaces =
            self::namespaces("adoption-namespaces", &args.adoption_namespaces)?;
        warn_of_unwatched(&namespaces, &adoption_namespaces, &mut warnings);

        let lease = lease(args, environment, &mut warnings)?;
        let poll_interval = duration("poll-interval", &args.poll_interval, DAY)?;
        let active_poll_interval = match given(args.active_poll_interval.as_deref()) {
            None => DEFAULT_ACTIVE_INTERVAL.min(poll_interval),
            Some(text) => duration("active-poll-interval", text, DAY)?,
        };
        if active_poll_interval > poll_interval {
            return Err(ConfigError::Contradiction {
                setting: flag("active-poll-interval"),
                other: format!("--poll-interval {}", args.poll_interval),
                mend: "make it the shorter of the two, or raise --poll-interval".into(),
            });
        }
        let request_timeout = duration("request-timeout", &args.request_timeout, HOUR)?;
        let ambiguity_window =
            duration("ambiguity-window", &args.ambiguity_window, LONGEST_WINDOW)?;
        if ambiguity_window < request_timeout {
            warnings.push(format!(
                "--ambiguity-window {} is shorter than --request-timeout {}: a late effect of a lost call may go unseen",
                args.ambiguity_window, args.request_timeout
            ));
        }

        let allow_insecure = boolean("allow-insecure-endpoints", &args.allow_insecure_endpoints)?;
        let allow_namespace_credentials = boolean(
            "allow-namespace-credentials",
            &args.allow_namespace_credentials,
        )?;
        let credential = config_account::credential(environment, &mut warnings)?;
        let common = Common {
            allow_insecure,
            language: language(&args.service_language)?,
            request_timeout,
        };
        let own = credential.is_some();
        let endpoint = config_account::endpoint(environment, common, own, &mut warnings)?;
        if !own && !allow_namespace_credentials {
            return Err(ConfigError::missing(
                "HW_ACCESS_KEY and HW_SECRET_KEY",
                "set them (or HW_DOMAIN_NAME, HW_USER_NAME and HW_USER_PASSWORD), or let resources bring their own credentials with --allow-namespace-credentials",
            ));
        }
        if !own {
            warnings.push(
                "no credentials of the operator's own (HW_ACCESS_KEY, HW_SECRET_KEY): only resources with credentialsSecretRef can work".into(),
            );
        }

        Ok(Self {
            namespaces,
            adoption_namespaces,
            lease,
            poll_interval,
            active_poll_interval,
            request_timeout,
            ambiguity_window,
            max_requests_per_second: rate(&args.max_requests_per_second)?,
            concurrency: concurrency(&args.concurrency)?,
            listen: listen(&args.listen)?,
            log_format: log_format(&args.log_format)?,
            allow_namespace_credentials,
            ca_bundle: ca_bundle(args.ca_bundle.as_deref(), read_file)?,
            endpoint,
            credential,
            warnings,
        })
    }
}

/// An empty text is how templates write "not set".
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn namespaces(name: &str, values: &[String]) -> Result<NamespaceSet, ConfigError> {
    let names = values
        .iter()
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
        .collect::<BTreeSet<_>>();
    if names.contains("*") {
        return if names.len() == 1 {
            Ok(NamespaceSet::All)
        } else {
            Err(ConfigError::Contradiction {
                setting: flag(name),
                other: "itself: '*' beside names".into(),
                mend: "write '*' alone for all namespaces, or only names".into(),
            })
        };
    }
    if let Some(wrong) = names.iter().find(|name| !is_label(name)) {
        return Err(ConfigError::invalid(
            flag(name),
            format!("{} is not a namespace", quoted(wrong)),
            "write lower-case letters, digits and '-', at most 63",
        ));
    }
    Ok(NamespaceSet::Only(
        names.into_iter().map(str::to_owned).collect(),
    ))
}

/// RFC 1123 label: a namespace, or a part of a name.
fn is_label(name: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn warn_of_unwatched(watched: &NamespaceSet, adoption: &NamespaceSet, warnings: &mut Vec<String>) {
    if let NamespaceSet::Only(names) = adoption {
        for name in names.iter().filter(|name| !watched.contains(name)) {
            warnings.push(format!(
                "--adoption-namespaces {name} is not among --namespace: it has no effect"
            ));
        }
    }
}

/// Kubernetes sets it in every Pod, whatever the Pod says about service links.
const IN_A_POD: &str = "KUBERNETES_SERVICE_HOST";
const DEFAULT_LEASE: &str = "dws-operator";

fn lease(
    args: &RunArgs,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<Option<String>, ConfigError> {
    let name = given(Some(&args.lease_name)).unwrap_or(DEFAULT_LEASE);
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err(ConfigError::invalid(
            flag("lease-name"),
            format!("{} is not a name", quoted(name)),
            "write lower-case letters, digits, '-' and '.', such as dws-operator",
        ));
    }
    let in_a_pod = given(environment.get(IN_A_POD).map(String::as_str)).is_some();
    let elects = match given(args.leader_election.as_deref()) {
        None => in_a_pod,
        Some(text) => boolean("leader-election", text)?,
    };
    if !elects && name != DEFAULT_LEASE {
        warnings.push(format!(
            "--lease-name {name} has no effect without --leader-election"
        ));
    }
    if !elects && in_a_pod {
        warnings.push(
            "--leader-election is off: a second replica, a rolling update's included, would work beside this one".into(),
        );
    }
    Ok(elects.then(|| name.to_owned()))
}

fn duration(name: &str, text: &str, longest: Duration) -> Result<Duration, ConfigError> {
    let mend = format!(
        "write it like 500ms, 60s or 10m, above 0 and at most {}h",
        longest.as_secs() / 3600
    );
    let wrong = |problem: String| ConfigError::invalid(flag(name), problem, mend.clone());
    let value = humantime::parse_duration(text.trim())
        .map_err(|_| wrong(format!("{} is not a duration", quoted(text))))?;
    if value.is_zero() {
        return Err(wrong("it must be above 0".into()));
    }
    if value > longest {
        return Err(wrong(format!("{} is too long", quoted(text))));
    }
    Ok(value)
}

fn boolean(name: &str, text: &str) -> Result<bool, ConfigError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(ConfigError::invalid(
            flag(name),
            format!("{} is neither true nor false", quoted(text)),
            "write true or false",
        )),
    }
}

fn rate(text: &str) -> Result<f64, ConfigError> {
    let value = text.trim().parse::<f64>().ok();
    value
        .filter(|value| (SLOWEST..=1000.0).contains(value))
        .ok_or_else(|| {
            ConfigError::invalid(
                flag("max-requests-per-second"),
                format!("{} is not such a number", quoted(text)),
                "write a number from 0.01 to 1000, such as 10 or 0.5",
            )
        })
}

fn concurrency(text: &str) -> Result<u16, ConfigError> {
    let value = text.trim().parse::<u16>().ok();
    value
        .filter(|value| (1..=1000).contains(value))
        .ok_or_else(|| {
            ConfigError::invalid(
                flag("concurrency"),
                format!("{} is not such a number", quoted(text)),
                "write a whole number from 1 to 1000",
            )
        })
}

fn listen(text: &str) -> Result<SocketAddr, ConfigError> {
    text.trim().parse().map_err(|_| {
        ConfigError::invalid(
            flag("listen"),
            format!("{} is not an address and port", quoted(text)),
            "write it like 0.0.0.0:8080, 127.0.0.1:8080 or [::]:8080",
        )
    })
}

fn log_format(text: &str) -> Result<LogFormat, ConfigError> {
    match text.trim() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(ConfigError::invalid(
            flag("log-format"),
            format!("{} is not a format", quoted(text)),
            "write text or json",
        )),
    }
}

fn language(text: &str) -> Result<String, ConfigError> {
    match text.trim() {
        language @ ("en_us" | "zh_cn") => Ok(language.to_owned()),
        _ => Err(ConfigError::invalid(
            flag("service-language"),
            format!("{} is not a language of the service", quoted(text)),
            "write en_us or zh_cn",
        )),
    }
}

fn ca_bundle(path: Option<&str>, read_file: ReadFile<'_>) -> Result<Option<Vec<u8>>, ConfigError> {
    let Some(path) = given(path) else {
        return Ok(None);
    };
    let wrong = |problem: String| {
        ConfigError::invalid(
            flag("ca-bundle"),
            problem,
            "give the path of a file with at least one PEM certificate",
        )
    };
    let bytes = read_file(Path::new(path)).map_err(|error| {
        wrong(format!(
            "{} cannot be read ({})",
            quoted(path),
            error.kind()
        ))
    })?;
    let mut count = 0_usize;
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        certificate.map_err(|_| wrong(format!("{} is not PEM", quoted(path))))?;
        count += 1;
    }
    if count == 0 {
        return Err(wrong(format!("{} holds no certificate", quoted(path))));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
