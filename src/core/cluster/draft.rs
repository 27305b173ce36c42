//! A decision in the making: the facts, the status as it will be, and what is collected on the way.

use jiff::SignedDuration;
use kube::ResourceExt;

use crate::api::annotations::{self, Annotations, Request};
use crate::api::cluster::ManagementPolicy;
use crate::api::names;
use crate::api::{DwsClusterStatus, Operation, OperationKind, OperationPhase};
use crate::core::conditions::{self, Ready, Says, Verdict};
use crate::core::facts::{ClusterFacts, Tie};
use crate::core::journal::Intent;
use crate::core::step::{Decision, EventNote, Outcome, Read, SecretWrite, Step};

/// The step of a `DwsCluster`.
pub(super) type ClusterStep = Step<DwsClusterStatus>;

/// What a part of the plan comes to: go on with the draft, or end with this step.
pub(super) type Part<'a> = Result<Draft<'a>, Box<ClusterStep>>;

/// See the module.
pub(super) struct Draft<'a> {
    pub facts: &'a ClusterFacts,
    pub status: DwsClusterStatus,
    pub events: Vec<EventNote>,
    pub secret: Option<SecretWrite>,
    pub add_finalizer: bool,
    /// Annotations that ask for nothing that can be done; told beside `Synced`.
    pub ignored: Vec<String>,
}

impl<'a> Draft<'a> {
    pub fn new(facts: &'a ClusterFacts) -> Self {
        let status = facts.object.status.clone().unwrap_or_default();
        Self {
            facts,
            status,
            events: Vec::new(),
            secret: None,
            add_finalizer: false,
            ignored: Vec::new(),
        }
    }

    /// One more read, then ask again.
    pub fn read(read: Read) -> ClusterStep {
        Step::Read(read)
    }

    pub fn generation(&self) -> i64 {
        self.facts.object.metadata.generation.unwrap_or_default()
    }

    pub fn uid(&self) -> &str {
        self.facts
            .object
            .metadata
            .uid
            .as_deref()
            .unwrap_or_default()
    }

    /// The cluster's name at the service.
    pub fn cluster_name(&self) -> &str {
        self.facts.object.cluster_name()
    }

    pub fn admin_user(&self) -> &str {
        self.facts.object.admin_user_or_default()
    }

    pub fn connection_secret_name(&self) -> String {
        self.facts.object.connection_secret_name()
    }

    pub fn annotations(&self) -> &Annotations {
        self.facts.object.annotations()
    }

    pub fn paused(&self) -> bool {
        annotations::is_paused(self.annotations())
    }

    pub fn observe_only(&self) -> bool {
        self.facts.object.management_policy() == ManagementPolicy::ObserveOnly
    }

    pub fn adopted(&self) -> bool {
        self.status.adopted == Some(true)
    }

    /// How its connection Secret should be tied to it.
    pub fn tie(&self) -> Tie {
        Tie::of(&self.facts.object, self.adopted())
    }

    /// A restore made it, so that its first password is set by a reset.
    pub fn made_by_restore(&self) -> bool {
        self.facts.object.spec.restore_from.is_some() && !self.adopted()
    }

    /// A restored cluster whose first password is not in force yet: only its first reset binds the Secret.
    pub fn awaits_first_password(&self) -> bool {
        self.made_by_restore() && self.status.binding.is_none()
    }

    pub fn has_finalizer(&self) -> bool {
        self.facts
            .object
            .metadata
            .finalizers
            .as_ref()
            .is_some_and(|all| all.iter().any(|one| one == names::FINALIZER))
    }

    /// The open operation, unless only a person can close it.
    pub fn open_operation(&self) -> Option<&Operation> {
        self.status
            .operation
            .as_ref()
            .filter(|operation| operation.phase != OperationPhase::OutcomeUnknown)
    }

    /// An operation of this kind waits for a person.
    pub fn unknown_of(&self, kind: OperationKind) -> Option<&Operation> {
        let parked = self.status.unsettled_operations.iter();
        self.status
            .operation
            .iter()
            .chain(parked)
            .find(|operation| {
                operation.kind == kind && operation.phase == OperationPhase::OutcomeUnknown
            })
    }

