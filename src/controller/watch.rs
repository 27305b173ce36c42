//! The watches: they feed the index, wake what changed and what that concerns, and store no object.
//!
//! The watch of Secrets asks for metadata only and keeps nothing: it wakes what refers to the name. An
//! object that cannot be decoded is reported and stops no other. Echoes of our own writes wake nobody.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use backon::ExponentialBuilder;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, ExponentialBackoff};
use kube::{Api, Resource, ResourceExt};
use tokio::sync::oneshot;

use super::context::Context;
use super::index::{Index, Order};
use super::store::Managed;
use crate::api::{DwsCluster, DwsSnapshot};
use crate::observer::ResourceKey;

/// A watch behind a load balancer can die without a word: it ends and begins anew at this age.
pub const LONGEST_WATCH: Duration = Duration::from_secs(200);
/// Objects of one page of a first list: decoded, they are in memory at the same time.
const PAGE: u32 = 100;
/// One failing watch must not be left alone for longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Secrets that no resource of ours can refer to with any use; a cluster can hold thousands of them.
const SECRET_TYPES: &str = "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token,type!=kubernetes.io/dockerconfigjson,type!=kubernetes.io/dockercfg,type!=bootstrap.kubernetes.io/token";
/// A failure that stays is said once in so many times.
const QUIET: u32 = 20;

/// What the index takes in of a kind.
pub trait Indexed: Managed {
    /// Its conditions.
    fn conditions(&self) -> &[Condition];
    /// Takes it in; gives whom to wake.
    fn index(&self, index: &Index, order: Order) -> Vec<ResourceKey>;
}

impl Indexed for DwsCluster {
    fn conditions(&self) -> &[Condition] {
        self.status
            .as_ref()
            .map_or(&[], |status| &status.conditions)
    }
    fn index(&self, index: &Index, order: Order) -> Vec<ResourceKey> {
        index.apply_cluster(self, order)
    }
}

impl Indexed for DwsSnapshot {
    fn conditions(&self) -> &[Condition] {
        self.status
            .as_ref()
            .map_or(&[], |status| &status.conditions)
    }
    fn index(&self, index: &Index, order: Order) -> Vec<ResourceKey> {
        index.apply_snapshot(self, order)
    }
}

/// Follows one kind in one namespace (`None`: in all) until it is dropped. `synced` is told when the
/// first list is in. No watch grows older than `age`.
pub async fn resources<K: Indexed>(
    ctx: Context,
    namespace: Option<String>,
    age: Duration,
    synced: oneshot::Sender<()>,
) {
    let api: Api<DeserializeGuard<K>> = scoped(&ctx, namespace.as_deref());
    let begin = move || watcher::watcher(api.clone(), config(age)).boxed();
    let events = begun_anew(begin).backoff(pauses());
    take_in(&ctx, namespace.as_deref(), events, synced).await;
}

/// The events of one kind, into the index and the queue.
pub async fn take_in<K: Indexed>(
    ctx: &Context,
    namespace: Option<&str>,
    events: impl Stream<Item = watcher::Result<Event<DeserializeGuard<K>>>>,
    synced: oneshot::Sender<()>,
) {
    let mut events = pin!(events);
    let mut synced = Some(synced);
    let mut listed = HashSet::new();
    let mut trouble = Trouble::new(K::KIND.as_str());
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                trouble.report(&error);
                continue;
            }
        };
        trouble.over();
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(object) => {
                let key = key_of::<K>(object.meta());
                let known = ctx.index.is_known_at(&key, object.resource_version());
                take(ctx, object, Order::List);
                if !known {
                    (ctx.wake)(&key);
                }
                listed.insert(key);
            }
            Event::InitDone => {
                ctx.wake_all(&ctx.index.retain(K::KIND, namespace, &listed));
                ctx.observe.listed(K::KIND, namespace, &listed);
                listed = HashSet::new();
                if let Some(synced) = synced.take() {
                    let _ = synced.send(());
                }
            }
            Event::Apply(object) => {
                let key = key_of::<K>(object.meta());
                let version = object.resource_version().unwrap_or_default();
                let kind = K::KIND.as_str();
                let echo = ctx
                    .memory
                    .is_echo(kind, &key.namespace, &key.name, &version);
                take(ctx, object, Order::Stream);
                // Spec, annotations, finalizers, deletion, and a status that somebody else wrote: all
                // of it wakes, only what we wrote ourselves does not.
                if !echo {
                    (ctx.wake)(&key);
                }
            }
            Event::Delete(object) => {
                let key = key_of::<K>(object.meta());
                ctx.wake_all(&ctx.index.remove(&key));
                ctx.observe.gone(&key);
                (ctx.wake)(&key);
            }
        }
    }
}

