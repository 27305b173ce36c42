//! A cluster that is there: settle what is open, do what is asked, publish what is seen.

use std::sync::Arc;

use jiff::SignedDuration;

use super::draft::{ClusterStep, Draft, Part};
use super::{drift, identity, observe, refused, reset, resize, restart, secret, turn};
use crate::api::OperationKind;
use crate::core::absence::{self, Presence};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::facts::{Account, KnownAccount};
use crate::core::failures;
use crate::core::service_state::{self, Life};
use crate::core::step::{EventNote, Outcome, Read};
use crate::dws::answer::Meaning;
use crate::dws::model::Cluster;

pub(super) fn plan(draft: Draft<'_>, account: &KnownAccount) -> ClusterStep {
    let id = draft.status.cluster_id.clone().unwrap_or_default();
    if let Some(rival) = identity::stopped_by(&draft) {
        let message = identity::conflict(rival, &id);
        let says = Says::new("IdentityConflict", message);
        let verdict = Verdict::stalled(Ready::AsBefore(says.clone()), says);
        return draft.end(&verdict, None, Outcome::Stalled);
    }
    let (mut draft, cluster) = match current(draft, account, &id) {
        Ok(pair) => pair,
        Err(step) => return *step,
    };
    draft.status.lost = None;
    observe::observe(&mut draft.status, &cluster, draft.facts.detail.is_some());
    match settle(draft, &cluster).and_then(|draft| work(draft, &cluster)) {
        Ok(draft) => rest(draft, &cluster),
        Err(step) => *step,
    }
}

/// The freshest view of the cluster; a detail is read where the list shows a change or something is open.
fn current<'a>(
    draft: Draft<'a>,
    account: &KnownAccount,
    id: &str,
) -> Result<(Draft<'a>, Arc<Cluster>), Box<ClusterStep>> {
    match &draft.facts.detail {
        Some(Ok(cluster)) => return Ok((draft, cluster.clone())),
        Some(Err(failure)) => {
            let failure = failure.clone();
            let judged = absence::judge(
                &failure,
                &draft.facts.memory,
                draft.status.operation.as_ref(),
                &draft.facts.settings,
                draft.facts.now,
            );
            let hidden = matches!(
                failure.meaning,
                Meaning::Absent | Meaning::AbsentOrForbidden
            );
            return Err(Box::new(match judged {
                Presence::Gone => lost(draft, id),
                // Confirmed once: what a new process has not seen by itself takes nothing of that back.
                _ if hidden && draft.lost_before() => lost(draft, id),
                Presence::NotYet => {
                    let message =
                        format!("The service accepted cluster {id} and does not show it yet.");
                    let restores = draft.facts.object.spec.restore_from.is_some();
                    let doing = if restores { "Restoring" } else { "Creating" };
                    let says = Says::new(doing, message);
                    let verdict = Verdict::working(Ready::No(says.clone()), says);
                    let wake = Some(draft.facts.settings.active_interval);
                    draft.end(&verdict, wake, Outcome::Waiting)
                }
                Presence::NotShown => {
                    let message = format!(
                        "The service does not show cluster {id} just now; its absence is being confirmed."
                    );
                    let says = Says::new("ConfirmingAbsence", message);
                    let verdict = Verdict::out_of_sync(Ready::AsBefore(says.clone()), says);
                    let wake = Some(draft.facts.settings.active_interval);
                    draft.end(&verdict, wake, Outcome::Waiting)
                }
                Presence::Unknown => draft.hold_back(failures::held_back(&failure)),
            }));
        }
        None => {}
    }
    let item = account
        .clusters
        .as_ref()
        .and_then(|list| list.by_id.get(id))
        .cloned();
    match item {
        Some(item)
            if draft.open_operation().is_none()
                && !draft.lost_before()
                && !observe::wants_detail(&draft.status, &item) =>
        {
            Ok((draft, item))
        }
        _ => Err(Box::new(Draft::read(Read::Cluster(id.to_owned())))),
    }
}

