//! Where the cluster is not what the manifest writes. It is told, never mended by a purchase.

use super::compare::{Difference, differences};
use super::draft::Draft;
use crate::core::conditions::Says;
use crate::dws::model::Cluster;

/// Condition `Synced=False/Drifted`: each field that the user wrote and that the service shows otherwise.
pub(super) fn found(draft: &Draft<'_>, cluster: &Cluster) -> Option<Says> {
    let differences = differences(&draft.facts.object.spec, cluster);
    let told = differences.iter().map(|difference| {
        let Difference {
            field,
            wanted,
            found,
        } = difference;
        format!("spec.{field} wants {wanted}, found {found}")
    });
    (!differences.is_empty()).then(|| {
        let message = format!(
            "The cluster is not what the manifest writes; nothing is changed because of it. {}.",
            told.collect::<Vec<_>>().join("; ")
        );
        Says::new("Drifted", message)
    })
}
