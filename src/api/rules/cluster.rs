//! Rules of `DwsCluster`, and when each field of its spec may change.

use super::{Change, Reason, Rule, fixed, matches, object_name, service_name, uuid};
use crate::api::validate;

/// When each field of the spec may change; the fields that hold others are not named.
pub const CHANGES: &[(&str, Change)] = &[
    ("spec.clusterName", Change::Fixed),
    ("spec.clusterId", Change::SetOnce),
    ("spec.adoptionPolicy", Change::Free),
    ("spec.managementPolicy", Change::Free),
    ("spec.deletionPolicy", Change::Free),
    ("spec.deletionProtection", Change::Free),
    ("spec.keepLastManualSnapshots", Change::Free),
    ("spec.nodeType", Change::Fixed),
    ("spec.nodeCount", Change::Grows),
    ("spec.coordinatorCount", Change::Fixed),
    ("spec.network.vpcId", Change::Fixed),
    ("spec.network.subnetId", Change::Fixed),
    ("spec.network.securityGroupId", Change::Fixed),
    ("spec.network.availabilityZone", Change::Fixed),
    ("spec.port", Change::Fixed),
    ("spec.publicIp.bindType", Change::Fixed),
    ("spec.publicIp.eipId", Change::Fixed),
    ("spec.adminUser", Change::Fixed),
    ("spec.adminPasswordSecretRef.name", Change::Free),
    ("spec.adminPasswordSecretRef.key", Change::Free),
    ("spec.enterpriseProjectId", Change::Fixed),
    ("spec.restoreFrom.snapshotRef.name", Change::Fixed),
    ("spec.restoreFrom.snapshotId", Change::Fixed),
    ("spec.credentialsSecretRef.name", Change::Fixed),
    ("spec.connectionSecretName", Change::Fixed),
];

/// The first intent is written, or the id is known. The API server keeps the status of the stored
/// object when a manifest is applied, so nobody who may only edit the object can undo it.
const BEGUN: &str =
    "has(oldSelf.status) && (has(oldSelf.status.clusterId) || has(oldSelf.status.operation))";

const ONCE: &str = "once the cluster has been asked for or its id is known";
const ANOTHER: &str = "make another DwsCluster";

/// The connection Secret's name in effect.
const CONNECTION_SECRET: &str = "(has(self.spec.connectionSecretName) ? self.spec.connectionSecretName : self.metadata.name + '-connection')";

/// All rules, in the order of the fields.
pub fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    rules.extend(texts());
    rules.extend(required());
    rules.extend(restore());
    rules.extend(public_ip());
    rules.extend(numbers());
    rules.extend(secrets());
    rules.extend(adoption());
    rules.extend(
        CHANGES
            .iter()
            .filter(|(_, change)| *change == Change::Fixed)
            .map(|(field, _)| fixed(BEGUN, field, ONCE, ANOTHER)),
    );
    rules
}

/// What each text looks like.
fn texts() -> Vec<Rule> {
    let mut rules = service_name("spec.clusterName", "the cluster").to_vec();
    rules.extend([
        uuid("spec.clusterId", "the cluster to adopt"),
        uuid("spec.network.vpcId", "the VPC"),
        uuid("spec.network.subnetId", "the subnet (its network id)"),
        uuid("spec.network.securityGroupId", "the security group"),
        uuid("spec.publicIp.eipId", "the elastic IP"),
        uuid("spec.restoreFrom.snapshotId", "the snapshot to restore"),
        matches(
            "spec.adminUser",
            validate::ADMIN_USER,
            "write a name of 1 to 63 lower-case letters, digits or '_' that does not start with a digit, such as dbadmin",
        ),
        matches(
            "spec.adminPasswordSecretRef.key",
            validate::SECRET_KEY,
            "write a key of the Secret: letters, digits, '-', '_' or '.', such as password",
        ),
        object_name("spec.adminPasswordSecretRef.name", "the Secret with the password"),
        object_name("spec.credentialsSecretRef.name", "the Secret with the credentials"),
        object_name("spec.restoreFrom.snapshotRef.name", "the DwsSnapshot to restore"),
        object_name("spec.connectionSecretName", "the Secret that the operator shall write"),
    ]);
    rules
}

/// What a cluster that is created cannot do without.
fn required() -> Vec<Rule> {
    [
        ("spec.nodeType", "the flavour of the nodes such as dws.d1.xlarge"),
        ("spec.nodeCount", "the number of nodes, 2 to 256"),
        ("spec.network.vpcId", "the id of the VPC"),
        ("spec.network.subnetId", "the id of the subnet"),
        ("spec.network.securityGroupId", "the id of the security group"),
    ]
    .into_iter()
    .map(|(field, what)| {
        let inner = field.strip_prefix("spec.").unwrap_or(field);
        let present = match inner.split_once('.') {
            Some((outer, _)) => format!("(has(self.{outer}) && has(self.{inner}))"),
            None => format!("has(self.{inner})"),
        };
        Rule::new(
            "spec",
            field,
            Reason::Required,
            format!("has(self.restoreFrom) || has(self.clusterId) || {present}"),
            &format!("write {inner}, {what}; only a restore (restoreFrom) or an adoption (clusterId) does without"),
        )
    })
    .collect()
}

