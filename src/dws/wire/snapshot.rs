//! A snapshot as it travels (reference tables 5-55 and 5-59), and its way into the model.

use serde::Deserialize;

use super::lenient::{Float, Text};
use super::list::Wire;
use crate::dws::model::Snapshot;
use crate::dws::time::timestamp;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SnapshotWire {
    id: Text,
    name: Text,
    description: Text,
    started: Text,
    finished: Text,
    size: Float,
    status: Text,
    #[serde(rename = "type")]
    kind: Text,
    cluster_id: Text,
}

impl Wire for SnapshotWire {
    type Model = Snapshot;

    /// `None` without an id; whole with name and status as well.
    fn into_model(self) -> Option<(Snapshot, bool)> {
        let id = self.id.0.filter(|id| !id.trim().is_empty())?;
        let whole = self.name.0.is_some() && self.status.0.is_some();
        let snapshot = Snapshot {
            id,
            name: self.name.0.unwrap_or_default(),
            description: self.description.0,
            started_at: self.started.0.as_deref().and_then(timestamp),
            started: self.started.0,
            finished: self.finished.0,
            size_gb: self.size.0,
            status: self.status.0.unwrap_or_default(),
            type_: self.kind.0,
            cluster_id: self.cluster_id.0,
        };
        Some((snapshot, whole))
    }
}
