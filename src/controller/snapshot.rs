//! The reconcile of a `DwsSnapshot`: facts are gathered as the plan asks for them, then it is carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::ResourceExt;

use super::account::{self, Resolved};
use super::cluster::{MAX_READS, bereaved, fresh, has_work};
use super::context::{Context, Reconciled};
use super::error::ReconcileError;
use super::execute::{self, Settled};
use super::index::Order;
use super::{crd, interest, store};
use crate::api::{DwsCluster, DwsSnapshot, DwsSnapshotStatus};
use crate::core::facts::{Account, ClusterRefFact, Memory, SnapshotFacts};
use crate::core::snapshot::plan;
use crate::core::step::{Decision, Outcome, Read, Step};
use crate::observer::{Interest, Kind, ResourceKey};

/// Reconciles the `DwsSnapshot` of this name once.
///
/// # Errors
/// [`ReconcileError`]: come again later.
pub async fn reconcile(
    ctx: &Context,
    namespace: &str,
    name: &str,
) -> Result<Reconciled, ReconcileError> {
    let key = ResourceKey {
        kind: Kind::Snapshot,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let Some(object) = store::get::<DwsSnapshot>(&ctx.client, namespace, name).await? else {
        interest::forget(ctx, &key);
        return Ok(execute::finished());
    };
    let uid = object.uid().unwrap_or_default();
    if ctx.index.is_ahead_of(&key, &uid, object.resource_version()) {
        return Err(ReconcileError::Outdated);
    }
    if let Some(former) = ctx.memory.bind(&key, &uid) {
        interest::forget_uid(ctx, &former);
    }
    let object = match Box::pin(execute::settle_answers(ctx, object)).await? {
        Settled::Now(object) => Arc::new(object),
        Settled::InFlight(reconciled) => return Ok(reconciled),
    };
    ctx.wake_all(&ctx.index.apply_snapshot(&object, Order::Stream));

    let cluster = referenced_cluster(ctx, &object).await?;
    let secret = credentials_secret(&object, cluster.as_ref());
    let resolved = match &secret {
        Some(name) => {
            account::resolve(ctx, namespace, Some(name), bereaved(object.as_ref())).await?
        }
        None => Resolved::unknown(),
    };
    let secret = secret.unwrap_or_default();
    let follow = || follows(&object, key.clone(), Outcome::Waiting);
    interest::first(ctx, &uid, &resolved, follow);
    let decision = ctx
        .unless_stopping(Box::pin(decide(ctx, &object, cluster, secret, &resolved)))
        .await?;
    let account = resolved.account.as_ref();
    let deadline = execute::deadline(ctx);
    let outcome = decision.outcome;
    let gone = decision.remove_finalizer;
    let act = execute::act(ctx, object.as_ref(), None, account, decision, deadline);
    let (current, reconciled) = Box::pin(act).await?;
    execute::tell_ignored_keys(ctx, object.as_ref(), &resolved).await;
    let Some(current) = current else {
        interest::forget(ctx, &key);
        return Ok(reconciled);
    };
    ctx.wake_all(&ctx.index.apply_snapshot(&current, Order::Stream));
    let used = account
        .filter(|_| !gone)
        .map(|account| (&resolved.source, account));
    interest::publish(ctx, &uid, used, follows(&current, key, outcome));
    Ok(reconciled)
}

/// The cluster of `clusterRef`, read live.
async fn referenced_cluster(
    ctx: &Context,
    object: &DwsSnapshot,
) -> Result<Option<ClusterRefFact>, ReconcileError> {
    let Some(reference) = &object.spec.cluster_ref else {
        return Ok(None);
    };
    let namespace = object.namespace().unwrap_or_default();
    let found = store::get::<DwsCluster>(&ctx.client, &namespace, &reference.name).await?;
    Ok(Some(found.map_or(ClusterRefFact::Absent, |cluster| {
        ClusterRefFact::Present(Arc::new(cluster))
    })))
}

/// The `DwsCluster` that holds the cluster of `clusterId`, read live: asked for until there is a snapshot.
async fn holder(
    ctx: &Context,
    object: &DwsSnapshot,
) -> Result<Option<Arc<DwsCluster>>, ReconcileError> {
    let status = object.status.as_ref();
    let taken = status.is_some_and(|status| status.snapshot_id.is_some());
    let Some(id) = object.spec.cluster_id.as_deref().filter(|_| !taken) else {
        return Ok(None);
    };
    let Some((namespace, name)) = ctx.index.cluster_of(id) else {
        return Ok(None);
    };
    let found = store::get::<DwsCluster>(&ctx.client, &namespace, &name).await?;
    let holds = |cluster: &DwsCluster| {
        let status = cluster.status.as_ref();
        status.and_then(|status| status.cluster_id.as_deref()) == Some(id)
    };
    Ok(found.filter(holds).map(Arc::new))
}

/// The name of the credentials Secret; empty for the operator's own, `None` while nobody says.
/// What the spec writes is followed when it is edited; else what was recorded, since the cluster may be
/// gone first; else what the cluster uses.
fn credentials_secret(object: &DwsSnapshot, cluster: Option<&ClusterRefFact>) -> Option<String> {
    let recorded = object.status.as_ref();
    if let Some(written) = object.credentials_secret_name() {
        return Some(written.to_owned());
    }
    if let Some(name) = recorded.and_then(|status| status.credentials_secret_name.clone()) {
        return Some(name);
    }
    match cluster {
        None => Some(String::new()),
        Some(ClusterRefFact::Absent) => None,
        Some(ClusterRefFact::Present(cluster)) => {
            let written = cluster.credentials_secret_name();
            Some(written.unwrap_or_default().to_owned())
        }
    }
}

async fn decide(
    ctx: &Context,
    object: &Arc<DwsSnapshot>,
    cluster: Option<ClusterRefFact>,
    credentials_secret: String,
    resolved: &Resolved,
) -> Result<Decision<DwsSnapshotStatus>, ReconcileError> {
    let namespace = object.namespace().unwrap_or_default();
    let uid = object.uid().unwrap_or_default();
    let status = object.status.as_ref();
    let now = ctx.clock.now();
    let new = status.is_none_or(|s| s.snapshot_id.is_none());
    let namespace_terminating = if new || object.metadata.deletion_timestamp.is_some() {
        crd::namespace_terminating(&ctx.client, &namespace).await?
    } else {
        false
    };
    let operation = status.and_then(|s| s.operation.as_ref());
    let memory = Memory {
        window_start: ctx.memory.window_start(&uid, operation, now),
        ..Memory::default()
    };
    let mut facts = SnapshotFacts {
        now,
        settings: ctx.settings.core(),
        fresh: fresh(ctx),
        object: object.clone(),
        account: resolved.facts(),
        credentials_secret,
        credentials: resolved.secret.clone(),
        memory,
        rivals: Vec::new(),
        held_elsewhere: BTreeMap::default(),
        holder: holder(ctx, object).await?,
        cluster,
        queue: Vec::new(),
        restoring: Vec::new(),
        namespace_terminating,
        fresh_snapshots: None,
        detail: None,
        cluster_detail: None,
        crd_deleting: None,
    };
    let mut reads: Vec<Read> = Vec::new();
    loop {
        refresh(ctx, &mut facts, resolved);
        let read = match plan(&facts) {
            Step::Act(decision) => return Ok(*decision),
            Step::Read(read) => read,
        };
        if reads.contains(&read) || reads.len() >= MAX_READS {
            return Err(ReconcileError::Unreadable(read));
        }
        perform(ctx, &mut facts, resolved, &read).await?;
        reads.push(read);
    }
}

/// What costs nothing to know is as of now at each step.
fn refresh(ctx: &Context, facts: &mut SnapshotFacts, resolved: &Resolved) {
    let object = facts.object.clone();
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let uid = object.uid().unwrap_or_default();
    let id = object
        .status
        .as_ref()
        .and_then(|s| s.snapshot_id.as_deref());
    facts.account = resolved.facts();
    if let (Some(account), Some(id)) = (&resolved.account, id) {
        facts.memory.id_was_read = account.id_was_read(id);
        facts.memory.absence = account.snapshot_absence(id);
    }
    let own: Vec<&str> = id
        .into_iter()
        .chain(object.spec.snapshot_id.as_deref())
        .collect();
    facts.rivals = ctx.index.rivals(Kind::Snapshot, &uid, &own);
    let claimable = claimable(facts, object.snapshot_name());
    let ids = own.into_iter().chain(claimable.iter().map(String::as_str));
    facts.held_elsewhere = ctx.index.held_elsewhere(Kind::Snapshot, &uid, ids);
    facts.restoring = ctx.index.restoring(&namespace, &name, id);

    let cluster_id = cluster_id(facts);
    // One that names the cluster by id queues with those that name its `DwsCluster`.
    let holder = match &object.spec.cluster_ref {
        Some(reference) => Some((namespace, reference.name.clone())),
        None => cluster_id
            .as_deref()
            .and_then(|id| ctx.index.cluster_of(id)),
    };
    let place = holder
        .as_ref()
        .map(|(ns, name)| (ns.as_str(), name.as_str()));
    facts.queue = ctx.index.snapshots_of(place, cluster_id.as_deref());
    facts
        .queue
        .retain(|waiting| waiting.waits || waiting.uid == uid);
}

fn cluster_id(facts: &SnapshotFacts) -> Option<String> {
    let recorded = facts
        .object
        .status
        .as_ref()
        .and_then(|s| s.cluster_id.clone());
    let written = facts.object.spec.cluster_id.clone();
    let referenced = match &facts.cluster {
        Some(ClusterRefFact::Present(cluster)) => {
            cluster.status.as_ref().and_then(|s| s.cluster_id.clone())
        }
        _ => None,
    };
    recorded.or(written).or(referenced)
}

fn claimable(facts: &SnapshotFacts, name: &str) -> BTreeSet<String> {
    let polled = match &facts.account {
        Account::Known(known) => known.snapshots.as_ref(),
        _ => None,
    };
    let fresh = facts
        .fresh_snapshots
        .as_ref()
        .and_then(|list| list.as_ref().ok());
    let lists = fresh.into_iter().chain(polled);
    lists
        .flat_map(|list| list.named(name))
        .map(|snapshot| snapshot.id.clone())
        .collect()
}

async fn perform(
    ctx: &Context,
    facts: &mut SnapshotFacts,
    resolved: &Resolved,
    read: &Read,
) -> Result<(), ReconcileError> {
    let account = resolved.account.as_ref().ok_or(ReconcileError::NoAccount);
    match read {
        Read::Snapshots => facts.fresh_snapshots = Some(account?.fresh_snapshots().await),
        Read::Snapshot(id) => facts.detail = Some(account?.snapshot(id).await),
        Read::Cluster(id) => facts.cluster_detail = Some(account?.cluster(id).await),
        Read::CrdState => {
            let read = ctx.settings.read_definitions;
            facts.crd_deleting = Some(crd::is_deleting::<DwsSnapshot>(&ctx.client, read).await?);
        }
        Read::Clusters | Read::ConnectionSecret | Read::PasswordSecret | Read::RestoreSnapshot => {
            return Err(ReconcileError::Unreadable(read.clone()));
        }
    }
    Ok(())
}

/// What the observer is to follow for this snapshot.
fn follows(object: &DwsSnapshot, key: ResourceKey, outcome: Outcome) -> Interest {
    let status = object.status.clone().unwrap_or_default();
    let ids = status
        .snapshot_id
        .clone()
        .into_iter()
        .chain(object.spec.snapshot_id.clone());
    let ids: BTreeSet<String> = ids.collect();
    let cluster = status
        .cluster_id
        .clone()
        .or_else(|| object.spec.cluster_id.clone());
    Interest {
        key,
        uid: object.uid().unwrap_or_default(),
        // A finished snapshot does not follow its cluster.
        cluster_ids: cluster
            .filter(|_| outcome != Outcome::InSync)
            .into_iter()
            .collect(),
        cluster_names: Vec::new(),
        snapshot_ids: ids.into_iter().collect(),
        snapshot_names: vec![object.snapshot_name().to_owned()],
        has_work: has_work(status.operation.is_some(), outcome),
    }
}
