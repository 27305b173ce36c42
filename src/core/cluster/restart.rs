//! Restart on request, at most once: the request is marked handled before the call.

use std::sync::Arc;

use super::draft::{Draft, Part};
use super::turn;
use crate::api::annotations::Request;
use crate::api::{Baseline, Operation, OperationKind, OperationPhase, Target};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::failures;
use crate::core::journal::{self, Intent};
use crate::core::service_state::{self, Life};
use crate::core::step::{EventNote, Outcome};
use crate::dws::call::Call;
use crate::dws::model::Cluster;

/// The service's word for a restart that runs.
const REBOOTING: &str = "REBOOTING";

pub(super) fn settle<'a>(
    mut draft: Draft<'a>,
    cluster: &Arc<Cluster>,
    operation: &Operation,
) -> Part<'a> {
    let rebooting = cluster.task_status.as_deref() == Some(REBOOTING);
    if rebooting && let Some(open) = &mut draft.status.operation {
        open.phase = OperationPhase::Accepted;
        open.task_seen = Some(REBOOTING.to_owned());
    }
    let failed = cluster
        .task_status
        .as_deref()
        .is_some_and(|task| task == "REBOOT_FAILURE" || task == "REBOOT_FAILED");
    let seen = operation.task_seen.is_some();
    let accepted = operation.phase == OperationPhase::Accepted;
    // A short restart can pass between two looks, so an accepted one needs not be seen. The window of
    // the memory is that of an open answer and does not serve here.
    let waited = draft.facts.now.duration_since(operation.intended_at);
    let passed = accepted && waited >= draft.facts.settings.ambiguity_window;
    // Until REBOOTING was seen, the word may still be that of the restart before.
    if failed && (seen || passed) {
        draft.status.operation = None;
        let why = failures::of_task(cluster.failed_reasons.as_ref());
        let message = format!(
            "The service could not restart the cluster (REBOOT_FAILURE).{why} See the cluster's events in the \
             console, then ask for a restart again."
        );
        draft.fail(
            OperationKind::Restart,
            "RestartFailed",
            None,
            message.clone(),
        );
        draft.events.push(EventNote::warning(
            "RestartFailed",
            operation.id.clone(),
            message,
        ));
        return Ok(draft);
    }
    let at_rest = service_state::idle(cluster);
    if at_rest && !failed && (seen || passed) {
        draft.status.operation = None;
        let note = format!("Cluster {} has restarted.", cluster.name);
        draft
            .events
            .push(EventNote::normal("Restarted", operation.id.clone(), note));
        return Ok(draft);
    }
    if !accepted && !rebooting && draft.window_over() {
        draft.outcome_unknown(
            "The answer to a restart was lost and no restart was seen: it may or may not have happened, and it is not \
             repeated.",
        );
        return Ok(draft);
    }
    journal::doubt(&mut draft.status.operation);
    let message = if service_state::life(&cluster.status) == Life::Available && !rebooting {
        "A restart was asked for; the service does not show it yet.".to_owned()
    } else {
        "The cluster is restarting.".to_owned()
    };
    let says = Says::new("Restarting", message);
    let wake = Some(draft.facts.settings.active_interval);
    Err(Box::new(draft.end(
        &Verdict::working(Ready::No(says.clone()), says),
        wake,
        Outcome::Waiting,
    )))
}

pub(super) fn work<'a>(mut draft: Draft<'a>, cluster: &Arc<Cluster>) -> Part<'a> {
    let Some(asked) = draft.due(Request::Restart) else {
        let failure = draft.failure_of(OperationKind::Restart);
        if failure.is_some_and(|one| one.reason == failures::SERVICE_FAILED) {
            // It lapsed, or was taken back, before the service was well again.
            draft.overcome(OperationKind::Restart);
        }
        return Ok(draft);
    };
    if draft.unknown_of(OperationKind::Restart).is_some() || draft.holds(OperationKind::Restart) {
        return Ok(draft);
    }
    if !turn::may_call(&draft, cluster)? {
        return Err(Box::new(turn::busy(draft, cluster, "The restart")));
    }
    let target = Target {
        cluster_id: Some(cluster.id.clone()),
        requested_at: draft
            .annotations()
            .get(Request::Restart.annotation())
            .cloned(),
        ..Target::default()
    };
    let handled = draft
        .status
        .handled
        .as_ref()
        .and_then(|handled| handled.restart);
    let baseline = Baseline {
        handled,
        ..Baseline::default()
    };
    draft.record(Request::Restart, asked);
    draft.overcome(OperationKind::Restart);
    let call = Call::RestartCluster {
        cluster_id: cluster.id.clone(),
    };
    let id = draft.facts.fresh.operation_id.clone();
    let intent = Intent::new(
        &id,
        OperationKind::Restart,
        target,
        baseline,
        draft.facts.now,
        call,
    );
    let says = Says::new("Restarting", "The cluster is being restarted.");
    Err(Box::new(draft.call(
        intent,
        &Verdict::working(Ready::No(says.clone()), says),
    )))
}
