//! Whose a connection Secret is, told by its metadata alone: an annotation, and an owner reference where it goes
//! with its resource.
//!
//! The annotation survives where a backup drops owner references, as Velero does. The owner reference has
//! Kubernetes delete the Secret in a foreground deletion, long before the finalizer of the resource is gone, so
//! that a Secret whose cluster stays bears none.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource, ResourceExt};

use crate::api::DwsCluster;
use crate::api::names::{CONNECTION_OF, GROUP};
use crate::core::facts::Tie;

/// Who made it.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "dws-operator");

/// The owner of a connection Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Namespace of both.
    pub namespace: String,
    /// Name of the `DwsCluster`.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

impl Owner {
    /// The owner that this resource is.
    pub fn of(cluster: &DwsCluster) -> Self {
        Self {
            namespace: cluster.namespace().unwrap_or_default(),
            name: cluster.name_any(),
            uid: cluster.uid().unwrap_or_default(),
        }
    }

    fn reference(&self, controller: bool) -> OwnerReference {
        OwnerReference {
            api_version: DwsCluster::api_version(&()).into_owned(),
            kind: DwsCluster::kind(&()).into_owned(),
            name: self.name.clone(),
            uid: self.uid.clone(),
            controller: Some(controller),
            block_owner_deletion: Some(false),
        }
    }

    /// What the annotation says: the name of a resource holds no slash.
    fn mark(&self) -> String {
        format!("{}/{}", self.name, self.uid)
    }

    /// A `DwsCluster` of this name with another uid: a restored backup brings its Secrets along.
    fn was(&self, reference: &OwnerReference) -> bool {
        let group = reference.api_version.split('/').next();
        group == Some(GROUP)
            && reference.kind == DwsCluster::kind(&())
            && reference.name == self.name
            && reference.uid != self.uid
    }

    fn marks(&self, secret: &Secret) -> bool {
        marked(secret).is_some_and(|mark| {
            let name = mark.split_once('/').map(|(name, _)| name);
            name == Some(self.name.as_str())
        })
    }
}

fn marked(secret: &Secret) -> Option<&String> {
    secret.annotations().get(CONNECTION_OF)
}

/// Why a Secret is not this resource's, or nothing if it is: the text names its owner, or says that there is
/// none. Whom it is marked for counts less than a controller that owns it.
pub fn foreign(secret: &Secret, owner: &Owner) -> Option<String> {
    let references = secret.owner_references();
    let ours = |found: &OwnerReference| found.uid == owner.uid || owner.was(found);
    let controller = references
        .iter()
        .find(|found| found.controller == Some(true));
    if references.iter().any(ours) || (controller.is_none() && owner.marks(secret)) {
        return None;
    }
    Some(match (controller.or(references.first()), marked(secret)) {
        (Some(found), _) => format!("it belongs to {} {}", found.kind, found.name),
        (None, Some(mark)) => {
            let name = mark.split('/').next().unwrap_or_default();
            format!("it belongs to DwsCluster {name}")
        }
        (None, None) => "it has no owner".to_owned(),
    })
}

/// How a Secret is tied to its resource; nothing where label, reference or annotation must be written anew. The
/// type is not asked for: it cannot be mended in place, and deleting the Secret to change it could lose the
/// only copy of a password.
pub fn of(secret: &Secret, owner: &Owner) -> Option<Tie> {
    [Tie::Owned, Tie::Kept].into_iter().find(|tie| {
        let mut bound = Secret {
            metadata: secret.metadata.clone(),
            ..Secret::default()
        };
        apply(&mut bound, owner, *tie);
        bound.labels() == secret.labels()
            && bound.annotations() == secret.annotations()
            && bound.owner_references() == secret.owner_references()
    })
}

/// Gives a Secret our label and ties it so; what others added stays.
pub fn apply(secret: &mut Secret, owner: &Owner, tie: Tie) {
    let (label, value) = MANAGED_BY;
    secret
        .labels_mut()
        .insert(label.to_owned(), value.to_owned());
    let mark = owner.mark();
    secret
        .annotations_mut()
        .insert(CONNECTION_OF.to_owned(), mark);
    let other = secret
        .owner_references()
        .iter()
        .any(|found| found.controller == Some(true) && found.uid != owner.uid && !owner.was(found));
    let wanted = (tie == Tie::Owned).then(|| owner.reference(!other));
    let references = secret.owner_references_mut();
    references.retain(|found| {
        wanted.as_ref() == Some(found) || found.uid != owner.uid && !owner.was(found)
    });
    if let Some(wanted) = wanted.filter(|wanted| !references.contains(wanted)) {
        references.push(wanted);
    }
}

/// Takes what ties it to this resource away and leaves the rest. Says whether there was anything.
pub fn release(secret: &mut Secret, owner: &Owner) -> bool {
    let marked = owner.marks(secret);
    if marked {
        secret.annotations_mut().remove(CONNECTION_OF);
    }
    let references = secret.owner_references_mut();
    let before = references.len();
    references.retain(|found| found.uid != owner.uid && !owner.was(found));
    marked || references.len() != before
}
