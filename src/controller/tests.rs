//! Whole reconciles, over a stand-in for the API server and one for the service.

mod credentials;
mod events;
mod fence;
mod permit;
mod stopping;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::testing::{ApiServer, CLUSTERS, EVENTS, Fault, SECRETS, cluster};
use super::{Context, Flights, ReconcileError, Reconciled, Settings, reconcile};
use crate::core::step::Outcome;
use crate::dws::Credential;
use crate::dws::clock::Clock;
use crate::dws::transport::{Request, Response, Transport, TransportError};
use crate::entropy::Entropy;
use crate::observer::{Accounts, Kind, ObserverSettings, OwnCredentials, ResourceKey};

mod first_create;
mod refused;
mod rivals;

const WH: &str = "/apis/dws.huaweicloud.com/v1alpha1/namespaces/team/dwsclusters/wh";
const SECRET: &str = "/api/v1/namespaces/team/secrets/wh-connection";
const NAMESPACE: &str = "/api/v1/namespaces/team";

/// Tokio's paused clock as a wall clock.
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let base = Timestamp::from_second(1_800_000_000).unwrap();
        base + SignedDuration::try_from(self.0.elapsed()).unwrap()
    }
}

/// The service: one project, clusters as they were made, and what was stored when a call arrived.
#[derive(Clone)]
struct Cloud {
    kubernetes: ApiServer,
    clusters: Arc<Mutex<Vec<Value>>>,
    /// Status and Secret at the moment of each changing call.
    calls: Arc<Mutex<Vec<(Value, Value)>>>,
    /// The body of each.
    sent: Arc<Mutex<Vec<Value>>>,
    /// Status and code with which it refuses every changing call.
    refusal: Arc<Mutex<Option<(u16, &'static str)>>>,
    latency: Duration,
    read_latency: Arc<Mutex<Duration>>,
}

impl Transport for Cloud {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let mut body = json!({});
            let refusal = *self.refusal.lock();
            if request.method == Method::GET {
                let latency = *self.read_latency.lock();
                tokio::time::sleep(latency).await;
            }
            if request.method == Method::POST {
                let stored = self.kubernetes.get(WH).unwrap_or_default();
                let secret = self.kubernetes.get(SECRET).unwrap_or_default();
                self.calls.lock().push((stored["status"].clone(), secret));
                let sent: Value = serde_json::from_slice(&request.body).unwrap();
                self.sent.lock().push(sent.clone());
                tokio::time::sleep(self.latency).await;
                if let Some((status, code)) = refusal {
                    body = json!({"error_code": code, "error_msg": "no"});
                    return Ok(answer(status, &body));
                }
                let name = sent["cluster"]["name"].clone();
                let id = "00000000-0000-4000-8000-000000000001";
                self.clusters.lock().push(json!({
                    "id": id, "name": name, "status": "CREATING", "node_type": "dws.d2.xlarge",
                    "number_of_node": 3, "created": "2027-01-15T08:00:00Z",
                }));
                body = json!({"cluster": {"id": id}});
            } else if request.url.path().ends_with("/clusters") {
                let clusters = self.clusters.lock().clone();
                body = json!({"clusters": clusters, "count": clusters.len()});
            } else if request.url.path().contains("/clusters/") {
                body = json!({"cluster": self.clusters.lock().first()});
            } else if request.url.path().ends_with("/snapshots") {
                body = json!({"snapshots": [], "count": 0});
            }
            Ok(answer(200, &body))
        })
    }
}

fn answer(status: u16, body: &Value) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    Response {
        status,
        headers,
        body: Bytes::from(body.to_string()),
    }
}

struct World {
    kubernetes: ApiServer,
    cloud: Cloud,
    ctx: Context,
    key: ResourceKey,
}

