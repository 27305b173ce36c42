//! Transitions that nobody wrote down: for each field of both specs, as the committed definitions describe it, the
//! values that its type allows and those that it does not, set, unset and changed, before and after the first
//! intent, on the real API server. What must come of each is worked out from the schema and from a short list of
//! when each field may change, without the server's rules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod lives;
#[allow(dead_code)]
#[path = "../manifests/objects.rs"]
mod objects;
mod refusals;
mod run;
mod schema;
#[path = "../support/mod.rs"]
mod support;
mod values;
mod world;