    /// The ambiguity window of the open attempt is over.
    pub fn window_over(&self) -> bool {
        self.facts.memory.window_start.is_some_and(|start| {
            self.facts.now.duration_since(start) >= self.facts.settings.ambiguity_window
        })
    }

    /// A read that was requested at `when` saw what the window left behind. That of a call which the service
    /// accepted begins with its intent.
    pub fn after_window(&self, when: jiff::Timestamp) -> bool {
        let open = self.status.operation.as_ref();
        let accepted = open.filter(|one| one.phase == OperationPhase::Accepted);
        accepted
            .map(|one| one.intended_at)
            .or(self.facts.memory.window_start)
            .is_some_and(|start| when.duration_since(start) >= self.facts.settings.ambiguity_window)
    }

    /// The recorded cluster was confirmed gone before.
    pub fn lost_before(&self) -> bool {
        self.status.lost == Some(true)
            || conditions::reason(&self.status.conditions, "Stalled") == Some("Lost")
    }

    /// No changing call because of the resource itself: paused, or only observed.
    pub fn hands_off(&self) -> bool {
        self.paused() || self.observe_only()
    }

    /// Closes the operation with this sentence, for a person to decide.
    pub fn outcome_unknown(&mut self, message: &str) {
        if let Some(operation) = &mut self.status.operation {
            operation.phase = OperationPhase::OutcomeUnknown;
            let note = format!(
                "{message} To close it as not to be repeated, annotate {}={}.",
                names::ACKNOWLEDGE_ATTEMPT,
                operation.id
            );
            operation.message = Some(note.clone());
            self.events.push(EventNote::warning(
                "OutcomeUnknown",
                operation.id.clone(),
                note,
            ));
        }
    }

    /// Puts an operation whose outcome is unknown aside, so that one of another kind can go on.
    fn park_unknown(&mut self) {
        if self
            .status
            .operation
            .as_ref()
            .is_some_and(|one| one.phase == OperationPhase::OutcomeUnknown)
        {
            let parked = self.status.operation.take();
            self.status.unsettled_operations.extend(parked);
        }
    }

    /// Brings a parked operation back into sight once nothing else is open.
    pub fn unpark(&mut self) {
        if self.status.operation.is_none() && !self.status.unsettled_operations.is_empty() {
            self.status.operation = Some(self.status.unsettled_operations.remove(0));
        }
    }

    /// The reconcile ends with this call.
    pub fn call(mut self, intent: Intent, verdict: &Verdict) -> ClusterStep {
        self.park_unknown();
        self.status.last_busy = None;
        self.status.operation = Some(intent.operation().clone());
        self.add_finalizer = true;
        let wake = Some(self.facts.settings.active_interval);
        self.finish(verdict, Some(intent), wake, Outcome::Acted)
    }

    /// The reconcile ends with this verdict and no call.
    pub fn end(
        mut self,
        verdict: &Verdict,
        wake: Option<SignedDuration>,
        outcome: Outcome,
    ) -> ClusterStep {
        self.unpark();
        self.finish(verdict, None, wake, outcome)
    }

    /// Waits for something that will come.
    pub fn wait(
        self,
        ready: Ready,
        reason: &'static str,
        message: impl Into<String>,
    ) -> ClusterStep {
        let wake = Some(self.facts.settings.idle_interval);
        self.end(
            &Verdict::waiting(ready, Says::new(reason, message)),
            wake,
            Outcome::Waiting,
        )
    }

    /// Stops until a person or another object does something.
    pub fn stall(
        self,
        ready: Ready,
        reason: &'static str,
        message: impl Into<String>,
    ) -> ClusterStep {
        self.end(
            &Verdict::stalled(ready, Says::new(reason, message)),
            None,
            Outcome::Stalled,
        )
    }

