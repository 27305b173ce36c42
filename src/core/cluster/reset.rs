//! A new password: a candidate stands in the connection Secret as `pending-password` before the call that
//! sets it; then it becomes `password`, and the former one `previous-password`.

use std::sync::Arc;

use jiff::SignedDuration;

use super::draft::{Draft, Part};
use super::secret::{
    conflict, held, known_in_force, publish_binding, put, reference_missing, referenced,
};
use super::turn;
use crate::api::annotations::Request;
use crate::api::{Baseline, Operation, OperationKind, OperationPhase, Target};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::connection::Passwords;
use crate::core::facts::ConnectionSecret;
use crate::core::failures;
use crate::core::journal::{self, Intent};
use crate::core::password;
use crate::core::step::{EventNote, Outcome};
use crate::dws::call::Call;
use crate::dws::model::Cluster;

/// A reset that is open: promote what is in force, send an unsettled one again.
pub(super) fn settle<'a>(
    mut draft: Draft<'a>,
    cluster: &Arc<Cluster>,
    operation: &Operation,
) -> Part<'a> {
    let passwords = held(&draft)?;
    if let Some(ConnectionSecret::Foreign(whose)) = &draft.facts.connection_secret {
        let ready = turn::ready(&draft, cluster);
        return Err(Box::new(conflict(draft, whose, ready)));
    }
    if operation.phase == OperationPhase::Accepted {
        let secret = operation.target.secret.clone();
        // Without a pending one it was promoted just before a crash, or the Secret went with it.
        let known = passwords.pending.is_some() || passwords.current.is_some() || secret.is_some();
        put(&mut draft, cluster, &passwords.promoted());
        publish_binding(&mut draft);
        draft.status.operation = None;
        draft.status.rejected_secret = None;
        draft.status.password_secret = Some(secret.unwrap_or_default());
        draft.overcome(OperationKind::ResetPassword);
        let key = operation.id.clone();
        draft.events.push(if known {
            let note = "The administrator's password was changed; the connection Secret holds the new one.";
            EventNote::normal("PasswordChanged", key, note)
        } else {
            let note = "The administrator's password was changed, and the connection Secret that held the new one was \
                        deleted meanwhile.";
            EventNote::warning("PasswordMissing", key, note)
        });
        return Ok(draft);
    }
    let Some(pending) = passwords.pending else {
        draft.outcome_unknown(
            "The answer to a password reset was lost, and the connection Secret no longer holds the password that was \
             sent: it may or may not be in force.",
        );
        draft.status.password_secret = None;
        return Ok(draft);
    };
    let waited = draft.facts.now.duration_since(operation.intended_at);
    // Each attempt waits longer, up to ten minutes: a refusal that says nothing about the first stays so.
    let pause = draft.facts.settings.active_interval * operation.attempt.clamp(1, 60);
    let too_soon = waited < pause.min(failures::TRY_AGAIN);
    if too_soon || draft.hands_off() || !turn::may_call_again(&draft, cluster)? {
        journal::doubt(&mut draft.status.operation);
        let says = Says::new(
            "PasswordPending",
            "The answer to a password reset was lost; the same one is sent again.",
        );
        let verdict = Verdict::working(turn::ready(&draft, cluster), says);
        let wake = Some(draft.facts.settings.active_interval);
        return Err(Box::new(draft.end(&verdict, wake, Outcome::Waiting)));
    }
    let call = Call::ResetPassword {
        cluster_id: cluster.id.clone(),
        new_password: pending,
    };
    let intent = Intent::renewed(operation, draft.facts.now, call);
    let says = Says::new(
        "PasswordPending",
        "The same password is sent again, because the answer to it was lost.",
    );
    let verdict = Verdict::working(turn::ready(&draft, cluster), says);
    Err(Box::new(draft.call(intent, &verdict)))
}

