//! The fixture: a situation that rows vary, and which answers the plan's reads.

use super::*;

/// A situation: facts at the start of the reconcile, and what its reads will show.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub start: SnapshotFacts,
    list: Seen<Arc<SnapshotList>>,
    detail: Seen<Arc<Snapshot>>,
    cluster: Seen<Arc<Cluster>>,
    crd: bool,
}

impl Facts {
    /// A new manifest `backup` of a cluster that is at rest, in a project without snapshots.
    pub fn new() -> Self {
        let spec = DwsSnapshotSpec {
            cluster_ref: Some(LocalRef {
                name: "warehouse".into(),
            }),
            ..DwsSnapshotSpec::default()
        };
        let mut object = DwsSnapshot::new("backup", spec);
        object.metadata.namespace = Some("data".into());
        object.metadata.uid = Some("uid-backup".into());
        object.metadata.generation = Some(1);
        object.metadata.creation_timestamp = Some(Time(ago(100)));
        let mut owner = DwsCluster::new("warehouse", DwsClusterSpec::default());
        owner.metadata.generation = Some(1);
        owner.status = Some(DwsClusterStatus {
            cluster_id: Some(CLUSTER.into()),
            observed_generation: Some(1),
            ..DwsClusterStatus::default()
        });
        let known = KnownAccount {
            account: account(),
            adoption_allowed: true,
            circuit: None,
            clusters: None,
            snapshots: None,
        };
        let facts = SnapshotFacts {
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
            credentials_secret: String::new(),
            credentials: None,
            memory: Memory::default(),
            rivals: Vec::new(),
            held_elsewhere: BTreeMap::new(),
            cluster: Some(ClusterRefFact::Present(Arc::new(owner))),
            holder: None,
            queue: Vec::new(),
            restoring: Vec::new(),
            namespace_terminating: false,
            fresh_snapshots: None,
            detail: None,
            cluster_detail: None,
            crd_deleting: None,
        };
        Self {
            start: facts,
            list: Ok(Arc::default()),
            detail: Err(failure(Meaning::Absent)),
            cluster: Ok(Arc::new(cluster("AVAILABLE", ""))),
            crd: false,
        }
        .list(&[])
    }

    /// A snapshot of ours that is complete.
    pub fn taken() -> Self {
        Self::new()
            .finalizer()
            .status(|status| {
                status.snapshot_id = Some(ID.into());
                status.adopted = Some(false);
                status.account = Some(account());
                status.cluster_id = Some(CLUSTER.into());
                status.observed_generation = Some(1);
            })
            .detail(snapshot(ID, "backup", "AVAILABLE", 500))
    }

    /// The request went out so many seconds ago, and no id is known.
    pub fn asked(phase: OperationPhase, age: i64) -> Self {
        Self::new()
            .finalizer()
            .status(|status| status.account = Some(account()))
            .operation(operation(OperationKind::Snapshot, phase, age))
    }

    /// That complete snapshot, its resource being deleted.
    pub fn dying() -> Self {
        Self::taken().deleted()
    }

    pub fn object(mut self, change: impl FnOnce(&mut DwsSnapshot)) -> Self {
        change(Arc::make_mut(&mut self.start.object));
        self
    }

    pub fn spec(self, change: impl FnOnce(&mut DwsSnapshotSpec)) -> Self {
        self.object(|object| change(&mut object.spec))
    }

    pub fn status(self, change: impl FnOnce(&mut DwsSnapshotStatus)) -> Self {
        self.object(|object| change(object.status.get_or_insert_default()))
    }

    pub fn operation(self, operation: Operation) -> Self {
        self.status(|status| status.operation = Some(operation))
    }

    pub fn failed(self, kind: OperationKind, reason: &str, age: i64) -> Self {
        self.status(|status| status.last_failure = Some(last_failure(kind, reason, age)))
    }

    pub fn finalizer(self) -> Self {
        self.object(|object| object.metadata.finalizers = Some(vec![names::FINALIZER.into()]))
    }

    pub fn deleted(self) -> Self {
        self.finalizer()
            .object(|object| object.metadata.deletion_timestamp = Some(Time(now())))
    }

    pub fn policy(self, policy: SnapshotDeletionPolicy) -> Self {
        self.spec(|spec| spec.deletion_policy = Some(policy))
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
        self.start.account = account;
        self
    }

