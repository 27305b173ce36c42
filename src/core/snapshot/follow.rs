//! A snapshot that is there: following, adopting, and two resources that claim one.

use std::sync::Arc;

use super::draft::{Draft, SnapshotStep};
use crate::api::OperationPhase;
use crate::core::absence::{self, Presence};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::facts::{ClusterRefFact, KnownAccount, Rival};
use crate::core::failures;
use crate::core::identity;
use crate::core::service_state::{self, SnapshotLife};
use crate::core::step::{EventNote, Outcome, Read};
use crate::dws::answer::Meaning;
use crate::dws::model::Snapshot;

pub(super) fn no(says: &Says) -> Ready {
    Ready::No(says.clone())
}

fn conflict(rival: &Rival, id: &str) -> Says {
    Says::new(
        "IdentityConflict",
        format!(
            "Snapshot {id} is also claimed by DwsSnapshot {}/{}: delete one of the two (deleting this one leaves the \
             snapshot alone).",
            rival.namespace, rival.name
        ),
    )
}

/// The rival before which this resource stops, if there is one.
pub(super) fn stopped_by<'a>(draft: &Draft<'a>) -> Option<&'a Rival> {
    let facts = draft.facts;
    let status = facts.object.status.as_ref();
    let holds = status.is_some_and(|status| status.snapshot_id.is_some());
    identity::stopped_by(&facts.rivals, &facts.object.metadata, holds)
}

/// A recorded snapshot: what it shows, and whether it is there.
pub(super) fn follow(mut draft: Draft<'_>, account: &KnownAccount) -> SnapshotStep {
    let id = draft.status.snapshot_id.clone().unwrap_or_default();
    if let Some(rival) = stopped_by(&draft) {
        let says = conflict(rival, &id);
        return draft.stall(Ready::AsBefore(says.clone()), says);
    }
    let listed = account
        .snapshots
        .as_ref()
        .and_then(|list| list.by_id.get(&id))
        .cloned();
    let snapshot = match (&draft.facts.detail, listed) {
        (Some(Ok(snapshot)), _) => snapshot.clone(),
        (None, Some(listed)) if !draft.lost_before() => listed,
        (None, _) => return Draft::read(Read::Snapshot(id)),
        (Some(Err(failure)), _) => {
            let judged = absence::judge(
                failure,
                &draft.facts.memory,
                draft.status.operation.as_ref(),
                &draft.facts.settings,
                draft.facts.now,
            );
            let hidden = matches!(
                failure.meaning,
                Meaning::Absent | Meaning::AbsentOrForbidden
            );
            // Confirmed once: what a new process has not seen by itself takes nothing of that back.
            let judged = if hidden && draft.lost_before() {
                Presence::Gone
            } else {
                judged
            };
            return match judged {
                Presence::Gone => {
                    draft.status.lost = Some(true);
                    let message = format!(
                        "Snapshot {id} is gone from the service, and this resource did not delete it."
                    );
                    let says = Says::new("Lost", message.clone());
                    draft.events.push(EventNote::warning("Lost", id, message));
                    draft.status.operation = None;
                    draft.stall(no(&says), says)
                }
                Presence::NotYet => {
                    let says = Says::new(
                        "Snapshotting",
                        "The service accepted the snapshot and does not show it yet.",
                    );
                    let verdict = Verdict::working(no(&says), says);
                    let wake = Some(draft.facts.settings.active_interval);
                    draft.end(&verdict, wake, Outcome::Waiting)
                }
                Presence::NotShown => {
                    let says = Says::new(
                        "ConfirmingAbsence",
                        "The service does not show the snapshot just now.",
                    );
                    let verdict = Verdict::out_of_sync(Ready::AsBefore(says.clone()), says);
                    let wake = Some(draft.facts.settings.active_interval);
                    draft.end(&verdict, wake, Outcome::Waiting)
                }
                Presence::Unknown => {
                    let says = failures::held_back(failure);
                    draft.hold_back(says)
                }
            };
        }
    };
    shown(draft, &snapshot)
}

