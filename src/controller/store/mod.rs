//! Typed reads and writes of both kinds, each safe against a concurrent edit and a lost answer.
//!
//! Every write names what it was decided upon: the uid, the `resourceVersion`, or the operation's id and
//! attempt. Of what the statuses mean it knows only which fields of an answer must not be lost. One function
//! is one exchange (the storing of an answer excepted, which goes on until it is stored); retries belong to
//! the next reconcile.

mod diff;

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use k8s_openapi::NamespaceResourceScope;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::StoreError;
use crate::api::cluster_status::DwsClusterStatus;
use crate::api::names::FINALIZER;
use crate::api::{DwsCluster, DwsSnapshot, DwsSnapshotStatus, Operation, OperationPhase};
use crate::core::step::Absorbed;
use crate::core::{cluster, snapshot};
use crate::dws::answer::Answer;
use crate::dws::clock::Clock;
use crate::observer::{Kind, ResourceKey};

pub use diff::{Change, status_diff};

/// Longest wait for one answer of the API server (kube sets none for reads and writes).
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How often the storing of an answer is tried before it is left to the next reconcile.
const STORE_ATTEMPTS: usize = 8;
/// What must be kept of an answer when the API server refuses the whole of it.
const ESSENTIAL: [&str; 6] = [
    "clusterId",
    "snapshotId",
    "operation",
    "finalSnapshot",
    "handled",
    "settledNodeCount",
];

/// One of the two kinds, as the controller handles it.
pub trait Managed:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// Its status.
    type Status: Clone + Debug + Default + PartialEq + Serialize + Send + Sync + 'static;
    /// Which kind.
    const KIND: Kind;

    /// The stored status.
    fn current(&self) -> Option<&Self::Status>;
    /// The same object with this status.
    #[must_use]
    fn with_status(&self, status: Self::Status) -> Self;
    /// The status within the schema's limits: an overlong answer of the service must not keep an id from
    /// being stored.
    fn fitted(status: Self::Status) -> Self::Status;
    /// The journal in a status.
    fn operation(status: &Self::Status) -> Option<&Operation>;
    /// Id of the remote object that a status holds.
    fn remote_id(status: &Self::Status) -> Option<&str>;
    /// The status with an answer in it.
    fn absorb(
        status: &Self::Status,
        generation: i64,
        operation: &Operation,
        answer: &Answer,
        now: jiff::Timestamp,
    ) -> Absorbed<Self::Status>;

    /// Its key.
    fn key(&self) -> ResourceKey {
        ResourceKey {
            kind: Self::KIND,
            namespace: self.namespace().unwrap_or_default(),
            name: self.name_any(),
        }
    }
}

impl Managed for DwsCluster {
    type Status = DwsClusterStatus;
    const KIND: Kind = Kind::Cluster;

    fn current(&self) -> Option<&Self::Status> {
        self.status.as_ref()
    }
    fn with_status(&self, status: Self::Status) -> Self {
        let mut object = self.clone();
        object.status = Some(status);
        object
    }
    fn fitted(status: Self::Status) -> Self::Status {
        status.fitted()
    }
    fn operation(status: &Self::Status) -> Option<&Operation> {
        status.operation.as_ref()
    }
    fn remote_id(status: &Self::Status) -> Option<&str> {
        status.cluster_id.as_deref()
    }
    fn absorb(
        status: &Self::Status,
        generation: i64,
        operation: &Operation,
        answer: &Answer,
        now: jiff::Timestamp,
    ) -> Absorbed<Self::Status> {
        cluster::absorb(status, generation, operation, answer, now)
    }
}

impl Managed for DwsSnapshot {
    type Status = DwsSnapshotStatus;
    const KIND: Kind = Kind::Snapshot;

    fn current(&self) -> Option<&Self::Status> {
        self.status.as_ref()
    }
    fn with_status(&self, status: Self::Status) -> Self {
        let mut object = self.clone();
        object.status = Some(status);
        object
    }
    fn fitted(status: Self::Status) -> Self::Status {
        status.fitted()
    }
    fn operation(status: &Self::Status) -> Option<&Operation> {
        status.operation.as_ref()
    }
    fn remote_id(status: &Self::Status) -> Option<&str> {
        status.snapshot_id.as_deref()
    }
    fn absorb(
        status: &Self::Status,
        generation: i64,
        operation: &Operation,
        answer: &Answer,
        now: jiff::Timestamp,
    ) -> Absorbed<Self::Status> {
        snapshot::absorb(status, generation, operation, answer, now)
    }
}

/// Waits for an answer of the API server, within the limit.
///
/// # Errors
/// [`StoreError`], `Unavailable` past the limit.
pub async fn limited<T>(
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER_LIMIT, request).await {
        Ok(answer) => answer.map_err(StoreError::from),
        Err(_) => Err(StoreError::Unavailable {
            message: format!("no answer within {} s", ANSWER_LIMIT.as_secs()),
        }),
    }
}

