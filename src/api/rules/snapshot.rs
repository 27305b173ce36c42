//! Rules of `DwsSnapshot`, and when each field of its spec may change.

use super::{Change, Reason, Rule, fixed, object_name, quoted, service_name, uuid};
use crate::api::validate;

/// When each field of the spec may change. `credentialsSecretRef` may be another Secret of the same
/// project, which only the controller can judge.
pub const CHANGES: &[(&str, Change)] = &[
    ("spec.clusterRef.name", Change::Fixed),
    ("spec.clusterId", Change::Fixed),
    ("spec.snapshotName", Change::Fixed),
    ("spec.snapshotId", Change::Fixed),
    ("spec.description", Change::Fixed),
    ("spec.deletionPolicy", Change::Free),
    ("spec.credentialsSecretRef.name", Change::Free),
];

/// The first intent is written, or the id is known.
const BEGUN: &str =
    "has(oldSelf.status) && (has(oldSelf.status.snapshotId) || has(oldSelf.status.operation))";

/// All rules, in the order of the fields.
pub fn rules() -> Vec<Rule> {
    let mut rules = vec![Rule::new(
        "spec",
        "spec.clusterRef",
        Reason::Invalid,
        "has(self.clusterRef) != has(self.clusterId)".to_owned(),
        "write exactly one of clusterRef (a DwsCluster of this namespace, by name) and clusterId (a cluster at the service, by id)",
    )];
    rules.extend([
        object_name(
            "spec.clusterRef.name",
            "the DwsCluster that the snapshot is of",
        ),
        uuid("spec.clusterId", "the cluster that the snapshot is of"),
    ]);
    rules.extend(service_name("spec.snapshotName", "the snapshot"));
    rules.extend([
        uuid("spec.snapshotId", "the snapshot to adopt"),
        Rule::new(
            "spec.description",
            "spec.description",
            Reason::Invalid,
            format!("!self.matches({})", quoted(validate::DESCRIPTION_FORBIDDEN)),
            "write a description without ! < > ' = & and double quotes: the service takes none of them",
        ),
        object_name("spec.credentialsSecretRef.name", "the Secret with the credentials"),
        Rule::new(
            "spec",
            "spec.credentialsSecretRef",
            Reason::Forbidden,
            "!has(self.credentialsSecretRef) || has(self.clusterId)".to_owned(),
            "leave credentialsSecretRef out: with clusterRef the snapshot is made with the credentials of that DwsCluster; it is for clusterId only",
        ),
    ]);
    rules.extend(
        CHANGES
            .iter()
            .filter(|(_, change)| *change == Change::Fixed)
            .map(|(field, _)| {
                fixed(
                    BEGUN,
                    field,
                    "once the snapshot has been asked for or its id is known",
                    "make another DwsSnapshot",
                )
            }),
    );
    rules
}
