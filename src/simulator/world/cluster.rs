//! One cluster: what the service tells of it, and what it keeps to itself.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::task::Task;
use super::tracked::Tracked;

/// One cluster of the world.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Order of creation; the world's own key.
    pub(crate) serial: u64,
    /// UUID.
    pub id: String,
    /// The project that it belongs to.
    pub project_id: String,
    /// When the create or restore was accepted.
    pub created: Timestamp,
    pub(crate) state: Tracked<State>,
    pub(crate) task: Option<Task>,
    pub(crate) secrets: Secrets,
    /// Refuses work until then, although nothing shows.
    pub(crate) busy_until: Option<Timestamp>,
    /// The list item as text, and the rendering it is of.
    pub(crate) rendered: Option<(u64, String)>,
}

/// The visible part; what changes is remembered for reads that lag.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Cluster name.
    pub name: String,
    /// `CREATING`, `AVAILABLE`, ...
    pub status: String,
    /// `NORMAL`, ...; none while creating.
    pub sub_status: Option<String>,
    /// `GROWING`, ...; a failed task leaves its word here.
    pub task_status: Option<String>,
    /// The moving part of `action_progress`.
    pub progress: Option<Progress>,
    /// Flavour.
    pub node_type: String,
    /// Nodes in use.
    pub node_count: u32,
    /// Coordinators.
    pub coordinator_count: u32,
    /// VPC, subnet, security group, zone.
    pub network: Network,
    /// Database port.
    pub port: u16,
    /// Administrator.
    pub user_name: String,
    /// Enterprise project, `0` by default.
    pub enterprise_project_id: String,
    /// Public address, as asked for at the creation.
    pub public_ip: Option<PublicIp>,
    /// The running or failed resize.
    pub resize: Option<Resize>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Last change.
    pub updated: Timestamp,
    /// Counter of events.
    pub recent_events: u32,
}

/// Where a cluster sits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// UUID of the VPC.
    pub vpc_id: String,
    /// UUID of the subnet.
    pub subnet_id: String,
    /// UUID of the security group.
    pub security_group_id: String,
    /// Zone.
    pub availability_zone: String,
}

/// Progress of a task, which moves with the clock, or a fixed word from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Key in `action_progress`.
    pub key: String,
    /// 0 % then.
    pub from: Timestamp,
    /// 100 % then.
    pub until: Timestamp,
    /// Instead of a percentage.
    pub fixed: Option<String>,
}

impl Progress {
    /// `20%`
    pub fn value(&self, at: Timestamp) -> String {
        if let Some(fixed) = &self.fixed {
            return fixed.clone();
        }
        let whole = self.until.duration_since(self.from).as_millis().max(1);
        let done = at.duration_since(self.from).as_millis();
        format!("{}%", (done.saturating_mul(100) / whole).clamp(0, 100))
    }
}

/// A public address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicIp {
    /// `auto_assign`, `not_use`, `bind_existing`.
    pub bind_type: String,
    /// UUID; none with `not_use`.
    pub eip_id: Option<String>,
    /// The address itself.
    pub address: Option<String>,
}

/// `resize_info`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resize {
    /// Nodes before.
    pub origin: u32,
    /// Nodes afterwards.
    pub target: u32,
    /// `GROWING`, `RESIZE_FAILURE`, ...
    pub status: String,
    /// When GROWING began.
    pub started: Timestamp,
}

/// `failed_reasons`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `DWS.6000`, ...
    pub code: &'static str,
    /// English text.
    pub message: &'static str,
}

/// All passwords that the administrator ever had, the last one in force; only as digests.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secrets(Vec<[u8; 32]>);

impl Secrets {
    pub fn new(password: &str) -> Self {
        Self(vec![digest(password)])
    }

    pub fn push(&mut self, password: &str) {
        self.0.push(digest(password));
    }

    pub fn version(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    pub fn in_force(&self, password: &str) -> bool {
        self.0.last() == Some(&digest(password))
    }

    pub fn ever_used(&self, password: &str) -> bool {
        self.0.contains(&digest(password))
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets(version {})", self.version())
    }
}

fn digest(password: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"administrator:")
        .chain_update(password)
        .finalize()
        .into()
}

impl Cluster {
    /// The true state, without any lag.
    pub fn state(&self) -> &State {
        self.state.now()
    }

    /// Which password is in force, counted from 1.
    pub fn password_version(&self) -> u32 {
        self.secrets.version()
    }

    /// A task is running. Words of failed tasks, and waiting for a redistribution, are none.
    pub fn is_working(&self) -> bool {
        self.task.is_some()
            || self.state().task_status.as_deref().is_some_and(|word| {
                !word.ends_with("_FAILURE")
                    && !word.ends_with("_FAILED")
                    && !matches!(
                        word,
                        "" | "WAITING_REDISTRIBUTION" | "REDISTRIBUTION_PAUSED"
                    )
            })
    }
}

/// One snapshot of the world.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Order of creation; the world's own key.
    pub(crate) serial: u64,
    /// UUID.
    pub id: String,
    /// The project that it belongs to.
    pub project_id: String,
    /// Snapshot name.
    pub name: String,
    /// Description, empty where none was given.
    pub description: String,
    /// The cluster that it is of; may be gone.
    pub cluster_id: String,
    /// Taken by the nightly policy.
    pub automated: bool,
    /// When it was begun.
    pub started: Timestamp,
    pub(crate) state: Tracked<SnapshotState>,
    /// What a restore makes of it.
    pub(crate) content: Content,
    /// Restores that are running from it.
    pub(crate) restores: u32,
    /// To go as soon as the last restore from it has ended.
    pub(crate) doomed: bool,
}

impl Snapshot {
    /// The true state, without any lag.
    pub fn state(&self) -> &SnapshotState {
        self.state.now()
    }
}

/// The visible part that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotState {
    /// `CREATING`, `AVAILABLE`, `UNAVAILABLE`, ...
    pub status: String,
    /// When it was complete.
    pub finished: Option<Timestamp>,
    /// GB.
    pub size: f64,
}

/// The cluster as it was when the snapshot was begun, its administrator and password included: a restored
/// cluster is logged in to with the password of that time.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub node_type: String,
    pub node_count: u32,
    pub coordinator_count: u32,
    pub network: Network,
    pub user_name: String,
    pub enterprise_project_id: String,
    pub secrets: Secrets,
}
