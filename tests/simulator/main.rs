//! The simulator as a client sees it: requests in, deliveries out, with a clock of the test's own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod busy;
mod determinism;
mod faults;
mod lag;
mod lifecycle;
mod oddities;
mod outside;
mod refusals;
mod shell;
mod snapshots;
mod support;
