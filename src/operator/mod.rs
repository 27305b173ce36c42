//! The program `dws-operator`: its settings, its start and end, its metrics and health.
//!
//! It puts the other layers together and decides nothing about warehouses. The binary calls [`main`].

pub mod census;
pub mod check;
pub mod cli;
pub mod config;
pub mod config_account;
pub mod config_error;
pub mod docs;
pub mod health;
pub mod kubernetes;
pub mod lease;
pub mod logging;
pub mod metered;
pub mod metrics;
pub mod observe;
pub mod run;
pub mod service;
pub mod signals;
pub mod variables;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use zeroize::Zeroize;

use self::cli::{Cli, Command};
use self::config::{Config, Environment};
use self::config_error::ConfigError;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The revision that it was built from, where the build told it.
pub const REVISION: &str = match option_env!("DWS_OPERATOR_BUILD_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// Threads that run tasks. The operator waits for answers nearly all of the time, and the allocator keeps
/// freed memory for each thread apart, so a second one would cost memory and bring nothing.
const WORKERS: usize = 1;

/// Exit code of a wrong setting.
const WRONG_SETTING: u8 = 2;

/// The whole program: reads arguments and environment, does what they say.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused_by_clap(&error),
    };
    match cli.command {
        Command::Crd => print_crds(),
        Command::Check(args) => judged(start(&args.run, |config| {
            check::check(config, args.require_account)
        })),
        Command::Run(args) => judged(start(&args, run::run)),
    }
}

fn judged(ended: Result<ExitCode, ConfigError>) -> ExitCode {
    ended.unwrap_or_else(|error| {
        complain(&error.to_string());
        ExitCode::from(WRONG_SETTING)
    })
}

/// Reads the settings and does this with them.
fn start<W: Future<Output = Result<ExitCode, ConfigError>>>(
    args: &cli::RunArgs,
    work: impl FnOnce(Config) -> W,
) -> Result<ExitCode, ConfigError> {
    let (config, levels) = {
        // It holds secrets in plain text, so it does not outlive their way into the settings.
        let environment = Fleeting(environment()?);
        let config = Config::new(args, &environment.0, &|path| std::fs::read(path))?;
        let levels = logging::levels(environment.0.get("RUST_LOG").map(String::as_str))?;
        (config, levels)
    };
    logging::start(config.log_format, levels);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("the runtime cannot start: {error}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    let code = runtime.block_on(work(config));
    // Threads that resolve a name cannot be stopped; the process does not wait for them.
    runtime.shutdown_background();
    code
}

/// The environment, whose values are overwritten when it goes.
struct Fleeting(Environment);

impl Fleeting {
    fn wipe(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

impl Drop for Fleeting {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// The environment as text. A variable that is ours and not UTF-8 is an error, another one is left out.
fn environment() -> Result<Environment, ConfigError> {
    let mut environment = Environment::new();
    for (name, value) in std::env::vars_os() {
        let Ok(name) = name.into_string() else {
            continue;
        };
        match value.into_string() {
            Ok(value) => {
                environment.insert(name, value);
            }
            Err(_) if variables::VARIABLES.iter().any(|v| v.name == name) => {
                return Err(ConfigError::invalid(
                    name,
                    "its value is not UTF-8",
                    "set it to plain text",
                ));
            }
            Err(_) => {}
        }
    }
    Ok(environment)
}

fn refused_by_clap(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody reads on: nothing to say it to.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        _ => {
            complain(&cli::one_line(error));
            ExitCode::from(WRONG_SETTING)
        }
    }
}

/// One line on standard error.
fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "error: {line}");
}

fn print_crds() -> ExitCode {
    match crds_yaml() {
        Ok(yaml) => match std::io::stdout().write_all(yaml.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            complain(&format!("the definitions cannot be written: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Both definitions as one YAML stream.
pub fn crds_yaml() -> Result<String, serde_yaml_ng::Error> {
    let mut yaml = String::new();
    for crd in crate::api::crds() {
        yaml.push_str("---\n");
        yaml.push_str(&serde_yaml_ng::to_string(&crd)?);
    }
    Ok(yaml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wiped_environment_holds_no_value() {
        let pair = ("HW_SECRET_KEY".to_owned(), "sk-canary".to_owned());
        let mut environment = Fleeting(Environment::from([pair]));
        environment.wipe();
        assert!(environment.0.values().all(String::is_empty));
    }
}
