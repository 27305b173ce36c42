//! When each field may change, written off the contract by hand, and in which spec it can be there and not be
//! there. None of it comes from the rules that are tested.

use serde_json::{Value, json};

/// When a field may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// At any time.
    Always,
    /// Until the first intent or the id is there.
    BeforeOnly,
    /// Then it may still be set, once.
    SetOnce,
    /// Then only up, or as far down as the cluster is.
    Up,
}

/// When this field may change; every field is named.
pub fn may(kind: &str, path: &str) -> May {
    match (kind, path) {
        ("DwsCluster", "clusterId") => May::SetOnce,
        ("DwsCluster", "nodeCount") => May::Up,
        (
            "DwsCluster",
            "adoptionPolicy"
            | "managementPolicy"
            | "deletionPolicy"
            | "deletionProtection"
            | "keepLastManualSnapshots"
            | "adminPasswordSecretRef.name"
            | "adminPasswordSecretRef.key",
        )
        | ("DwsSnapshot", "deletionPolicy" | "credentialsSecretRef.name") => May::Always,
        (
            "DwsCluster",
            "clusterName"
            | "nodeType"
            | "coordinatorCount"
            | "network.vpcId"
            | "network.subnetId"
            | "network.securityGroupId"
            | "network.availabilityZone"
            | "port"
            | "publicIp.bindType"
            | "publicIp.eipId"
            | "adminUser"
            | "enterpriseProjectId"
            | "restoreFrom.snapshotRef.name"
            | "restoreFrom.snapshotId"
            | "credentialsSecretRef.name"
            | "connectionSecretName",
        )
        | (
            "DwsSnapshot",
            "clusterRef.name" | "clusterId" | "snapshotName" | "snapshotId" | "description",
        ) => May::BeforeOnly,
        _ => panic!("{kind}.{path}: say when it may change"),
    }
}

/// An id as the status of the tests has it.
pub const ID: &str = "85b20d7e-9eb7-4b2a-98f3-3c8843ea3574";

/// A spec in which the field may be there with any of its values, or not be there.
#[derive(Clone, Debug)]
pub struct Place {
    pub kind: &'static str,
    pub path: String,
    /// The spec without the field.
    without: Value,
    /// What must be there beside it, and what must not (null).
    beside: Value,
}

/// Where the values of a field are tried.
pub fn place(kind: &'static str, path: &str) -> Place {
    let adopt = json!({"clusterId": ID});
    let create = json!({
        "nodeType": "dws.d1.xlarge", "nodeCount": 3,
        "network": {"vpcId": ID, "subnetId": ID, "securityGroupId": ID},
    });
    let by_reference = json!({"clusterRef": {"name": "orders"}});
    let (without, beside) = match (kind, path) {
        ("DwsCluster", "clusterId") => (create, json!({})),
        ("DwsCluster", "publicIp.eipId") => {
            (adopt, json!({"publicIp": {"bindType": "BindExisting"}}))
        }
        ("DwsCluster", "adminPasswordSecretRef.key") => {
            (adopt, json!({"adminPasswordSecretRef": {"name": "pw"}}))
        }
        ("DwsCluster", _) | (_, "credentialsSecretRef.name") => (adopt, json!({})),
        // One of the two is always there: one goes as the other comes.
        (_, "clusterId") => (by_reference, json!({"clusterRef": null})),
        (_, "clusterRef.name") => (adopt, json!({"clusterId": null})),
        _ => (by_reference, json!({})),
    };
    Place {
        kind,
        path: path.to_owned(),
        without,
        beside,
    }
}

impl Place {
    /// The spec with this value in the field, or without the field.
    pub fn spec(&self, value: Option<&Value>) -> Value {
        let mut spec = self.without.clone();
        let Some(value) = value else {
            return spec;
        };
        json_patch::merge(&mut spec, &self.beside);
        // With this way to get an elastic IP, its id is there.
        if self.path == "publicIp.bindType" && value == "BindExisting" {
            spec["publicIp"] = json!({"eipId": ID});
        }
        let mut at = &mut spec;
        for name in self.path.split('.') {
            if !at.is_object() {
                *at = json!({});
            }
            at = at
                .as_object_mut()
                .unwrap()
                .entry(name)
                .or_insert(Value::Null);
        }
        at.clone_from(value);
        spec
    }
}
