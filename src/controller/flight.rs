//! One changing call: its intent is stored, it is sent, its answer is stored.
//!
//! From the first to the last it is one flight, which neither the time limit of the reconcile nor a
//! shutdown cuts off. It knows nothing of why the call is made.

use jiff::Timestamp;
use kube::ResourceExt;

use super::context::Context;
use super::error::{ReconcileError, StoreError};
use super::execute::{note_write, write_status};
use super::index::Order;
use super::secrets::{self, Seen};
use super::store::{self, AnswerStored, Managed};
use super::watch::Indexed;
use crate::api::{Operation, OperationKind};
use crate::core::journal::Intent;
use crate::core::step::Absorbed;
use crate::dws::answer::{Answer, Failure, Meaning};
use crate::dws::call::Call;
use crate::observer::Account;

/// A changing call that is decided: its intent is not stored yet.
pub(super) struct Errand<K: Managed> {
    /// As it was read last.
    pub(super) object: K,
    /// With the intent.
    pub(super) status: K::Status,
    /// The call.
    pub(super) intent: Intent,
    /// To send it with.
    pub(super) account: Account,
    /// The last moment to send it.
    pub(super) deadline: Timestamp,
    /// Name of the connection Secret, and how it stands: it must still stand so when a password is sent.
    pub(super) secret: Option<(String, Seen)>,
}

/// Stores the intent, sends the call and stores its answer, apart from the reconcile where the context says
/// so: from the intent on, neither a time limit nor a shutdown comes between.
pub(super) async fn send<K: Indexed>(
    ctx: &Context,
    errand: Errand<K>,
) -> Result<(K, Absorbed<K::Status>), ReconcileError> {
    let uid = errand.object.uid().unwrap_or_default();
    let flight = fly(InFlight::begin(ctx.clone(), uid), errand);
    match &ctx.flights {
        Some(flights) => flights
            .tracker
            .spawn(flight)
            .await
            .unwrap_or(Err(ReconcileError::Lost)),
        None => flight.await,
    }
}

async fn fly<K: Indexed>(
    flight: InFlight,
    errand: Errand<K>,
) -> Result<(K, Absorbed<K::Status>), ReconcileError> {
    let InFlight { ctx, uid } = &flight;
    let Errand {
        object,
        status,
        intent,
        account,
        deadline,
        secret,
    } = errand;
    // Asked where a shutdown that comes later waits for this flight.
    if ctx.is_stopping() {
        return Err(ReconcileError::Stopping);
    }
    let object = write_status(ctx, &object, status).await?;
    // Before it is sent: who sees what it makes must know that somebody is making it.
    ctx.wake_all(&object.index(&ctx.index, Order::Stream));
    let intent = intent.stored(object.current().and_then(K::operation))?;
    let (operation, call) = intent.into_call();
    let answer = match fence(ctx, &object, &operation, secret).await {
        Ok(()) if ctx.permitted().is_ok() => account.execute(&call, deadline).await,
        Ok(()) => Answer::Refused(not_sent(
            "this process leads no more, and another may have taken over",
        )),
        Err(error) => Answer::Refused(not_sent(&format!(
            "the connection Secret could not be held on to ({error})"
        ))),
    };
    ctx.memory.call_ended(uid, &operation, ctx.clock.now());
    log_effect(ctx, &object, &operation, &call, &answer);
    let landed = land(ctx, object.clone(), &operation, &answer).await?;
    Ok((landed.object.unwrap_or(object), landed.absorbed))
}

/// A password is sent only while the connection Secret holds it: another process that planned before this
/// intent was stored may have written over it.
async fn fence<K: Managed>(
    ctx: &Context,
    object: &K,
    operation: &Operation,
    secret: Option<(String, Seen)>,
) -> Result<(), StoreError> {
    let bears_password = matches!(
        operation.kind,
        OperationKind::Create | OperationKind::ResetPassword
    );
    let Some((name, seen)) = secret.filter(|_| bears_password && ctx.permitted().is_ok()) else {
        return Ok(());
    };
    let Seen::At(version) = seen else {
        return Err(StoreError::Conflict);
    };
    let namespace = object.namespace().unwrap_or_default();
    let stored = secrets::fence(&ctx.client, &namespace, &name, &version, &operation.id).await?;
    ctx.memory.wrote("Secret", &namespace, &name, Some(stored));
    Ok(())
}

fn not_sent(why: &str) -> Failure {
    Failure {
        meaning: Meaning::Unavailable,
        http: None,
        code: None,
        message: format!("not sent: {why}"),
        field: None,
        advice: "Wait: the request is planned anew.",
        retry_after: None,
        sent: false,
    }
}

/// Marks a call as in flight for as long as it lives, a panic included.
struct InFlight {
    ctx: Context,
    uid: String,
}

impl InFlight {
    fn begin(ctx: Context, uid: String) -> Self {
        ctx.memory.call_begins(&uid);
        Self { ctx, uid }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.ctx.memory.call_over(&self.uid);
    }
}

/// What became of an answer.
pub(super) struct Landed<K: Managed> {
    pub(super) object: Option<K>,
    pub(super) absorbed: Absorbed<K::Status>,
}

/// Stores an answer, or keeps it in memory.
pub(super) async fn land<K: Managed>(
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
