//! The request annotations of a `DwsCluster`: recorded with the first status write, acted on once.

use jiff::Timestamp;

use super::draft::Draft;
use crate::api::cluster_status::Handled;
use crate::api::names;
use crate::api::{Operation, OperationKind, OperationPhase};
use crate::core::requests::{Request, judge};
use crate::core::step::EventNote;

impl Draft<'_> {
    /// `acknowledge-attempt` closes the operation that it names as not to be repeated.
    pub fn acknowledge(&mut self) {
        let Some(id) = self
            .annotation(names::ACKNOWLEDGE_ATTEMPT)
            .map(str::to_owned)
        else {
            return;
        };
        let mut closed: Vec<Operation> = Vec::new();
        if self
            .status
            .operation
            .as_ref()
            .is_some_and(|one| one.id == id && one.phase == OperationPhase::OutcomeUnknown)
        {
            closed.extend(self.status.operation.take());
        }
        let parked = self
            .status
            .unsettled_operations
            .extract_if(.., |one| one.id == id);
        closed.extend(parked);
        // Not to be repeated: its count is at rest as a failed one is, and what is missing of it is drift.
        for resize in closed
            .iter()
            .filter(|one| one.kind == OperationKind::Resize)
        {
            self.status.settled_node_count = resize.target.node_count;
        }
        if closed.is_empty() {
            self.acknowledges_nothing(&id);
        } else {
            let note = format!(
                "Operation {id} is closed as not to be repeated; the plan starts from a fresh read."
            );
            self.events
                .push(EventNote::normal("AttemptAcknowledged", id, note));
        }
    }

    /// A mistyped id would leave its writer waiting: one that names nothing is told while something is open.
    fn acknowledges_nothing(&mut self, id: &str) {
        let open = self.status.operation.iter();
        let unknown = open.filter(|one| one.phase == OperationPhase::OutcomeUnknown);
        if unknown.chain(&self.status.unsettled_operations).count() > 0 {
            self.ignored.push(format!(
                "{}={id:?} is not the id of an operation whose outcome is unknown: nothing is done.",
                names::ACKNOWLEDGE_ATTEMPT
            ));
        }
    }

    /// Says that a value of `paused` holds nothing back: whoever wrote it may believe that it does.
    fn note_no_pause(&mut self) {
        let value = self
            .annotation(names::PAUSED)
            .unwrap_or_default()
            .to_owned();
        if !matches!(value.as_str(), "" | "true" | "false") {
            let note = format!(
                "{}={value:?} is not \"true\": nothing is held back.",
                names::PAUSED
            );
            self.ignored.push(note.clone());
            self.events
                .push(EventNote::warning("RequestIgnored", value, note));
        }
    }

    /// Records what stands in the annotations: all of it the first time, and later what is not to be acted on.
    pub fn record_requests(&mut self) {
        if self.status.handled.is_none() {
            let read = |key| self.annotation(key)?.parse::<Timestamp>().ok();
            self.status.handled = Some(Handled {
                restart: read(names::RESTART_REQUESTED_AT),
                rotate_password: read(names::ROTATE_PASSWORD_REQUESTED_AT),
                reconcile: read(names::RECONCILE_REQUESTED_AT),
                ..Handled::default()
            });
            return;
        }
        self.note_no_pause();
        let observe_only = self.observe_only();
        for key in [
            names::RESTART_REQUESTED_AT,
            names::ROTATE_PASSWORD_REQUESTED_AT,
            names::RECONCILE_REQUESTED_AT,
        ] {
            let value = self.annotation(key).unwrap_or_default().to_owned();
            match self.request(key) {
                Request::Due(asked) if key == names::RECONCILE_REQUESTED_AT => {
                    self.record(key, asked);
                    // What ended in failure at the service is not undone by asking again.
                    let ended = ["ResizeFailed", "RestartFailed"];
                    let failures = &mut self.status.failures;
                    failures.retain(|one| ended.contains(&one.reason.as_str()));
                    self.status.last_busy = None;
                    self.status.rejected_secret = None;
                }
                Request::Due(asked) if observe_only => self.record(key, asked),
                Request::None | Request::Due(_) => {}
                Request::Lapsed(asked) => {
                    self.record(key, asked);
                    let note = format!(
                        "{key}={value} could not run within 24 hours and lapses: ask again."
                    );
                    self.events
                        .push(EventNote::warning("RequestLapsed", value, note));
                }
                Request::TooFarAhead => {
                    let note = format!(
                        "{key}={value} is more than 10 minutes ahead of the clock: nothing is done."
                    );
                    self.ignored.push(note.clone());
                    self.events
                        .push(EventNote::warning("RequestIgnored", value, note));
                }
                Request::Unreadable => {
                    let note = format!(
                        "{key}={value:?} is not an RFC 3339 time such as 2026-11-25T08:30:00Z: nothing is done."
                    );
                    self.ignored.push(note.clone());
                    self.events
                        .push(EventNote::warning("RequestIgnored", value, note));
                }
            }
        }
    }

    /// A restart that is asked for and not yet done.
    pub fn due_restart(&self) -> Option<Timestamp> {
        self.due(names::RESTART_REQUESTED_AT)
    }

    /// A rotation that is asked for and not yet done.
    pub fn due_rotation(&self) -> Option<Timestamp> {
        self.due(names::ROTATE_PASSWORD_REQUESTED_AT)
    }

    /// Marks a request as handled.
    pub fn record(&mut self, key: &str, asked: Timestamp) {
        let handled = self.status.handled.get_or_insert_with(Handled::default);
        match key {
            names::RESTART_REQUESTED_AT => handled.restart = Some(asked),
            names::ROTATE_PASSWORD_REQUESTED_AT => handled.rotate_password = Some(asked),
            _ => handled.reconcile = Some(asked),
        }
    }

    fn due(&self, key: &str) -> Option<Timestamp> {
        self.status.handled.as_ref()?;
        match self.request(key) {
            Request::Due(asked) => Some(asked),
            _ => None,
        }
    }

    fn request(&self, key: &str) -> Request {
        let handled = self.status.handled.clone().unwrap_or_default();
        let recorded = match key {
            names::RESTART_REQUESTED_AT => handled.restart,
            names::ROTATE_PASSWORD_REQUESTED_AT => handled.rotate_password,
            _ => handled.reconcile,
        };
        let created = self
            .facts
            .object
            .metadata
            .creation_timestamp
            .as_ref()
            .map(|time| time.0);
        judge(self.annotation(key), recorded, created, self.facts.now)
    }
}
