//! Schemas of the fields that a derive cannot describe.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::patterns;

/// Makes the schema of an enum a plain list of words.
///
/// Its own description would take the place of the field's, and those of its words are lost in any
/// case: Kubernetes has no place for them.
pub(super) fn words(schema: &mut Schema) {
    let variants = schema
        .get("oneOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let words: Vec<Value> = variants
        .filter_map(|variant| variant.get("const").cloned())
        .collect();
    *schema = json_schema!({"type": "string", "enum": words});
}

/// `spec.configuration`: parameters by name.
pub(super) fn configuration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": {"type": "string", "maxLength": 4096},
    })
}

/// `spec.events.callback.headers`: values by header.
pub(super) fn headers(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": {"type": "string", "maxLength": 4096, "pattern": patterns::HEADER_VALUE},
    })
}

/// `status.conditions`, with the bounds that `metav1.Condition` has in Go.
pub(super) fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "description": "One aspect of the object's state.",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": {
                    "type": "string",
                    "description": "The aspect: Ready, Reconciling, Stalled, Authenticated, CallbackAccepting or SweepComplete.",
                    "maxLength": 316,
                    "pattern": r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
                },
                "status": {
                    "type": "string",
                    "description": "True, False or Unknown.",
                    "enum": ["True", "False", "Unknown"],
                },
                "observedGeneration": {
                    "type": "integer",
                    "format": "int64",
                    "description": "The metadata.generation that the condition speaks of.",
                    "minimum": 0,
                },
                "lastTransitionTime": {
                    "type": "string",
                    "format": "date-time",
                    "description": "When status last changed.",
                },
                "reason": {
                    "type": "string",
                    "description": "Why, in one word for programs.",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                },
                "message": {
                    "type": "string",
                    "description": "What failed, where, and what to do about it, for people.",
                    "maxLength": 32768,
                },
            },
        },
    })
}
