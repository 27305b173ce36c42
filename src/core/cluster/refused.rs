//! A create or restore that was refused: what it waits for before it is sent again.

use super::draft::{ClusterStep, Draft};
use crate::api::cluster::AdoptionPolicy;
use crate::api::cluster_status::LastFailure;
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::facts::PasswordSecret;
use crate::core::failures::{self, TRIED_AGAIN, TRY_AGAIN};
use crate::core::step::{Outcome, Read};

/// A refused create is not repeated until the spec, a Secret or `reconcile-requested-at` changes; a
/// refusal for want of quota or stock is tried again every ten minutes.
pub(super) fn refused_before(mut draft: Draft<'_>) -> Result<Draft<'_>, Box<ClusterStep>> {
    if let Some(busy) = draft.status.last_busy.clone()
        && draft.just_refused_as_busy()
    {
        let no = Ready::No(Says::new("NotCreated", busy.message.clone()));
        let wake = Some(draft.facts.settings.active_interval);
        let verdict = Verdict::waiting(no, Says::new("Busy", busy.message));
        return Err(Box::new(draft.end(&verdict, wake, Outcome::Waiting)));
    }
    let Some(failure) = draft.failed_beginning().cloned() else {
        return Ok(draft);
    };
    if failure.generation != draft.generation() {
        draft.overcome_beginning();
        return Ok(draft);
    }
    let no = Ready::No(Says::new("NotCreated", failure.message.clone()));
    match failure.reason.as_str() {
        // The name that stood in the way is what is asked for.
        "NameConflict" if draft.facts.object.adoption_policy() == AdoptionPolicy::IfExists => {
            let interval = draft.facts.settings.active_interval;
            if draft.facts.now.duration_since(failure.at) >= interval {
                return Ok(draft);
            }
            let verdict = Verdict::waiting(no, Says::new("NameConflict", failure.message));
            Err(Box::new(draft.end(
                &verdict,
                Some(interval),
                Outcome::Waiting,
            )))
        }
        "QuotaExceeded" | "SoldOut" | failures::SERVICE_FAILED => {
            let waited = draft.facts.now.duration_since(failure.at);
            if waited >= TRY_AGAIN {
                return Ok(draft);
            }
            let verdict = tried_again_later(no, &failure);
            Err(Box::new(draft.end(
                &verdict,
                Some(TRY_AGAIN - waited),
                Outcome::Waiting,
            )))
        }
        "PasswordRejected" => {
            let since = draft.facts.now.duration_since(failure.at);
            let wake = match secret_as_refused(&draft)? {
                Some(true) => None,
                // A generated one is made anew, though not in a loop.
                None if since < draft.facts.settings.idle_interval => {
                    Some(draft.facts.settings.idle_interval)
                }
                _ => return Ok(draft),
            };
            let verdict = Verdict::out_of_sync(no, Says::new("PasswordRejected", failure.message));
            Err(Box::new(draft.end(&verdict, wake, Outcome::Stalled)))
        }
        reason => {
            let others =
                failure.credentials.is_some() && failure.credentials != draft.facts.credentials;
            if others || secret_as_refused(&draft)? == Some(false) {
                return Ok(draft);
            }
            let reason = failures::told_reason(reason);
            Err(Box::new(draft.stall(no, reason, failure.message)))
        }
    }
}

/// What a refusal is shown as that is tried again every ten minutes.
pub(super) fn tried_again_later(ready: Ready, failure: &LastFailure) -> Verdict {
    let message = format!("{} {TRIED_AGAIN}.", failure.message);
    let says = Says::new(failures::told_reason(&failure.reason), message);
    if says.reason == failures::SERVICE_FAILED {
        Verdict::out_of_sync(ready, says)
    } else {
        Verdict::waiting(ready, says)
    }
}

/// A failure that stands, with this reason unless the service itself failed.
pub(super) fn told(failure: &LastFailure, reason: &'static str) -> Says {
    if failure.reason == failures::SERVICE_FAILED {
        let message = format!("{} {TRIED_AGAIN}.", failure.message);
        return Says::new(failures::SERVICE_FAILED, message);
    }
    Says::new(reason, failure.message.clone())
}

/// Whether the password Secret is still the one that the refused request came from; `None` where it came
/// from none.
fn secret_as_refused(draft: &Draft<'_>) -> Result<Option<bool>, Box<ClusterStep>> {
    let Some(refused) = &draft.status.rejected_secret else {
        return Ok(None);
    };
    if draft.facts.object.spec.admin_password_secret_ref.is_none() {
        return Ok(Some(false));
    }
    match &draft.facts.password_secret {
        None => Err(Box::new(Draft::read(Read::PasswordSecret))),
        Some(PasswordSecret::Value {
            uid,
            resource_version,
            ..
        }) => Ok(Some(
            refused.uid == *uid && refused.resource_version == *resource_version,
        )),
        Some(PasswordSecret::NoSecret | PasswordSecret::NoKey) => Ok(Some(false)),
    }
}
