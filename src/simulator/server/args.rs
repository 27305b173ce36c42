//! The command line and the environment, and the settings that follow from them.
//!
//! It knows flags, `HW_*` names and their defaults. Every error is one line that names the flag and the mend.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use super::is_local;
use crate::simulator::control::merged;
use crate::simulator::{Account, AutomatedSnapshots, Oddities, Settings, Throttle};

/// The DWS and IAM APIs on one port, for trying things without an account, and for tests.
///
/// Credentials, region and project are taken from the same HW_* variables as the operator takes; each has a
/// default, printed at the start. `curl http://ADDRESS/__sim/help` shows how to look behind the scenes.
#[derive(Debug, Parser)]
#[command(name = "dws-simulator", version, about)]
pub struct Args {
    /// Address and port; port 0 takes a free one, and the ready line says which
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:18080")]
    listen: SocketAddr,
    /// Listen on an address that others can reach: anybody there can then change this world
    #[arg(long)]
    allow_remote: bool,
    /// Divides how long tasks take: at 100 a create of 12 minutes takes 7 seconds
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    speed: f64,
    /// Where ids and the spread of durations come from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// By how much durations differ, 0.0-0.9
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    jitter: f64,
    /// Nodes that all clusters of a project may have together
    #[arg(long, value_name = "NODES", default_value_t = 30_000)]
    node_quota: u32,
    /// A flavour that is refused as sold out (repeatable)
    #[arg(long, value_name = "NODE_TYPE")]
    sold_out: Vec<String>,
    /// A flavour whose creates are accepted and fail later (repeatable)
    #[arg(long, value_name = "NODE_TYPE")]
    sold_out_later: Vec<String>,
    /// Id of a VPC, subnet, security group or EIP that does not exist; any other does (repeatable)
    #[arg(long, value_name = "UUID", value_parser = uuid)]
    missing: Vec<String>,
    /// Requests per account and time that pass, `100/1m`; 429 above
    #[arg(long, value_name = "COUNT/TIME", value_parser = throttle)]
    throttle: Option<Throttle>,
    /// 429 says when to come back
    #[arg(long)]
    throttle_retry_after: bool,
    /// How long a token is valid; not divided by the speed
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration)]
    token_life: Duration,
    /// From one automated snapshot of a cluster to the next, or `off`; divided by the speed
    #[arg(long, value_name = "TIME", default_value = "24h")]
    automated_snapshots: String,
    /// After how long a connection that is to get no answer is closed all the same
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    hang: Duration,
    /// JSON file with one more account: domain, users, keys, projects (repeatable)
    #[arg(long, value_name = "FILE")]
    account: Vec<PathBuf>,
    /// Oddities to begin with, as JSON: `{"count": "text"}`
    #[arg(long, value_name = "JSON")]
    oddities: Option<String>,
    /// Region
    #[arg(long, env = "HW_REGION_NAME", value_name = "REGION")]
    region: Option<String>,
    /// Project id
    #[arg(long, env = "HW_PROJECT_ID", value_name = "ID")]
    project_id: Option<String>,
    /// Project name; the region's by default
    #[arg(long, env = "HW_PROJECT_NAME", value_name = "NAME")]
    project_name: Option<String>,
    /// Access key that is accepted
    #[arg(
        long,
        env = "HW_ACCESS_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    access_key: Option<String>,
    /// Its secret key
    #[arg(
        long,
        env = "HW_SECRET_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    secret_key: Option<String>,
    /// Makes the key a temporary one that needs this token
    #[arg(
        long,
        env = "HW_SECURITY_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    security_token: Option<String>,
    /// Account (domain) name
    #[arg(long, env = "HW_DOMAIN_NAME", value_name = "NAME")]
    domain_name: Option<String>,
    /// IAM user
    #[arg(long, env = "HW_USER_NAME", value_name = "NAME")]
    user_name: Option<String>,
    /// Its password
    #[arg(
        long,
        env = "HW_USER_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true
    )]
    user_password: Option<String>,
}

/// A command line that holds.
pub(super) struct Prepared {
    pub listen: SocketAddr,
    pub settings: Settings,
    pub oddities: Oddities,
    pub hang: Duration,
    speed: f64,
}

