//! The answer to a snapshot's call into its status.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::cluster_status::LastFailure;
use crate::api::{DwsSnapshotStatus, Operation, OperationKind, OperationPhase};
use crate::core::conditions::whole_second;
use crate::core::failures;
use crate::core::step::{Absorbed, EventNote};
use crate::dws::answer::{Answer, Meaning};

/// The status with an answer in it. `status` is the freshest stored one, whose journal holds `operation`.
pub fn absorb(
    status: &DwsSnapshotStatus,
    generation: i64,
    operation: &Operation,
    answer: &Answer,
    now: Timestamp,
) -> Absorbed<DwsSnapshotStatus> {
    let mut status = status.clone();
    let mut events = Vec::new();
    let key = |more: &str| format!("{}/{more}", operation.id);
    let taking = operation.kind == OperationKind::Snapshot;
    let phase = |status: &mut DwsSnapshotStatus, phase, message| {
        if let Some(open) = &mut status.operation {
            open.phase = phase;
            open.message = message;
        }
    };
    match answer {
        Answer::Accepted { id: None } if taking => {
            phase(
                &mut status,
                OperationPhase::Ambiguous,
                Some("The service accepted the call and gave no id.".into()),
            );
        }
        Answer::Accepted { id } => {
            phase(&mut status, OperationPhase::Accepted, None);
            if taking {
                status.snapshot_id.clone_from(id);
                status.adopted = Some(false);
                let id = id.as_deref().unwrap_or_default();
                let name = operation.target.name.as_deref().unwrap_or_default();
                let note = format!("The service accepted snapshot {name} ({id}).");
                events.push(EventNote::normal("SnapshotStarted", key(""), note));
            } else {
                events.push(EventNote::normal(
                    "DeletionStarted",
                    key(""),
                    "The service accepted the deletion of the snapshot.",
                ));
            }
        }
        Answer::Ambiguous(failure) => {
            let message = format!(
                "The answer was lost or tells nothing: {}",
                failures::text(failure)
            );
            phase(
                &mut status,
                OperationPhase::Ambiguous,
                Some(message.clone()),
            );
            events.push(EventNote::warning(
                "AnswerLost",
                key(&failures::key(failure)),
                message,
            ));
        }
        Answer::Refused(failure) => {
            let first = operation.attempt <= 1;
            let may_be_there = taking
                && !first
                && (failure.meaning == Meaning::NameTaken || failures::passes(failure));
            if may_be_there {
                phase(
                    &mut status,
                    OperationPhase::Ambiguous,
                    Some(failures::text(failure)),
                );
            } else {
                status.operation = None;
                let absent = matches!(
                    failure.meaning,
                    Meaning::Absent | Meaning::AbsentOrForbidden
                );
                let busy = failure.meaning == Meaning::Busy;
                if busy {
                    // The service is given an interval; it is no failure.
                    status.last_failure = Some(LastFailure {
                        kind: operation.kind,
                        reason: failures::BUSY.to_owned(),
                        code: failure.code.clone(),
                        message: failures::text(failure),
                        credentials: operation.target.credentials.clone(),
                        generation,
                        at: whole_second(now),
                        other: BTreeMap::default(),
                    });
                } else if (!failures::passes(failure) || failures::is_the_services_own(failure))
                    && (taking || !absent)
                {
                    let message = failures::text(failure);
                    let reason = if taking {
                        failures::refusal_reason(failure.meaning)
                    } else {
                        "DeletionBlocked"
                    };
                    let said = if taking {
                        "SnapshotRefused"
                    } else {
                        "SnapshotDeletionRefused"
                    };
                    events.push(EventNote::warning(
                        said,
                        failures::refusal_key(operation.kind, failure, generation),
                        message.clone(),
                    ));
                    status.last_failure = Some(LastFailure {
                        kind: operation.kind,
                        reason: reason.to_owned(),
                        code: failure.code.clone(),
                        message,
                        credentials: operation.target.credentials.clone(),
                        generation,
                        at: whole_second(now),
                        other: BTreeMap::default(),
                    });
                }
            }
        }
    }
    Absorbed {
        status,
        events,
        wake: Some(jiff::SignedDuration::from_secs(1)),
    }
}
