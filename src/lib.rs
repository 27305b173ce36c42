//! dws-operator: GaussDB(DWS) from Kubernetes manifests.

pub mod api;
pub mod controller;
pub mod core;
pub mod dws;
pub mod entropy;
pub mod observer;
pub mod operator;
pub mod simulator;
