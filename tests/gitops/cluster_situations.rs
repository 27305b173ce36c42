//! The rows of the table of conditions that tell how a warehouse is, what it waits for, and what others did to it.

use serde_json::{Value, json};

use crate::api_server::{CLUSTERS, SECRETS};
use crate::situation::Argo::{Degraded, Healthy, Progressing, Suspended, Unknown};
use crate::situation::Flux::{Current, Failed, InProgress};
use crate::situation::Start::{Cluster, ClusterWithPassword, Nothing};
use crate::situation::Step::{Do, Seen};
use crate::situation::{
    READY, Situation, cluster, console, drop_connection_secret, fault, id, make, of, restart_operator,
};
use crate::sim::Sim;
use crate::tenant;

pub fn all() -> Vec<Situation> {
    let second = format!("{CLUSTERS}/second");
    vec![
        // Before the operator has seen it, and before it has seen a change.
        cluster("new", Nothing, &[Do(|s| make(s, &json!({})))], "", InProgress, Progressing),
        cluster("edited", Cluster, &[Do(|s| tenant::resize(s, "wh", 5))], READY, InProgress, Progressing),
        cluster(
            "account-not-read-yet",
            Nothing,
            &[Do(|s| {
                fault(s, &json!({"operation": "list_clusters", "kind": "slow", "after": 20}));
                s.habits.workers = 2;
                restart_operator(s);
                make(s, &json!({}));
            })],
            "Ready=False/Waiting; Synced=False/Waiting; Reconciling",
            InProgress,
            Progressing,
        ),
        // As the service says.
        cluster("ready", Cluster, &[], READY, Current, Healthy),
        cluster(
            "nightly-snapshot",
            Cluster,
            &[Do(|s| drop(console(s, json!({"change": "snapshot", "cluster": "warehouse", "name": "auto", "automated": true}))))],
            "Ready=True/Snapshotting; Synced=True/InSync",
            Current,
            Healthy,
        ),
        cluster(
            "grown-by-others",
            Cluster,
            &[Do(|s| drop(console(s, json!({"change": "resize", "cluster": "warehouse", "added": 1}))))],
            "Ready=True/Resizing; Synced=True/InSync",
            Current,
            Healthy,
        ),
        cluster(
            "restarted-by-others",
            Cluster,
            &[Do(|s| drop(console(s, json!({"change": "restart", "cluster": "warehouse"}))))],
            "Ready=False/Restarting; Synced=True/InSync",
            InProgress,
            Progressing,
        ),
        cluster(
            "another-task",
            Cluster,
            &[
                Do(|s| drop(console(s, json!({"change": "set_task", "cluster": "warehouse", "task": "SETTING_CONFIGURATION"})))),
                Seen("taskStatus", "SETTING_CONFIGURATION"),
            ],
            READY,
            Current,
            Healthy,
        ),
        cluster("degraded", Cluster, &[Do(|s| sub_status(s, "DEGRADED"))], "Ready=True/Degraded; Synced=True/InSync", Current, Healthy),
        cluster("unbalanced", Cluster, &[Do(|s| sub_status(s, "UNBALANCED")), Seen("subStatus", "UNBALANCED")], READY, Current, Healthy),
        cluster(
            "redistributing",
            Cluster,
            &[Do(|s| sub_status(s, "REDISTRIBUTING")), Seen("subStatus", "REDISTRIBUTING")],
            READY,
            Current,
            Healthy,
        ),
        cluster("read-only", Cluster, &[Do(|s| sub_status(s, "READONLY"))], "Ready=False/ReadOnly; Synced=True/InSync", InProgress, Degraded),
        cluster("unavailable", Cluster, &[Do(|s| status(s, "UNAVAILABLE"))], UNAVAILABLE, InProgress, Degraded),
        cluster("frozen", Cluster, &[Do(|s| status(s, "FROZEN"))], UNAVAILABLE, InProgress, Degraded),
        cluster("a-new-word", Cluster, &[Do(|s| status(s, "DREAMING"))], "Ready=False/Unknown; Synced=True/InSync", InProgress, Unknown),
        cluster(
            "deleted-by-others",
            Cluster,
            &[Do(|s| drop(console(s, json!({"change": "delete", "cluster": "warehouse"}))))],
            "Ready=False/Deleting; Synced=True/InSync",
            InProgress,
            Degraded,
        ),
        // It is not shown any more.
        cluster("not-shown", Cluster, &[Do(vanish)], "Ready=True/Available; Synced=False/ConfirmingAbsence", Current, Healthy),
        cluster("lost", Cluster, &[Do(vanish)], "Ready=False/Lost; Synced=False/Lost; Stalled", Failed, Degraded),
        cluster(
            "gone-or-hidden",
            Cluster,
            &[Do(|s| {
                vanish(s);
                let mut service = s.cloud.service.lock();
                let mut oddities = service.oddities().clone();
                oddities.deleted_is_unknown = true;
                oddities.not_found = dws_operator::simulator::NotFound::Forbidden;
                service.set_oddities(oddities);
                drop(service);
                restart_operator(s);
            })],
            "Ready=True/Available; Synced=False/Forbidden",
            Current,
            Healthy,
        ),
        // Somebody changed it, or made it otherwise.
        cluster(
            "drifted",
            Cluster,
            &[Do(|s| drop(console(s, json!({"change": "set_nodes", "cluster": "warehouse", "nodes": 9}))))],
            "Ready=True/Available; Synced=False/Drifted",
            Current,
            Healthy,
        ),
        cluster("adopted", Nothing, &[Do(|s| adopt(s, &json!({})))], READY, Current, Healthy),
        cluster(
            "adopted-and-different",
            Nothing,
            &[Do(|s| adopt(s, &json!({"nodeCount": 7})))],
            "Ready=True/Available; Synced=False/Drifted",
            Current,
            Healthy,
        ),
        cluster(
            "observed-only",
            Nothing,
            &[Do(|s| adopt(s, &json!({"managementPolicy": "ObserveOnly"})))],
            "Ready=True/Available; Synced=True/ObserveOnly",
            Current,
            Healthy,
        ),
        // Two resources of one cluster.
        cluster("shared-with-another", Cluster, &[Do(claim_twice)], "Ready=True/Available; Synced=False/IdentityConflict; Stalled", Failed, Degraded),
        of(&second, "claims-anothers", Cluster, &[Do(claim_twice)], "Ready=False/IdentityConflict; Synced=False/IdentityConflict; Stalled", Failed, Degraded),
        // What it waits for.
        cluster(
            "password-secret-missing",
            Nothing,
            &[Do(|s| make(s, &json!({"adminPasswordSecretRef": {"name": "admin"}})))],
            WAITING_FOR_REFERENCE,
            InProgress,
            Progressing,
        ),
        cluster(
            "password-secret-gone-later",
            ClusterWithPassword,
            &[Do(|s| tenant::delete(s, &format!("{SECRETS}/admin")))],
            "Ready=True/Available; Synced=False/WaitingForReference; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "snapshot-missing",
            Nothing,
            &[Do(|s| tenant::put_spec(s, "wh", &json!({"restoreFrom": {"snapshotRef": {"name": "nightly"}}})))],
            WAITING_FOR_REFERENCE,
            InProgress,
            Progressing,
        ),
        cluster(
            "cluster-not-shown-to-adopt",
            Nothing,
            &[Do(|s| tenant::put_spec(s, "wh", &json!({"clusterId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574"})))],
            "Ready=False/WaitingForCluster; Synced=False/WaitingForCluster; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "credentials-missing",
            Nothing,
            &[Do(|s| make(s, &json!({"credentialsSecretRef": {"name": "account"}})))],
            "Ready=False/CredentialsMissing; Synced=False/CredentialsMissing; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "namespace-terminating",
            Nothing,
            &[Do(|s| {
                terminate_namespace(s);
                make(s, &json!({}));
            })],
            "Ready=False/NamespaceTerminating; Synced=False/NamespaceTerminating; Reconciling",
            InProgress,
            Progressing,
        ),
        // Held back by a person, or by another account.
        cluster("paused", Cluster, &[Do(|s| pause(s))], "Ready=True/Available; Synced=False/Paused", Current, Suspended),
        cluster(
            "paused-from-the-start",
            Nothing,
            &[Do(|s| {
                make(s, &json!({}));
                pause(s);
            })],
            "Ready=False/Paused; Synced=False/Paused",
            InProgress,
            Suspended,
        ),
        cluster(
            "paused-and-unavailable",
            Cluster,
            &[Do(|s| {
                pause(s);
                status(s, "UNAVAILABLE");
            })],
            "Ready=False/Unavailable; Synced=False/Paused",
            InProgress,
            Degraded,
        ),
        cluster(
            "of-another-account",
            Cluster,
            &[Do(|s| tenant::edit(s, "wh", |wh| wh["status"]["account"]["projectId"] = json!("another")))],
            "Ready=True/Available; Synced=False/AccountMismatch; Stalled",
            Failed,
            Degraded,
        ),
        // The connection Secret.
        cluster(
            "secret-of-somebody-else",
            Nothing,
            &[Do(|s| {
                foreign_secret(s);
                make(s, &json!({}));
            })],
            "Ready=False/SecretConflict; Synced=False/SecretConflict; Stalled",
            Failed,
            Degraded,
        ),
        cluster(
            "secret-refused",
            Nothing,
            &[Do(|s| {
                s.kubernetes.refuses.lock().push("/secrets");
                make(s, &json!({}));
            })],
            "Ready=False/SecretRefused; Synced=False/SecretRefused",
            InProgress,
            Degraded,
        ),
        cluster("password-missing", Cluster, &[Do(drop_connection_secret)], "Ready=True/Available; Synced=False/PasswordMissing", Current, Healthy),
    ]
}

