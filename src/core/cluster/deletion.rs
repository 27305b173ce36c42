//! How a deletion ends, and how one that is not over yet is told: under way, blocked, or held back by the
//! service.

use super::draft::{ClusterStep, Draft};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::facts::{ConnectionSecret, Tie};
use crate::core::failures;
use crate::core::step::{EventNote, Outcome, Read, SecretWrite};
use crate::dws::answer::Failure;

/// What is left at the service when the resource goes.
pub(super) enum Left {
    /// A cluster that goes on without it, or one that may be its own: the connection Secret stays too, as it may
    /// hold the only copy of the password.
    Cluster,
    /// No cluster of this resource, so that the Secret goes with it.
    Nothing,
}

/// The finalizer goes, for the reason that the note gives.
pub(super) fn over(draft: Draft<'_>, note: EventNote, left: &Left) -> ClusterStep {
    let secret = match (&draft.facts.connection_secret, left) {
        (None, _) => return Draft::read(Read::ConnectionSecret),
        (Some(ConnectionSecret::Ours { .. }), Left::Cluster) => Some(SecretWrite::Release),
        // It was to outlive the resource, before the policy was changed.
        (Some(ConnectionSecret::Ours { data, tie }), Left::Nothing) if *tie != Some(Tie::Owned) => {
            let (data, tie) = (data.clone(), Tie::Owned);
            Some(SecretWrite::Put { data, tie })
        }
        (Some(_), _) => None,
    };
    draft.forget(secret, note)
}

/// Under way; looks again soon.
pub(super) fn deleting(draft: Draft<'_>, message: &str) -> ClusterStep {
    let says = Says::new("Deleting", message);
    let wake = Some(draft.facts.settings.active_interval);
    draft.end(
        &Verdict::working(Ready::No(says.clone()), says),
        wake,
        Outcome::Waiting,
    )
}

/// Not possible as things are; the message names the ways out.
pub(super) fn blocked(mut draft: Draft<'_>, key: &str, message: &str) -> ClusterStep {
    draft
        .events
        .push(EventNote::warning("DeletionBlocked", key, message));
    let says = Says::new("DeletionBlocked", message);
    let verdict = Verdict::out_of_sync(Ready::No(says.clone()), says);
    let wake = Some(draft.facts.settings.idle_interval);
    draft.end(&verdict, wake, Outcome::Stalled)
}

/// A read failed: the finalizer stays.
pub(super) fn held_back_by(draft: Draft<'_>, failure: &Failure) -> ClusterStep {
    held_back(draft, failures::held_back(failure))
}

/// The service or the credentials do not work: the finalizer stays.
pub(super) fn held_back(draft: Draft<'_>, says: Says) -> ClusterStep {
    let no = Ready::No(Says::new(
        "Deleting",
        format!("The deletion waits. {}", says.message),
    ));
    let wake = Some(draft.facts.settings.active_interval);
    draft.end(&Verdict::out_of_sync(no, says), wake, Outcome::HeldBack)
}
