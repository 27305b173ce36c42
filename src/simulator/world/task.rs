//! The tasks of a cluster and their phases: what shows while each runs, and what follows.
//!
//! One task per cluster. It knows the world; it must not know requests.

use std::time::Duration;

use super::cluster::{Failure, Progress, Resize};
use super::{Event, World};
use crate::simulator::ledger::By;
use crate::simulator::oddities::Redistribution;

/// One running task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// Tells a task from an earlier one of the same cluster.
    pub number: u64,
    pub kind: TaskKind,
    pub phase: Phase,
    /// It will not end well.
    pub fails: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TaskKind {
    Create,
    Restore {
        snapshot: u64,
    },
    Resize {
        target: u32,
    },
    Restart,
    Snapshot {
        snapshot: u64,
    },
    /// With the snapshots that go along.
    Delete {
        snapshots: Vec<u64>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Creating,
    Restoring,
    /// An accepted resize that does not show yet.
    Quiet,
    Snapshotting,
    Growing,
    Redistributing,
    Rebooting,
    Deleting,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Restoring => "RESTORING",
            Self::Quiet => "",
            Self::Snapshotting => "SNAPSHOTTING",
            Self::Growing => "GROWING",
            Self::Redistributing => "REDISTRIBUTING",
            Self::Rebooting => "REBOOTING",
            Self::Deleting => "DELETING",
        }
    }
}

impl World {
    /// Begins a task. `fails`: it ends badly, half way.
    pub(super) fn begin(&mut self, serial: u64, kind: TaskKind, fails: bool) {
        let first = match &kind {
            TaskKind::Create => Phase::Creating,
            TaskKind::Restore { .. } => Phase::Restoring,
            TaskKind::Resize { .. } => Phase::Quiet,
            TaskKind::Restart => Phase::Rebooting,
            TaskKind::Snapshot { .. } => Phase::Snapshotting,
            TaskKind::Delete { .. } => Phase::Deleting,
        };
        let number = self.next_serial();
        if let Some(cluster) = self.clusters.get_mut(&serial) {
            cluster.task = Some(Task {
                number,
                kind,
                phase: first,
                fails,
            });
        }
        self.enter(serial, first);
    }

    /// How long a phase takes here and now.
    fn length(&mut self, phase: Phase, kind: &TaskKind) -> Duration {
        let durations = &self.settings.durations;
        let length = match (phase, kind) {
            (Phase::Creating, _) => durations.create,
            (Phase::Restoring, _) => durations.restore,
            (Phase::Quiet, _) => durations.resize_gap,
            (Phase::Snapshotting, TaskKind::Resize { .. }) => durations.resize_snapshot,
            (Phase::Snapshotting, _) => durations.snapshot,
            (Phase::Growing, _) => durations.grow,
            (Phase::Redistributing, _) => durations.redistribute,
            (Phase::Rebooting, _) => durations.restart,
            (Phase::Deleting, _) => durations.delete,
        };
        self.some_time(length)
    }

    /// Shows the phase and sets its end.
    fn enter(&mut self, serial: u64, phase: Phase) {
        let Some(task) = self
            .clusters
            .get_mut(&serial)
            .and_then(|cluster| cluster.task.as_mut())
        else {
            return;
        };
        task.phase = phase;
        let (number, kind, fails) = (task.number, task.kind.clone(), task.fails);
        let mut length = self.length(phase, &kind);
        let until = self.now + length;
        if fails && phase != Phase::Quiet {
            length /= 2;
        }
        let now = self.now;
        let (offline, redistribution) =
            (self.oddities.offline_resize, self.oddities.redistribution);
        self.edit(serial, |state| {
            let word = phase.word();
            let progress = Some(Progress {
                key: word.to_owned(),
                from: now,
                until,
                fixed: None,
            });
            match phase {
                Phase::Creating => {
                    word.clone_into(&mut state.status);
                    state.progress = progress;
                }
                Phase::Restoring => {
                    Phase::Creating.word().clone_into(&mut state.status);
                    state.task_status = Some(word.to_owned());
                    state.progress = progress;
                }
                Phase::Quiet => {
                    state.task_status = None;
                    state.progress = None;
                    state.resize = None;
                    state.failure = None;
                }
                Phase::Snapshotting => {
                    state.task_status = Some(word.to_owned());
                    state.progress = progress;
                }
                Phase::Growing => {
                    state.task_status = Some(word.to_owned());
                    state.progress = progress;
                    if let TaskKind::Resize { target } = kind {
                        state.resize = Some(Resize {
                            origin: state.node_count,
                            target,
                            status: word.to_owned(),
                            started: now,
                        });
                    }
                    if offline {
                        "UNAVAILABLE".clone_into(&mut state.status);
                    }
                }
                Phase::Redistributing => {
                    if redistribution == Redistribution::Task {
                        state.task_status = Some(word.to_owned());
                        state.progress = progress;
                    } else {
                        state.sub_status = Some(word.to_owned());
                    }
                }
                Phase::Rebooting => {
                    state.task_status = Some(word.to_owned());
                    state.progress = None;
                    state.failure = None;
                }
                Phase::Deleting => {
                    word.clone_into(&mut state.status);
                    state.sub_status = None;
                    state.task_status = None;
                    state.progress = None;
                }
            }
        });
        self.schedule(
            length,
            Event::Task {
                cluster: serial,
                number,
            },
        );
    }

