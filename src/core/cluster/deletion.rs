//! How a deletion that is not over yet is told: under way, blocked, or held back by the service.

use super::draft::{ClusterStep, Draft};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::failures;
use crate::core::step::{EventNote, Outcome};
use crate::dws::answer::Failure;

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
