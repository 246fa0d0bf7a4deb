//! One record's fields, read in place.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Row, digest, scalar};
use crate::provider::{
    path::Tree,
    shape::{Field, RecordShape},
};

/// The raw text of the values found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found<'de> {
    id: Option<&'de str>,
    updated: Option<&'de str>,
    created: Option<&'de str>,
    version: Option<&'de str>,
    class: Option<&'de str>,
    key: Option<&'de str>,
    deleted: Option<&'de str>,
}

impl<'de> Found<'de> {
    /// What a record's raw text says.
    pub(super) fn read(shape: &RecordShape, raw: &'de str) -> serde_json::Result<Self> {
        let mut found = Self::default();
        RecordSeed {
            tree: &shape.fields,
            found: &mut found,
        }
        .deserialize(&mut serde_json::Deserializer::from_str(raw))?;
        Ok(found)
    }

    /// Whether the record states its version.
    pub(super) fn has_version(&self) -> bool {
        self.version.is_some_and(|raw| scalar::text(raw).is_some())
    }

    /// The row; `raw` is the record's text where its version has to be made of it.
    pub(super) fn row(&self, shape: &RecordShape, index: usize, raw: Option<&str>) -> Row<'de> {
        let version = self.version.and_then(scalar::text);
        Row {
            index,
            id: self.id.and_then(scalar::text),
            updated: scalar::date(self.updated, shape.updated.as_ref()),
            created: scalar::date(self.created, shape.created.as_ref()),
            version: version.or_else(|| raw.map(|raw| digest::content(raw, &shape.ignore).into())),
            class: self.class.and_then(scalar::text),
            key: self.key.and_then(scalar::text),
            is_deleted: self.is_deleted(shape),
            is_utf8: true,
        }
    }

    fn is_deleted(&self, shape: &RecordShape) -> bool {
        let stated = self.deleted.and_then(scalar::text);
        stated.is_some_and(|stated| shape.deleted.iter().any(|value| *value == stated))
    }

    fn set(&mut self, field: Field, raw: &'de str) {
        let place = match field {
            Field::Id => &mut self.id,
            Field::Updated => &mut self.updated,
            Field::Created => &mut self.created,
            Field::Version => &mut self.version,
            Field::Class => &mut self.class,
            Field::Key => &mut self.key,
            Field::Deleted => &mut self.deleted,
        };
        *place = Some(raw);
    }
}

/// Reads an object's wanted fields and skips the rest.
pub(super) struct RecordSeed<'t, 'f, 'de> {
    pub(super) tree: &'t Tree<Field>,
    pub(super) found: &'f mut Found<'de>,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(node) = map.next_key_seed(Key(self.tree))? {
            match node {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(node) => self
                    .found
                    .take(node, map.next_value::<&'de RawValue>()?.get()),
            }
        }
        Ok(())
    }
}

impl<'de> Found<'de> {
    fn take(&mut self, node: &Tree<Field>, raw: &'de str) {
        for field in node.wanted() {
            self.set(*field, raw);
        }
        if !node.is_leaf() && raw.starts_with('{') {
            let seed = RecordSeed {
                tree: node,
                found: self,
            };
            // The value was walked a moment ago, so that it is well formed.
            let _ = seed.deserialize(&mut serde_json::Deserializer::from_str(raw));
        }
    }
}

/// Looks a key up without copying it.
pub(super) struct Key<'t, T>(pub(super) &'t Tree<T>);

impl<'de, 't, T: Copy> DeserializeSeed<'de> for Key<'t, T> {
    type Value = Option<&'t Tree<T>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<'t, T: Copy> Visitor<'_> for Key<'t, T> {
    type Value = Option<&'t Tree<T>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.child(key))
    }
}
