//! List answers: members, `count`, and the codes with which a 200 takes itself back.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};

use super::cluster::ClusterWire;
use super::lenient::{Int, Member, Text};
use super::snapshot::SnapshotWire;

/// The members of a list: present and a JSON list, or not a list at all.
#[derive(Clone, Debug, Default)]
pub(crate) enum Members<T> {
    /// Each member that is an object; `None` for any other.
    List(Vec<Option<T>>),
    /// Absent.
    #[default]
    Missing,
    /// Null.
    Null,
}

struct AnyMembers<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyMembers<T> {
    type Value = Members<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_unit<E>(self) -> Result<Members<T>, E> {
        Ok(Members::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Members<T>, A::Error> {
        let mut members = Vec::new();
        while let Some(Member(member)) = list.next_element()? {
            members.push(member);
        }
        Ok(Members::List(members))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyMembers(PhantomData))
    }
}

/// A list answer without its members.
#[derive(Clone, Debug, Default)]
pub(crate) struct Envelope {
    pub(crate) count: Int,
    /// `error_code`, in either style.
    pub(crate) error_code: Text,
    pub(crate) job_id: Text,
}

/// What stands beside the object of a detail.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DetailEnvelope {
    pub(crate) error_code: Text,
    #[serde(rename = "errCode")]
    pub(crate) err_code: Text,
    pub(crate) job_id: Text,
}

/// A list answer that holds `T`s.
pub(crate) trait ListAnswer<T>: DeserializeOwned {
    fn into_parts(self) -> (Members<T>, Envelope);
}

/// One type for each list: under another list's name, members are no members.
macro_rules! list_answer {
    ($name:ident, $members:ident: $member:ty) => {
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(default)]
        pub(crate) struct $name {
            $members: Members<$member>,
            count: Int,
            error_code: Text,
            #[serde(rename = "errCode")]
            err_code: Text,
            job_id: Text,
        }

        impl ListAnswer<$member> for $name {
            fn into_parts(self) -> (Members<$member>, Envelope) {
                let envelope = Envelope {
                    count: self.count,
                    error_code: Text(self.error_code.0.or(self.err_code.0)),
                    job_id: self.job_id,
                };
                (self.$members, envelope)
            }
        }
    };
}

list_answer!(ClusterList, clusters: ClusterWire);
list_answer!(SnapshotList, snapshots: SnapshotWire);
list_answer!(NodeTypeList, node_types: NodeTypeWire);
list_answer!(ProjectList, projects: ProjectWire);

/// A node type (reference table 5-31).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeTypeWire {
    pub(crate) id: Text,
    pub(crate) spec_name: Text,
}

/// A project of IAM (reference 6.4).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProjectWire {
    pub(crate) id: Text,
    pub(crate) name: Text,
}
