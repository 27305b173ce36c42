//! The end of things: clusters and snapshots that go, what goes along, and what is free again afterwards.

use super::task::TaskKind;
use super::{Event, World, seconds};
use crate::simulator::ledger::{By, EffectKind};

impl World {
    /// The cluster is no more: its name, nodes and address are free again.
    pub(super) fn remove_cluster(&mut self, serial: u64) {
        let shown = seconds(self.oddities.deleted_shown);
        if !shown.is_zero() {
            self.edit(serial, |state| "DELETED".clone_into(&mut state.status));
        }
        let lag = seconds(self.oddities.list_lag.max(self.oddities.detail_lag));
        let removed = self.now + shown;
        let Some(cluster) = self.clusters.get_mut(&serial) else {
            return;
        };
        let interrupted = cluster.task.take().map(|task| task.kind);
        cluster.state.remove(removed);
        self.gone.insert(cluster.id.clone());
        let state = cluster.state.now();
        if let Some(eip) = state.public_ip.as_ref().and_then(|ip| ip.eip_id.as_ref()) {
            self.eips.remove(eip);
        }
        if let Some(holdings) = self.projects.get_mut(&cluster.project_id) {
            if holdings.cluster_names.get(&state.name) == Some(&serial) {
                holdings.cluster_names.remove(&state.name);
            }
            let held = match interrupted {
                Some(TaskKind::Resize { target }) => target.max(state.node_count),
                _ => state.node_count,
            };
            holdings.nodes = holdings.nodes.saturating_sub(held);
        }
        match interrupted {
            Some(TaskKind::Restore { snapshot }) => self.restored(snapshot),
            Some(TaskKind::Snapshot { snapshot }) => self.snapshotted(snapshot, true),
            _ => {}
        }
        self.schedule(shown + lag, Event::ForgetCluster(serial));
    }

    pub(super) fn remove_snapshot(&mut self, serial: u64) {
        let lag = seconds(self.oddities.list_lag.max(self.oddities.detail_lag));
        let now = self.now;
        let Some(snapshot) = self.snapshots.get_mut(&serial) else {
            return;
        };
        snapshot.state.remove(now);
        if let Some(siblings) = self.snapshots_of.get_mut(&snapshot.cluster_id) {
            siblings.remove(&serial);
            if siblings.is_empty() {
                self.snapshots_of.remove(&snapshot.cluster_id);
            }
        }
        if let Some(holdings) = self.projects.get_mut(&snapshot.project_id) {
            holdings
                .snapshot_names
                .remove(&snapshot.name.to_ascii_lowercase());
        }
        self.schedule(lag, Event::ForgetSnapshot(serial));
    }

    /// Nodes of a resize that came to nothing.
    pub(super) fn give_back(&mut self, serial: u64, nodes: u32) {
        if let Some(cluster) = self.clusters.get(&serial)
            && let Some(holdings) = self.projects.get_mut(&cluster.project_id)
        {
            holdings.nodes = holdings.nodes.saturating_sub(nodes);
        }
    }

    /// One restore from this snapshot has ended.
    pub(super) fn restored(&mut self, serial: u64) {
        let Some(snapshot) = self.snapshots.get_mut(&serial) else {
            return;
        };
        snapshot.restores = snapshot.restores.saturating_sub(1);
        if snapshot.restores > 0 {
            return;
        }
        let doomed = snapshot.doomed;
        self.edit_snapshot(serial, |state| {
            if state.status == "RESTORING" {
                "AVAILABLE".clone_into(&mut state.status);
            }
        });
        if doomed {
            self.drop_snapshot(serial, By::Service, true);
        }
    }

    pub(super) fn snapshotted(&mut self, serial: u64, fails: bool) {
        let now = self.now;
        let size = f64::from(self.some_number(10, 4_000)) / 4.0;
        let word = if fails { "UNAVAILABLE" } else { "AVAILABLE" };
        self.edit_snapshot(serial, |state| {
            word.clone_into(&mut state.status);
            if !fails {
                state.finished = Some(now);
                state.size = size;
            }
        });
        if let Some(snapshot) = self.snapshots.get(&serial) {
            let text = format!("snapshot \"{}\" {word}", snapshot.name);
            self.note(text);
        }
    }

    /// Removes a snapshot, at once or when the restore that needs it has ended.
    pub(super) fn drop_snapshot(&mut self, serial: u64, by: By, along: bool) {
        let Some(snapshot) = self.snapshots.get_mut(&serial) else {
            return;
        };
        if !snapshot.state.is_there(self.now) {
            return;
        }
        if snapshot.restores > 0 {
            snapshot.doomed = true;
            return;
        }
        let kind = EffectKind::DeleteSnapshot {
            cluster_id: snapshot.cluster_id.clone(),
            along,
        };
        let (project, id, name) = (
            snapshot.project_id.clone(),
            snapshot.id.clone(),
            snapshot.name.clone(),
        );
        self.record(kind, &project, &id, &name, by);
        self.remove_snapshot(serial);
    }
}
