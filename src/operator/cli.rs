//! The command line as clap sees it: names, help texts, defaults, environment variables.
//!
//! Values stay text here, so that every rule about them, and every message, is in
//! [`super::config`]; what clap itself refuses is brought into one line by [`one_line`]. Credentials
//! have no flag: an argument list is visible to every process of the machine.
//!
//! A flag's variable is `DWS_OPERATOR_<FLAG>`. In a Pod, Kubernetes sets variables of the same prefix
//! for a Service named `dws-operator` (`DWS_OPERATOR_PORT`, `DWS_OPERATOR_SERVICE_HOST`, ...): no flag
//! may bear such a name.

use clap::builder::styling::Styles;
use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory, Parser, Subcommand};

use super::variables;

/// What the environment variable of a flag starts with.
pub const PREFIX: &str = "DWS_OPERATOR_";

/// Kubernetes operator for GaussDB(DWS), Huawei Cloud's data warehouse.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "dws-operator",
    version,
    about = "Kubernetes operator for GaussDB(DWS), Huawei Cloud's data warehouse",
    styles = Styles::plain(),
    arg_required_else_help = false
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Runs the controller until it is told to stop
    #[command(after_help = variables::help(), after_long_help = variables::help())]
    Run(Box<RunArgs>),
    /// Looks once at the operator's own account and says what came of it; changes nothing. Takes the settings
    /// of `run`
    #[command(after_help = variables::help(), after_long_help = variables::help())]
    Check(Box<CheckArgs>),
    /// Prints the definitions of both kinds (CRDs) as YAML
    Crd,
}

/// What `dws-operator check` is told.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Fail where the operator has no credentials of its own: a Secret whose keys are misspelt gives none
    #[arg(long)]
    pub require_account: bool,

    /// The settings of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

/// The settings of `dws-operator run`, as text.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// Namespace to look after; repeatable, or separated by commas. Without it, or with `*`: all
    #[arg(
        long,
        env = "DWS_OPERATOR_NAMESPACE",
        hide_env_values = true,
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub namespace: Vec<String>,

    /// Namespace in which the operator's own credentials may take hold of clusters and snapshots that
    /// others made; repeatable, or separated by commas. `*`: all; empty: none
    #[arg(
        long,
        env = "DWS_OPERATOR_ADOPTION_NAMESPACES",
        hide_env_values = true,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "*"
    )]
    pub adoption_namespaces: Vec<String>,

    /// Whether the replicas of this operator agree by a Lease on which of them works; not written: `true` in a
    /// Pod (where `KUBERNETES_SERVICE_HOST` is set), else `false`
    #[arg(
        long,
        env = "DWS_OPERATOR_LEADER_ELECTION",
        hide_env_values = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub leader_election: Option<String>,

    /// Name of that Lease. It is in the Pod's own namespace, or in that of the kubeconfig's context
    #[arg(
        long,
        env = "DWS_OPERATOR_LEASE_NAME",
        hide_env_values = true,
        value_name = "NAME",
        default_value = "dws-operator"
    )]
    pub lease_name: String,

    /// Time between two looks at an account in which nothing runs
    #[arg(
        long,
        env = "DWS_OPERATOR_POLL_INTERVAL",
        hide_env_values = true,
        value_name = "DURATION",
        default_value = "60s"
    )]
    pub poll_interval: String,

    /// Time between two looks at an account in which a task runs; not written: 10s, or the idle
    /// interval where that is shorter
    #[arg(
        long,
        env = "DWS_OPERATOR_ACTIVE_POLL_INTERVAL",
        hide_env_values = true,
        value_name = "DURATION"
    )]
    pub active_poll_interval: Option<String>,

    /// Time that one request to the service may take, from its start to the whole answer
    #[arg(
        long,
        env = "DWS_OPERATOR_REQUEST_TIMEOUT",
        hide_env_values = true,
        value_name = "DURATION",
        default_value = "30s"
    )]
    pub request_timeout: String,

    /// Time in which a changing call whose answer was lost may still take effect; nothing is repeated
    /// before it is over
    #[arg(
        long,
        env = "DWS_OPERATOR_AMBIGUITY_WINDOW",
        hide_env_values = true,
        value_name = "DURATION",
        default_value = "10m"
    )]
    pub ambiguity_window: String,

    /// Requests per second to one account; may be a fraction
    #[arg(
        long,
        env = "DWS_OPERATOR_MAX_REQUESTS_PER_SECOND",
        hide_env_values = true,
        value_name = "NUMBER",
        default_value = "10"
    )]
    pub max_requests_per_second: String,

    /// Resources that are reconciled at the same time
    #[arg(
        long,
        env = "DWS_OPERATOR_CONCURRENCY",
        hide_env_values = true,
        value_name = "NUMBER",
        default_value = "16"
    )]
    pub concurrency: String,

    /// Address and port of /metrics, /healthz and /readyz
    #[arg(
        long,
        env = "DWS_OPERATOR_LISTEN",
        hide_env_values = true,
        value_name = "ADDRESS:PORT",
        default_value = "0.0.0.0:8080"
    )]
    pub listen: String,

    /// Form of the log lines: text or json
    #[arg(
        long,
        env = "DWS_OPERATOR_LOG_FORMAT",
        hide_env_values = true,
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: String,

    /// Whether a resource may bring its own credentials with `credentialsSecretRef`
    #[arg(
        long,
        env = "DWS_OPERATOR_ALLOW_NAMESPACE_CREDENTIALS",
        hide_env_values = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "true"
    )]
    pub allow_namespace_credentials: String,

    /// Whether `HW_AUTH_URL` and `DWS_ENDPOINT` may be plain http
    #[arg(
        long,
        env = "DWS_OPERATOR_ALLOW_INSECURE_ENDPOINTS",
        hide_env_values = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "false"
    )]
    pub allow_insecure_endpoints: String,

    /// File of PEM certificates to trust besides the system's, for the service and IAM
    #[arg(
        long,
        env = "DWS_OPERATOR_CA_BUNDLE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub ca_bundle: Option<String>,

    /// Language of the service's messages (`X-Language`): `en_us` or `zh_cn`
    #[arg(
        long,
        env = "DWS_OPERATOR_SERVICE_LANGUAGE",
        hide_env_values = true,
        value_name = "LANGUAGE",
        default_value = "en_us"
    )]
    pub service_language: String,
}