impl Args {
    pub(super) fn prepare(self) -> Result<Prepared, String> {
        if !is_local(self.listen) && !self.allow_remote {
            return Err(format!(
                "--listen {}: others could reach it; take 127.0.0.1, or add --allow-remote",
                self.listen
            ));
        }
        if !(self.speed > 0.0 && self.speed <= 1e6) {
            return Err(format!("--speed {}: above 0, at most 1000000", self.speed));
        }
        if !(0.0..=0.9).contains(&self.jitter) {
            return Err(format!("--jitter {}: 0.0 to 0.9", self.jitter));
        }
        let automated_snapshots = match self.automated_snapshots.as_str() {
            "off" => None,
            text => {
                let every = duration(text)
                    .map_err(|error| format!("--automated-snapshots {text}: {error}"))?;
                Some(AutomatedSnapshots {
                    every,
                    keep: every * 3,
                })
            }
        };
        let oddities = match &self.oddities {
            None => Oddities::default(),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| error.to_string())
                .and_then(|value| merged(&Oddities::default(), value))
                .map_err(|error| format!("--oddities: {error}"))?,
        };
        let mut accounts = Vec::new();
        for file in &self.account {
            let account = std::fs::read_to_string(file)
                .map_err(|error| error.to_string())
                .and_then(|text| {
                    serde_json::from_str::<Account>(&text).map_err(|error| error.to_string())
                })
                .map_err(|error| format!("--account {}: {error}", file.display()))?;
            accounts.push(account);
        }
        let (listen, hang, speed) = (self.listen, self.hang, self.speed);
        let mut settings = self.settings(accounts)?;
        settings.automated_snapshots = automated_snapshots;
        Ok(Prepared {
            listen,
            settings,
            oddities,
            hang,
            speed,
        })
    }

    fn settings(self, accounts: Vec<Account>) -> Result<Settings, String> {
        let default = Settings::default();
        // An empty variable is none.
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        let access_key = given(self.access_key);
        let secret_key = given(self.secret_key);
        if access_key.is_some() != secret_key.is_some() {
            return Err("HW_ACCESS_KEY and HW_SECRET_KEY: give both or none".to_owned());
        }
        let region = given(self.region).unwrap_or(default.region);
        let known: Vec<String> = default
            .node_types
            .iter()
            .map(|known| known.spec_name.clone())
            .collect();
        for flavour in self.sold_out.iter().chain(&self.sold_out_later) {
            if !known.contains(flavour) {
                return Err(format!("--sold-out {flavour}: one of {}", known.join(", ")));
            }
        }
        let throttle = self.throttle.map(|throttle| Throttle {
            retry_after: self.throttle_retry_after,
            ..throttle
        });
        Ok(Settings {
            project_name: given(self.project_name).unwrap_or_else(|| region.clone()),
            availability_zones: ["a", "b", "c"]
                .map(|zone| format!("{region}{zone}"))
                .to_vec(),
            region,
            project_id: given(self.project_id).unwrap_or(default.project_id),
            access_key: access_key.unwrap_or(default.access_key),
            secret_key: secret_key.unwrap_or(default.secret_key),
            security_token: given(self.security_token),
            domain: given(self.domain_name).unwrap_or(default.domain),
            user: given(self.user_name).unwrap_or(default.user),
            password: given(self.user_password).unwrap_or(default.password),
            accounts,
            seed: self.seed,
            speed: self.speed,
            jitter: self.jitter,
            node_quota: self.node_quota,
            sold_out: self.sold_out.into_iter().collect(),
            sold_out_later: self.sold_out_later.into_iter().collect(),
            missing: self.missing.into_iter().collect(),
            throttle,
            token_life: self.token_life,
            ..default
        })
    }
}

