//! Two resources, one cluster: who may go on.

use super::draft::Draft;
use crate::core::facts::Rival;
use crate::core::identity;

/// The rival before which this resource stops, if there is one.
pub(super) fn stopped_by<'a>(draft: &Draft<'a>) -> Option<&'a Rival> {
    let facts = draft.facts;
    let status = facts.object.status.as_ref();
    let holds = status.is_some_and(|status| status.cluster_id.is_some());
    identity::stopped_by(&facts.rivals, &facts.object.metadata, holds)
}

/// What to say about it.
pub(super) fn conflict(rival: &Rival, id: &str) -> String {
    format!(
        "Cluster {id} is also claimed by DwsCluster {}/{}. Nothing is changed while both name it: delete one of the \
         two (deleting this one leaves the cluster alone).",
        rival.namespace, rival.name
    )
}
