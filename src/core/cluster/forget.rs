//! When a resource may go without a DELETE: nothing was made, or the cluster is kept on purpose.

use super::draft::Draft;
use super::identity;
use crate::api::cluster::ClusterDeletionPolicy;
use crate::core::conditions;
use crate::core::facts::ConnectionSecret;
use crate::core::step::{EventNote, Read};

/// What lets it go, or what must be read to know.
pub(super) enum Forget {
    Read(Read),
    Now(EventNote, bool),
}

/// Whether the resource may go without a DELETE.
pub(super) fn forgotten(draft: &Draft<'_>) -> Option<Forget> {
    let id = draft.status.cluster_id.clone();
    let named = id.clone().unwrap_or_default();
    let keeps = |why: &str| {
        EventNote::normal(
            "Retained",
            named.clone(),
            format!("{why}: cluster {named} keeps running and costs money."),
        )
    };
    if draft.facts.object.deletion_policy() == ClusterDeletionPolicy::Retain {
        if draft.facts.connection_secret.is_none() {
            return Some(Forget::Read(Read::ConnectionSecret));
        }
        let note = if id.is_some() {
            keeps("spec.deletionPolicy is Retain")
        } else {
            EventNote::normal(
                "Retained",
                "none",
                "spec.deletionPolicy is Retain; no cluster was recorded.",
            )
        };
        return Some(Forget::Now(note, true));
    }
    if draft.observe_only() && id.is_some() {
        return Some(Forget::Now(keeps("The cluster was only observed"), false));
    }
    if id.is_none() && (draft.open_operation().is_none() || draft.observe_only()) {
        return Some(Forget::Now(
            EventNote::normal(
                "Deleted",
                "none",
                "No cluster was made; nothing is left behind.",
            ),
            false,
        ));
    }
    if let Some(rival) = identity::stopped_by(draft).filter(|_| id.is_some()) {
        let note = format!(
            "Cluster {named} stays with DwsCluster {}/{}.",
            rival.namespace, rival.name
        );
        return Some(Forget::Now(
            EventNote::normal("Retained", named.clone(), note),
            false,
        ));
    }
    let lost = conditions::reason(&draft.status.conditions, "Stalled") == Some("Lost");
    lost.then(|| {
        let note = format!("Cluster {named} was lost before; there is nothing to delete.");
        Forget::Now(EventNote::normal("Deleted", named.clone(), note), false)
    })
}

pub(super) fn owns_secret(draft: &Draft<'_>) -> bool {
    matches!(
        draft.facts.connection_secret,
        Some(ConnectionSecret::Ours { .. })
    )
}
