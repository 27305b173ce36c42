//! Changes of an existing cluster: resize, restart, password, deletion (reference 5.1.5-5.1.8), and when each
//! of them is refused.

use super::task::{Phase, TaskKind};
use super::{Caller, World, inner_busy};
use crate::simulator::ledger::EffectKind;
use crate::simulator::refusal::{Refusal, refuse};
use crate::simulator::rules;

/// What is to be done to a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Resize,
    Restart,
    Password,
    Snapshot,
    Delete,
}

impl World {
    /// `count` nodes are **added** (5.1.7).
    pub(crate) fn resize(
        &mut self,
        caller: &Caller,
        id: &str,
        count: Option<i64>,
    ) -> Result<(), Refusal> {
        let serial = self.find(&caller.project, id)?;
        let added = count
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| (1..=256).contains(count))
            .ok_or_else(|| Refusal::of("DWS.5047"))?;
        self.admit(serial, Work::Resize)?;
        let total = self.clusters[&serial].state().node_count + added;
        if total > 256 {
            return refuse("DWS.5091");
        }
        self.check_quota(&caller.project, added)?;
        if self
            .settings
            .sold_out
            .contains(&self.clusters[&serial].state().node_type)
        {
            return refuse("DWS.5200");
        }
        if let Some(holdings) = self.projects.get_mut(&caller.project) {
            holdings.nodes += added;
        }
        let kind = EffectKind::Resize {
            added: i64::from(added),
            total,
        };
        self.record_of(serial, kind, caller.by.clone());
        self.begin(serial, TaskKind::Resize { target: total }, caller.fails);
        Ok(())
    }

    pub(crate) fn restart(&mut self, caller: &Caller, id: &str) -> Result<(), Refusal> {
        let serial = self.find(&caller.project, id)?;
        self.admit(serial, Work::Restart)?;
        self.record_of(serial, EffectKind::Restart, caller.by.clone());
        self.begin(serial, TaskKind::Restart, caller.fails);
        Ok(())
    }

    /// In force at once; no task.
    pub(crate) fn reset_password(
        &mut self,
        caller: &Caller,
        id: &str,
        password: Option<&str>,
    ) -> Result<(), Refusal> {
        let serial = self.find(&caller.project, id)?;
        let password = password.ok_or_else(|| Refusal::of("DWS.5013"))?;
        self.admit(serial, Work::Password)?;
        let cluster = &self.clusters[&serial];
        rules::check_password(password, &cluster.state().user_name)?;
        if cluster.secrets.ever_used(password) {
            return Err(Refusal::of("DWS.5199").detail("used before"));
        }
        self.set_password(serial, password);
        let version = self.clusters[&serial].secrets.version();
        self.record_of(
            serial,
            EffectKind::ResetPassword { version },
            caller.by.clone(),
        );
        Ok(())
    }

    pub(super) fn set_password(&mut self, serial: u64, password: &str) {
        if let Some(cluster) = self.clusters.get_mut(&serial) {
            cluster.secrets.push(password);
        }
        self.edit(serial, |_| {});
    }

    /// The newest `keep` manual snapshots stay; the others and the automated ones go with the cluster.
    pub(crate) fn delete(
        &mut self,
        caller: &Caller,
        id: &str,
        keep: Option<i64>,
    ) -> Result<(), Refusal> {
        let serial = self.find(&caller.project, id)?;
        let keep = keep
            .and_then(|keep| u32::try_from(keep).ok())
            .ok_or_else(|| Refusal::of("DWS.5038").detail("keep_last_manual_snapshot"))?;
        let deleting = self.clusters[&serial].state().status == "DELETING";
        if deleting && self.oddities.delete_again_accepted {
            return Ok(());
        }
        self.admit(serial, Work::Delete)?;
        let snapshots = self.snapshots_of.get(id).into_iter().flatten().copied();
        let (automated, mut manual): (Vec<u64>, Vec<u64>) =
            snapshots.partition(|snapshot| self.snapshots[snapshot].automated);
        if keep as usize > manual.len() && self.oddities.keep_too_large_refused {
            return Err(Refusal::of("DWS.5038").detail("keep_last_manual_snapshot"));
        }
        manual.truncate(manual.len().saturating_sub(keep as usize));
        let snapshots = manual.into_iter().chain(automated).collect();
        let kind = EffectKind::DeleteCluster {
            keep_last_manual_snapshot: keep,
        };
        self.record_of(serial, kind, caller.by.clone());
        self.begin(serial, TaskKind::Delete { snapshots }, caller.fails);
        Ok(())
    }

    /// Whether this work can begin now.
    pub(super) fn admit(&self, serial: u64, work: Work) -> Result<(), Refusal> {
        let Some(cluster) = self.clusters.get(&serial) else {
            return refuse("DWS.0047");
        };
        let state = cluster.state();
        match (state.status.as_str(), work) {
            ("CREATING", _) => return Err(self.busy()),
            ("DELETING", _) => return refuse("DWS.7023"),
            (
                "FROZEN" | "POLICE_FROZEN",
                Work::Resize | Work::Restart | Work::Password | Work::Snapshot,
            ) => {
                return refuse("DWS.0020");
            }
            ("CREATION FAILED", Work::Resize | Work::Restart | Work::Password | Work::Snapshot)
            | ("UNAVAILABLE", Work::Resize | Work::Password | Work::Snapshot) => {
                return if cluster.is_working() {
                    Err(self.busy())
                } else {
                    refuse("DWS.7023")
                };
            }
            _ => {}
        }
        let rebooting = cluster
            .task
            .as_ref()
            .is_some_and(|task| task.phase == Phase::Rebooting);
        if work == Work::Restart && rebooting {
            return Err(inner_busy());
        }
        if cluster.is_working() {
            return Err(self.busy());
        }
        // Nothing shows any more, and still it is too early.
        if cluster.busy_until.is_some_and(|until| self.now < until) {
            return refuse("DWS.7023");
        }
        Ok(())
    }
}
