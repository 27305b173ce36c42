//! Watches that die without a word, on a real API server: the connection stands, and nothing comes any more.
//!
//! The controllers run in this process, with watches that grow two seconds old instead of two hundred; the
//! service is the simulator.

#[path = "scenarios/far_side.rs"]
#[allow(dead_code)]
mod far_side;
mod support;
#[path = "scenarios/world.rs"]
#[allow(dead_code)]
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use dws_operator::controller::queue::Queue;
use dws_operator::controller::run::{self, End, Options, waker};
use dws_operator::controller::{Context, Flights, Settings};
use dws_operator::dws::Credential;
use dws_operator::dws::clock::SystemClock;
use dws_operator::dws::http::{HttpOptions, HttpTransport};
use dws_operator::dws::permit::Permit;
use dws_operator::entropy::Entropy;
use dws_operator::observer::{Accounts, ObserverSettings, OwnCredentials};
use futures::StreamExt;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::json;
use support::Result;
use support::control_plane::shared;
use support::figures::figure;
use support::proxy::{Judge, Proxy, Upstream, Verdict};
use support::stack::{self, Stack};
use tokio_util::sync::CancellationToken;
use world::{World, condition};

/// The server ends a watch at this age; the client gives up five seconds later.
const AGE: Duration = Duration::from_secs(2);
/// After that every change must have been seen: a silent watch of full age would take more than three times that.
const SEEN_WITHIN: Duration = Duration::from_mins(1);

/// Watches that were begun before the last [`Silence::fall`] give nothing any more, not even their end.
#[derive(Clone, Default)]
struct Silence {
    falls: Arc<AtomicUsize>,
    silenced: Arc<AtomicUsize>,
}

impl Silence {
    fn fall(&self) {
        self.falls.fetch_add(1, Ordering::SeqCst);
    }

    fn judge(&self) -> Judge {
        let silence = self.clone();
        Arc::new(move |seen| {
            if !seen.is_watch() {
                return Verdict::Pass;
            }
            let silence = silence.clone();
            let begun = silence.falls.load(Ordering::SeqCst);
            Verdict::Change(Box::new(move |bytes| {
                let end = futures::stream::once(async { None });
                let all = bytes.map(Some).chain(end);
                let heard = all.then(move |part| {
                    let silence = silence.clone();
                    async move {
                        if silence.falls.load(Ordering::SeqCst) > begun {
                            silence.silenced.fetch_add(1, Ordering::SeqCst);
                            std::future::pending::<()>().await;
                        }
                        part
                    }
                });
                heard
                    .take_while(|part| std::future::ready(part.is_some()))
                    .filter_map(std::future::ready)
                    .boxed()
            }))
        })
    }
}

/// What `dws-operator run` puts together, with this client.
fn context(client: kube::Client, service: &str, queue: &Arc<Queue>) -> Result<Context> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut settings = ObserverSettings {
        active_interval: SignedDuration::from_millis(300),
        idle_interval: SignedDuration::from_mins(10),
        max_requests_per_second: 200.0,
        ..ObserverSettings::default()
    };
    settings.endpoint.region = Some(stack::REGION.to_owned());
    settings.endpoint.dws_endpoint = Some(service.to_owned());
    settings.endpoint.auth_url = Some(service.to_owned());
    settings.endpoint.allow_insecure = true;
    let own = OwnCredentials {
        config: settings.endpoint.resolve().map_err(anyhow::Error::msg)?,
        credential: Credential::AccessKey {
            access_key: stack::ACCESS_KEY.to_owned(),
            secret_key: SecretString::from(stack::SECRET_KEY),
            security_token: None,
        },
    };
    let transport =
        HttpTransport::new(&HttpOptions::default()).map_err(|_| anyhow::anyhow!("no transport"))?;
    Ok(Context {
        client,
        accounts: Accounts::new(
            settings,
            Some(own),
            Arc::new(transport),
            Arc::new(SystemClock),
            Entropy::system(),
        ),
        clock: Arc::new(SystemClock),
        entropy: Entropy::system(),
        settings: Arc::new(Settings {
            ambiguity_window: Duration::from_secs(4),
            request_timeout: Duration::from_secs(3),
            active_interval: Duration::from_millis(300),
            // What a watch misses must not be found by a look that is due anyway.
            idle_interval: Duration::from_mins(10),
            ..Settings::default()
        }),
        index: Arc::default(),
        memory: Arc::default(),
        observe: Arc::new(()),
        wake: waker(queue),
        flights: Some(Flights::default()),
    })
}

