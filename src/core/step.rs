//! What a plan asks for: one more read, or a decision.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use secrecy::SecretString;

use super::facts::Tie;
use super::journal::Intent;

/// One step of a reconcile. `S` is the status type of the kind.
#[derive(Debug)]
pub enum Step<S> {
    /// Read this and ask again.
    Read(Read),
    /// Do this; the reconcile is over with it.
    Act(Box<Decision<S>>),
}

/// Something that the plan needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// A complete list of clusters whose request goes out from now on.
    Clusters,
    /// The detail of this cluster.
    Cluster(String),
    /// A complete list of snapshots whose request goes out from now on.
    Snapshots,
    /// The detail of this snapshot.
    Snapshot(String),
    /// The connection Secret.
    ConnectionSecret,
    /// The Secret of `adminPasswordSecretRef`.
    PasswordSecret,
    /// The object of `restoreFrom.snapshotRef`.
    RestoreSnapshot,
    /// Whether the CRD is being deleted.
    CrdState,
}

/// What to do, in this order: finalizer, Secret, status (with the intent), call, status again, finalizer, events.
#[derive(Debug)]
pub struct Decision<S> {
    /// Add the finalizer first, if it is not there.
    pub add_finalizer: bool,
    /// Then write the connection Secret.
    pub secret: Option<SecretWrite>,
    /// Then store this status, if it differs from the stored one. With a `call` it holds the intent and
    /// is always stored, by compare-and-swap.
    pub status: S,
    /// Then send this, if the intent is stored.
    pub call: Option<Intent>,
    /// At last, remove the finalizer: the remote object is confirmed gone, or kept on purpose.
    pub remove_finalizer: bool,
    /// What happened, for `kubectl describe`.
    pub events: Vec<EventNote>,
    /// When to look again even if nothing is heard; `None`: when something changes.
    pub wake: Option<SignedDuration>,
    /// What this reconcile came to, for the metrics.
    pub outcome: Outcome,
}

/// What to do with the connection Secret.
#[derive(Debug)]
pub enum SecretWrite {
    /// Create or replace it: exactly this data, tied to the resource so.
    Put {
        /// All keys.
        data: BTreeMap<String, SecretString>,
        /// By what it is ours.
        tie: Tie,
    },
    /// Take away what makes it ours, and leave the rest: the cluster stays without the resource.
    Release,
    /// Delete it: it was to outlive the resource, and the cluster is gone.
    Delete,
}

/// What a reconcile came to: a closed set, so that it can label a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Everything is as written.
    InSync,
    /// A call was made.
    Acted,
    /// Something else must happen first.
    Waiting,
    /// A person must act.
    Stalled,
    /// The service or the credentials do not work just now.
    HeldBack,
    /// The resource is gone.
    Finished,
}

impl Outcome {
    /// The label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Acted => "acted",
            Self::Waiting => "waiting",
            Self::Stalled => "stalled",
            Self::HeldBack => "held_back",
            Self::Finished => "finished",
        }
    }
}

/// One thing that happened. Equal keys are one event with a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventNote {
    /// `Warning` instead of `Normal`.
    pub warning: bool,
    /// CamelCase, at most 128 characters.
    pub reason: &'static str,
    /// What to read, at most 1024 bytes.
    pub note: String,
    /// What tells this happening from another with the same reason (operation id, code): part of the event's name.
    pub key: String,
}

impl EventNote {
    /// Something that went as it should.
    pub fn normal(reason: &'static str, key: impl Into<String>, note: impl Into<String>) -> Self {
        Self {
            warning: false,
            reason,
            note: note.into(),
            key: key.into(),
        }
    }

    /// Something that a person should see.
    pub fn warning(reason: &'static str, key: impl Into<String>, note: impl Into<String>) -> Self {
        Self {
            warning: true,
            reason,
            note: note.into(),
            key: key.into(),
        }
    }
}

/// What the answer to a call changes, stored by a JSON Patch that tests the operation's id and attempt.
#[derive(Debug)]
pub struct Absorbed<S> {
    /// The status with the answer in it.
    pub status: S,
    /// What happened.
    pub events: Vec<EventNote>,
    /// When to look again.
    pub wake: Option<SignedDuration>,
}
