//! Two resources, one cluster: who may go on.

use super::draft::Draft;
use crate::core::facts::Rival;

/// The rival before which this resource stops, if there is one.
///
/// In one namespace both stop. Across namespaces the one whose status held the id first goes on: one that
/// only asks for it gives way, and of two that hold it the older resource goes on.
pub(super) fn stopped_by<'a>(draft: &Draft<'a>) -> Option<&'a Rival> {
    let facts = draft.facts;
    let namespace = facts
        .object
        .metadata
        .namespace
        .as_deref()
        .unwrap_or_default();
    let hold = facts
        .object
        .status
        .as_ref()
        .is_some_and(|status| status.cluster_id.is_some());
    let created = facts
        .object
        .metadata
        .creation_timestamp
        .as_ref()
        .map(|time| time.0);
    facts.rivals.iter().find(|rival| {
        if rival.namespace == namespace {
            return true;
        }
        match (hold, rival.holds) {
            (true, false) => false,
            (false, true) => true,
            _ => (rival.created, rival.uid.as_str()) < (created, draft.uid()),
        }
    })
}

/// What to say about it.
pub(super) fn conflict(rival: &Rival, id: &str) -> String {
    format!(
        "Cluster {id} is also claimed by DwsCluster {}/{}. Nothing is changed while both name it: delete one of the \
         two (deleting this one leaves the cluster alone).",
        rival.namespace, rival.name
    )
}
