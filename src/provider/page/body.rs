//! One walk over a page's body.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Value, value::RawValue};

use super::{fault::Fault, items::Items, record::Key};
use crate::provider::{
    path::Tree,
    shape::{BodyPart, RecordShape},
    words,
};

/// Hands the records of `body` to `items`.
pub(super) fn walk<'de>(
    shape: &RecordShape,
    body: &'de [u8],
    items: &mut impl Items<'de>,
) -> Result<(), Fault> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(Fault::Empty),
        Some(b'<') => return Err(Fault::Html),
        Some(_) => {}
    }
    let mut found = Findings {
        lists: 0,
        stated: Vec::new(),
    };
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let seed = BodySeed {
        tree: &shape.body,
        items: &mut *items,
        found: &mut found,
    };
    let walked = seed
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());
    if let Some(stated) = stated(shape, &found.stated) {
        return Err(Fault::Stated(stated));
    }
    walked.map_err(|error| fault(&error, shape, &found, items.index()))?;
    if found.lists == 1 {
        Ok(())
    } else {
        Err(Fault::NoList {
            path: shape.list.to_string(),
        })
    }
}

/// serde_json's own words are left out: they quote the record.
fn fault<'de>(
    error: &serde_json::Error,
    shape: &RecordShape,
    found: &Findings<'de>,
    index: usize,
) -> Fault {
    match error.classify() {
        serde_json::error::Category::Eof => Fault::Truncated,
        serde_json::error::Category::Data if found.lists == 1 => Fault::NotARecord { index },
        serde_json::error::Category::Data => Fault::NoList {
            path: shape.list.to_string(),
        },
        _ => Fault::Malformed {
            line: error.line(),
            column: error.column(),
        },
    }
}

/// What a walk found beside the records.
struct Findings<'de> {
    lists: usize,
    /// Index of the failure and the raw value.
    stated: Vec<(usize, &'de str)>,
}

/// The failures that hold, as an object with the body's paths.
fn stated(shape: &RecordShape, found: &[(usize, &str)]) -> Option<Value> {
    let mut body = Value::Null;
    let mut failed = false;
    for (index, raw) in found {
        let Some(failure) = shape.failures.get(*index) else {
            continue;
        };
        let value = serde_json::from_str(raw).unwrap_or_else(|_| Value::from(*raw));
        failed |= words::holds(failure, &value);
        words::put(&mut body, &failure.path, value);
    }
    failed.then_some(body)
}

struct BodySeed<'t, 'i, 'f, 'de, I> {
    tree: &'t Tree<BodyPart>,
    items: &'i mut I,
    found: &'f mut Findings<'de>,
}

impl<'de, I: Items<'de>> BodySeed<'_, '_, '_, 'de, I> {
    fn failures(&self) -> impl Iterator<Item = usize> {
        self.tree.wanted().iter().filter_map(|part| match part {
            BodyPart::Failure(index) => Some(*index),
            BodyPart::Records => None,
        })
    }

    fn states_failure(&self) -> bool {
        self.failures().next().is_some()
    }

    /// Keeps a value for each rule on its path, and walks it for rules on paths below.
    fn take_failure(self, raw: &'de str) -> serde_json::Result<()> {
        let stated: Vec<_> = self.failures().map(|index| (index, raw)).collect();
        self.found.stated.extend(stated);
        if self.tree.is_leaf() {
            return Ok(());
        }
        self.deserialize(&mut serde_json::Deserializer::from_str(raw))
    }
}

impl<'de, I: Items<'de>> DeserializeSeed<'de> for BodySeed<'_, '_, '_, 'de, I> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.tree.wanted().contains(&BodyPart::Records) {
            return deserializer.deserialize_any(self);
        }
        deserializer.deserialize_seq(ListVisitor {
            items: self.items,
            lists: &mut self.found.lists,
        })
    }
}

impl<'de, I: Items<'de>> Visitor<'de> for BodySeed<'_, '_, '_, 'de, I> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(node) = map.next_key_seed(Key(self.tree))? {
            let Some(node) = node else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let below = BodySeed {
                tree: node,
                items: &mut *self.items,
                found: &mut *self.found,
            };
            if !below.states_failure() {
                map.next_value_seed(below)?;
                continue;
            }
            let raw = map.next_value::<&'de RawValue>()?.get();
            below.take_failure(raw).map_err(A::Error::custom)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

struct ListVisitor<'i, I> {
    items: &'i mut I,
    lists: &'i mut usize,
}

impl<'de, I: Items<'de>> Visitor<'de> for ListVisitor<'_, I> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        *self.lists += 1;
        if *self.lists > 1 {
            return Err(A::Error::custom("a second list"));
        }
        while self.items.take(&mut list)? {}
        Ok(())
    }
}
