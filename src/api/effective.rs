//! Values in effect: what the spec says, or what holds where it says nothing.
//!
//! The schema has no defaults, so that "not written" stays visible; whoever needs a value asks here, the
//! plans and the controller alike, so that a default is written once. No judgement: a spec that passed the API server is
//! taken as it is.

use kube::ResourceExt;

use super::cluster::{AdoptionPolicy, ClusterDeletionPolicy, ManagementPolicy};
use super::snapshot::SnapshotDeletionPolicy;
use super::{DwsCluster, DwsSnapshot};

/// Port of the database where the spec names none (reference 5.1.1).
pub const DEFAULT_PORT: i32 = 8000;
/// Administrator where the spec names none.
pub const DEFAULT_ADMIN_USER: &str = "dbadmin";
/// Key of the password in the referenced Secret where the spec names none.
pub const DEFAULT_PASSWORD_KEY: &str = "password";
/// What follows `metadata.name` in the name of the connection Secret where the spec names none.
pub const CONNECTION_SECRET_SUFFIX: &str = "-connection";

impl DwsCluster {
    /// Name of the cluster at the service: `spec.clusterName`, else `metadata.name`.
    pub fn cluster_name(&self) -> &str {
        let own = self.spec.cluster_name.as_deref();
        own.or(self.metadata.name.as_deref()).unwrap_or_default()
    }

    /// Name of the Secret that the operator writes: `spec.connectionSecretName`, else
    /// `<metadata.name>-connection`.
    pub fn connection_secret_name(&self) -> String {
        match &self.spec.connection_secret_name {
            Some(name) => name.clone(),
            None => format!("{}{CONNECTION_SECRET_SUFFIX}", self.name_any()),
        }
    }

    /// TCP port of the database that a create or restore asks for: `spec.port`, else
    /// [`DEFAULT_PORT`].
    pub fn port_or_default(&self) -> i32 {
        self.spec.port.unwrap_or(DEFAULT_PORT)
    }

    /// Administrator that a create asks for: `spec.adminUser`, else [`DEFAULT_ADMIN_USER`].
    pub fn admin_user_or_default(&self) -> &str {
        self.spec
            .admin_user
            .as_deref()
            .unwrap_or(DEFAULT_ADMIN_USER)
    }

    /// Name of the Secret that the password is read from; none where it is generated.
    pub fn admin_password_secret_name(&self) -> Option<&str> {
        let reference = self.spec.admin_password_secret_ref.as_ref();
        reference.map(|reference| reference.name.as_str())
    }

    /// Key of the password in that Secret: `spec.adminPasswordSecretRef.key`, else
    /// [`DEFAULT_PASSWORD_KEY`].
    pub fn admin_password_key(&self) -> &str {
        let reference = self.spec.admin_password_secret_ref.as_ref();
        let key = reference.and_then(|reference| reference.key.as_deref());
        key.unwrap_or(DEFAULT_PASSWORD_KEY)
    }

    /// Name of the Secret with the account's credentials; none means the operator's own.
    pub fn credentials_secret_name(&self) -> Option<&str> {
        let reference = self.spec.credentials_secret_ref.as_ref();
        reference.map(|reference| reference.name.as_str())
    }

    /// `spec.adoptionPolicy`, else `Never`.
    pub fn adoption_policy(&self) -> AdoptionPolicy {
        self.spec.adoption_policy.unwrap_or_default()
    }

    /// `spec.managementPolicy`, else `Full`.
    pub fn management_policy(&self) -> ManagementPolicy {
        self.spec.management_policy.unwrap_or_default()
    }

    /// `spec.deletionPolicy`, else `Retain` for an adopted cluster and `Snapshot` for one that the
    /// operator made.
    pub fn deletion_policy(&self) -> ClusterDeletionPolicy {
        self.spec.deletion_policy.unwrap_or(if self.is_adopted() {
            ClusterDeletionPolicy::Retain
        } else {
            ClusterDeletionPolicy::Snapshot
        })
    }

    /// Whether `spec.deletionProtection` is on.
    pub fn is_deletion_protected(&self) -> bool {
        self.spec.deletion_protection.unwrap_or(false)
    }

    /// Whether a deletion of the resource as it stands would leave the cluster in place: it is retained (an
    /// adopted one where the spec says nothing), protected or only observed.
    pub fn outlives_deletion(&self, adopted: bool) -> bool {
        let policy = self.spec.deletion_policy;
        let retained = policy.map_or(adopted, |policy| policy == ClusterDeletionPolicy::Retain);
        retained
            || self.is_deletion_protected()
            || self.management_policy() == ManagementPolicy::ObserveOnly
    }

    /// Whether the cluster was there before the resource, as the status records it. A written
    /// `clusterId` alone means nothing yet: a create whose answer was lost can still be ours.
    pub fn is_adopted(&self) -> bool {
        let recorded = self.status.as_ref().and_then(|status| status.adopted);
        recorded == Some(true)
    }
}

