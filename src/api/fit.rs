//! Cutting a status to the limits of its schema, so that no answer of the service, however strange,
//! can make the API server refuse the status write that carries an id.
//!
//! Works from the schema itself, so it cannot fall behind it: texts are cut to `maxLength` (with an
//! ellipsis at the end), lists to `maxItems`, maps to `maxProperties`. A status within the limits
//! comes back unchanged. Values are never invented, and nothing of an id's usual length is cut.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::crd::{cluster_crd, field_of, schema_of, snapshot_crd};
use super::{DwsClusterStatus, DwsSnapshotStatus};

/// Longest key of a map that is kept, in bytes: a task of the service is a word.
const MAX_KEY: usize = 256;

static CLUSTER: LazyLock<JSONSchemaProps> = LazyLock::new(|| {
    let crd = cluster_crd();
    let schema = schema_of(&crd).and_then(|schema| field_of(schema, "status"));
    schema.cloned().unwrap_or_default()
});

static SNAPSHOT: LazyLock<JSONSchemaProps> = LazyLock::new(|| {
    let crd = snapshot_crd();
    let schema = schema_of(&crd).and_then(|schema| field_of(schema, "status"));
    schema.cloned().unwrap_or_default()
});

impl DwsClusterStatus {
    /// The status within the limits of the schema.
    #[must_use]
    pub fn fitted(self) -> Self {
        fitted(self, &CLUSTER)
    }
}

impl DwsSnapshotStatus {
    /// The status within the limits of the schema.
    #[must_use]
    pub fn fitted(self) -> Self {
        fitted(self, &SNAPSHOT)
    }
}

fn fitted<T: Serialize + DeserializeOwned>(status: T, schema: &JSONSchemaProps) -> T {
    let Ok(mut value) = serde_json::to_value(&status) else {
        return status;
    };
    if !fit(&mut value, schema) {
        return status;
    }
    serde_json::from_value(value).unwrap_or(status)
}

/// Cuts the value to the schema; whether anything was cut.
fn fit(value: &mut Value, schema: &JSONSchemaProps) -> bool {
    let mut cut = false;
    match value {
        Value::String(text) => {
            if let Some(short) = schema.max_length.and_then(|max| shortened(text, max)) {
                *text = short;
                cut = true;
            }
        }
        Value::Array(list) => {
            if let Some(max) = limit(schema.max_items).filter(|max| *max < list.len()) {
                list.truncate(max);
                cut = true;
            }
            if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
                for item in list {
                    cut |= fit(item, items);
                }
            }
        }
        Value::Object(map) => {
            if let Some(max) = limit(schema.max_properties).filter(|max| *max < map.len()) {
                let surplus: Vec<String> = map.keys().skip(max).cloned().collect();
                for key in surplus {
                    map.remove(&key);
                }
                cut = true;
            }
            // The schema cannot bound the keys of a map.
            if schema.additional_properties.is_some() && map.keys().any(|key| key.len() > MAX_KEY) {
                map.retain(|key, _| key.len() <= MAX_KEY);
                cut = true;
            }
            for (name, field) in map {
                let known = schema
                    .properties
                    .as_ref()
                    .and_then(|fields| fields.get(name));
                let schema = known.or(match &schema.additional_properties {
                    Some(JSONSchemaPropsOrBool::Schema(values)) => Some(values.as_ref()),
                    _ => None,
                });
                if let Some(schema) = schema {
                    cut |= fit(field, schema);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    cut
}

fn limit(max: Option<i64>) -> Option<usize> {
    max.and_then(|max| usize::try_from(max).ok())
}

/// The text with at most `max` characters, if it has more.
fn shortened(text: &str, max: i64) -> Option<String> {
    let max = usize::try_from(max).ok()?;
    // Bytes are never fewer than characters: most texts need no counting.
    if text.len() <= max || text.chars().count() <= max {
        return None;
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    if max > 0 {
        short.push('\u{2026}');
    }
    Some(short)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::cluster_status::{Endpoint, FailedReasons};

    #[test]
    fn a_status_within_the_limits_is_left_alone() {
        let status = DwsClusterStatus {
            cluster_id: Some("85b20d7e-9eb7-4b2a-98f3-3c8843ea3574".into()),
            status: Some("AVAILABLE".into()),
            ..Default::default()
        };
        assert_eq!(status.clone().fitted(), status);
    }

    #[test]
    fn what_overruns_is_cut_and_the_rest_is_kept() {
        let status = DwsClusterStatus {
            cluster_id: Some("85b20d7e-9eb7-4b2a-98f3-3c8843ea3574".into()),
            status: Some("\u{4e2d}".repeat(300)),
            action_progress: (0..100)
                .map(|n| (format!("TASK{n:03}"), "%".repeat(400)))
                .collect(),
            endpoints: vec![
                Endpoint {
                    jdbc_url: Some("j".repeat(5_000)),
                    ..Default::default()
                };
                300
            ],
            failed_reasons: Some(FailedReasons {
                error_code: Some("DWS.6000".into()),
                error_msg: Some("m".repeat(100_000)),
            }),
            other: [("later".to_owned(), Value::from("x".repeat(9_999)))].into(),
            ..Default::default()
        };
        let fitted = status.clone().fitted();
        assert_eq!(fitted.cluster_id, status.cluster_id);
        assert_eq!(fitted.status.unwrap().chars().count(), 256);
        assert_eq!(fitted.action_progress.len(), 64);
        assert!(
            fitted
                .action_progress
                .values()
                .all(|text| text.chars().count() == 256)
        );
        assert_eq!(fitted.endpoints.len(), 32);
        assert_eq!(
            fitted.endpoints[0]
                .jdbc_url
                .as_ref()
                .unwrap()
                .chars()
                .count(),
            512
        );
        let reasons = fitted.failed_reasons.unwrap();
        assert_eq!(reasons.error_code.as_deref(), Some("DWS.6000"));
        assert!(reasons.error_msg.unwrap().ends_with("m\u{2026}"));
        assert_eq!(
            fitted.other, status.other,
            "a field of a later version has limits of its own"
        );
    }

    /// Bytes of the largest value that a schema allows, with four bytes to a character.
    fn largest(schema: &JSONSchemaProps) -> usize {
        let size = |max: Option<i64>| limit(max).unwrap_or(0);
        let mut bytes = 40 + 4 * size(schema.max_length);
        for (name, field) in schema.properties.iter().flatten() {
            bytes += name.len() + largest(field);
        }
        if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
            bytes += size(schema.max_items) * largest(items);
        }
        if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
            bytes += size(schema.max_properties) * (MAX_KEY + largest(values));
        }
        bytes
    }

    #[test]
    fn the_largest_status_fits_into_etcd() {
        for schema in [&*CLUSTER, &*SNAPSHOT] {
            let bytes = largest(schema);
            assert!(
                bytes < 1_000_000,
                "{bytes} bytes, and etcd takes 1.5 MiB in all"
            );
        }
    }

    proptest! {
        #[test]
        fn cutting_once_is_enough(text in "\\PC{0,600}", id in "\\PC{0,300}") {
            let status = DwsSnapshotStatus {
                snapshot_id: Some(id),
                status: Some(text),
                ..Default::default()
            };
            let once = status.fitted();
            prop_assert!(once.status.as_ref().unwrap().chars().count() <= 256);
            prop_assert!(once.snapshot_id.as_ref().unwrap().chars().count() <= 128);
            prop_assert_eq!(once.clone().fitted(), once);
        }
    }
}
