//! A decision is carried out: finalizer, Secret, status with the intent, call, answer, finalizer, events.
//!
//! The order is the protocol. Nothing is sent whose intent the API server did not confirm; the call itself
//! is a flight of its own ([`super::flight`]), even if the reconcile that asked for it is cut off.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use super::account::Resolved;
use super::context::{Context, Reconciled, signed};
use super::error::{ReconcileError, StoreError};
use super::events;
use super::flight::{Errand, land, send};
use super::secrets::{self, Owner, Seen};
use super::store::{self, Managed};
use super::watch::Indexed;
use crate::core::step::{Decision, EventNote, Outcome, SecretWrite};
use crate::observer::{Account, Source};

/// How soon to come again while a call of this resource is still in flight.
const IN_FLIGHT: Duration = Duration::from_secs(1);

/// The connection Secret of a resource, for kinds that have one.
pub struct SecretPlace {
    /// Whose it is.
    pub owner: Owner,
    /// Its name.
    pub name: String,
    /// What the plan saw of it.
    pub seen: Seen,
}

/// Whether a plan can be made.
pub enum Settled<K> {
    /// With this object, as it is after all answers.
    Now(K),
    /// Not yet: a call of it is in flight, and the reconcile comes to this.
    InFlight(Reconciled),
}

/// Before a plan: nothing is planned over a call in flight, and an answer that could not be stored is
/// stored first. Gives the object as it is then, or what the reconcile comes to.
///
/// # Errors
/// The answer still cannot be stored.
pub async fn settle_answers<K: Managed>(
    ctx: &Context,
    object: K,
) -> Result<Settled<K>, ReconcileError> {
    let uid = object.uid().unwrap_or_default();
    if ctx.memory.in_flight(&uid) {
        return Ok(Settled::InFlight(Reconciled {
            wake: Some(IN_FLIGHT),
            outcome: Outcome::Waiting,
        }));
    }
    let Some((operation, answer)) = ctx.memory.unstored_of(&uid) else {
        return Ok(Settled::Now(object));
    };
    let landed = land(ctx, object.clone(), &operation, &answer).await?;
    ctx.memory.answer_stored(&uid);
    events::publish(ctx, &object, &landed.absorbed.events).await;
    Ok(Settled::Now(landed.object.unwrap_or(object)))
}

