//! The two kinds and everything that is written in their manifests and status.
//!
//! This layer knows Kubernetes' types and nothing of the service, the plan or the controllers.

pub mod cluster;
pub mod cluster_detail;
pub mod cluster_status;
pub mod crd;
pub mod names;
pub mod operation;
pub mod rules;
mod schema;
pub mod snapshot;
pub mod validate;

pub use cluster::{DwsCluster, DwsClusterSpec};
pub use cluster_status::DwsClusterStatus;
pub use crd::crds;
pub use operation::{Baseline, Operation, OperationKind, OperationPhase, Target};
pub use snapshot::{DwsSnapshot, DwsSnapshotSpec, DwsSnapshotStatus};
