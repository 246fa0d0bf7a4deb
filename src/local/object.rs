//! One document made into a typed object, by the rules of admission.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::SecretString;
use serde_json::Value;

use super::{
    folder::Document,
    problem::{ObjectId, ObjectName, Place, Problem},
};
use crate::api::{
    ConnectorInstance, PollerResource,
    manifest::{self, Manifest},
};

/// The group of both kinds.
const GROUP: &str = "pollen.dev/";

/// A document that Pollen knows.
#[derive(Debug)]
pub(super) enum Object {
    Instance(Box<ConnectorInstance>),
    Poller(Box<PollerResource>),
    Secret(BTreeMap<String, SecretString>),
    /// An object of somebody else's kind, or no object at all.
    Foreign,
}

/// Reads one document.
///
/// # Errors
///
/// All that is wrong with it.
pub(super) fn read(document: Document) -> Result<(Option<ObjectId>, Object), Vec<Problem>> {
    let Document { place, value } = document;
    let kind = text(&value, "/kind").unwrap_or_default();
    let version = text(&value, "/apiVersion").unwrap_or_default();
    let is_secret = (version, kind) == ("v1", "Secret");
    let is_ours =
        version.starts_with(GROUP) || matches!(kind, "ConnectorInstance" | "PollerResource");
    if !is_secret && !is_ours {
        return foreign(place, version, kind);
    }
    let id = identify(&value, kind).map_err(|message| vec![problem(&place, None, message)])?;
    let object = if is_secret {
        secret(&value).map(Object::Secret)
    } else {
        ours(value)
    };
    match object {
        Ok(object) => Ok((Some(id), object)),
        Err(messages) => Err(messages
            .into_iter()
            .map(|message| problem(&place, Some(id.clone()), message))
            .collect()),
    }
}

/// Half of a header is a manifest with a mistake; none at all is some other file.
fn foreign(
    place: Place,
    version: &str,
    kind: &str,
) -> Result<(Option<ObjectId>, Object), Vec<Problem>> {
    let missing = match (version, kind) {
        ("", kind) if !kind.is_empty() => "apiVersion",
        (version, "") if !version.is_empty() => "kind",
        _ => return Ok((None, Object::Foreign)),
    };
    Err(vec![problem(
        &place,
        None,
        format!("{missing} is missing: write apiVersion, kind, metadata and spec"),
    )])
}

fn ours(value: Value) -> Result<Object, Vec<String>> {
    match manifest::read(value) {
        Ok(Manifest::ConnectorInstance(instance)) => Ok(Object::Instance(instance)),
        Ok(Manifest::PollerResource(poller)) => Ok(Object::Poller(poller)),
        Err(errors) => Err(errors.iter().map(ToString::to_string).collect()),
    }
}

/// The entries of a Secret, `stringData` over `data`, as the server merges them.
fn secret(value: &Value) -> Result<BTreeMap<String, SecretString>, Vec<String>> {
    let mut entries = BTreeMap::new();
    let mut wrong = Vec::new();
    for (field, decode) in [
        ("data", decode as fn(&str) -> Option<String>),
        ("stringData", |text| Some(text.into())),
    ] {
        for (key, value) in value
            .get(field)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            match value.as_str().and_then(decode) {
                Some(entry) => {
                    entries.insert(key.clone(), SecretString::from(entry));
                }
                None => wrong.push(undecodable(field, key)),
            }
        }
    }
    if wrong.is_empty() {
        Ok(entries)
    } else {
        Err(wrong)
    }
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(BASE64_STANDARD.decode(text.trim()).ok()?).ok()
}

/// Names the entry, never what it holds.
fn undecodable(field: &str, key: &str) -> String {
    match field {
        "data" => format!(
            "data.{key}: not base64 of UTF-8 text: write the plain text under stringData instead"
        ),
        _ => format!("{field}.{key}: not text: put the value in quotation marks"),
    }
}

fn identify(value: &Value, kind: &str) -> Result<ObjectId, String> {
    let name = text(value, "/metadata/name").unwrap_or_default();
    let namespace = text(value, "/metadata/namespace").unwrap_or("default");
    for (field, text) in [("metadata.name", name), ("metadata.namespace", namespace)] {
        if !is_dns_name(text) {
            return Err(format!(
                "{field}: {text:?} is no name of Kubernetes: write up to 253 lower-case letters, digits, '-' and '.'"
            ));
        }
    }
    let name = ObjectName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    Ok(ObjectId {
        kind: kind.to_owned(),
        name,
    })
}

/// A DNS subdomain of RFC 1123. No such name has a slash or two dots in a row, which is what
/// keeps it inside the state folder.
fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        label
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn problem(place: &Place, object: Option<ObjectId>, message: String) -> Problem {
    Problem {
        place: place.clone(),
        object,
        message,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use secrecy::ExposeSecret as _;
    use serde_json::json;

    use super::*;

    fn document(value: Value) -> Document {
        Document {
            place: Place {
                path: PathBuf::from("a.yaml"),
                line: 3,
            },
            value,
        }
    }

    fn secret(entries: Value) -> Document {
        let mut value = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}});
        value
            .as_object_mut()
            .unwrap()
            .extend(entries.as_object().unwrap().clone());
        document(value)
    }

    fn messages(document: Document) -> Vec<String> {
        read(document)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_secret_is_data_with_string_data_over_it() {
        let entries = json!({"data": {"a": "b25l", "b": "dHdv"}, "stringData": {"b": "three"}});
        let (id, Object::Secret(entries)) = read(secret(entries)).unwrap() else {
            panic!("no Secret")
        };
        assert_eq!(id.unwrap().to_string(), "Secret default/s");
        let shown: Vec<_> = entries
            .iter()
            .map(|(key, entry)| (key.as_str(), entry.expose_secret()))
            .collect();
        assert_eq!(shown, [("a", "one"), ("b", "three")]);
    }

    #[test]
    fn an_entry_that_is_no_text_is_named_without_its_value() {
        let messages = messages(secret(
            json!({"data": {"a": "%%hunter2"}, "stringData": {"pin": 12345}}),
        ));
        assert_eq!(messages.len(), 2);
        assert!(
            messages[0].starts_with("a.yaml:3: Secret default/s: data.a: "),
            "{}",
            messages[0]
        );
        assert!(
            messages[1].contains("stringData.pin: not text"),
            "{}",
            messages[1]
        );
        assert!(!messages.concat().contains("hunter2") && !messages.concat().contains("12345"));
    }

    #[test]
    fn objects_of_other_kinds_and_other_files_are_left_alone() {
        for value in [
            json!({"apiVersion": "v1", "kind": "ConfigMap"}),
            json!({"replicas": 3}),
            json!([1]),
        ] {
            assert!(matches!(read(document(value)), Ok((None, Object::Foreign))));
        }
    }

    #[test]
    fn half_a_header_is_a_mistake() {
        assert_eq!(
            messages(document(json!({"apiVersion": "v1", "metadata": {}}))),
            ["a.yaml:3: kind is missing: write apiVersion, kind, metadata and spec"]
        );
    }

    #[test]
    fn names_cannot_leave_the_state_folder() {
        for name in ["", "../x", "a/b", "..", "A", "-a", "a..b"] {
            let value = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}});
            assert!(
                messages(document(value))[0].contains("metadata.name"),
                "{name}"
            );
        }
        assert!(is_dns_name("sys-user.prod1"));
    }
}
