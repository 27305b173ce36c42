//! Field types that take whatever the service puts into a field: a value of another kind is absent, it
//! never fails the object around it. Numbers come as strings, objects as null, `{}` or `""`.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text: a string that is not empty, a number or a bool as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Option<String>);

/// What stands in the place of an error code: null and a blank text are none. Whatever is no text at all
/// is an error without a name, since only a code can be the one of success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorCode(pub(crate) Option<String>);

/// A text whose absence means something: null and what is empty are none, an object or a list that holds
/// something is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Telling {
    pub(crate) text: Option<String>,
    /// Something is there that is no text.
    pub(crate) odd: bool,
}

/// A whole number, also as a string (`"2"`) or with an empty fraction (`2.0`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Int(pub(crate) Option<i64>);

impl Int {
    /// Where it fits.
    pub(crate) fn i32(self) -> Option<i32> {
        self.0.and_then(|number| number.try_into().ok())
    }
}

/// A finite number, also as a string.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Float(pub(crate) Option<f64>);

/// A map of texts; anything but a map is an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts(pub(crate) BTreeMap<String, String>);

/// An object, where there is one, also as the first of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Maybe<T>(pub(crate) Option<T>);

/// What proves something: an object, or nothing that counts. Without it a list would be taken for an
/// object, its values for fields by their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member<T>(pub(crate) Option<T>);

/// A list; one value without its list is a list of it, anything else is empty. A member of another
/// kind is `T`'s own absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Many<T>(pub(crate) Vec<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for Member<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Any JSON value, as far as these types care; the rest of a list or an object is skipped unread.
enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// `{}` or `[]`.
    Empty,
    Other,
}

impl Scalar {
    fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            Self::Int(number) => Some(number.to_string()),
            Self::Float(number) => Some(number.to_string()),
            Self::Bool(truth) => Some(truth.to_string()),
            Self::Text(_) | Self::Null | Self::Empty | Self::Other => None,
        }
    }
}

struct AnyScalar;

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Int(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(value).map_or(Scalar::Other, Scalar::Int))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        let mut seen = Scalar::Empty;
        while list.next_element::<IgnoredAny>()?.is_some() {
            seen = Scalar::Other;
        }
        Ok(seen)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Scalar, A::Error> {
        let mut seen = Scalar::Empty;
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            seen = Scalar::Other;
        }
        Ok(seen)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(deserializer.deserialize_any(AnyScalar)?.into_text()))
    }
}

impl<'de> Deserialize<'de> for Telling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scalar = deserializer.deserialize_any(AnyScalar)?;
        Ok(Self {
            odd: matches!(scalar, Scalar::Other),
            text: scalar.into_text(),
        })
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match deserializer.deserialize_any(AnyScalar)? {
            Scalar::Null => None,
            Scalar::Text(text) => Some(text).filter(|text| !text.trim().is_empty()),
            Scalar::Int(number) => Some(number.to_string()),
            Scalar::Float(_) | Scalar::Bool(_) | Scalar::Empty | Scalar::Other => {
                Some(String::new())
            }
        }))
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match deserializer.deserialize_any(AnyScalar)? {
            Scalar::Int(number) => Some(number),
            Scalar::Float(number) => whole(number),
            Scalar::Text(text) => {
                let text = text.trim();
                text.parse()
                    .ok()
                    .or_else(|| text.parse().ok().and_then(whole))
            }
            Scalar::Null | Scalar::Bool(_) | Scalar::Empty | Scalar::Other => None,
        }))
    }
}

/// The float as a whole number, where it is one; within the range in which floats are exact.
#[allow(clippy::cast_possible_truncation)]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

impl<'de> Deserialize<'de> for Float {
    #[allow(clippy::cast_precision_loss)]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match deserializer.deserialize_any(AnyScalar)? {
            Scalar::Int(number) => Some(number as f64),
            Scalar::Float(number) => Some(number),
            Scalar::Text(text) => text.trim().parse().ok(),
            Scalar::Null | Scalar::Bool(_) | Scalar::Empty | Scalar::Other => None,
        };
        Ok(Self(number.filter(|number| number.is_finite())))
    }
}

struct AnyTexts;

impl<'de> Visitor<'de> for AnyTexts {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Texts, A::Error> {
        let mut texts = BTreeMap::new();
        while let Some((key, value)) = object.next_entry::<String, Text>()? {
            // A task without a progress is still a task.
            texts.insert(key, value.0.unwrap_or_default());
        }
        Ok(Texts(texts))
    }
    fn visit_unit<E>(self) -> Result<Texts, E> {
        Ok(Texts::default())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Texts, E> {
        Ok(Texts::default())
    }
    fn visit_i64<E>(self, _: i64) -> Result<Texts, E> {
        Ok(Texts::default())
    }
    fn visit_u64<E>(self, _: u64) -> Result<Texts, E> {
        Ok(Texts::default())
    }
    fn visit_f64<E>(self, _: f64) -> Result<Texts, E> {
        Ok(Texts::default())
    }
    fn visit_str<E>(self, _: &str) -> Result<Texts, E> {
        Ok(Texts::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Texts::default())
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyTexts)
    }
}

/// Whether an object may stand in a list of its own.
struct AnyObject<T, const UNPACK: bool>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const UNPACK: bool> Visitor<'de> for AnyObject<T, UNPACK> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Some)
    }
    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_str<E>(self, _: &str) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<T>, A::Error> {
        let mut first = None;
        if !UNPACK {
            while list.next_element::<IgnoredAny>()?.is_some() {}
        }
        while let Some(Maybe(member)) = list.next_element::<Maybe<T>>()? {
            first = first.or(member);
        }
        Ok(first)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(AnyObject::<T, true>(PhantomData))
            .map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(AnyObject::<T, false>(PhantomData))
            .map(Self)
    }
}

struct AnyList<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyList<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = list.next_element()? {
            members.push(member);
        }
        Ok(members)
    }
    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Vec<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|member| vec![member])
    }
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Vec<T>, E> {
        if value.is_empty() {
            return Ok(Vec::new());
        }
        T::deserialize(serde::de::value::StrDeserializer::new(value)).map(|member| vec![member])
    }
    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }
    fn visit_i64<E>(self, _: i64) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }
    fn visit_u64<E>(self, _: u64) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }
    fn visit_f64<E>(self, _: f64) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyList(PhantomData)).map(Self)
    }
}
