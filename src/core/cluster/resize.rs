//! Resize: a relative call, so it is never repeated before its fate is known.
//!
//! `settledNodeCount` is the last count brought to rest. A resize is planned only when the spec differs
//! from it and exceeds what is observed; a count below the settled one is believed only after a window.

use std::sync::Arc;

use jiff::SignedDuration;

use super::draft::{Draft, Part};
use super::{observe, refused, turn};
use crate::api::{Baseline, Operation, OperationKind, OperationPhase, Target};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::facts::Account;
use crate::core::failures::{self, TRY_AGAIN};
use crate::core::journal::{self, Intent};
use crate::core::service_state;
use crate::core::step::{EventNote, Outcome};
use crate::dws::call::Call;
use crate::dws::model::{Cluster, ResizeInfo};

/// An accepted resize that neither grows nor has grown after this long has an unknown outcome.
const PATIENCE: SignedDuration = SignedDuration::from_mins(60);

pub(super) fn settle<'a>(
    mut draft: Draft<'a>,
    cluster: &Arc<Cluster>,
    operation: &Operation,
) -> Part<'a> {
    let (Some(target), Some(baseline)) =
        (operation.target.node_count, operation.baseline.node_count)
    else {
        draft.outcome_unknown("The journal does not hold the counts of this resize.");
        return Ok(draft);
    };
    let count = cluster.node_count;
    let info = cluster.resize_info.as_ref();
    let ours_runs = info.is_some_and(|info| info.target_node_num == Some(target))
        && (cluster.task_status.as_deref() == Some("GROWING")
            || info.and_then(|info| info.resize_status.as_deref()) == Some("GROWING"));
    if ours_runs && let Some(open) = &mut draft.status.operation {
        open.phase = OperationPhase::Accepted;
        open.task_seen = Some("GROWING".to_owned());
    }
    let runs = service_state::task_runs(cluster.task_status.as_deref());
    let failed = cluster
        .task_status
        .as_deref()
        .is_some_and(service_state::task_failed)
        || info
            .and_then(|info| info.resize_status.as_deref())
            .is_some_and(service_state::task_failed);
    let accepted = ours_runs || operation.phase == OperationPhase::Accepted;
    if count == Some(target) && !runs && service_state::idle(cluster) {
        draft.status.operation = None;
        draft.status.settled_node_count = Some(target);
        draft.overcome(OperationKind::Resize);
        let note = format!("Cluster {} has {target} nodes.", cluster.name);
        draft
            .events
            .push(EventNote::normal("Resized", operation.id.clone(), note));
        return Ok(draft);
    }
    let ours_failed = operation.task_seen.is_some()
        || info.is_some_and(|info| {
            info.target_node_num == Some(target) && began_since(info, operation)
        });
    if failed && !runs && ours_failed {
        draft.status.operation = None;
        draft.status.settled_node_count = Some(target);
        let why = failures::of_task(cluster.failed_reasons.as_ref());
        let message = format!(
            "The service could not grow the cluster from {baseline} to {target} nodes.{why} It is not repeated by itself: \
             see the cluster in the console. To try again, write the count that it has, and then the one that you want."
        );
        draft.fail(OperationKind::Resize, "ResizeFailed", None, message.clone());
        draft.events.push(EventNote::warning(
            "ResizeFailed",
            operation.id.clone(),
            message,
        ));
        return Ok(draft);
    }
    if !runs && service_state::idle(cluster) {
        if count.is_some_and(|count| count != baseline && count != target) {
            let found = count.unwrap_or_default();
            draft.outcome_unknown(&format!(
                "The cluster was to grow from {baseline} to {target} nodes and has {found}: somebody else resized it as well."
            ));
            return Ok(draft);
        }
        let waited = draft.facts.now.duration_since(operation.intended_at);
        if accepted && waited >= PATIENCE {
            draft.outcome_unknown(&format!(
                "The service accepted the resize from {baseline} to {target} nodes and shows no sign of it after an hour."
            ));
            return Ok(draft);
        }
        // Not executed, and it will not be: this detail was requested after the whole window.
        let not_executed = !accepted && draft.window_over() && count == Some(baseline);
        if not_executed && draft.facts.object.spec.node_count != Some(target) {
            // Nobody asks for that count any more: what is wanted now is planned anew.
            draft.status.operation = None;
            return Ok(draft);
        }
        if not_executed && !draft.hands_off() {
            return Err(Box::new(send(
                draft,
                cluster,
                baseline,
                target,
                Some(operation),
            )));
        }
    }
    journal::doubt(&mut draft.status.operation);
    let progress = service_state::progress(cluster).unwrap_or_default();
    let message = if accepted {
        format!("The cluster grows from {baseline} to {target} nodes. {progress}")
    } else {
        format!(
            "The answer to the resize to {target} nodes was lost; nothing is sent again before its fate is known."
        )
    };
    let verdict = Verdict::working(resizing(cluster), Says::new("Resizing", message));
    let wake = Some(draft.facts.settings.active_interval);
    Err(Box::new(draft.end(&verdict, wake, Outcome::Waiting)))
}

