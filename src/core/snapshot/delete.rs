//! Deleting or retaining a snapshot: never one that a restore is reading.

use kube::ResourceExt;

use super::draft::{Draft, SnapshotStep};
use super::{follow, settle};
use crate::api::annotations::confirmed_delete;
use crate::api::names;
use crate::api::snapshot::SnapshotDeletionPolicy;
use crate::api::{Baseline, DwsSnapshotStatus, Operation, OperationKind, OperationPhase, Target};
use crate::core::absence::{self, Presence};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::facts::Account;
use crate::core::failures::{self, TRIED_AGAIN, TRY_AGAIN};
use crate::core::journal::Intent;
use crate::core::service_state::{self, SnapshotLife};
use crate::core::step::{EventNote, Outcome, Read};
use crate::dws::answer::Meaning;
use crate::dws::call::Call;
use crate::dws::model::Snapshot;

pub(super) fn plan(mut draft: Draft<'_>) -> SnapshotStep {
    if !draft.has_finalizer() {
        return draft.unchanged(None, Outcome::Finished);
    }
    if draft.paused() {
        let unsettled = draft.status.snapshot_id.is_none() && draft.status.operation.is_some();
        let wake = unsettled.then_some(draft.facts.settings.active_interval);
        draft = match observed(draft) {
            Ok(draft) => draft,
            Err(step) => return *step,
        };
        let says = Says::new(
            "Paused",
            "Deletion waits: the annotation dws.huaweicloud.com/paused is \"true\".",
        );
        return draft.end(
            &Verdict::out_of_sync(Ready::No(says.clone()), says),
            wake,
            Outcome::Waiting,
        );
    }
    let id = draft.status.snapshot_id.clone();
    let named = id.clone().unwrap_or_default();
    if draft.facts.object.deletion_policy() == SnapshotDeletionPolicy::Retain {
        let note = retained(&draft.status);
        return draft.forget(note);
    }
    if id.is_none() && draft.status.operation.is_none() {
        draft = match namesake(draft) {
            Ok(draft) => draft,
            Err(step) => return *step,
        };
        return draft.forget(EventNote::normal(
            "Deleted",
            "none",
            "No snapshot was taken; nothing is left behind.",
        ));
    }
    if let Some(rival) = follow::stopped_by(&draft).filter(|_| id.is_some()) {
        let note = format!(
            "Snapshot {named} stays with DwsSnapshot {}/{}.",
            rival.namespace, rival.name
        );
        return draft.forget(EventNote::normal("Retained", named, note));
    }
    if draft.lost_before() {
        return draft.forget(EventNote::normal(
            "Deleted",
            named,
            "The snapshot was lost before.",
        ));
    }
    match &draft.facts.account {
        Account::Known(known) => {
            if draft
                .status
                .account
                .as_ref()
                .is_some_and(|recorded| *recorded != known.account)
            {
                return blocked(
                    draft,
                    "account",
                    "The credentials lead to another project than the snapshot's. Give it credentials of its own project, or set spec.deletionPolicy: Retain.",
                );
            }
            if let Some(circuit) = &known.circuit {
                return draft.hold_back(failures::circuit(circuit));
            }
        }
        Account::Pending => return deleting(draft, "The account has not been read yet."),
        Account::Unreachable(circuit) => return draft.hold_back(failures::circuit(circuit)),
        Account::CredentialsMissing { message, .. } | Account::Invalid { message } => {
            let message = format!(
                "The credentials are gone: {message} Recreate the Secret to delete the snapshot, or set \
                 spec.deletionPolicy: Retain to keep it."
            );
            return blocked(draft, "credentials", &message);
        }
    }
    if id.is_none() {
        unsettled(draft)
    } else {
        known(draft, &named)
    }
}

