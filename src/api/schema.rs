//! Pieces of schema that the Rust types cannot express by themselves.
//!
//! Each function gives the schema of one field; the description comes from the field's doc comment.

use schemars::{Schema, SchemaGenerator, json_schema};

/// A map of short strings with a bounded number of entries.
pub(super) fn action_progress(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": {
            "description": "Progress of the task, such as `20%`.",
            "type": "string",
            "maxLength": 256
        }
    })
}

/// A time that the operator itself writes.
pub(super) fn timestamp(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

/// `metav1.Condition` with the patterns that Kubernetes' own generator gives it (and a tighter
/// `maxLength` of the message, so that the whole object fits into etcd), keyed by type so
/// that two writers can own conditions of different types.
pub(super) fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 8,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "description": "One aspect of the resource's state.",
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": {
                    "description": "Type of the condition, in CamelCase.",
                    "type": "string",
                    "maxLength": 316,
                    "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
                },
                "status": {
                    "description": "Whether the condition holds: `True`, `False` or `Unknown`.",
                    "type": "string",
                    "enum": ["True", "False", "Unknown"]
                },
                "reason": {
                    "description": "Why, in one word in CamelCase.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
                },
                "message": {
                    "description": "Details for a person; may be empty.",
                    "type": "string",
                    "maxLength": 4096
                },
                "lastTransitionTime": {
                    "description": "When `status` last changed (RFC 3339).",
                    "type": "string",
                    "format": "date-time"
                },
                "observedGeneration": {
                    "description": "`metadata.generation` that the condition answers to.",
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0
                }
            }
        }
    })
}
