//! Events as `kubectl describe` shows them: one per thing that happened, a repetition raises its count.
//!
//! An event's name follows from the resource's uid, the reason and the key, so that every process that
//! says the same thing means the same event. A failed event is counted and never fails a reconcile.

use std::fmt::Write as _;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::context::Context;
use super::error::StoreError;
use super::store::{Managed, limited, optional};
use crate::core::step::EventNote;

/// The API's limit of a note.
const NOTE_LIMIT: usize = 1024;
/// Who says it.
const COMPONENT: &str = "dws-operator";

/// Tells what happened to an object. Failures are counted and logged, nothing more.
pub async fn publish<K: Managed>(ctx: &Context, object: &K, notes: &[EventNote]) {
    let namespace = object.namespace().unwrap_or_default();
    let api = Api::<Event>::namespaced(ctx.client.clone(), &namespace);
    for note in notes {
        match record(&api, &event(object, note, ctx.clock.now())).await {
            // A namespace that is being deleted takes no new objects.
            Ok(())
            | Err(StoreError::Forbidden {
                terminating: true, ..
            }) => {}
            Err(error) => {
                ctx.observe.event_failed();
                tracing::warn!(%namespace, name = %object.name_any(), reason = note.reason, %error, "an event could not be written");
            }
        }
    }
}

async fn record(api: &Api<Event>, event: &Event) -> Result<(), StoreError> {
    let name = event.name_any();
    // Twice, because an event can expire between the refusal of a second one and its patch.
    for _ in 0..2 {
        match limited(api.create(&PostParams::default(), event)).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Exists) => {}
            Err(error) => return Err(error),
        }
        let Some(found) = optional(limited(api.get(&name)).await)? else {
            continue;
        };
        let repetition = Patch::Merge(json!({
            "count": found.count.unwrap_or(1).saturating_add(1),
            "lastTimestamp": event.last_timestamp,
            "message": event.message,
        }));
        match limited(api.patch(&name, &PatchParams::default(), &repetition)).await {
            Err(StoreError::Gone) => {}
            other => return other.map(drop),
        }
    }
    Err(StoreError::Gone)
}

/// The event for a note, as its first occurrence.
pub fn event<K: Managed>(object: &K, note: &EventNote, now: Timestamp) -> Event {
    let uid = object.uid().unwrap_or_default();
    Event {
        metadata: ObjectMeta {
            name: Some(event_name(&object.name_any(), &uid, note)),
            namespace: object.namespace(),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some(K::api_version(&()).into_owned()),
            kind: Some(K::kind(&()).into_owned()),
            name: Some(object.name_any()),
            namespace: object.namespace(),
            uid: Some(uid),
            ..ObjectReference::default()
        },
        type_: Some(if note.warning { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(note.reason.to_owned()),
        message: Some(clipped(&note.note).to_owned()),
        count: Some(1),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        source: Some(EventSource {
            component: Some(COMPONENT.to_owned()),
            host: None,
        }),
        reporting_component: Some(COMPONENT.to_owned()),
        ..Event::default()
    }
}

/// `<resource>.<16 hex digits>`: equal for equal uid, type, reason and key, and a valid name.
pub fn event_name(resource: &str, uid: &str, note: &EventNote) -> String {
    let mut hash = Sha256::new();
    let type_ = if note.warning { "w" } else { "n" };
    for part in [uid, type_, note.reason, &note.key] {
        // With its length, so that no two sequences of parts read the same.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut name: String = resource.chars().take(200).collect();
    let trimmed = name.trim_end_matches(['.', '-']).len();
    name.truncate(trimmed);
    name.push('.');
    for byte in hash.finalize().iter().take(8) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// At most the API's limit, cut between characters.
fn clipped(note: &str) -> &str {
    &note[..note.floor_char_boundary(NOTE_LIMIT)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{DwsCluster, DwsClusterSpec};

    #[test]
    fn the_name_tells_happenings_apart_and_repetitions_together() {
        let note = EventNote::normal("Created", "op-1", "first text");
        let again = EventNote::normal("Created", "op-1", "another text");
        let other = EventNote::normal("Created", "op-2", "first text");
        let loud = EventNote::warning("Created", "op-1", "first text");
        let name = event_name("wh", "uid", &note);
        assert_eq!(name, event_name("wh", "uid", &again));
        assert_ne!(name, event_name("wh", "uid", &other));
        assert_ne!(name, event_name("wh", "uid", &loud));
        assert_ne!(name, event_name("wh", "uid-2", &note));
        assert!(name.starts_with("wh.") && name.len() == 3 + 16, "{name}");
    }

    #[test]
    fn the_longest_resource_name_gives_a_valid_event_name() {
        let long = format!("{}.{}", "a".repeat(199), "b".repeat(53));
        let name = event_name(&long, "uid", &EventNote::normal("R", "k", "n"));
        assert!(name.len() <= 253 && !name.contains(".."), "{name}");
    }

    #[test]
    fn a_long_note_is_cut_between_characters() {
        let object = DwsCluster::new("wh", DwsClusterSpec::default());
        let note = EventNote::warning("Failed", "k", "é".repeat(600) + "x");
        let event = event(&object, &note, Timestamp::UNIX_EPOCH);
        let message = event.message.unwrap();
        assert_eq!(message.len(), 1024);
        assert_eq!(event.involved_object.kind.as_deref(), Some("DwsCluster"));
        assert_eq!(
            event.involved_object.api_version.as_deref(),
            Some("dws.huaweicloud.com/v1alpha1")
        );
    }
}
