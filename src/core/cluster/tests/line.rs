//! A decision in one line, as the cases of all tests write it.

use crate::api::DwsClusterStatus;
use crate::core::conditions as core_conditions;
use crate::core::facts::Tie;
use crate::core::step::{Decision, SecretWrite};
use crate::dws::call::Call;

/// A decision in one line.
pub(super) fn line(decision: &Decision<DwsClusterStatus>) -> String {
    let mut parts = Vec::new();
    if let Some(status) = decision
        .call
        .as_ref()
        .map(crate::core::journal::Intent::operation)
    {
        let more = match decision
            .call
            .as_ref()
            .map(crate::core::journal::Intent::call)
        {
            Some(Call::ResizeCluster { count, .. }) => format!(" +{count}"),
            Some(Call::DeleteCluster {
                keep_last_manual_snapshot,
                ..
            }) => format!(" keep {keep_last_manual_snapshot}"),
            _ => String::new(),
        };
        parts.push(format!("call {:?} #{}{more}", status.kind, status.attempt));
    }
    if decision.remove_finalizer {
        parts.push("forget".into());
    } else {
        let conditions = &decision.status.conditions;
        for type_ in ["Ready", "Synced"] {
            if let Some(reason) = core_conditions::reason(conditions, type_) {
                let truth = if core_conditions::is_true(conditions, type_) {
                    "True"
                } else {
                    "False"
                };
                parts.push(format!("{type_}={truth}/{reason}"));
            }
        }
        for type_ in ["Reconciling", "Stalled"] {
            if core_conditions::is_true(conditions, type_) {
                parts.push(type_.to_owned());
            }
        }
    }
    match decision.secret {
        Some(SecretWrite::Put { tie, .. }) => parts.push(match tie {
            Tie::Owned => "secret put".into(),
            Tie::Kept => "secret kept".into(),
        }),
        Some(SecretWrite::Release) => parts.push("secret release".into()),
        Some(SecretWrite::Delete) => parts.push("secret delete".into()),
        None => {}
    }
    parts.join("; ")
}
