//! Taking hold of a cluster that others made: by id, by name, or to observe it only.
//!
//! No changing call is made because of it. What the manifest writes and the cluster is not is drift.

use super::draft::{ClusterStep, Draft};
use super::{identity, live, observe};
use crate::core::conditions::{Ready, Says};
use crate::core::facts::KnownAccount;
use crate::core::failures;
use crate::core::step::{EventNote, Read};
use crate::dws::answer::Meaning;

pub(super) fn plan(mut draft: Draft<'_>, account: &KnownAccount) -> ClusterStep {
    let spec = &draft.facts.object.spec;
    if let Some(id) = spec.cluster_id.clone() {
        if !account.adoption_allowed {
            return not_allowed(draft, "spec.clusterId");
        }
        return take(draft, account, &id);
    }
    if !account.adoption_allowed {
        return not_allowed(draft, "spec.managementPolicy");
    }
    // ObserveOnly by name.
    let list = match &draft.facts.fresh_list {
        None => return Draft::read(Read::Clusters),
        Some(Err(failure)) => return draft.hold_back(failures::held_back(failure)),
        Some(Ok(list)) => list.clone(),
    };
    draft = match identity::alone(draft) {
        Ok(draft) => draft,
        Err(step) => return *step,
    };
    if let Some(cluster) = list.named(draft.cluster_name()).first() {
        let id = cluster.id.clone();
        return take(draft, account, &id);
    }
    let message = format!(
        "The project has no cluster named {} to observe: write spec.clusterId, or correct the name.",
        draft.cluster_name()
    );
    draft.wait(
        Ready::No(Says::new("WaitingForCluster", message.clone())),
        "WaitingForCluster",
        message,
    )
}

/// Takes hold of the cluster with this id.
pub(super) fn take(mut draft: Draft<'_>, account: &KnownAccount, id: &str) -> ClusterStep {
    if let Some(rival) = identity::stopped_by(&draft) {
        let message = identity::conflict(rival, id);
        return draft.stall(
            Ready::No(Says::new("IdentityConflict", message.clone())),
            "IdentityConflict",
            message,
        );
    }
    if let Some(rival) = draft.facts.held_elsewhere.get(id) {
        let message = identity::conflict(rival, id);
        return draft.stall(
            Ready::No(Says::new("IdentityConflict", message.clone())),
            "IdentityConflict",
            message,
        );
    }
    let cluster = match &draft.facts.detail {
        None => return Draft::read(Read::Cluster(id.to_owned())),
        Some(Err(failure))
            if matches!(
                failure.meaning,
                Meaning::Absent | Meaning::AbsentOrForbidden
            ) =>
        {
            let message = format!(
                "The service shows no cluster {id} to these credentials ({}). Correct spec.clusterId, or use \
                 credentials of its project.",
                failures::text(failure)
            );
            return draft.wait(
                Ready::No(Says::new("WaitingForCluster", message.clone())),
                "WaitingForCluster",
                message,
            );
        }
        Some(Err(failure)) if failure.meaning == Meaning::Invalid => {
            let message = format!(
                "The service refuses cluster id {id}: {}",
                failures::text(failure)
            );
            return draft.stall(
                Ready::No(Says::new("InvalidSpec", message.clone())),
                "InvalidSpec",
                message,
            );
        }
        Some(Err(failure)) => return draft.hold_back(failures::held_back(failure)),
        Some(Ok(cluster)) => cluster.clone(),
    };
    let spec = &draft.facts.object.spec;
    if let Some(name) = spec
        .cluster_name
        .as_ref()
        .filter(|name| **name != cluster.name)
    {
        let message = format!(
            "Cluster {id} is named {}, and spec.clusterName says {name}: nothing is adopted. Correct one of the two.",
            cluster.name
        );
        return draft.stall(
            Ready::No(Says::new("InvalidSpec", message.clone())),
            "InvalidSpec",
            message,
        );
    }
    draft.add_finalizer = true;
    draft.status.cluster_id = Some(cluster.id.clone());
    draft.status.adopted = Some(true);
    draft.status.account = Some(account.account.clone());
    draft.status.failures.clear();
    draft.status.last_busy = None;
    draft.status.rejected_secret = None;
    // A count that the manifest wrote at adoption is drift, never a purchase: it counts as brought to rest.
    draft.status.settled_node_count = spec.node_count.or(cluster.node_count);
    observe::observe(&mut draft.status, &cluster, true);
    let note = format!(
        "Took over cluster {} ({}); nothing was changed.",
        cluster.name, cluster.id
    );
    draft
        .events
        .push(EventNote::normal("Adopted", cluster.id.clone(), note));
    live::plan(draft, account)
}

/// The operator's own credentials may not take hold of others' work in this namespace.
pub(super) fn not_allowed(draft: Draft<'_>, field: &str) -> ClusterStep {
    let message = format!(
        "{field} takes hold of what others made, and the operator's own credentials do that only in its \
         --adoption-namespaces. Use spec.credentialsSecretRef, or ask the operator's administrator."
    );
    draft.stall(
        Ready::AsBefore(Says::new("InvalidSpec", message.clone())),
        "InvalidSpec",
        message,
    )
}
