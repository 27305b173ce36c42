//! Answers of reads: one thing, or a list with its `count`, and the codes with which a 200 takes itself back.
//!
//! Each member goes into the model as it is read: of ten thousand, one at a time is held as it travels.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};

use super::cluster::ClusterWire;
use super::lenient::{ErrorCode, Int, Member, Text};
use super::snapshot::SnapshotWire;

/// A member of a list as it travels.
pub(crate) trait Wire: DeserializeOwned {
    /// What becomes of it.
    type Model;
    /// The model; `None` where it names nothing. The flag says whether everything by which it is told from
    /// others is there as well.
    fn into_model(self) -> Option<(Self::Model, bool)>;
}

/// The members of a list: present and a JSON list, or not a list at all.
#[derive(Default)]
pub(crate) enum Members<W: Wire> {
    /// A list.
    List {
        /// What became of its members.
        items: Vec<W::Model>,
        /// How many members there are, of whatever kind.
        count: usize,
        /// Every member is an object that names something and can be told from others.
        whole: bool,
    },
    /// Absent.
    #[default]
    Missing,
    /// Null.
    Null,
}

impl<'de, W: Wire> Deserialize<'de> for Members<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyMembers(PhantomData))
    }
}

struct AnyMembers<W>(PhantomData<W>);

impl<'de, W: Wire> Visitor<'de> for AnyMembers<W> {
    type Value = Members<W>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Members::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut items, mut count, mut whole) = (Vec::new(), 0, true);
        while let Some(Member(member)) = list.next_element::<Member<W>>()? {
            count += 1;
            match member.and_then(W::into_model) {
                Some((item, is_whole)) => {
                    whole &= is_whole;
                    items.push(item);
                }
                None => whole = false,
            }
        }
        Ok(Members::List {
            items,
            count,
            whole,
        })
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
        #[derive(Default, Deserialize)]
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

impl Wire for NodeTypeWire {
    type Model = Self;
    fn into_model(self) -> Option<(Self, bool)> {
        Some((self, true))
    }
}

impl Wire for ProjectWire {
    type Model = Self;
    fn into_model(self) -> Option<(Self, bool)> {
        let whole = self.name.0.is_some() && self.id.0.is_some();
        Some((self, whole))
    }
}
