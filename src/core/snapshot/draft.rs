//! A decision about a snapshot in the making.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use kube::ResourceExt;

use crate::api::annotations::is_paused;
use crate::api::cluster_status::LastFailure;
use crate::api::names;
use crate::api::{DwsCluster, DwsSnapshotStatus, OperationKind};
use crate::core::conditions::{self, Ready, Says, Verdict};
use crate::core::facts::{ClusterRefFact, SnapshotFacts};
use crate::core::failures;
use crate::core::journal::Intent;
use crate::core::step::{Decision, EventNote, Outcome, Read, Step};
use crate::dws::model::Snapshot;

/// The step of a `DwsSnapshot`.
pub(super) type SnapshotStep = Step<DwsSnapshotStatus>;

/// See the module.
pub(super) struct Draft<'a> {
    pub facts: &'a SnapshotFacts,
    pub status: DwsSnapshotStatus,
    pub events: Vec<EventNote>,
    pub add_finalizer: bool,
}

impl<'a> Draft<'a> {
    pub fn new(facts: &'a SnapshotFacts) -> Self {
        let mut status = facts.object.status.clone().unwrap_or_default();
        // As at the first reconcile, used for ever: the cluster may be gone first.
        status
            .credentials_secret_name
            .get_or_insert_with(|| facts.credentials_secret.clone());
        Self {
            facts,
            status,
            events: Vec::new(),
            add_finalizer: false,
        }
    }

    pub fn read(read: Read) -> SnapshotStep {
        Step::Read(read)
    }

    pub fn name(&self) -> &str {
        self.facts.object.snapshot_name()
    }

    pub fn generation(&self) -> i64 {
        self.facts.object.metadata.generation.unwrap_or_default()
    }

    pub fn paused(&self) -> bool {
        is_paused(self.facts.object.annotations())
    }

    pub fn has_finalizer(&self) -> bool {
        self.facts
            .object
            .metadata
            .finalizers
            .as_ref()
            .is_some_and(|all| all.iter().any(|one| one == names::FINALIZER))
    }

    pub fn has_work(&self) -> bool {
        self.status.snapshot_id.is_none()
            || self.status.operation.is_some()
            || self.facts.object.metadata.deletion_timestamp.is_some()
            || self.status.observed_generation != self.facts.object.metadata.generation
    }

    pub fn after_window(&self, when: jiff::Timestamp) -> bool {
        let window = self.facts.settings.ambiguity_window;
        self.facts
            .memory
            .window_start
            .is_some_and(|start| when.duration_since(start) >= window)
    }

    /// The service said "busy" a moment ago although the cluster looked idle: it is given one interval.
    pub fn just_refused_as_busy(&self) -> bool {
        self.status.last_failure.as_ref().is_some_and(|one| {
            one.reason == failures::BUSY
                && self.facts.now.duration_since(one.at) < self.facts.settings.active_interval
        })
    }

    /// The recorded snapshot was confirmed gone before.
    pub fn lost_before(&self) -> bool {
        self.status.lost == Some(true)
            || conditions::reason(&self.status.conditions, "Stalled") == Some("Lost")
    }

    /// The `DwsCluster` of the snapshot's cluster, however the manifest names that.
    pub fn owner(&self) -> Option<&DwsCluster> {
        match &self.facts.cluster {
            Some(ClusterRefFact::Present(cluster)) => Some(cluster),
            _ => self.facts.holder.as_deref(),
        }
    }

    /// It is being deleted: no snapshot of its cluster is started.
    pub fn owner_goes(&self) -> bool {
        self.owner()
            .is_some_and(|owner| owner.metadata.deletion_timestamp.is_some())
    }

    pub fn fail(&mut self, kind: OperationKind, reason: &str, message: String) {
        self.status.last_failure = Some(LastFailure {
            kind,
            reason: reason.to_owned(),
            code: None,
            message,
            credentials: None,
            generation: self.generation(),
            at: conditions::whole_second(self.facts.now),
            other: BTreeMap::default(),
        });
    }

