//! Several operators as processes over one lease, against a real API server: who works, how fast another takes
//! over, and that one which was killed, stopped or cut off makes nothing happen twice.
//!
//! Which of them sent a request is told by its language, which the simulator writes down.

#![allow(clippy::unwrap_used)]

mod apart;
mod crew;
#[path = "../scenarios/far_side.rs"]
#[allow(dead_code)] // Scenarios use the rest.
mod far_side;
mod hand_over;
mod stopped;
#[path = "../support/mod.rs"]
mod support;
#[path = "../scenarios/world.rs"]
#[allow(dead_code)]
mod world;
