//! The environment variables that are not flags: credentials, region, endpoints, log level.
//!
//! It knows names and texts, for the help, the documentation and [`super::config`]; the values are
//! judged there. The names are those that Huawei Cloud's Terraform provider reads.

use std::fmt::Write as _;

use super::cli::{PREFIX, run_flags, variable_of};

/// One variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it means, one line.
    pub help: &'static str,
    /// What holds when it is not set; empty: nothing.
    pub default: &'static str,
    /// Its value must never be shown.
    pub secret: bool,
}

const fn plain(name: &'static str, help: &'static str, default: &'static str) -> Variable {
    Variable {
        name,
        help,
        default,
        secret: false,
    }
}

const fn secret(name: &'static str, help: &'static str) -> Variable {
    Variable {
        name,
        help,
        default: "",
        secret: true,
    }
}

/// All of them, in the order of the documentation.
pub const VARIABLES: &[Variable] = &[
    plain(
        "HW_REGION_NAME",
        "Region of the operator's own account, such as ap-southeast-3",
        "",
    ),
    plain(
        "HW_PROJECT_NAME",
        "Project of that region, by name",
        "the region",
    ),
    plain(
        "HW_PROJECT_ID",
        "Project by id; saves a request to IAM and wins over the name",
        "",
    ),
    secret(
        "HW_ACCESS_KEY",
        "Access key; with HW_SECRET_KEY it wins over user and password",
    ),
    secret("HW_SECRET_KEY", "Secret key that belongs to HW_ACCESS_KEY"),
    secret(
        "HW_SECURITY_TOKEN",
        "Security token that belongs to a temporary access key",
    ),
    plain("HW_DOMAIN_NAME", "Account (IAM domain) of HW_USER_NAME", ""),
    plain(
        "HW_USER_NAME",
        "IAM user; with HW_DOMAIN_NAME and HW_USER_PASSWORD instead of the keys",
        "",
    ),
    secret("HW_USER_PASSWORD", "Password of HW_USER_NAME"),
    plain(
        "HW_CLOUD",
        "Domain of the cloud, for https://dws.REGION.CLOUD and https://iam.REGION.CLOUD",
        "myhuaweicloud.com",
    ),
    plain(
        "HW_AUTH_URL",
        "IAM at another address, with or without /v3",
        "",
    ),
    plain(
        "DWS_ENDPOINT",
        "The service at another address, without a version path",
        "",
    ),
    plain(
        "RUST_LOG",
        "Log level, or levels by module, such as info,dws_operator=debug",
        "info",
    ),
    plain(
        "KUBECONFIG",
        "Kubeconfig file; Kubernetes access is inferred as kubectl does",
        "~/.kube/config, else the Pod's service account",
    ),
];

/// The part of the help that lists them.
pub fn help() -> String {
    let mut text = String::from("Environment variables without a flag:\n");
    let width = VARIABLES.iter().map(|v| v.name.len()).max().unwrap_or(0);
    for variable in VARIABLES {
        let _ = write!(text, "  {:width$}  {}", variable.name, variable.help);
        if !variable.default.is_empty() {
            let _ = write!(text, " [default: {}]", variable.default);
        }
        text.push('\n');
    }
    text.push_str("\nDurations are written 500ms, 60s, 10m. Flags win over their variables.");
    text
}

/// Whether Kubernetes sets a variable of this form for a Service named `dws-operator...`.
pub fn is_service_link(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.ends_with("_PORT")
        || name.contains("_PORT_")
}

/// Names of our prefix that mean nothing, among these: most likely misspelt.
pub fn misspelt<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let known = run_flags()
        .iter()
        .map(|flag| variable_of(flag))
        .collect::<Vec<_>>();
    let mut found = names
        .filter(|name| name.starts_with(PREFIX) && !is_service_link(name))
        .filter(|name| !known.iter().any(|known| known == name))
        .map(str::to_owned)
        .collect::<Vec<_>>();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_links_are_not_misspelt_settings() {
        let names = [
            "DWS_OPERATOR_PORT",
            "DWS_OPERATOR_SERVICE_HOST",
            "DWS_OPERATOR_SERVICE_PORT_HTTP",
            "DWS_OPERATOR_PORT_8080_TCP_ADDR",
            "DWS_OPERATOR_METRICS_SERVICE_HOST",
            "DWS_OPERATOR_LISTEN",
            "HOME",
        ];
        assert!(misspelt(names.into_iter()).is_empty());
    }

    #[test]
    fn a_misspelt_setting_is_found() {
        let names = ["DWS_OPERATOR_POL_INTERVAL", "DWS_OPERATOR_POLL_INTERVAL"];
        assert_eq!(misspelt(names.into_iter()), ["DWS_OPERATOR_POL_INTERVAL"]);
    }
}
