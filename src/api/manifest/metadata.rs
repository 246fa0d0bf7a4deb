//! An object's metadata, which no schema of a CRD describes.

use std::sync::LazyLock;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use regex::Regex;
use serde_json::{Map, Value};

use super::{Finding, unknown};
use crate::api::patterns;

const ROOT: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

static OBJECT_NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(patterns::OBJECT_NAME).ok());

/// `metadata.name`, where it is a text.
pub(super) fn name(document: &Map<String, Value>) -> Option<&str> {
    document.get("metadata")?.get("name")?.as_str()
}

/// Says what is wrong with a custom resource's outermost fields and its metadata.
pub(super) fn check(document: &mut Map<String, Value>) -> Vec<Finding> {
    check_known(document, &ROOT)
}

/// Drops nulls in the metadata and says what is wrong with it, and which of the outermost fields
/// are not among `fields`.
pub(super) fn check_known(document: &mut Map<String, Value>, fields: &[&str]) -> Vec<Finding> {
    let mut findings = unknown_fields(document.keys(), fields, "");
    let Some(Value::Object(metadata)) = document.get_mut("metadata") else {
        findings.push(Finding::new(
            "metadata",
            "is missing: write metadata with a name",
        ));
        return findings;
    };
    metadata.retain(|_, value| !value.is_null());
    findings.extend(unknown_fields(metadata.keys(), &METADATA, "metadata."));
    findings.extend(check_names(metadata));
    if let Err(error) = serde_json::from_value::<ObjectMeta>(Value::Object(metadata.clone())) {
        findings.push(Finding::new("metadata", format!("cannot be read: {error}")));
    }
    findings
}

/// The fields among `names` that are not among `known`.
fn unknown_fields<'a>(
    names: impl Iterator<Item = &'a String>,
    known: &[&str],
    prefix: &str,
) -> Vec<Finding> {
    let unknown = names.filter(|name| !known.contains(&name.as_str()));
    let described = unknown.map(|name| {
        let message = match unknown::nearest(name, known.iter().copied()) {
            Some(near) => format!("is not a field: write {near}"),
            None => "is not a field: leave it out".to_owned(),
        };
        Finding::new(format!("{prefix}{name}"), message)
    });
    described.collect()
}

fn check_names(metadata: &Map<String, Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    match metadata.get("name") {
        Some(Value::String(name)) if is_object_name(name, 253) => {}
        Some(_) => findings.push(Finding::new("metadata.name", NAME_HINT)),
        None => findings.push(Finding::new("metadata.name", "is missing: write a name")),
    }
    match metadata.get("namespace") {
        Some(Value::String(name)) if is_object_name(name, 63) && !name.contains('.') => {}
        None => {}
        Some(_) => findings.push(Finding::new("metadata.namespace", NAMESPACE_HINT)),
    }
    findings
}

const NAME_HINT: &str = "is no name: write lower-case letters, digits, '-' and '.', 253 at most";
const NAMESPACE_HINT: &str = "is no name: write lower-case letters, digits and '-', 63 at most";

fn is_object_name(name: &str, limit: usize) -> bool {
    name.len() <= limit
        && OBJECT_NAME
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(name))
}
