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
    /// The name is somebody else's and the window is over: ours was not executed.
    Theirs(String),
    /// The name is free and the window is over: not executed, and it will not be.
    Free,
    /// This one fits, and another resource asked for the name as well and does not know its id yet.
    Contested {
        /// The cluster's id.
        id: String,
        /// The other resource, as `namespace/name`.
        rival: String,
        /// The window is over.
        over: bool,
    },
    /// Too early to tell; with the cluster that bears the name and does not seem to be ours.
    Early(Option<String>),
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
    let over = draft.after_window(list.requested_at);
    match ours.or(named.first()) {
        Some(cluster) if ours.is_some() => match draft.facts.making_elsewhere.first() {
            None => Found::Ours(cluster.id.clone()),
            Some(rival) => Found::Contested {
                id: cluster.id.clone(),
                rival: format!("{}/{}", rival.namespace, rival.name),
                over,
            },
        },
        // What bears the name can go within the window, and the late create come.
        other if !over => Found::Early(other.map(|cluster| cluster.id.clone())),
        Some(cluster) => Found::Theirs(cluster.id.clone()),
        None => Found::Free,
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
        Found::Contested { id, rival, over } => {
            if let Some(open) = &mut draft.status.operation {
                open.phase = OperationPhase::Ambiguous;
            }
            contested(draft, doing, &id, &rival, over)
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
        Found::Early(namesake) => {
            journal::doubt(&mut draft.status.operation);
            let mut message = "The answer to the request was lost. Until the ambiguity window is over nothing is sent \
                               again; a cluster that appears under the name is claimed."
                .to_owned();
            if let Some(id) = namesake {
                message.push_str(&not_it(&id));
            }
            let says = Says::new(doing, message);
            let wake = Some(draft.facts.settings.active_interval);
            draft.end(
                &Verdict::working(Ready::No(says.clone()), says),
                wake,
                Outcome::Waiting,
            )
        }
    }
}

/// Two resources asked for one name, and one cluster came of it: its password is known to one of them only,
/// so neither takes it by chance. It is settled when the other knows its id, or is gone.
fn contested(
    draft: Draft<'_>,
    doing: &'static str,
    id: &str,
    rival: &str,
    over: bool,
) -> ClusterStep {
    let name = draft.cluster_name();
    let mut message = format!(
        "The answer to the request was lost, and DwsCluster {rival} asked for a cluster named {name} as well: which of \
         the two made cluster {id} is not known yet."
    );
    if !over {
        let says = Says::new(doing, message);
        let wake = Some(draft.facts.settings.active_interval);
        let verdict = Verdict::working(Ready::No(says.clone()), says);
        return draft.end(&verdict, wake, Outcome::Waiting);
    }
    message.push_str(
        " Delete one of the two; the other takes the cluster then, and a new password where its own does not log in.",
    );
    let says = Says::new("IdentityConflict", message);
    let wake = Some(draft.facts.settings.idle_interval);
    let verdict = Verdict::stalled(Ready::No(says.clone()), says);
    draft.end(&verdict, wake, Outcome::Stalled)
}

/// About a cluster of the name.
pub(super) fn not_it(id: &str) -> String {
    format!(" Cluster {id} bears the name and is not what the request asked for.")
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
    let mut operation = operation.clone();
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
        let pending = held.pending.clone().unwrap_or_else(|| {
            operation.target.secret = None;
            let fresh = draft.facts.fresh.password.clone();
            let passwords = held.begun(fresh.clone());
            let data = connection::render(None, draft.admin_user(), &passwords);
            let tie = draft.tie();
            draft.secret = Some(SecretWrite::Put { data, tie });
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
    let intent = Intent::renewed(&operation, draft.facts.now, call);
    draft.call(intent, &verdict)
}