/// The variable of a flag (`poll-interval` gives `DWS_OPERATOR_POLL_INTERVAL`).
pub fn variable_of(flag: &str) -> String {
    format!("{PREFIX}{}", flag.to_uppercase().replace('-', "_"))
}

/// The flags of `dws-operator run`, without the dashes.
pub fn run_flags() -> Vec<String> {
    let command = Cli::command();
    let run = command.find_subcommand("run");
    run.into_iter()
        .flat_map(clap::Command::get_arguments)
        .filter_map(|argument| argument.get_long().map(str::to_owned))
        .filter(|flag| flag != "help" && flag != "version")
        .collect()
}

/// What clap refused, in one line: its message and its tips without the usage.
pub fn one_line(error: &clap::Error) -> String {
    if let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg)
        && let Some(line) = credential_flag(argument)
    {
        return line;
    }
    let rendered = error.render().to_string();
    let told = rendered
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty());
    let line = told.collect::<Vec<_>>().join("; ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    super::config_error::printable(line)
}

/// Credentials as flags are a mistake that deserves its own answer.
fn credential_flag(argument: &str) -> Option<String> {
    let name = argument
        .trim_start_matches('-')
        .split(['=', ' '])
        .next()?
        .to_uppercase()
        .replace('-', "_");
    let name = name.strip_prefix("HW_").unwrap_or(&name);
    let variable = variables::VARIABLES.iter().find(|variable| {
        variable.name.strip_prefix("HW_").unwrap_or(variable.name) == name || variable.name == name
    })?;
    Some(format!(
        "--{}: there is no such flag, an argument list is visible to everybody; set the environment variable {}",
        name.to_lowercase().replace('_', "-"),
        variable.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_the_variable_of_its_name() {
        let command = Cli::command();
        let run = command.find_subcommand("run").unwrap();
        for argument in run.get_arguments() {
            let Some(flag) = argument.get_long().filter(|flag| *flag != "help") else {
                continue;
            };
            let variable = argument.get_env().and_then(|name| name.to_str());
            assert_eq!(variable, Some(variable_of(flag).as_str()), "--{flag}");
        }
    }

    #[test]
    fn no_flag_takes_a_variable_that_kubernetes_sets_for_a_service() {
        for flag in run_flags() {
            assert!(!variables::is_service_link(&variable_of(&flag)), "--{flag}");
        }
    }

    #[test]
    fn no_flag_takes_a_credential() {
        for flag in run_flags() {
            for word in ["key", "password", "secret", "token"] {
                assert!(!flag.contains(word), "--{flag}");
            }
        }
    }

    #[test]
    fn what_clap_refuses_is_one_line() {
        let rows: [(&[&str], &str); 7] = [
            (&["dws-operator"], "requires a subcommand"),
            (&["dws-operator", "walk"], "'walk'"),
            (
                &["dws-operator", "run", "--pol-interval=5s"],
                "--poll-interval",
            ),
            (&["dws-operator", "run", "--listen"], "--listen"),
            (&["dws-operator", "run", "extra"], "'extra'"),
            (&["dws-operator", "crd", "--listen=1"], "--listen"),
            (
                &["dws-operator", "run", "--listen=a", "--listen=b"],
                "--listen",
            ),
        ];
        for (args, part) in rows {
            let line = one_line(&Cli::try_parse_from(args).unwrap_err());
            assert!(
                !line.contains('\n') && line.contains(part),
                "{args:?}: {line}"
            );
        }
    }

    #[test]
    fn a_credential_as_a_flag_is_refused_without_repeating_it() {
        for args in [
            ["dws-operator", "run", "--secret-key=canary"],
            ["dws-operator", "run", "--hw-secret-key=canary"],
            ["dws-operator", "run", "--user-password=canary"],
        ] {
            let line = one_line(&Cli::try_parse_from(args).unwrap_err());
            assert!(line.contains("HW_"), "{line}");
            assert!(!line.contains("canary"), "{line}");
        }
    }
}
