//! A deletion that is held up, by a pause or by protection: what goes on meanwhile.
//!
//! It reads and settles, and it neither calls nor lets go.

use super::draft::{Draft, Part};
use super::observe;
use super::settle_create::{self, Found};
use crate::core::facts::Account;
use crate::core::step::Read;

/// Observing and settling go on while the deletion is held up, as far as the account allows.
pub(super) fn observed(mut draft: Draft<'_>) -> Part<'_> {
    let account = match &draft.facts.account {
        Account::Known(known) if known.circuit.is_none() => known,
        _ => return Ok(draft),
    };
    let recorded = draft.status.account.as_ref();
    if recorded.is_some_and(|recorded| *recorded != account.account) {
        return Ok(draft);
    }
    if let Some(id) = draft.status.cluster_id.clone() {
        match &draft.facts.detail {
            None => return Err(Box::new(Draft::read(Read::Cluster(id)))),
            Some(Ok(cluster)) => observe::observe(&mut draft.status, cluster, true),
            Some(Err(_)) => {}
        }
    } else if let Some(operation) = draft.open_operation().cloned() {
        let list = match &draft.facts.fresh_list {
            None => return Err(Box::new(Draft::read(Read::Clusters))),
            Some(Ok(list)) => list,
            Some(Err(_)) => return Ok(draft),
        };
        if let Found::Ours(id) = settle_create::look(&draft, &operation, list) {
            settle_create::claim(&mut draft, &id);
            draft.status.account = Some(account.account.clone());
        }
    }
    Ok(draft)
}
