//! Fuzz: six targets, each a property that holds for structured random and mutated inputs, and for
//! each target broken variants of what is tested that the same property must catch.
//!
//! `make test` runs some thousand cases a target, from a fixed seed; `DEEP=1` a hundred times as many,
//! from a seed of the moment. The seed is printed with the figure, and `FUZZ_SEED=<n>` repeats a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod classification;
mod corpus;
mod decoding;
mod echo;
mod edits;
mod engine;
#[path = "../support/figures.rs"]
mod figures;
mod guard;
mod judges;
mod names;
mod redaction;
mod said;
mod signing;
