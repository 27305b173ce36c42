//! The reconcile of a `DwsCluster`: facts are gathered as the plan asks for them, then it is carried out.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::{Resource, ResourceExt};

use super::account::{self, Resolved};
use super::context::{Context, Reconciled};
use super::error::ReconcileError;
use super::execute::{self, SecretPlace, Settled};
use super::index::Order;
use super::secrets::{self, Owner, Seen};
use super::{crd, interest, store};
use crate::api::names::FINALIZER;
use crate::api::{DwsCluster, DwsClusterStatus, DwsSnapshot};
use crate::core::cluster::{plan, secret_refused};
use crate::core::facts::{Account, ClusterFacts, Fresh, SnapshotRefFact};
use crate::core::step::{Decision, Outcome, Read, Step};
use crate::observer::{self, Interest, Kind, ResourceKey};

/// Bound of the reads of one reconcile.
pub(super) const MAX_READS: usize = 12;

/// Reconciles the `DwsCluster` of this name once.
///
/// # Errors
/// [`ReconcileError`]: come again later.
pub async fn reconcile(
    ctx: &Context,
    namespace: &str,
    name: &str,
) -> Result<Reconciled, ReconcileError> {
    let key = ResourceKey {
        kind: Kind::Cluster,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let Some(object) = store::get::<DwsCluster>(&ctx.client, namespace, name).await? else {
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
    ctx.wake_all(&ctx.index.apply_cluster(&object, Order::Stream));

    let resolved = ctx.unless_stopping(resolve(ctx, &object)).await?;
    let follow = || follows(&object, key.clone(), Outcome::InSync);
    interest::first(ctx, &uid, &resolved, follow);
    let (decision, seen) = ctx
        .unless_stopping(Box::pin(decide(ctx, &object, &resolved)))
        .await?;
    let account = resolved.account.as_ref();
    let deadline = execute::deadline(ctx);
    let outcome = decision.outcome;
    let place = SecretPlace {
        owner: Owner::of(&object),
        name: object.connection_secret_name(),
        seen,
    };
    let gone = decision.remove_finalizer;
    let act = execute::act(
        ctx,
        object.as_ref(),
        Some(&place),
        account,
        decision,
        deadline,
    );
    let acted = Box::pin(act).await;
    if let Err(ReconcileError::SecretRefused { message }) = &acted {
        tell_refused_secret(ctx, &object, &resolved, message).await;
    }
    let (current, reconciled) = acted?;
    execute::tell_ignored_keys(ctx, object.as_ref(), &resolved).await;
    let Some(current) = current else {
        interest::forget(ctx, &key);
        return Ok(reconciled);
    };
    ctx.wake_all(&ctx.index.apply_cluster(&current, Order::Stream));
    let used = account
        .filter(|_| !gone)
        .map(|account| (&resolved.source, account));
    interest::publish(ctx, &uid, used, follows(&current, key, outcome));
    Ok(reconciled)
}

/// What was planned could not begin: a condition says why, and the reconcile is tried again with back-off.
async fn tell_refused_secret(
    ctx: &Context,
    object: &Arc<DwsCluster>,
    resolved: &Resolved,
    message: &str,
) {
    let told = async {
        let facts = first_facts(ctx, object, resolved);
        let decision = secret_refused(&facts, message);
        let deadline = execute::deadline(ctx);
        Box::pin(execute::act(
            ctx,
            object.as_ref(),
            None,
            None,
            decision,
            deadline,
        ))
        .await
    };
    if let Err(error) = told.await {
        // Most likely the finalizer came between: the next try tells it.
        tracing::debug!(%error, "a refused Secret could not be told");
    }
}

async fn resolve(ctx: &Context, object: &DwsCluster) -> Result<Resolved, ReconcileError> {
    let secret = object.credentials_secret_name();
    let namespace = object.namespace().unwrap_or_default();
    Ok(account::resolve(ctx, &namespace, secret, bereaved(object)).await?)
}

/// It is being deleted and waits for us.
pub(super) fn bereaved<K: Resource>(object: &K) -> bool {
    object.meta().deletion_timestamp.is_some()
        && object.finalizers().iter().any(|found| found == FINALIZER)
}

/// Plans, reads what the plan asks for, plans again. Gives the decision, and what was seen of the
/// connection Secret.
async fn decide(
    ctx: &Context,
    object: &Arc<DwsCluster>,
    resolved: &Resolved,
) -> Result<(Decision<DwsClusterStatus>, Seen), ReconcileError> {
    let mut facts = first_facts(ctx, object, resolved);
    let mut reads: Vec<Read> = Vec::new();
    let mut seen = Seen::Unread;
    loop {
        refresh(ctx, &mut facts, resolved);
        let read = match plan(&facts) {
            Step::Act(decision) => return Ok((*decision, seen)),
            Step::Read(read) => read,
        };
        if reads.contains(&read) || reads.len() >= MAX_READS {
            return Err(ReconcileError::Unreadable(read));
        }
        perform(ctx, &mut facts, &mut seen, resolved, &read).await?;
        reads.push(read);
    }
}

fn first_facts(ctx: &Context, object: &Arc<DwsCluster>, resolved: &Resolved) -> ClusterFacts {
    let uid = object.uid().unwrap_or_default();
    let status = object.status.as_ref();
    let now = ctx.clock.now();
    let mut memory = crate::core::facts::Memory::default();
    let operation = status.and_then(|s| s.operation.as_ref());
    memory.window_start = ctx.memory.window_start(&uid, operation, now);
    ClusterFacts {
        now,
        settings: ctx.settings.core(),
        fresh: fresh(ctx),
        account: resolved.facts(),
        credentials: resolved.secret.clone(),
        memory,
        rivals: Vec::new(),
        held_elsewhere: std::collections::BTreeMap::default(),
        making_elsewhere: Vec::new(),
        snapshots_of_cluster: Vec::new(),
        namespace_terminating: false,
        object: object.clone(),
        fresh_list: None,
        detail: None,
        fresh_snapshots: None,
        connection_secret: None,
        password_secret: None,
        restore_snapshot: None,
        crd_deleting: None,
    }
}

pub(super) fn fresh(ctx: &Context) -> Fresh {
    Fresh {
        operation_id: ctx.entropy.uuid(),
        password: ctx.entropy.password(),
    }
}

/// What costs nothing to know is as of now at each step.
fn refresh(ctx: &Context, facts: &mut ClusterFacts, resolved: &Resolved) {
    let object = facts.object.clone();
    let uid = object.uid().unwrap_or_default();
    let namespace = object.namespace().unwrap_or_default();
    let status = object.status.as_ref();
    let id = status.and_then(|s| s.cluster_id.as_deref());
    facts.account = resolved.facts();
    if let (Some(account), Some(id)) = (&resolved.account, id) {
        facts.memory.id_was_read = account.id_was_read(id);
        facts.memory.absence = account.cluster_absence(id);
    }
    let settled = status.and_then(|s| s.settled_node_count);
    let observed = id.and_then(|id| observed_count(facts, id));
    facts.memory.low_count_since = ctx
        .memory
        .low_count_since(&uid, observed, settled, facts.now);

    // An id that was written while another one was being made stands for nothing.
    let own = id.or(object.spec.cluster_id.as_deref());
    facts.rivals = ctx.index.rivals(Kind::Cluster, &uid, own.as_slice());
    let remote_name = object.cluster_name();
    if id.is_some() {
        let credentials = object.credentials_secret_name();
        let index = &ctx.index;
        let asking = index.asking_by_name(&namespace, remote_name, credentials, &uid);
        facts.rivals.extend(asking);
    }
    if let Account::Known(known) = &facts.account {
        facts.making_elsewhere = ctx.index.making(&known.account, remote_name, &uid);
    }
    let claimable = claimable(facts, remote_name);
    let ids = own.into_iter().chain(claimable.iter().map(String::as_str));
    facts.held_elsewhere = ctx.index.held_elsewhere(Kind::Cluster, &uid, ids);
    let name = object.name_any();
    facts.snapshots_of_cluster = ctx.index.snapshots_of(Some((&namespace, &name)), id);
}

/// The node count of the newest look: the detail of this reconcile, its list, the last poll.
fn observed_count(facts: &ClusterFacts, id: &str) -> Option<i32> {
    if let Some(Ok(detail)) = &facts.detail {
        return detail.node_count;
    }
    let polled = match &facts.account {
        Account::Known(known) => known.clusters.as_ref(),
        _ => None,
    };
    let fresh = facts
        .fresh_list
        .as_ref()
        .and_then(|list| list.as_ref().ok());
    fresh.or(polled)?.by_id.get(id)?.node_count
}

/// Ids of the clusters that bear the name.
fn claimable(facts: &ClusterFacts, name: &str) -> BTreeSet<String> {
    let polled = match &facts.account {
        Account::Known(known) => known.clusters.as_ref(),
        _ => None,
    };
    let fresh = facts
        .fresh_list
        .as_ref()
        .and_then(|list| list.as_ref().ok());
    let lists = fresh.into_iter().chain(polled);
    lists
        .flat_map(|list| list.named(name))
        .map(|cluster| cluster.id.clone())
        .collect()
}

async fn perform(
    ctx: &Context,
    facts: &mut ClusterFacts,
    seen: &mut Seen,
    resolved: &Resolved,
    read: &Read,
) -> Result<(), ReconcileError> {
    let namespace = facts.object.namespace().unwrap_or_default();
    let account = resolved.account.as_ref().ok_or(ReconcileError::NoAccount);
    match read {
        Read::Clusters => Box::pin(read_clusters(ctx, facts, seen, account?)).await?,
        Read::Cluster(id) => facts.detail = Some(account?.cluster(id).await),
        Read::Snapshots => facts.fresh_snapshots = Some(account?.fresh_snapshots().await),
        Read::Snapshot(_) => return Err(ReconcileError::Unreadable(read.clone())),
        Read::ConnectionSecret => {
            let name = facts.object.connection_secret_name();
            let found = secrets::get(&ctx.client, &namespace, &name).await?;
            take_connection_secret(facts, seen, found);
        }
        Read::PasswordSecret => {
            let Some(name) = facts.object.admin_password_secret_name() else {
                return Err(ReconcileError::Unreadable(read.clone()));
            };
            let found = secrets::get(&ctx.client, &namespace, name).await?;
            let key = facts.object.admin_password_key();
            facts.password_secret = Some(secrets::password(found, key));
        }
        Read::RestoreSnapshot => {
            let from = facts.object.spec.restore_from.as_ref();
            let Some(reference) = from.and_then(|from| from.snapshot_ref.clone()) else {
                return Err(ReconcileError::Unreadable(read.clone()));
            };
            let found = store::get::<DwsSnapshot>(&ctx.client, &namespace, &reference.name).await?;
            facts.restore_snapshot = Some(found.map_or(SnapshotRefFact::Absent, |snapshot| {
                SnapshotRefFact::Present(Arc::new(snapshot))
            }));
        }
        Read::CrdState => {
            let read = ctx.settings.read_definitions;
            facts.crd_deleting = Some(crd::is_deleting::<DwsCluster>(&ctx.client, read).await?);
        }
    }
    Ok(())
}

fn take_connection_secret(facts: &mut ClusterFacts, seen: &mut Seen, found: Option<Secret>) {
    *seen = Seen::of(found.as_ref());
    let owner = Owner::of(&facts.object);
    facts.connection_secret = Some(secrets::connection(found, &owner));
}

/// A fresh list. Upon it something may be made, or taken over: whether the namespace takes anything new and
/// what the connection Secret holds are asked at the same time, since that is what the plan asks next.
async fn read_clusters(
    ctx: &Context,
    facts: &mut ClusterFacts,
    seen: &mut Seen,
    account: &observer::Account,
) -> Result<(), ReconcileError> {
    let namespace = facts.object.namespace().unwrap_or_default();
    let status = facts.object.status.as_ref();
    if status.is_some_and(|status| status.cluster_id.is_some()) {
        facts.fresh_list = Some(account.fresh_clusters().await);
        return Ok(());
    }
    let name = facts.object.connection_secret_name();
    let (list, terminating, secret) = futures::join!(
        account.fresh_clusters(),
        crd::namespace_terminating(&ctx.client, &namespace),
        secrets::get(&ctx.client, &namespace, &name),
    );
    facts.fresh_list = Some(list);
    facts.namespace_terminating = terminating?;
    if facts.connection_secret.is_none() {
        take_connection_secret(facts, seen, secret?);
    }
    Ok(())
}

/// What the observer is to follow for this cluster.
fn follows(object: &DwsCluster, key: ResourceKey, outcome: Outcome) -> Interest {
    let status = object.status.clone().unwrap_or_default();
    let spec = &object.spec;
    let restored = spec
        .restore_from
        .as_ref()
        .and_then(|from| from.snapshot_id.clone());
    let last = status.final_snapshot.as_ref();
    let ids = status
        .cluster_id
        .clone()
        .into_iter()
        .chain(spec.cluster_id.clone());
    let ids: BTreeSet<String> = ids.collect();
    Interest {
        key,
        uid: object.uid().unwrap_or_default(),
        cluster_ids: ids.into_iter().collect(),
        cluster_names: vec![object.cluster_name().to_owned()],
        snapshot_ids: last
            .and_then(|l| l.id.clone())
            .into_iter()
            .chain(restored)
            .collect(),
        snapshot_names: last.map(|l| l.name.clone()).into_iter().collect(),
        has_work: has_work(status.operation.is_some(), outcome),
    }
}

/// Something runs, or is waited for.
pub(super) fn has_work(operation: bool, outcome: Outcome) -> bool {
    operation || matches!(outcome, Outcome::Acted | Outcome::Waiting)
}