pub(super) fn work<'a>(mut draft: Draft<'a>, cluster: &Arc<Cluster>) -> Part<'a> {
    let Some(found) = cluster.node_count else {
        return Ok(draft);
    };
    let settled = *draft.status.settled_node_count.get_or_insert(found);
    let Some(wanted) = draft.facts.object.spec.node_count else {
        return Ok(draft);
    };
    if wanted == settled || draft.unknown_of(OperationKind::Resize).is_some() {
        return Ok(draft);
    }
    if wanted <= found {
        // The spec was brought back to what is there, or somebody else brought the cluster to the spec.
        if wanted == found && service_state::idle(cluster) {
            draft.status.settled_node_count = Some(wanted);
            draft.overcome(OperationKind::Resize);
        }
        return Ok(draft);
    }
    let failure = draft.failure_of(OperationKind::Resize).cloned();
    if draft.adopted() && found < settled && wanted < settled && failure.is_none() {
        // A count from adoption that was never reached: taken down it is drift still, and no growth.
        draft.status.settled_node_count = Some(wanted);
        return Ok(draft);
    }
    if let Some(failure) = failure {
        let same = failure.generation == draft.generation();
        let since = draft.facts.now.duration_since(failure.at);
        if same
            && matches!(
                failure.reason.as_str(),
                "QuotaExceeded" | "SoldOut" | failures::SERVICE_FAILED
            )
            && since < TRY_AGAIN
        {
            let verdict = refused::tried_again_later(observe::ready(cluster), &failure);
            return Err(Box::new(draft.end(
                &verdict,
                Some(TRY_AGAIN - since),
                Outcome::Waiting,
            )));
        }
    }
    if found < settled && !stood_for_a_window(&draft) {
        let message = format!(
            "The service shows {found} nodes where {settled} were brought to rest; that is believed once it has stood \
             for the ambiguity window, before nodes are bought."
        );
        let verdict = Verdict::waiting(observe::ready(cluster), Says::new("Busy", message));
        let wake = Some(draft.facts.settings.active_interval);
        return Err(Box::new(draft.end(&verdict, wake, Outcome::Waiting)));
    }
    if !turn::may_call(&draft, cluster)? {
        return Err(Box::new(turn::busy(draft, cluster, "The resize")));
    }
    Err(Box::new(send(draft, cluster, found, wanted, None)))
}

fn stood_for_a_window(draft: &Draft<'_>) -> bool {
    let settings = &draft.facts.settings;
    draft
        .facts
        .memory
        .low_count_since
        .is_some_and(|since| draft.facts.now.duration_since(since) >= settings.ambiguity_window)
}

fn send(
    mut draft: Draft<'_>,
    cluster: &Cluster,
    baseline: i32,
    target: i32,
    former: Option<&Operation>,
) -> super::ClusterStep {
    let call = Call::ResizeCluster {
        cluster_id: cluster.id.clone(),
        count: target - baseline,
    };
    let now = draft.facts.now;
    let intent = if let Some(former) = former {
        Intent::renewed(former, now, call)
    } else {
        let wanted = Target {
            cluster_id: Some(cluster.id.clone()),
            node_count: Some(target),
            ..Target::default()
        };
        let list = match &draft.facts.account {
            Account::Known(known) => known.clusters.as_ref(),
            _ => None,
        };
        let service = list.and_then(|list| list.service_time);
        let seen = Baseline {
            node_count: Some(baseline),
            service_time: Some(journal::clock(service, now)),
            ..Baseline::default()
        };
        Intent::new(
            &draft.facts.fresh.operation_id,
            OperationKind::Resize,
            wanted,
            seen,
            now,
            call,
        )
    };
    draft.overcome(OperationKind::Resize);
    let says = Says::new(
        "Resizing",
        format!("The cluster is to grow from {baseline} to {target} nodes."),
    );
    draft.call(intent, &Verdict::working(resizing(cluster), says))
}

/// `Ready` as the service says, with reason Resizing where the cluster can be used.
fn resizing(cluster: &Cluster) -> Ready {
    match observe::ready(cluster) {
        Ready::Yes(says) => Ready::Yes(Says::new("Resizing", says.message)),
        other => other,
    }
}

/// Whether this resize began after the operation was planned: the service keeps showing a failed one, also
/// while a new one with the same target is about to begin.
fn began_since(info: &ResizeInfo, operation: &Operation) -> bool {
    let began = info.start_time.as_deref().and_then(service_state::time);
    match (began, operation.baseline.service_time) {
        (Some(began), Some(planned)) => began.as_second() >= planned.as_second(),
        _ => false,
    }
}

/// A resize that failed for good and is still what the spec asks for.
pub(super) fn failed(draft: &Draft<'_>, cluster: &Cluster) -> Option<Says> {
    let failure = draft.failure_of(OperationKind::Resize)?;
    let wanted = draft.facts.object.spec.node_count;
    (wanted.is_some() && wanted == draft.status.settled_node_count && wanted != cluster.node_count)
        .then(|| Says::new("ResizeFailed", failure.message.clone()))
}
