//! Whose turn it is on the cluster: whether a changing call may go out now, and what is said while it waits.
//!
//! The order is restart, password, resize; a snapshot that has waited for one whole operation goes next.

use jiff::SignedDuration;

use super::draft::{ClusterStep, Draft};
use super::observe;
use crate::api::OperationPhase;
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::service_state;
use crate::core::step::{Outcome, Read};
use crate::dws::model::Cluster;

/// In that time a snapshot whose turn it is has begun, or it is not its turn.
const ITS_TURN: SignedDuration = SignedDuration::from_secs(1);

/// Whether a new changing call may go out now; asks for a fresh detail first.
pub(super) fn may_call(draft: &Draft<'_>, cluster: &Cluster) -> Result<bool, Box<ClusterStep>> {
    Ok(!snapshot_goes_next(draft) && may_call_again(draft, cluster)?)
}

/// The same for a call whose answer is open: a snapshot waits for it, so it waits for no snapshot.
pub(super) fn may_call_again(
    draft: &Draft<'_>,
    cluster: &Cluster,
) -> Result<bool, Box<ClusterStep>> {
    if !service_state::idle(cluster) || draft.just_refused_as_busy() {
        return Ok(false);
    }
    if draft.facts.detail.is_none() {
        return Err(Box::new(Draft::read(Read::Cluster(cluster.id.clone()))));
    }
    Ok(true)
}

/// A snapshot that has waited for one whole operation goes before the next one. Whether the operation that
/// ends in this very plan was such a one is known once its end is stored.
fn snapshot_goes_next(draft: &Draft<'_>) -> bool {
    draft
        .facts
        .snapshots_of_cluster
        .iter()
        .any(|one| one.waits && (one.overdue || just_ended(draft)))
}

/// An operation was open in what was read, and none is now.
fn just_ended(draft: &Draft<'_>) -> bool {
    let read = draft.facts.object.status.as_ref();
    let was_open = read
        .and_then(|status| status.operation.as_ref())
        .is_some_and(|operation| operation.phase != OperationPhase::OutcomeUnknown);
    was_open && draft.open_operation().is_none()
}

/// What is wanted waits for the cluster.
pub(super) fn busy(draft: Draft<'_>, cluster: &Cluster, what: &str) -> ClusterStep {
    let task = cluster
        .task_status
        .as_deref()
        .unwrap_or(&cluster.status)
        .to_owned();
    let message = if snapshot_goes_next(&draft) {
        format!("{what} waits for a DwsSnapshot that has waited longer.")
    } else if service_state::idle(cluster) {
        format!("{what} waits a moment: the service says that it is busy.")
    } else {
        format!("{what} waits until the cluster is at rest; the service is at {task}.")
    };
    let verdict = Verdict::waiting(ready(&draft, cluster), Says::new("Busy", message));
    let wake = Some(if just_ended(&draft) {
        ITS_TURN
    } else if draft.just_refused_as_busy() {
        draft.facts.settings.active_interval
    } else {
        draft.facts.settings.idle_interval
    });
    draft.end(&verdict, wake, Outcome::Waiting)
}

/// `Ready` during a password change; after a restore it waits for the first one.
pub(super) fn ready(draft: &Draft<'_>, cluster: &Cluster) -> Ready {
    if draft.awaits_first_password() {
        return Ready::No(Says::new(
            "Restoring",
            "The restored cluster gets its password.",
        ));
    }
    observe::ready(cluster)
}
