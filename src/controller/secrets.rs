//! Secrets: the ones that a resource refers to are read, the connection Secret is written.
//!
//! Contents live in `SecretString` from the moment they are decoded. Requests go out as text and are
//! decoded here, because kube's typed calls log a body that they cannot decode. Only a Secret that is ours
//! ([`tie`]) is ever written.

pub mod tie;

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, GetParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::Request;
use kube::{Client, Resource, ResourceExt};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use zeroize::Zeroize;

use super::error::StoreError;
use super::store::{limited, optional};
use crate::api::names;
use crate::core::facts::{ConnectionSecret, PasswordSecret, Tie};

pub use tie::Owner;

/// The type that `servicebinding.io` gives a `PostgreSQL` binding. A Secret's type can never be changed.
const TYPE: &str = "servicebinding.io/postgresql";
/// The key of a password that is not in force yet.
const PENDING: &str = "pending-password";

/// A Secret's text values. Values that are not UTF-8 are left out.
pub type Data = BTreeMap<String, SecretString>;

/// Reads a Secret.
///
/// # Errors
/// [`StoreError`]; one that is not there is `None`.
pub async fn get(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<Secret>, StoreError> {
    let request = Request::new(Secret::url_path(&(), Some(namespace)))
        .get(name, &GetParams::default())
        .map_err(unsendable)?;
    optional(exchange(client, request).await)
}

/// What a password reference leads to.
pub fn password(secret: Option<Secret>, key: &str) -> PasswordSecret {
    let Some(secret) = secret else {
        return PasswordSecret::NoSecret;
    };
    let (uid, version) = (secret.uid(), secret.resource_version());
    match (decoded(secret).remove(key), uid, version) {
        (Some(password), Some(uid), Some(resource_version)) => PasswordSecret::Value {
            password,
            uid,
            resource_version,
        },
        _ => PasswordSecret::NoKey,
    }
}

/// What a reconcile saw of the connection Secret when it planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seen {
    /// Nobody looked.
    #[default]
    Unread,
    /// It was not there.
    Absent,
    /// It stood at this `resourceVersion`.
    At(String),
}

impl Seen {
    /// What a read found.
    pub fn of(found: Option<&Secret>) -> Self {
        found.map_or(Self::Absent, |secret| {
            Self::At(secret.resource_version().unwrap_or_default())
        })
    }
}

/// Whose the Secret of the connection Secret's name is.
pub fn connection(secret: Option<Secret>, owner: &Owner) -> ConnectionSecret {
    let Some(secret) = secret else {
        return ConnectionSecret::Absent;
    };
    match tie::foreign(&secret, owner) {
        Some(text) => ConnectionSecret::Foreign(text),
        None => ConnectionSecret::Ours {
            tie: tie::of(&secret, owner),
            data: decoded(secret),
        },
    }
}

/// Makes the connection Secret, which was not there a moment ago. Gives its version, or `None` where a
/// namespace that is being deleted forbids it.
///
/// # Errors
/// `Conflict` when somebody made one meanwhile.
pub async fn create(
    client: &Client,
    owner: &Owner,
    name: &str,
    data: &Data,
    tied: Tie,
) -> Result<Option<String>, StoreError> {
    let mut secret = Secret {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(owner.namespace.clone()),
            ..ObjectMeta::default()
        },
        type_: Some(TYPE.to_owned()),
        ..Secret::default()
    };
    tie::apply(&mut secret, owner, tied);
    secret.data = Some(encoded(data));
    let request = Request::new(Secret::url_path(&(), Some(&owner.namespace)))
        .create(&PostParams::default(), body(secret)?)
        .map_err(unsendable)?;
    match exchange(client, request).await {
        Ok(made) => Ok(made.resource_version()),
        Err(StoreError::Forbidden {
            terminating: true, ..
        }) => Ok(None),
        Err(StoreError::Exists) => Err(StoreError::Conflict),
        Err(error) => Err(error),
    }
}

/// Writes the connection Secret: exactly this data, over what the plan saw and nothing later. Gives its
/// new version, or `None` where a namespace that is being deleted forbids the creation. `is_current` is
/// asked before a pending password of somebody is dropped: another process may be about to send it.
///
/// # Errors
/// `Conflict` when it was changed, made or taken by somebody else meanwhile.
pub async fn put(
    client: &Client,
    owner: &Owner,
    name: &str,
    data: &Data,
    tied: Tie,
    seen: &Seen,
    is_current: impl AsyncFnOnce() -> Result<bool, StoreError>,
) -> Result<Option<String>, StoreError> {
    if *seen == Seen::Absent {
        return create(client, owner, name, data, tied).await;
    }
    let Some(found) = get(client, &owner.namespace, name).await? else {
        if let Seen::At(_) = seen {
            return Err(StoreError::Conflict);
        }
        return create(client, owner, name, data, tied).await;
    };
    if *seen != Seen::Unread && Seen::of(Some(&found)) != *seen {
        return Err(StoreError::Conflict);
    }
    if drops_pending(&found, data) && !is_current().await? {
        return Err(StoreError::Conflict);
    }
    if tie::foreign(&found, owner).is_some() {
        // It came between the plan's look and now; the next plan reports it.
        return Err(StoreError::Conflict);
    }
    let tied_so = tie::of(&found, owner) == Some(tied);
    let version = found.resource_version();
    let mut wanted = found;
    let same = same_data(wanted.data.as_ref(), data);
    if same && tied_so {
        return Ok(version);
    }
    tie::apply(&mut wanted, owner, tied);
    if let Some(mut former) = wanted.data.replace(encoded(data)) {
        for value in former.values_mut() {
            value.0.zeroize();
        }
    }
    let path = Secret::url_path(&(), Some(&owner.namespace));
    replace(client, &path, name, wanted).await.map(Some)
}

