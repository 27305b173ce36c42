//! The answer to a call into the status: a new phase, an id, or a refusal that is told.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::cluster_status::LastFailure;
use crate::api::{DwsClusterStatus, Operation, OperationKind, OperationPhase};
use crate::core::conditions::{self, Ready, Says, Verdict};
use crate::core::failures::{self, TRIED_AGAIN};
use crate::core::step::{Absorbed, EventNote};
use crate::dws::answer::{Answer, Failure, Meaning};

/// The status with an answer in it. `status` is the freshest stored one, whose journal holds `operation`;
/// `generation` is that of the object whose plan made the call.
pub fn absorb(
    status: &DwsClusterStatus,
    generation: i64,
    operation: &Operation,
    answer: &Answer,
    now: Timestamp,
) -> Absorbed<DwsClusterStatus> {
    let mut next = Next {
        status: status.clone(),
        generation,
        operation,
        now,
        events: Vec::new(),
    };
    match answer {
        Answer::Accepted { id } => next.accepted(id.as_deref()),
        Answer::Refused(failure) => next.refused(failure),
        Answer::Ambiguous(failure) => next.ambiguous(failure),
    }
    Absorbed {
        status: next.status,
        events: next.events,
        wake: Some(jiff::SignedDuration::from_secs(1)),
    }
}

struct Next<'a> {
    status: DwsClusterStatus,
    generation: i64,
    operation: &'a Operation,
    now: Timestamp,
    events: Vec<EventNote>,
}

