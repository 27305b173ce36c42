//! The chart as helm, the API server and the operator see it: what it renders from which values, what it
//! refuses, whether the API server takes every object, whether the operator takes its settings, and how a
//! release lives on a real API server. The plain manifests of `deploy/` are compared with it.
//!
//! Its cases are `accepted.yaml`, `accepted-pods.yaml` and `refused.yaml`, and of the rendered roles `forbidden.yaml`.
//! What deploy/ holds stands for snapshots of renderings: it is committed, and compared.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod helm;

mod accepted;
mod apply;
mod attempts;
mod forbidden;
mod life;
mod manifests;
mod pods;
mod protection;
mod refused;
mod release;
mod rights;
mod roles;
mod settings;
mod tenant;
mod values;

#[path = "../support/mod.rs"]
mod support;
