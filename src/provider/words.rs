//! The provider's own words: found in a body.

use serde_json::Value;

use super::path::FieldPath;
use crate::catalog::BodyIs;

/// The value at a path.
pub(super) fn at<'v>(body: &'v Value, path: &str) -> Option<&'v Value> {
    let path = FieldPath::parse(path).ok()?;
    path.names().try_fold(body, |value, name| value.get(name))
}

/// Puts a value at a path, as the body had it.
pub(super) fn put(body: &mut Value, path: &str, value: Value) {
    let Ok(path) = FieldPath::parse(path) else {
        return;
    };
    let mut place = body;
    for name in path.names() {
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        let Value::Object(object) = place else { return };
        place = object.entry(name).or_insert(Value::Null);
    }
    *place = value;
}

/// Whether a value is as a definition states.
pub(super) fn holds(stated: &BodyIs, value: &Value) -> bool {
    if value.is_null() {
        return false;
    }
    let text = text(value);
    let contains = |part: &String| text.to_lowercase().contains(&part.to_lowercase());
    stated
        .equals
        .as_ref()
        .is_none_or(|expected| *expected == text)
        && stated.contains.as_ref().is_none_or(contains)
}

/// The texts at `paths`, else all texts of the body. Nothing is cut: half a secret would not be
/// known for one.
pub(super) fn of_error(body: &Value, paths: &[String]) -> String {
    let texts = paths
        .iter()
        .filter_map(|path| at(body, path))
        .map(text)
        .filter(|text| !text.is_empty());
    let joined = texts.collect::<Vec<_>>().join(": ");
    if joined.is_empty() {
        of_body(body)
    } else {
        joined
    }
}

/// All texts of the body.
pub(super) fn of_body(body: &Value) -> String {
    text(body)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Object(members) => join(members.values()),
        Value::Array(items) => join(items.iter()),
        other => other.to_string(),
    }
}

fn join<'v>(values: impl Iterator<Item = &'v Value>) -> String {
    values
        .map(text)
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(": ")
}