/// The recorded cluster is confirmed gone and nobody here deleted it.
fn lost(mut draft: Draft<'_>, id: &str) -> ClusterStep {
    let message = format!(
        "Cluster {id} is gone from the service, and this resource did not delete it. It is never made anew by itself, \
         because an empty warehouse would hide the loss: delete this resource, or restore a snapshot into a new one."
    );
    draft
        .events
        .push(EventNote::warning("Lost", id, message.clone()));
    draft.status.operation = None;
    draft.status.lost = Some(true);
    draft.stall(
        Ready::No(Says::new("Lost", message.clone())),
        "Lost",
        message,
    )
}

/// Brings the open operation to rest, as far as this view allows.
fn settle<'a>(draft: Draft<'a>, cluster: &Arc<Cluster>) -> Part<'a> {
    let Some(operation) = draft.open_operation().cloned() else {
        return Ok(draft);
    };
    match operation.kind {
        OperationKind::Create | OperationKind::Restore => settle_made(draft, cluster, &operation),
        OperationKind::Resize => resize::settle(draft, cluster, &operation),
        OperationKind::Restart => restart::settle(draft, cluster, &operation),
        OperationKind::ResetPassword => reset::settle(draft, cluster, &operation),
        // Left over from a deletion that cannot be any more: nothing of it binds a living resource.
        OperationKind::Snapshot | OperationKind::Delete | OperationKind::DeleteSnapshot => {
            let mut draft = draft;
            draft.status.operation = None;
            Ok(draft)
        }
    }
}

/// An accepted create or restore: wait until the cluster is AVAILABLE, then its password is in force.
fn settle_made<'a>(
    mut draft: Draft<'a>,
    cluster: &Arc<Cluster>,
    operation: &crate::api::Operation,
) -> Part<'a> {
    let restore = operation.kind == OperationKind::Restore;
    let doing = if restore { "Restoring" } else { "Creating" };
    match service_state::life(&cluster.status) {
        Life::Available if service_state::idle(cluster) => {
            if !restore {
                let from = &operation.target.secret;
                draft.status.password_secret.clone_from(from);
                draft = secret::promote(draft, cluster)?;
            }
            draft.status.operation = None;
            draft.status.settled_node_count = cluster.node_count.or(operation.target.node_count);
            let note = format!("Cluster {} ({}) is available.", cluster.name, cluster.id);
            draft
                .events
                .push(EventNote::normal("Available", operation.id.clone(), note));
            Ok(draft)
        }
        Life::CreationFailed => {
            draft.status.operation = None;
            let message = observe::creation_failed(cluster);
            draft.events.push(EventNote::warning(
                "CreationFailed",
                operation.id.clone(),
                message,
            ));
            Ok(draft)
        }
        _ => {
            let progress = service_state::progress(cluster).unwrap_or_default();
            let says = Says::new(
                doing,
                format!("The service is making cluster {}. {progress}", cluster.id),
            );
            let wake = Some(draft.facts.settings.idle_interval);
            let ready = match service_state::life(&cluster.status) {
                Life::Unavailable | Life::Frozen | Life::Deleting | Life::Deleted => {
                    observe::ready(cluster)
                }
                _ => Ready::No(says.clone()),
            };
            Err(Box::new(draft.end(
                &Verdict::working(ready, says),
                wake,
                Outcome::Waiting,
            )))
        }
    }
}

/// What is asked for, in the order restart, password, resize; one thing at a time.
fn work<'a>(draft: Draft<'a>, cluster: &Arc<Cluster>) -> Part<'a> {
    let life = service_state::life(&cluster.status);
    if draft.hands_off()
        || identity::astray(&draft).is_some()
        || matches!(life, Life::CreationFailed | Life::Deleting | Life::Deleted)
    {
        return Ok(draft);
    }
    let draft = restart::work(draft, cluster)?;
    let draft = reset::work(draft, cluster)?;
    resize::work(draft, cluster)
}

