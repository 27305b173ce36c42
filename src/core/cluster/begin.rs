//! Nothing is there yet: create or restore, in the order that costs nothing when something is wrong.
//!
//! Reference and refusals first, then a fresh complete list that shows the name free, then the Secrets,
//! then the intent with the service's clock of that list.

use secrecy::SecretString;

use super::adopt;
use super::body;
use super::draft::{ClusterStep, Draft};
use super::identity;
use super::refused;
use super::secret;
use crate::api::cluster::AdoptionPolicy;
use crate::api::cluster_status::SecretVersion;
use crate::api::{Baseline, OperationKind, Target};
use crate::core::conditions::{self, Ready, Says, Verdict};
use crate::core::connection::{self, Passwords};
use crate::core::facts::{ConnectionSecret, KnownAccount, PasswordSecret, SnapshotRefFact};
use crate::core::failures;
use crate::core::journal::{self, Intent};
use crate::core::password;
use crate::core::step::{EventNote, Outcome, Read, SecretWrite};
use crate::dws::model::Cluster;

pub(super) fn plan(mut draft: Draft<'_>, account: &KnownAccount) -> ClusterStep {
    let spec = &draft.facts.object.spec;
    let if_exists = draft.facts.object.adoption_policy() == AdoptionPolicy::IfExists;
    if if_exists && !account.adoption_allowed {
        return adopt::not_allowed(draft, "spec.adoptionPolicy");
    }
    if spec
        .restore_from
        .as_ref()
        .is_some_and(|from| from.snapshot_id.is_some())
        && !account.adoption_allowed
    {
        return adopt::not_allowed(draft, "spec.restoreFrom.snapshotId");
    }
    draft = match refused::refused_before(draft) {
        Ok(draft) => draft,
        Err(step) => return *step,
    };
    let snapshot_id = match restore_source(&draft, account) {
        Ok(id) => id,
        Err(Source::Read) => return Draft::read(Read::RestoreSnapshot),
        Err(Source::Wait(message)) => {
            let no = Ready::No(Says::new("WaitingForReference", message.clone()));
            return draft.wait(no, "WaitingForReference", message);
        }
        Err(Source::Wrong(message)) => {
            let no = Ready::No(Says::new("InvalidSpec", message.clone()));
            return draft.stall(no, "InvalidSpec", message);
        }
    };
    let list = match &draft.facts.fresh_list {
        None => return Draft::read(Read::Clusters),
        Some(Err(failure)) => return draft.hold_back(failures::held_back(failure)),
        Some(Ok(list)) => list.clone(),
    };
    draft = match identity::alone(draft) {
        Ok(draft) => draft,
        Err(step) => return *step,
    };
    if let Some(taken) = list
        .named(draft.cluster_name())
        .first()
        .map(|cluster| (*cluster).clone())
    {
        if if_exists {
            return adopt::take(draft, account, &taken.id);
        }
        return name_taken(draft, &taken);
    }
    if draft.facts.namespace_terminating {
        return namespace_goes(draft);
    }
    let held = match &draft.facts.connection_secret {
        None => return Draft::read(Read::ConnectionSecret),
        Some(ConnectionSecret::Foreign(whose)) => {
            let says = Says::new("SecretConflict", "No cluster was made.");
            return secret::conflict(draft, whose, Ready::No(says));
        }
        Some(ConnectionSecret::Ours { data, .. }) => Passwords::of(data),
        Some(ConnectionSecret::Absent) => Passwords::default(),
    };
    let baseline = Baseline {
        service_time: Some(journal::clock(list.service_time, draft.facts.now)),
        ..Baseline::default()
    };
    make(draft, account, snapshot_id, held, baseline)
}

/// The name belongs to a cluster that is not ours, and nothing asks to take it over.
fn name_taken(mut draft: Draft<'_>, taken: &Cluster) -> ClusterStep {
    let message = format!(
        "The project already has a cluster named {} ({}). Choose another spec.clusterName, or take this one over \
             with spec.clusterId: {} or spec.adoptionPolicy: IfExists.",
        taken.name, taken.id, taken.id
    );
    draft.events.push(EventNote::warning(
        "NameConflict",
        taken.id.clone(),
        message.clone(),
    ));
    let verdict = Verdict::stalled(
        Ready::No(Says::new("NameConflict", message.clone())),
        Says::new("NameConflict", message),
    );
    let wake = Some(draft.facts.settings.idle_interval);
    draft.end(&verdict, wake, Outcome::Stalled)
}

/// The call, with the password in the Secret before it.
fn make(
    mut draft: Draft<'_>,
    account: &KnownAccount,
    snapshot_id: Option<String>,
    held: Passwords,
    baseline: Baseline,
) -> ClusterStep {
    let (kind, target, call, reason) = if let Some(snapshot_id) = snapshot_id {
        let target = Target {
            name: Some(draft.cluster_name().to_owned()),
            snapshot_id: Some(snapshot_id.clone()),
            credentials: draft.facts.credentials.clone(),
            ..Target::default()
        };
        (
            OperationKind::Restore,
            target,
            body::restore(&draft, &snapshot_id),
            "Restoring",
        )
    } else {
        let (candidate, secret) = match first_password(&mut draft, &held) {
            Ok(chosen) => chosen,
            Err(Some(read)) => return Draft::read(read),
            Err(None) => return password_missing(draft),
        };
        let node_count = draft.facts.object.spec.node_count.unwrap_or_default();
        let target = Target {
            name: Some(draft.cluster_name().to_owned()),
            node_count: Some(node_count),
            secret,
            credentials: draft.facts.credentials.clone(),
            ..Target::default()
        };
        let passwords = held.begun(candidate.clone());
        let data = connection::render(None, draft.admin_user(), &passwords);
        let tie = draft.tie();
        draft.secret = Some(SecretWrite::Put { data, tie });
        (
            OperationKind::Create,
            target,
            body::create(&draft, node_count, candidate),
            "Creating",
        )
    };
    if draft.paused() {
        draft.secret = None;
        return paused(draft);
    }
    draft.status.account = Some(account.account.clone());
    draft.overcome_beginning();
    draft.status.rejected_secret = None;
    let says = Says::new(
        reason,
        format!("{reason} cluster {}.", draft.cluster_name()),
    );
    let verdict = Verdict::working(Ready::No(says.clone()), says);
    let intent = Intent::new(
        &draft.facts.fresh.operation_id,
        kind,
        target,
        baseline,
        draft.facts.now,
        call,
    );
    draft.call(intent, &verdict)
}

