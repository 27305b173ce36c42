//! A snapshot whose answer was lost: claim what fits, or wait the window out and send again.

use super::draft::{Draft, SnapshotStep};
use super::follow::{no, shown};
use super::take::call;
use crate::api::{Operation, OperationKind};
use crate::core::conditions::{Says, Verdict};
use crate::core::failures;
use crate::core::journal::{self, Intent};
use crate::core::service_state;
use crate::core::step::{EventNote, Outcome, Read};
use crate::dws::model::Snapshot;

/// A snapshot whose answer was lost, or whose id is not known yet.
pub(super) fn settle(mut draft: Draft<'_>, operation: &Operation) -> SnapshotStep {
    if operation.kind != OperationKind::Snapshot {
        draft.status.operation = None;
        let wake = Some(draft.facts.settings.active_interval);
        return draft.unchanged(wake, Outcome::Waiting);
    }
    let list = match &draft.facts.fresh_snapshots {
        None => return Draft::read(Read::Snapshots),
        Some(Err(failure)) => {
            let says = failures::held_back(failure);
            return draft.hold_back(says);
        }
        Some(Ok(list)) => list.clone(),
    };
    let name = operation.target.name.clone().unwrap_or_default();
    let named = list.named(&name);
    let ours = named
        .iter()
        .find(|one| fits(operation, one) && !draft.facts.held_elsewhere.contains_key(&one.id));
    let found = ours.or(named.first()).map(|one| (*one).clone());
    // What bears the name can go within the window, and the late snapshot come.
    let settled = ours.is_some() || draft.after_window(list.requested_at);
    if let Some(found) = found.filter(|_| settled) {
        if ours.is_some() {
            draft.status.snapshot_id = Some(found.id.clone());
            draft.status.adopted = Some(false);
            let note = format!(
                "Snapshot {} ({}) appeared after a lost answer and is claimed.",
                found.name, found.id
            );
            draft
                .events
                .push(EventNote::normal("Claimed", operation.id.clone(), note));
            return shown(draft, &found);
        }
        let message = format!(
            "The answer to the snapshot was lost, and the name {name} now belongs to snapshot {}, which is not what \
             this manifest asked for. Choose another spec.snapshotName.",
            found.id
        );
        draft.status.operation = None;
        draft.fail(OperationKind::Snapshot, "NameConflict", message.clone());
        let says = Says::new("NameConflict", message);
        return draft.stall(no(&says), says);
    }
    if !settled {
        journal::doubt(&mut draft.status.operation);
        let message = "The answer to the request was lost; a snapshot that appears under the name is claimed.";
        let says = Says::new("Snapshotting", message);
        let wake = Some(draft.facts.settings.active_interval);
        return draft.end(&Verdict::working(no(&says), says), wake, Outcome::Waiting);
    }
    let cluster_id = operation.target.cluster_id.clone().unwrap_or_default();
    if draft.paused() {
        let says = Says::new(
            "Paused",
            "The lost request is not sent again while the resource is paused.",
        );
        let verdict = Verdict::out_of_sync(no(&says), says);
        return draft.end(&verdict, None, Outcome::Waiting);
    }
    if draft.owner_goes() || draft.facts.namespace_terminating {
        let says = Says::new(
            "WaitingForCluster",
            "The lost request was not executed, and it is not sent again just now.",
        );
        return draft.wait(no(&says), says);
    }
    let call = call(&draft, &cluster_id);
    let intent = Intent::renewed(operation, draft.facts.now, call);
    let says = Says::new(
        "Snapshotting",
        format!("Snapshot {name} is being started again."),
    );
    draft.call(intent, &Verdict::working(no(&says), says))
}

/// Whether a snapshot can be the one that the operation's lost request made.
pub(super) fn fits(operation: &Operation, snapshot: &Snapshot) -> bool {
    let not_earlier = match (snapshot.started_at, operation.baseline.service_time) {
        (Some(started), Some(baseline)) => started.as_second() >= baseline.as_second(),
        _ => false,
    };
    not_earlier
        && snapshot.cluster_id.is_some()
        && snapshot.cluster_id == operation.target.cluster_id
        && service_state::is_manual(snapshot)
}