#[tokio::test]
async fn a_watch_that_falls_silent_is_begun_anew() -> Result<()> {
    let plane = shared().await?;
    for crd in [
        include_str!("../crds/dws.huaweicloud.com_dwsclusters.yaml"),
        include_str!("../crds/dws.huaweicloud.com_dwssnapshots.yaml"),
    ] {
        plane.apply_crds(crd).await?;
    }
    let namespaces = vec![plane.namespace("one").await?, plane.namespace("two").await?];
    let far = stack::Options {
        simulator: vec!["--automated-snapshots".to_owned(), "off".to_owned()],
        ..stack::Options::default()
    };
    let stack = Stack::simulator_only(&plane.kubeconfig(), far).await?;
    let w = World::new(plane.client().await?, &stack.url, &namespaces[0]);
    let silence = Silence::default();
    let upstream = Upstream::Kubernetes(plane.client().await?);
    let proxy = Proxy::start(upstream, silence.judge()).await?;
    let mut config = kube::Config::new(proxy.url.parse()?);
    config.default_retry = false;
    let queue = Arc::new(Queue::default());
    let ctx = context(
        dws_operator::operator::kubernetes::client(config)?,
        &stack.url,
        &queue,
    )?;
    let options = Options {
        namespaces,
        concurrency: 4,
        grace: Duration::from_secs(10),
        watch_age: AGE,
        permit: Permit::default(),
    };
    let stop = CancellationToken::new();
    let running = tokio::spawn(run::run(ctx, queue, options, stop.clone()));

    w.secret("chosen", json!({"password": "First-Passw0rd"}))
        .await?;
    let spec = json!({"adminPasswordSecretRef": {"name": "chosen"}});
    w.ready_cluster("warehouse", spec).await?;
    // What is still due after the creation must not bring a look.
    tokio::time::sleep(AGE).await;
    let begin = Instant::now();
    silence.fall();
    w.patch("DwsCluster", "warehouse", json!({"spec": {"nodeCount": 5}}))
        .await?;
    w.until("DwsCluster", "warehouse", "grown", |one| {
        one["status"]["settledNodeCount"] == 5
    })
    .await?;
    let spec_seen = begin.elapsed();

    let begin = Instant::now();
    silence.fall();
    let content = json!({"stringData": {"password": "Second-Passw0rd"}});
    w.patch("Secret", "chosen", content).await?;
    w.event("warehouse", "PasswordChanged").await?;
    let secret_seen = begin.elapsed();

    let begin = Instant::now();
    silence.fall();
    w.delete("DwsCluster", "warehouse").await?;
    w.cluster("other", json!({})).await?;
    w.gone("DwsCluster", "warehouse").await?;
    w.until("DwsCluster", "other", "there", |one| {
        condition(one, "Ready").0 == "True"
    })
    .await?;
    let deletion_seen = begin.elapsed();
    for (what, taken) in [
        ("a spec", spec_seen),
        ("a Secret", secret_seen),
        ("a deletion", deletion_seen),
    ] {
        ensure!(taken < SEEN_WITHIN, "{what} was seen after {taken:?}");
    }
    for (name, kind, times) in [
        ("warehouse", "create", 1),
        ("warehouse", "resize", 1),
        ("warehouse", "reset_password", 1),
        ("warehouse", "delete_cluster", 1),
        ("other", "create", 1),
    ] {
        w.executed(name, kind, times).await?;
    }
    let silenced = silence.silenced.load(Ordering::SeqCst);
    ensure!(silenced >= 12, "{silenced} watches fell silent");
    stop.cancel();
    ensure!(running.await? == End::Orderly);
    figure(
        "watches",
        &format!(
            "{silenced} watches fell silent; changes were seen {:.1}, {:.1} and {:.1} s later, each effect once",
            spec_seen.as_secs_f32(),
            secret_seen.as_secs_f32(),
            deletion_seen.as_secs_f32()
        ),
    );
    Ok(())
}
