//! The documentation against what there is: reasons against the code, commands against a real API server, links and
//! the tests that the threat model names against the tree, permissions against the operations.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod blocks;
mod commands;
mod pages;
mod reasons;
mod references;
mod shell;
