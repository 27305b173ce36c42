//! The plan for a `DwsCluster`: which step follows from what is known.
//!
//! [`plan`] only decides who has the word: deletion, an account that cannot be used, adoption, create or
//! restore, or a cluster that is there. Each of these is a file of its own. [`absorb`] puts the answer to
//! a call into the status.

mod absorb;
mod adopt;
mod begin;
mod body;
mod compare;
mod delete;
mod deletion;
mod draft;
mod drift;
mod failing;
mod final_snapshot;
mod forget;
mod held_up;
mod identity;
mod live;
mod observe;
mod refused;
mod requests;
mod reset;
mod resize;
mod restart;
mod secret;
mod settle_create;
#[cfg(test)]
mod tests;
mod turn;

pub use absorb::absorb;
pub use final_snapshot::name_of as final_snapshot_name;

use super::conditions::{Ready, Says, Verdict};
use super::facts::{Account, ClusterFacts, KnownAccount};
use super::failures;
use crate::api::DwsClusterStatus;
use crate::api::names::UNOBSERVED;
use crate::core::step::{Decision, EventNote, Outcome, Step};
use draft::{ClusterStep, Draft};

/// The next step for these facts.
pub fn plan(facts: &ClusterFacts) -> Step<DwsClusterStatus> {
    secret::tied(facts, decide(facts))
}

fn decide(facts: &ClusterFacts) -> ClusterStep {
    let mut draft = Draft::new(facts);
    draft.acknowledge();
    if facts.object.metadata.deletion_timestamp.is_some() {
        return delete::plan(draft);
    }
    draft.record_requests();
    let account = match usable_account(draft) {
        Ok((kept, account)) => {
            draft = kept;
            account
        }
        Err(step) => return *step,
    };
    if draft.status.cluster_id.is_some() {
        return live::plan(draft, account);
    }
    if let Some(operation) = draft.open_operation().cloned() {
        return settle_create::plan(draft, account, &operation);
    }
    if facts.object.spec.cluster_id.is_some() || draft.observe_only() {
        return adopt::plan(draft, account);
    }
    begin::plan(draft, account)
}

/// What to say where the API server refuses the connection Secret, in its words: nothing was sent.
pub fn secret_refused(facts: &ClusterFacts, words: &str) -> Decision<DwsClusterStatus> {
    let mut draft = Draft::new(facts);
    draft.record_requests();
    let name = draft.connection_secret_name();
    let message = format!(
        "Secret {name} cannot be written, and nothing is begun without it: {words}. It is tried again; look for a \
         ResourceQuota or a policy that forbids it."
    );
    let note = EventNote::warning("SecretRefused", name, message.clone());
    draft.events.push(note);
    let says = Says::new("SecretRefused", message);
    let verdict = Verdict::out_of_sync(Ready::AsBefore(says.clone()), says);
    draft.note(&verdict)
}

/// The account, if calls to it make sense just now.
fn usable_account(draft: Draft<'_>) -> Result<(Draft<'_>, &KnownAccount), Box<ClusterStep>> {
    let unseen = |reason, message: &str| Ready::AsBefore(Says::new(reason, message));
    let facts = draft.facts;
    match &facts.account {
        Account::Pending => {
            let says = Says::new("Waiting", "The account has not been read yet.");
            let ready = Ready::AsBefore(says.clone());
            let verdict = Verdict::waiting(ready, says);
            let wake = Some(facts.settings.active_interval);
            let stored = facts.object.status.as_ref();
            let seen = stored.and_then(|status| status.observed_generation);
            // Nothing is known yet and nothing is written about it: the first poll comes within seconds.
            if seen.is_some_and(|seen| seen != UNOBSERVED) {
                return Err(Box::new(draft.unchanged(wake, Outcome::Waiting)));
            }
            Err(Box::new(draft.end(&verdict, wake, Outcome::Waiting)))
        }
        Account::CredentialsMissing { message, .. } => Err(Box::new(draft.wait(
            unseen("CredentialsMissing", message),
            "CredentialsMissing",
            message.as_str(),
        ))),
        Account::Invalid { message } => Err(Box::new(draft.stall(
            unseen("InvalidSpec", message),
            "InvalidSpec",
            message.as_str(),
        ))),
        Account::Unreachable(circuit) => Err(Box::new(draft.hold_back(failures::circuit(circuit)))),
        Account::Known(known) => {
            if draft
                .status
                .account
                .as_ref()
                .is_some_and(|recorded| *recorded != known.account)
            {
                let recorded = draft.status.account.clone().unwrap_or_default();
                let message = format!(
                    "This resource belongs to project {} in {}, and the credentials lead to project {} in {}. Nothing \
                     is read or changed: give it credentials of its own project.",
                    recorded.project_id,
                    recorded.region,
                    known.account.project_id,
                    known.account.region
                );
                let ready = unseen("AccountMismatch", &message);
                return Err(Box::new(draft.stall(ready, "AccountMismatch", message)));
            }
            match &known.circuit {
                Some(circuit) if draft.has_work() || circuit.failed_polls >= 3 => {
                    Err(Box::new(draft.hold_back(failures::circuit(circuit))))
                }
                Some(_) => {
                    let wake = Some(facts.settings.idle_interval);
                    Err(Box::new(draft.unchanged(wake, Outcome::HeldBack)))
                }
                None => Ok((draft, known)),
            }
        }
    }
}
