//! Two resources, one cluster: who may go on.

use super::draft::{Draft, Part};
use crate::core::conditions::{Ready, Says};
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

/// Goes on unless another resource is making a cluster of this name: what bears the name may be that one, and
/// of two that ask for it at once nobody could tell whose it is when both answers are lost.
pub(super) fn alone(draft: Draft<'_>) -> Part<'_> {
    let Some(rival) = draft.facts.making_elsewhere.first() else {
        return Ok(draft);
    };
    let message = format!(
        "DwsCluster {}/{} is making a cluster named {}: nothing of that name is made or taken over before it is known \
         which one it is.",
        rival.namespace,
        rival.name,
        draft.cluster_name()
    );
    let no = Ready::No(Says::new("WaitingForCluster", message.clone()));
    Err(Box::new(draft.wait(no, "WaitingForCluster", message)))
}

/// The manifest names another cluster than the one that this resource made: it was written while that was
/// under way, and can never be taken back.
pub(super) fn astray(draft: &Draft<'_>) -> Option<String> {
    let written = draft.facts.object.spec.cluster_id.as_deref()?;
    let held = draft.status.cluster_id.as_deref()?;
    (!written.eq_ignore_ascii_case(held)).then(|| {
        format!(
            "spec.clusterId names cluster {written}, and this resource stands for cluster {held}, which was being made \
             when that was written: nothing more is changed. Delete this resource (spec.deletionPolicy: Retain keeps \
             {held}) and write one for each cluster."
        )
    })
}
