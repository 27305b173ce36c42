//! Tables of the cluster's plan: situation in, one readable line out, no I/O.
//!
//! [`Facts`] builds a situation and answers the plan's reads from it; [`Facts::plan`] gives the decision as
//! a line such as `call Create #1; Ready=False/Creating; Synced=True/Creating; Reconciling; secret put`.

mod absorb;
mod adopt;
mod begin;
mod conditions;
mod delete;
mod failures;
mod line;
mod lost_answers;
mod password;
mod properties;
mod requests;
mod resize;
mod restart;
mod samples;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use secrecy::SecretString;

use super::plan;
use crate::api::cluster::{LocalRef, Network, RestoreFrom, SecretKeyRef};
use crate::api::cluster_status::{AccountRef, Binding, Handled, LastFailure};
use crate::api::names;
use crate::api::{
    Baseline, DwsCluster, DwsClusterSpec, DwsClusterStatus, Operation, OperationKind,
    OperationPhase, Target,
};
use crate::core::conditions as core_conditions;
use crate::core::facts::{
    Absence, Account, ClusterFacts, ClusterList, ConnectionSecret, Fresh, KnownAccount, Memory,
    PasswordSecret, Rival, Seen, Settings, SnapshotList, SnapshotRefFact, Tie,
};
use crate::core::failures::record;
use crate::core::failures::tests::failure;
use crate::core::step::{Decision, Read, SecretWrite, Step};
use crate::dws::answer::Meaning;
use crate::dws::call::Call;
use crate::dws::model::{Cluster, Endpoint, FailedReasons, Listing, Snapshot};
use line::line;
use samples::*;

pub(super) const ID: &str = "11111111-1111-1111-1111-111111111111";
pub(super) const OP: &str = "operation-1";
pub(super) const PASSWORD: &str = "Current-Pw1";

/// A situation: facts at the start of the reconcile, and what its reads will show.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    #[allow(clippy::struct_field_names)] // the type of its field has that name
    pub facts: ClusterFacts,
    list: Option<Seen<Arc<ClusterList>>>,
    detail: Option<Seen<Arc<Cluster>>>,
    snapshots: Option<Seen<Arc<SnapshotList>>>,
    secret: ConnectionSecret,
    password: PasswordSecret,
    restore: SnapshotRefFact,
    crd: bool,
}

impl Facts {
    /// A new manifest, an account that works, a project without clusters.
    pub fn new() -> Self {
        let spec = DwsClusterSpec {
            node_type: Some("dws.m3.xlarge".into()),
            node_count: Some(3),
            network: Some(Network {
                vpc_id: Some("vpc".into()),
                subnet_id: Some("subnet".into()),
                security_group_id: Some("group".into()),
                availability_zone: None,
            }),
            ..DwsClusterSpec::default()
        };
        let mut object = DwsCluster::new("warehouse", spec);
        object.metadata.namespace = Some("data".into());
        object.metadata.uid = Some("abcdef12-0000".into());
        object.metadata.generation = Some(1);
        object.metadata.creation_timestamp = Some(Time(ago(3600)));
        let known = KnownAccount {
            account: account(),
            adoption_allowed: true,
            circuit: None,
            clusters: None,
            snapshots: None,
        };
        let facts = ClusterFacts {
            now: now(),
            settings: Settings {
                ambiguity_window: SignedDuration::from_mins(10),
                active_interval: SignedDuration::from_secs(10),
                idle_interval: SignedDuration::from_secs(60),
            },
            fresh: Fresh {
                operation_id: OP.into(),
                password: SecretString::from("Generated-Password-1"),
            },
            object: Arc::new(object),
            account: Account::Known(known),
            credentials: None,
            memory: Memory::default(),
            rivals: Vec::new(),
            held_elsewhere: BTreeMap::new(),
            making_elsewhere: Vec::new(),
            snapshots_of_cluster: Vec::new(),
            namespace_terminating: false,
            fresh_list: None,
            detail: None,
            fresh_snapshots: None,
            connection_secret: None,
            password_secret: None,
            restore_snapshot: None,
            crd_deleting: None,
        };
        Self {
            facts,
            list: None,
            detail: None,
            snapshots: None,
            secret: ConnectionSecret::Absent,
            password: PasswordSecret::NoSecret,
            restore: SnapshotRefFact::Absent,
            crd: false,
        }
        .list(&[])
        .snapshots(&[])
    }

