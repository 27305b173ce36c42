//! From a resource's credentials to its account at the service.
//!
//! The Secret is read by `get` each time: its content, not a cached copy, decides. References stay in the
//! namespace. What the credentials are worth is the observer's to judge.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use super::context::Context;
use super::error::StoreError;
use super::secrets;
use crate::api::cluster_status::SecretVersion;
use crate::core::facts::{self, CircuitReason};
use crate::observer::{Account, CredentialsProblem, Source};

/// What the credentials lead to.
pub struct Resolved {
    /// To read and to call with; `None` where there are no usable credentials.
    pub account: Option<Account>,
    /// Where they come from.
    pub source: Source,
    /// Their Secret as it was read; `None` for the operator's own, and for what is only remembered.
    pub secret: Option<SecretVersion>,
    /// Why there is none.
    problem: Option<facts::Account>,
    adoption_allowed: bool,
    /// Keys of the Secret that are ignored, for an event.
    pub ignored: Vec<String>,
}

impl Resolved {
    /// What a plan may know of it, as of now.
    pub fn facts(&self) -> facts::Account {
        match (&self.account, &self.problem) {
            (Some(account), _) => named(account.facts(self.adoption_allowed), &self.source),
            (None, Some(problem)) => problem.clone(),
            (None, None) => facts::Account::Pending,
        }
    }

    /// Nothing is known of which credentials to use yet.
    pub fn unknown() -> Self {
        Self::without(Source::Own, facts::Account::Pending)
    }

    fn without(source: Source, problem: facts::Account) -> Self {
        Self {
            account: None,
            source,
            secret: None,
            problem: Some(problem),
            adoption_allowed: false,
            ignored: Vec::new(),
        }
    }
}

/// The account for the credentials Secret of this name; `None` or an empty name: the operator's own.
/// `bereaved`: the resource is being deleted and bears our finalizer, so the last good credentials serve
/// where the Secret is gone (a deleted namespace loses its Secrets first).
///
/// # Errors
/// The Secret could not be read.
pub async fn resolve(
    ctx: &Context,
    namespace: &str,
    secret: Option<&str>,
    bereaved: bool,
) -> Result<Resolved, StoreError> {
    let Some(name) = secret.filter(|name| !name.is_empty()) else {
        return Ok(own(ctx, namespace));
    };
    let source = Source::Secret {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    if !ctx.settings.allow_namespace_credentials {
        let message = "this operator takes no credentials from namespaces (--allow-namespace-credentials=false): remove spec.credentialsSecretRef";
        let problem = facts::Account::Invalid {
            message: message.to_owned(),
        };
        return Ok(Resolved::without(source, problem));
    }
    let missing = |message: String| facts::Account::CredentialsMissing { message };
    let Some(found) = secrets::get(&ctx.client, namespace, name).await? else {
        if let Some(account) = ctx.accounts.last_good(&source).filter(|_| bereaved) {
            return Ok(usable(account, source, Vec::new()));
        }
        let message = format!(
            "Secret {name} of spec.credentialsSecretRef does not exist in this namespace: create it with HW_ACCESS_KEY and HW_SECRET_KEY, or HW_DOMAIN_NAME, HW_USER_NAME and HW_USER_PASSWORD, or correct the name."
        );
        return Ok(Resolved::without(source, missing(message)));
    };
    let version = SecretVersion {
        uid: found.uid().unwrap_or_default(),
        resource_version: found.resource_version().unwrap_or_default(),
    };
    Ok(match from_secret(ctx, namespace, name, found) {
        Ok((account, ignored)) => Resolved {
            secret: Some(version),
            ..usable(account, source, ignored)
        },
        Err(CredentialsProblem::Missing { message }) => Resolved::without(source, missing(message)),
        Err(CredentialsProblem::Invalid { message }) => {
            Resolved::without(source, facts::Account::Invalid { message })
        }
    })
}

fn own(ctx: &Context, namespace: &str) -> Resolved {
    let Some(account) = ctx.accounts.own() else {
        let message = "the operator has no credentials of its own: write spec.credentialsSecretRef, or give the operator HW_ACCESS_KEY and HW_SECRET_KEY";
        let problem = facts::Account::CredentialsMissing {
            message: message.to_owned(),
        };
        return Resolved::without(Source::Own, problem);
    };
    Resolved {
        account: Some(account),
        source: Source::Own,
        secret: None,
        problem: None,
        adoption_allowed: ctx.settings.adoption_allowed(namespace),
        ignored: Vec::new(),
    }
}

/// Credentials that are refused are mended where they came from, so the message says where that is.
fn named(facts: facts::Account, source: &Source) -> facts::Account {
    let Source::Secret { name, .. } = source else {
        return facts;
    };
    let named = |circuit: facts::Circuit| match circuit.reason {
        CircuitReason::CredentialsInvalid => facts::Circuit {
            message: format!(
                "The credentials in Secret {name} are refused. {}",
                circuit.message
            ),
            ..circuit
        },
        CircuitReason::Throttled | CircuitReason::ServiceUnavailable => circuit,
    };
    match facts {
        facts::Account::Known(known) => facts::Account::Known(facts::KnownAccount {
            circuit: known.circuit.map(named),
            ..known
        }),
        facts::Account::Unreachable(circuit) => facts::Account::Unreachable(named(circuit)),
        other => other,
    }
}

/// Who brings credentials of their own may take hold of what these may see.
fn usable(account: Account, source: Source, ignored: Vec<String>) -> Resolved {
    Resolved {
        account: Some(account),
        source,
        secret: None,
        problem: None,
        adoption_allowed: true,
        ignored,
    }
}

fn from_secret(
    ctx: &Context,
    namespace: &str,
    name: &str,
    secret: Secret,
) -> Result<(Account, Vec<String>), CredentialsProblem> {
    let uid = secret.uid().unwrap_or_default();
    let version = secret.resource_version().unwrap_or_default();
    let data = secrets::decoded(secret);
    ctx.accounts
        .from_secret(namespace, name, &uid, &version, &data)
}

/// Lets go of credentials that no resource takes any more.
pub fn release_if_unused(ctx: &Context, source: &Source) {
    if let Source::Secret { namespace, name } = source
        && ctx.index.credentials_users(namespace, name).is_empty()
    {
        ctx.accounts.release(source);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        CircuitReason::CredentialsInvalid,
        "The credentials in Secret dws-account are refused. Mend it."
    )]
    #[case(CircuitReason::Throttled, "Mend it.")]
    #[case(CircuitReason::ServiceUnavailable, "Mend it.")]
    fn refused_credentials_are_named(#[case] reason: CircuitReason, #[case] expected: &str) {
        let circuit = facts::Circuit {
            reason,
            message: "Mend it.".to_owned(),
            until: Timestamp::UNIX_EPOCH,
            failed_polls: 1,
        };
        let source = Source::Secret {
            namespace: "team".to_owned(),
            name: "dws-account".to_owned(),
        };
        let facts::Account::Unreachable(told) =
            named(facts::Account::Unreachable(circuit), &source)
        else {
            panic!("another account");
        };
        assert_eq!(told.message, expected);
    }
}
