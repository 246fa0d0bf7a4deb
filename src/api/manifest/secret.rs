//! Secrets beside the manifests: a folder holds what the cluster's API would.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{Finding, metadata};

const FIELDS: [&str; 7] = [
    "apiVersion",
    "data",
    "immutable",
    "kind",
    "metadata",
    "stringData",
    "type",
];

/// A Secret's name and entries. `Debug` shows no value.
#[derive(Clone, Debug)]
pub struct SecretManifest {
    /// Its `metadata.namespace`.
    pub namespace: Option<String>,
    /// Its `metadata.name`.
    pub name: String,
    /// The entries of `data`, decoded, and of `stringData`, which goes first as in a cluster.
    pub entries: BTreeMap<String, SecretString>,
}

/// Reads a Secret. No finding shows any of a value.
pub(super) fn read(mut document: Map<String, Value>) -> Result<SecretManifest, Vec<Finding>> {
    let mut findings = metadata::check_known(&mut document, &FIELDS);
    let mut entries = BTreeMap::new();
    for (field, decode) in [("data", decoded as Decode), ("stringData", |text| Ok(text))] {
        for (key, value) in section(&mut document, field, &mut findings) {
            match text(value).and_then(decode) {
                Ok(value) => drop(entries.insert(key, SecretString::from(value))),
                Err(message) => findings.push(Finding::new(format!("{field}.{key}"), message)),
            }
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let namespace = document
        .get("metadata")
        .and_then(|metadata| metadata.get("namespace")?.as_str());
    Ok(SecretManifest {
        namespace: namespace.map(str::to_owned),
        name: metadata::name(&document).unwrap_or_default().to_owned(),
        entries,
    })
}

type Decode = fn(String) -> Result<String, &'static str>;

fn section(
    document: &mut Map<String, Value>,
    field: &str,
    findings: &mut Vec<Finding>,
) -> Map<String, Value> {
    match document.remove(field) {
        Some(Value::Object(entries)) => entries,
        None | Some(Value::Null) => Map::new(),
        Some(_) => {
            findings.push(Finding::new(
                field,
                "is no map: write entries such as clientId: …",
            ));
            Map::new()
        }
    }
}

fn text(value: Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null => Ok(String::new()),
        _ => Err("is not text: write it in quotes"),
    }
}

fn decoded(text: String) -> Result<String, &'static str> {
    // Encoders break lines, and Go's decoder passes over the breaks.
    let unbroken: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = STANDARD
        .decode(unbroken)
        .map_err(|_| "is not base64: encode it, or write it as it is under stringData")?;
    String::from_utf8(bytes)
        .map_err(|_| "is not UTF-8 text: write what the provider or the callback gave you as text")
}
