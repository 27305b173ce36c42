//! Taking, adopting and following a snapshot.

use std::sync::Arc;

use super::draft::{Draft, SnapshotStep};
use crate::api::{Baseline, Operation, OperationKind, OperationPhase, Target};
use crate::core::absence::{self, Presence};
use crate::core::conditions::{self, Ready, Says, Verdict};
use crate::core::facts::{ClusterRefFact, KnownAccount, Rival};
use crate::core::failures;
use crate::core::journal::Intent;
use crate::core::service_state::{self, SnapshotLife};
use crate::core::step::{EventNote, Outcome, Read};
use crate::dws::answer::Meaning;
use crate::dws::call::Call;
use crate::dws::model::{Cluster, Snapshot};

fn no(says: &Says) -> Ready {
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

/// The rival before which this resource stops (as for clusters).
pub(super) fn stopped_by<'a>(draft: &Draft<'a>) -> Option<&'a Rival> {
    let facts = draft.facts;
    let namespace = facts
        .object
        .metadata
        .namespace
        .as_deref()
        .unwrap_or_default();
    let hold = facts
        .object
        .status
        .as_ref()
        .is_some_and(|status| status.snapshot_id.is_some());
    let created = facts
        .object
        .metadata
        .creation_timestamp
        .as_ref()
        .map(|time| time.0);
    let uid = facts.object.metadata.uid.as_deref().unwrap_or_default();
    facts.rivals.iter().find(|rival| {
        rival.namespace == namespace
            || match (hold, rival.holds) {
                (true, false) => false,
                (false, true) => true,
                _ => (rival.created, rival.uid.as_str()) < (created, uid),
            }
    })
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
        (None, Some(listed)) => listed,
        (None, None) => return Draft::read(Read::Snapshot(id)),
        (Some(Err(failure)), _) => {
            let judged = absence::judge(
                failure,
                &draft.facts.memory,
                false,
                draft.facts.settings.active_interval,
            );
            return match judged {
                Presence::Gone => {
                    let message = format!(
                        "Snapshot {id} is gone from the service, and this resource did not delete it."
                    );
                    let says = Says::new("Lost", message.clone());
                    draft.events.push(EventNote::warning("Lost", id, message));
                    draft.status.operation = None;
                    draft.stall(no(&says), says)
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
fn shown(mut draft: Draft<'_>, snapshot: &Arc<Snapshot>) -> SnapshotStep {
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

fn not_allowed(draft: Draft<'_>, field: &str) -> SnapshotStep {
    let message = format!(
        "{field} takes hold of what others made, and the operator's own credentials do that only in its \
         --adoption-namespaces. Use spec.credentialsSecretRef, or ask the operator's administrator."
    );
    let says = Says::new("InvalidSpec", message);
    draft.stall(no(&says), says)
}

/// Nothing is there yet: wait for the cluster and for the turn, then start it.
pub(super) fn begin(mut draft: Draft<'_>, account: &KnownAccount) -> SnapshotStep {
    let spec = &draft.facts.object.spec;
    if spec.cluster_id.is_some() && !account.adoption_allowed {
        return not_allowed(draft, "spec.clusterId");
    }
    if let Some(failure) = draft.status.last_failure.clone() {
        if failure.generation == draft.generation() && !asked_again(&draft, &failure.at) {
            let waited = draft.facts.now.duration_since(failure.at);
            if failure.reason != "QuotaExceeded" || waited < RETRY {
                let says = Says::new(shown_reason(&failure.reason), failure.message);
                let quota = says.reason == "QuotaExceeded";
                let verdict = if quota {
                    Verdict::waiting(no(&says), says)
                } else {
                    Verdict::stalled(no(&says), says)
                };
                let wake = quota.then_some(RETRY - waited);
                return draft.end(
                    &verdict,
                    wake,
                    if quota {
                        Outcome::Waiting
                    } else {
                        Outcome::Stalled
                    },
                );
            }
        }
        draft.status.last_failure = None;
    }
    let cluster_id = match source(&draft) {
        Ok(id) => id,
        Err(says) => {
            return draft.wait(no(&says), says);
        }
    };
    draft.status.cluster_id = Some(cluster_id.clone());
    let list = match &draft.facts.fresh_snapshots {
        None => return Draft::read(Read::Snapshots),
        Some(Err(failure)) => {
            let says = failures::held_back(failure);
            return draft.hold_back(says);
        }
        Some(Ok(list)) => list.clone(),
    };
    if let Some(taken) = list.named(draft.name()).first() {
        let message = format!(
            "The project already has a snapshot named {} ({}); names are compared without case. Choose another \
             spec.snapshotName, or take this one over with spec.snapshotId.",
            taken.name, taken.id
        );
        draft.events.push(EventNote::warning(
            "NameConflict",
            taken.id.clone(),
            message.clone(),
        ));
        let says = Says::new("NameConflict", message);
        let wake = Some(draft.facts.settings.idle_interval);
        return draft.end(&Verdict::stalled(no(&says), says), wake, Outcome::Stalled);
    }
    let cluster = match &draft.facts.cluster_detail {
        None => return Draft::read(Read::Cluster(cluster_id)),
        Some(Err(failure))
            if matches!(
                failure.meaning,
                Meaning::Absent | Meaning::AbsentOrForbidden
            ) =>
        {
            let message = format!(
                "The service shows no cluster {cluster_id}: {}",
                failures::text(failure)
            );
            let says = Says::new("WaitingForCluster", message);
            return draft.wait(no(&says), says);
        }
        Some(Err(failure)) => {
            let says = failures::held_back(failure);
            return draft.hold_back(says);
        }
        Some(Ok(cluster)) => cluster.clone(),
    };
    if let Some(says) = waits(&draft, &cluster) {
        draft.status.waiting_since.get_or_insert(draft.facts.now);
        let wake = Some(draft.facts.settings.active_interval);
        return draft.end(&Verdict::waiting(no(&says), says), wake, Outcome::Waiting);
    }
    if draft.paused() {
        let says = Says::new(
            "Paused",
            "The annotation dws.huaweicloud.com/paused holds back every changing call.",
        );
        return draft.end(
            &Verdict::out_of_sync(no(&says), says),
            None,
            Outcome::Waiting,
        );
    }
    draft.status.account = Some(account.account.clone());
    let target = Target {
        name: Some(draft.name().to_owned()),
        cluster_id: Some(cluster.id.clone()),
        ..Target::default()
    };
    let now = draft.facts.now;
    let ours = now
        .checked_sub(jiff::SignedDuration::from_mins(5))
        .unwrap_or(now);
    let baseline = Baseline {
        service_time: Some(list.service_time.unwrap_or(ours)),
        ..Baseline::default()
    };
    let call = call(&draft, &cluster.id);
    let intent = Intent::new(
        &draft.facts.fresh.operation_id,
        OperationKind::Snapshot,
        target,
        baseline,
        now,
        call,
    );
    let says = Says::new(
        "Snapshotting",
        format!("Snapshot {} is being started.", draft.name()),
    );
    draft.call(intent, &Verdict::working(no(&says), says))
}

/// A refusal for want of quota is tried again after this long.
const RETRY: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

fn asked_again(draft: &Draft<'_>, since: &jiff::Timestamp) -> bool {
    let annotations = draft.facts.object.metadata.annotations.as_ref();
    annotations
        .and_then(|all| all.get(crate::api::names::RECONCILE_REQUESTED_AT))
        .and_then(|text| text.parse::<jiff::Timestamp>().ok())
        .is_some_and(|asked| asked > *since && asked <= draft.facts.now)
}

fn shown_reason(reason: &str) -> &'static str {
    match reason {
        "NameConflict" => "NameConflict",
        "QuotaExceeded" => "QuotaExceeded",
        "Forbidden" => "Forbidden",
        "SnapshotFailed" => "SnapshotFailed",
        _ => "InvalidSpec",
    }
}

fn call(draft: &Draft<'_>, cluster_id: &str) -> Call {
    Call::CreateSnapshot {
        name: draft.name().to_owned(),
        cluster_id: cluster_id.to_owned(),
        description: draft.facts.object.spec.description.clone(),
    }
}

/// The cluster to take a snapshot of.
fn source(draft: &Draft<'_>) -> Result<String, Says> {
    let spec = &draft.facts.object.spec;
    if let Some(id) = &spec.cluster_id {
        return Ok(id.clone());
    }
    let name = spec
        .cluster_ref
        .as_ref()
        .map(|one| one.name.clone())
        .unwrap_or_default();
    match &draft.facts.cluster {
        Some(ClusterRefFact::Present(cluster)) => {
            if cluster.metadata.deletion_timestamp.is_some() {
                let message =
                    format!("DwsCluster {name} is being deleted: no snapshot of it is started.");
                return Err(Says::new("WaitingForCluster", message));
            }
            let status = cluster.status.clone().unwrap_or_default();
            status.cluster_id.ok_or_else(|| {
                Says::new("WaitingForCluster", format!("DwsCluster {name} has no cluster yet; the snapshot starts when it is available."))
            })
        }
        _ => Err(Says::new(
            "WaitingForReference",
            format!(
                "DwsCluster {name} of spec.clusterRef does not exist in this namespace: create it, or correct the name."
            ),
        )),
    }
}

/// What to say where the cluster of the reference is not there and nothing has been begun.
pub(super) fn without_cluster(draft: &Draft<'_>) -> Option<Says> {
    let begun = draft.status.snapshot_id.is_some() || draft.status.operation.is_some();
    let absent = matches!(draft.facts.cluster, Some(ClusterRefFact::Absent));
    if begun || !absent {
        return None;
    }
    source(draft).err()
}

/// Why it is not this snapshot's turn yet.
fn waits(draft: &Draft<'_>, cluster: &Cluster) -> Option<Says> {
    let task = cluster.task_status.as_deref().unwrap_or_default();
    if !service_state::idle(cluster) {
        let at = if task.is_empty() {
            cluster.status.as_str()
        } else {
            task
        };
        let message = format!(
            "Cluster {} is at {at}; the snapshot starts when it is available and at rest.",
            cluster.name
        );
        return Some(Says::new("WaitingForCluster", message));
    }
    let own = &draft.facts.object.metadata;
    let mine = (
        own.creation_timestamp.as_ref().map(|time| time.0),
        own.name.as_deref().unwrap_or_default(),
    );
    let uid = own.uid.as_deref().unwrap_or_default();
    let earlier = draft
        .facts
        .queue
        .iter()
        .find(|one| one.waits && one.uid != uid && (one.created, one.name.as_str()) < mine);
    if let Some(one) = earlier {
        return Some(Says::new(
            "WaitingForCluster",
            format!("DwsSnapshot {} of the same cluster goes first.", one.name),
        ));
    }
    let Some(ClusterRefFact::Present(owner)) = &draft.facts.cluster else {
        return None;
    };
    let overdue = draft
        .facts
        .queue
        .iter()
        .any(|one| one.uid == uid && one.overdue);
    let status = owner.status.clone().unwrap_or_default();
    let busy = status
        .operation
        .as_ref()
        .is_some_and(|open| open.phase != OperationPhase::OutcomeUnknown);
    let behind = owner.metadata.generation != status.observed_generation
        || conditions::is_true(&status.conditions, "Reconciling");
    (busy || (behind && !overdue)).then(|| {
        let name = owner.metadata.name.as_deref().unwrap_or_default();
        Says::new(
            "WaitingForCluster",
            format!("DwsCluster {name} has work of its own that goes first."),
        )
    })
}

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
    if let Some(found) = list.named(&name).first().map(|one| (*one).clone()) {
        if fits(operation, &found) && !draft.facts.held_elsewhere.contains_key(&found.id) {
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
    if !draft.after_window(list.requested_at) {
        if let Some(open) = &mut draft.status.operation
            && open.phase == OperationPhase::Intended
        {
            open.phase = OperationPhase::Ambiguous;
        }
        let message = "The answer to the request was lost; a snapshot that appears under the name is claimed.";
        let says = Says::new("Snapshotting", message);
        let wake = Some(draft.facts.settings.active_interval);
        return draft.end(&Verdict::working(no(&says), says), wake, Outcome::Waiting);
    }
    let cluster_id = operation.target.cluster_id.clone().unwrap_or_default();
    let deleting = matches!(&draft.facts.cluster, Some(ClusterRefFact::Present(one)) if one.metadata.deletion_timestamp.is_some());
    if deleting || draft.paused() {
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
        && !snapshot
            .type_
            .as_deref()
            .unwrap_or("MANUAL")
            .starts_with("AUTO")
}
