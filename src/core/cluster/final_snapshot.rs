//! The snapshot before a deletion, and how many snapshots the DELETE must leave.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::deletion::{blocked, deleting, held_back};
use super::draft::{ClusterStep, Draft, Part};
use crate::api::cluster_status::FinalSnapshot;
use crate::api::{Baseline, Operation, OperationKind, OperationPhase, Target};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::facts::SnapshotList;
use crate::core::failures::{self, TRIED_AGAIN, TRY_AGAIN};
use crate::core::journal::{self, Intent};
use crate::core::service_state::{self, SnapshotLife};
use crate::core::step::{EventNote, Read};
use crate::dws::call::Call;
use crate::dws::model::{Cluster, Snapshot};

/// A final snapshot older than this, when DELETE could go out, is taken anew.
const FRESH_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Added to the count of all manual snapshots, for those that appear meanwhile.
const SPARE: i32 = 5;

/// The service's word for a cluster of which a DELETE failed: it can be deleted again and not backed up.
pub(super) const DELETE_FAILED: &str = "DELETE_FAILED";

/// `<first 49 of clusterName>-final-<8 of the uid>`: at most 64 characters and never another resource's.
pub(super) fn name(draft: &Draft<'_>) -> String {
    let cluster: String = draft.cluster_name().chars().take(49).collect();
    let uid: String = draft
        .uid()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    format!("{cluster}-final-{uid}")
}

/// Goes on only when the final snapshot is AVAILABLE, of this cluster, and fresh.
pub(super) fn ensure<'a>(mut draft: Draft<'a>, cluster: &Arc<Cluster>) -> Part<'a> {
    let list = match &draft.facts.fresh_snapshots {
        None => return Err(Box::new(Draft::read(Read::Snapshots))),
        Some(Err(failure)) => {
            let says = failures::held_back(failure);
            return Err(Box::new(held_back(draft, says)));
        }
        Some(Ok(list)) => list.clone(),
    };
    let name = name(&draft);
    let open = draft
        .status
        .operation
        .clone()
        .filter(|one| one.kind == OperationKind::Snapshot);
    let found = list
        .named(&name)
        .first()
        .map(|snapshot| (*snapshot).clone());
    let delete_failed = cluster.status == DELETE_FAILED;
    let usable = |snapshot: &Arc<Snapshot>| {
        matches!(
            service_state::snapshot_life(&snapshot.status),
            SnapshotLife::Available | SnapshotLife::Creating
        )
    };
    if delete_failed && !found.as_ref().is_some_and(usable) {
        return Err(Box::new(impossible(draft, cluster)));
    }
    let Some(snapshot) = found else {
        return Err(Box::new(absent(draft, cluster, &list, name, open.as_ref())));
    };
    if snapshot.cluster_id.as_deref() != Some(cluster.id.as_str()) {
        let message = format!(
            "Snapshot {name} exists and is of another cluster, so no final snapshot can be taken under that name. \
             Delete or rename it, or set spec.deletionPolicy: Delete or Retain."
        );
        return Err(Box::new(blocked(draft, "final-name", &message)));
    }
    let stored = draft.status.final_snapshot.clone().unwrap_or_default();
    let failures = stored.failures;
    // The one that failed first, on its way out: counted, without an id, and not taken anew yet.
    let leaving = failures > 0 && stored.id.is_none() && open.is_none();
    if !leaving {
        draft.status.final_snapshot = Some(FinalSnapshot {
            name: name.clone(),
            id: Some(snapshot.id.clone()),
            failures,
            ..stored
        });
    }
    match service_state::snapshot_life(&snapshot.status) {
        SnapshotLife::Creating => {
            if let Some(operation) = &mut draft.status.operation
                && operation.kind == OperationKind::Snapshot
            {
                operation.phase = OperationPhase::Accepted;
            }
            Err(Box::new(deleting(
                draft,
                "The final snapshot is being taken.",
            )))
        }
        // After a DELETE that failed none can be taken anew, so the one that there is serves.
        SnapshotLife::Available if delete_failed || fresh(&snapshot, &list, draft.facts.now) => {
            if open.is_some() {
                draft.status.operation = None;
                let note = format!("Final snapshot {name} ({}) is complete.", snapshot.id);
                draft.events.push(EventNote::normal(
                    "SnapshotFinished",
                    snapshot.id.clone(),
                    note,
                ));
            }
            Ok(draft)
        }
        SnapshotLife::Available if delete_may_land(&draft, &list) => Err(Box::new(deleting(
            draft,
            "The final snapshot is older than an hour. It is taken anew once a DELETE whose answer was lost cannot \
             be carried out any more: one that came late would leave neither cluster nor snapshot.",
        ))),
        SnapshotLife::Available => Err(Box::new(remove(
            draft,
            &snapshot,
            "It is older than an hour and is taken anew.",
        ))),
        SnapshotLife::Unavailable if failures == 0 || leaving => {
            draft.status.final_snapshot = Some(FinalSnapshot {
                name,
                id: None,
                failures: failures.max(1),
                ..draft.status.final_snapshot.take().unwrap_or_default()
            });
            Err(Box::new(remove(
                draft,
                &snapshot,
                "It failed and is taken once more.",
            )))
        }
        _ => {
            let message = format!(
                "Final snapshot {name} is {}. Take a snapshot in the console if you can, then set spec.deletionPolicy: \
                 Delete to delete the cluster without one, or Retain to keep it.",
                snapshot.status
            );
            Err(Box::new(blocked(draft, "final-failed", &message)))
        }
    }
}