    /// The end of a phase: the next one, or the end of the task.
    pub(super) fn step(&mut self, serial: u64, number: u64) {
        let Some(task) = self
            .clusters
            .get(&serial)
            .and_then(|cluster| cluster.task.as_ref())
        else {
            return;
        };
        if task.number != number {
            return;
        }
        let (kind, phase, fails) = (task.kind.clone(), task.phase, task.fails);
        match (kind, phase) {
            (TaskKind::Create, _) => self.created(serial, fails, CREATE_FAILED),
            (TaskKind::Restore { snapshot }, _) => {
                self.created(serial, fails, RESTORE_FAILED);
                self.restored(snapshot);
            }
            (TaskKind::Resize { .. }, Phase::Quiet) if self.oddities.resize_snapshots_first => {
                self.enter(serial, Phase::Snapshotting);
            }
            (TaskKind::Resize { .. }, Phase::Quiet | Phase::Snapshotting) => {
                self.enter(serial, Phase::Growing);
            }
            (TaskKind::Resize { target }, Phase::Growing) => self.grown(serial, target, fails),
            (TaskKind::Resize { .. }, _) => {
                self.idle(serial, None, None);
                self.tell(serial, "has redistributed its data");
            }
            (TaskKind::Restart, _) if fails => {
                self.idle(serial, Some("REBOOT_FAILURE"), Some(RESTART_FAILED));
                self.tell(serial, "REBOOT_FAILURE");
            }
            (TaskKind::Restart, _) => {
                self.idle(serial, None, None);
                self.tell(serial, "has restarted");
            }
            (TaskKind::Snapshot { snapshot }, _) => {
                self.idle(serial, None, None);
                self.snapshotted(snapshot, fails);
            }
            (TaskKind::Delete { .. }, _) if fails => {
                self.idle(serial, None, Some(DELETE_FAILED));
                self.edit(serial, |state| {
                    "DELETE_FAILED".clone_into(&mut state.status);
                });
                self.tell(serial, "DELETE_FAILED");
            }
            (TaskKind::Delete { snapshots }, _) => self.deleted(serial, &snapshots),
        }
    }

    fn created(&mut self, serial: u64, fails: bool, failure: Failure) {
        if fails {
            self.idle(serial, None, Some(failure));
            self.edit(serial, |state| {
                "CREATION FAILED".clone_into(&mut state.status);
            });
            self.tell(serial, "CREATION FAILED");
        } else {
            self.idle(serial, None, None);
            self.edit(serial, |state| state.sub_status = Some("NORMAL".to_owned()));
            self.tell(serial, "AVAILABLE");
            if let Some(policy) = &self.settings.automated_snapshots {
                let every = self.scaled(policy.every);
                self.schedule(every, Event::Automated { cluster: serial });
            }
        }
    }

    fn grown(&mut self, serial: u64, target: u32, fails: bool) {
        if fails {
            self.idle(serial, Some("RESIZE_FAILURE"), Some(RESIZE_FAILED));
            let freed = self.clusters.get(&serial).map_or(0, |cluster| {
                target.saturating_sub(cluster.state().node_count)
            });
            self.give_back(serial, freed);
            self.edit(serial, |state| {
                if let Some(resize) = &mut state.resize {
                    "RESIZE_FAILURE".clone_into(&mut resize.status);
                }
            });
            self.tell(serial, "RESIZE_FAILURE");
            return;
        }
        self.edit(serial, |state| {
            state.node_count = target;
            state.resize = None;
            "AVAILABLE".clone_into(&mut state.status);
            state.task_status = None;
            state.progress = None;
        });
        self.tell(serial, &format!("has {target} nodes"));
        match self.oddities.redistribution {
            Redistribution::SubStatus | Redistribution::Task => {
                self.enter(serial, Phase::Redistributing);
            }
            Redistribution::Waiting => self.idle(serial, Some("WAITING_REDISTRIBUTION"), None),
            Redistribution::Skipped => self.idle(serial, None, None),
        }
    }

    /// The task is over: AVAILABLE, with the word that it leaves behind.
    pub(super) fn idle(&mut self, serial: u64, word: Option<&str>, failure: Option<Failure>) {
        let quiet = self.oddities.busy_after_task;
        let busy_until = (quiet > 0.0)
            .then(|| self.now + Duration::try_from_secs_f64(quiet).unwrap_or_default());
        if let Some(cluster) = self.clusters.get_mut(&serial) {
            cluster.task = None;
            cluster.busy_until = busy_until;
        }
        self.edit(serial, |state| {
            if matches!(state.status.as_str(), "CREATING" | "DELETING") {
                "AVAILABLE".clone_into(&mut state.status);
            }
            // An offline resize ends here too; what somebody else made of the status is theirs.
            if state.status == "UNAVAILABLE" && state.resize.is_some() {
                "AVAILABLE".clone_into(&mut state.status);
            }
            if state.sub_status.as_deref() == Some("REDISTRIBUTING") {
                state.sub_status = Some("NORMAL".to_owned());
            }
            state.task_status = word.map(str::to_owned);
            state.progress = None;
            state.failure = failure;
        });
    }

    /// The cluster is gone, and with it the snapshots that were not to be kept.
    fn deleted(&mut self, serial: u64, snapshots: &[u64]) {
        for snapshot in snapshots {
            self.drop_snapshot(*snapshot, By::Service, true);
        }
        self.tell(serial, "is gone");
        self.remove_cluster(serial);
    }
}

const CREATE_FAILED: Failure = Failure {
    code: "DWS.6000",
    message: "Failed to create the cluster: the flavor is sold out.",
};
const RESIZE_FAILED: Failure = Failure {
    code: "DWS.6001",
    message: "Failed to scale out the cluster.",
};
const RESTART_FAILED: Failure = Failure {
    code: "DWS.6002",
    message: "Failed to restart the cluster.",
};
const RESTORE_FAILED: Failure = Failure {
    code: "DWS.6003",
    message: "Failed to restore the cluster.",
};
const DELETE_FAILED: Failure = Failure {
    code: "DWS.6014",
    message: "Failed to delete the cluster.",
};
