//! The connection Secret: what it holds, and how it is tied to the resource. At every moment one of its three
//! passwords logs in.

use std::sync::Arc;

use kube::ResourceExt;
use secrecy::SecretString;

use super::draft::{ClusterStep, Draft, Part};
use super::{refused, turn};
use crate::api::cluster_status::{Binding, SecretVersion};
use crate::api::{OperationKind, names};
use crate::core::conditions::{Ready, Says, Verdict};
use crate::core::connection::{self, Passwords};
use crate::core::facts::{ClusterFacts, ConnectionSecret, PasswordSecret, Tie};
use crate::core::step::{EventNote, Outcome, Read, SecretWrite, Step};
use crate::dws::model::Cluster;

/// The passwords that the connection Secret holds, once it was read: what this reconcile is about to write
/// counts before what is stored, else a password just promoted would be taken for one still to be set.
pub(super) fn held(draft: &Draft<'_>) -> Result<Passwords, Box<ClusterStep>> {
    if let Some(SecretWrite::Put { data, .. }) = &draft.secret {
        return Ok(Passwords::of(data));
    }
    match &draft.facts.connection_secret {
        None => Err(Box::new(Draft::read(Read::ConnectionSecret))),
        Some(ConnectionSecret::Ours { data, .. }) => Ok(Passwords::of(data)),
        Some(ConnectionSecret::Absent | ConnectionSecret::Foreign(_)) => Ok(Passwords::default()),
    }
}

/// Puts these passwords and what the cluster shows into the Secret, if anything differs.
pub(super) fn put(draft: &mut Draft<'_>, cluster: &Cluster, passwords: &Passwords) {
    let data = connection::render(Some(cluster), draft.admin_user(), passwords);
    let tie = draft.tie();
    let stands = match &draft.facts.connection_secret {
        Some(ConnectionSecret::Ours {
            data: stored,
            tie: found,
        }) => *found == Some(tie) && connection::same(stored, &data),
        _ => false,
    };
    draft.secret = (!stands).then_some(SecretWrite::Put { data, tie });
    // A Provisioned Service points at its Secret once an application can use it.
    let usable = passwords.current.is_some() || draft.adopted();
    if usable && !draft.awaits_first_password() {
        publish_binding(draft);
    }
}

/// Whatever a living resource comes to, and be it that its account cannot be reached: a manifest that is new ties
/// the Secret as it asks before the status says that it was seen. A deletion may come next.
pub(super) fn tied(facts: &ClusterFacts, step: ClusterStep) -> ClusterStep {
    let Step::Act(mut decision) = step else {
        return step;
    };
    let meta = &facts.object.metadata;
    let has_cluster = decision.status.cluster_id.is_some();
    if meta.deletion_timestamp.is_some() || !has_cluster || decision.secret.is_some() {
        return Step::Act(decision);
    }
    let stored = facts.object.status.as_ref();
    let is_new = stored.is_none_or(|stored| {
        stored.cluster_id.is_none() || stored.observed_generation != meta.generation
    });
    let wanted = Tie::of(&facts.object, decision.status.adopted == Some(true));
    match &facts.connection_secret {
        None if is_new => return Step::Read(Read::ConnectionSecret),
        Some(ConnectionSecret::Ours { data, tie }) if *tie != Some(wanted) => {
            let (data, tie) = (data.clone(), wanted);
            decision.secret = Some(SecretWrite::Put { data, tie });
        }
        _ => {}
    }
    Step::Act(decision)
}

/// The resource points at its Secret.
pub(super) fn publish_binding(draft: &mut Draft<'_>) {
    draft.status.binding = Some(Binding {
        name: draft.connection_secret_name(),
    });
}

/// The create's password is in force.
pub(super) fn promote<'a>(mut draft: Draft<'a>, cluster: &Arc<Cluster>) -> Part<'a> {
    let passwords = held(&draft)?.promoted();
    if !matches!(
        draft.facts.connection_secret,
        Some(ConnectionSecret::Foreign(_))
    ) {
        put(&mut draft, cluster, &passwords);
    }
    Ok(draft)
}

/// The last act of a reconcile without a call: the Secret as it should be.
pub(super) fn publish<'a>(mut draft: Draft<'a>, cluster: &Arc<Cluster>) -> Part<'a> {
    if draft.secret.is_some() {
        return Ok(draft);
    }
    let mut passwords = held(&draft)?;
    if let Some(ConnectionSecret::Foreign(whose)) = &draft.facts.connection_secret {
        let ready = turn::ready(&draft, cluster);
        return Err(Box::new(conflict(draft, whose, ready)));
    }
    if draft.open_operation().is_none() {
        let waits_for_reset = draft.awaits_first_password();
        if !waits_for_reset && draft.unknown_of(OperationKind::ResetPassword).is_none() {
            // Sent by nobody, or refused: it must not look like a password that may be in force.
            passwords.pending = None;
        }
        let looks = passwords.current.is_none() || draft.facts.password_secret.is_some();
        if looks
            && !waits_for_reset
            && let Some((value, secret)) = referenced(&draft)?
            && known_in_force(&draft, &passwords, &secret)
        {
            passwords.current = Some(value);
            draft.status.password_secret = Some(secret);
        }
    }
    put(&mut draft, cluster, &passwords);
    Ok(draft)
}

