//! Taking a snapshot: its cluster, its name, its turn, then the intent.

use jiff::SignedDuration;
use kube::ResourceExt;

use super::draft::{Draft, SnapshotStep};
use super::follow::{no, not_allowed};
use crate::api::annotations::Request;
use crate::api::{Baseline, OperationKind, OperationPhase, Target};
use crate::core::conditions::{self, Says, Verdict};
use crate::core::facts::{ClusterRefFact, KnownAccount};
use crate::core::failures;
use crate::core::journal::{self, Intent};
use crate::core::requests::FURTHEST_AHEAD;
use crate::core::service_state;
use crate::core::step::{EventNote, Outcome, Read};
use crate::dws::answer::Meaning;
use crate::dws::call::Call;
use crate::dws::model::Cluster;

/// Nothing is there yet: wait for the cluster and for the turn, then start it.
pub(super) fn begin(mut draft: Draft<'_>, account: &KnownAccount) -> SnapshotStep {
    let spec = &draft.facts.object.spec;
    if spec.cluster_id.is_some() && !account.adoption_allowed {
        return not_allowed(draft, "spec.clusterId");
    }
    if draft.just_refused_as_busy() {
        let says = Says::new(
            "Busy",
            "The service is busy; the snapshot starts in a moment.",
        );
        let wake = Some(draft.facts.settings.active_interval);
        return draft.end(&Verdict::waiting(no(&says), says), wake, Outcome::Waiting);
    }
    if let Some(failure) = draft.status.last_failure.clone() {
        let busy = failure.reason == failures::BUSY;
        let others =
            failure.credentials.is_some() && failure.credentials != draft.facts.credentials;
        let asked = asked_again(&draft, &failure.at);
        let again = others || asked == Some(SignedDuration::ZERO);
        if !busy && failure.generation == draft.generation() && !again {
            let waited = draft.facts.now.duration_since(failure.at);
            let says = Says::new(failures::told_reason(&failure.reason), failure.message);
            let (verdict, outcome) = match says.reason {
                "QuotaExceeded" => (Verdict::waiting(no(&says), says), Outcome::Waiting),
                failures::SERVICE_FAILED => {
                    (Verdict::out_of_sync(no(&says), says), Outcome::Waiting)
                }
                _ => (Verdict::stalled(no(&says), says), Outcome::Stalled),
            };
            let retry = (outcome == Outcome::Waiting).then_some(failures::TRY_AGAIN - waited);
            if retry.is_none_or(|left| left.is_positive()) {
                let wake = retry.into_iter().chain(asked).min();
                return draft.end(&verdict, wake, outcome);
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
        let now = conditions::whole_second(draft.facts.now);
        draft.status.waiting_since.get_or_insert(now);
        let wake = Some(draft.facts.settings.active_interval);
        return draft.end(&Verdict::waiting(no(&says), says), wake, Outcome::Waiting);
    }
    if draft.paused() {
        let says = Says::paused();
        return draft.end(
            &Verdict::out_of_sync(no(&says), says),
            None,
            Outcome::Waiting,
        );
    }
    if draft.facts.namespace_terminating {
        let says = Says::new(
            "NamespaceTerminating",
            "The namespace is being deleted: nothing new is made in it.",
        );
        return draft.wait(no(&says), says);
    }
    draft.status.account = Some(account.account.clone());
    let target = Target {
        name: Some(draft.name().to_owned()),
        cluster_id: Some(cluster.id.clone()),
        credentials: draft.facts.credentials.clone(),
        ..Target::default()
    };
    let now = draft.facts.now;
    let baseline = Baseline {
        service_time: Some(journal::clock(list.service_time, now)),
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

/// What the cluster's own work may wait for without end: no backup waits with it.
const HELD_UP: [&str; 4] = [
    "WaitingForReference",
    "CredentialsMissing",
    "QuotaExceeded",
    "SoldOut",
];

/// In how long a request to try again counts, if there is one since the failure: the clock of whoever asks
/// may be a little ahead of ours.
fn asked_again(draft: &Draft<'_>, since: &jiff::Timestamp) -> Option<SignedDuration> {
    let annotations = draft.facts.object.annotations();
    let asked = Request::Reconcile.requested_at(annotations).ok()??;
    let ahead = asked.duration_since(draft.facts.now);
    (asked > *since && ahead <= FURTHEST_AHEAD).then_some(ahead.max(SignedDuration::ZERO))
}

pub(super) fn call(draft: &Draft<'_>, cluster_id: &str) -> Call {
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
        if draft.owner_goes() {
            let message = format!(
                "The DwsCluster of cluster {id} is being deleted: no snapshot of it is started."
            );
            return Err(Says::new("WaitingForCluster", message));
        }
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
    let owner = draft.owner()?;
    // Whichever of them is overdue: the cluster gives way to it, and it gives way to this one.
    let overdue = draft.facts.queue.iter().any(|one| one.overdue);
    let status = owner.status.clone().unwrap_or_default();
    let busy = status
        .operation
        .as_ref()
        .is_some_and(|open| open.phase != OperationPhase::OutcomeUnknown);
    let behind = owner.metadata.generation != status.observed_generation
        || conditions::reason(&status.conditions, "Reconciling")
            .is_some_and(|reason| !HELD_UP.contains(&reason));
    (busy || (behind && !overdue)).then(|| {
        // One that is found by its cluster's id may be of another namespace, and is not named.
        let name = match &draft.facts.cluster {
            Some(_) => owner.metadata.name.clone().unwrap_or_default(),
            None => format!("of cluster {}", cluster.id),
        };
        Says::new(
            "WaitingForCluster",
            format!("DwsCluster {name} has work of its own that goes first."),
        )
    })
}
