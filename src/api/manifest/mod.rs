//! Manifests checked without an API server, by the rules that admission applies.
//!
//! [`read`] takes one document and refuses what the server would refuse under
//! `fieldValidation=Strict`: unknown fields, what the schema forbids, and what the CEL rules forbid,
//! these with the same messages. Like the server it drops nulls first, and the status.

mod contract;
mod metadata;
mod secret;
mod structure;
mod unknown;

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use self::contract::Contract;
pub use self::secret::SecretManifest;
use super::{ConnectorInstance, PollerResource};

const API_VERSION: &str = "pollen.dev/v1alpha1";

/// One document of a manifest, checked.
#[derive(Clone, Debug)]
pub enum Manifest {
    /// An instance.
    ConnectorInstance(Box<ConnectorInstance>),
    /// A poller.
    PollerResource(Box<PollerResource>),
    /// A Secret that an instance may name.
    Secret(SecretManifest),
    /// What is not ours: a Namespace, a Kustomization.
    Other {
        /// Its kind.
        kind: String,
        /// Its `metadata.name`, empty where it has none.
        name: String,
    },
}

/// What is wrong with a manifest, and what to write instead. It never shows a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {field}: {message}")]
pub struct ManifestError {
    /// Kind, namespace and name, such as `PollerResource helpdesk/accounts`.
    pub object: String,
    /// Path of the field, such as `spec.refreshInterval`.
    pub field: String,
    /// What is wrong and what to write.
    pub message: String,
}

/// What is wrong with one field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    field: String,
    message: String,
    /// Whether the value is of a form that no rule could look at.
    blocks_rules: bool,
}

impl Finding {
    fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            blocks_rules: false,
        }
    }

    fn blocking(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            blocks_rules: true,
            ..Self::new(field, message)
        }
    }

    fn of(self, object: &str) -> ManifestError {
        ManifestError {
            object: object.to_owned(),
            field: self.field,
            message: self.message,
        }
    }
}

/// Reads one document of a manifest, as JSON.
///
/// # Errors
///
/// Everything that is wrong with it, each with its field and what to write.
pub fn read(value: Value) -> Result<Manifest, Vec<ManifestError>> {
    let name = described(&value);
    let findings = match value {
        Value::Object(document) => match read_document(document) {
            Ok(manifest) => return Ok(manifest),
            Err(findings) => findings,
        },
        _ => vec![Finding::new(
            "",
            "is no map: write apiVersion, kind, metadata and spec",
        )],
    };
    Err(findings
        .into_iter()
        .map(|finding| finding.of(&name))
        .collect())
}

/// Checks the change from `old` to `new`, which were both read without error.
///
/// # Errors
///
/// The fields that cannot change, each with what to do instead.
pub fn validate_update(old: &Manifest, new: &Manifest) -> Result<(), Vec<ManifestError>> {
    match (old, new) {
        (Manifest::ConnectorInstance(old), Manifest::ConnectorInstance(new)) => {
            update(Contract::instances(), old.as_ref(), new.as_ref())
        }
        (Manifest::PollerResource(old), Manifest::PollerResource(new)) => {
            update(Contract::pollers(), old.as_ref(), new.as_ref())
        }
        _ => Ok(()),
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectorInstance(instance) => object_name(
                f,
                "ConnectorInstance",
                instance.namespace().as_deref(),
                &instance.name_any(),
            ),
            Self::PollerResource(poller) => object_name(
                f,
                "PollerResource",
                poller.namespace().as_deref(),
                &poller.name_any(),
            ),
            Self::Secret(secret) => {
                object_name(f, "Secret", secret.namespace.as_deref(), &secret.name)
            }
            Self::Other { kind, name } => object_name(f, kind, None, name),
        }
    }
}

fn object_name(
    f: &mut fmt::Formatter<'_>,
    kind: &str,
    namespace: Option<&str>,
    name: &str,
) -> fmt::Result {
    match namespace {
        Some(namespace) => write!(f, "{kind} {namespace}/{name}"),
        None => write!(f, "{kind} {name}"),
    }
}

/// What a document calls itself, however malformed it is.
fn described(value: &Value) -> String {
    let text = |pointer| value.pointer(pointer).and_then(Value::as_str);
    let kind = text("/kind").unwrap_or("a document without kind");
    match (text("/metadata/namespace"), text("/metadata/name")) {
        (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        (None, Some(name)) => format!("{kind} {name}"),
        (_, None) => format!("{kind} without a name"),
    }
}

fn read_document(document: Map<String, Value>) -> Result<Manifest, Vec<Finding>> {
    let text = |field: &str| match document.get(field).and_then(Value::as_str) {
        Some(text) => Ok(text.to_owned()),
        None => Err(vec![Finding::new(
            field,
            format!("is missing: write the {field} of the object"),
        )]),
    };
    let (version, kind) = (text("apiVersion")?, text("kind")?);
    match (version.as_str(), kind.as_str()) {
        (API_VERSION, "ConnectorInstance") => custom_resource(Contract::instances(), document)
            .map(Box::new)
            .map(Manifest::ConnectorInstance),
        (API_VERSION, "PollerResource") => custom_resource(Contract::pollers(), document)
            .map(Box::new)
            .map(Manifest::PollerResource),
        ("v1", "Secret") => secret::read(document).map(Manifest::Secret),
        (_, "ConnectorInstance" | "PollerResource") => Err(vec![Finding::new(
            "apiVersion",
            format!("is {version:?}: write {API_VERSION}"),
        )]),
        (version, _) if version.starts_with("pollen.dev/") => Err(vec![Finding::new(
            "kind",
            format!("is {kind:?}: write ConnectorInstance or PollerResource"),
        )]),
        _ => Ok(Manifest::Other {
            kind,
            name: metadata::name(&document).unwrap_or_default().to_owned(),
        }),
    }
}

fn custom_resource<K: DeserializeOwned>(
    contract: &Contract,
    mut document: Map<String, Value>,
) -> Result<K, Vec<Finding>> {
    document.remove("status");
    let mut findings = metadata::check(&mut document);
    let mut value = Value::Object(document);
    findings.extend(contract.check(&mut value, None));
    if !findings.is_empty() {
        return Err(findings);
    }
    // What the schema admits and serde refuses would be a fault of the schema.
    serde_json::from_value(value).map_err(|error| vec![Finding::new("spec", error.to_string())])
}

fn update<K: Serialize + kube::Resource>(
    contract: &Contract,
    old: &K,
    new: &K,
) -> Result<(), Vec<ManifestError>> {
    let object = serde_json::to_value(new).and_then(|new| Ok((serde_json::to_value(old)?, new)));
    let findings = match object {
        Ok((old, mut new)) => contract.check(&mut new, Some(&old)),
        Err(error) => vec![Finding::new("spec", error.to_string())],
    };
    if findings.is_empty() {
        return Ok(());
    }
    let name = identity(new.meta(), contract.kind());
    Err(findings
        .into_iter()
        .map(|finding| finding.of(&name))
        .collect())
}

fn identity(meta: &ObjectMeta, kind: &str) -> String {
    let name = meta.name.as_deref().unwrap_or_default();
    match &meta.namespace {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

#[cfg(test)]
mod tests;