/// Our finalizer came with a first intent, whose account the status holds for ever: without it the status was
/// lost (a restored backup), and a snapshot of the name may be the one that it held. It is left alone, and not
/// without a word.
fn namesake(draft: Draft<'_>) -> Result<Draft<'_>, Box<SnapshotStep>> {
    let known = match &draft.facts.account {
        Account::Known(known) if draft.status.account.is_none() => known,
        _ => return Ok(draft),
    };
    if let Some(circuit) = &known.circuit {
        return Err(Box::new(draft.hold_back(failures::circuit(circuit))));
    }
    let list = match &draft.facts.fresh_snapshots {
        None => return Err(Box::new(Draft::read(Read::Snapshots))),
        Some(Err(failure)) => {
            let says = failures::held_back(failure);
            return Err(Box::new(draft.hold_back(says)));
        }
        Some(Ok(list)) => list,
    };
    let named = list.named(draft.name());
    let elsewhere = &draft.facts.held_elsewhere;
    let Some(found) = named.iter().find(|one| !elsewhere.contains_key(&one.id)) else {
        return Ok(draft);
    };
    let note = format!(
        "This resource's status holds no snapshot, perhaps because it was lost with a restored backup. Snapshot {} of \
         its name is left alone and costs money: delete it in the console if it was this resource's.",
        found.id
    );
    let note = EventNote::warning("Retained", found.id.clone(), note);
    Err(Box::new(draft.forget(note)))
}

/// What is said about a snapshot that stays.
fn retained(status: &DwsSnapshotStatus) -> EventNote {
    let Some(id) = &status.snapshot_id else {
        let note = "spec.deletionPolicy is Retain; no snapshot was recorded.";
        return EventNote::normal("Retained", "none", note);
    };
    let open = status.operation.as_ref();
    let note = if open.is_some_and(|one| one.kind == OperationKind::DeleteSnapshot) {
        format!(
            "Snapshot {id} is let go, but a DELETE of it was sent before and may be carried out."
        )
    } else {
        format!("Snapshot {id} is kept, and costs money.")
    };
    EventNote::normal("Retained", id.clone(), note)
}

fn claimable(draft: &Draft<'_>, operation: &Operation, found: &Snapshot) -> bool {
    settle::fits(operation, found) && !draft.facts.held_elsewhere.contains_key(&found.id)
}

/// Observing and settling go on while the deletion is held up, as far as the account allows.
fn observed(mut draft: Draft<'_>) -> Result<Draft<'_>, Box<SnapshotStep>> {
    let account = match &draft.facts.account {
        Account::Known(known) if known.circuit.is_none() => &known.account,
        _ => return Ok(draft),
    };
    let recorded = draft.status.account.as_ref();
    if recorded.is_some_and(|recorded| recorded != account) {
        return Ok(draft);
    }
    if let Some(id) = draft.status.snapshot_id.clone() {
        match &draft.facts.detail {
            None => return Err(Box::new(Draft::read(Read::Snapshot(id)))),
            Some(Ok(snapshot)) => draft.observe(snapshot),
            Some(Err(_)) => {}
        }
    } else if let Some(operation) = draft.status.operation.clone() {
        let list = match &draft.facts.fresh_snapshots {
            None => return Err(Box::new(Draft::read(Read::Snapshots))),
            Some(Ok(list)) => list,
            Some(Err(_)) => return Ok(draft),
        };
        let name = operation.target.name.clone().unwrap_or_default();
        let found = list.named(&name).first();
        if let Some(found) = found.filter(|one| claimable(&draft, &operation, one)) {
            draft.status.snapshot_id = Some(found.id.clone());
            draft.status.adopted = Some(false);
        }
    }
    Ok(draft)
}

/// A lost request: a late snapshot can still appear.
fn unsettled(mut draft: Draft<'_>) -> SnapshotStep {
    let Some(operation) = draft.status.operation.clone() else {
        return deleting(draft, "The journal is being settled.");
    };
    let list = match &draft.facts.fresh_snapshots {
        None => return Draft::read(Read::Snapshots),
        Some(Err(failure)) => {
            let says = failures::held_back(failure);
            return draft.hold_back(says);
        }
        Some(Ok(list)) => list.clone(),
    };
    let name = operation.target.name.clone().unwrap_or_default();
    match list.named(&name).first() {
        Some(found) if claimable(&draft, &operation, found) => {
            draft.status.snapshot_id = Some(found.id.clone());
            draft.status.adopted = Some(false);
            deleting(
                draft,
                "A snapshot appeared after a lost answer; it is claimed and then deleted.",
            )
        }
        _ if !draft.after_window(list.requested_at) => deleting(
            draft,
            "The answer to the request was lost: until the ambiguity window is over a snapshot can still appear.",
        ),
        Some(found) => {
            let note = format!(
                "The lost request was not executed. Snapshot {}, which bears the name, is not what it asked for and \
                 is left alone.",
                found.id
            );
            draft.forget(EventNote::normal("Deleted", operation.id, note))
        }
        None => draft.forget(EventNote::normal(
            "Deleted",
            operation.id,
            "The lost request was not executed; nothing is left behind.",
        )),
    }
}

fn known(mut draft: Draft<'_>, id: &str) -> SnapshotStep {
    let accepted = draft.status.operation.as_ref().is_some_and(|one| {
        one.kind == OperationKind::DeleteSnapshot && one.phase == OperationPhase::Accepted
    });
    let snapshot = match &draft.facts.detail {
        None => return Draft::read(Read::Snapshot(id.to_owned())),
        Some(Ok(snapshot)) => snapshot.clone(),
        Some(Err(failure)) => {
            let judged = absence::judge(
                failure,
                &draft.facts.memory,
                draft.status.operation.as_ref(),
                &draft.facts.settings,
                draft.facts.now,
            );
            return match judged {
                Presence::Gone => {
                    let note = format!("Snapshot {id} is confirmed gone.");
                    draft.forget(EventNote::normal("Deleted", id, note))
                }
                Presence::NotYet => deleting(
                    draft,
                    "The snapshot was begun just now and the service does not show it yet; the deletion waits for it.",
                ),
                Presence::NotShown => deleting(
                    draft,
                    "The service no longer shows the snapshot; its lists are confirming it.",
                ),
                Presence::Unknown if failure.meaning == Meaning::AbsentOrForbidden => {
                    let message = format!(
                        "The service does not say whether snapshot {id} is gone or hidden from these credentials ({}). \
                         Give the resource credentials that may read it, or set spec.deletionPolicy: Retain.",
                        failures::text(failure)
                    );
                    blocked(draft, "hidden", &message)
                }
                Presence::Unknown => {
                    let says = failures::held_back(failure);
                    draft.hold_back(says)
                }
            };
        }
    };
    draft.observe(&snapshot);
    if service_state::snapshot_life(&snapshot.status) == SnapshotLife::Creating {
        return deleting(
            draft,
            "The snapshot is still being taken; the deletion waits for it.",
        );
    }
    if snapshot.status == "RESTORING" {
        return deleting(
            draft,
            "A restore from the snapshot is running; the deletion waits for it.",
        );
    }
    if let Some(cluster) = draft.facts.restoring.first() {
        let message = format!(
            "DwsCluster {cluster} is being restored from this snapshot; the deletion waits for it."
        );
        return deleting(draft, &message);
    }
    if draft.facts.crd_deleting.is_none() {
        return Draft::read(Read::CrdState);
    }
    let confirmed = confirmed_delete(draft.facts.object.annotations());
    if draft.facts.crd_deleting == Some(true) && confirmed != Some(id) {
        let message = format!(
            "The CRD itself is being deleted: no DELETE is sent. Set spec.deletionPolicy: Retain, or annotate {}={id}.",
            names::CONFIRM_DELETE
        );
        return blocked(draft, "crd", &message);
    }
    if let Some(failure) = draft
        .status
        .last_failure
        .clone()
        .filter(|one| one.kind == OperationKind::DeleteSnapshot && one.reason != failures::BUSY)
    {
        if draft.facts.now.duration_since(failure.at) < TRY_AGAIN {
            let message = format!(
                "The service refuses the deletion: {} {TRIED_AGAIN}; set spec.deletionPolicy: \
                 Retain to keep the snapshot.",
                failure.message
            );
            return blocked(draft, "refused", &message);
        }
        draft.status.last_failure = None;
    }
    let former = draft
        .status
        .operation
        .clone()
        .filter(|one| one.kind == OperationKind::DeleteSnapshot);
    let pause = if accepted {
        draft.facts.settings.idle_interval
    } else {
        draft.facts.settings.active_interval
    };
    let too_soon = former
        .as_ref()
        .is_some_and(|open| draft.facts.now.duration_since(open.intended_at) < pause);
    if too_soon || draft.just_refused_as_busy() {
        return deleting(draft, "The snapshot is being deleted.");
    }
    let call = Call::DeleteSnapshot {
        snapshot_id: snapshot.id.clone(),
    };
    let now = draft.facts.now;
    let intent = if let Some(former) = &former {
        Intent::renewed(former, now, call)
    } else {
        let target = Target {
            snapshot_id: Some(snapshot.id.clone()),
            ..Target::default()
        };
        let id = &draft.facts.fresh.operation_id;
        Intent::new(
            id,
            OperationKind::DeleteSnapshot,
            target,
            Baseline::default(),
            now,
            call,
        )
    };
    let says = Says::new(
        "Deleting",
        format!("Snapshot {} is being deleted.", snapshot.id),
    );
    draft.call(intent, &Verdict::working(Ready::No(says.clone()), says))
}

fn deleting(draft: Draft<'_>, message: &str) -> SnapshotStep {
    let says = Says::new("Deleting", message);
    let wake = Some(draft.facts.settings.active_interval);
    draft.end(
        &Verdict::working(Ready::No(says.clone()), says),
        wake,
        Outcome::Waiting,
    )
}

fn blocked(mut draft: Draft<'_>, key: &str, message: &str) -> SnapshotStep {
    draft
        .events
        .push(EventNote::warning("DeletionBlocked", key, message));
    let says = Says::new("DeletionBlocked", message);
    let wake = Some(draft.facts.settings.idle_interval);
    draft.end(
        &Verdict::out_of_sync(Ready::No(says.clone()), says),
        wake,
        Outcome::Stalled,
    )
}