    pub fn credentials_missing(self) -> Self {
        self.account(Account::CredentialsMissing {
            message: "Secret credentials is not there.".into(),
        })
    }

    pub fn known(mut self, change: impl FnOnce(&mut KnownAccount)) -> Self {
        if let Account::Known(known) = &mut self.start.account {
            change(known);
        }
        self
    }

    pub fn facts(mut self, change: impl FnOnce(&mut SnapshotFacts)) -> Self {
        change(&mut self.start);
        self
    }

    /// The `DwsCluster` that `clusterRef` names.
    pub fn owner(self, change: impl FnOnce(&mut DwsCluster)) -> Self {
        self.facts(|facts| {
            if let Some(ClusterRefFact::Present(owner)) = &mut facts.cluster {
                change(Arc::make_mut(owner));
            }
        })
    }

    /// `clusterId` is written, and this `DwsCluster` holds the cluster.
    pub fn held_by(self, change: impl FnOnce(&mut DwsCluster)) -> Self {
        let Some(ClusterRefFact::Present(owner)) = self.start.cluster.clone() else {
            panic!("no owner")
        };
        self.by_cluster_id().facts(|facts| {
            let mut owner = (*owner).clone();
            change(&mut owner);
            facts.holder = Some(Arc::new(owner));
        })
    }

    pub fn owner_deleted(self) -> Self {
        self.owner(|owner| owner.metadata.deletion_timestamp = Some(Time(now())))
    }

    /// `clusterId` instead of `clusterRef`.
    pub fn by_cluster_id(self) -> Self {
        self.spec(|spec| {
            spec.cluster_ref = None;
            spec.cluster_id = Some(CLUSTER.into());
        })
        .facts(|facts| facts.cluster = None)
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

    pub fn list(mut self, snapshots: &[Snapshot]) -> Self {
        let listing = Listing {
            items: snapshots.to_vec(),
            complete: true,
            service_time: Some(now()),
        };
        self.list = Ok(Arc::new(
            SnapshotList::from_listing(listing, now()).unwrap(),
        ));
        self
    }

    pub fn list_fails(mut self, meaning: Meaning) -> Self {
        self.list = Err(failure(meaning));
        self
    }

    pub fn detail(mut self, snapshot: Snapshot) -> Self {
        self.detail = Ok(Arc::new(snapshot));
        self
    }

    pub fn detail_fails(mut self, meaning: Meaning) -> Self {
        self.detail = Err(failure(meaning));
        self
    }

    pub fn cluster(mut self, cluster: Cluster) -> Self {
        self.cluster = Ok(Arc::new(cluster));
        self
    }

    pub fn cluster_fails(mut self, meaning: Meaning) -> Self {
        self.cluster = Err(failure(meaning));
        self
    }

    pub fn crd_deleted(mut self) -> Self {
        self.crd = true;
        self
    }

    /// The decision, every read answered; also the reads in their order.
    pub fn decide(mut self) -> (Decision<DwsSnapshotStatus>, Vec<Read>) {
        let mut reads = Vec::new();
        loop {
            let read = match plan(&self.start) {
                Step::Act(decision) => return (*decision, reads),
                Step::Read(read) => read,
            };
            assert!(!reads.contains(&read), "{read:?} is asked twice: {reads:?}");
            match &read {
                Read::Snapshots => self.start.fresh_snapshots = Some(self.list.clone()),
                Read::Snapshot(_) => self.start.detail = Some(self.detail.clone()),
                Read::Cluster(_) => self.start.cluster_detail = Some(self.cluster.clone()),
                Read::CrdState => self.start.crd_deleting = Some(self.crd),
                other => unreachable!("a snapshot's plan does not read {other:?}"),
            }
            reads.push(read);
        }
    }

    /// The decision as one line.
    pub fn plan(self) -> String {
        line(&self.decide().0)
    }

    pub fn events(self) -> String {
        let decision = self.decide().0;
        let reasons: Vec<_> = decision.events.iter().map(|one| one.reason).collect();
        reasons.join(" ")
    }

    /// The message of a condition after this reconcile.
    pub fn message(self, type_: &str) -> String {
        let status = self.decide().0.status;
        let found = status.conditions.into_iter().find(|one| one.type_ == type_);
        found.map(|one| one.message).unwrap_or_default()
    }
}
