//! Answers of reads: one thing, or a list with its `count`, and the codes with which a 200 takes itself back.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};

use super::cluster::ClusterWire;
use super::lenient::{ErrorCode, Int, Member, Text};
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

/// What stands beside the payload of an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Envelope {
    pub(crate) count: Int,
    /// `error_code`, in either style.
    pub(crate) error_code: Option<String>,
    pub(crate) job_id: Text,
}

/// An answer that holds a payload `P`.
pub(crate) trait ReadAnswer<P>: DeserializeOwned {
    fn into_parts(self) -> (P, Envelope);
}

/// One type for each answer: under another one's name, a payload is none.
macro_rules! answer {
    ($name:ident, $payload:ident: $type:ty) => {
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(default)]
        pub(crate) struct $name {
            $payload: $type,
            count: Int,
            error_code: ErrorCode,
            #[serde(rename = "errCode")]
            err_code: ErrorCode,
            job_id: Text,
        }

        impl ReadAnswer<$type> for $name {
            fn into_parts(self) -> ($type, Envelope) {
                let envelope = Envelope {
                    count: self.count,
                    error_code: self.error_code.0.or(self.err_code.0),
                    job_id: self.job_id,
                };
                (self.$payload, envelope)
            }
        }
    };
}

answer!(ClusterDetail, cluster: Member<ClusterWire>);
answer!(SnapshotDetail, snapshot: Member<SnapshotWire>);
answer!(ClusterList, clusters: Members<ClusterWire>);
answer!(SnapshotList, snapshots: Members<SnapshotWire>);
answer!(NodeTypeList, node_types: Members<NodeTypeWire>);
answer!(ProjectList, projects: Members<ProjectWire>);

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
