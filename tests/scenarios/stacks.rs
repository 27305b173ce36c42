//! The simulators and operators that scenarios stand in: one that most share, and ones of their own.
//!
//! Everything takes place on one control plane; an operator sees its own namespaces only.

use std::sync::atomic::{AtomicU32, Ordering};

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, PostParams};
use serde_json::json;
use tokio::sync::{OnceCell, Semaphore};

use crate::support::Result;
use crate::support::control_plane::{ControlPlane, shared};
use crate::support::proxy::{Judge, Proxy, Upstream};
use crate::support::stack::{Options, Stack};
use crate::world::World;

/// The namespaces of the stack that most scenarios share.
pub const SHARED: &str = "scenarios";
/// Another one of them.
pub const OTHER: &str = "scenarios-other";

/// Stacks that start at the same time: each costs a second of a core.
static TURNS: Semaphore = Semaphore::const_new(2);

/// A name that no other scenario has: a letter, then a number.
pub fn fresh(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{prefix}-{:03}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The control plane with both kinds in it.
async fn plane() -> Result<&'static ControlPlane> {
    static SERVED: OnceCell<()> = OnceCell::const_new();
    let plane = shared().await?;
    SERVED
        .get_or_try_init(|| async {
            for crd in [
                include_str!("../../crds/dws.huaweicloud.com_dwsclusters.yaml"),
                include_str!("../../crds/dws.huaweicloud.com_dwssnapshots.yaml"),
            ] {
                plane.apply_crds(crd).await?;
            }
            Ok::<_, anyhow::Error>(())
        })
        .await?;
    Ok(plane)
}

/// The stack that most scenarios share.
pub async fn shared_stack() -> Result<&'static Stack> {
    static STACK: OnceCell<Stack> = OnceCell::const_new();
    STACK
        .get_or_try_init(|| async {
            let plane = plane().await?;
            let client = plane.client().await?;
            let api: Api<Namespace> = Api::all(client);
            for name in [SHARED, OTHER] {
                let namespace =
                    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
                api.create(&PostParams::default(), &serde_json::from_value(namespace)?)
                    .await?;
            }
            let options = Options {
                simulator: args(&[
                    "--automated-snapshots",
                    "off",
                    "--sold-out",
                    "dws.m3.xlarge",
                    "--sold-out-later",
                    "dwsx2.4xlarge",
                ]),
                operator: args(&["--concurrency", "16"]),
                namespaces: vec![SHARED.to_owned(), OTHER.to_owned()],
                ..Options::default()
            };
            Stack::start(&plane.kubeconfig(), options).await
        })
        .await
}

/// Flags as a program takes them.
pub fn args(all: &[&str]) -> Vec<String> {
    all.iter().map(|&one| one.to_owned()).collect()
}

impl World {
    /// In the shared stack.
    pub async fn shared() -> Result<Self> {
        let stack = shared_stack().await?;
        Ok(Self::new(
            plane().await?.client().await?,
            &stack.url,
            SHARED,
        ))
    }

    /// With a simulator and an operator of its own, in a namespace of its own.
    pub async fn own(options: Options) -> Result<(Self, Stack)> {
        let _turn = TURNS.acquire().await?;
        let (world, mut stack) = Self::without_operator(options).await?;
        stack.start_operator().await?;
        Ok((world, stack))
    }

    /// As [`World::own`], with all that the operator asks of the API server and of the service judged on
    /// its way.
    pub async fn behind(
        options: Options,
        kubernetes: Judge,
        service: Judge,
    ) -> Result<(Self, Stack, [Proxy; 2])> {
        let _turn = TURNS.acquire().await?;
        let (world, mut stack) = Self::without_operator(options).await?;
        let upstream = Upstream::Kubernetes(plane().await?.client().await?);
        let kubernetes = Proxy::start(upstream, kubernetes).await?;
        let upstream = Upstream::Plain(stack.url.trim_start_matches("http://").to_owned());
        let service = Proxy::start(upstream, service).await?;
        stack.redirect_operator(&kubernetes, &service)?;
        stack.start_operator().await?;
        Ok((world, stack, [kubernetes, service]))
    }

    async fn without_operator(options: Options) -> Result<(Self, Stack)> {
        let plane = plane().await?;
        let namespace = plane.namespace("own").await?;
        let mut simulator = args(&["--automated-snapshots", "off"]);
        simulator.extend(options.simulator);
        let options = Options {
            namespaces: vec![namespace.clone()],
            simulator,
            ..options
        };
        let stack = Stack::simulator_only(&plane.kubeconfig(), options).await?;
        let world = Self::new(plane.client().await?, &stack.url, &namespace);
        Ok((world, stack))
    }
}
