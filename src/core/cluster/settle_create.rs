//! A create or restore whose answer was lost: claim what fits, or wait the window out and send again.

use super::body;
use super::draft::{ClusterStep, Draft};
use crate::api::{Operation, OperationKind, OperationPhase};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::connection::{self, Passwords};
use crate::core::facts::{ClusterList, ConnectionSecret, KnownAccount};
use crate::core::failures;
use crate::core::journal::{self, Intent};
use crate::core::step::{EventNote, Outcome, Read, SecretWrite};

/// What a fresh complete list says about a lost create.
pub(super) enum Found {
    /// Ours: claim this id.
    Ours(String),
    /// The name is somebody else's: ours was not executed.
    Theirs(String),
    /// The name is free and the window is over: not executed, and it will not be.
    Free,
    /// Too early to tell.
    Early,
}

/// Judges the list; it must have been requested in this reconcile.
pub(super) fn look(draft: &Draft<'_>, operation: &Operation, list: &ClusterList) -> Found {
    let name = operation
        .target
        .name
        .as_deref()
        .unwrap_or_else(|| draft.cluster_name());
    let named = list.named(name);
    let ours = named.iter().find(|cluster| {
        body::fits(draft, operation, cluster)
            && !draft.facts.held_elsewhere.contains_key(&cluster.id)
    });
    match ours.or(named.first()) {
        Some(cluster) if ours.is_some() => Found::Ours(cluster.id.clone()),
        Some(cluster) => Found::Theirs(cluster.id.clone()),
        None if draft.after_window(list.requested_at) => Found::Free,
        None => Found::Early,
    }
}

pub(super) fn plan(
    mut draft: Draft<'_>,
    account: &KnownAccount,
    operation: &Operation,
) -> ClusterStep {
    let list = match &draft.facts.fresh_list {
        None => return Draft::read(Read::Clusters),
        Some(Err(failure)) => return draft.hold_back(failures::held_back(failure)),
        Some(Ok(list)) => list.clone(),
    };
    let doing = if operation.kind == OperationKind::Restore {
        "Restoring"
    } else {
        "Creating"
    };
    match look(&draft, operation, &list) {
        Found::Ours(id) => {
            claim(&mut draft, &id);
            let says = Says::new(
                doing,
                format!("Cluster {id} is the one that the lost request made."),
            );
            let wake = Some(draft.facts.settings.active_interval);
            draft.end(
                &Verdict::working(Ready::No(says.clone()), says),
                wake,
                Outcome::Waiting,
            )
        }
        Found::Theirs(id) => {
            let message = format!(
                "The answer to the create was lost, and the name {} now belongs to cluster {id}, which is not what \
                 this manifest asked for. Choose another spec.clusterName, or adopt it with spec.clusterId.",
                draft.cluster_name()
            );
            draft.status.operation = None;
            draft.fail(operation.kind, "NameConflict", None, message.clone());
            draft.events.push(EventNote::warning(
                "NameConflict",
                operation.id.clone(),
                message.clone(),
            ));
            draft.stall(
                Ready::No(Says::new("NameConflict", message.clone())),
                "NameConflict",
                message,
            )
        }
        Found::Free if draft.hands_off() => {
            let says = Says::new(
                "Paused",
                "The lost request is not sent again while the resource is paused or only observed.",
            );
            draft.end(
                &Verdict::out_of_sync(Ready::No(says.clone()), says),
                None,
                Outcome::Waiting,
            )
        }
        Found::Free if draft.facts.namespace_terminating => super::begin::namespace_goes(draft),
        Found::Free => renew(draft, account, operation, doing),
        Found::Early => {
            journal::doubt(&mut draft.status.operation);
            let says = Says::new(
                doing,
                "The answer to the request was lost. Until the ambiguity window is over nothing is sent again; a \
                 cluster that appears under the name is claimed.",
            );
            let wake = Some(draft.facts.settings.active_interval);
            draft.end(
                &Verdict::working(Ready::No(says.clone()), says),
                wake,
                Outcome::Waiting,
            )
        }
    }
}

/// Takes the id into the status: from now on the cluster is known by it.
pub(super) fn claim(draft: &mut Draft<'_>, id: &str) {
    draft.status.cluster_id = Some(id.to_owned());
    draft.status.adopted = Some(false);
    if let Some(open) = &mut draft.status.operation {
        open.phase = OperationPhase::Accepted;
        let note = format!("Cluster {id} appeared after a lost answer and is claimed.");
        draft
            .events
            .push(EventNote::normal("Claimed", open.id.clone(), note));
    }
}

/// The same request once more, under a renewed intent.
fn renew(
    mut draft: Draft<'_>,
    account: &KnownAccount,
    operation: &Operation,
    doing: &'static str,
) -> ClusterStep {
    let call = if operation.kind == OperationKind::Restore {
        body::restore(
            &draft,
            operation.target.snapshot_id.as_deref().unwrap_or_default(),
        )
    } else {
        let held = match &draft.facts.connection_secret {
            None => return Draft::read(Read::ConnectionSecret),
            Some(ConnectionSecret::Foreign(whose)) => {
                let says = Says::new("SecretConflict", "No cluster was made.");
                return super::secret::conflict(draft, whose, Ready::No(says));
            }
            Some(ConnectionSecret::Ours { data, .. }) => Passwords::of(data),
            Some(ConnectionSecret::Absent) => Passwords::default(),
        };
        // The former attempt is known dead, so a Secret that was deleted meanwhile may get a new password.
        let pending = held.pending.unwrap_or_else(|| {
            let fresh = draft.facts.fresh.password.clone();
            let passwords = Passwords {
                pending: Some(fresh.clone()),
                ..Passwords::default()
            };
            let data = connection::render(None, draft.admin_user(), &passwords);
            draft.secret = Some(SecretWrite::Put { data });
            fresh
        });
        let count = operation
            .target
            .node_count
            .or(draft.facts.object.spec.node_count)
            .unwrap_or_default();
        body::create(&draft, count, pending)
    };
    draft.status.account = Some(account.account.clone());
    let says = Says::new(
        doing,
        format!(
            "The lost request was not executed; attempt {} goes out.",
            operation.attempt + 1
        ),
    );
    let verdict = Verdict::working(Ready::No(says.clone()), says);
    let intent = Intent::renewed(operation, draft.facts.now, call);
    draft.call(intent, &verdict)
}
