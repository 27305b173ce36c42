//! Deletion: what must be true before anything is lost, step by step.
//!
//! The order is: nothing to delete (forget), blocked (say the ways out), wait, final snapshot, DELETE,
//! confirmed absence. The finalizer goes only with the first or the last.

use std::sync::Arc;

use jiff::SignedDuration;

use super::deletion::{Remains, blocked, deleting, held_back, held_back_by, over};
use super::draft::{ClusterStep, Draft, Part};
use super::final_snapshot;
use super::forget::{Forget, forgotten};
use super::held_up;
use super::observe;
use super::settle_create::{self, Found};
use crate::api::annotations::confirmed_delete;
use crate::api::cluster::ClusterDeletionPolicy;
use crate::api::names;
use crate::api::{Baseline, Operation, OperationKind, OperationPhase, Target};
use crate::core::absence::{self, Presence};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::facts::{Account, Circuit, CircuitReason, KnownAccount};
use crate::core::failures::{self, TRIED_AGAIN, TRY_AGAIN};
use crate::core::journal::Intent;
use crate::core::service_state::{self, Life};
use crate::core::step::{EventNote, Outcome, Read};
use crate::dws::answer::Meaning;
use crate::dws::call::Call;
use crate::dws::model::Cluster;

/// An accepted DELETE of which the cluster shows no sign for this long is sent again.
const PATIENCE: SignedDuration = SignedDuration::from_mins(60);

/// An id that this resource records and whose detail was read in this reconcile: only such a one can be deleted.
struct ConfirmedId(String);

impl ConfirmedId {
    fn of(draft: &Draft<'_>, cluster: &Cluster) -> Option<Self> {
        let recorded = draft.facts.object.status.as_ref()?.cluster_id.as_deref()?;
        (recorded == cluster.id && draft.facts.object.metadata.deletion_timestamp.is_some())
            .then(|| Self(recorded.to_owned()))
    }
}

pub(super) fn plan(mut draft: Draft<'_>) -> ClusterStep {
    if !draft.has_finalizer() {
        return draft.unchanged(None, Outcome::Finished);
    }
    if draft.paused() {
        let unsettled = draft.status.cluster_id.is_none() && draft.open_operation().is_some();
        let wake = unsettled.then_some(draft.facts.settings.active_interval);
        draft = match held_up::observed(draft) {
            Ok(draft) => draft,
            Err(step) => return *step,
        };
        let says = Says::new(
            "Paused",
            "Deletion waits: the annotation dws.huaweicloud.com/paused is \"true\".",
        );
        let no = Ready::No(Says::new("Deleting", says.message.clone()));
        return draft.end(&Verdict::out_of_sync(no, says), wake, Outcome::Waiting);
    }
    if let Some(step) = forgotten(&draft) {
        return match step {
            Forget::Read(read) => Draft::read(read),
            Forget::HeldBack(says) => held_back(draft, says),
            Forget::Now(note, remains) => over(draft, note, &remains),
        };
    }
    if draft.facts.object.is_deletion_protected() {
        draft = match held_up::observed(draft) {
            Ok(draft) => draft,
            Err(step) => return *step,
        };
        return blocked(
            draft,
            "deletionProtection",
            "spec.deletionProtection is true. Set it to false to delete the cluster, or spec.deletionPolicy: Retain to \
             keep it and let this resource go.",
        );
    }
    let account = match &draft.facts.account {
        Account::Known(known) => known,
        Account::Pending => return deleting(draft, "The account has not been read yet."),
        Account::Unreachable(circuit) => return held_back(draft, without_service(circuit)),
        Account::CredentialsMissing { message, .. } | Account::Invalid { message } => {
            let message = format!(
                "The credentials are gone: {message} Recreate the Secret to delete the cluster, or set \
                 spec.deletionPolicy: Retain to keep it and let this resource go."
            );
            return blocked(draft, "credentials", &message);
        }
    };
    if draft
        .status
        .account
        .as_ref()
        .is_some_and(|recorded| *recorded != account.account)
    {
        let message = "The credentials lead to another project than the cluster's: nothing is deleted. Give the \
                       resource credentials of its own project, or set spec.deletionPolicy: Retain.";
        return blocked(draft, "account", message);
    }
    if let Some(circuit) = &account.circuit {
        return held_back(draft, without_service(circuit));
    }
    if draft.status.cluster_id.is_none() {
        return unsettled(draft, account);
    }
    known(draft)
}

/// Why the service is not asked. Credentials that are refused may never be right again, and one way out needs none.
fn without_service(circuit: &Circuit) -> Says {
    let mut says = failures::circuit(circuit);
    if circuit.reason == CircuitReason::CredentialsInvalid {
        says.message.push_str(
            " Mend them to delete the cluster, or set spec.deletionPolicy: Retain to keep it and let this resource go.",
        );
    }
    says
}