/// What the restore call cannot take, and what it restores.
fn restore() -> Vec<Rule> {
    let mut rules: Vec<Rule> = [
        "nodeType",
        "coordinatorCount",
        "adminUser",
        "enterpriseProjectId",
    ]
    .into_iter()
    .map(|field| {
        Rule::new(
            "spec",
            &format!("spec.{field}"),
            Reason::Forbidden,
            format!("!has(self.restoreFrom) || !has(self.{field})"),
            &format!(
                "leave {field} out: with restoreFrom the new cluster takes it from the snapshot"
            ),
        )
    })
    .collect();
    rules.push(Rule::new(
        "spec.restoreFrom",
        "spec.restoreFrom",
        Reason::Invalid,
        "has(self.snapshotRef) != has(self.snapshotId)".to_owned(),
        "write exactly one of snapshotRef (a DwsSnapshot of this namespace, by name) and snapshotId (a snapshot at the service, by id)",
    ));
    rules
}

fn public_ip() -> [Rule; 2] {
    [
        Rule::new(
            "spec.publicIp",
            "spec.publicIp.eipId",
            Reason::Required,
            "self.bindType != 'BindExisting' || has(self.eipId)".to_owned(),
            "write eipId, the id of the elastic IP to bind, or bindType: AutoAssign to buy one",
        ),
        Rule::new(
            "spec.publicIp",
            "spec.publicIp.eipId",
            Reason::Forbidden,
            "self.bindType == 'BindExisting' || !has(self.eipId)".to_owned(),
            "leave eipId out, or write bindType: BindExisting to bind that elastic IP",
        ),
    ]
}

fn numbers() -> [Rule; 2] {
    [
        Rule::new(
            "spec",
            "spec.coordinatorCount",
            Reason::Invalid,
            "!has(self.coordinatorCount) || !has(self.nodeCount) || self.coordinatorCount <= self.nodeCount"
                .to_owned(),
            "write a coordinatorCount that is at most nodeCount",
        )
        .saying(
            "'write a coordinatorCount of at most %d, the nodeCount'.format([self.nodeCount])".to_owned(),
        ),
        // Compared only where it is changed: the observed number moves by itself (a resize by the
        // console), and a stored count must never become wrong by that.
        Rule::new(
            "",
            "spec.nodeCount",
            Reason::Forbidden,
            format!(
                "!({BEGUN}) || !has(self.spec.nodeCount) \
                 || (has(oldSelf.spec.nodeCount) && self.spec.nodeCount >= oldSelf.spec.nodeCount) \
                 || (has(oldSelf.status.nodeCount) ? self.spec.nodeCount >= oldSelf.status.nodeCount : !has(oldSelf.spec.nodeCount))"
            ),
            "a cluster is never shrunk: write the former nodeCount or more; down to status.nodeCount, once that is there",
        )
        .saying(
            "'a cluster is never shrunk: write a nodeCount of %d or more'.format([\
             has(oldSelf.status.nodeCount) && (!has(oldSelf.spec.nodeCount) || oldSelf.status.nodeCount < oldSelf.spec.nodeCount) \
             ? oldSelf.status.nodeCount : oldSelf.spec.nodeCount])"
                .to_owned(),
        ),
    ]
}

/// The operator writes one Secret, and it is none that it reads.
fn secrets() -> [Rule; 3] {
    let distinct = |reference: &str| {
        Rule::new(
            "",
            "spec.connectionSecretName",
            Reason::Forbidden,
            format!("!has(self.spec.{reference}) || self.spec.{reference}.name != {CONNECTION_SECRET}"),
            &format!(
                "the operator writes the connection Secret and reads that of {reference}: write another \
                 connectionSecretName (not written, it is <metadata.name>-connection) or another {reference}.name"
            ),
        )
        .saying(format!(
            "'the operator writes the connection Secret and reads that of {reference}, and both are %s: write another connectionSecretName or another {reference}.name'.format([{CONNECTION_SECRET}])"
        ))
    };
    [
        distinct("adminPasswordSecretRef"),
        distinct("credentialsSecretRef"),
        Rule::new(
            "",
            "spec.connectionSecretName",
            Reason::Required,
            "has(self.spec.connectionSecretName) || size(self.metadata.name) <= 242".to_owned(),
            "metadata.name has more than 242 characters, too many for <metadata.name>-connection: write connectionSecretName, the name of the Secret that the operator shall write",
        ),
    ]
}

/// `clusterId`: the same for ever once it is used, and never that of a second cluster.
fn adoption() -> [Rule; 2] {
    [
        Rule::new(
            "",
            "spec.clusterId",
            Reason::Forbidden,
            format!(
                "!({BEGUN}) || !has(oldSelf.spec.clusterId) || (has(self.spec.clusterId) && self.spec.clusterId == oldSelf.spec.clusterId)"
            ),
            &format!("clusterId is set once: write back the former id, or {ANOTHER}"),
        )
        .saying(format!(
            "'clusterId is set once: write back %s, or {ANOTHER}'.format([oldSelf.spec.clusterId])"
        )),
        // Compared only where it is changed: an id that the operator stores beside another one
        // (both were under way) must reach the status.
        Rule::new(
            "",
            "spec.clusterId",
            Reason::Forbidden,
            "!has(self.spec.clusterId) \
             || (has(oldSelf.spec.clusterId) && self.spec.clusterId == oldSelf.spec.clusterId) \
             || !has(oldSelf.status) || !has(oldSelf.status.clusterId) \
             || self.spec.clusterId == oldSelf.status.clusterId"
                .to_owned(),
            &format!(
                "this resource stands for the cluster of status.clusterId: leave clusterId out or write that id; for another cluster {ANOTHER}"
            ),
        )
        .saying(format!(
            "'this resource stands for cluster %s: leave clusterId out or write that id; for another cluster {ANOTHER}'.format([oldSelf.status.clusterId])"
        )),
    ]
}
