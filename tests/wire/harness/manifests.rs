//! A folder of manifests that tests change by value.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Manifests in a folder of their own, a file for each object.
pub(crate) struct Manifests(TempDir);

impl Manifests {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The state folder, unless a test names another.
    pub(crate) fn state(&self) -> PathBuf {
        self.path().join(".pollen")
    }

    /// A ConnectorInstance or PollerResource called `name`.
    pub(crate) fn put(&self, kind: &str, name: &str, spec: Value) {
        self.write(
            name,
            &json!({
                "apiVersion": "pollen.dev/v1alpha1",
                "kind": kind,
                "metadata": {"name": name, "namespace": "helpdesk"},
                "spec": spec,
            }),
        );
    }

    pub(crate) fn put_secret(&self, name: &str, entries: Value) {
        self.write(
            name,
            &json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": "helpdesk"},
                "stringData": entries,
            }),
        );
    }

    /// Changes the manifest of the object called `name`.
    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        self.edit_copy(name, name, edit);
    }

    /// Changes a copy of the manifest of the object called `name`, which gets a name of its own.
    pub(crate) fn edit_copy(&self, name: &str, copy: &str, edit: impl FnOnce(&mut Value)) {
        let text = std::fs::read(self.file(name)).unwrap();
        let mut manifest: Value = serde_json::from_slice(&text).unwrap();
        manifest["metadata"]["name"] = copy.into();
        edit(&mut manifest);
        self.write(copy, &manifest);
    }

    /// Sets one field of the object called `name`; `pointer` begins at the manifest's root.
    pub(crate) fn set(&self, name: &str, pointer: &str, value: Value) {
        self.edit(name, |manifest| {
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            manifest.pointer_mut(parent).unwrap()[field] = value;
        });
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.file(name)).unwrap();
    }

    fn write(&self, name: &str, manifest: &Value) {
        std::fs::write(self.file(name), manifest.to_string()).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(format!("{name}.json"))
    }
}
