//! Looking at the world: as it truly is, and as reads that lag behind see it.
//!
//! It changes nothing (but the dice that a varying lag needs).

use jiff::Timestamp;

use super::cluster::{Cluster, Snapshot, SnapshotState};
use super::{World, seconds};
use crate::simulator::oddities::NotFound;
use crate::simulator::refusal::{Refusal, refuse};
use crate::simulator::rules;

impl World {
    /// All clusters that are truly there, of all projects, in order of creation.
    pub fn clusters(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters
            .values()
            .filter(|cluster| cluster.state.is_there(self.now))
    }

    /// One cluster, by id, as it truly is.
    pub fn cluster(&self, id: &str) -> Option<&Cluster> {
        let cluster = self.clusters.get(self.cluster_ids.get(id)?)?;
        cluster.state.is_there(self.now).then_some(cluster)
    }

    /// All snapshots that are truly there, of all projects, in order of creation.
    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots
            .values()
            .filter(|snapshot| snapshot.state.is_there(self.now))
    }

    /// One snapshot, by id, as it truly is.
    pub fn snapshot(&self, id: &str) -> Option<&Snapshot> {
        let snapshot = self.snapshots.get(self.snapshot_ids.get(id)?)?;
        snapshot.state.is_there(self.now).then_some(snapshot)
    }

    /// Whether a database client would get in: the cluster is there and up, user and password are its own.
    pub fn logs_in(&self, cluster_id: &str, user: &str, password: &str) -> bool {
        self.cluster(cluster_id).is_some_and(|cluster| {
            let state = cluster.state();
            !matches!(
                state.status.as_str(),
                "CREATING" | "CREATION FAILED" | "DELETING" | "DELETED"
            ) && state.user_name == user
                && cluster.secrets.in_force(password)
        })
    }

    /// The cluster that a changing request names, by its true state.
    pub(super) fn find(&self, project: &str, id: &str) -> Result<u64, Refusal> {
        if !rules::is_uuid(id) {
            return refuse("DWS.0001");
        }
        let found = self.cluster_ids.get(id).filter(|serial| {
            self.clusters.get(serial).is_some_and(|cluster| {
                cluster.project_id == project
                    && cluster.state.is_there(self.now)
                    && cluster.state().status != "DELETED"
            })
        });
        found.copied().ok_or_else(|| self.not_found(id))
    }

    /// How a cluster that is not there is refused.
    pub(crate) fn not_found(&self, id: &str) -> Refusal {
        if self.gone.contains(id) && !self.oddities.deleted_is_unknown {
            return Refusal::of("DWS.3027");
        }
        match self.oddities.not_found {
            NotFound::Forbidden => Refusal::of("DWS.0015"),
            NotFound::Unauthorized => Refusal::of("DWS.0047").with_status(401),
            NotFound::NotFound => Refusal::of("DWS.0047"),
        }
    }

    /// What a read with this lag sees: `(cluster, state, as of)`, in order of creation.
    pub(crate) fn view_clusters(&mut self, project: &str) -> (Timestamp, Vec<u64>) {
        let at = self.view_time(self.oddities.list_lag);
        let hidden = self.oddities.deleting_hidden;
        let serials = self.projects.get(project).map(|holdings| {
            holdings
                .clusters
                .iter()
                .filter(|serial| {
                    self.clusters
                        .get(serial)
                        .and_then(|cluster| cluster.state.at(at))
                        .is_some_and(|state| !(hidden && state.status == "DELETING"))
                })
                .copied()
                .collect()
        });
        (at, serials.unwrap_or_default())
    }

    pub(crate) fn by_serial(&mut self, serial: u64) -> Option<&mut Cluster> {
        self.clusters.get_mut(&serial)
    }

    /// What a detail read sees.
    pub(crate) fn view_cluster(
        &mut self,
        project: &str,
        id: &str,
    ) -> Result<(Timestamp, &Cluster), Refusal> {
        if !rules::is_uuid(id) {
            return refuse("DWS.0001");
        }
        let at = self.view_time(self.oddities.detail_lag);
        let hidden = self.oddities.deleting_hidden;
        self.cluster_ids
            .get(id)
            .and_then(|serial| self.clusters.get(serial))
            .filter(|cluster| {
                cluster.project_id == project
                    && cluster
                        .state
                        .at(at)
                        .is_some_and(|state| !(hidden && state.status == "DELETING"))
            })
            .map(|cluster| (at, cluster))
            .ok_or_else(|| self.not_found(id))
    }

    /// As of when a read sees the world.
    fn view_time(&mut self, lag: f64) -> Timestamp {
        let lag = if self.oddities.lag_varies {
            lag * self.chance()
        } else {
            lag
        };
        self.now - seconds(lag)
    }

    /// The snapshot that a changing request names, by its true state.
    pub(super) fn find_snapshot(&self, project: &str, id: &str) -> Result<u64, Refusal> {
        self.snapshot(id)
            .filter(|snapshot| snapshot.project_id == project)
            .map(|snapshot| snapshot.serial)
            .ok_or_else(|| Refusal::of("DWS.5149"))
    }

    /// What a detail read sees.
    pub(crate) fn view_snapshot(
        &mut self,
        project: &str,
        id: &str,
    ) -> Result<(&Snapshot, &SnapshotState), Refusal> {
        let at = self.view_time(self.oddities.detail_lag);
        self.snapshot_ids
            .get(id)
            .and_then(|serial| self.snapshots.get(serial))
            .filter(|snapshot| snapshot.project_id == project)
            .and_then(|snapshot| Some((snapshot, snapshot.state.at(at)?)))
            .ok_or_else(|| Refusal::of("DWS.5149"))
    }

    /// What a list read sees, in order of creation.
    pub(crate) fn view_snapshots(&mut self, project: &str) -> Vec<(&Snapshot, &SnapshotState)> {
        let at = self.view_time(self.oddities.list_lag);
        let serials = self
            .projects
            .get(project)
            .map(|holdings| &holdings.snapshots);
        serials
            .into_iter()
            .flatten()
            .filter_map(|serial| self.snapshots.get(serial))
            .filter_map(|snapshot| Some((snapshot, snapshot.state.at(at)?)))
            .collect()
    }
}
