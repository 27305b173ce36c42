//! The simulator as a client sees it: requests in, deliveries out, with a clock of the test's own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lifecycle;
mod support;