/// `None` where the object is not there.
///
/// # Errors
/// Every other failure.
pub fn optional<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(object) => Ok(Some(object)),
        Err(StoreError::Gone) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads one object live, from etcd's quorum and no cache.
///
/// # Errors
/// [`StoreError`]; an object that is not there is `None`.
pub async fn get<K: Managed>(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<K>, StoreError> {
    let api = Api::<K>::namespaced(client.clone(), namespace);
    optional(limited(api.get(name)).await)
}

/// Adds the finalizer, unless the object changed since it was read. Gives the object as it is then.
///
/// # Errors
/// `Conflict` when it changed, `Gone` when it went.
pub async fn add_finalizer<K: Managed>(client: &Client, object: &K) -> Result<K, StoreError> {
    if object.finalizers().iter().any(|found| found == FINALIZER) {
        return Ok(object.clone());
    }
    let add = if object.finalizers().is_empty() {
        json!({"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]})
    } else {
        json!({"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER})
    };
    let operations = vec![
        json!({"op": "test", "path": "/metadata/uid", "value": object.uid()}),
        json!({"op": "test", "path": "/metadata/resourceVersion", "value": object.resource_version()}),
        add,
    ];
    let api = api_of(client, object);
    let patched = limited(api.patch(&object.name_any(), &parameters(), &patch(operations)?)).await;
    match patched {
        // A JSON Patch whose test fails is answered with 422.
        Err(StoreError::Refused { code: 422, .. }) => Err(StoreError::Conflict),
        other => other,
    }
}

/// Removes the finalizer and nothing else, whatever else was edited meanwhile.
///
/// # Errors
/// `Conflict` when the list of finalizers keeps changing.
pub async fn remove_finalizer<K: Managed>(client: &Client, object: &K) -> Result<(), StoreError> {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let api = api_of(client, object);
    let mut current = object.clone();
    for _ in 0..3 {
        let Some(place) = current.finalizers().iter().position(|f| f == FINALIZER) else {
            return Ok(());
        };
        let path = format!("/metadata/finalizers/{place}");
        let operations = vec![
            json!({"op": "test", "path": "/metadata/uid", "value": object.uid()}),
            json!({"op": "test", "path": path, "value": FINALIZER}),
            json!({"op": "remove", "path": path}),
        ];
        match limited(api.patch(&name, &parameters(), &patch(operations)?)).await {
            Ok(_) | Err(StoreError::Gone) => return Ok(()),
            Err(StoreError::Refused { code: 422, .. } | StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        match get::<K>(client, &namespace, &name).await? {
            Some(found) if found.uid() == object.uid() => current = found,
            _ => return Ok(()),
        }
    }
    Err(StoreError::Conflict)
}

/// Stores a status by compare-and-swap on the object's `resourceVersion`.
///
/// Where the answer is lost, or a proxy repeated the request into a conflict, the object is read again:
/// it is ours if it bears the operation that was to be stored. That is believed of a first attempt only,
/// whose id nobody else can have drawn; the next attempt of a known operation could be another process's.
///
/// # Errors
/// `Conflict` when the object changed since it was read: nothing was stored.
pub async fn replace_status<K: Managed>(
    client: &Client,
    object: &K,
    status: K::Status,
) -> Result<K, StoreError> {
    let intended = K::operation(&status).cloned();
    let known = object
        .current()
        .and_then(K::operation)
        .map(|o| o.id.clone());
    let mut wanted = object.with_status(status);
    // Sent back, they would only be compared.
    wanted.meta_mut().managed_fields = None;
    let api = api_of(client, object);
    let name = object.name_any();
    let error = match limited(api.replace_status(&name, &PostParams::default(), &wanted)).await {
        Ok(stored) => return Ok(stored),
        Err(error @ (StoreError::Conflict | StoreError::Unavailable { .. })) => error,
        Err(error) => return Err(error),
    };
    let Some(intended) = intended.filter(|o| o.attempt == 1 && known.as_ref() != Some(&o.id))
    else {
        return Err(error);
    };
    let namespace = object.namespace().unwrap_or_default();
    match get::<K>(client, &namespace, &name).await {
        Ok(Some(found))
            if found.uid() == object.uid()
                && found.current().and_then(K::operation) == Some(&intended) =>
        {
            tracing::info!(operation = %intended.id, "the intent was stored though its answer was lost");
            Ok(found)
        }
        _ => Err(error),
    }
}

/// What became of an answer.
#[derive(Debug)]
pub enum AnswerStored<K: Managed> {
    /// It is in the status.
    Stored(Box<K>, Absorbed<K::Status>),
    /// The object went, or its journal is at another operation or attempt: the answer has no place.
    Superseded(Absorbed<K::Status>),
}

/// Stores the answer to a call, whatever else is edited meanwhile: a JSON Patch of the top-level status
/// fields that change, with a test on the operation's id and attempt.
///
/// # Errors
/// The last failure, after [`STORE_ATTEMPTS`]: the caller keeps the answer and tries again later.
pub async fn store_answer<K: Managed>(
    client: &Client,
    clock: &dyn Clock,
    object: K,
    operation: &Operation,
    answer: &Answer,
) -> Result<AnswerStored<K>, StoreError> {
    let absorb = |status: &K::Status, generation| {
        let absorbed = K::absorb(status, generation, operation, answer, clock.now());
        Absorbed {
            status: K::fitted(absorbed.status),
            ..absorbed
        }
    };
    store_absorbed(client, object, operation, absorb).await
}

/// See [`store_answer`]; `absorb` puts the answer into a status, given the object's generation.
async fn store_absorbed<K: Managed>(
    client: &Client,
    object: K,
    operation: &Operation,
    absorb: impl Fn(&K::Status, i64) -> Absorbed<K::Status>,
) -> Result<AnswerStored<K>, StoreError> {
    let (namespace, name, uid) = (
        object.namespace().unwrap_or_default(),
        object.name_any(),
        object.uid(),
    );
    let api = api_of(client, &object);
    let mut pauses = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(STORE_ATTEMPTS)
        .build();
    let mut current = object;
    let mut essential_only = false;
    loop {
        let old = current.current().cloned().unwrap_or_default();
        let generation = current.meta().generation.unwrap_or_default();
        let absorbed = absorb(&old, generation);
        if !same_attempt::<K>(&old, operation) || current.uid() != uid {
            return Ok(AnswerStored::Superseded(absorbed));
        }
        if K::operation(&old).is_some_and(|o| o.phase == OperationPhase::Accepted) {
            // A former try was carried out and its answer was lost.
            return Ok(AnswerStored::Stored(Box::new(current), absorbed));
        }
        let mut changes = status_diff(&to_value(&old)?, &to_value(&absorbed.status)?);
        if essential_only {
            changes.retain(|change| ESSENTIAL.contains(&change.key.as_str()));
        }
        if changes.is_empty() {
            return Ok(AnswerStored::Stored(Box::new(current), absorbed));
        }
        let mut operations = vec![
            json!({"op": "test", "path": "/metadata/uid", "value": uid}),
            json!({"op": "test", "path": "/status/operation/id", "value": operation.id}),
            json!({"op": "test", "path": "/status/operation/attempt", "value": operation.attempt}),
        ];
        operations.extend(changes.into_iter().map(|change| change.operation));
        let (parameters, patch) = (parameters(), patch(operations)?);
        let sent = limited(api.patch_status(&name, &parameters, &patch)).await;
        let (error, wait) = match sent {
            Ok(stored) => return Ok(AnswerStored::Stored(Box::new(stored), absorbed)),
            Err(StoreError::Gone) => return Ok(AnswerStored::Superseded(absorbed)),
            Err(error) => (error, pauses.next()),
        };
        let Some(wait) = wait else {
            return Err(error);
        };
        tokio::time::sleep(wait).await;
        let refused = matches!(error, StoreError::Refused { .. });
        match get::<K>(client, &namespace, &name).await {
            Ok(Some(found)) => {
                // The tests would have passed and yet it was refused: some field does not fit the
                // schema. An id must not be lost for that.
                essential_only |= refused
                    && found.resource_version() == current.resource_version()
                    && found
                        .current()
                        .is_some_and(|s| same_attempt::<K>(s, operation));
                current = found;
            }
            Ok(None) => return Ok(AnswerStored::Superseded(absorbed)),
            Err(_) => {}
        }
    }
}

/// The journal stands at this operation and attempt.
fn same_attempt<K: Managed>(status: &K::Status, operation: &Operation) -> bool {
    K::operation(status)
        .is_some_and(|found| found.id == operation.id && found.attempt == operation.attempt)
}

fn to_value(status: &impl Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(status).map_err(|error| StoreError::Refused {
        code: 0,
        message: format!("a status cannot be written as JSON: {error}"),
    })
}

fn api_of<K: Managed>(client: &Client, object: &K) -> Api<K> {
    Api::namespaced(client.clone(), &object.namespace().unwrap_or_default())
}

fn parameters() -> PatchParams {
    PatchParams::default()
}

fn patch(operations: Vec<Value>) -> Result<Patch<()>, StoreError> {
    serde_json::from_value(Value::Array(operations))
        .map(Patch::Json)
        .map_err(|error| StoreError::Refused {
            code: 0,
            message: format!("a JSON Patch cannot be built: {error}"),
        })
}

#[cfg(test)]
mod tests;