impl World {
    /// One new `DwsCluster`, and an account that was polled once.
    async fn new(latency: Duration) -> Self {
        let kubernetes = ApiServer::default();
        let id = "11111111-1111-4111-8111-111111111111";
        let mut wh = cluster(Value::Null);
        wh["spec"] = json!({
            "nodeType": "dws.d2.xlarge", "nodeCount": 3,
            "network": {"vpcId": id, "subnetId": id, "securityGroupId": id},
        });
        wh.as_object_mut().unwrap().remove("status");
        wh["metadata"]["creationTimestamp"] = json!("2027-01-15T07:00:00Z");
        kubernetes.put(WH, wh);
        kubernetes.put(
            NAMESPACE,
            json!({"metadata": {"name": "team", "uid": "ns"}}),
        );
        let cloud = Cloud {
            kubernetes: kubernetes.clone(),
            clusters: Arc::default(),
            calls: Arc::default(),
            sent: Arc::default(),
            refusal: Arc::default(),
            latency,
            read_latency: Arc::default(),
        };
        let ctx = context(&kubernetes, &cloud);
        ctx.accounts.own().unwrap().poll().await;
        let key = ResourceKey {
            kind: Kind::Cluster,
            namespace: "team".to_owned(),
            name: "wh".to_owned(),
        };
        Self {
            kubernetes,
            cloud,
            ctx,
            key,
        }
    }

    async fn reconcile(&self) -> Result<Reconciled, ReconcileError> {
        reconcile(&self.ctx, &self.key).await
    }

    /// Reconciles until a call was made, or something went wrong.
    async fn until_called(&self) -> Result<(), ReconcileError> {
        for _ in 0..8 {
            self.reconcile().await?;
            if self.calls() > 0 {
                return Ok(());
            }
        }
        panic!("no call in eight reconciles: {:?}", self.status());
    }

    fn calls(&self) -> usize {
        self.cloud.calls.lock().len()
    }

    fn status(&self) -> Value {
        self.kubernetes.get(WH).unwrap()["status"].clone()
    }
}

