//! The very reconcile of production, driven in one thread by a scheduler with virtual time, over a stand-in
//! for the API server and the simulator's world: processes that die at every request, and every way for an
//! answer to be lost. Judged on the far side, by the simulator's ledger of executed effects.
//!
//! A plain `cargo test` runs a sample. `make test` runs all of it, optimised: `SIMULATION=whole cargo test --profile
//! deep --test simulation`; `make test-deep` more of it, for hours (`SIMULATION=deep`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api_server;
mod checks;
mod cloud;
mod crash;
mod everywhere;
#[path = "../support/figures.rs"]
mod figures;
mod gate;
mod judge;
mod leaders;
mod mutants;
mod outcomes;
mod process;
mod random;
mod rest;
mod scenarios;
mod sim;
mod tenant;
mod views;
mod weather;
