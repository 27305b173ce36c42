//! What others do to a warehouse without this API: people at the console, failing hardware, unpaid bills.
//!
//! Such a change asks nobody's permission. It knows the world's states; it must not know requests.

use serde::Deserialize;
use thiserror::Error;

use super::cluster::Progress;
use super::create::{Create, NetworkWish};
use super::{Caller, World};
use crate::simulator::ledger::{By, EffectKind};
use crate::simulator::refusal::Refusal;

/// A change from outside. `cluster` and `snapshot` are an id or a name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outside {
    /// The console creates a cluster (it comes up like any other).
    Create {
        /// Project; the main one by default.
        #[serde(default)]
        project: Option<String>,
        /// Cluster name.
        name: String,
        /// Flavour.
        node_type: String,
        /// Nodes.
        nodes: u32,
        /// Password of `dbadmin`.
        password: String,
    },
    /// The console adds nodes, with all phases of a resize.
    Resize {
        /// Which cluster.
        cluster: String,
        /// Nodes to add.
        added: u32,
    },
    /// The node count is another one at once, smaller or larger.
    SetNodes {
        /// Which cluster.
        cluster: String,
        /// Nodes afterwards.
        nodes: u32,
    },
    /// The console deletes the cluster, with the DELETING phase.
    Delete {
        /// Which cluster.
        cluster: String,
        /// As in a DELETE.
        #[serde(default)]
        keep_last_manual_snapshot: u32,
    },
    /// The cluster is gone at once.
    Vanish {
        /// Which cluster.
        cluster: String,
    },
    /// The console restarts the cluster.
    Restart {
        /// Which cluster.
        cluster: String,
    },
    /// The console changes the password.
    SetPassword {
        /// Which cluster.
        cluster: String,
        /// The new one.
        password: String,
    },
    /// The console renames the cluster.
    Rename {
        /// Which cluster.
        cluster: String,
        /// The new name.
        name: String,
    },
    /// Another status (`UNAVAILABLE`, `FROZEN`, any word), until the next such change or the end of a task.
    SetStatus {
        /// Which cluster.
        cluster: String,
        /// The word.
        status: String,
    },
    /// Another sub-status (`DEGRADED`, `READONLY | DEGRADED`, any word); null for none.
    SetSubStatus {
        /// Which cluster.
        cluster: String,
        /// The word.
        sub_status: Option<String>,
    },
    /// Another task (`SETTING_CONFIGURATION`, any word), until it is ended by the same with null, which also ends
    /// a wait for redistribution and the running phase of a task of the service's own.
    SetTask {
        /// Which cluster.
        cluster: String,
        /// The word; null ends it.
        task: Option<String>,
        /// Value in `action_progress`.
        #[serde(default)]
        progress: Option<String>,
    },
    /// The running task will end badly.
    FailTask {
        /// Which cluster.
        cluster: String,
    },
    /// The running task ends now.
    FinishTask {
        /// Which cluster.
        cluster: String,
    },
    /// The console takes a snapshot.
    Snapshot {
        /// Which cluster.
        cluster: String,
        /// Snapshot name.
        name: String,
        /// By the nightly policy.
        #[serde(default)]
        automated: bool,
    },
    /// Another status of a snapshot.
    SetSnapshotStatus {
        /// Which snapshot.
        snapshot: String,
        /// The word.
        status: String,
    },
    /// The console deletes a snapshot.
    DeleteSnapshot {
        /// Which snapshot.
        snapshot: String,
    },
}

/// Why a change from outside did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OutsideError {
    /// Nothing of that id or name is there.
    #[error("no cluster or snapshot {0:?} is there: give its id or its name")]
    Unknown(String),
    /// The service itself refuses it.
    #[error("{0}")]
    Refused(String),
}

impl From<Refusal> for OutsideError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(format!("{}: {}", refusal.code, refusal.english))
    }
}

impl World {
    /// Does what somebody else did. Gives the id of what was changed or made.
    pub(crate) fn outside(&mut self, change: &Outside) -> Result<String, OutsideError> {
        match change {
            Outside::Create {
                project,
                name,
                node_type,
                nodes,
                password,
            } => {
                let project = project
                    .clone()
                    .unwrap_or_else(|| self.settings.project_id.clone());
                return self.console_create(project, name, node_type, *nodes, password);
            }
            Outside::SetSnapshotStatus { snapshot, status } => {
                let serial = self.named_snapshot(snapshot)?;
                self.edit_snapshot(serial, |state| status.clone_into(&mut state.status));
                return Ok(self.snapshots[&serial].id.clone());
            }
            Outside::DeleteSnapshot { snapshot } => {
                let serial = self.named_snapshot(snapshot)?;
                let id = self.snapshots[&serial].id.clone();
                self.drop_snapshot(serial, By::Console, false);
                return Ok(id);
            }
            _ => {}
        }
        let serial = self.named_cluster(change.cluster())?;
        let id = self.clusters[&serial].id.clone();
        let caller = Caller {
            project: self.clusters[&serial].project_id.clone(),
            by: By::Console,
            fails: false,
        };
        match change {
            Outside::Resize { added, .. } => self.resize(&caller, &id, Some(i64::from(*added)))?,
            Outside::Restart { .. } => self.restart(&caller, &id)?,
            Outside::Delete {
                keep_last_manual_snapshot,
                ..
            } => {
                self.delete(&caller, &id, Some(i64::from(*keep_last_manual_snapshot)))?;
            }
            Outside::SetNodes { nodes, .. } => self.set_nodes(serial, *nodes),
            Outside::Vanish { .. } => {
                let kind = EffectKind::DeleteCluster {
                    keep_last_manual_snapshot: u32::MAX,
                };
                self.record_of(serial, kind, By::Console);
                self.tell(serial, "vanishes");
                self.remove_cluster(serial);
            }
            Outside::SetPassword { password, .. } => {
                self.set_password(serial, password);
                let version = self.clusters[&serial].secrets.version();
                self.record_of(serial, EffectKind::ResetPassword { version }, By::Console);
            }
            Outside::Rename { name, .. } => self.rename(serial, name)?,
            Outside::SetStatus { status, .. } => {
                self.edit(serial, |state| status.clone_into(&mut state.status));
            }
            Outside::SetSubStatus { sub_status, .. } => {
                self.edit(serial, |state| state.sub_status.clone_from(sub_status));
            }
            Outside::SetTask { task, progress, .. } => {
                self.set_task(serial, task.as_ref(), progress.as_ref());
            }
            Outside::FailTask { .. } => {
                if let Some(task) = self.clusters.get_mut(&serial).and_then(|c| c.task.as_mut()) {
                    task.fails = true;
                }
            }
            Outside::FinishTask { .. } => {
                let number = self.clusters[&serial].task.as_ref().map(|task| task.number);
                if let Some(number) = number {
                    self.step(serial, number);
                }
            }
            Outside::Snapshot {
                name, automated, ..
            } => {
                let made = self.begin_snapshot(
                    serial,
                    name,
                    String::new(),
                    *automated,
                    By::Console,
                    false,
                );
                return made.ok_or(OutsideError::Unknown(id));
            }
            Outside::Create { .. }
            | Outside::SetSnapshotStatus { .. }
            | Outside::DeleteSnapshot { .. } => {}
        }
        Ok(id)
    }