/// A new password where one is asked for: changed content, a rotation, or the first one after a restore.
pub(super) fn work<'a>(mut draft: Draft<'a>, cluster: &Arc<Cluster>) -> Part<'a> {
    if draft.unknown_of(OperationKind::ResetPassword).is_some() {
        return Ok(draft);
    }
    let passwords = held(&draft)?;
    if matches!(
        draft.facts.connection_secret,
        Some(ConnectionSecret::Foreign(_))
    ) {
        return Ok(draft);
    }
    let first = draft.awaits_first_password();
    let rotation = draft.due(Request::RotatePassword);
    let (candidate, secret) = if draft.facts.object.spec.admin_password_secret_ref.is_some() {
        if let Some(asked) = rotation {
            draft.record(Request::RotatePassword, asked);
            let note = "The password comes from spec.adminPasswordSecretRef: change that Secret to change it.";
            draft.events.push(EventNote::warning(
                "RotationIgnored",
                asked.to_string(),
                note,
            ));
        }
        let Some((value, secret)) = referenced(&draft)? else {
            if first {
                let message = reference_missing(&draft);
                let no = Ready::No(Says::new("WaitingForReference", message.clone()));
                return Err(Box::new(draft.wait(no, "WaitingForReference", message)));
            }
            return Ok(draft);
        };
        let shown = passwords.current.as_ref();
        let same = shown.is_some_and(|current| password::same(current, &value));
        if !first && (same || known_in_force(&draft, &passwords, &secret)) {
            draft.status.password_secret = Some(secret);
            draft.status.rejected_secret = None;
            draft.overcome(OperationKind::ResetPassword);
            return Ok(draft);
        }
        if draft.status.rejected_secret.as_ref() == Some(&secret) {
            return Ok(draft);
        }
        let user = cluster
            .user_name
            .as_deref()
            .unwrap_or_else(|| draft.admin_user());
        if let Err(weakness) = password::judge(&value, user, passwords.previous.as_ref()) {
            let message = format!(
                "The new password is not sent to the service: {weakness}. Change the Secret."
            );
            draft.fail(
                OperationKind::ResetPassword,
                "PasswordRejected",
                None,
                message.clone(),
            );
            draft.status.rejected_secret = Some(secret);
            draft
                .events
                .push(EventNote::warning("PasswordRejected", "rules", message));
            return Ok(draft);
        }
        (value, Some(secret))
    } else if rotation.is_some() || first {
        let refused = draft.failure_of(OperationKind::ResetPassword);
        let since = refused.map(|one| draft.facts.now.duration_since(one.at));
        if since.is_some_and(|since| since < draft.facts.settings.idle_interval) {
            // Made anew, though not in a loop.
            return Ok(draft);
        }
        let refused = refused.is_some();
        let kept = passwords.pending.clone().filter(|_| !refused);
        (
            kept.unwrap_or_else(|| draft.facts.fresh.password.clone()),
            None,
        )
    } else {
        // Nothing is asked for any more, so what was refused of it does not matter either.
        draft.status.rejected_secret = None;
        draft.overcome(OperationKind::ResetPassword);
        return Ok(draft);
    };
    if draft.holds(OperationKind::ResetPassword) {
        return Ok(draft);
    }
    if !turn::may_call(&draft, cluster)? {
        return Err(Box::new(turn::busy(draft, cluster, "The password change")));
    }
    if draft.secret.is_some() {
        // The one before was promoted just now. Both in one write, and a process that dies before the status
        // says so would take the new one for the one before, and promote it unsent.
        let says = Says::new(
            "PasswordPending",
            "A new password is due; the one before it is stored first.",
        );
        let verdict = Verdict::working(turn::ready(&draft, cluster), says);
        let soon = SignedDuration::from_secs(1);
        return Err(Box::new(draft.end(&verdict, Some(soon), Outcome::Waiting)));
    }
    let pending = Passwords {
        pending: Some(candidate.clone()),
        ..passwords
    };
    put(&mut draft, cluster, &pending);
    let baseline = Baseline {
        handled: draft
            .status
            .handled
            .as_ref()
            .and_then(|handled| handled.rotate_password),
        ..Baseline::default()
    };
    if let Some(asked) = rotation {
        draft.record(Request::RotatePassword, asked);
    }
    let target = Target {
        cluster_id: Some(cluster.id.clone()),
        secret,
        ..Target::default()
    };
    let call = Call::ResetPassword {
        cluster_id: cluster.id.clone(),
        new_password: candidate,
    };
    let id = draft.facts.fresh.operation_id.clone();
    let intent = Intent::new(
        &id,
        OperationKind::ResetPassword,
        target,
        baseline,
        draft.facts.now,
        call,
    );
    let says = Says::new("PasswordPending", "A new password is being set.");
    let verdict = Verdict::working(turn::ready(&draft, cluster), says);
    Err(Box::new(draft.call(intent, &verdict)))
}
