//! What integration tests, benches and the demo share: a real Kubernetes control plane, our own
//! programs as child processes, and the figures that suites report.
//!
//! A test brings it in with `mod support;`, an example with
//! `#[path = "../tests/support/mod.rs"] mod support;`. It knows the programs by their names and
//! interfaces only: nothing here may use `dws_operator`'s reconcile, client or simulator.

// Every test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

pub mod api_server;
pub mod control_plane;
pub mod crds;
pub mod figures;
pub mod guard;
pub mod process;
pub mod proxy;
pub mod stack;
pub mod tools;

use std::time::{Duration, Instant};

/// What the harness itself could not do. Tests pass it on with `?`.
pub type Result<T> = anyhow::Result<T>;

/// Polls until `probe` has something, at most `limit`; `what` names it in the error.
pub async fn eventually<T, F, Fut>(what: &str, limit: Duration, mut probe: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let begin = Instant::now();
    loop {
        if let Some(found) = probe().await? {
            return Ok(found);
        }
        if begin.elapsed() > limit {
            anyhow::bail!("{what}: not within {} s", limit.as_secs_f32());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
