//! Behaviour as a user meets it: operator and simulator as processes against a real API server.
//!
//! Each topic is one test that runs its scenarios side by side; each scenario is a name, a manifest and
//! what must come of it, in the resource and in the simulator's ledger. `SCENARIO=text` runs those whose
//! name contains the text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod far_side;
mod killer;
mod runner;
mod stacks;
mod world;

mod adoption;
mod canaries;
mod crash;
mod create;
mod deletion;
mod faults;
mod kills;
mod mistakes;
mod operations;
mod own;
mod passwords;
mod quiet;
mod rare;
mod snapshots;
#[path = "../support/mod.rs"]
mod support;
mod watches;
