//! The way to the API server: a client inferred as kubectl does, and the wait for our definitions.
//!
//! Retries are the controllers' alone, so kube's own are off. A missing definition is no reason to crash:
//! `kubectl apply` of it may be seconds away.

use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::api::ListParams;
use kube::client::ConfigExt;
use kube::config::Kubeconfig;
use kube::{Api, Client, Config, Resource};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, ServiceBuilder};
use tracing::{info, warn};

use super::config::NamespaceSet;
use super::config_error::{ConfigError, chain, printable};
use super::health::Readiness;
use crate::api::{DwsCluster, DwsSnapshot};

/// A watch ends by itself before this; a connection that is silent for longer is dead.
const SILENCE: Duration = Duration::from_mins(4);
const AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
const CONNECT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// One request of the wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// The way to the API server.
pub struct Access {
    /// Repeats nothing by itself.
    pub client: Client,
    /// The API server's host and port, for the log.
    pub server: String,
    /// The Pod's own namespace, or that of the kubeconfig's context.
    pub namespace: String,
}

impl Access {
    /// As kubectl does: `KUBECONFIG`, `~/.kube/config`, the Pod's service account. Nothing is sent.
    ///
    /// # Errors
    /// None of them can be used.
    pub async fn infer() -> Result<Self, ConfigError> {
        let wrong = |problem: String| {
            ConfigError::invalid(
                "KUBECONFIG",
                problem,
                "point it at a kubeconfig file that kubectl accepts, or run in a Pod with a service account token",
            )
        };
        let mut config = Config::infer()
            .await
            .map_err(|error| wrong(format!("no access to Kubernetes ({})", chain(&error))))?;
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = Some(SILENCE);
        config.reset_reader_on_write = true;
        // By this the API server names whose a field is, and who asked in its audit log.
        config
            .headers
            .push((USER_AGENT, HeaderValue::from_static(AGENT)));
        // kube also takes one from `HTTPS_PROXY`, and knows no `NO_PROXY`.
        if config.proxy_url.is_some() && !Kubeconfig::read().is_ok_and(|file| names_a_proxy(&file))
        {
            config.proxy_url = None;
        }
        let host = config.cluster_url.host().unwrap_or_default();
        let server = format!("{host}:{}", config.cluster_url.port_u16().unwrap_or(443));
        let namespace = config.default_namespace.clone();
        let client =
            client(config).map_err(|error| wrong(format!("unusable ({})", chain(&error))))?;
        Ok(Self {
            client,
            server,
            namespace,
        })
    }
}

/// A client of this configuration that repeats nothing, and whose requests leave at once.
///
/// kube's own leaves Nagle's algorithm on: a body that follows its head then waits until the server
/// acknowledges the head, which a server that has nothing to say puts off by 40 ms. Each write of an idle
/// operator took that long.
///
/// # Errors
/// The configuration cannot be used.
pub fn client(mut config: Config) -> kube::Result<Client> {
    config.default_retry = false;
    if config.proxy_url.is_some() {
        return Client::try_from(config);
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(tcp)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let http = hyper_util::client::legacy::Builder::new(TokioExecutor::new())
        .build::<_, kube::client::Body>(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace))
}

/// Whether the cluster of the current context says itself by which proxy it is reached.
fn names_a_proxy(file: &Kubeconfig) -> bool {
    let current = file.current_context.as_deref();
    let context = file
        .contexts
        .iter()
        .find(|named| Some(named.name.as_str()) == current)
        .and_then(|named| named.context.as_ref());
    let cluster = file
        .clusters
        .iter()
        .find(|named| context.is_some_and(|context| context.cluster == named.name))
        .and_then(|named| named.cluster.as_ref());
    let proxy = cluster.and_then(|cluster| cluster.proxy_url.as_deref());
    proxy.is_some_and(|proxy| !proxy.is_empty())
}