    fn console_create(
        &mut self,
        project: String,
        name: &str,
        node_type: &str,
        nodes: u32,
        password: &str,
    ) -> Result<String, OutsideError> {
        let caller = Caller {
            project,
            by: By::Console,
            fails: false,
        };
        let [vpc_id, subnet_id, security_group_id] = [self.uuid(), self.uuid(), self.uuid()];
        let wish = Create {
            name: Some(name.to_owned()),
            node_type: Some(node_type.to_owned()),
            number_of_node: Some(i64::from(nodes)),
            network: NetworkWish {
                vpc_id: Some(vpc_id),
                subnet_id: Some(subnet_id),
                security_group_id: Some(security_group_id),
                ..NetworkWish::default()
            },
            user_name: Some("dbadmin".to_owned()),
            user_pwd: Some(password.to_owned()),
            ..Create::default()
        };
        Ok(self.create(&caller, &wish)?)
    }

    fn set_nodes(&mut self, serial: u64, nodes: u32) {
        let Some(cluster) = self.clusters.get(&serial) else {
            return;
        };
        let before = cluster.state().node_count;
        if let Some(holdings) = self.projects.get_mut(&cluster.project_id) {
            holdings.nodes = (holdings.nodes + nodes).saturating_sub(before);
        }
        let kind = EffectKind::Resize {
            added: i64::from(nodes) - i64::from(before),
            total: nodes,
        };
        self.record_of(serial, kind, By::Console);
        self.edit(serial, |state| state.node_count = nodes);
    }

    fn set_task(&mut self, serial: u64, task: Option<&String>, progress: Option<&String>) {
        let now = self.now;
        let running = self.clusters[&serial].task.as_ref().map(|task| task.number);
        if let (None, Some(number)) = (task, running) {
            self.step(serial, number);
            return;
        }
        self.edit(serial, |state| {
            state.task_status = task.cloned();
            state.progress = task.zip(progress).map(|(key, value)| Progress {
                key: key.clone(),
                from: now,
                until: now,
                fixed: Some(value.clone()),
            });
        });
    }

    fn rename(&mut self, serial: u64, name: &str) -> Result<(), OutsideError> {
        let project = self.clusters[&serial].project_id.clone();
        let name = self.free_name(&project, Some(name))?;
        let old = self.clusters[&serial].state().name.clone();
        let holdings = self.projects.entry(project).or_default();
        holdings.cluster_names.remove(&old);
        holdings.cluster_names.insert(name.clone(), serial);
        self.edit(serial, |state| state.name = name);
        Ok(())
    }

    fn named_cluster(&self, given: &str) -> Result<u64, OutsideError> {
        self.cluster(given)
            .or_else(|| {
                self.clusters()
                    .find(|cluster| cluster.state().name == given)
            })
            .map(|cluster| cluster.serial)
            .ok_or_else(|| OutsideError::Unknown(given.to_owned()))
    }

    fn named_snapshot(&self, given: &str) -> Result<u64, OutsideError> {
        self.snapshot(given)
            .or_else(|| {
                self.snapshots()
                    .find(|snapshot| snapshot.name.eq_ignore_ascii_case(given))
            })
            .map(|snapshot| snapshot.serial)
            .ok_or_else(|| OutsideError::Unknown(given.to_owned()))
    }
}

impl Outside {
    fn cluster(&self) -> &str {
        match self {
            Self::Resize { cluster, .. }
            | Self::SetNodes { cluster, .. }
            | Self::Delete { cluster, .. }
            | Self::Vanish { cluster }
            | Self::Restart { cluster }
            | Self::SetPassword { cluster, .. }
            | Self::Rename { cluster, .. }
            | Self::SetStatus { cluster, .. }
            | Self::SetSubStatus { cluster, .. }
            | Self::SetTask { cluster, .. }
            | Self::FailTask { cluster }
            | Self::FinishTask { cluster }
            | Self::Snapshot { cluster, .. } => cluster,
            Self::Create { .. } | Self::SetSnapshotStatus { .. } | Self::DeleteSnapshot { .. } => {
                ""
            }
        }
    }
}
