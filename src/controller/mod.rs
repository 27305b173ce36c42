//! Reconcile: everything around the pure core that talks to Kubernetes and carries decisions out.
//!
//! One reconcile is observe (reads, as the plan asks for them) -> plan (pure, in [`crate::core`]) ->
//! execute (at most one changing remote call, after its intent is stored) -> publish. [`reconcile`] is
//! the whole of it for one resource, with every boundary replaceable through [`Context`]; [`run`] wires
//! it to watches, the observer and a queue. Nothing here decides what should be done.

pub mod account;
pub mod cluster;
pub mod context;
pub mod crd;
pub mod error;
pub mod events;
pub mod execute;
mod flight;
pub mod index;
pub mod interest;
pub mod memory;
pub mod queue;
pub mod run;
pub mod secrets;
pub mod snapshot;
pub mod stopping;
pub mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod watch;

pub use context::{Context, Flights, Observe, Reconciled, Settings};
pub use error::{ReconcileError, StoreError};

use crate::observer::{Kind, ResourceKey};

/// Reconciles one resource once, within the time limit of the settings.
///
/// A changing call that is in flight when the limit passes is not cut off: it goes on by itself and its
/// answer is stored.
///
/// # Errors
/// [`ReconcileError`]: come again later; nothing was lost.
pub async fn reconcile(ctx: &Context, key: &ResourceKey) -> Result<Reconciled, ReconcileError> {
    let work = async {
        match key.kind {
            Kind::Cluster => Box::pin(cluster::reconcile(ctx, &key.namespace, &key.name)).await,
            Kind::Snapshot => Box::pin(snapshot::reconcile(ctx, &key.namespace, &key.name)).await,
        }
    };
    let limit = ctx.settings.reconcile_timeout;
    let result = tokio::time::timeout(limit, work)
        .await
        .unwrap_or(Err(ReconcileError::TimedOut));
    match &result {
        Ok(done) => ctx.observe.reconciled(key.kind, done.outcome),
        Err(error) => ctx.observe.failed(key.kind, error.class()),
    }
    result
}