/// Nothing is left to do: publish the connection and say how things stand.
fn rest(draft: Draft<'_>, cluster: &Arc<Cluster>) -> ClusterStep {
    let mut draft = match secret::publish(draft, cluster) {
        Ok(draft) => draft,
        Err(step) => return *step,
    };
    let ready = turn::ready(&draft, cluster);
    let life = service_state::life(&cluster.status);
    let again = late_view(&draft, cluster);
    draft.unpark();
    if life == Life::CreationFailed && !draft.observe_only() {
        return draft.stall(ready, "CreationFailed", observe::creation_failed(cluster));
    }
    if let Some(message) = identity::astray(&draft) {
        return draft.stall(ready, "InvalidSpec", message);
    }
    if let Some((says, stalled)) = shortfall(&mut draft, cluster) {
        if says.reason == "WaitingForReference" {
            let wake = Some(draft.facts.settings.idle_interval);
            return draft.end(&Verdict::waiting(ready, says), wake, Outcome::Waiting);
        }
        if draft.paused() && !stalled {
            let says = Says::paused();
            return draft.end(&Verdict::out_of_sync(ready, says), again, Outcome::Waiting);
        }
        let verdict = if stalled {
            Verdict::stalled(ready, says)
        } else {
            Verdict::out_of_sync(ready, says)
        };
        let outcome = if stalled {
            Outcome::Stalled
        } else {
            Outcome::Waiting
        };
        let low = draft.facts.memory.low_count_since;
        let low = low.map(|_| draft.facts.settings.active_interval);
        let wake = low.into_iter().chain(draft.next_try()).chain(again).min();
        return draft.end(&verdict, wake, outcome);
    }
    let synced = if draft.observe_only() {
        Says::new(
            "ObserveOnly",
            "The cluster is observed; nothing is changed.",
        )
    } else {
        Says::new("InSync", "The cluster is as the manifest says.")
    };
    let verdict = Verdict {
        ready,
        synced: Ok(synced),
        reconciling: None,
        stalled: None,
    };
    draft.end(&verdict, again, Outcome::InSync)
}

/// The detail that was read last does not say what the list said before it: one of the two is late, and it may be
/// the detail. No list need ever change again, so the detail is read once more by itself.
fn late_view(draft: &Draft<'_>, cluster: &Cluster) -> Option<SignedDuration> {
    draft.facts.detail.as_ref()?;
    let Account::Known(known) = &draft.facts.account else {
        return None;
    };
    let item = known.clusters.as_ref()?.by_id.get(&cluster.id)?;
    observe::wants_detail(&draft.status, item).then_some(draft.facts.settings.idle_interval)
}

/// Why the cluster is not what the spec asks for; `true` where only a person helps (`Stalled`).
fn shortfall(draft: &mut Draft<'_>, cluster: &Cluster) -> Option<(Says, bool)> {
    if draft.observe_only() {
        return None;
    }
    for (kind, stalled) in [
        (OperationKind::Resize, true),
        (OperationKind::Restart, false),
        (OperationKind::ResetPassword, false),
    ] {
        if let Some(unknown) = draft.unknown_of(kind) {
            let message = unknown.message.clone().unwrap_or_default();
            return Some((Says::new("OutcomeUnknown", message), stalled));
        }
    }
    if let Some(says) = resize::failed(draft, cluster) {
        return Some((says, true));
    }
    if let Some(says) = secret::shortfall(draft) {
        return Some((says, false));
    }
    if let Some(failure) = draft.failure_of(OperationKind::Restart) {
        return Some((refused::told(failure, "RestartFailed"), false));
    }
    if draft.paused() {
        let says = Says::paused();
        return Some((says, false));
    }
    drift::found(draft, cluster).map(|says| (says, false))
}
