//! Two resources, one remote object: which of them stops. The same for clusters and for snapshots.

use kube::api::ObjectMeta;

use super::facts::Rival;

/// The rival before which the resource with this metadata stops, if there is one; `holds` tells whether its
/// stored status holds the id.
///
/// In one namespace both stop. Across namespaces the one whose status held the id first goes on: one that
/// only asks for it gives way, and of two that hold it the older resource goes on.
pub fn stopped_by<'a>(rivals: &'a [Rival], meta: &ObjectMeta, holds: bool) -> Option<&'a Rival> {
    let namespace = meta.namespace.as_deref().unwrap_or_default();
    let created = meta.creation_timestamp.as_ref().map(|time| time.0);
    let uid = meta.uid.as_deref().unwrap_or_default();
    rivals.iter().find(|rival| {
        rival.namespace == namespace
            || match (holds, rival.holds) {
                (true, false) => false,
                (false, true) => true,
                _ => (rival.created, rival.uid.as_str()) < (created, uid),
            }
    })
}
