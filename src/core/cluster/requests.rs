//! The request annotations of a `DwsCluster`: recorded with the first status write, acted on once.

use jiff::Timestamp;

use super::draft::Draft;
use crate::api::annotations::{Request, acknowledged_attempt};
use crate::api::cluster_status::Handled;
use crate::api::names;
use crate::api::{Operation, OperationKind, OperationPhase};
use crate::core::requests::{Judged, judge};
use crate::core::step::EventNote;

impl Draft<'_> {
    /// `acknowledge-attempt` closes the operation that it names as not to be repeated.
    pub fn acknowledge(&mut self) {
        let Some(id) = acknowledged_attempt(self.annotations()).map(str::to_owned) else {
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
        let value = self.annotations().get(names::PAUSED).cloned();
        let value = value.unwrap_or_default();
        if !matches!(value.as_str(), "" | "true" | "false") {
            let note = format!(
                "{}={value:?} is not \"true\": nothing is held back.",
                names::PAUSED
            );
            self.ignore(value, note);
        }
    }

    /// Records what stands in the annotations: all of it the first time, and later what is not to be acted on.
    pub fn record_requests(&mut self) {
        if self.status.handled.is_none() {
            let read = |request: Request| request.requested_at(self.annotations()).ok().flatten();
            self.status.handled = Some(Handled {
                restart: read(Request::Restart),
                rotate_password: read(Request::RotatePassword),
                reconcile: read(Request::Reconcile),
                ..Handled::default()
            });
            return;
        }
        self.note_no_pause();
        let observe_only = self.observe_only();
        for request in Request::ALL {
            let key = request.annotation();
            let value = self.annotations().get(key).cloned().unwrap_or_default();
            match self.judged(request) {
                Judged::Due(asked) if request == Request::Reconcile => {
                    self.record(request, asked);
                    // What ended in failure at the service is not undone by asking again.
                    let ended = ["ResizeFailed", "RestartFailed"];
                    let failures = &mut self.status.failures;
                    failures.retain(|one| ended.contains(&one.reason.as_str()));
                    self.status.last_busy = None;
                    self.status.rejected_secret = None;
                }
                Judged::Due(asked) if observe_only => self.record(request, asked),
                Judged::None | Judged::Due(_) => {}
                Judged::Lapsed(asked) => {
                    self.record(request, asked);
                    let note = format!(
                        "{key}={value} could not run within 24 hours and lapses: ask again."
                    );
                    self.events
                        .push(EventNote::warning("RequestLapsed", value, note));
                }
                Judged::TooFarAhead => {
                    let note = format!(
                        "{key}={value} is more than 10 minutes ahead of the clock: nothing is done."
                    );
                    self.ignore(value, note);
                }
                Judged::Unreadable(error) => {
                    self.ignore(value, format!("Nothing is done: {error}."));
                }
            }
        }
    }

    fn ignore(&mut self, value: String, note: String) {
        self.ignored.push(note.clone());
        self.events
            .push(EventNote::warning("RequestIgnored", value, note));
    }

    /// A restart or rotation that is asked for and not yet done.
    pub fn due(&self, request: Request) -> Option<Timestamp> {
        self.status.handled.as_ref()?;
        match self.judged(request) {
            Judged::Due(asked) => Some(asked),
            _ => None,
        }
    }

    /// Marks a request as handled.
    pub fn record(&mut self, request: Request, asked: Timestamp) {
        let handled = self.status.handled.get_or_insert_with(Handled::default);
        match request {
            Request::Restart => handled.restart = Some(asked),
            Request::RotatePassword => handled.rotate_password = Some(asked),
            Request::Reconcile => handled.reconcile = Some(asked),
        }
    }

    fn judged(&self, request: Request) -> Judged {
        let handled = self.status.handled.clone().unwrap_or_default();
        let recorded = match request {
            Request::Restart => handled.restart,
            Request::RotatePassword => handled.rotate_password,
            Request::Reconcile => handled.reconcile,
        };
        let created = self
            .facts
            .object
            .metadata
            .creation_timestamp
            .as_ref()
            .map(|time| time.0);
        let asked = request.requested_at(self.annotations());
        judge(asked, recorded, created, self.facts.now)
    }
}