fn take<K: Indexed>(ctx: &Context, object: DeserializeGuard<K>, order: Order) {
    match object.0 {
        Ok(object) => {
            ctx.observe.saw(K::KIND, object.meta(), object.conditions());
            ctx.wake_all(&object.index(&ctx.index, order));
        }
        Err(invalid) => tracing::error!(
            kind = K::KIND.as_str(),
            namespace = invalid.metadata.namespace.unwrap_or_default(),
            name = invalid.metadata.name.unwrap_or_default(),
            error = invalid.error,
            "an object cannot be decoded: is its CRD that of another version of the operator?"
        ),
    }
}

/// Follows the names of Secrets in one namespace (`None`: in all) until it is dropped.
pub async fn secrets(ctx: Context, namespace: Option<String>, age: Duration) {
    let api: Api<PartialObjectMeta<Secret>> = scoped(&ctx, namespace.as_deref());
    let begin = move || watcher::watcher(api.clone(), config(age).fields(SECRET_TYPES)).boxed();
    let events = begun_anew(begin).backoff(pauses());
    wake_users(&ctx, namespace.as_deref(), events).await;
}

/// The events of Secrets, into the queue.
pub async fn wake_users(
    ctx: &Context,
    namespace: Option<&str>,
    events: impl Stream<Item = watcher::Result<Event<PartialObjectMeta<Secret>>>>,
) {
    let mut events = pin!(events);
    let mut listed = HashSet::new();
    let mut trouble = Trouble::new("Secret");
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                trouble.report(&error);
                continue;
            }
        };
        trouble.over();
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(secret) => {
                let (namespace, name) = (secret.namespace().unwrap_or_default(), secret.name_any());
                ctx.wake_all(&ctx.index.secret_users(&namespace, &name));
                listed.insert((namespace, name));
            }
            Event::InitDone => {
                ctx.wake_all(&ctx.index.users_of_unlisted_secrets(namespace, &listed));
                listed = HashSet::new();
            }
            Event::Apply(secret) => {
                let (namespace, name) = (secret.namespace().unwrap_or_default(), secret.name_any());
                let version = secret.resource_version().unwrap_or_default();
                if !ctx.memory.is_echo("Secret", &namespace, &name, &version) {
                    ctx.wake_all(&ctx.index.secret_users(&namespace, &name));
                }
            }
            Event::Delete(secret) => {
                let (namespace, name) = (secret.namespace().unwrap_or_default(), secret.name_any());
                ctx.memory.forget_echoes("Secret", &namespace, &name);
                ctx.wake_all(&ctx.index.secret_users(&namespace, &name));
            }
        }
    }
}

fn scoped<K>(ctx: &Context, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(ctx.client.clone(), namespace),
        None => Api::all(ctx.client.clone()),
    }
}

fn key_of<K: Managed>(meta: &kube::core::ObjectMeta) -> ResourceKey {
    ResourceKey {
        kind: K::KIND,
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
    }
}

fn config(age: Duration) -> watcher::Config {
    watcher::Config::default()
        .timeout(u32::try_from(age.as_secs()).unwrap_or(u32::MAX))
        .page_size(PAGE)
}

/// A watch whose version the API server no longer has is begun with a list.
///
/// kube's watcher does so where an event says it. Where the answer to the watch itself is 410, it asks with
/// the same version again, for ever: then a new one takes its place.
fn begun_anew<K: 'static>(
    begin: impl Fn() -> BoxStream<'static, watcher::Result<Event<K>>>,
) -> impl Stream<Item = watcher::Result<Event<K>>> {
    stream::unfold((begin(), begin), |(mut events, begin)| async move {
        let event = events.next().await?;
        if let Err(watcher::Error::WatchStartFailed(kube::Error::Api(status))) = &event
            && status.code == 410
        {
            events = begin();
        }
        Some((event, (events, begin)))
    })
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .into()
}

/// Says a failure that stays only now and then.
struct Trouble {
    kind: &'static str,
    times: u32,
}

impl Trouble {
    fn new(kind: &'static str) -> Self {
        Self { kind, times: 0 }
    }

    fn report(&mut self, error: &watcher::Error) {
        if self.times.is_multiple_of(QUIET) {
            tracing::warn!(kind = self.kind, %error, "a watch fails; it is begun anew");
        }
        self.times = self.times.saturating_add(1);
    }

    fn over(&mut self) {
        self.times = 0;
    }
}
