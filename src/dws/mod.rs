//! Client of the DWS and IAM REST APIs: requests, authentication, decoding, classification.
//!
//! It knows nothing of Kubernetes. One call of a function here is one exchange on the wire (plus, for
//! reads, a renewed token): retries belong to the caller.

pub mod answer;
pub mod call;
pub mod clock;
pub mod model;
pub mod transport;