enum Source {
    Read,
    Wait(String),
    Wrong(String),
}

/// The snapshot to restore from; `None` for a create.
fn restore_source(draft: &Draft<'_>, account: &KnownAccount) -> Result<Option<String>, Source> {
    let Some(from) = &draft.facts.object.spec.restore_from else {
        return Ok(None);
    };
    if let Some(id) = &from.snapshot_id {
        return Ok(Some(id.clone()));
    }
    let name = from
        .snapshot_ref
        .as_ref()
        .map(|reference| reference.name.clone())
        .unwrap_or_default();
    match &draft.facts.restore_snapshot {
        None => Err(Source::Read),
        Some(SnapshotRefFact::Absent) => Err(Source::Wait(format!(
            "DwsSnapshot {name} of spec.restoreFrom.snapshotRef does not exist in this namespace: create it, or correct the name."
        ))),
        Some(SnapshotRefFact::Present(snapshot)) => {
            let status = snapshot.status.clone().unwrap_or_default();
            let ready = conditions::is_true(&status.conditions, "Ready")
                && snapshot.metadata.deletion_timestamp.is_none();
            if ready
                && status
                    .account
                    .as_ref()
                    .is_some_and(|project| *project != account.account)
            {
                return Err(Source::Wrong(format!(
                    "DwsSnapshot {name} belongs to another project than this cluster's credentials: a restore stays in one project."
                )));
            }
            if let Some(id) = status.snapshot_id.filter(|_| ready) {
                return Ok(Some(id));
            }
            let why = if conditions::is_true(&status.conditions, "Stalled") {
                "cannot be restored from: see its conditions, take it again or name another"
            } else {
                "is not Ready yet; the restore starts when it is"
            };
            Err(Source::Wait(format!("DwsSnapshot {name} {why}.")))
        }
    }
}

type Chosen = (SecretString, Option<SecretVersion>);

/// The password of the new cluster and the Secret that it came from. `Err(None)`: the reference is not there
/// or its content cannot be used, and the draft's failure says so.
fn first_password(draft: &mut Draft<'_>, held: &Passwords) -> Result<Chosen, Option<Read>> {
    let Some(reference) = &draft.facts.object.spec.admin_password_secret_ref else {
        let rejected = draft
            .failed_beginning()
            .is_some_and(|one| one.reason == "PasswordRejected");
        let kept = held.pending.clone().filter(|_| !rejected);
        return Ok((
            kept.unwrap_or_else(|| draft.facts.fresh.password.clone()),
            None,
        ));
    };
    match &draft.facts.password_secret {
        None => Err(Some(Read::PasswordSecret)),
        Some(PasswordSecret::NoSecret | PasswordSecret::NoKey) => Err(None),
        Some(PasswordSecret::Value {
            password: candidate,
            uid,
            resource_version,
        }) => {
            let secret = SecretVersion {
                uid: uid.clone(),
                resource_version: resource_version.clone(),
            };
            if let Err(weakness) = password::judge(candidate, draft.admin_user(), None) {
                let key = draft.facts.object.admin_password_key();
                let message = format!(
                    "The password in Secret {} (key {key}) cannot be used: {weakness}.",
                    reference.name
                );
                draft.fail(OperationKind::Create, "PasswordRejected", None, message);
                draft.status.rejected_secret = Some(secret);
                return Err(None);
            }
            Ok((candidate.clone(), Some(secret)))
        }
    }
}

/// The reference cannot be used just now, or its content never.
fn password_missing(mut draft: Draft<'_>) -> ClusterStep {
    if let Some(failure) = draft
        .failed_beginning()
        .filter(|one| one.reason == "PasswordRejected")
        .cloned()
    {
        draft.events.push(EventNote::warning(
            "PasswordRejected",
            "rules",
            failure.message.clone(),
        ));
        let no = Ready::No(Says::new("NotCreated", failure.message.clone()));
        let verdict = Verdict::out_of_sync(no, Says::new("PasswordRejected", failure.message));
        return draft.end(&verdict, None, Outcome::Stalled);
    }
    let message = secret::reference_missing(&draft);
    let no = Ready::No(Says::new("WaitingForReference", message.clone()));
    draft.wait(no, "WaitingForReference", message)
}

/// The namespace is being deleted, and the resource with it: nothing new is bought for it.
pub(super) fn namespace_goes(draft: Draft<'_>) -> ClusterStep {
    let message = "The namespace is being deleted: nothing new is made in it.";
    let no = Ready::No(Says::new("NamespaceTerminating", message));
    draft.wait(no, "NamespaceTerminating", message)
}

/// Paused before anything was made.
fn paused(draft: Draft<'_>) -> ClusterStep {
    let says = Says::paused();
    let verdict = Verdict::out_of_sync(Ready::AsBefore(says.clone()), says);
    draft.end(&verdict, None, Outcome::Waiting)
}