/// A create or restore whose answer was lost: a late one can still land, so the finalizer stays.
fn unsettled(mut draft: Draft<'_>, account: &KnownAccount) -> ClusterStep {
    let Some(operation) = draft.open_operation().cloned() else {
        return deleting(draft, "The journal is being settled.");
    };
    let list = match &draft.facts.fresh_list {
        None => return Draft::read(Read::Clusters),
        Some(Err(failure)) => return held_back_by(draft, &failure.clone()),
        Some(Ok(list)) => list.clone(),
    };
    match settle_create::look(&draft, &operation, &list) {
        Found::Ours(id) => {
            settle_create::claim(&mut draft, &id);
            draft.status.account = Some(account.account.clone());
            deleting(
                draft,
                "A cluster appeared after a lost answer; it is claimed and then deleted.",
            )
        }
        Found::Contested {
            id,
            rival,
            over: true,
        } => {
            let note = format!(
                "Cluster {id} may have been made for this resource or for DwsCluster {rival}, which asked for the \
                 same name: it is left to that one."
            );
            over(
                draft,
                EventNote::warning("Retained", id, note),
                &Remains::Cluster,
            )
        }
        Found::Contested { rival, .. } => {
            let message = format!(
                "The answer to the create was lost, and DwsCluster {rival} asked for the same name: whose the cluster \
                 is will show within the ambiguity window."
            );
            deleting(draft, &message)
        }
        Found::Theirs(id) => {
            let note = format!(
                "The lost create was not executed. Cluster {id}, which bears the name, is not what it asked for and \
                 is left alone."
            );
            let note = EventNote::normal("Deleted", operation.id, note);
            over(draft, note, &Remains::Nothing)
        }
        Found::Free => {
            let note = EventNote::normal(
                "Deleted",
                operation.id.clone(),
                "The lost create was not executed; nothing is left behind.",
            );
            over(draft, note, &Remains::Nothing)
        }
        Found::Early(namesake) => {
            let mut message = "The answer to the create was lost: until the ambiguity window is over a cluster can \
                               still appear."
                .to_owned();
            if let Some(id) = namesake {
                message.push_str(&settle_create::not_it(&id));
            }
            deleting(draft, &message)
        }
    }
}

/// The recorded cluster: wait, take the final snapshot, delete, confirm.
fn known(mut draft: Draft<'_>) -> ClusterStep {
    let id = draft.status.cluster_id.clone().unwrap_or_default();
    let delete_accepted = draft.status.operation.as_ref().is_some_and(|one| {
        one.kind == OperationKind::Delete && one.phase == OperationPhase::Accepted
    });
    let cluster = match &draft.facts.detail {
        None => return Draft::read(Read::Cluster(id)),
        Some(Ok(cluster)) => cluster.clone(),
        Some(Err(failure)) => {
            let judged = absence::judge(
                failure,
                &draft.facts.memory,
                draft.status.operation.as_ref(),
                &draft.facts.settings,
                draft.facts.now,
            );
            return match judged {
                Presence::Gone => gone(draft, &id),
                Presence::NotYet => deleting(
                    draft,
                    "The cluster was made just now and the service does not show it yet; the deletion waits for it.",
                ),
                Presence::NotShown => deleting(
                    draft,
                    "The service no longer shows the cluster; its absence is being confirmed by its lists.",
                ),
                Presence::Unknown if failure.meaning == Meaning::AbsentOrForbidden => {
                    let message = format!(
                        "The service does not say whether cluster {id} is gone or hidden from these credentials ({}). Give \
                         the resource credentials that may read it, or set spec.deletionPolicy: Retain.",
                        failures::text(failure)
                    );
                    blocked(draft, "hidden", &message)
                }
                Presence::Unknown => held_back_by(draft, &failure.clone()),
            };
        }
    };
    observe::observe(&mut draft.status, &cluster, true);
    match service_state::life(&cluster.status) {
        Life::Deleting | Life::Deleted => {
            return deleting(draft, "The service is deleting the cluster.");
        }
        Life::Creating => {
            return deleting(
                draft,
                "The cluster is still being made; the deletion waits for it.",
            );
        }
        _ => {}
    }
    let failed = service_state::life(&cluster.status) == Life::CreationFailed;
    let keep = draft.facts.object.deletion_policy() == ClusterDeletionPolicy::Snapshot && !failed;
    let own_snapshot = keep
        && draft
            .status
            .operation
            .as_ref()
            .is_some_and(|one| one.kind == OperationKind::Snapshot);
    if service_state::task_runs(cluster.task_status.as_deref()) && !own_snapshot {
        let task = cluster.task_status.clone().unwrap_or_default();
        return deleting(draft, &format!("The deletion waits until {task} is over."));
    }
    // What is open beside the deletion's own operations no longer matters.
    let own = [
        OperationKind::Snapshot,
        OperationKind::Delete,
        OperationKind::DeleteSnapshot,
    ];
    if draft
        .status
        .operation
        .as_ref()
        .is_some_and(|one| !own.contains(&one.kind))
    {
        draft.status.operation = None;
    }
    if delete_accepted {
        // DELETE is by id, so that one that the service forgot can be repeated.
        let asked = draft.status.operation.as_ref().map(|one| one.intended_at);
        let waited = asked.map(|at| draft.facts.now.duration_since(at));
        let patience = if cluster.status == final_snapshot::DELETE_FAILED {
            TRY_AGAIN
        } else {
            PATIENCE
        };
        if waited.is_none_or(|waited| waited < patience) {
            return deleting(draft, "The service accepted the deletion.");
        }
    }
    draft = match crd_stands(draft, &cluster) {
        Ok(draft) => draft,
        Err(step) => return *step,
    };
    if keep {
        let unusable = matches!(
            service_state::life(&cluster.status),
            Life::Unavailable | Life::Frozen
        );
        // A deletion that failed came after its final snapshot.
        if unusable && cluster.status != final_snapshot::DELETE_FAILED {
            return final_snapshot::impossible(draft, &cluster);
        }
        draft = match final_snapshot::ensure(draft, &cluster) {
            Ok(draft) => draft,
            Err(step) => return *step,
        };
    }
    send(draft, &cluster)
}

