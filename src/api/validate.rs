//! What a single text of a manifest must look like: the regular expressions that the schema's rules use.
//!
//! The API server judges by them, and nothing inside the operator judges again: a spec that came through
//! is taken as it is.

/// Name of a cluster or snapshot at the service (reference 5.1.1 and 5.2.1): a letter, then letters,
/// digits, `-` or `_`, 4 to 64 characters.
pub const SERVICE_NAME: &str = "^[a-zA-Z][a-zA-Z0-9_-]{3,63}$";
/// An id of the service: a UUID in lower case, as the service itself writes it, so that ids can be
/// compared as they stand.
pub const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
/// Name of the database administrator (reference 5.1.1): 1 to 63 characters.
pub const ADMIN_USER: &str = "^[a-z_][a-z0-9_]{0,62}$";
/// Name of a Kubernetes object (RFC 1123 subdomain); at most 253 characters, which the expression
/// does not say.
pub const OBJECT_NAME: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// Key in a Secret: 1 to 253 characters.
pub const SECRET_KEY: &str = "^[-._a-zA-Z0-9]{1,253}$";
/// What a snapshot's description must not contain (reference 5.2.1).
pub const DESCRIPTION_FORBIDDEN: &str = "[!<>'=&\"]";
