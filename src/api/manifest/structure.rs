//! A value held against a structural schema: types, bounds, patterns and unknown fields.

use std::collections::BTreeMap;

use chrono::DateTime;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use regex::Regex;
use serde_json::{Map, Value};

use super::{Finding, unknown};
use crate::api::patterns;

/// A schema with its patterns compiled.
pub(super) struct Structure {
    schema: JSONSchemaProps,
    patterns: BTreeMap<String, Regex>,
}

impl Structure {
    pub(super) fn new(schema: JSONSchemaProps) -> Self {
        let mut patterns = BTreeMap::new();
        compile_patterns(&schema, &mut patterns);
        Self { schema, patterns }
    }

    /// Drops the nulls that the server would drop and says what is wrong with what remains.
    pub(super) fn check(&self, object: &mut Value) -> Vec<Finding> {
        let mut check = Check {
            root: &self.schema,
            patterns: &self.patterns,
            findings: Vec::new(),
        };
        check.value(&self.schema, object, "");
        check.findings
    }
}

fn compile_patterns(schema: &JSONSchemaProps, patterns: &mut BTreeMap<String, Regex>) {
    if let Some(pattern) = &schema.pattern
        && let Ok(regex) = Regex::new(pattern)
    {
        patterns.insert(pattern.clone(), regex);
    }
    let properties = schema.properties.iter().flat_map(BTreeMap::values);
    properties
        .chain(items(schema))
        .chain(values(schema))
        .for_each(|schema| compile_patterns(schema, patterns));
}

fn items(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match &schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => Some(items),
        _ => None,
    }
}

/// The schema of a map's values.
fn values(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(values)) => Some(values),
        _ => None,
    }
}

struct Check<'a> {
    root: &'a JSONSchemaProps,
    patterns: &'a BTreeMap<String, Regex>,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.findings.push(Finding::new(field, message));
    }

    fn block(&mut self, field: &str, message: impl Into<String>) {
        self.findings.push(Finding::blocking(field, message));
    }

    fn value(&mut self, schema: &JSONSchemaProps, value: &mut Value, field: &str) {
        match (schema.type_.as_deref(), value) {
            (Some("object"), Value::Object(entries)) => self.object(schema, entries, field),
            (Some("array"), Value::Array(elements)) => self.array(schema, elements, field),
            (Some("string"), Value::String(text)) => self.text(schema, text, field),
            (Some("integer"), Value::Number(number)) if number.is_i64() => {
                self.integer(schema, number.as_i64().unwrap_or_default(), field);
            }
            (Some("boolean"), Value::Bool(_)) => {}
            (Some(expected), value) => self.block(field, type_message(expected, value)),
            (None, _) => {}
        }
    }

    fn object(&mut self, schema: &JSONSchemaProps, entries: &mut Map<String, Value>, field: &str) {
        // The server drops a null before it looks for required fields.
        entries.retain(|_, value| !value.is_null());
        for required in schema
            .required
            .iter()
            .flatten()
            .filter(|name| !entries.contains_key(*name))
        {
            self.block(&join(field, required), "is missing: write it");
        }
        if let Some(limit) = schema
            .max_properties
            .filter(|limit| count(entries.len()) > *limit)
        {
            self.block(
                field,
                format!("has more than {limit} entries: write {limit} at most"),
            );
        }
        for (name, value) in entries {
            let path = join(field, name);
            match schema
                .properties
                .as_ref()
                .and_then(|known| known.get(name))
                .or(values(schema))
            {
                Some(schema) => self.value(schema, value, &path),
                // Metadata, apiVersion and kind are in no schema of a CRD.
                None if field.is_empty() => {}
                None => {
                    let message = unknown::message(name, schema, self.root);
                    self.refuse(&path, message);
                }
            }
        }
    }

    fn array(&mut self, schema: &JSONSchemaProps, elements: &mut [Value], field: &str) {
        if let Some(limit) = schema
            .max_items
            .filter(|limit| count(elements.len()) > *limit)
        {
            self.block(
                field,
                format!("has more than {limit} elements: write {limit} at most"),
            );
        }
        let is_set = schema.x_kubernetes_list_type.as_deref() == Some("set");
        for index in 0..elements.len() {
            let path = format!("{field}[{index}]");
            let (before, rest) = elements.split_at_mut(index);
            let Some(element) = rest.first_mut() else {
                continue;
            };
            if is_set && before.contains(element) {
                self.refuse(&path, "is in the list already: leave it out");
            }
            if let Some(items) = items(schema) {
                self.value(items, element, &path);
            }
        }
    }

    fn text(&mut self, schema: &JSONSchemaProps, text: &str, field: &str) {
        if let Some(allowed) = &schema.enum_ {
            return self.word(allowed, text, field);
        }
        let length = count(text.chars().count());
        if let Some(limit) = schema.max_length.filter(|limit| length > *limit) {
            self.block(
                field,
                format!("is {length} characters long: write {limit} at most"),
            );
        }
        if length == 0 && schema.min_length > Some(0) {
            return self.refuse(
                field,
                "is empty: write a value, or leave the field out where it is optional",
            );
        }
        self.form(schema, text, field);
    }

    fn form(&mut self, schema: &JSONSchemaProps, text: &str, field: &str) {
        if let Some(pattern) = schema
            .pattern
            .as_deref()
            .filter(|pattern| !self.matches(pattern, text))
        {
            let message = match patterns::hint(pattern) {
                Some(hint) => format!("is of another form: {hint}"),
                None => format!("is of another form: write what matches {pattern}"),
            };
            return self.refuse(field, message);
        }
        if schema.format.as_deref() == Some("date-time")
            && DateTime::parse_from_rfc3339(text).is_err()
        {
            self.refuse(
                field,
                "is no instant: write an RFC 3339 instant such as 2026-01-31T00:00:00Z",
            );
        }
    }

    fn matches(&self, pattern: &str, text: &str) -> bool {
        self.patterns
            .get(pattern)
            .is_some_and(|regex| regex.is_match(text))
    }

    fn word(&mut self, allowed: &[JSON], text: &str, field: &str) {
        let words: Vec<&str> = allowed.iter().filter_map(|word| word.0.as_str()).collect();
        if !words.contains(&text) {
            self.refuse(
                field,
                format!("is {text:?}: write one of {}", words.join(", ")),
            );
        }
    }

    fn integer(&mut self, schema: &JSONSchemaProps, number: i64, field: &str) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "bounds are below 2^53, and what is above stays above them"
        )]
        let value = number as f64;
        let low = schema.minimum.is_some_and(|minimum| value < minimum);
        let high = schema.maximum.is_some_and(|maximum| value > maximum);
        if !low && !high {
            return;
        }
        let range = match (schema.minimum, schema.maximum) {
            (Some(minimum), Some(maximum)) => format!("{minimum} to {maximum}"),
            (Some(minimum), None) => format!("{minimum} or more"),
            (None, maximum) => format!("{} or less", maximum.unwrap_or_default()),
        };
        self.refuse(field, format!("is {number}: write {range}"));
    }
}

/// Lengths as the schema's bounds have them.
fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn join(field: &str, name: &str) -> String {
    if field.is_empty() {
        name.to_owned()
    } else {
        format!("{field}.{name}")
    }
}

fn type_message(expected: &str, value: &Value) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    };
    let wanted = match expected {
        "object" => "a map",
        "array" => "a list",
        "integer" => "a whole number, without quotes",
        "boolean" => "true or false, without quotes",
        _ if value.is_boolean() || value.is_number() => "text, in quotes",
        _ => "text",
    };
    format!("is {found}: write {wanted}")
}
