//! The rows of the table of conditions that tell what a warehouse waits for, who holds it back, and whose it or its
//! connection Secret is.

use serde_json::json;

use crate::api_server::{CLUSTERS, SECRETS};
use crate::cluster_situations::status;
use crate::sim::Sim;
use crate::situation::Argo::{Degraded, Healthy, Progressing, Suspended};
use crate::situation::Flux::{Current, Failed, InProgress};
use crate::situation::Start::{Cluster, ClusterWithPassword, Nothing};
use crate::situation::Step::Do;
use crate::situation::{Situation, cluster, drop_connection_secret, id, make, of};
use crate::tenant;

pub fn all() -> Vec<Situation> {
    let second = format!("{CLUSTERS}/second");
    vec![
        // Two resources of one cluster.
        cluster(
            "shared-with-another",
            Cluster,
            &[Do(claim_twice)],
            "Ready=True/Available; Synced=False/IdentityConflict; Stalled",
            Failed,
            Degraded,
        ),
        of(
            &second,
            "claims-anothers",
            Cluster,
            &[Do(claim_twice)],
            "Ready=False/IdentityConflict; Synced=False/IdentityConflict; Stalled",
            Failed,
            Degraded,
        ),
        // What it waits for.
        cluster(
            "password-secret-missing",
            Nothing,
            &[Do(|s| {
                make(s, &json!({"adminPasswordSecretRef": {"name": "admin"}}));
            })],
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
            &[Do(|s| {
                tenant::put_spec(
                    s,
                    "wh",
                    &json!({"restoreFrom": {"snapshotRef": {"name": "nightly"}}}),
                );
            })],
            WAITING_FOR_REFERENCE,
            InProgress,
            Progressing,
        ),
        cluster(
            "cluster-not-shown-to-adopt",
            Nothing,
            &[Do(|s| {
                tenant::put_spec(
                    s,
                    "wh",
                    &json!({"clusterId": "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574"}),
                );
            })],
            "Ready=False/WaitingForCluster; Synced=False/WaitingForCluster; Reconciling",
            InProgress,
            Progressing,
        ),
        cluster(
            "credentials-missing",
            Nothing,
            &[Do(|s| {
                make(s, &json!({"credentialsSecretRef": {"name": "account"}}));
            })],
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
        cluster(
            "paused",
            Cluster,
            &[Do(pause)],
            "Ready=True/Available; Synced=False/Paused",
            Current,
            Suspended,
        ),
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
            &[Do(|s| {
                tenant::edit(s, "wh", |wh| {
                    wh["status"]["account"]["projectId"] = json!("another");
                });
            })],
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
        cluster(
            "password-missing",
            Cluster,
            &[Do(drop_connection_secret)],
            "Ready=True/Available; Synced=False/PasswordMissing",
            Current,
            Healthy,
        ),
    ]
}

const WAITING_FOR_REFERENCE: &str =
    "Ready=False/WaitingForReference; Synced=False/WaitingForReference; Reconciling";

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
    sim.kubernetes
        .put(&format!("{SECRETS}/wh-connection"), secret);
}

/// Somebody deletes the namespace.
pub fn terminate_namespace(sim: &mut Sim) {
    sim.kubernetes.edit("/api/v1/namespaces/team", |namespace| {
        namespace["metadata"]["deletionTimestamp"] = json!("2027-01-15T08:00:00Z");
        // Held by what is in it.
        namespace["metadata"]["finalizers"] = json!(["kubernetes"]);
    });
}