    /// A cluster of ours with three nodes that is available, its password in the Secret.
    pub fn live() -> Self {
        Self::new()
            .finalizer()
            .status(|status| {
                status.cluster_id = Some(ID.into());
                status.adopted = Some(false);
                status.account = Some(account());
                status.settled_node_count = Some(3);
                status.handled = Some(Handled::default());
                status.observed_generation = Some(1);
                status.binding = Some(Binding {
                    name: "warehouse-connection".into(),
                });
            })
            .detail(cluster("AVAILABLE", "", 3))
            .secret(&[("password", PASSWORD)])
    }

    /// That cluster under an adopted manifest.
    pub fn adopted() -> Self {
        Self::live()
            .status(|status| status.adopted = Some(true))
            .tied(Some(Tie::Kept))
    }

    /// That cluster, its resource being deleted with this policy.
    pub fn dying() -> Self {
        Self::live().deleted()
    }

    pub fn object(mut self, change: impl FnOnce(&mut DwsCluster)) -> Self {
        change(Arc::make_mut(&mut self.facts.object));
        self
    }

    pub fn spec(self, change: impl FnOnce(&mut DwsClusterSpec)) -> Self {
        self.object(|object| change(&mut object.spec))
    }

    pub fn status(self, change: impl FnOnce(&mut DwsClusterStatus)) -> Self {
        self.object(|object| change(object.status.get_or_insert_default()))
    }

    pub fn operation(self, operation: Operation) -> Self {
        self.status(|status| status.operation = Some(operation))
    }

    pub fn finalizer(self) -> Self {
        self.object(|object| object.metadata.finalizers = Some(vec![names::FINALIZER.into()]))
    }

    pub fn deleted(self) -> Self {
        self.finalizer()
            .object(|object| object.metadata.deletion_timestamp = Some(Time(now())))
    }

    pub fn annotate(self, key: &str, value: impl Into<String>) -> Self {
        let (key, value) = (key.to_owned(), value.into());
        self.object(|object| {
            object
                .metadata
                .annotations
                .get_or_insert_default()
                .insert(key, value);
        })
    }

    pub fn paused(self) -> Self {
        self.annotate(names::PAUSED, "true")
    }

    pub fn account(mut self, account: Account) -> Self {
        self.facts.account = account;
        self
    }

    pub fn known(mut self, change: impl FnOnce(&mut KnownAccount)) -> Self {
        if let Account::Known(known) = &mut self.facts.account {
            change(known);
        }
        self
    }

    pub fn facts(mut self, change: impl FnOnce(&mut ClusterFacts)) -> Self {
        change(&mut self.facts);
        self
    }

    /// The ambiguity window began so many seconds ago.
    pub fn window(self, began: i64) -> Self {
        self.facts(|facts| facts.memory.window_start = Some(ago(began)))
    }

    /// Lists without the recorded id: the first and the last, so many seconds apart.
    pub fn unlisted(self, apart: i64) -> Self {
        self.facts(|facts| {
            facts.memory.absence = Some(Absence {
                first: ago(apart),
                last: now(),
            });
        })
    }

    pub fn list(mut self, clusters: &[Cluster]) -> Self {
        let listing = Listing {
            items: clusters.to_vec(),
            complete: true,
            service_time: Some(now()),
        };
        self.list = ClusterList::from_listing(listing, now()).map(|list| Ok(Arc::new(list)));
        self
    }

    pub fn list_fails(mut self, meaning: Meaning) -> Self {
        self.list = Some(Err(failure(meaning)));
        self
    }

    pub fn detail(mut self, cluster: Cluster) -> Self {
        self.detail = Some(Ok(Arc::new(cluster)));
        self
    }

    pub fn detail_fails(mut self, meaning: Meaning) -> Self {
        self.detail = Some(Err(failure(meaning)));
        self
    }

    pub fn snapshots(self, snapshots: &[Snapshot]) -> Self {
        self.snapshots_at(snapshots, Some(now()))
    }

