//! Fields that were stored by a newer release, and that writing the object back would drop.

use serde::Serialize;
use serde_json::Value;

/// The path of a field that stands in `stored` and is not in `read`, which was read from it.
#[must_use]
pub fn unknown_field(stored: &Value, read: &impl Serialize) -> Option<String> {
    let known = serde_json::to_value(read).ok()?;
    missing(stored, &known, "")
}

fn missing(stored: &Value, known: &Value, path: &str) -> Option<String> {
    match (stored, known) {
        (Value::Object(stored), Value::Object(known)) => stored.iter().find_map(|(name, value)| {
            let path = format!("{path}.{name}");
            match known.get(name) {
                Some(known) => missing(value, known, &path),
                None if is_empty(value) => None,
                None => Some(path.trim_start_matches('.').to_owned()),
            }
        }),
        (Value::Array(stored), Value::Array(known)) => stored
            .iter()
            .zip(known)
            .find_map(|(stored, known)| missing(stored, known, path)),
        _ => None,
    }
}

/// What says as much as a field that is not there.
fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_that_was_not_read_is_named_wherever_it_stands() {
        let known = json!({"a": {"b": [{"c": 1}]}});
        let stored = |value| unknown_field(&value, &known);
        assert_eq!(stored(json!({"a": {"b": [{"c": 2}]}})), None);
        assert_eq!(stored(json!({"a": {}, "n": null, "e": []})), None);
        assert_eq!(stored(json!({"new": 1})).as_deref(), Some("new"));
        let deep = json!({"a": {"b": [{"c": 1, "d": 0}]}});
        assert_eq!(stored(deep).as_deref(), Some("a.b.d"));
    }
}
