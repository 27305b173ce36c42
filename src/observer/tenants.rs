//! Which Secret leads to which account: many may lead to one.
//!
//! One credential copied into fifty namespaces is one account, or it would have fifty loops and fifty
//! budgets against one limit of the service, and fifty wrong copies would lock the key for all. It knows
//! fingerprints and no content.

use std::collections::HashMap;
use std::sync::Arc;

use super::account::Account;
use super::fingerprint::Fingerprint;
use super::seat::Seat;

/// Namespace and name of a Secret.
pub(super) type Place = (String, String);

/// A Secret that leads to an account.
#[derive(Clone)]
pub(super) struct Tenant {
    pub(super) secret_uid: String,
    pub(super) resource_version: String,
    pub(super) fingerprint: Fingerprint,
    /// One sentence per key that is ignored.
    pub(super) warnings: Vec<String>,
}

struct Shared {
    account: Account,
    /// How many sources lead to it.
    sources: usize,
}

/// See the module.
#[derive(Default)]
pub(super) struct Tenants {
    places: HashMap<Place, Tenant>,
    accounts: HashMap<Fingerprint, Shared>,
}

impl Tenants {
    /// An account that no Secret leads to and that never goes: the operator's own.
    pub(super) fn hold(&mut self, fingerprint: Fingerprint, account: Account) {
        let sources = 1;
        self.accounts
            .insert(fingerprint, Shared { account, sources });
    }

    /// What this Secret leads to.
    pub(super) fn get(&self, place: &Place) -> Option<(&Tenant, &Account)> {
        let tenant = self.places.get(place)?;
        let shared = self.accounts.get(&tenant.fingerprint)?;
        Some((tenant, &shared.account))
    }

    /// This Secret leads here from now on. `make` makes the account where there is none yet, on the seat
    /// that the former one leaves behind, if this Secret was its last source: nobody has to tell anew what
    /// they follow. Gives the account, and whether it is another than before.
    pub(super) fn set(
        &mut self,
        place: Place,
        tenant: Tenant,
        make: impl FnOnce(Option<Arc<Seat>>) -> Account,
    ) -> (Account, bool) {
        let fingerprint = tenant.fingerprint;
        let former = self.places.get(&place).map(|former| former.fingerprint);
        if former == Some(fingerprint)
            && let Some(shared) = self.accounts.get(&fingerprint)
        {
            self.places.insert(place, tenant);
            return (shared.account.clone(), false);
        }
        let namespace = place.0.clone();
        let left = self.remove(&place);
        self.places.insert(place, tenant);
        let vacated = match &left {
            Some(Left::Last(account)) => Some(account.seat().clone()),
            Some(Left::Others(account)) => {
                // Those who come by this Secret move by themselves, once they look.
                account.seat().wake_namespace(&namespace);
                None
            }
            None => None,
        };
        if let Some(shared) = self.accounts.get_mut(&fingerprint) {
            shared.sources += 1;
            if let Some(vacated) = vacated {
                shared.account.seat().take_over(&vacated);
            }
            return (shared.account.clone(), true);
        }
        let is_taken = vacated.is_some();
        let account = make(vacated);
        if is_taken {
            account.seat().retake();
        }
        self.hold(fingerprint, account.clone());
        (account, true)
    }

    /// This Secret leads nowhere any more.
    pub(super) fn remove(&mut self, place: &Place) -> Option<Left> {
        let tenant = self.places.remove(place)?;
        let shared = self.accounts.get_mut(&tenant.fingerprint)?;
        shared.sources -= 1;
        if shared.sources > 0 {
            return Some(Left::Others(shared.account.clone()));
        }
        let shared = self.accounts.remove(&tenant.fingerprint)?;
        Some(Left::Last(shared.account))
    }

    /// Every Secret with its account.
    pub(super) fn places(&self) -> impl Iterator<Item = (&Place, &Account)> {
        self.places
            .keys()
            .filter_map(|place| Some((place, self.get(place)?.1)))
    }

    /// Every account once.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values().map(|shared| &shared.account)
    }

    /// How many Secrets lead to an account.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}

/// What a Secret leaves behind.
pub(super) enum Left {
    /// It was the last source: the account is gone.
    Last(Account),
    /// Others lead there as well.
    Others(Account),
}