/// Carries a decision out. `deadline`, fixed before anything was written, is the last moment to send.
///
/// # Errors
/// [`ReconcileError`]: what was not reached is planned again.
pub async fn act<K: Indexed>(
    ctx: &Context,
    object: &K,
    place: Option<&SecretPlace>,
    account: Option<&Account>,
    decision: Decision<K::Status>,
    deadline: Timestamp,
) -> Result<(Option<K>, Reconciled), ReconcileError> {
    let Decision {
        add_finalizer,
        secret,
        status,
        call,
        remove_finalizer,
        events: mut notes,
        wake,
        outcome,
    } = decision;
    let uid = object.uid().unwrap_or_default();
    let mut current = object.clone();
    let mut wake = wake;
    // Before it is compared with the stored one, or what was cut would be written for ever.
    let status = K::fitted(status);

    ctx.permitted()?;
    if add_finalizer {
        current = store::add_finalizer(&ctx.client, &current).await?;
        note_write(ctx, &current);
    }
    let mut stands = place.map(|place| place.seen.clone()).unwrap_or_default();
    if let (Some(write), Some(place)) = (secret, place) {
        ctx.permitted()?;
        let written = write_secret(ctx, &current, place, write).await;
        let written = written.map_err(|error| match error {
            StoreError::Forbidden { message, .. } | StoreError::Refused { message, .. } => {
                ReconcileError::SecretRefused { message }
            }
            error => error.into(),
        })?;
        if written == Seen::Absent && call.is_some() {
            return Err(ReconcileError::SecretNotStored);
        }
        stands = written;
    }
    let former = current.current().cloned();
    if let Some(id) = K::remote_id(&status)
        && former.as_ref().and_then(K::remote_id) != Some(id)
        && !ctx.index.reserve(&current.key(), &uid, id)
    {
        return Err(ReconcileError::HeldElsewhere);
    }
    if let Some(intent) = call {
        let account = account.cloned().ok_or(ReconcileError::NoAccount)?;
        let errand = Errand {
            object: current,
            status,
            intent,
            account,
            deadline,
            secret: place.map(|place| place.name.clone()).zip(Some(stands)),
        };
        let (object, absorbed) = send(ctx, errand).await?;
        current = object;
        notes.extend(absorbed.events);
        wake = earlier(wake, absorbed.wake);
    } else if former.unwrap_or_default() != status {
        ctx.permitted()?;
        match write_status(ctx, &current, status).await {
            Ok(stored) => current = stored,
            // Nothing is left to write to: a finalizer that another process removed.
            Err(StoreError::Gone) => {
                events::publish(ctx, object, &notes).await;
                return Ok((None, finished()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if remove_finalizer {
        ctx.permitted()?;
        store::remove_finalizer(&ctx.client, &current).await?;
        tracing::info!(
            namespace = %current.namespace().unwrap_or_default(),
            name = %current.name_any(),
            // A terminating namespace takes no event: what stays, and under which id, is said here too.
            note = notes.last().map(|note| note.note.as_str()),
            "the finalizer is removed"
        );
    }
    events::publish(ctx, &current, &notes).await;
    let reconciled = Reconciled {
        wake: wake.map(|wait| Duration::try_from(wait).unwrap_or_default()),
        outcome,
    };
    Ok((Some(current), reconciled))
}

/// Replaces the status, which must be as it was read.
pub(super) async fn write_status<K: Managed>(
    ctx: &Context,
    object: &K,
    status: K::Status,
) -> Result<K, StoreError> {
    let stored = store::replace_status(&ctx.client, object, status).await?;
    note_write(ctx, &stored);
    ctx.observe.status_written(K::KIND);
    Ok(stored)
}

/// Gives how it stands then; `Absent`: a namespace that is being deleted did not take it.
async fn write_secret<K: Managed>(
    ctx: &Context,
    object: &K,
    place: &SecretPlace,
    write: SecretWrite,
) -> Result<Seen, StoreError> {
    let SecretPlace { owner, name, seen } = place;
    let version = match write {
        SecretWrite::Put { data, tie } => {
            let is_current = async || {
                let live =
                    store::get::<K>(&ctx.client, &owner.namespace, &object.name_any()).await?;
                let version = live.and_then(|live| live.resource_version());
                Ok(version == object.resource_version())
            };
            secrets::put(&ctx.client, owner, name, &data, tie, seen, is_current).await?
        }
        SecretWrite::Release => {
            secrets::release(&ctx.client, owner, name).await?;
            return Ok(Seen::Unread);
        }
        SecretWrite::Delete => {
            secrets::delete(&ctx.client, owner, name, seen).await?;
            return Ok(Seen::Absent);
        }
    };
    let written = version.clone().map_or(Seen::Absent, Seen::At);
    ctx.memory.wrote("Secret", &owner.namespace, name, version);
    Ok(written)
}

/// Says once of each content of a credentials Secret which of its keys are ignored.
pub async fn tell_ignored_keys<K: Managed>(ctx: &Context, object: &K, resolved: &Resolved) {
    let text = match &resolved.source {
        Source::Secret { .. } if !resolved.ignored.is_empty() => Some(resolved.ignored.join(" ")),
        Source::Secret { .. } | Source::Own => None,
    };
    let uid = object.uid().unwrap_or_default();
    let is_news = ctx.memory.is_news_of_ignored(&uid, text.as_deref());
    if let Some(text) = text.filter(|_| is_news) {
        let note = EventNote::warning("CredentialsKeysIgnored", text.clone(), text);
        events::publish(ctx, object, &[note]).await;
    }
}

/// What a finished resource comes to.
pub fn finished() -> Reconciled {
    Reconciled {
        wake: None,
        outcome: Outcome::Finished,
    }
}

/// The last moment at which a call that is decided now may be sent.
pub fn deadline(ctx: &Context) -> Timestamp {
    let now = ctx.clock.now();
    now.checked_add(signed(ctx.settings.request_timeout))
        .unwrap_or(now)
}

/// Remembers the version as our own: its echo in the watch needs no reconcile. An echo that was faster than
/// the answer will not come again.
pub(super) fn note_write<K: Managed>(ctx: &Context, object: &K) {
    let version = object.resource_version();
    if ctx.index.is_known_at(&object.key(), version) {
        return;
    }
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    ctx.memory.wrote(
        K::KIND.as_str(),
        &namespace,
        &name,
        object.resource_version(),
    );
}

fn earlier(one: Option<SignedDuration>, other: Option<SignedDuration>) -> Option<SignedDuration> {
    one.into_iter().chain(other).min()
}
