//! `dws-operator check`: one look at the operator's own account, for whoever has just given it one.
//!
//! It makes the reads that every resource depends on, in their order, and stops at the first that fails. It
//! changes nothing, needs no Kubernetes, and tells what came of each in a line.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use super::complain;
use super::config::Config;
use super::config_account;
use super::config_error::{ConfigError, printable};
use super::metrics::Metrics;
use super::service;
use crate::core::failures;
use crate::dws::Client;
use crate::dws::answer::Failure;
use crate::dws::clock::SystemClock;
use crate::dws::model::Listing;
use crate::dws::permit::Permit;

/// Looks once. Exit code 0 where everything was answered, 1 where something was not, or where an account is required
/// and there is none.
///
/// # Errors
/// A wrong setting.
pub async fn check(config: Config, require_account: bool) -> Result<ExitCode, ConfigError> {
    service::install_crypto();
    for warning in &config.warnings {
        say(&mut std::io::stderr(), &format!("warning: {warning}"));
    }
    let out = &mut std::io::stdout();
    let (transport, _) = service::transport(&config, &Metrics::new(), Permit::default())?;
    let Some(own) = service::own_credentials(&config)? else {
        if require_account {
            complain(
                "no account: no credentials of the operator's own were found; a Secret bears them as HW_ACCESS_KEY and \
                 HW_SECRET_KEY, or as HW_DOMAIN_NAME, HW_USER_NAME and HW_USER_PASSWORD",
            );
            return Ok(ExitCode::FAILURE);
        }
        say(
            out,
            "no account: the operator has no credentials of its own; each resource must name a Secret \
             (spec.credentialsSecretRef)",
        );
        return Ok(ExitCode::SUCCESS);
    };
    let kind = config_account::kind(&own.credential);
    let place = format!("{kind}, region {}", own.config.region);
    let client = Client::new(own.config, own.credential, transport, Arc::new(SystemClock));
    let looked = async {
        let project = client.project_id().await;
        let project = project.map_err(|failure| unread("the project's id", &failure))?;
        say(out, &format!("account: {place}, project {project}"));
        let clusters = client.list_clusters().await;
        let clusters = clusters.map_err(|failure| unread("the list of clusters", &failure))?;
        say(out, &format!("clusters: {}", whole("clusters", &clusters)?));
        let snapshots = client.list_snapshots().await;
        let snapshots = snapshots.map_err(|failure| unread("the list of snapshots", &failure))?;
        say(
            out,
            &format!("snapshots: {}", whole("snapshots", &snapshots)?),
        );
        Ok::<_, String>(())
    };
    Ok(match looked.await {
        Ok(()) => {
            say(out, "the account can be used");
            ExitCode::SUCCESS
        }
        Err(told) => {
            complain(&printable(&format!("{told} ({place})")));
            ExitCode::FAILURE
        }
    })
}

fn unread(what: &str, failure: &Failure) -> String {
    format!("{what} could not be read: {}", failures::text(failure))
}

/// How many there are. A list that is not whole proves nothing, and the operator would not go on with it.
fn whole<T>(what: &str, list: &Listing<T>) -> Result<usize, String> {
    if list.complete {
        return Ok(list.items.len());
    }
    Err(format!(
        "the list of {what} is not whole: it was cut short, or something in it was not understood. The operator \
         trusts no such list: look at what the service answers."
    ))
}

/// One line; who closed the stream does not want it.
fn say(to: &mut impl Write, line: &str) {
    let _ = writeln!(to, "{line}");
}
