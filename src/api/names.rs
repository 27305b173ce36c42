//! The fixed strings of the API: annotations, the finalizer, keys of the connection Secret.

/// API group of both kinds.
pub const GROUP: &str = "dws.huaweicloud.com";
/// API version of both kinds.
pub const VERSION: &str = "v1alpha1";
/// Finalizer that both kinds bear until the remote object is confirmed gone or retained.
pub const FINALIZER: &str = "dws.huaweicloud.com/finalizer";
/// Annotation: restart the cluster once (RFC 3339).
pub const RESTART_REQUESTED_AT: &str = "dws.huaweicloud.com/restart-requested-at";
/// Annotation: rotate the generated password once (RFC 3339).
pub const ROTATE_PASSWORD_REQUESTED_AT: &str = "dws.huaweicloud.com/rotate-password-requested-at";
/// Annotation: reconcile now, a refused create is tried again (RFC 3339).
pub const RECONCILE_REQUESTED_AT: &str = "dws.huaweicloud.com/reconcile-requested-at";
/// Annotation: `"true"` stops changing calls; observing goes on.
pub const PAUSED: &str = "dws.huaweicloud.com/paused";
/// Annotation: closes an `OutcomeUnknown` operation with this id as not to be repeated.
pub const ACKNOWLEDGE_ATTEMPT: &str = "dws.huaweicloud.com/acknowledge-attempt";
/// On a connection Secret: id of the operation that set its latest password.
pub const OPERATION: &str = "dws.huaweicloud.com/operation";
/// On a connection Secret: `<name>/<uid>` of its `DwsCluster`.
pub const CONNECTION_OF: &str = "dws.huaweicloud.com/connection-of";
/// Annotation: allows the DELETE of this cluster id while the CRD itself is being deleted.
pub const CONFIRM_DELETE: &str = "dws.huaweicloud.com/confirm-delete";

/// `status.observedGeneration` before the operator has seen a resource; filled in by the schema, so that a
/// resource that was applied just now is not taken for one that is as it should be.
pub const UNOBSERVED: i64 = -1;
