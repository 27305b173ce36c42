//! The Lease at the API server: read, made, written over, each within a time limit and by compare-and-swap.
//!
//! It decides nothing. What others wrote into the object (labels, a strategy) stays.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};

use super::decision::Record;
use super::{Place, Terms};
use crate::operator::config_error::chain;
use crate::operator::config_error::printable;

/// What became of a request instead of success.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It is not as it was when it was read last, or there is one already.
    #[error("somebody else wrote to it")]
    Conflict,
    /// It is not there.
    #[error("it is not there")]
    Gone,
    /// What a person needs to know, one line.
    #[error("{0}")]
    Failed(String),
}

/// See the module. It remembers the lease as it stood last.
pub struct Store {
    api: Api<Lease>,
    place: Place,
    terms: Terms,
    last: Option<Lease>,
}

impl Store {
    pub(super) fn new(client: Client, place: Place, terms: Terms) -> Self {
        Self {
            api: Api::namespaced(client, &place.namespace),
            place,
            terms,
            last: None,
        }
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Reads it; `None`: there is none.
    pub(super) async fn read(&mut self, limit: Duration) -> Result<Option<Record>, Trouble> {
        let read = self.api.get(&self.place.name);
        self.last = match self.asked("get", limit, read).await {
            Ok(found) => Some(found),
            Err(Trouble::Gone) => None,
            Err(trouble) => return Err(trouble),
        };
        Ok(self.last.as_ref().map(record))
    }

    /// Writes our name over what was read last, or makes it where nothing was.
    pub(super) async fn write(&mut self, limit: Duration) -> Result<(), Trouble> {
        match &self.last {
            None => self.create(limit).await,
            Some(_) => self.renew(limit).await,
        }
    }

    /// Writes our name over what was read or written last.
    pub(super) async fn renew(&mut self, limit: Duration) -> Result<(), Trouble> {
        let Some(last) = &self.last else {
            return Err(Trouble::Gone);
        };
        let lease = self.signed(last.clone());
        self.replace(lease, limit).await
    }

    /// Takes our name off it, unless it is another's.
    pub(super) async fn release(&mut self) -> Result<(), Trouble> {
        let limit = self.terms.answer;
        for _ in 0..3 {
            let Some(mut lease) = self.last.clone() else {
                return Ok(());
            };
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() != Some(&self.place.identity) {
                return Ok(());
            }
            spec.holder_identity = Some(String::new());
            spec.renew_time = Some(MicroTime(Timestamp::now()));
            match self.replace(lease, limit).await {
                // Our own renewal whose answer was lost, or somebody's label.
                Err(Trouble::Conflict) => drop(self.read(limit).await?),
                done => return done,
            }
        }
        Err(Trouble::Conflict)
    }

    async fn create(&mut self, limit: Duration) -> Result<(), Trouble> {
        let lease = self.signed(Lease {
            metadata: ObjectMeta {
                name: Some(self.place.name.clone()),
                ..ObjectMeta::default()
            },
            spec: None,
        });
        let made = self
            .asked(
                "create",
                limit,
                self.api.create(&PostParams::default(), &lease),
            )
            .await;
        self.last = Some(made.map_err(|trouble| match trouble {
            // A 404 of a create speaks of the namespace.
            Trouble::Gone => Trouble::Failed(format!(
                "namespace {} is not there, so there can be no lease in it: create it",
                self.place.namespace
            )),
            other => other,
        })?);
        Ok(())
    }

    async fn replace(&mut self, lease: Lease, limit: Duration) -> Result<(), Trouble> {
        // It bears the `resourceVersion` that it was read with: of two writers one loses.
        let parameters = PostParams::default();
        let write = self.api.replace(&self.place.name, &parameters, &lease);
        self.last = Some(self.asked("update", limit, write).await?);
        Ok(())
    }

    /// The lease with our name in it.
    fn signed(&self, mut lease: Lease) -> Lease {
        let now = MicroTime(Timestamp::now());
        // Sent back, they would only be compared.
        lease.metadata.managed_fields = None;
        let is_new = lease.spec.is_none();
        let spec: &mut LeaseSpec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(&self.place.identity) {
            spec.holder_identity = Some(self.place.identity.clone());
            spec.acquire_time = Some(now.clone());
            let before = spec.lease_transitions.unwrap_or_default();
            spec.lease_transitions = Some(if is_new { 0 } else { before.saturating_add(1) });
        }
        spec.lease_duration_seconds = i32::try_from(self.terms.duration.as_secs()).ok();
        spec.renew_time = Some(now);
        lease
    }

    async fn asked<T>(
        &self,
        verb: &str,
        limit: Duration,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Trouble> {
        let limit = limit.min(self.terms.answer);
        let Ok(answer) = tokio::time::timeout(limit, request).await else {
            let limit = limit.as_secs_f64();
            return Err(Trouble::Failed(format!(
                "the API server gave no answer within {limit:.1} s"
            )));
        };
        answer.map_err(|error| self.trouble(verb, error))
    }

    fn trouble(&self, verb: &str, error: kube::Error) -> Trouble {
        let Place {
            namespace, name, ..
        } = &self.place;
        match error {
            kube::Error::Api(status) => match status.code {
                409 => Trouble::Conflict,
                404 => Trouble::Gone,
                401 | 403 => Trouble::Failed(printable(&format!(
                    "the API server does not let this operator {verb} Lease {name} in namespace {namespace} ({}): grant it get, create and update on leases there",
                    status.message
                ))),
                code => Trouble::Failed(printable(&format!(
                    "the API server cannot {verb} Lease {namespace}/{name} ({code}: {})",
                    status.message
                ))),
            },
            // Its text quotes what it stumbled over.
            kube::Error::SerdeError(_) => {
                Trouble::Failed("an answer of the API server could not be decoded".to_owned())
            }
            other => Trouble::Failed(format!(
                "the API server cannot {verb} Lease {namespace}/{name} ({})",
                chain(&other)
            )),
        }
    }
}

/// What counts of it.
fn record(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.unwrap_or_default();
    Record {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
        duration: Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
        acquired: spec.acquire_time.map(|time| time.0),
        renewed: spec.renew_time.map(|time| time.0),
        transitions: spec.lease_transitions.unwrap_or_default(),
    }
}
