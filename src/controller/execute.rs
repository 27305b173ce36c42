//! A decision is carried out: finalizer, Secret, status with the intent, call, answer, finalizer, events.
//!
//! The order is the protocol. Nothing is sent whose intent the API server did not confirm; an answer is
//! stored by whoever made the call, even if the reconcile that asked for it was cut off.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use super::context::{Context, Reconciled, signed};
use super::error::{ReconcileError, StoreError};
use super::events;
use super::secrets::{self, Owner};
use super::store::{self, AnswerStored, Managed};
use crate::api::Operation;
use crate::core::journal::StoredIntent;
use crate::core::step::{Absorbed, Decision, EventNote, Outcome, SecretWrite};
use crate::dws::answer::Answer;
use crate::dws::call::Call;
use crate::observer::{Account, Source};

/// How soon to come again while a call of this resource is still in flight.
const IN_FLIGHT: Duration = Duration::from_secs(1);

/// The connection Secret of a resource, for kinds that have one.
pub struct SecretPlace {
    /// Whose it is.
    pub owner: Owner,
    /// Its name.
    pub name: String,
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
    let Some((operation, answer)) = ctx.memory.take_unstored(&uid) else {
        return Ok(Settled::Now(object));
    };
    let landed = land(ctx, object.clone(), &operation, &answer).await?;
    events::publish(ctx, &object, &landed.absorbed.events).await;
    Ok(Settled::Now(landed.object.unwrap_or(object)))
}

/// Carries a decision out. `deadline`, fixed before anything was written, is the last moment to send.
///
/// # Errors
/// [`ReconcileError`]: what was not reached is planned again.
pub async fn act<K: Managed>(
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

    if add_finalizer {
        current = store::add_finalizer(&ctx.client, &current).await?;
        note_write(ctx, &current);
    }
    if let (Some(write), Some(place)) = (secret, place) {
        let written = write_secret(ctx, place, write).await?;
        if !written && call.is_some() {
            return Err(ReconcileError::SecretNotStored);
        }
    }
    let former = current.current().cloned();
    if let Some(id) = K::remote_id(&status)
        && former.as_ref().and_then(K::remote_id) != Some(id)
        && !ctx.index.reserve(&current.key(), &uid, id)
    {
        return Err(ReconcileError::HeldElsewhere);
    }
    if call.is_some() || former.unwrap_or_default() != status {
        match store::replace_status(&ctx.client, &current, status).await {
            Ok(stored) => current = stored,
            // Nothing is left to write to: a finalizer that another process removed.
            Err(StoreError::Gone) if call.is_none() => {
                events::publish(ctx, object, &notes).await;
                return Ok((None, finished()));
            }
            Err(error) => return Err(error.into()),
        }
        note_write(ctx, &current);
        ctx.observe.status_written(K::KIND);
    }
    if let Some(intent) = call {
        let stored = intent.stored(current.current().and_then(K::operation))?;
        let account = account.cloned().ok_or(ReconcileError::NoAccount)?;
        let landed = send(ctx, current.clone(), account, stored, deadline).await?;
        notes.extend(landed.absorbed.events);
        wake = earlier(wake, landed.absorbed.wake);
        current = landed.object.unwrap_or(current);
    }
    if remove_finalizer {
        store::remove_finalizer(&ctx.client, &current).await?;
        tracing::info!(
            namespace = %current.namespace().unwrap_or_default(),
            name = %current.name_any(),
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

/// Sends the call and stores its answer, apart from the reconcile where the context says so.
async fn send<K: Managed>(
    ctx: &Context,
    object: K,
    account: Account,
    intent: StoredIntent,
    deadline: Timestamp,
) -> Result<Landed<K>, ReconcileError> {
    let flight = fly(ctx.clone(), object, account, intent, deadline);
    match &ctx.flights {
        Some(tracker) => tracker
            .spawn(flight)
            .await
            .unwrap_or(Err(ReconcileError::Lost)),
        None => flight.await,
    }
}

async fn fly<K: Managed>(
    ctx: Context,
    object: K,
    account: Account,
    intent: StoredIntent,
    deadline: Timestamp,
) -> Result<Landed<K>, ReconcileError> {
    let uid = object.uid().unwrap_or_default();
    let (operation, call) = intent.into_call();
    let flight = InFlight::begin(&ctx, &uid);
    let answer = account.execute(&call, deadline).await;
    ctx.memory.call_ended(&uid, &operation, ctx.clock.now());
    log_effect(&ctx, &object, &operation, &call, &answer);
    let landed = land(&ctx, object, &operation, &answer).await;
    drop(flight);
    landed
}

/// Marks a call as in flight for as long as it lives, a panic included.
struct InFlight<'a> {
    ctx: &'a Context,
    uid: &'a str,
}

impl<'a> InFlight<'a> {
    fn begin(ctx: &'a Context, uid: &'a str) -> Self {
        ctx.memory.call_begins(uid);
        Self { ctx, uid }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.ctx.memory.call_over(self.uid);
    }
}

/// What became of an answer.
struct Landed<K: Managed> {
    object: Option<K>,
    absorbed: Absorbed<K::Status>,
}

async fn land<K: Managed>(
    ctx: &Context,
    object: K,
    operation: &Operation,
    answer: &Answer,
) -> Result<Landed<K>, ReconcileError> {
    let uid = object.uid().unwrap_or_default();
    let key = object.key();
    let stored =
        store::store_answer(&ctx.client, ctx.clock.as_ref(), object, operation, answer).await;
    match stored {
        Ok(AnswerStored::Stored(object, absorbed)) => {
            note_write(ctx, object.as_ref());
            ctx.observe.status_written(K::KIND);
            Ok(Landed {
                object: Some(*object),
                absorbed,
            })
        }
        Ok(AnswerStored::Superseded(absorbed)) => {
            tracing::warn!(
                operation = %operation.id, attempt = operation.attempt, kind = ?operation.kind,
                namespace = %key.namespace, name = %key.name, answer = result_of(answer), id = id_of(answer),
                "the journal is at another operation: this answer has no place in it"
            );
            Ok(Landed {
                object: None,
                absorbed,
            })
        }
        Err(error) => {
            tracing::warn!(
                operation = %operation.id, attempt = operation.attempt,
                namespace = %key.namespace, name = %key.name, answer = result_of(answer), id = id_of(answer), %error,
                "the answer could not be stored; the next reconcile tries again"
            );
            ctx.memory
                .keep_answer(&uid, operation.clone(), answer.clone());
            Err(error.into())
        }
    }
}

fn log_effect<K: Managed>(
    ctx: &Context,
    object: &K,
    operation: &Operation,
    call: &Call,
    answer: &Answer,
) {
    ctx.observe.called(operation.kind, result_of(answer));
    let failure = match answer {
        Answer::Accepted { .. } => None,
        Answer::Refused(failure) | Answer::Ambiguous(failure) => Some(failure),
    };
    tracing::info!(
        operation = %operation.id,
        attempt = operation.attempt,
        kind = ?operation.kind,
        namespace = %object.namespace().unwrap_or_default(),
        name = %object.name_any(),
        target = target_of(call),
        result = result_of(answer),
        id = id_of(answer),
        code = failure.and_then(|f| f.code.as_deref()),
        message = failure.map(|f| f.message.as_str()),
        "changing call"
    );
}

/// The closed set of results.
fn result_of(answer: &Answer) -> &'static str {
    match answer {
        Answer::Accepted { .. } => "accepted",
        Answer::Refused(_) => "refused",
        Answer::Ambiguous(_) => "ambiguous",
    }
}

fn id_of(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Accepted { id, .. } => id.as_deref(),
        Answer::Refused(_) | Answer::Ambiguous(_) => None,
    }
}

