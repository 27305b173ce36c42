//! The pure core: what is seen goes in, what to do comes out.
//!
//! Nothing here reads, writes, waits, rolls dice or looks at a clock: the present, fresh random values
//! and everything that was read are arguments ([`facts`]), and the answer is data ([`step`]). The same
//! facts always give the same step, so every situation is a row of a table in the tests.
//!
//! A reconcile asks for a step, carries out the reads that it names, and asks again with more facts,
//! until the step is a [`step::Decision`]: at most one changing call, with its intent.

pub mod absence;
pub mod cluster;
pub mod conditions;
pub mod connection;
pub mod facts;
pub mod failures;
pub mod identity;
pub mod journal;
pub mod password;
pub mod requests;
pub mod service_state;
pub mod snapshot;
pub mod step;
