//! Client of the DWS and IAM REST APIs: requests, authentication, decoding, classification.
//!
//! It knows nothing of Kubernetes. One call of a function here is one exchange on the wire (plus, for
//! reads, a renewed token): retries belong to the caller.
//!
//! Data: [`call`] (what is asked), [`model`] and [`answer`] (what is said), [`codes`]. Boundaries:
//! [`transport`] (over the network: [`http`]), [`clock`] and [`permit`]. Between them [`client`], which puts
//! [`operation`], [`auth`] and [`endpoint`] together, and [`decode`], [`fault`], [`outcome`] and [`redact`], which read answers.

pub mod answer;
pub mod auth;
pub mod call;
pub mod client;
pub mod clock;
pub mod codes;
pub mod decode;
pub mod endpoint;
pub mod fault;
pub mod http;
pub mod model;
pub mod operation;
pub mod outcome;
pub mod permit;
pub mod redact;
mod shared;
pub mod time;
pub mod transport;
mod wire;

#[cfg(test)]
#[path = "../../tests/support/figures.rs"]
mod figures;

pub use auth::Credential;
pub use client::{Client, Executed, Prepared};
pub use endpoint::{AccountConfig, Project, SettingError, Settings};
