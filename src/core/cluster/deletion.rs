//! How a deletion ends, and how one that is not over yet is told: under way, blocked, or held back by the
//! service.

use super::draft::{ClusterStep, Draft};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::connection;
use crate::core::facts::{ConnectionSecret, Tie};
use crate::core::failures;
use crate::core::step::{EventNote, Outcome, Read, SecretWrite};
use crate::dws::answer::Failure;

/// What remains at the service when the resource goes.
pub(super) enum Remains {
    /// A cluster that goes on without it, or one that may be its own: the connection Secret stays too.
    Cluster,
    /// No cluster of this resource, so that the Secret goes with it.
    Nothing,
}

/// The finalizer goes, for the reason that the note gives.
pub(super) fn over(draft: Draft<'_>, note: EventNote, remains: &Remains) -> ClusterStep {
    let Some(secret) = &draft.facts.connection_secret else {
        return Draft::read(Read::ConnectionSecret);
    };
    let ConnectionSecret::Ours { data, tie } = secret else {
        return draft.forget(None, note);
    };
    // A resource that never had a cluster has no password either: the Secret came with a backup, and holds that of
    // a cluster which may be there still.
    let status = &draft.status;
    let of_another = status.cluster_id.is_none() && data.contains_key(connection::PASSWORD);
    let write = match remains {
        Remains::Cluster => Some(SecretWrite::Release),
        Remains::Nothing if of_another => Some(SecretWrite::Release),
        // The garbage collector's.
        Remains::Nothing if *tie == Some(Tie::Owned) => None,
        Remains::Nothing => Some(SecretWrite::Delete),
    };
    draft.forget(write, note)
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