/// There is none of this name: start it, or find out whether a lost request did.
fn absent(
    mut draft: Draft<'_>,
    cluster: &Cluster,
    list: &SnapshotList,
    name: String,
    open: Option<&Operation>,
) -> ClusterStep {
    if draft.just_refused_as_busy() {
        return deleting(
            draft,
            "The service is busy; the final snapshot waits a moment.",
        );
    }
    if let Some(failure) = draft.failure_of(OperationKind::Snapshot).cloned() {
        if draft.facts.now.duration_since(failure.at) < TRY_AGAIN {
            let message = format!(
                "The service refuses the final snapshot: {} {TRIED_AGAIN}; set \
                 spec.deletionPolicy: Delete to delete the cluster without one, or Retain to keep it.",
                failure.message
            );
            return blocked(draft, "final-refused", &message);
        }
        draft.overcome(OperationKind::Snapshot);
    }
    if let Some(open) = open
        && !draft.after_window(list.requested_at)
    {
        let message = if open.phase == OperationPhase::Accepted {
            "The final snapshot was accepted; the service does not list it yet."
        } else {
            "The answer to the final snapshot was lost; until the ambiguity window is over it can still appear."
        };
        return deleting(draft, message);
    }
    if !service_state::idle(cluster) {
        return deleting(
            draft,
            "The final snapshot waits until the cluster is at rest.",
        );
    }
    let call = Call::CreateSnapshot {
        name: name.clone(),
        cluster_id: cluster.id.clone(),
        description: Some("Final snapshot before deletion".to_owned()),
    };
    let now = draft.facts.now;
    let intent = if let Some(former) = open {
        Intent::renewed(former, now, call)
    } else {
        let target = Target {
            name: Some(name.clone()),
            cluster_id: Some(cluster.id.clone()),
            ..Target::default()
        };
        let service_time = Some(journal::clock(list.service_time, now));
        let baseline = Baseline {
            service_time,
            ..Baseline::default()
        };
        Intent::new(
            &draft.facts.fresh.operation_id,
            OperationKind::Snapshot,
            target,
            baseline,
            now,
            call,
        )
    };
    draft.status.final_snapshot = Some(FinalSnapshot {
        name,
        id: None,
        ..draft.status.final_snapshot.take().unwrap_or_default()
    });
    let says = Says::new("Deleting", "The final snapshot is being started.");
    draft.call(intent, &Verdict::working(Ready::No(says.clone()), says))
}

/// By the service's own clock, from the end on: one that took hours is not taken anew for ever.
fn fresh(snapshot: &Snapshot, list: &SnapshotList, now: Timestamp) -> bool {
    let finished = snapshot.finished.as_deref().and_then(service_state::time);
    let present = list.service_time.unwrap_or(now);
    // Without a readable time nothing says that it is old, and taking it anew would go on for ever.
    finished
        .max(snapshot.started_at)
        .is_none_or(|since| present.duration_since(since) <= FRESH_FOR)
}

