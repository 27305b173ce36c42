//! When a resource may go without a DELETE: nothing was made, or the cluster is kept on purpose.

use super::deletion::Remains;
use super::draft::Draft;
use super::identity;
use crate::api::cluster::ClusterDeletionPolicy;
use crate::api::{OperationKind, OperationPhase};
use crate::core::conditions::Says;
use crate::core::facts::Account;
use crate::core::failures;
use crate::core::step::{EventNote, Read};

/// What lets it go, or what must be read to know.
pub(super) enum Forget {
    Read(Read),
    /// The service or the credentials do not say just now.
    HeldBack(Says),
    Now(EventNote, Remains),
}

/// Whether the resource may go without a DELETE.
pub(super) fn forgotten(draft: &Draft<'_>) -> Option<Forget> {
    let id = draft.status.cluster_id.clone();
    let named = id.clone().unwrap_or_default();
    let keeps = |why: &str| {
        let note = format!("{why}: cluster {named} {}.", fate(draft));
        EventNote::normal("Retained", named.clone(), note)
    };
    if draft.facts.object.deletion_policy() == ClusterDeletionPolicy::Retain {
        if id.is_some() {
            let note = keeps("spec.deletionPolicy is Retain");
            return Some(Forget::Now(note, Remains::Cluster));
        }
        let note = "spec.deletionPolicy is Retain; no cluster was recorded.";
        let note = EventNote::normal("Retained", "none", note);
        // What an open create makes is kept, and its password with it.
        let remains = match draft.status.operation {
            Some(_) => Remains::Cluster,
            None => Remains::Nothing,
        };
        return Some(Forget::Now(note, remains));
    }
    if draft.observe_only() && id.is_some() {
        let note = keeps("The cluster was only observed");
        return Some(Forget::Now(note, Remains::Cluster));
    }
    if id.is_none() && (draft.open_operation().is_none() || draft.observe_only()) {
        if let Some(found) = namesake(draft) {
            return Some(found);
        }
        return Some(Forget::Now(
            EventNote::normal(
                "Deleted",
                "none",
                "No cluster was made; nothing is left behind.",
            ),
            Remains::Nothing,
        ));
    }
    if let Some(rival) = identity::stopped_by(draft).filter(|_| id.is_some()) {
        let note = format!(
            "Cluster {named} stays with DwsCluster {}/{}.",
            rival.namespace, rival.name
        );
        return Some(Forget::Now(
            EventNote::normal("Retained", named.clone(), note),
            Remains::Cluster,
        ));
    }
    draft.lost_before().then(|| {
        let note = format!("Cluster {named} was lost before; there is nothing to delete.");
        let note = EventNote::normal("Deleted", named.clone(), note);
        Forget::Now(note, Remains::Nothing)
    })
}

/// What becomes of a cluster that is let go.
fn fate(draft: &Draft<'_>) -> &'static str {
    let open = draft.status.operation.as_ref();
    match open.filter(|one| one.kind == OperationKind::Delete) {
        None => "keeps running and costs money",
        Some(sent) if sent.phase == OperationPhase::Accepted => {
            "is let go, but the service accepted a DELETE of it before and may be carrying it out"
        }
        Some(_) => "is let go, but a DELETE of it was sent before and may still be carried out",
    }
}

/// Our finalizer came with a first intent, whose account the status holds for ever: without it the status was
/// lost (a restored backup), and a cluster of the name may be the one that it held. Nobody can tell, so that
/// it is left alone, and not without a word.
fn namesake(draft: &Draft<'_>) -> Option<Forget> {
    let empty = draft.status.account.is_none() && draft.status.operation.is_none();
    if !empty || draft.observe_only() {
        return None;
    }
    let known = match &draft.facts.account {
        Account::Known(known) => known,
        Account::Unreachable(circuit) => {
            return Some(Forget::HeldBack(failures::circuit(circuit)));
        }
        Account::Pending => {
            let says = Says::new("Waiting", "The account has not been read yet.");
            return Some(Forget::HeldBack(says));
        }
        // Nobody can look.
        Account::CredentialsMissing { .. } | Account::Invalid { .. } => return None,
    };
    if let Some(circuit) = &known.circuit {
        return Some(Forget::HeldBack(failures::circuit(circuit)));
    }
    let list = match &draft.facts.fresh_list {
        None => return Some(Forget::Read(Read::Clusters)),
        Some(Err(failure)) => return Some(Forget::HeldBack(failures::held_back(failure))),
        Some(Ok(list)) => list,
    };
    let named = list.named(draft.cluster_name());
    let found = named
        .iter()
        .find(|one| !draft.facts.held_elsewhere.contains_key(&one.id))?;
    let note = format!(
        "This resource's status holds no cluster, perhaps because it was lost with a restored backup. Cluster {} of \
         its name in project {} is left alone, keeps running and costs money: delete it in the console if it was \
         this resource's.",
        found.id, known.account.project_id
    );
    let note = EventNote::warning("Retained", found.id.clone(), note);
    Some(Forget::Now(note, Remains::Cluster))
}
