//! Reads `rules.yaml`, whose head says what its rows mean.
//!
//! It depends on nothing else of this test, so that the cluster's test can include it
//! (`#[path = "../contract/table.rs"] mod table;`) and run the same rows against an API server.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The whole table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// An object of each kind that is accepted, by kind.
    pub(crate) bases: BTreeMap<String, Value>,
    /// The rows.
    pub(crate) rows: Vec<Row>,
}

/// One object, or one change of an object, and the verdict on it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// The rule that the row is for.
    pub(crate) rule: String,
    /// Which base it starts from.
    pub(crate) kind: String,
    /// Made to the base: the object that is created.
    #[serde(default, flatten)]
    pub(crate) edit: Edit,
    /// Made to the created object, which is accepted then: the update.
    pub(crate) update: Option<Edit>,
    /// The verdict.
    pub(crate) accepted: bool,
    /// The path, or the beginning of it, that the refusal names.
    pub(crate) field: Option<String>,
    /// What the refusal says, word for word, where a CEL rule refuses.
    pub(crate) message: Option<String>,
}

/// Changes by JSON pointer.
#[derive(Default, Deserialize)]
pub(crate) struct Edit {
    /// Values to put, null included; missing maps on the way are made.
    #[serde(default)]
    pub(crate) set: BTreeMap<String, Value>,
    /// Fields to remove.
    #[serde(default)]
    pub(crate) unset: Vec<String>,
}

/// The table as it is checked in.
pub(crate) fn table() -> Table {
    serde_saphyr::from_str(include_str!("rules.yaml")).unwrap()
}

impl Table {
    /// What the row creates.
    pub(crate) fn object(&self, row: &Row) -> Value {
        row.edit.apply(&self.bases[&row.kind])
    }

    /// What the row's object is updated to, where the row has an update.
    pub(crate) fn updated(&self, row: &Row) -> Option<Value> {
        row.update
            .as_ref()
            .map(|edit| edit.apply(&self.object(row)))
    }
}

impl Edit {
    fn apply(&self, object: &Value) -> Value {
        let mut object = object.clone();
        for pointer in &self.unset {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            object
                .pointer_mut(parent)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .remove(name)
                .unwrap();
        }
        for (pointer, value) in &self.set {
            *place(&mut object, pointer) = value.clone();
        }
        object
    }
}

fn place<'a>(object: &'a mut Value, pointer: &str) -> &'a mut Value {
    pointer.split('/').skip(1).fold(object, |value, name| {
        // `~1` is a slash, as RFC 6901 has it.
        let name = name.replace("~1", "/");
        if value.is_null() {
            *value = Value::Object(serde_json::Map::new());
        }
        &mut value[name]
    })
}