/// While the CRD itself is being deleted, every resource is marked and nobody meant this one.
fn crd_stands<'a>(draft: Draft<'a>, cluster: &Cluster) -> Part<'a> {
    match draft.facts.crd_deleting {
        None => Err(Box::new(Draft::read(Read::CrdState))),
        Some(true) if confirmed_delete(draft.annotations()) != Some(cluster.id.as_str()) => {
            let message = format!(
                "The CRD itself is being deleted, which marks every warehouse: no DELETE is sent. Set \
                 spec.deletionPolicy: Retain to keep the cluster, or annotate {}={} to delete it.",
                names::CONFIRM_DELETE,
                cluster.id
            );
            Err(Box::new(blocked(draft, "crd", &message)))
        }
        Some(_) => Ok(draft),
    }
}

/// DELETE, with a count that keeps every snapshot that must stay.
fn send(mut draft: Draft<'_>, cluster: &Arc<Cluster>) -> ClusterStep {
    let snapshots = match &draft.facts.fresh_snapshots {
        None => return Draft::read(Read::Snapshots),
        Some(Err(failure)) => return held_back_by(draft, &failure.clone()),
        Some(Ok(list)) => list.clone(),
    };
    draft = match crd_stands(draft, cluster) {
        Ok(draft) => draft,
        Err(step) => return *step,
    };
    if let Some(failure) = draft
        .failure_of(OperationKind::Delete)
        .filter(|one| one.reason == "DeletionBlocked")
        .cloned()
        && draft.facts.now.duration_since(failure.at) < TRY_AGAIN
    {
        let message = format!(
            "The service refuses the deletion: {} {TRIED_AGAIN}; set spec.deletionPolicy: Retain \
             to keep the cluster and let this resource go.",
            failure.message
        );
        return blocked(draft, "refused", &message);
    }
    if draft.just_refused_as_busy() {
        return deleting(draft, "The service is busy; the deletion is sent again.");
    }
    let former = draft
        .status
        .operation
        .clone()
        .filter(|one| one.kind == OperationKind::Delete);
    if let Some(open) = &former
        && draft.facts.now.duration_since(open.intended_at) < draft.facts.settings.active_interval
    {
        return deleting(
            draft,
            "The answer to the deletion was lost; it is sent again by id.",
        );
    }
    let Some(confirmed) = ConfirmedId::of(&draft, cluster) else {
        return deleting(draft, "The recorded id is being confirmed.");
    };
    let keep = final_snapshot::keep_count(&draft, &snapshots, &confirmed.0);
    let call = Call::DeleteCluster {
        cluster_id: confirmed.0.clone(),
        keep_last_manual_snapshot: keep,
    };
    let target = Target {
        cluster_id: Some(confirmed.0),
        keep_last_manual_snapshots: Some(keep),
        ..Target::default()
    };
    let now = draft.facts.now;
    let intent = match &former {
        Some(former) => Intent::renewed(
            &Operation {
                target,
                ..former.clone()
            },
            now,
            call,
        ),
        None => Intent::new(
            &draft.facts.fresh.operation_id,
            OperationKind::Delete,
            target,
            Baseline::default(),
            now,
            call,
        ),
    };
    let says = Says::new(
        "Deleting",
        format!("Cluster {} is being deleted.", cluster.id),
    );
    draft.call(intent, &Verdict::working(Ready::No(says.clone()), says))
}

fn gone(draft: Draft<'_>, id: &str) -> ClusterStep {
    let kept = draft
        .status
        .final_snapshot
        .as_ref()
        .map_or_else(String::new, |last| {
            format!(
                " Its final snapshot {} ({}) stays.",
                last.name,
                last.id.as_deref().unwrap_or("id unknown")
            )
        });
    let note = EventNote::normal(
        "Deleted",
        id,
        format!("Cluster {id} is confirmed gone.{kept}"),
    );
    over(draft, note, &Remains::Nothing)
}