    /// The same with the service's clock of the list.
    pub fn snapshots_at(mut self, snapshots: &[Snapshot], service_time: Option<Timestamp>) -> Self {
        let listing = Listing {
            items: snapshots.to_vec(),
            complete: true,
            service_time,
        };
        self.snapshots = SnapshotList::from_listing(listing, now()).map(|list| Ok(Arc::new(list)));
        self
    }

    pub fn secret(mut self, data: &[(&str, &str)]) -> Self {
        let data = data
            .iter()
            .map(|(key, value)| ((*key).to_owned(), SecretString::from(*value)))
            .collect();
        self.secret = ConnectionSecret::Ours {
            data,
            tie: Some(Tie::Owned),
        };
        self
    }

    /// The connection Secret is tied so.
    pub fn tied(mut self, to: Option<Tie>) -> Self {
        if let ConnectionSecret::Ours { tie, .. } = &mut self.secret {
            *tie = to;
        }
        self
    }

    pub fn secret_is(mut self, secret: ConnectionSecret) -> Self {
        self.secret = secret;
        self
    }

    /// `adminPasswordSecretRef` is written, and its Secret holds this.
    pub fn password(mut self, password: &str) -> Self {
        self.password = PasswordSecret::Value {
            password: SecretString::from(password),
            uid: "secret".into(),
            resource_version: "1".into(),
        };
        self.reference()
    }

    pub fn password_is(mut self, password: PasswordSecret) -> Self {
        self.password = password;
        self.reference()
    }

    fn reference(self) -> Self {
        self.spec(|spec| {
            spec.admin_password_secret_ref = Some(SecretKeyRef {
                name: "admin".into(),
                key: None,
            });
        })
    }

    /// The manifest restores from a `DwsSnapshot` named `backup`.
    pub fn restores(mut self, snapshot: SnapshotRefFact) -> Self {
        self.restore = snapshot;
        self.spec(|spec| {
            spec.node_type = None;
            spec.restore_from = Some(RestoreFrom {
                snapshot_ref: Some(LocalRef {
                    name: "backup".into(),
                }),
                snapshot_id: None,
            });
        })
    }

    pub fn crd_deleted(mut self) -> Self {
        self.crd = true;
        self
    }

    /// The decision, every read answered; also the reads in their order.
    pub fn decide(mut self) -> (Decision<DwsClusterStatus>, Vec<Read>) {
        let mut reads = Vec::new();
        loop {
            let read = match plan(&self.facts) {
                Step::Act(decision) => return (*decision, reads),
                Step::Read(read) => read,
            };
            assert!(!reads.contains(&read), "{read:?} is asked twice: {reads:?}");
            match &read {
                Read::Clusters => self.facts.fresh_list.clone_from(&self.list),
                Read::Cluster(_) => {
                    let detail = self.detail.clone();
                    self.facts.detail = Some(detail.unwrap_or(Err(failure(Meaning::Absent))));
                }
                Read::Snapshots => self.facts.fresh_snapshots.clone_from(&self.snapshots),
                Read::ConnectionSecret => {
                    self.facts.connection_secret = Some(self.secret.clone());
                }
                Read::PasswordSecret => self.facts.password_secret = Some(self.password.clone()),
                Read::RestoreSnapshot => self.facts.restore_snapshot = Some(self.restore.clone()),
                Read::CrdState => self.facts.crd_deleting = Some(self.crd),
                Read::Snapshot(_) => unreachable!("a cluster's plan reads no single snapshot"),
            }
            reads.push(read);
        }
    }

    /// The decision as one line.
    pub fn plan(self) -> String {
        line(&self.decide().0)
    }

    /// The same where what the connection Secret comes to is not the subject.
    pub fn plan_but_for_the_secret(self) -> String {
        let plan = self.plan();
        plan.replace("; secret put", "")
            .replace("; secret kept", "")
    }

    pub fn events(self) -> String {
        let reasons: Vec<_> = self
            .decide()
            .0
            .events
            .iter()
            .map(|one| one.reason)
            .collect();
        reasons.join(" ")
    }

    /// The message of a condition after this reconcile.
    pub fn message(self, type_: &str) -> String {
        let status = self.decide().0.status;
        let found = status.conditions.into_iter().find(|one| one.type_ == type_);
        found.map(|one| one.message).unwrap_or_default()
    }
}
