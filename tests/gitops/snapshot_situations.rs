//! The rows of the table of conditions for a `DwsSnapshot`.

use serde_json::{Value, json};

use crate::api_server::{CLUSTERS, SNAPSHOTS};
use crate::operation_situations::{change_key, take_away, throttle};
use crate::sim::Sim;
use crate::situation::Argo::{Degraded, Healthy, Progressing, Suspended, Unknown};
use crate::situation::Flux::{Current, Failed, InProgress, Terminating};
use crate::situation::Start::{Cluster, ClusterAndSnapshot, Nothing};
use crate::situation::Step::{Do, Seen, Shows};
use crate::situation::{
    READY, Situation, back_up, console, delete, fault, made, make, of, restart_operator, snapshot,
};
use crate::waiting_situations::terminate_namespace;

pub fn all() -> Vec<Situation> {
    let second = format!("{SNAPSHOTS}/second");
    vec![
        snapshot(
            "snapshot-new",
            Cluster,
            &[Do(back_up)],
            "",
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-running",
            Cluster,
            &[Do(back_up)],
            RUNNING,
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-ready",
            ClusterAndSnapshot,
            &[],
            READY,
            Current,
            Healthy,
        ),
        snapshot(
            "snapshot-being-restored",
            ClusterAndSnapshot,
            &[
                Do(|s| {
                    console(
                        s,
                        json!({"change": "set_snapshot_status", "snapshot": "nightly", "status": "RESTORING"}),
                    );
                }),
                Seen("status", "RESTORING"),
            ],
            READY,
            Current,
            Healthy,
        ),
        // What it waits for.
        snapshot(
            "snapshot-of-nothing",
            Nothing,
            &[Do(back_up)],
            "Ready=False/WaitingForReference; Synced=False/WaitingForReference; Reconciling",
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-waits-for-the-create",
            Nothing,
            &[Do(|s| {
                make(s, &json!({}));
                back_up(s);
            })],
            WAITING,
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-waits-for-a-task",
            Cluster,
            &[Do(|s| {
                console(
                    s,
                    json!({"change": "set_task", "cluster": "warehouse", "task": "SETTING_CONFIGURATION"}),
                );
                back_up(s);
            })],
            WAITING,
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-of-a-cluster-in-deletion",
            Cluster,
            &[Do(|s| {
                crate::tenant::edit(s, "wh", |wh| wh["spec"]["deletionProtection"] = json!(true));
                delete(s, &format!("{CLUSTERS}/wh"));
                back_up(s);
            })],
            WAITING,
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-refused-as-busy",
            Cluster,
            &[Do(|s| {
                fault(
                    s,
                    &json!({"operation": "create_snapshot", "kind": "refused", "code": "DWS.0011"}),
                );
                back_up(s);
            })],
            "Ready=False/Busy; Synced=False/Busy; Reconciling",
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-to-adopt-not-shown",
            Cluster,
            &[Do(|s| {
                put(
                    s,
                    "nightly",
                    &json!({"clusterRef": {"name": "wh"}, "snapshotId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3575"}),
                );
            })],
            "Ready=False/WaitingForReference; Synced=False/WaitingForReference; Reconciling",
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-credentials-missing",
            Nothing,
            &[Do(|s| {
                put(
                    s,
                    "nightly",
                    &json!({"clusterId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574", "credentialsSecretRef": {"name": "account"}}),
                );
            })],
            "Ready=False/CredentialsMissing; Synced=False/CredentialsMissing; Reconciling",
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-in-a-terminating-namespace",
            Cluster,
            &[Do(|s| {
                terminate_namespace(s);
                back_up(s);
            })],
            "Ready=False/NamespaceTerminating; Synced=False/NamespaceTerminating; Reconciling",
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-beyond-the-quota",
            Cluster,
            &[Do(|s| refuse(s, "DWS.5148"))],
            "Ready=False/QuotaExceeded; Synced=False/QuotaExceeded; Reconciling",
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-refused",
            Cluster,
            &[Do(|s| refuse(s, "DWS.5038"))],
            "Ready=False/InvalidSpec; Synced=False/InvalidSpec; Stalled",
            Failed,
            Degraded,
        ),
        snapshot(
            "snapshot-refused-inside-the-service",
            Cluster,
            &[Do(|s| refuse(s, "DWS.5189"))],
            "Ready=False/ServiceUnavailable; Synced=False/ServiceUnavailable",
            InProgress,
            Progressing,
        ),
        // It failed, or is no more.
        snapshot(
            "snapshot-failed",
            Cluster,
            &[Do(|s| {
                fault(
                    s,
                    &json!({"operation": "create_snapshot", "kind": "fail_task"}),
                );
                back_up(s);
            })],
            "Ready=False/SnapshotFailed; Synced=False/SnapshotFailed; Stalled",
            Failed,
            Degraded,
        ),
        snapshot(
            "snapshot-name-taken",
            Cluster,
            &[
                Do(|s| {
                    console(
                        s,
                        json!({"change": "snapshot", "cluster": "warehouse", "name": "NIGHTLY"}),
                    );
                }),
                Do(back_up),
            ],
            "Ready=False/NameConflict; Synced=False/NameConflict; Stalled",
            Failed,
            Degraded,
        ),
        snapshot(
            "snapshot-not-shown",
            ClusterAndSnapshot,
            &[Do(vanish)],
            "Ready=True/Available; Synced=False/ConfirmingAbsence",
            Current,
            Healthy,
        ),
        snapshot(
            "snapshot-lost",
            ClusterAndSnapshot,
            &[Do(vanish)],
            "Ready=False/Lost; Synced=False/Lost; Stalled",
            Failed,
            Degraded,
        ),
        snapshot(
            "snapshot-lost-answer",
            Cluster,
            &[Do(|s| {
                fault(
                    s,
                    &json!({"operation": "create_snapshot", "kind": "lost_after"}),
                );
                back_up(s);
            })],
            RUNNING,
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-in-a-new-word",
            ClusterAndSnapshot,
            &[Do(|s| {
                console(
                    s,
                    json!({"change": "set_snapshot_status", "snapshot": "nightly", "status": "DREAMING"}),
                );
            })],
            "Ready=False/Unknown; Synced=False/Unknown",
            InProgress,
            Unknown,
        ),
        of(
            &second,
            "snapshot-claims-anothers",
            ClusterAndSnapshot,
            &[Do(|s| {
                let nightly = s.kubernetes.get(&format!("{SNAPSHOTS}/nightly")).unwrap();
                put(
                    s,
                    "second",
                    &json!({"clusterRef": {"name": "wh"}, "snapshotId": nightly["status"]["snapshotId"]}),
                );
            })],
            "Ready=False/IdentityConflict; Synced=False/IdentityConflict; Stalled",
            Failed,
            Degraded,
        ),
        snapshot(
            "snapshot-of-another-cluster-adopted",
            Cluster,
            &[Do(|s| {
                let id = made(
                    s,
                    json!({"change": "snapshot", "cluster": "warehouse", "name": "old"}),
                );
                put(
                    s,
                    "nightly",
                    &json!({"clusterId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574", "snapshotId": id}),
                );
            })],
            "Ready=False/InvalidSpec; Synced=False/InvalidSpec; Stalled",
            Failed,
            Degraded,
        ),
        snapshot(
            "snapshot-of-another-account",
            ClusterAndSnapshot,
            &[Do(|s| {
                s.kubernetes.edit(&format!("{SNAPSHOTS}/nightly"), |one| {
                    one["status"]["account"]["projectId"] = json!("another");
                });
            })],
            "Ready=True/Available; Synced=False/AccountMismatch; Stalled",
            Failed,
            Degraded,
        ),
        // Held back.
        snapshot(
            "snapshot-paused",
            Cluster,
            &[Do(|s| {
                back_up(s);
                pause(s);
            })],
            "Ready=False/Paused; Synced=False/Paused",
            InProgress,
            Suspended,
        ),
        snapshot(
            "snapshot-throttled",
            ClusterAndSnapshot,
            &[Do(throttle)],
            "Ready=True/Available; Synced=False/Throttled",
            Current,
            Healthy,
        ),
        snapshot(
            "snapshot-and-service-away",
            Cluster,
            &[Do(take_away), Do(back_up)],
            "Ready=False/ServiceUnavailable; Synced=False/ServiceUnavailable",
            InProgress,
            Progressing,
        ),
        snapshot(
            "snapshot-and-credentials-refused",
            Cluster,
            &[Do(change_key), Do(restart_operator), Do(back_up)],
            "Ready=False/CredentialsInvalid; Synced=False/CredentialsInvalid",
            InProgress,
            Degraded,
        ),
        // On its way out.
        snapshot(
            "snapshot-deleting",
            ClusterAndSnapshot,
            &[Do(remove)],
            "Ready=False/Deleting; Synced=True/Deleting; Reconciling",
            Terminating,
            Progressing,
        ),
        snapshot(
            "snapshot-deletion-waits-for-a-restore",
            ClusterAndSnapshot,
            &[
                Do(|s| {
                    crate::tenant::put_spec(
                        s,
                        "copy",
                        &json!({"clusterName": "restored", "restoreFrom": {"snapshotRef": {"name": "nightly"}}}),
                    );
                }),
                Do(|s| {
                    console(
                        s,
                        json!({"change": "set_snapshot_status", "snapshot": "nightly", "status": "RESTORING"}),
                    );
                }),
                Seen("status", "RESTORING"),
                Do(remove),
                Shows("Ready=False/Deleting; Synced=True/Deleting; Reconciling"),
            ],
            "Ready=False/Deleting; Synced=True/Deleting; Reconciling",
            Terminating,
            Progressing,
        ),
        snapshot(
            "snapshot-deletion-refused",
            ClusterAndSnapshot,
            &[Do(|s| {
                fault(
                    s,
                    &json!({"operation": "delete_snapshot", "kind": "refused", "code": "DWS.5038", "times": null}),
                );
                remove(s);
            })],
            "Ready=False/DeletionBlocked; Synced=False/DeletionBlocked",
            Terminating,
            Progressing,
        ),
    ]
}

const RUNNING: &str = "Ready=False/Snapshotting; Synced=True/Snapshotting; Reconciling";
const WAITING: &str = "Ready=False/WaitingForCluster; Synced=False/WaitingForCluster; Reconciling";

fn put(sim: &mut Sim, name: &str, spec: &Value) {
    crate::tenant::put_snapshot(sim, name, "wh");
    sim.kubernetes.edit(&format!("{SNAPSHOTS}/{name}"), |one| {
        one["spec"] = spec.clone();
    });
}

/// A snapshot that the service refuses with this code.
fn refuse(sim: &mut Sim, code: &str) {
    fault(
        sim,
        &json!({"operation": "create_snapshot", "kind": "refused", "code": code}),
    );
    back_up(sim);
}

fn vanish(sim: &mut Sim) {
    console(
        sim,
        json!({"change": "delete_snapshot", "snapshot": "nightly"}),
    );
}

fn pause(sim: &mut Sim) {
    sim.kubernetes.edit(&format!("{SNAPSHOTS}/nightly"), |one| {
        one["metadata"]["annotations"] = json!({"dws.huaweicloud.com/paused": "true"});
    });
}

fn remove(sim: &mut Sim) {
    delete(sim, &format!("{SNAPSHOTS}/nightly"));
}
