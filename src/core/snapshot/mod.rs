//! The plan for a `DwsSnapshot`: take one, wait for its turn, adopt one, delete or retain it.

mod absorb;
mod delete;
mod draft;
mod follow;
mod settle;
mod take;
#[cfg(test)]
mod tests;

pub use absorb::absorb;

use super::conditions::{Ready, Says};
use super::facts::{Account, KnownAccount, SnapshotFacts};
use super::failures;
use crate::api::DwsSnapshotStatus;
use crate::core::step::{Outcome, Step};
use draft::{Draft, SnapshotStep};

/// The next step for these facts.
pub fn plan(facts: &SnapshotFacts) -> Step<DwsSnapshotStatus> {
    let draft = Draft::new(facts);
    if facts.object.metadata.deletion_timestamp.is_some() {
        return delete::plan(draft);
    }
    let (draft, account) = match usable_account(draft) {
        Ok(pair) => pair,
        Err(step) => return *step,
    };
    if draft.status.snapshot_id.is_some() {
        return follow::follow(draft, account);
    }
    if let Some(operation) = draft.status.operation.clone() {
        return settle::settle(draft, &operation);
    }
    if let Some(id) = facts.object.spec.snapshot_id.clone() {
        return follow::adopt(draft, account, &id);
    }
    take::begin(draft, account)
}

/// The account, if calls to it make sense just now.
fn usable_account(draft: Draft<'_>) -> Result<(Draft<'_>, &KnownAccount), Box<SnapshotStep>> {
    let facts = draft.facts;
    match &facts.account {
        Account::Pending => match take::without_cluster(&draft) {
            // The cluster would say which account it is, so nothing more is known before it is there.
            // Nor are its credentials recorded: an empty name would stand for the operator's own for ever.
            Some(says) => {
                let mut draft = draft;
                let stored = facts.object.status.as_ref();
                draft.status.credentials_secret_name =
                    stored.and_then(|status| status.credentials_secret_name.clone());
                Err(Box::new(draft.wait(Ready::No(says.clone()), says)))
            }
            None => Err(Box::new(
                draft.unchanged(Some(facts.settings.active_interval), Outcome::Waiting),
            )),
        },
        Account::CredentialsMissing { message, .. } => {
            let says = Says::new("CredentialsMissing", message.as_str());
            Err(Box::new(draft.wait(Ready::AsBefore(says.clone()), says)))
        }
        Account::Invalid { message } => {
            let says = Says::new("InvalidSpec", message.as_str());
            Err(Box::new(draft.stall(Ready::AsBefore(says.clone()), says)))
        }
        Account::Unreachable(circuit) => Err(Box::new(draft.hold_back(failures::circuit(circuit)))),
        Account::Known(known) => {
            if let Some(recorded) = draft
                .status
                .account
                .clone()
                .filter(|recorded| *recorded != known.account)
            {
                let message = format!(
                    "This resource belongs to project {} in {}, and the credentials lead to project {} in {}. Give it \
                     credentials of its own project.",
                    recorded.project_id,
                    recorded.region,
                    known.account.project_id,
                    known.account.region
                );
                let says = Says::new("AccountMismatch", message);
                return Err(Box::new(draft.stall(Ready::AsBefore(says.clone()), says)));
            }
            match &known.circuit {
                Some(circuit) if draft.has_work() || circuit.failed_polls >= 3 => {
                    Err(Box::new(draft.hold_back(failures::circuit(circuit))))
                }
                Some(_) => Err(Box::new(
                    draft.unchanged(Some(facts.settings.idle_interval), Outcome::HeldBack),
                )),
                None => Ok((draft, known)),
            }
        }
    }
}