    /// The service's words, verbatim.
    pub fn observe(&mut self, snapshot: &Snapshot) {
        self.status.status = Some(snapshot.status.clone());
        self.status.type_.clone_from(&snapshot.type_);
        self.status.started_at.clone_from(&snapshot.started);
        self.status.finished_at.clone_from(&snapshot.finished);
        self.status.size_gb = snapshot.size_gb;
        if snapshot.cluster_id.is_some() {
            self.status.cluster_id.clone_from(&snapshot.cluster_id);
        }
    }

    pub fn call(mut self, intent: Intent, verdict: &Verdict) -> SnapshotStep {
        self.status.operation = Some(intent.operation().clone());
        self.add_finalizer = true;
        let wake = Some(self.facts.settings.active_interval);
        self.finish(verdict, Some(intent), wake, Outcome::Acted)
    }

    pub fn end(
        self,
        verdict: &Verdict,
        wake: Option<SignedDuration>,
        outcome: Outcome,
    ) -> SnapshotStep {
        self.finish(verdict, None, wake, outcome)
    }

    pub fn wait(self, ready: Ready, says: Says) -> SnapshotStep {
        let wake = Some(self.facts.settings.idle_interval);
        self.end(&Verdict::waiting(ready, says), wake, Outcome::Waiting)
    }

    pub fn stall(self, ready: Ready, says: Says) -> SnapshotStep {
        self.end(&Verdict::stalled(ready, says), None, Outcome::Stalled)
    }

    pub fn hold_back(self, says: Says) -> SnapshotStep {
        let wake = Some(self.facts.settings.active_interval);
        let ready = if self.facts.object.metadata.deletion_timestamp.is_some() {
            let message = format!("The deletion waits. {}", says.message);
            Ready::No(Says::new("Deleting", message))
        } else {
            Ready::AsBefore(says.clone())
        };
        let verdict = Verdict::out_of_sync(ready, says);
        self.end(&verdict, wake, Outcome::HeldBack)
    }

    pub fn unchanged(self, wake: Option<SignedDuration>, outcome: Outcome) -> SnapshotStep {
        let status = self.facts.object.status.clone().unwrap_or_default();
        Step::Act(Box::new(Decision {
            add_finalizer: false,
            secret: None,
            status,
            call: None,
            remove_finalizer: false,
            events: self.events,
            wake,
            outcome,
        }))
    }

    pub fn forget(mut self, note: EventNote) -> SnapshotStep {
        self.events.push(note);
        let status = self.facts.object.status.clone().unwrap_or_default();
        Step::Act(Box::new(Decision {
            add_finalizer: false,
            secret: None,
            status,
            call: None,
            remove_finalizer: true,
            events: self.events,
            wake: None,
            outcome: Outcome::Finished,
        }))
    }

    fn finish(
        mut self,
        verdict: &Verdict,
        call: Option<Intent>,
        wake: Option<SignedDuration>,
        outcome: Outcome,
    ) -> SnapshotStep {
        let generation = self.generation();
        conditions::apply(
            &mut self.status.conditions,
            verdict,
            generation,
            self.facts.now,
        );
        self.status.observed_generation = Some(generation);
        // A replace of the whole object can strip it off; without it a deletion would leave the snapshot.
        let binds = self.status.snapshot_id.is_some() || self.status.operation.is_some();
        let lives = self.facts.object.metadata.deletion_timestamp.is_none();
        self.add_finalizer |= binds && lives && !self.has_finalizer();
        if call.is_none() && self.facts.object.status.as_ref() == Some(&self.status) {
            // Told when it began. Telling it at every poll would be a write at every poll.
            self.events.clear();
        }
        Step::Act(Box::new(Decision {
            add_finalizer: self.add_finalizer,
            secret: None,
            status: self.status,
            call,
            remove_finalizer: false,
            events: self.events,
            wake,
            outcome,
        }))
    }
}
