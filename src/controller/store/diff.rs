//! How one status becomes another, as JSON Patch operations: pure, by whole top-level fields.

use serde_json::{Value, json};

/// One changed top-level field of a status.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The field.
    pub key: String,
    /// The JSON Patch operation.
    pub operation: Value,
}

/// The JSON Patch operations that turn one status into another, by whole top-level fields.
pub fn status_diff(old: &Value, new: &Value) -> Vec<Change> {
    let empty = serde_json::Map::new();
    let (old, new) = (
        old.as_object().unwrap_or(&empty),
        new.as_object().unwrap_or(&empty),
    );
    let path = |key: &str| format!("/status/{}", key.replace('~', "~0").replace('/', "~1"));
    let mut changes = Vec::new();
    for (key, value) in new {
        // `add` replaces a field that is there, so it holds whether or not somebody removed it.
        if old.get(key) != Some(value) {
            changes.push(Change {
                key: key.clone(),
                operation: json!({"op": "add", "path": path(key), "value": value}),
            });
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        changes.push(Change {
            key: key.clone(),
            operation: json!({"op": "remove", "path": path(key)}),
        });
    }
    changes
}
