//! What is done to records.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::{Moment, Names, Shift, names::NamesVisitor};

/// Records that come to be, by name alone or with what they are.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Creation {
    pub(crate) records: Names,
    /// The table; `incident` without one.
    #[serde(default)]
    pub(crate) table: Option<String>,
    /// The id, where it is another than the name.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// Now, unless stated.
    #[serde(default)]
    pub(crate) updated: Option<Moment>,
    /// As updated, unless stated.
    #[serde(default)]
    pub(crate) created: Option<Moment>,
    /// How much later each is dated than the one before it.
    #[serde(default)]
    pub(crate) apart: Option<Shift>,
    #[serde(default)]
    pub(crate) set: BTreeMap<String, String>,
}

/// Records that change, by name alone or with how.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Update {
    pub(crate) records: Names,
    /// Now, unless stated.
    #[serde(default)]
    pub(crate) updated: Option<Moment>,
    #[serde(default)]
    pub(crate) set: BTreeMap<String, String>,
}

/// A field that some records' rows lack.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FieldRule {
    pub(crate) records: Names,
    pub(crate) field: String,
}

impl From<Names> for Creation {
    fn from(records: Names) -> Self {
        Self {
            records,
            ..Self::default()
        }
    }
}

impl From<Names> for Update {
    fn from(records: Names) -> Self {
        Self {
            records,
            ..Self::default()
        }
    }
}

/// What may be written as names alone.
#[derive(Clone, Debug)]
pub(crate) struct ByName<T>(pub(crate) T);

impl<'de, T: From<Names> + Deserialize<'de>> Deserialize<'de> for ByName<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(ByNameVisitor(PhantomData))
            .map(Self)
    }
}

struct ByNameVisitor<T>(PhantomData<T>);

impl<'de, T: From<Names> + Deserialize<'de>> Visitor<'de> for ByNameVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names of records, or a map with records: and what they are")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let names = NamesVisitor.visit_str(text)?;
        Ok(names.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        let names = NamesVisitor.visit_seq(list)?;
        Ok(names.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}
