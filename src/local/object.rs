//! One document made into a typed object, by the rules of admission.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{
    folder::Document,
    problem::{ObjectId, ObjectName, Problem},
};
use crate::api::{
    ConnectorInstance, PollerResource,
    manifest::{self, Manifest, ManifestError, SecretManifest},
};

const NO_MAP: &str =
    "is no manifest: write apiVersion, kind, metadata and spec, or take the file out of the folder";

/// The namespace of an object that names none.
const NAMESPACE: &str = "default";

/// An object that Pollen knows.
#[derive(Debug)]
pub(super) enum Object {
    Instance(Box<ConnectorInstance>),
    Poller(Box<PollerResource>),
    Secret(BTreeMap<String, SecretString>),
}

/// What a document turned out to be.
#[derive(Debug)]
pub(super) enum Read {
    Known(ObjectId, Object),
    /// An object of somebody else's kind.
    Foreign,
    /// A map without anything that an object has: the values of a chart, a bare `kustomization.yaml`.
    NoObject,
}

/// Takes the value of one document and reads it.
///
/// # Errors
///
/// All that is wrong with it.
pub(super) fn read(document: &mut Document) -> Result<Read, Vec<Problem>> {
    match &document.value {
        Value::Null => return Ok(Read::Foreign),
        Value::Object(fields) if !has_header(fields) => return Ok(Read::NoObject),
        Value::Object(_) => {}
        _ => {
            return Err(vec![Problem {
                place: document.place.clone(),
                message: NO_MAP.to_owned(),
            }]);
        }
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
fn has_header(fields: &Map<String, Value>) -> bool {
    let mut header = ["apiVersion", "kind", "metadata"].iter();
    header.any(|field| fields.contains_key(*field))
}

fn typed(manifest: Manifest) -> Read {
    match manifest {
        Manifest::ConnectorInstance(instance) => {
            let id = id(
                "ConnectorInstance",
                instance.metadata.namespace.clone(),
                instance.metadata.name.clone().unwrap_or_default(),
            );
            Read::Known(id, Object::Instance(instance))
        }
        Manifest::PollerResource(poller) => {
            let id = id(
                "PollerResource",
                poller.metadata.namespace.clone(),
                poller.metadata.name.clone().unwrap_or_default(),
            );
            Read::Known(id, Object::Poller(poller))
        }
        Manifest::Secret(SecretManifest {
            namespace,
            name,
            entries,
        }) => Read::Known(id("Secret", namespace, name), Object::Secret(entries)),
        Manifest::Other { .. } => Read::Foreign,
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
