//! The rows of the table of conditions that tell of what the operator does: on its way, refused, failed, or with
//! an outcome that nobody knows; and of a service that cannot be asked just now.

use serde_json::json;

use crate::api_server::CLUSTERS;
use crate::sim::Sim;
use crate::situation::Argo::{Degraded, Healthy, Progressing};
use crate::situation::Flux::{Current, Failed, InProgress};
use crate::situation::Start::{Cluster, ClusterAndSnapshot, ClusterWithPassword, Nothing};
use crate::situation::Step::{Do, Seen, Shows};
use crate::situation::{
    READY, Situation, cluster, console, drop_connection_secret, fault, make, of, restart_operator,
};
use crate::tenant;

pub fn all() -> Vec<Situation> {
    let copy = format!("{CLUSTERS}/copy");
    vec![
        // On its way.
        cluster(
            "creating",
            Nothing,
            &[Do(|s| make(s, &json!({})))],
            CREATING,
            InProgress,
            Progressing,
        ),
        of(
            &copy,
            "restoring",
            ClusterAndSnapshot,
            &[Do(restore)],
            "Ready=False/Restoring; Synced=True/Restoring; Reconciling",
            InProgress,
            Progressing,
        ),
        of(
            &copy,
            "restored-and-without-password-yet",
            ClusterAndSnapshot,
            &[Do(restore)],
            "Ready=False/Restoring; Synced=True/PasswordPending; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "resizing",
            Cluster,
            &[Do(|s| tenant::resize(s, "wh", 5))],
            "Ready=True/Resizing; Synced=True/Resizing; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "restarting",
            Cluster,
            &[Do(|s| tenant::restart(s, "wh"))],
            "Ready=False/Restarting; Synced=True/Restarting; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "new-password",
            Cluster,
            &[Do(|s| tenant::rotate(s, "wh"))],
            "Ready=True/Available; Synced=True/PasswordPending; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "resize-waits-for-another-task",
            Cluster,
            &[
                Do(|s| {
                    console(
                        s,
                        json!({"change": "set_task", "cluster": "warehouse", "task": "SETTING_CONFIGURATION"}),
                    );
                }),
                Seen("taskStatus", "SETTING_CONFIGURATION"),
                Do(|s| tenant::resize(s, "wh", 5)),
            ],
            "Ready=True/Available; Synced=False/Busy; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "paused-while-creating",
            Nothing,
            &[
                Do(|s| make(s, &json!({}))),
                Shows(CREATING),
                Do(|s| tenant::set_annotation(s, "wh", "paused", Some("true"))),
                Seen("status", "CREATING"),
            ],
            CREATING,
            InProgress,
            Progressing,
        ),
        // Refused.
        cluster(
            "create-beyond-the-quota",
            Nothing,
            &[Do(|s| refuse(s, "DWS.5091"))],
            "Ready=False/NotCreated; Synced=False/QuotaExceeded; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "sold-out",
            Nothing,
            &[Do(|s| refuse(s, "DWS.5200"))],
            "Ready=False/NotCreated; Synced=False/SoldOut; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "create-invalid",
            Nothing,
            &[Do(|s| refuse(s, "DWS.5006"))],
            "Ready=False/NotCreated; Synced=False/InvalidSpec; Stalled",
            Failed,
            Degraded,
        ),
        cluster(
            "create-forbidden",
            Nothing,
            &[Do(|s| refuse(s, "APIGW.0302"))],
            "Ready=False/NotCreated; Synced=False/Forbidden; Stalled",
            Failed,
            Degraded,
        ),
        cluster(
            "create-refused-for-its-password",
            Nothing,
            &[Do(|s| refuse(s, "DWS.5144"))],
            "Ready=False/NotCreated; Synced=False/PasswordRejected",
            InProgress,
            Degraded,
        ),
        cluster(
            "create-failed-inside-the-service",
            Nothing,
            &[Do(|s| refuse(s, "DWS.5189"))],
            "Ready=False/NotCreated; Synced=False/ServiceUnavailable",
            InProgress,
            Progressing,
        ),
        cluster(
            "resize-beyond-the-quota",
            Cluster,
            &[Do(|s| {
                fault(
                    s,
                    &json!({"operation": "resize_cluster", "kind": "refused", "code": "DWS.5091"}),
                );
                tenant::resize(s, "wh", 5);
            })],
            "Ready=True/Available; Synced=False/QuotaExceeded; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "name-taken",
            Nothing,
            &[Do(|s| {
                let other = json!({
                    "change": "create", "name": "warehouse", "node_type": "dws.d1.xlarge", "nodes": 3, "password": "Correct-horse-1",
                });
                console(s, other);
                make(s, &json!({}));
            })],
            "Ready=False/NameConflict; Synced=False/NameConflict; Stalled",
            Failed,
            Degraded,
        ),
        cluster(
            "weak-password",
            Nothing,
            &[Do(|s| {
                tenant::put_password(s, "admin", "short");
                make(s, &json!({"adminPasswordSecretRef": {"name": "admin"}}));
            })],
            "Ready=False/NotCreated; Synced=False/PasswordRejected",
            InProgress,
            Degraded,
        ),
        cluster(
            "weak-password-later",
            ClusterWithPassword,
            &[Do(|s| tenant::put_password(s, "admin", "short"))],
            "Ready=True/Available; Synced=False/PasswordRejected",
            Current,
            Healthy,
        ),
        // Accepted, and then failed.
        cluster(
            "creation-failed",
            Nothing,
            &[
                Do(|s| fail(s, "create_cluster")),
                Do(|s| make(s, &json!({}))),
            ],
            "Ready=False/CreationFailed; Synced=False/CreationFailed; Stalled",
            Failed,
            Degraded,
        ),
        cluster(
            "resize-failed",
            Cluster,
            &[
                Do(|s| fail(s, "resize_cluster")),
                Do(|s| tenant::resize(s, "wh", 5)),
            ],
            "Ready=True/Available; Synced=False/ResizeFailed; Stalled",
            Failed,
            Degraded,
        ),
        cluster(
            "restart-failed",
            Cluster,
            &[
                Do(|s| fail(s, "restart_cluster")),
                Do(|s| tenant::restart(s, "wh")),
            ],
            "Ready=True/Available; Synced=False/RestartFailed",
            Current,
            Healthy,
        ),
        // Nobody knows.
        cluster(
            "create-lost",
            Nothing,
            &[
                Do(|s| lose(s, "create_cluster")),
                Do(|s| make(s, &json!({}))),
            ],
            CREATING,
            InProgress,
            Progressing,
        ),
        cluster(
            "resize-unknown",
            Cluster,
            &[
                Do(|s| lose(s, "resize_cluster")),
                Do(|s| tenant::resize(s, "wh", 6)),
                Shows("Ready=True/Resizing; Synced=True/Resizing; Reconciling"),
                Do(|s| {
                    console(
                        s,
                        json!({"change": "set_nodes", "cluster": "warehouse", "nodes": 4}),
                    );
                }),
            ],
            "Ready=True/Available; Synced=False/OutcomeUnknown; Stalled",
            Failed,
            Degraded,
        ),
        cluster(
            "restart-unknown",
            Cluster,
            &[
                Do(|s| lose(s, "restart_cluster")),
                Do(|s| tenant::restart(s, "wh")),
            ],
            "Ready=True/Available; Synced=False/OutcomeUnknown",
            Current,
            Healthy,
        ),
        cluster(
            "password-unknown",
            Cluster,
            &[
                Do(|s| {
                    fault(
                        s,
                        &json!({"operation": "reset_password", "kind": "lost_before", "times": null}),
                    );
                    tenant::rotate(s, "wh");
                }),
                Shows("Ready=True/Available; Synced=False/ServiceUnavailable"),
                Do(drop_connection_secret),
            ],
            "Ready=True/Available; Synced=False/OutcomeUnknown",
            Current,
            Healthy,
        ),
        // The service cannot be asked.
        cluster(
            "creating-and-service-away",
            Nothing,
            &[Do(|s| make(s, &json!({}))), Shows(CREATING), Do(take_away)],
            "Ready=False/Creating; Synced=False/ServiceUnavailable",
            InProgress,
            Progressing,
        ),
        cluster(
            "throttled",
            Cluster,
            &[Do(throttle)],
            "Ready=True/Available; Synced=False/Throttled",
            Current,
            Healthy,
        ),
        cluster(
            "throttled-from-the-start",
            Nothing,
            &[
                Do(throttle),
                Do(restart_operator),
                Do(|s| make(s, &json!({}))),
            ],
            "Ready=False/Throttled; Synced=False/Throttled",
            InProgress,
            Progressing,
        ),
        cluster(
            "service-away",
            Cluster,
            &[Do(take_away)],
            "Ready=True/Available; Synced=False/ServiceUnavailable",
            Current,
            Healthy,
        ),
        cluster(
            "service-away-with-work-to-do",
            Cluster,
            &[Do(take_away), Do(|s| tenant::resize(s, "wh", 5))],
            "Ready=True/Available; Synced=False/ServiceUnavailable",
            Current,
            Healthy,
        ),
        cluster(
            "service-away-from-the-start",
            Nothing,
            &[
                Do(take_away),
                Do(restart_operator),
                Do(|s| make(s, &json!({}))),
            ],
            "Ready=False/ServiceUnavailable; Synced=False/ServiceUnavailable",
            InProgress,
            Progressing,
        ),
        cluster(
            "unavailable-and-service-away",
            Cluster,
            &[
                Do(|s| {
                    console(
                        s,
                        json!({"change": "set_status", "cluster": "warehouse", "status": "UNAVAILABLE"}),
                    );
                }),
                Shows("Ready=False/Unavailable; Synced=True/InSync"),
                Do(take_away),
            ],
            "Ready=False/Unavailable; Synced=False/ServiceUnavailable",
            InProgress,
            Degraded,
        ),
        cluster(
            "credentials-refused",
            Cluster,
            &[Do(change_key)],
            "Ready=True/Available; Synced=False/CredentialsInvalid",
            Current,
            Healthy,
        ),
        cluster(
            "credentials-refused-from-the-start",
            Nothing,
            &[
                Do(change_key),
                Do(restart_operator),
                Do(|s| make(s, &json!({}))),
            ],
            "Ready=False/CredentialsInvalid; Synced=False/CredentialsInvalid",
            InProgress,
            Degraded,
        ),
        cluster(
            "well-again",
            Cluster,
            &[
                Do(take_away),
                Shows("Ready=True/Available; Synced=False/ServiceUnavailable"),
                Do(|s| s.cloud.service.lock().clear_faults()),
            ],
            READY,
            Current,
            Healthy,
        ),
    ]
}

