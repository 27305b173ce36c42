//! What a service is set up with: its region, who may use it, how long things take, what is to be had.
//!
//! It knows values and their defaults. It must not know where they come from (flags, environment, a test).

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;

/// Everything that a [`Service`](super::Service) is made from. `Settings::default()` is what
/// `dws-simulator` uses without flags.
#[derive(Clone)]
pub struct Settings {
    /// Region, `cn-north-4`.
    pub region: String,
    /// Project id of the main account.
    pub project_id: String,
    /// Project name of the main account; as on the real service, the default project bears the region's name.
    pub project_name: String,
    /// Access key of the main account.
    pub access_key: String,
    /// Its secret key.
    pub secret_key: String,
    /// Where set, the key above is a temporary one and every signed request must bear this token.
    pub security_token: Option<String>,
    /// A second, temporary key of the main account.
    pub temporary_key: Option<AccessKey>,
    /// Account (domain) name.
    pub domain: String,
    /// IAM user.
    pub user: String,
    /// Its password.
    pub password: String,
    /// More accounts, each with projects, keys and users of its own.
    pub accounts: Vec<Account>,
    /// Where all randomness comes from: same seed, same requests, same ledger.
    pub seed: u64,
    /// Divides the durations of tasks and the interval of automated snapshots; nothing else.
    pub speed: f64,
    /// How long tasks take, before `speed`.
    pub durations: Durations,
    /// By how much a duration may differ from its setting, 0.0-0.9: 0.2 means 80-120 %.
    pub jitter: f64,
    /// Nodes that all clusters of one project may have together.
    pub node_quota: u32,
    /// The flavours there are.
    pub node_types: Vec<NodeType>,
    /// The zones there are; the first one is the default.
    pub availability_zones: Vec<String>,
    /// Flavours that are refused at the call (DWS.5200).
    pub sold_out: BTreeSet<String>,
    /// Flavours whose create is accepted and ends in `CREATION FAILED`.
    pub sold_out_later: BTreeSet<String>,
    /// Ids of VPCs, subnets, security groups and EIPs that do not exist. Any other UUID does.
    pub missing: BTreeSet<String>,
    /// Requests above this rate get 429. `None`: no limit.
    pub throttle: Option<Throttle>,
    /// How long a token is valid.
    pub token_life: Duration,
    /// Nightly snapshots. `None`: none.
    pub automated_snapshots: Option<AutomatedSnapshots>,
    /// How many received requests are kept for inspection.
    pub request_log: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: "cn-north-4".to_owned(),
            project_id: "05f2e1b8c3d94a7fb6085c2d1e9f7a34".to_owned(),
            project_name: "cn-north-4".to_owned(),
            access_key: "SIMULATORACCESSKEY01".to_owned(),
            secret_key: "SimulatorSecretKeyForTryingThings0000001".to_owned(),
            security_token: None,
            temporary_key: Some(AccessKey {
                access_key: "SIMULATORTEMPORARY01".to_owned(),
                secret_key: "SimulatorTemporarySecretForTryingThings1".to_owned(),
                security_token: Some("simulator-security-token-01".to_owned()),
            }),
            domain: "simulator".to_owned(),
            user: "operator".to_owned(),
            password: "Simulator-Passw0rd".to_owned(),
            accounts: Vec::new(),
            seed: 1,
            speed: 1.0,
            durations: Durations::default(),
            jitter: 0.2,
            node_quota: 30_000,
            node_types: NodeType::all(),
            availability_zones: ["a", "b", "c"]
                .map(|zone| format!("cn-north-4{zone}"))
                .to_vec(),
            sold_out: BTreeSet::new(),
            sold_out_later: BTreeSet::new(),
            missing: BTreeSet::new(),
            throttle: None,
            token_life: Duration::from_hours(24),
            automated_snapshots: Some(AutomatedSnapshots::default()),
            request_log: 20_000,
        }
    }
}

impl Settings {
    /// All accounts: the main one, put together from the single fields, then the extra ones.
    pub(super) fn all_accounts(&self) -> Vec<Account> {
        let mut keys = vec![AccessKey {
            access_key: self.access_key.clone(),
            secret_key: self.secret_key.clone(),
            security_token: self.security_token.clone(),
        }];
        keys.extend(self.temporary_key.clone());
        let main = Account {
            domain: self.domain.clone(),
            users: vec![User {
                name: self.user.clone(),
                password: self.password.clone(),
            }],
            keys,
            projects: vec![Project {
                id: self.project_id.clone(),
                name: self.project_name.clone(),
            }],
        };
        std::iter::once(main)
            .chain(self.accounts.iter().cloned())
            .collect()
    }
}

/// Secrets are left out.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("region", &self.region)
            .field("project_id", &self.project_id)
            .field("project_name", &self.project_name)
            .field("access_key", &self.access_key)
            .field("domain", &self.domain)
            .field("user", &self.user)
            .field("accounts", &self.accounts)
            .field("seed", &self.seed)
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}