impl Next<'_> {
    fn phase(&mut self, phase: OperationPhase, message: Option<String>) {
        if let Some(open) = &mut self.status.operation {
            open.phase = phase;
            open.message = message;
        }
    }

    fn event(&mut self, warning: bool, reason: &'static str, key: &str, note: String) {
        let key = format!("{}/{key}", self.operation.id);
        self.event_of(warning, reason, key, note);
    }

    fn refusal(&mut self, failure: &Failure, note: String) {
        let kind = self.operation.kind;
        let key = failures::refusal_key(kind, failure, self.generation);
        self.event_of(true, event_reason(kind), key, note);
    }

    fn event_of(&mut self, warning: bool, reason: &'static str, key: String, note: String) {
        self.events.push(EventNote {
            warning,
            reason,
            note,
            key,
        });
    }

    fn accepted(&mut self, id: Option<&str>) {
        let needs_id = matches!(
            self.operation.kind,
            OperationKind::Create | OperationKind::Restore
        );
        if needs_id && id.is_none() {
            // Nothing to hold it by: the list will show it under its name.
            return self.phase(
                OperationPhase::Ambiguous,
                Some("The service accepted the call and gave no id.".into()),
            );
        }
        self.phase(OperationPhase::Accepted, None);
        let name = self.operation.target.name.clone().unwrap_or_default();
        match self.operation.kind {
            OperationKind::Create | OperationKind::Restore => {
                self.status.cluster_id = id.map(str::to_owned);
                self.status.adopted = Some(false);
                let verb = if self.operation.kind == OperationKind::Restore {
                    "restore"
                } else {
                    "create"
                };
                let reason = if verb == "restore" {
                    "RestoreAccepted"
                } else {
                    "CreateAccepted"
                };
                let note = format!(
                    "The service accepted the {verb} of cluster {name} ({}).",
                    id.unwrap_or_default()
                );
                self.event(false, reason, "", note);
            }
            OperationKind::Resize => {
                let count = self.operation.target.node_count.unwrap_or_default();
                self.event(
                    false,
                    "ResizeAccepted",
                    "",
                    format!("The service accepted the resize to {count} nodes."),
                );
            }
            OperationKind::Restart => {
                self.event(
                    false,
                    "RestartAccepted",
                    "",
                    "The service accepted the restart.".into(),
                );
            }
            OperationKind::ResetPassword | OperationKind::DeleteSnapshot => {}
            OperationKind::Snapshot => {
                if let Some(last) = &mut self.status.final_snapshot {
                    last.id = id.map(str::to_owned).or(last.id.take());
                }
                self.event(
                    false,
                    "SnapshotStarted",
                    "",
                    format!("Final snapshot {name} was started."),
                );
            }
            OperationKind::Delete => {
                let id = self.operation.target.cluster_id.clone().unwrap_or_default();
                self.event(
                    false,
                    "DeletionStarted",
                    "",
                    format!("The service accepted the deletion of cluster {id}."),
                );
            }
        }
    }

    fn ambiguous(&mut self, failure: &Failure) {
        let message = format!(
            "The answer was lost or tells nothing: {}",
            failures::text(failure)
        );
        self.phase(OperationPhase::Ambiguous, Some(message.clone()));
        self.event(true, "AnswerLost", &failures::key(failure), message);
    }

    fn refused(&mut self, failure: &Failure) {
        let first = self.operation.attempt <= 1;
        if self.operation.kind == OperationKind::ResetPassword {
            return self.password_refused(failure, first);
        }
        let lost_before = !first
            && matches!(
                self.operation.kind,
                OperationKind::Create | OperationKind::Restore | OperationKind::Snapshot
            );
        if lost_before && failure.meaning == Meaning::NameTaken {
            // An earlier attempt may have made it after all: look for it before anything else.
            return self.ambiguous(failure);
        }
        let by_id = matches!(
            self.operation.kind,
            OperationKind::Delete | OperationKind::DeleteSnapshot
        );
        let own = failures::is_the_services_own(failure);
        if failures::passes(failure) && (!own || !(first || by_id)) {
            if !first && self.operation.kind != OperationKind::Delete {
                return self.phase(OperationPhase::Ambiguous, Some(failures::text(failure)));
            }
            self.status.operation = None;
            self.unhandle();
            return self.not_now(failure);
        }
        self.status.operation = None;
        let gone = matches!(
            failure.meaning,
            Meaning::Absent | Meaning::AbsentOrForbidden
        );
        if self.operation.kind == OperationKind::DeleteSnapshot && gone {
            return;
        }
        let (reason, stalled) = match self.operation.kind {
            OperationKind::Create | OperationKind::Restore => {
                (failures::refusal_reason(failure.meaning), true)
            }
            OperationKind::Resize if failures::tried_again(failure.meaning) => {
                (failures::refusal_reason(failure.meaning), false)
            }
            OperationKind::Resize => {
                // Brought to rest as failed: it is not repeated by itself.
                self.status.settled_node_count = self.operation.target.node_count;
                ("ResizeFailed", true)
            }
            OperationKind::Restart | OperationKind::Snapshot if own => {
                self.unhandle();
                (failures::SERVICE_FAILED, false)
            }
            OperationKind::Restart => ("RestartFailed", false),
            OperationKind::Snapshot => ("SnapshotFailed", true),
            // The first refusal may be about the count of snapshots to keep: the exact one is tried once.
            OperationKind::Delete if !own && !self.deletion_refused_before() => {
                ("DeletionRefused", false)
            }
            OperationKind::Delete | OperationKind::DeleteSnapshot => ("DeletionBlocked", false),
            OperationKind::ResetPassword => ("PasswordRejected", false),
        };
        if matches!(
            self.operation.kind,
            OperationKind::Create | OperationKind::Restore
        ) {
            // A change of that Secret is a reason to try again.
            self.status
                .rejected_secret
                .clone_from(&self.operation.target.secret);
        }
        let message = failures::text(failure);
        self.fail(reason, failure, message.clone());
        self.refusal(failure, message.clone());
        let waits = failures::tried_again(failure.meaning);
        let told = if waits {
            format!("{message} {TRIED_AGAIN}.")
        } else {
            message.clone()
        };
        let says = Says::new(reason, told);
        // As the next plan will say it, so that a refusal is one status write.
        let ready = match self.operation.kind {
            OperationKind::Create | OperationKind::Restore => {
                Ready::No(Says::new("NotCreated", message))
            }
            OperationKind::Resize
            | OperationKind::Restart
            | OperationKind::ResetPassword
            | OperationKind::Snapshot
            | OperationKind::Delete
            | OperationKind::DeleteSnapshot => Ready::AsBefore(says.clone()),
        };
        let verdict = match (
            waits && !own,
            stalled && !own && reason != "PasswordRejected",
        ) {
            (true, _) => Verdict::waiting(ready, says),
            (false, true) => Verdict::stalled(ready, says),
            (false, false) => Verdict::out_of_sync(ready, says),
        };
        conditions::apply(
            &mut self.status.conditions,
            &verdict,
            self.generation,
            self.now,
        );
    }

    fn password_refused(&mut self, failure: &Failure, first: bool) {
        if !first {
            if failure.meaning == Meaning::BadPassword {
                // The service takes no password twice: an earlier attempt set this one.
                return self.phase(
                    OperationPhase::Accepted,
                    Some("The service already holds this password.".into()),
                );
            }
            return self.phase(OperationPhase::Ambiguous, Some(failures::text(failure)));
        }
        self.status.operation = None;
        let message = failures::text(failure);
        if failures::passes(failure) {
            self.unhandle();
            if failures::is_the_services_own(failure) {
                self.fail(failures::SERVICE_FAILED, failure, message.clone());
                return self.event_of(
                    true,
                    "PasswordResetRefused",
                    failures::refusal_key(self.operation.kind, failure, self.generation),
                    message,
                );
            }
            return self.not_now(failure);
        }
        self.fail("PasswordRejected", failure, message.clone());
        self.status
            .rejected_secret
            .clone_from(&self.operation.target.secret);
        if self.operation.target.secret.is_none() {
            // A generated one is made anew, for the same request.
            self.unhandle();
        }
        self.refusal(failure, message);
    }

    /// A service that is busy is given an interval; what else passes is held back by the account's circuit.
    fn not_now(&mut self, failure: &Failure) {
        if failure.meaning == Meaning::Busy {
            self.fail(failures::BUSY, failure, failures::text(failure));
        }
    }

    /// The request was not carried out: it is due again.
    fn unhandle(&mut self) {
        let Some(handled) = &mut self.status.handled else {
            return;
        };
        match self.operation.kind {
            OperationKind::Restart => handled.restart = self.operation.baseline.handled,
            OperationKind::ResetPassword => {
                handled.rotate_password = self.operation.baseline.handled;
            }
            // Nobody asked for these by annotation.
            OperationKind::Create
            | OperationKind::Restore
            | OperationKind::Resize
            | OperationKind::Snapshot
            | OperationKind::Delete
            | OperationKind::DeleteSnapshot => {}
        }
    }

    fn deletion_refused_before(&self) -> bool {
        failures::of_kind(&self.status, OperationKind::Delete).is_some()
    }

    fn fail(&mut self, reason: &str, failure: &Failure, message: String) {
        let failure = LastFailure {
            kind: self.operation.kind,
            reason: reason.to_owned(),
            code: failure.code.clone(),
            message,
            credentials: self.operation.target.credentials.clone(),
            generation: self.generation,
            at: conditions::whole_second(self.now),
            other: BTreeMap::default(),
        };
        failures::record(&mut self.status, failure);
    }
}

fn event_reason(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Create => "CreateRefused",
        OperationKind::Restore => "RestoreRefused",
        OperationKind::Resize => "ResizeRefused",
        OperationKind::Restart => "RestartRefused",
        OperationKind::ResetPassword => "PasswordRejected",
        OperationKind::Snapshot => "SnapshotRefused",
        OperationKind::Delete => "DeletionRefused",
        OperationKind::DeleteSnapshot => "SnapshotDeletionRefused",
    }
}
