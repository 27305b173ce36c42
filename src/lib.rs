//! dws-operator: GaussDB(DWS) from Kubernetes manifests.

pub mod api;
pub mod core;
pub mod dws;
pub mod operator;
pub mod simulator;