impl DwsSnapshot {
    /// Name of the snapshot at the service: `spec.snapshotName`, else `metadata.name`. The service
    /// compares it without regard to case.
    pub fn snapshot_name(&self) -> &str {
        let own = self.spec.snapshot_name.as_deref();
        own.or(self.metadata.name.as_deref()).unwrap_or_default()
    }

    /// `spec.deletionPolicy`, else `Retain` for an adopted snapshot and `Delete` for one that the
    /// operator took.
    pub fn deletion_policy(&self) -> SnapshotDeletionPolicy {
        self.spec.deletion_policy.unwrap_or(if self.is_adopted() {
            SnapshotDeletionPolicy::Retain
        } else {
            SnapshotDeletionPolicy::Delete
        })
    }

    /// Whether the snapshot was there before the resource, as the status records it.
    pub fn is_adopted(&self) -> bool {
        let recorded = self.status.as_ref().and_then(|status| status.adopted);
        recorded == Some(true)
    }

    /// Name of the Secret that the spec names for the account's credentials.
    pub fn credentials_secret_name(&self) -> Option<&str> {
        let reference = self.spec.credentials_secret_ref.as_ref();
        reference.map(|reference| reference.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cluster::SecretKeyRef;
    use crate::api::{DwsClusterSpec, DwsClusterStatus, DwsSnapshotSpec, DwsSnapshotStatus};

    #[test]
    fn an_empty_spec_has_the_documented_values() {
        let cluster = DwsCluster::new("orders", DwsClusterSpec::default());
        assert_eq!(cluster.cluster_name(), "orders");
        assert_eq!(cluster.connection_secret_name(), "orders-connection");
        assert_eq!(cluster.port_or_default(), 8000);
        assert_eq!(cluster.admin_user_or_default(), "dbadmin");
        assert_eq!(cluster.admin_password_key(), "password");
        assert_eq!(cluster.admin_password_secret_name(), None);
        assert_eq!(cluster.credentials_secret_name(), None);
        assert_eq!(cluster.adoption_policy(), AdoptionPolicy::Never);
        assert_eq!(cluster.management_policy(), ManagementPolicy::Full);
        assert_eq!(cluster.deletion_policy(), ClusterDeletionPolicy::Snapshot);
        assert!(!cluster.is_deletion_protected() && !cluster.is_adopted());

        let snapshot = DwsSnapshot::new("nightly", DwsSnapshotSpec::default());
        assert_eq!(snapshot.snapshot_name(), "nightly");
        assert_eq!(snapshot.deletion_policy(), SnapshotDeletionPolicy::Delete);
    }

    #[test]
    fn what_is_written_wins() {
        let cluster = DwsCluster::new(
            "orders",
            DwsClusterSpec {
                cluster_name: Some("Orders_DW".into()),
                connection_secret_name: Some("dw".into()),
                port: Some(9000),
                admin_user: Some("root_".into()),
                admin_password_secret_ref: Some(SecretKeyRef {
                    name: "pw".into(),
                    key: Some("admin".into()),
                }),
                ..Default::default()
            },
        );
        assert_eq!(cluster.cluster_name(), "Orders_DW");
        assert_eq!(cluster.connection_secret_name(), "dw");
        assert_eq!(cluster.port_or_default(), 9000);
        assert_eq!(cluster.admin_user_or_default(), "root_");
        assert_eq!(cluster.admin_password_secret_name(), Some("pw"));
        assert_eq!(cluster.admin_password_key(), "admin");
    }

    #[test]
    fn an_adopted_object_is_retained_unless_the_spec_says_otherwise() {
        let mut cluster = DwsCluster::new("orders", DwsClusterSpec::default());
        cluster.status = Some(DwsClusterStatus {
            adopted: Some(true),
            cluster_id: Some("id".into()),
            ..Default::default()
        });
        assert_eq!(cluster.deletion_policy(), ClusterDeletionPolicy::Retain);
        cluster.spec.deletion_policy = Some(ClusterDeletionPolicy::Delete);
        assert_eq!(cluster.deletion_policy(), ClusterDeletionPolicy::Delete);

        let mut snapshot = DwsSnapshot::new("nightly", DwsSnapshotSpec::default());
        snapshot.status = Some(DwsSnapshotStatus {
            adopted: Some(true),
            ..Default::default()
        });
        assert_eq!(snapshot.deletion_policy(), SnapshotDeletionPolicy::Retain);
    }

    #[test]
    fn a_written_id_alone_is_no_adoption() {
        let mut cluster = DwsCluster::new("orders", DwsClusterSpec::default());
        cluster.spec.cluster_id = Some("id".into());
        assert_eq!(cluster.deletion_policy(), ClusterDeletionPolicy::Snapshot);
        let mut snapshot = DwsSnapshot::new("nightly", DwsSnapshotSpec::default());
        snapshot.spec.snapshot_id = Some("id".into());
        assert_eq!(snapshot.deletion_policy(), SnapshotDeletionPolicy::Delete);
    }
}
