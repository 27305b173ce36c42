//! What Flux and Argo CD make of the resources: health in every situation that a resource can be in, no drift
//! because of what the operator writes, and the example repository as it stands.
//!
//! The objects are recorded from the simulation, which runs the reconcile of production; they are judged by Flux's
//! own kstatus and by the shipped health script in the Lua that Argo CD embeds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// The simulation and the scenarios are used in part.
#[allow(dead_code)]
#[path = "../simulation/api_server.rs"]
mod api_server;
#[allow(dead_code)]
#[path = "../simulation/checks.rs"]
mod checks;
#[allow(dead_code)]
#[path = "../simulation/cloud.rs"]
mod cloud;
#[allow(dead_code)]
#[path = "../simulation/everywhere.rs"]
mod everywhere;
#[allow(dead_code)]
#[path = "../simulation/gate.rs"]
mod gate;
#[allow(dead_code)]
#[path = "../simulation/judge.rs"]
mod judge;
#[allow(dead_code)]
#[path = "../simulation/process.rs"]
mod process;
#[allow(dead_code)]
#[path = "../simulation/sim.rs"]
mod sim;
#[allow(dead_code)]
#[path = "../simulation/tenant.rs"]
mod tenant;
#[allow(dead_code)]
#[path = "../simulation/weather.rs"]
mod weather;

#[allow(dead_code)]
#[path = "../scenarios/far_side.rs"]
mod far_side;
#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code)]
#[path = "../scenarios/world.rs"]
mod world;

mod cluster_situations;
mod deletion_situations;
mod drift;
mod layout;
mod operation_situations;
mod recorded;
mod repository_life;
mod situation;
mod snapshot_situations;
mod stage;
mod verdicts;
mod waiting_situations;
mod witness;