/// The Secret holds a pending password that is not in this data.
fn drops_pending(found: &Secret, data: &Data) -> bool {
    let stands = found.data.as_ref().and_then(|found| found.get(PENDING));
    let stays = data
        .get(PENDING)
        .map(|text| text.expose_secret().as_bytes());
    stands.is_some_and(|value| stays != Some(&value.0))
}

/// Marks the connection Secret with the operation whose password it holds, if it stands at this version. An
/// intent is stored by now: whoever planned before that, and would still drop the password, is at an earlier
/// version of the Secret from here on.
///
/// # Errors
/// `Conflict` when it was changed meanwhile: the password may be gone from it, and must not be set.
pub async fn fence(
    client: &Client,
    namespace: &str,
    name: &str,
    version: &str,
    operation: &str,
) -> Result<String, StoreError> {
    // With a version in it, a merge patch is a compare-and-swap.
    let mark = Patch::Merge(json!({"metadata": {
        "resourceVersion": version, "annotations": {names::OPERATION: operation},
    }}));
    let request = Request::new(Secret::url_path(&(), Some(namespace)))
        .patch(name, &PatchParams::default(), &mark)
        .map_err(unsendable)?;
    let marked = exchange(client, request).await?;
    Ok(marked.resource_version().unwrap_or_default())
}

/// Takes what ties it to the resource away and leaves the rest.
///
/// # Errors
/// `Conflict` when it was changed meanwhile.
pub async fn release(
    client: &Client,
    owner: &Owner,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let Some(mut secret) = get(client, &owner.namespace, name).await? else {
        return Ok(None);
    };
    if !tie::release(&mut secret, owner) {
        return Ok(secret.resource_version());
    }
    let path = Secret::url_path(&(), Some(&owner.namespace));
    optional(replace(client, &path, name, secret).await)
}

/// Deletes the connection Secret, as the plan saw it and nothing later.
///
/// # Errors
/// `Conflict` when it was changed, or taken by somebody else, meanwhile.
pub async fn delete(
    client: &Client,
    owner: &Owner,
    name: &str,
    seen: &Seen,
) -> Result<(), StoreError> {
    let Some(found) = get(client, &owner.namespace, name).await? else {
        return Ok(());
    };
    let is_seen = *seen == Seen::Unread || Seen::of(Some(&found)) == *seen;
    if !is_seen || tie::foreign(&found, owner).is_some() {
        return Err(StoreError::Conflict);
    }
    let parameters = DeleteParams::default().preconditions(Preconditions {
        uid: found.uid(),
        resource_version: found.resource_version(),
    });
    let request = Request::new(Secret::url_path(&(), Some(&owner.namespace)))
        .delete(name, &parameters)
        .map_err(unsendable)?;
    // The answer is a status, or the Secret once more.
    let deleted = optional(limited(client.request_text(request)).await)?;
    if let Some(mut text) = deleted {
        text.zeroize();
    }
    Ok(())
}

/// A Secret's text values; the bytes are wiped.
pub fn decoded(secret: Secret) -> Data {
    let mut data = Data::new();
    for (key, mut value) in secret.data.unwrap_or_default() {
        if let Ok(text) = std::str::from_utf8(&value.0) {
            data.insert(key, SecretString::from(text));
        }
        value.0.zeroize();
    }
    data
}

fn encoded(data: &Data) -> BTreeMap<String, ByteString> {
    let bytes = |value: &SecretString| ByteString(value.expose_secret().as_bytes().to_vec());
    data.iter()
        .map(|(key, value)| (key.clone(), bytes(value)))
        .collect()
}

fn same_data(found: Option<&BTreeMap<String, ByteString>>, wanted: &Data) -> bool {
    found.map_or(0, BTreeMap::len) == wanted.len()
        && found.into_iter().flatten().all(|(key, value)| {
            wanted
                .get(key)
                .is_some_and(|text| text.expose_secret().as_bytes() == value.0)
        })
}

async fn replace(
    client: &Client,
    path: &str,
    name: &str,
    mut secret: Secret,
) -> Result<String, StoreError> {
    secret.metadata.managed_fields = None;
    let request = Request::new(path)
        .replace(name, &PostParams::default(), body(secret)?)
        .map_err(unsendable)?;
    let stored = exchange(client, request).await?;
    Ok(stored.resource_version().unwrap_or_default())
}

fn body(mut secret: Secret) -> Result<Vec<u8>, StoreError> {
    let body = serde_json::to_vec(&secret).map_err(|_| StoreError::Refused {
        code: 0,
        message: "a Secret cannot be written as JSON".to_owned(),
    });
    for value in secret.data.iter_mut().flat_map(BTreeMap::values_mut) {
        value.0.zeroize();
    }
    body
}

async fn exchange(client: &Client, request: http::Request<Vec<u8>>) -> Result<Secret, StoreError> {
    let mut text = limited(client.request_text(request)).await?;
    let decoded = serde_json::from_str(&text).map_err(|_| StoreError::Unavailable {
        message: "a Secret could not be decoded".to_owned(),
    });
    text.zeroize();
    decoded
}

#[allow(clippy::needless_pass_by_value)] // for map_err
fn unsendable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Refused {
        code: 0,
        message: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