/// One account with its users, keys and projects.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Account (domain) name.
    pub domain: String,
    /// IAM users that may ask for a token.
    #[serde(default)]
    pub users: Vec<User>,
    /// Access keys, permanent and temporary.
    #[serde(default)]
    pub keys: Vec<AccessKey>,
    /// Projects; the account sees no others.
    pub projects: Vec<Project>,
}

/// An IAM user.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// User name.
    pub name: String,
    /// Its password.
    pub password: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({})", self.name)
    }
}

/// An access key; with a security token it is a temporary one.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    /// The public half.
    pub access_key: String,
    /// The secret half.
    pub secret_key: String,
    /// What `X-Security-Token` must bear, for a temporary key.
    #[serde(default)]
    pub security_token: Option<String>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({})", self.access_key)
    }
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Project id, as in the paths.
    pub id: String,
    /// Project name; the default project bears the region's name.
    pub name: String,
}

/// How long things take on the real service, about; divided by [`Settings::speed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durations {
    /// CREATING (reference 5.1.1: 10-15 minutes).
    pub create: Duration,
    /// RESTORING into a new cluster.
    pub restore: Duration,
    /// Between an accepted resize and the first sign of it.
    pub resize_gap: Duration,
    /// The SNAPSHOTTING phase of a resize, where oddities ask for it.
    pub resize_snapshot: Duration,
    /// GROWING.
    pub grow: Duration,
    /// REDISTRIBUTING after the nodes are there.
    pub redistribute: Duration,
    /// REBOOTING.
    pub restart: Duration,
    /// SNAPSHOTTING.
    pub snapshot: Duration,
    /// DELETING.
    pub delete: Duration,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            create: Duration::from_mins(12),
            restore: Duration::from_mins(15),
            resize_gap: Duration::from_secs(40),
            resize_snapshot: Duration::from_mins(3),
            grow: Duration::from_mins(10),
            redistribute: Duration::from_mins(4),
            restart: Duration::from_mins(3),
            snapshot: Duration::from_mins(4),
            delete: Duration::from_mins(2),
        }
    }
}

/// When automated snapshots are taken and how long they are kept; divided by [`Settings::speed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutomatedSnapshots {
    /// From one to the next, and from a cluster's first AVAILABLE to its first.
    pub every: Duration,
    /// How long one is kept.
    pub keep: Duration,
}

impl Default for AutomatedSnapshots {
    fn default() -> Self {
        Self {
            every: Duration::from_hours(24),
            keep: Duration::from_hours(72),
        }
    }
}

/// A limit per account, counted in fixed windows as the gateway's message says
/// (`limit:100,time:1 minute`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Requests that pass in one window.
    pub limit: u32,
    /// Length of a window.
    pub window: Duration,
    /// Whether the 429 says when to come back.
    pub retry_after: bool,
}

/// A flavour (reference 5.1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeType {
    /// `dws.d1.xlarge`.
    pub spec_name: String,
    /// Its id.
    pub id: String,
    /// Virtual CPUs.
    pub cpus: u32,
    /// Memory in GB.
    pub memory: u32,
    /// `SSD` or `LOCAL_DISK`.
    pub disk_type: String,
    /// Disk in GB.
    pub disk: u32,
}

impl NodeType {
    /// The flavours of the reference's examples and some of later releases.
    pub fn all() -> Vec<Self> {
        [
            (
                "dws.d1.xlarge",
                "ebe532d6-665f-40e6-a4d4-3c51545b6a67",
                4,
                32,
                "LOCAL_DISK",
                1675,
            ),
            (
                "dws.d1.xlarge.ultrahigh",
                "5ddb1071-c5d7-40e0-a874-8a032e81a697",
                4,
                32,
                "LOCAL_DISK",
                1675,
            ),
            (
                "dws.m1.xlarge.ultrahigh",
                "ebe532d6-665f-40e6-a4d4-3c51545b4f71",
                4,
                32,
                "SSD",
                512,
            ),
            (
                "dws.m3.xlarge",
                "3b0ea5b3-6b52-4d9f-9a52-4f0c2a6de1f8",
                4,
                32,
                "SSD",
                200,
            ),
            (
                "dws2.m6.4xlarge.8",
                "9b76f8c4-1f3a-4b9a-8a39-6cf1cc0e6d25",
                16,
                128,
                "SSD",
                2000,
            ),
            (
                "dwsx2.4xlarge",
                "c1f0a7b2-88a3-4a28-9c65-0e6d3b7f5a14",
                16,
                128,
                "SSD",
                4000,
            ),
        ]
        .map(|(spec_name, id, cpus, memory, disk_type, disk)| Self {
            spec_name: spec_name.to_owned(),
            id: id.to_owned(),
            cpus,
            memory,
            disk_type: disk_type.to_owned(),
            disk,
        })
        .to_vec()
    }
}
