//! One document made into a typed object, by the rules of admission.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::Value;

use super::{
    folder::Document,
    problem::{ObjectId, ObjectName, Problem},
};
use crate::api::{
    ConnectorInstance, PollerResource,
    manifest::{self, Manifest, ManifestError, SecretManifest},
};

/// The namespace of an object that names none.
const NAMESPACE: &str = "default";

/// An object that Pollen knows.
#[derive(Debug)]
pub(super) enum Object {
    Instance(Box<ConnectorInstance>),
    Poller(Box<PollerResource>),
    Secret(BTreeMap<String, SecretString>),
}

/// Takes the value of one document and reads it; `None` for an object of somebody else's kind and for no object at all.
///
/// # Errors
///
/// All that is wrong with it.
pub(super) fn read(document: &mut Document) -> Result<Option<(ObjectId, Object)>, Vec<Problem>> {
    if !has_header(&document.value) {
        return Ok(None);
    }
    match manifest::read(document.value.take()) {
        Ok(manifest) => Ok(typed(manifest)),
        Err(errors) => Err(errors
            .iter()
            .map(|error| problem(document, error))
            .collect()),
    }
}

/// The name of the object of this kind that a document is meant as, however wrong the rest of it
/// is.
pub(super) fn name_of(kind: &str, document: &Value) -> Option<ObjectName> {
    let text = |pointer| document.pointer(pointer).and_then(Value::as_str);
    (text("/kind") == Some(kind)).then_some(())?;
    let namespace = text("/metadata/namespace").unwrap_or(NAMESPACE).to_owned();
    Some(ObjectName {
        namespace,
        name: text("/metadata/name")?.to_owned(),
    })
}

/// Whether this was meant as an object: the values of a chart, say, were not.
fn has_header(value: &Value) -> bool {
    value.get("apiVersion").is_some() || value.get("kind").is_some()
}

fn typed(manifest: Manifest) -> Option<(ObjectId, Object)> {
    match manifest {
        Manifest::ConnectorInstance(instance) => {
            let id = id(
                "ConnectorInstance",
                instance.metadata.namespace.clone(),
                instance.metadata.name.clone().unwrap_or_default(),
            );
            Some((id, Object::Instance(instance)))
        }
        Manifest::PollerResource(poller) => {
            let id = id(
                "PollerResource",
                poller.metadata.namespace.clone(),
                poller.metadata.name.clone().unwrap_or_default(),
            );
            Some((id, Object::Poller(poller)))
        }
        Manifest::Secret(SecretManifest {
            namespace,
            name,
            entries,
        }) => Some((id("Secret", namespace, name), Object::Secret(entries))),
        Manifest::Other { .. } => None,
    }
}

fn id(kind: &'static str, namespace: Option<String>, name: String) -> ObjectId {
    let namespace = namespace.unwrap_or_else(|| NAMESPACE.to_owned());
    ObjectId {
        kind,
        name: ObjectName { namespace, name },
    }
}

fn problem(document: &Document, error: &ManifestError) -> Problem {
    Problem {
        place: document.at(&error.field),
        message: error.to_string(),
    }
}