/// What a snapshot that is there makes of the conditions.
pub(super) fn shown(mut draft: Draft<'_>, snapshot: &Arc<Snapshot>) -> SnapshotStep {
    draft.status.lost = None;
    draft.observe(snapshot);
    let name = snapshot.name.clone();
    match service_state::snapshot_life(&snapshot.status) {
        SnapshotLife::Creating => {
            if let Some(open) = &mut draft.status.operation {
                open.phase = OperationPhase::Accepted;
            }
            let says = Says::new("Snapshotting", format!("Snapshot {name} is being taken."));
            let wake = Some(draft.facts.settings.active_interval);
            draft.end(&Verdict::working(no(&says), says), wake, Outcome::Waiting)
        }
        SnapshotLife::Available => {
            if let Some(operation) = draft.status.operation.take() {
                let note = format!("Snapshot {name} ({}) is complete.", snapshot.id);
                draft
                    .events
                    .push(EventNote::normal("SnapshotFinished", operation.id, note));
            }
            draft.status.waiting_since = None;
            draft.status.last_failure = None;
            let verdict = Verdict {
                ready: Ready::Yes(Says::new("Available", "The snapshot is complete.")),
                synced: Ok(Says::new("InSync", "The snapshot is as the manifest says.")),
                reconciling: None,
                stalled: None,
            };
            draft.end(&verdict, None, Outcome::InSync)
        }
        SnapshotLife::Unavailable | SnapshotLife::Frozen => {
            let message = format!(
                "The service says {} of snapshot {name}: nothing can be restored from it. Delete this resource and \
                 apply it again to take another.",
                snapshot.status
            );
            if let Some(operation) = draft.status.operation.take() {
                draft.events.push(EventNote::warning(
                    "SnapshotFailed",
                    operation.id,
                    message.clone(),
                ));
            }
            let says = Says::new("SnapshotFailed", message);
            draft.stall(no(&says), says)
        }
        SnapshotLife::Unknown => {
            let says = Says::new(
                "Unknown",
                format!("The service says {:?}.", snapshot.status),
            );
            draft.end(
                &Verdict::out_of_sync(no(&says), says),
                None,
                Outcome::Waiting,
            )
        }
    }
}

/// Takes hold of an existing snapshot.
pub(super) fn adopt(mut draft: Draft<'_>, account: &KnownAccount, id: &str) -> SnapshotStep {
    if !account.adoption_allowed {
        return not_allowed(draft, "spec.snapshotId");
    }
    if let Some(rival) = stopped_by(&draft) {
        let says = conflict(rival, id);
        return draft.stall(no(&says), says);
    }
    let snapshot = match &draft.facts.detail {
        None => return Draft::read(Read::Snapshot(id.to_owned())),
        Some(Err(failure))
            if matches!(
                failure.meaning,
                Meaning::Absent | Meaning::AbsentOrForbidden | Meaning::Invalid
            ) =>
        {
            let text = failures::text(failure);
            let message =
                format!("The service shows no snapshot {id} ({text}). Correct spec.snapshotId.");
            let says = Says::new("WaitingForReference", message);
            return draft.wait(no(&says), says);
        }
        Some(Err(failure)) => {
            let says = failures::held_back(failure);
            return draft.hold_back(says);
        }
        Some(Ok(snapshot)) => snapshot.clone(),
    };
    let spec = &draft.facts.object.spec;
    let other_name = spec
        .snapshot_name
        .as_ref()
        .filter(|name| !name.eq_ignore_ascii_case(&snapshot.name));
    if let Some(name) = other_name {
        let message = format!(
            "Snapshot {id} is named {}, and spec.snapshotName says {name}: nothing is adopted.",
            snapshot.name
        );
        let says = Says::new("InvalidSpec", message);
        return draft.stall(no(&says), says);
    }
    let wanted = spec.cluster_id.clone().or_else(|| reference_id(&draft));
    if let (Some(wanted), Some(found)) = (wanted, &snapshot.cluster_id)
        && wanted != *found
    {
        let message = format!(
            "Snapshot {id} is of cluster {found}, and the manifest names {wanted}: nothing is adopted."
        );
        let says = Says::new("InvalidSpec", message);
        return draft.stall(no(&says), says);
    }
    draft.add_finalizer = true;
    draft.status.snapshot_id = Some(snapshot.id.clone());
    draft.status.adopted = Some(true);
    draft.status.account = Some(account.account.clone());
    let note = format!(
        "Took over snapshot {} ({}); nothing was changed.",
        snapshot.name, snapshot.id
    );
    draft
        .events
        .push(EventNote::normal("Adopted", snapshot.id.clone(), note));
    shown(draft, &snapshot)
}

fn reference_id(draft: &Draft<'_>) -> Option<String> {
    match &draft.facts.cluster {
        Some(ClusterRefFact::Present(cluster)) => cluster.status.as_ref()?.cluster_id.clone(),
        _ => None,
    }
}

pub(super) fn not_allowed(draft: Draft<'_>, field: &str) -> SnapshotStep {
    let message = format!(
        "{field} takes hold of what others made, and the operator's own credentials do that only in its \
         --adoption-namespaces. Use spec.credentialsSecretRef, or ask the operator's administrator."
    );
    let says = Says::new("InvalidSpec", message);
    draft.stall(no(&says), says)
}