const CREATING: &str = "Ready=False/Creating; Synced=True/Creating; Reconciling";

/// A create that the service refuses with this code.
fn refuse(sim: &mut Sim, code: &str) {
    fault(
        sim,
        &json!({"operation": "create_cluster", "kind": "refused", "code": code}),
    );
    make(sim, &json!({}));
}

/// The next task of this kind fails.
fn fail(sim: &mut Sim, operation: &str) {
    fault(sim, &json!({"operation": operation, "kind": "fail_task"}));
}

/// The next call of this kind is lost on its way.
fn lose(sim: &mut Sim, operation: &str) {
    fault(sim, &json!({"operation": operation, "kind": "lost_before"}));
}

fn restore(sim: &mut Sim) {
    let spec =
        json!({"clusterName": "restored", "restoreFrom": {"snapshotRef": {"name": "nightly"}}});
    tenant::put_spec(sim, "copy", &spec);
}

/// The service answers 429 from now on.
pub fn throttle(sim: &mut Sim) {
    fault(sim, &json!({"kind": "throttled", "times": null}));
}

/// The service answers 503 from now on.
pub fn take_away(sim: &mut Sim) {
    fault(
        sim,
        &json!({"kind": "status", "status": 503, "times": null}),
    );
}

/// The operator's access key has another secret from now on.
pub fn change_key(sim: &mut Sim) {
    let mut service = sim.cloud.service.lock();
    let key = service.settings().access_key.clone();
    assert!(service.set_secret_key(&key, "AnotherSecretKey"));
}
