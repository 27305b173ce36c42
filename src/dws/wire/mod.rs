//! The bodies as they travel. Requests are written exactly, answers are read leniently.
//!
//! Private to the client: callers see [`crate::dws::model`] and [`crate::dws::call`].

pub(super) mod body;
pub(super) mod cluster;
pub(crate) mod lenient;
pub(super) mod list;
pub(super) mod snapshot;