/// Waits until both kinds can be listed. `false`: told to stop before that.
pub async fn wait_for_definitions(
    client: &Client,
    namespaces: &NamespaceSet,
    readiness: &Readiness,
    stop: &CancellationToken,
) -> bool {
    let mut pause = FIRST_PAUSE;
    let mut said = String::new();
    loop {
        let tried = tokio::select! {
            () = stop.cancelled() => return false,
            tried = try_both(client, namespaces) => tried,
        };
        let Err(why) = tried else {
            if !said.is_empty() {
                info!("both kinds can be listed now");
            }
            return true;
        };
        readiness.set_unready(why.as_str());
        if why != said {
            warn!("{why}; trying again until it works");
            said = why;
        }
        tokio::select! {
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn try_both(client: &Client, namespaces: &NamespaceSet) -> Result<(), String> {
    try_one::<DwsCluster>(client, namespaces).await?;
    try_one::<DwsSnapshot>(client, namespaces).await
}

async fn try_one<K>(client: &Client, namespaces: &NamespaceSet) -> Result<(), String>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let plural = K::plural(&());
    let apis: Vec<Api<K>> = match namespaces {
        NamespaceSet::All => vec![Api::all(client.clone())],
        NamespaceSet::Only(names) => names
            .iter()
            .map(|name| Api::namespaced(client.clone(), name))
            .collect(),
    };
    for api in apis {
        let params = ListParams::default().limit(1);
        match tokio::time::timeout(PATIENCE, api.list_metadata(&params)).await {
            Ok(Ok(_)) => {}
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => {
                return Err(format!(
                    "CustomResourceDefinition {plural}.{} is not installed: run `dws-operator crd | kubectl apply --server-side -f -`",
                    K::group(&())
                ));
            }
            Ok(Err(kube::Error::Api(status))) if matches!(status.code, 401 | 403) => {
                return Err(printable(&format!(
                    "the API server does not let this operator list {plural} ({}): grant it the permissions of its ClusterRole",
                    status.message
                )));
            }
            Ok(Err(error)) => {
                return Err(printable(&format!(
                    "the API server cannot list {plural} ({})",
                    chain(&error)
                )));
            }
            Err(_) => {
                return Err(format!("the API server did not list {plural} in time"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Request, Response};
    use kube::client::Body;
    use tower::service_fn;

    use super::*;

    #[test]
    fn only_the_current_cluster_s_own_proxy_is_taken() {
        let file = |current: &str, proxy: &str| {
            Kubeconfig::from_yaml(&format!(
                r#"{{"current-context": "{current}", "contexts": [
                    {{"name": "one", "context": {{"cluster": "plain"}}}},
                    {{"name": "two", "context": {{"cluster": "behind"}}}}
                ], "clusters": [
                    {{"name": "plain", "cluster": {{"server": "https://127.0.0.1"}}}},
                    {{"name": "behind", "cluster": {{"server": "https://127.0.0.1", "proxy-url": "{proxy}"}}}}
                ]}}"#
            ))
            .unwrap()
        };
        assert!(names_a_proxy(&file("two", "http://127.0.0.1:3128")));
        assert!(!names_a_proxy(&file("two", "")));
        assert!(!names_a_proxy(&file("one", "http://127.0.0.1:3128")));
        assert!(!names_a_proxy(&file("three", "http://127.0.0.1:3128")));
    }

    /// Answers each request with the next status; the last one stays.
    fn server(statuses: &'static [u16]) -> Client {
        let failure = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","reason":"x","code":CODE}"#;
        let next = AtomicUsize::new(0);
        let service = service_fn(move |_: Request<Body>| {
            let at = next.fetch_add(1, Ordering::SeqCst).min(statuses.len() - 1);
            let status = statuses[at];
            let body = if status == 200 {
                r#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[]}"#.to_owned()
            } else {
                failure.replace("CODE", &status.to_string())
            };
            let answer = Response::builder()
                .status(status)
                .body(Body::from(body.into_bytes()));
            async move { answer }
        });
        Client::new(service, "default")
    }

    async fn wait(client: Client, readiness: &Readiness, stop: &CancellationToken) -> bool {
        wait_for_definitions(&client, &NamespaceSet::All, readiness, stop).await
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_until_both_kinds_are_there() {
        let readiness = Readiness::default();
        let stop = CancellationToken::new();
        let client = server(&[404, 200, 404, 500, 200, 200]);
        assert!(wait(client, &readiness, &stop).await);
        assert!(
            readiness.why_not().is_some(),
            "ready is said later, by full caches"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_definition_is_named_with_its_mend() {
        let readiness = Readiness::default();
        let stop = CancellationToken::new();
        let stopper = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_mins(1)).await;
            stopper.cancel();
        });
        assert!(!wait(server(&[404]), &readiness, &stop).await);
        let why = readiness.why_not().unwrap();
        assert!(why.contains("dwsclusters.dws.huaweicloud.com"), "{why}");
        assert!(why.contains("dws-operator crd"), "{why}");
        assert!(!why.contains('\n'));
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_permission_is_named() {
        let why = try_both(&server(&[403]), &NamespaceSet::All)
            .await
            .unwrap_err();
        assert!(why.contains("list dwsclusters"), "{why}");
    }

    #[tokio::test(start_paused = true)]
    async fn every_namespace_is_tried() {
        let names = ["a", "b"].map(str::to_owned).into_iter().collect();
        let only = NamespaceSet::Only(names);
        let why = try_both(&server(&[200, 404]), &only).await.unwrap_err();
        assert!(why.contains("dwsclusters"), "{why}");
        assert!(try_both(&server(&[200]), &only).await.is_ok());
    }
}