/// What a call is about: a name or an id, and never its body.
fn target_of(call: &Call) -> &str {
    match call {
        Call::CreateCluster(create) => &create.name,
        Call::RestoreSnapshot { restore, .. } => &restore.name,
        Call::CreateSnapshot { name, .. } => name,
        Call::DeleteCluster { cluster_id, .. }
        | Call::RestartCluster { cluster_id }
        | Call::ResizeCluster { cluster_id, .. }
        | Call::ResetPassword { cluster_id, .. } => cluster_id,
        Call::DeleteSnapshot { snapshot_id } => snapshot_id,
    }
}

/// `false`: a namespace that is being deleted did not take it.
async fn write_secret(
    ctx: &Context,
    place: &SecretPlace,
    write: SecretWrite,
) -> Result<bool, StoreError> {
    let SecretPlace { owner, name } = place;
    let version = match write {
        SecretWrite::Put { data } => secrets::put(&ctx.client, owner, name, &data).await?,
        SecretWrite::Release => {
            secrets::release(&ctx.client, owner, name).await?;
            return Ok(true);
        }
    };
    let written = version.is_some();
    ctx.memory.wrote("Secret", &owner.namespace, name, version);
    Ok(written)
}

/// Events about credentials whose endpoints and the like are ignored.
pub fn ignored_keys(source: &Source, ignored: &[String]) -> Option<EventNote> {
    let Source::Secret { name, .. } = source else {
        return None;
    };
    if ignored.is_empty() {
        return None;
    }
    let text = format!("In Secret {name}: {}", ignored.join("; "));
    Some(EventNote::warning(
        "CredentialsKeysIgnored",
        text.clone(),
        text,
    ))
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

/// Remembers the version as our own: its echo in the watch needs no reconcile.
fn note_write<K: Managed>(ctx: &Context, object: &K) {
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