const UNAVAILABLE: &str = "Ready=False/Unavailable; Synced=True/InSync";
const WAITING_FOR_REFERENCE: &str =
    "Ready=False/WaitingForReference; Synced=False/WaitingForReference; Reconciling";

fn status(sim: &mut Sim, word: &str) {
    console(sim, json!({"change": "set_status", "cluster": "warehouse", "status": word}));
}

fn sub_status(sim: &mut Sim, word: &str) {
    console(sim, json!({"change": "set_sub_status", "cluster": "warehouse", "sub_status": word}));
}

fn vanish(sim: &mut Sim) {
    console(sim, json!({"change": "vanish", "cluster": "warehouse"}));
}

/// A cluster of three nodes that somebody made, taken over by its id.
fn adopt(sim: &mut Sim, more: &Value) {
    let made = json!({
        "change": "create", "name": "warehouse", "node_type": "dws.d1.xlarge", "nodes": 3, "password": "Correct-horse-1",
    });
    let made = console(sim, made);
    console(sim, json!({"change": "finish_task", "cluster": "warehouse"}));
    let mut spec = json!({"clusterId": made});
    json_patch::merge(&mut spec, more);
    tenant::put_spec(sim, "wh", &spec);
}

fn claim_twice(sim: &mut Sim) {
    let id = id(sim);
    tenant::put_spec(sim, "second", &json!({"clusterId": id}));
}

fn pause(sim: &mut Sim) {
    tenant::set_annotation(sim, "wh", "paused", Some("true"));
}

fn foreign_secret(sim: &mut Sim) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "wh-connection", "namespace": "team", "uid": "of-another"}, "data": {},
    });
    sim.kubernetes.put(&format!("{SECRETS}/wh-connection"), secret);
}

/// Somebody deletes the namespace.
pub fn terminate_namespace(sim: &mut Sim) {
    sim.kubernetes.edit("/api/v1/namespaces/team", |namespace| {
        namespace["metadata"]["deletionTimestamp"] = json!("2027-01-15T08:00:00Z");
        // Held by what is in it.
        namespace["metadata"]["finalizers"] = json!(["kubernetes"]);
    });
}
