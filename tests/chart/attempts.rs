//! What a tenant tries in order to reach another team's cluster and credentials, as manifests.
//!
//! It knows how each attempt must end, and nothing of how that is seen.

use serde_json::{Value, json};

use crate::protection::warehouse;

/// The tenant's namespace.
pub const OURS: &str = "orders";
/// The other team's.
pub const THEIRS: &str = "billing";

/// What a tenant tries, and the condition that says why it came to nothing.
pub struct Attempt {
    pub kind: &'static str,
    pub name: &'static str,
    pub spec: Value,
    pub condition: (&'static str, &'static str),
}

fn attempt(
    kind: &'static str,
    name: &'static str,
    spec: Value,
    condition: (&'static str, &'static str),
) -> Attempt {
    Attempt {
        kind,
        name,
        spec,
        condition,
    }
}

/// The other team's cluster and snapshot at the service.
pub struct Victim {
    pub cluster: String,
    pub snapshot: String,
}

/// All of them.
pub fn attempts(victim: &Victim) -> Vec<Attempt> {
    let (cluster, snapshot) = (&victim.cluster, &victim.snapshot);
    let (clusters, snapshots) = ("DwsCluster", "DwsSnapshot");
    let invalid = ("Stalled", "InvalidSpec");
    let with = |name: &str| json!({"credentialsSecretRef": {"name": name}});
    let and = |mut one: Value, more: Value| {
        for (key, value) in more.as_object().unwrap() {
            one[key] = value.clone();
        }
        one
    };
    let missing = ("Reconciling", "CredentialsMissing");
    let conflict = ("Stalled", "IdentityConflict");
    let by_name = json!({"clusterName": "warehouse", "adoptionPolicy": "IfExists"});
    let by_id = json!({"clusterId": cluster, "clusterName": "warehouse"});
    vec![
        // With the operator's credentials: nothing that others made, however it is named.
        attempt(clusters, "by-id", by_id.clone(), invalid),
        attempt(clusters, "by-name", by_name.clone(), invalid),
        attempt(
            clusters,
            "by-watching",
            json!({"clusterName": "warehouse", "managementPolicy": "ObserveOnly"}),
            invalid,
        ),
        attempt(
            clusters,
            "by-their-name",
            json!({"clusterName": "warehouse"}),
            ("Stalled", "NameConflict"),
        ),
        attempt(
            clusters,
            "by-restoring",
            json!({"restoreFrom": {"snapshotId": snapshot}, "nodeType": null}),
            invalid,
        ),
        attempt(
            snapshots,
            "of-theirs",
            json!({"clusterId": cluster}),
            invalid,
        ),
        attempt(
            snapshots,
            "theirs-itself",
            json!({"clusterId": cluster, "snapshotId": snapshot}),
            invalid,
        ),
        attempt(
            clusters,
            "by-restoring-theirs-itself",
            json!({"restoreFrom": {"snapshotRef": {"name": "theirs-itself"}}, "nodeType": null}),
            ("Reconciling", "WaitingForReference"),
        ),
        // Names of the other team's Secrets mean Secrets of this namespace.
        attempt(clusters, "their-credentials", with("account"), missing),
        attempt(
            clusters,
            "their-credentials-by-namespace",
            json!({"credentialsSecretRef": {"name": "account", "namespace": THEIRS}}),
            missing,
        ),
        attempt(
            snapshots,
            "their-credentials-once-more",
            and(with("account"), json!({"clusterId": cluster})),
            missing,
        ),
        attempt(
            clusters,
            "their-password",
            json!({"adminPasswordSecretRef": {"name": "chosen", "namespace": THEIRS}}),
            ("Reconciling", "WaitingForReference"),
        ),
        // Secrets that point to a host of the tenant's.
        attempt(
            clusters,
            "elsewhere",
            with("elsewhere"),
            ("Synced", "CredentialsInvalid"),
        ),
        attempt(
            clusters,
            "elsewhere-alone",
            with("elsewhere-alone"),
            missing,
        ),
        attempt(
            clusters,
            "elsewhere-by-region",
            with("elsewhere-by-region"),
            invalid,
        ),
        // Who holds a key of the very account gets no hold of what another resource stands for.
        attempt(
            clusters,
            "with-a-key",
            and(with("same-account"), by_id),
            conflict,
        ),
        attempt(
            clusters,
            "with-a-key-by-name",
            and(with("same-account"), by_name),
            conflict,
        ),
    ]
}

impl Attempt {
    /// The manifest, with a status that claims the other team's cluster.
    pub fn manifest(&self, victim: &Victim) -> Value {
        let mut object = warehouse(OURS, self.name, &json!({}));
        object["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("finalizers");
        let snapshot = self.kind == "DwsSnapshot";
        if snapshot {
            object["spec"] = json!({});
        }
        object["kind"] = self.kind.into();
        object["spec"]["deletionPolicy"] = "Delete".into();
        for (key, value) in self.spec.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        object["spec"]
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        object["status"] = json!({"clusterId": victim.cluster, "adopted": true});
        if snapshot {
            object["status"]["snapshotId"] = victim.snapshot.clone().into();
        }
        object
    }
}
