//! Snapshots: manual ones on request (reference 5.2), automated ones by the nightly policy.

use std::time::Duration;

use jiff::Timestamp;

use super::change::Work;
use super::cluster::{Content, Snapshot, SnapshotState};
use super::task::TaskKind;
use super::tracked::Tracked;
use super::{Caller, Event, World};
use crate::simulator::ledger::{By, EffectKind};
use crate::simulator::refusal::{Refusal, refuse};
use crate::simulator::rules;

/// What a snapshot request asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewSnapshot {
    pub name: Option<String>,
    pub cluster_id: Option<String>,
    pub description: Option<String>,
}

impl World {
    /// Accepts a manual snapshot and gives its id.
    pub(crate) fn take_snapshot(
        &mut self,
        caller: &Caller,
        wish: &NewSnapshot,
    ) -> Result<String, Refusal> {
        let name = wish.name.as_deref().filter(|name| rules::is_name(name));
        let name = name.ok_or_else(|| Refusal::of("DWS.5065").detail("snapshot name"))?;
        let description = wish.description.clone().unwrap_or_default();
        rules::check_description(&description)?;
        let cluster_id = wish.cluster_id.as_deref().filter(|id| rules::is_uuid(id));
        let cluster_id = cluster_id.ok_or_else(|| Refusal::of("DWS.5064"))?;
        let serial = self.find(&caller.project, cluster_id)?;
        let taken = self.projects.get(&caller.project).is_some_and(|holdings| {
            holdings
                .snapshot_names
                .contains_key(&name.to_ascii_lowercase())
        });
        if taken {
            let mut refusal = Refusal::of("DWS.5050");
            "The snapshot name already exists.".clone_into(&mut refusal.english);
            "快照名已经存在。".clone_into(&mut refusal.chinese);
            return Err(refusal);
        }
        self.admit(serial, Work::Snapshot)?;
        self.begin_snapshot(
            serial,
            name,
            description,
            false,
            caller.by.clone(),
            caller.fails,
        )
        .ok_or_else(|| self.not_found(cluster_id))
    }

    /// Deletes a manual snapshot.
    pub(crate) fn delete_snapshot(&mut self, caller: &Caller, id: &str) -> Result<(), Refusal> {
        // As clients saw it: a DELETE of what is not there is an incorrect request, a GET an invalid id.
        let serial = self
            .find_snapshot(&caller.project, id)
            .map_err(|_| Refusal::of("DWS.0001"))?;
        let snapshot = &self.snapshots[&serial];
        if snapshot.automated {
            return refuse("DWS.5095");
        }
        if snapshot.restores > 0
            || matches!(snapshot.state().status.as_str(), "CREATING" | "RESTORING")
        {
            return Err(self.busy());
        }
        self.drop_snapshot(serial, caller.by.clone(), false);
        Ok(())
    }

    /// The nightly snapshot, or another try a little later where the cluster is not ready for one.
    pub(super) fn automated(&mut self, serial: u64) {
        let Some(policy) = self.settings.automated_snapshots.clone() else {
            return;
        };
        let Some(cluster) = self.clusters.get(&serial) else {
            return;
        };
        if !cluster.state.is_there(self.now) || cluster.state().status == "DELETING" {
            return;
        }
        if self.admit(serial, Work::Snapshot).is_err() {
            let later = self.scaled(Duration::from_mins(10));
            self.schedule(later, Event::Automated { cluster: serial });
            return;
        }
        let name = self.automated_name(serial);
        self.begin_snapshot(serial, &name, String::new(), true, By::Service, false);
        self.tell(serial, &format!("takes its automated snapshot \"{name}\""));
        let every = self.scaled(policy.every);
        self.schedule(every, Event::Automated { cluster: serial });
    }

    fn automated_name(&self, serial: u64) -> String {
        let cluster = self
            .clusters
            .get(&serial)
            .map_or("", |cluster| cluster.state().name.as_str());
        let stem: String = cluster.chars().take(40).collect();
        let name = format!("{stem}-{}", self.now.strftime("%Y%m%d%H%M%S"));
        let taken = self.projects.values().any(|holdings| {
            holdings
                .snapshot_names
                .contains_key(&name.to_ascii_lowercase())
        });
        if taken {
            format!("{name}-{}", self.serial)
        } else {
            name
        }
    }

    pub(super) fn begin_snapshot(
        &mut self,
        cluster: u64,
        name: &str,
        description: String,
        automated: bool,
        by: By,
        fails: bool,
    ) -> Option<String> {
        let source = self.clusters.get(&cluster)?;
        let state = source.state();
        let content = Content {
            node_type: state.node_type.clone(),
            node_count: state.node_count,
            coordinator_count: state.coordinator_count,
            network: state.network.clone(),
            user_name: state.user_name.clone(),
            enterprise_project_id: state.enterprise_project_id.clone(),
            secrets: source.secrets.clone(),
        };
        let (project_id, cluster_id) = (source.project_id.clone(), source.id.clone());
        let serial = self.next_serial();
        let id = self.uuid();
        let now: Timestamp = self.now;
        let state = SnapshotState {
            status: "CREATING".to_owned(),
            finished: None,
            size: 0.0,
        };
        let holdings = self.projects.entry(project_id.clone()).or_default();
        holdings.snapshots.insert(serial);
        holdings
            .snapshot_names
            .insert(name.to_ascii_lowercase(), serial);
        self.snapshot_ids.insert(id.clone(), serial);
        self.snapshots_of
            .entry(cluster_id.clone())
            .or_default()
            .insert(serial);
        let snapshot = Snapshot {
            serial,
            id: id.clone(),
            project_id: project_id.clone(),
            name: name.to_owned(),
            description,
            cluster_id: cluster_id.clone(),
            automated,
            started: now,
            state: Tracked::new(now, state),
            content,
            restores: 0,
            doomed: false,
        };
        self.snapshots.insert(serial, snapshot);
        self.record(
            EffectKind::Snapshot {
                cluster_id,
                automated,
            },
            &project_id,
            &id,
            name,
            by,
        );
        self.begin(cluster, TaskKind::Snapshot { snapshot: serial }, fails);
        if automated && let Some(policy) = &self.settings.automated_snapshots {
            let keep = self.scaled(policy.keep);
            self.schedule(keep, Event::Retire { snapshot: serial });
        }
        Some(id)
    }
}
