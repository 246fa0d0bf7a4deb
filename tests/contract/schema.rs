//! What every field of the schema owes: a description, bounds, and no feature that a server or a
//! tool stumbles over.

use std::collections::BTreeSet;

use pollen::api;
use serde_json::Value;

/// Each node of both schemas, with its path.
fn nodes() -> Vec<(String, Value)> {
    let mut nodes = Vec::new();
    for crd in api::crds() {
        let version = crd.spec.versions.into_iter().next().unwrap();
        let schema =
            serde_json::to_value(version.schema.unwrap().open_api_v3_schema.unwrap()).unwrap();
        walk(&schema, crd.spec.names.kind, &mut nodes);
    }
    nodes
}

fn walk(schema: &Value, path: String, nodes: &mut Vec<(String, Value)>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(property, format!("{path}.{name}"), nodes);
    }
    for (keyword, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[keyword].is_object() {
            walk(&schema[keyword], format!("{path}{suffix}"), nodes);
        }
    }
    nodes.push((path, schema.clone()));
}

fn failing(fails: impl Fn(&str, &Value) -> bool) -> Vec<String> {
    nodes()
        .into_iter()
        .filter(|(path, schema)| fails(path, schema))
        .map(|(path, _)| path)
        .collect()
}

#[test]
fn every_field_is_described() {
    let undescribed = failing(|path, schema| {
        let is_field = !path.ends_with("[]") && !path.ends_with("{}");
        is_field && schema["description"].as_str().is_none_or(str::is_empty)
    });
    assert!(undescribed.is_empty(), "{undescribed:?}");
}

#[test]
fn every_text_list_and_map_is_bounded() {
    let unbounded = failing(|_, schema| match schema["type"].as_str() {
        Some("string") => {
            schema["maxLength"].is_null()
                && schema["enum"].is_null()
                && schema["format"] != "date-time"
        }
        Some("array") => schema["maxItems"].is_null(),
        Some("object") => {
            schema["additionalProperties"].is_object() && schema["maxProperties"].is_null()
        }
        _ => false,
    });
    assert!(unbounded.is_empty(), "{unbounded:?}");
}

#[test]
fn every_number_of_a_spec_has_a_range() {
    let unbounded = failing(|path, schema| {
        path.contains(".spec.")
            && schema["type"] == "integer"
            && (schema["minimum"].is_null() || schema["maximum"].is_null())
    });
    assert!(unbounded.is_empty(), "{unbounded:?}");
}

#[test]
fn every_list_says_how_it_is_merged() {
    let unsaid = failing(|_, schema| {
        schema["type"] == "array" && schema["x-kubernetes-list-type"].is_null()
    });
    assert!(unsaid.is_empty(), "{unsaid:?}");
}

#[test]
fn the_schema_is_structural_and_uses_nothing_that_servers_warn_of() {
    let odd = failing(|_, schema| {
        let known_formats = ["int32", "int64", "date-time"];
        let unknown_format = schema["format"]
            .as_str()
            .is_some_and(|format| !known_formats.contains(&format));
        let banned = [
            "nullable",
            "default",
            "x-kubernetes-preserve-unknown-fields",
            "anyOf",
            "oneOf",
            "allOf",
            "not",
        ];
        schema["type"].is_null()
            || unknown_format
            || banned.iter().any(|keyword| !schema[keyword].is_null())
    });
    assert!(odd.is_empty(), "{odd:?}");
}

/// A rule at the root is not ratcheted: made stricter, it would refuse every status write on
/// objects that are stored already.
#[test]
fn no_rule_stands_at_the_root_or_in_the_status() {
    let placed: BTreeSet<String> =
        failing(|_, schema| !schema["x-kubernetes-validations"].is_null())
            .into_iter()
            .collect();
    assert!(
        !placed.is_empty() && placed.iter().all(|path| path.contains(".spec")),
        "{placed:?}"
    );
}

#[test]
fn every_rule_says_what_to_write_on_one_line() {
    for (path, schema) in nodes() {
        for rule in schema["x-kubernetes-validations"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let message = rule["message"].as_str().unwrap_or_default();
            assert!(
                message.contains(':') && !message.contains('\n'),
                "{path}: {message:?}"
            );
            let field = rule["fieldPath"].as_str();
            assert!(
                field.is_none_or(|field| field.starts_with('.')),
                "{path}: {field:?} is no relative path"
            );
        }
    }
}

/// Required fields of a status would refuse its first partial write.
#[test]
fn a_status_may_be_written_in_part() {
    for (path, schema) in nodes() {
        if path.ends_with(".status") {
            assert!(schema["required"].is_null(), "{path}");
        }
    }
}
