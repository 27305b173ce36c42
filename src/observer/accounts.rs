//! All accounts: the operator's own and those that Secrets lead to.
//!
//! It knows which content of which Secret made which account, by a fingerprint; the content itself goes
//! to the client and is kept nowhere else. Sources with the same credential at the same place share one
//! account ([`super::tenants`]). Accounts come with [`Accounts::from_secret`] and go with
//! [`Accounts::release`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use parking_lot::Mutex;
use secrecy::SecretString;
use tokio::sync::Notify;

use super::account::Account;
use super::credentials::{self, CredentialsProblem, OwnCredentials, Understood};
use super::fingerprint;
use super::interval::Pace;
use super::seat::Seat;
use super::tenants::{Tenant, Tenants};
use super::{ObserverSettings, Source};
use crate::dws::clock::Clock;
use crate::dws::transport::Transport;
use crate::dws::{AccountConfig, Client, Credential};
use crate::entropy::Entropy;

/// All accounts. Clones are the same.
#[derive(Clone)]
pub struct Accounts(pub(super) Arc<Inner>);

pub(super) struct Inner {
    settings: ObserverSettings,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    own: Option<Account>,
    tenants: Mutex<Tenants>,
    fingerprint_key: [u8; 32],
    /// An account came, went or was replaced.
    pub(super) changed: Notify,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("own", &self.0.own.is_some())
            .field("tenants", &self.0.tenants.lock().len())
            .finish_non_exhaustive()
    }
}

impl Accounts {
    /// The operator's own account, if there is one, and no other yet. Nothing is sent. Must be called in
    /// a tokio runtime's context when its clock is paused.
    pub fn new(
        settings: ObserverSettings,
        own: Option<OwnCredentials>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
    ) -> Self {
        let mut inner = Inner {
            settings,
            transport,
            clock,
            entropy,
            own: None,
            tenants: Mutex::default(),
            // Not from `entropy`: a seeded one would make the key known.
            fingerprint_key: rand::random(),
            changed: Notify::new(),
        };
        if let Some(OwnCredentials { config, credential }) = own {
            let fingerprint = fingerprint::of(&inner.fingerprint_key, &config, &credential);
            let account = inner.account(config, credential, inner.seat());
            inner.tenants.lock().hold(fingerprint, account.clone());
            inner.own = Some(account);
        }
        Self(Arc::new(inner))
    }

    /// The operator's own account.
    pub fn own(&self) -> Option<Account> {
        self.0.own.clone()
    }

    /// The account that a Secret's content makes, and one sentence per key that is ignored.
    ///
    /// The same Secret in the same version, and the same content in another version, are the same
    /// account, and so are two Secrets whose credential, region and project are the same, the operator's own
    /// among them. Other content is another account: its circuit is closed, its project is looked up anew,
    /// and all who came by this Secret are woken. A Secret that makes no account leaves the former one as it
    /// is (see [`Self::last_good`]).
    pub fn from_secret(
        &self,
        namespace: &str,
        name: &str,
        secret_uid: &str,
        resource_version: &str,
        data: &BTreeMap<String, SecretString>,
    ) -> Result<(Account, Vec<String>), CredentialsProblem> {
        let mut tenants = self.0.tenants.lock();
        let place = (namespace.to_owned(), name.to_owned());
        if let Some((tenant, account)) = tenants.get(&place)
            && tenant.secret_uid == secret_uid
            && tenant.resource_version == resource_version
        {
            return Ok((account.clone(), tenant.warnings.clone()));
        }
        let Understood {
            config,
            credential,
            warnings,
        } = credentials::understand(name, data, &self.0.settings.endpoint)?;
        let tenant = Tenant {
            secret_uid: secret_uid.to_owned(),
            resource_version: resource_version.to_owned(),
            fingerprint: fingerprint::of(&self.0.fingerprint_key, &config, &credential),
            warnings: warnings.clone(),
        };
        let (account, is_another) = tenants.set(place, tenant, |seat| {
            let seat = seat.unwrap_or_else(|| self.0.seat());
            self.0.account(config, credential, seat)
        });
        drop(tenants);
        if is_another {
            self.0.changed.notify_one();
        }
        Ok((account, warnings))
    }

    /// The latest account of this source, whatever became of its Secret since, until it is released.
    pub fn last_good(&self, source: &Source) -> Option<Account> {
        match source {
            Source::Own => self.own(),
            Source::Secret { namespace, name } => {
                let tenants = self.0.tenants.lock();
                let found = tenants.get(&(namespace.clone(), name.clone()));
                found.map(|(_, account)| account.clone())
            }
        }
    }

    /// Nobody depends on this source any more. With its last source an account's credential is dropped and
    /// it is no longer polled; the operator's own account stays.
    pub fn release(&self, source: &Source) {
        if let Source::Secret { namespace, name } = source {
            let gone = self
                .0
                .tenants
                .lock()
                .remove(&(namespace.clone(), name.clone()));
            if gone.is_some() {
                self.0.changed.notify_one();
            }
        }
    }

    /// Every source with its account, in the order of sources. Some may share one.
    pub fn all(&self) -> Vec<(Source, Account)> {
        let own = self.0.own.iter().map(|own| (Source::Own, own.clone()));
        let tenants = self.0.tenants.lock();
        let secrets = tenants.places().map(|((namespace, name), account)| {
            let source = Source::Secret {
                namespace: namespace.clone(),
                name: name.clone(),
            };
            (source, account.clone())
        });
        let mut all: Vec<_> = own.chain(secrets).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }

    /// Every account once, in no order.
    pub fn distinct(&self) -> Vec<Account> {
        self.0.tenants.lock().accounts().cloned().collect()
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The longest that a loop sleeps without looking at the clock again.
    pub(super) fn longest_sleep(&self) -> SignedDuration {
        self.0
            .settings
            .idle_interval
            .clamp(SignedDuration::from_secs(1), SignedDuration::from_mins(5))
    }
}

impl Inner {
    fn seat(&self) -> Arc<Seat> {
        Arc::new(Seat::new(self.settings.max_requests_per_second))
    }

    fn account(&self, config: AccountConfig, credential: Credential, seat: Arc<Seat>) -> Account {
        let client = Client::new(
            config,
            credential,
            self.transport.clone(),
            self.clock.clone(),
        );
        let pace = Pace {
            active: self.settings.active_interval,
            idle: self.settings.idle_interval,
        };
        Account::new(client, seat, self.clock.clone(), self.entropy.clone(), pace)
    }
}