pub(super) type Referenced = (SecretString, SecretVersion);

/// The referenced Secret's content; `None` without a reference, or where it is not there.
pub(super) fn referenced(draft: &Draft<'_>) -> Result<Option<Referenced>, Box<ClusterStep>> {
    if draft.facts.object.spec.admin_password_secret_ref.is_none() {
        return Ok(None);
    }
    match &draft.facts.password_secret {
        None => Err(Box::new(Draft::read(Read::PasswordSecret))),
        Some(PasswordSecret::Value {
            password,
            uid,
            resource_version,
        }) => {
            let secret = SecretVersion {
                uid: uid.clone(),
                resource_version: resource_version.clone(),
            };
            Ok(Some((password.clone(), secret)))
        }
        Some(PasswordSecret::NoSecret | PasswordSecret::NoKey) => Ok(None),
    }
}

/// Whether the content of this referenced Secret is in force, whatever the connection Secret lost: it is
/// the one that was set, or an adopted cluster has none of ours yet, for which it is published as it is.
pub(super) fn known_in_force(
    draft: &Draft<'_>,
    passwords: &Passwords,
    secret: &SecretVersion,
) -> bool {
    match &draft.status.password_secret {
        Some(known) => known == secret,
        None => draft.adopted() && passwords.current.is_none(),
    }
}

/// What is wrong with the password, if anything.
pub(super) fn shortfall(draft: &Draft<'_>) -> Option<Says> {
    let spec = &draft.facts.object.spec;
    let missing = matches!(
        draft.facts.password_secret,
        Some(PasswordSecret::NoSecret | PasswordSecret::NoKey)
    );
    // Before what was said of a content that is there no more.
    if spec.admin_password_secret_ref.is_some() && missing {
        return Some(Says::new("WaitingForReference", reference_missing(draft)));
    }
    if let Some(failure) = draft.failure_of(OperationKind::ResetPassword) {
        return Some(refused::told(failure, "PasswordRejected"));
    }
    if let Ok(Some((_, secret))) = referenced(draft)
        && draft.status.rejected_secret.as_ref() == Some(&secret)
    {
        // The words of the refusal gave way to a later failure of another kind.
        let message =
            "The password in the referenced Secret was refused before: change that Secret.";
        return Some(Says::new("PasswordRejected", message));
    }
    let written = match (&draft.secret, &draft.facts.connection_secret) {
        (Some(SecretWrite::Put { data, .. }), _)
        | (_, Some(ConnectionSecret::Ours { data, .. })) => data.contains_key(connection::PASSWORD),
        _ => true,
    };
    (!written && !draft.adopted() && spec.admin_password_secret_ref.is_none()).then(|| {
        Says::new(
            "PasswordMissing",
            "The generated password is gone: it, or the connection Secret with it, was deleted. Annotate the resource with \
             dws.huaweicloud.com/rotate-password-requested-at=$(date -u +%FT%TZ) to get a new one.",
        )
    })
}

/// What is missing of `adminPasswordSecretRef`.
pub(super) fn reference_missing(draft: &Draft<'_>) -> String {
    let object = &draft.facts.object;
    let name = object.admin_password_secret_name().unwrap_or_default();
    let key = object.admin_password_key();
    match draft.facts.password_secret {
        Some(PasswordSecret::NoKey) => format!(
            "Secret {name} has no key {key} with text in it: add it, or correct spec.adminPasswordSecretRef.key."
        ),
        _ => format!(
            "Secret {name} of spec.adminPasswordSecretRef does not exist in this namespace: create it with key {key}, or correct the name."
        ),
    }
}

/// A Secret of the connection Secret's name that is not ours.
pub(super) fn conflict(mut draft: Draft<'_>, whose: &str, ready: Ready) -> ClusterStep {
    let name = draft.connection_secret_name();
    let message = format!(
        "Secret {name} exists and is not this resource's ({whose}); it is not touched. If it holds this cluster's \
         password, kept when a former resource went, give it over: annotate it with {}={}/. Else delete it, or \
         choose another spec.connectionSecretName before the cluster is made.",
        names::CONNECTION_OF,
        draft.facts.object.name_any()
    );
    draft
        .events
        .push(EventNote::warning("SecretConflict", name, message.clone()));
    let says = Says::new("SecretConflict", message);
    let verdict = Verdict::stalled(ready, says);
    let wake = Some(draft.facts.settings.idle_interval);
    draft.end(&verdict, wake, Outcome::Stalled)
}