    /// The service or the credentials do not work just now.
    pub fn hold_back(self, says: Says) -> ClusterStep {
        let ready = Ready::AsBefore(says.clone());
        let wake = Some(self.facts.settings.active_interval);
        self.end(&Verdict::out_of_sync(ready, says), wake, Outcome::HeldBack)
    }

    /// The resource may go: nothing remote depends on it any more.
    pub fn forget(mut self, secret: Option<SecretWrite>, note: EventNote) -> ClusterStep {
        self.events.push(note);
        Step::Act(Box::new(Decision {
            add_finalizer: false,
            secret,
            status: self.facts.object.status.clone().unwrap_or_default(),
            call: None,
            remove_finalizer: true,
            events: self.events,
            wake: None,
            outcome: Outcome::Finished,
        }))
    }

    /// Nothing is written; the status stays as it is stored.
    pub fn unchanged(self, wake: Option<SignedDuration>, outcome: Outcome) -> ClusterStep {
        Step::Act(Box::new(Decision {
            add_finalizer: false,
            secret: None,
            status: self.facts.object.status.clone().unwrap_or_default(),
            call: None,
            remove_finalizer: false,
            events: self.events,
            wake,
            outcome,
        }))
    }

    /// Something is to be done for it that needs the service.
    pub fn has_work(&self) -> bool {
        self.status.cluster_id.is_none()
            || self.open_operation().is_some()
            || self.status.observed_generation != self.facts.object.metadata.generation
            || self.facts.object.metadata.deletion_timestamp.is_some()
            || self.due(Request::Restart).is_some()
            || self.due(Request::RotatePassword).is_some()
    }

    /// Nothing but this verdict.
    pub fn note(self, verdict: &Verdict) -> Decision<DwsClusterStatus> {
        self.decision(verdict, None, None, Outcome::HeldBack)
    }

    fn finish(
        self,
        verdict: &Verdict,
        call: Option<Intent>,
        wake: Option<SignedDuration>,
        outcome: Outcome,
    ) -> ClusterStep {
        Step::Act(Box::new(self.decision(verdict, call, wake, outcome)))
    }

    fn decision(
        mut self,
        verdict: &Verdict,
        call: Option<Intent>,
        wake: Option<SignedDuration>,
        outcome: Outcome,
    ) -> Decision<DwsClusterStatus> {
        let generation = self.generation();
        let mut verdict = verdict.clone();
        let (Ok(says) | Err(says)) = &mut verdict.synced;
        for note in &self.ignored {
            says.message.push(' ');
            says.message.push_str(note);
        }
        conditions::apply(
            &mut self.status.conditions,
            &verdict,
            generation,
            self.facts.now,
        );
        self.status.observed_generation = Some(generation);
        self.restore_finalizer();
        if outcome == Outcome::InSync {
            self.status.last_busy = None;
        }
        self.keep_quiet_fields();
        if call.is_none() && self.facts.object.status.as_ref() == Some(&self.status) {
            // Told when it began. Telling it at every poll would be a write at every poll.
            self.events.clear();
        }
        Decision {
            add_finalizer: self.add_finalizer,
            secret: self.secret,
            status: self.status,
            call,
            remove_finalizer: false,
            events: self.events,
            wake,
            outcome,
        }
    }

    /// A replace of the whole object can strip the finalizer off; without it a deletion would leave the
    /// cluster running.
    fn restore_finalizer(&mut self) {
        let binds = self.status.cluster_id.is_some() || self.status.operation.is_some();
        let lives = self.facts.object.metadata.deletion_timestamp.is_none();
        self.add_finalizer |= binds && lives && !self.has_finalizer();
    }

    /// `recentEvents` and `updatedAt` move by themselves: they travel only with another change.
    fn keep_quiet_fields(&mut self) {
        let Some(stored) = &self.facts.object.status else {
            return;
        };
        let mut still = self.status.clone();
        still.recent_events = stored.recent_events;
        still.updated_at.clone_from(&stored.updated_at);
        if still == *stored {
            self.status = still;
        }
    }
}
