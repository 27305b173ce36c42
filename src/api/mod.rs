//! The two kinds and everything that is written in their manifests and status.
//!
//! This layer knows Kubernetes' types and nothing of the service, the plan or the controllers.

pub mod annotations;
pub mod cluster;
pub mod cluster_detail;
pub mod cluster_status;
mod columns;
pub mod crd;
mod effective;
mod fit;
pub mod names;
pub mod operation;
pub mod rules;
mod schema;
pub mod snapshot;
pub mod validate;

pub use cluster::{DwsCluster, DwsClusterSpec};
pub use cluster_status::DwsClusterStatus;
pub use crd::crds;
pub use effective::{
    CONNECTION_SECRET_SUFFIX, DEFAULT_ADMIN_USER, DEFAULT_PASSWORD_KEY, DEFAULT_PORT,
};
pub use operation::{Baseline, Operation, OperationKind, OperationPhase, Target};
pub use snapshot::{DwsSnapshot, DwsSnapshotSpec, DwsSnapshotStatus};