fn context(kubernetes: &ApiServer, cloud: &Cloud) -> Context {
    let clock = Arc::new(TestClock(Instant::now()));
    let mut settings = ObserverSettings {
        max_requests_per_second: 1_000.0,
        ..ObserverSettings::default()
    };
    settings.endpoint.region = Some("eu-west-0".to_owned());
    settings.endpoint.project_id = Some("0123456789abcdef0123456789abcdef".to_owned());
    let own = OwnCredentials {
        config: settings.endpoint.resolve().unwrap(),
        credential: Credential::AccessKey {
            access_key: "AK".to_owned(),
            secret_key: SecretString::from("SK"),
            security_token: None,
        },
    };
    let (entropy, transport) = (Entropy::seeded(1), Arc::new(cloud.clone()));
    Context {
        client: kubernetes.client(),
        accounts: Accounts::new(
            settings,
            Some(own),
            transport,
            clock.clone(),
            entropy.clone(),
        ),
        clock,
        entropy,
        settings: Arc::new(Settings::default()),
        index: Arc::default(),
        memory: Arc::default(),
        observe: Arc::new(()),
        wake: Arc::new(|_| {}),
        flights: Some(Flights::default()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_is_sent_only_after_its_intent_and_its_password_are_stored() {
    let world = World::new(Duration::ZERO).await;
    world.until_called().await.unwrap();
    let (status, secret) = world.cloud.calls.lock()[0].clone();
    assert_eq!(status["operation"]["phase"], "Intended", "{status}");
    assert!(secret["data"]["pending-password"].is_string(), "{secret}");
    assert_eq!(secret["type"], "servicebinding.io/postgresql");
    assert_eq!(secret["metadata"]["ownerReferences"][0]["uid"], "uid-wh");

    let id = "00000000-0000-4000-8000-000000000001";
    assert_eq!(world.status()["clusterId"], id, "{}", world.status());
    let stored = world.kubernetes.get(WH).unwrap();
    assert_eq!(
        stored["metadata"]["finalizers"],
        json!(["dws.huaweicloud.com/finalizer"])
    );
    assert!(world.kubernetes.requests(&format!("POST {EVENTS}")) > 0);
    for _ in 0..5 {
        world.ctx.accounts.own().unwrap().poll().await;
        world.reconcile().await.unwrap();
    }
    assert_eq!(world.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_that_finds_nothing_new_writes_nothing() {
    let world = World::new(Duration::ZERO).await;
    world.until_called().await.unwrap();
    world.ctx.accounts.own().unwrap().poll().await;
    for _ in 0..3 {
        world.reconcile().await.unwrap();
    }
    let writes =
        |world: &World| ["PUT", "POST", "PATCH"].map(|method| world.kubernetes.requests(method));
    let before = writes(&world);
    for _ in 0..3 {
        world.reconcile().await.unwrap();
    }
    assert_eq!(writes(&world), before);
}

#[tokio::test(start_paused = true)]
async fn an_intent_that_was_not_stored_is_not_sent() {
    let world = World::new(Duration::ZERO).await;
    for _ in 0..20 {
        world
            .kubernetes
            .fault(&format!("PUT {CLUSTERS}"), Fault::LostBefore);
    }
    for _ in 0..5 {
        let _ = world.reconcile().await;
    }
    assert_eq!(world.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_stored_is_kept_and_nothing_is_sent_again() {
    let world = World::new(Duration::ZERO).await;
    for _ in 0..9 {
        world
            .kubernetes
            .fault(&format!("PATCH {WH}/status"), Fault::LostBefore);
    }
    let called = world.until_called().await;
    assert!(
        matches!(called, Err(ReconcileError::Store(_))),
        "{called:?}"
    );
    assert_eq!(world.calls(), 1);
    assert!(world.status()["clusterId"].is_null());
    // Only the answer tells the id: no list shows the cluster.
    world.cloud.clusters.lock().clear();
    world.reconcile().await.unwrap();
    assert!(
        world.status()["clusterId"].is_string(),
        "{}",
        world.status()
    );
    assert_eq!(world.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_outlives_a_reconcile_that_is_cut_off_while_it_stores_it() {
    let world = World::new(Duration::ZERO).await;
    let lost = |times| {
        for _ in 0..times {
            let storing = format!("PATCH {WH}/status");
            world.kubernetes.fault(&storing, Fault::LostBefore);
        }
    };
    lost(9);
    assert!(world.until_called().await.is_err());
    // Only the answer tells the id: no list shows the cluster.
    world.cloud.clusters.lock().clear();
    lost(2);
    let cut = tokio::time::timeout(Duration::from_millis(300), world.reconcile()).await;
    assert!(cut.is_err(), "{cut:?}");
    world.reconcile().await.unwrap();
    let status = world.status();
    assert!(status["clusterId"].is_string(), "{status}");
    assert_eq!(world.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_that_is_cut_off_in_its_call_still_stores_the_answer() {
    let mut world = World::new(Duration::from_secs(10)).await;
    world.ctx.settings = Arc::new(Settings {
        ambiguity_window: Duration::from_secs(1),
        active_interval: Duration::from_secs(1),
        ..Settings::default()
    });
    for _ in 0..8 {
        let cut = tokio::time::timeout(Duration::from_secs(1), world.reconcile()).await;
        if cut.is_err() {
            break;
        }
    }
    assert_eq!(world.calls(), 1);
    // While it flies, the next look plans nothing over it.
    for _ in 0..2 {
        let meanwhile = world.reconcile().await.unwrap();
        assert_eq!(meanwhile.outcome, Outcome::Waiting);
        // Longer than the window: without its own knowledge a plan would send it again.
        tokio::time::sleep(Duration::from_secs(3)).await;
        world.ctx.accounts.own().unwrap().poll().await;
    }
    assert_eq!(world.calls(), 1);
    let flights = world.ctx.flights.clone().unwrap();
    flights.tracker.close();
    flights.tracker.wait().await;
    assert!(
        world.status()["clusterId"].is_string(),
        "{}",
        world.status()
    );
    world.reconcile().await.unwrap();
    assert_eq!(world.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn events_that_are_forbidden_fail_nothing() {
    let world = World::new(Duration::ZERO).await;
    for fault in [Fault::Forbidden, Fault::Terminating, Fault::LostBefore] {
        world.kubernetes.fault(&format!("POST {EVENTS}"), fault);
    }
    world.until_called().await.unwrap();
    assert!(world.status()["clusterId"].is_string());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_remembered_of_a_resource_that_is_gone() {
    let world = World::new(Duration::ZERO).await;
    world.until_called().await.unwrap();
    let own = world.ctx.accounts.own().unwrap();
    assert_eq!(own.interested(), 1);
    world.kubernetes.0.lock().objects.remove(WH);
    let done = world.reconcile().await.unwrap();
    assert_eq!(done.outcome, Outcome::Finished);
    assert!(world.ctx.memory.is_empty());
    assert_eq!(
        (own.interested(), world.ctx.index.count(Kind::Cluster)),
        (0, 0)
    );
}
