//! Mutations: of JSON documents (a value replaced, taken out, renamed, listed, doubled), and of the bytes that
//! carry them (cut, flipped, wrapped).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

/// One change of a document.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Another value in that place.
    Replace(Index, Value),
    /// Nothing in that place.
    Remove(Index),
    /// The member under another name.
    Rename(Index, String),
    /// The value in a list.
    Wrap(Index),
    /// The values of an object as a list, as a sloppy encoder writes records.
    Unname(Index),
    /// The first member of a list twice.
    Twice(Index),
}

/// How bytes came through.
#[derive(Clone, Debug)]
pub enum Carried {
    Whole,
    /// Only so much of it arrived.
    Cut(Index),
    /// One byte is another.
    Flipped(Index, u8),
    /// Something follows it.
    Followed(&'static str),
    /// In base64, as some regions send it.
    Base64 {
        padded: bool,
    },
    /// With a byte order mark.
    Marked,
}

/// Values that a service has been seen, or feared, to write.
pub fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..6_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop_oneof![Just(0.5), Just(2.0), Just(1e300)].prop_map(Value::from),
        Just(json!("")),
        Just(json!(" ")),
        (0..5_u8).prop_map(|number| json!(number.to_string())),
        Just(json!({})),
        Just(json!([])),
        Just(json!([{}])),
        Just(json!({"id": "x"})),
        Just(json!({"error_code": "DWS.3027"})),
        "[A-Z]{2,5}\\.[0-9]{4}".prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ]
}

/// Some edits, mostly few.
pub fn edits(names: &'static [&'static str]) -> impl Strategy<Value = Vec<Edit>> {
    let name = prop_oneof![
        prop::sample::select(names).prop_map(str::to_owned),
        "[a-z_]{1,8}",
    ];
    let edit = prop_oneof![
        4 => (any::<Index>(), odd_value()).prop_map(|(at, value)| Edit::Replace(at, value)),
        2 => any::<Index>().prop_map(Edit::Remove),
        1 => (any::<Index>(), name).prop_map(|(at, name)| Edit::Rename(at, name)),
        1 => any::<Index>().prop_map(Edit::Wrap),
        1 => any::<Index>().prop_map(Edit::Unname),
        1 => any::<Index>().prop_map(Edit::Twice),
    ];
    prop::collection::vec(edit, 0..4)
}

/// One way.
pub fn carried() -> impl Strategy<Value = Carried> {
    prop_oneof![
        4 => Just(Carried::Whole),
        3 => any::<Index>().prop_map(Carried::Cut),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Carried::Flipped(at, byte)),
        1 => prop::sample::select(vec![" ", "\n", "}", "x", "{}", "\0"]).prop_map(Carried::Followed),
        1 => any::<bool>().prop_map(|padded| Carried::Base64 { padded }),
        1 => Just(Carried::Marked),
    ]
}

impl Edit {
    pub fn apply(&self, document: &mut Value) {
        let mut places = Vec::new();
        walk(document, "", &mut places);
        let (Self::Replace(at, _)
        | Self::Remove(at)
        | Self::Rename(at, _)
        | Self::Wrap(at)
        | Self::Unname(at)
        | Self::Twice(at)) = self;
        let place = at.get(&places).clone();
        let Some(target) = document.pointer_mut(&place) else {
            return;
        };
        match self {
            Self::Replace(_, value) => target.clone_from(value),
            Self::Wrap(_) => *target = json!([target.take()]),
            Self::Unname(_) => {
                if let Value::Object(object) = target {
                    *target = object.values().cloned().collect();
                }
            }
            Self::Twice(_) => {
                if let Value::Array(list) = target
                    && let Some(first) = list.first().cloned()
                {
                    list.push(first);
                }
            }
            Self::Remove(_) | Self::Rename(..) => {
                let Some((parent, name)) = place.rsplit_once('/') else {
                    return;
                };
                let name = name.replace("~1", "/").replace("~0", "~");
                match document.pointer_mut(parent) {
                    Some(Value::Object(object)) => self.move_member(object, &name),
                    Some(Value::Array(list)) => {
                        let at: usize = name.parse().unwrap();
                        list.remove(at);
                    }
                    _ => {}
                }
            }
        }
    }

    fn move_member(&self, object: &mut Map<String, Value>, name: &str) {
        if let Some(value) = object.remove(name)
            && let Self::Rename(_, new) = self
        {
            object.insert(new.clone(), value);
        }
    }
}

fn walk(value: &Value, at: &str, places: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    places.push(at.to_owned());
    for (name, value) in members {
        walk(value, &format!("{at}/{name}"), places);
    }
}

impl Carried {
    /// What arrives of it.
    pub fn apply(&self, body: &[u8]) -> Vec<u8> {
        let mut arrived = body.to_vec();
        match self {
            Self::Whole => {}
            Self::Cut(at) => arrived.truncate(at.index(body.len())),
            Self::Flipped(at, byte) => {
                if !arrived.is_empty() {
                    let at = at.index(arrived.len());
                    arrived[at] ^= *byte;
                }
            }
            Self::Followed(by) => arrived.extend(by.bytes()),
            Self::Base64 { padded: true } => arrived = STANDARD.encode(body).into_bytes(),
            Self::Base64 { padded: false } => arrived = STANDARD_NO_PAD.encode(body).into_bytes(),
            Self::Marked => {
                arrived.splice(0..0, *b"\xef\xbb\xbf");
            }
        }
        arrived
    }
}

/// The document in a body, read by the book and by nothing of the client: without byte order mark and out of
/// base64.
pub fn document(body: &[u8]) -> Option<Value> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = body.trim_ascii();
    if text.first().is_some_and(|first| b"{[".contains(first)) {
        return serde_json::from_slice(text).ok();
    }
    let text: String = std::str::from_utf8(text)
        .ok()?
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    let inner = text.trim_matches('"').trim_end_matches('=');
    // Each full group of four, and what is left, by hand: padding and stray bits do not matter.
    let mut bits = 0_u32;
    let mut filled = 0;
    let mut bytes = Vec::new();
    for c in inner.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        filled += 6;
        if filled >= 8 {
            filled -= 8;
            bytes.push(u8::try_from(bits >> filled & 0xff).unwrap());
        }
    }
    let value: Value = serde_json::from_slice(bytes.trim_ascii()).ok()?;
    value.is_object().then_some(value)
}