/// An earlier DELETE is open whose window was not over when this list was requested.
fn delete_may_land(draft: &Draft<'_>, list: &SnapshotList) -> bool {
    let open = draft.status.operation.as_ref();
    open.is_some_and(|one| one.kind == OperationKind::Delete)
        && !draft.after_window(list.requested_at)
}

/// The cluster is not in a state in which a snapshot can be taken.
pub(super) fn impossible(draft: Draft<'_>, cluster: &Cluster) -> ClusterStep {
    let message = format!(
        "The cluster is {}, so no final snapshot can be taken. Set spec.deletionPolicy: Delete to delete it without \
         one, or Retain to keep it.",
        cluster.status
    );
    blocked(draft, "no-snapshot", &message)
}

/// Deletes a final snapshot that cannot serve.
fn remove(draft: Draft<'_>, snapshot: &Snapshot, why: &str) -> ClusterStep {
    let target = Target {
        snapshot_id: Some(snapshot.id.clone()),
        name: Some(snapshot.name.clone()),
        ..Target::default()
    };
    if let Some(failure) = draft.failure_of(OperationKind::DeleteSnapshot)
        && draft.facts.now.duration_since(failure.at) < TRY_AGAIN
    {
        let message = format!(
            "Final snapshot {} cannot serve, and the service refuses to delete it: {} {TRIED_AGAIN}; set spec.deletionPolicy: Delete to delete the cluster without one, or Retain to keep it.",
            snapshot.name, failure.message
        );
        return blocked(draft, "final-stays", &message);
    }
    let former = draft
        .status
        .operation
        .clone()
        .filter(|one| one.kind == OperationKind::DeleteSnapshot);
    let pause = match former.as_ref().map(|one| one.phase) {
        Some(OperationPhase::Accepted) => draft.facts.settings.idle_interval,
        _ => draft.facts.settings.active_interval,
    };
    let too_soon = former
        .as_ref()
        .is_some_and(|open| draft.facts.now.duration_since(open.intended_at) < pause);
    if too_soon || draft.just_refused_as_busy() {
        return deleting(
            draft,
            "A final snapshot that cannot serve is being deleted.",
        );
    }
    let call = Call::DeleteSnapshot {
        snapshot_id: snapshot.id.clone(),
    };
    let now = draft.facts.now;
    let intent = match &former {
        Some(former) => Intent::renewed(former, now, call),
        None => Intent::new(
            &draft.facts.fresh.operation_id,
            OperationKind::DeleteSnapshot,
            target,
            Baseline::default(),
            now,
            call,
        ),
    };
    let says = Says::new(
        "Deleting",
        format!("Final snapshot {} is deleted first. {why}", snapshot.name),
    );
    draft.call(intent, &Verdict::working(Ready::No(says.clone()), says))
}

/// `keep_last_manual_snapshot`: never less than what keeps the final snapshot and every snapshot that a
/// `DwsSnapshot` stands for; without a wish of the user all that exist, and a few to spare.
pub(super) fn keep_count(draft: &Draft<'_>, list: &SnapshotList, cluster_id: &str) -> i32 {
    let mut manual: Vec<_> = list
        .of_cluster(cluster_id)
        .iter()
        .filter(|one| service_state::is_manual(one))
        .collect();
    manual.sort_by(|one, other| {
        other
            .started_at
            .cmp(&one.started_at)
            .then(other.started.cmp(&one.started))
    });
    let all = i32::try_from(manual.len()).unwrap_or(i32::MAX - SPARE);
    let final_id = draft
        .status
        .final_snapshot
        .as_ref()
        .and_then(|last| last.id.clone());
    let stands_for = |id: &str| {
        final_id.as_deref() == Some(id)
            || draft
                .facts
                .snapshots_of_cluster
                .iter()
                .any(|one| one.snapshot_id.as_deref() == Some(id))
    };
    let needed = manual
        .iter()
        .rposition(|one| stands_for(&one.id))
        .map_or(0, |index| i32::try_from(index + 1).unwrap_or(i32::MAX));
    let refused = draft.failure_of(OperationKind::Delete).is_some();
    match draft.facts.object.spec.keep_last_manual_snapshots {
        Some(wish) if refused => wish.max(needed).min(all),
        Some(wish) => wish.max(needed),
        None if refused => all,
        None => all + SPARE,
    }
}