impl Prepared {
    /// What is said at the start. Defaults of ours are shown, what the user set is not.
    pub fn banner(&self, address: SocketAddr) -> String {
        let default = Settings::default();
        let settings = &self.settings;
        let shown = |value: &str, default: &str, variable: &str| {
            if value == default {
                value.to_owned()
            } else {
                format!("\"${variable}\"")
            }
        };
        let secret = shown(&settings.secret_key, &default.secret_key, "HW_SECRET_KEY");
        let password = shown(&settings.password, &default.password, "HW_USER_PASSWORD");
        // What listens everywhere is reached here by loopback.
        let host = if address.ip().is_unspecified() {
            SocketAddr::new(IpAddr::from([127, 0, 0, 1]), address.port())
        } else {
            address
        };
        let security = match &settings.security_token {
            Some(_) => " HW_SECURITY_TOKEN=\"$HW_SECURITY_TOKEN\"".to_owned(),
            None => String::new(),
        };
        let temporary = settings
            .temporary_key
            .as_ref()
            .map_or_else(String::new, |key| {
                format!(
                    "  or        access key {}, secret key {}, security token {}\n",
                    key.access_key,
                    key.secret_key,
                    key.security_token.as_deref().unwrap_or_default(),
                )
            });
        let flavours: Vec<&str> = settings
            .node_types
            .iter()
            .map(|known| known.spec_name.as_str())
            .collect();
        format!(
            "DWS and IAM of region {} on http://{host}; seed {}, tasks {} times as fast as real\n  \
             project   {} ({})\n  \
             accepts   access key {}, secret key {secret}\n\
             {temporary}  \
             or        user {} of {}, password {password}\n  \
             flavours  {}\n  \
             inspect   curl http://{host}/__sim/help\n\
             Point the operator at it:\n  \
             export HW_AUTH_URL=http://{host} DWS_ENDPOINT=http://{host} HW_REGION_NAME={} \
             HW_PROJECT_NAME={} HW_ACCESS_KEY={} HW_SECRET_KEY={secret}{security}\n  \
             dws-operator run --allow-insecure-endpoints\n\
             Times below are UTC.",
            settings.region,
            settings.seed,
            self.speed,
            settings.project_id,
            settings.project_name,
            settings.access_key,
            settings.user,
            settings.domain,
            flavours.join(", "),
            settings.region,
            settings.project_name,
            settings.access_key,
        )
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "a duration such as 500ms, 60s, 10m, 24h".to_owned())
}

fn uuid(text: &str) -> Result<String, String> {
    uuid::Uuid::try_parse(text)
        .map(|id| id.to_string())
        .map_err(|_| "a UUID such as 85b20d7e-9eb7-4b2a-98f3-3c8843ea3571".to_owned())
}

fn throttle(text: &str) -> Result<Throttle, String> {
    let parts = text
        .split_once('/')
        .and_then(|(limit, window)| Some((limit.parse::<u32>().ok()?, duration(window).ok()?)));
    parts
        .map(|(limit, window)| Throttle {
            limit,
            window,
            retry_after: false,
        })
        .ok_or_else(|| "a count and a time such as 100/1m".to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn prepared(flags: &[&str]) -> Result<Prepared, String> {
        let flags = std::iter::once("dws-simulator").chain(flags.iter().copied());
        Args::try_parse_from(flags)
            .map_err(|error| error.to_string())?
            .prepare()
    }

    #[rstest]
    #[case(&["--listen", "0.0.0.0:1"], "--allow-remote")]
    #[case(&["--speed", "0"], "--speed")]
    #[case(&["--speed", "NaN"], "--speed")]
    #[case(&["--jitter", "1"], "--jitter")]
    #[case(&["--throttle", "100"], "100/1m")]
    #[case(&["--automated-snapshots", "never"], "--automated-snapshots")]
    #[case(&["--sold-out", "dws.d9"], "dws.d1.xlarge")]
    #[case(&["--missing", "my-vpc"], "--missing")]
    #[case(&["--oddities", r#"{"cuont": "text"}"#], "cuont")]
    #[case(&["--account", "/does/not/exist.json"], "--account")]
    #[case(&["--access-key", "A", "--secret-key", ""], "HW_SECRET_KEY")]
    fn a_wrong_flag_is_named(#[case] flags: &[&str], #[case] named: &str) {
        let error = prepared(flags).err().unwrap();
        assert!(error.contains(named), "{error}");
    }

    #[test]
    fn the_banner_shows_defaults_and_hides_what_the_user_set() {
        let address = SocketAddr::from(([127, 0, 0, 1], 18080));
        let banner = prepared(&[]).unwrap().banner(address);
        assert!(
            banner.contains("HW_SECRET_KEY=SimulatorSecretKey"),
            "{banner}"
        );
        assert!(
            banner.contains("HW_AUTH_URL=http://127.0.0.1:18080"),
            "{banner}"
        );
        let flags = [
            "--access-key",
            "A",
            "--secret-key",
            "canary",
            "--user-password",
            "canary",
        ];
        let banner = prepared(&flags).unwrap().banner(address);
        assert!(!banner.contains("canary"), "{banner}");
        assert!(
            banner.contains("HW_SECRET_KEY=\"$HW_SECRET_KEY\""),
            "{banner}"
        );
    }

    #[test]
    fn zones_and_project_follow_the_region() {
        let settings = prepared(&["--region", "eu-west-101"]).unwrap().settings;
        assert_eq!(settings.project_name, "eu-west-101");
        assert_eq!(settings.availability_zones[0], "eu-west-101a");
    }
}
