//! One walk over a page's body.

use std::fmt;

use bytes::Bytes;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Value, value::RawValue};

use super::{
    PageError, Row,
    record::{Found, Key, RecordSeed},
};
use crate::{
    category::Category,
    provider::{
        path::Tree,
        shape::{BodyPart, RecordShape},
        words,
    },
};

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::provider) enum Fault {
    Empty,
    Html,
    Truncated,
    Malformed {
        line: usize,
        column: usize,
    },
    NotARecord {
        index: usize,
    },
    NoList {
        path: String,
    },
    /// The provider's own words: the parts of the body that state a failure, under their paths.
    Stated(Value),
}

impl Fault {
    /// Whether a smaller page may do: bodies are streamed, and break where the provider's time
    /// for the request ran out.
    pub(in crate::provider) const fn may_be_size(&self) -> bool {
        matches!(
            self,
            Self::Truncated | Self::Malformed { .. } | Self::NotARecord { .. }
        )
    }

    pub(super) fn into_page_error(self) -> PageError {
        PageError {
            category: Category::Provider,
            message: self.to_string(),
            shrink: self.may_be_size(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("the page has no body"),
            Self::Html => formatter.write_str("the page is HTML instead of JSON: the provider may be asleep or asking a person to log in"),
            Self::Truncated => formatter.write_str("the page ends in the middle of its JSON"),
            Self::Malformed { line, column } => {
                write!(formatter, "the page is malformed JSON at line {line} column {column}")
            }
            Self::NotARecord { index } => write!(formatter, "item {index} of the page is no JSON object"),
            Self::NoList { path } => write!(formatter, "the page does not have one list of records at {path:?}"),
            Self::Stated(body) => write!(formatter, "the page states an error: {}", words::of_body(body)),
        }
    }
}

/// Shows each record's row to `visit`.
pub(super) fn read(
    shape: &RecordShape,
    body: &Bytes,
    mut visit: impl FnMut(Row<'_>),
) -> Result<usize, Fault> {
    let mut quick = Quick {
        shape,
        visit: &mut visit,
        index: 0,
        versionless: false,
    };
    if shape.has_version {
        let walked = walk(shape, body, &mut quick);
        if !quick.versionless {
            return walked.map(|()| quick.index);
        }
    }
    let shown = quick.index;
    let mut thorough = Thorough {
        shape,
        visit: &mut visit,
        index: 0,
        shown,
    };
    walk(shape, body, &mut thorough).map(|()| thorough.index)
}

/// Cuts the wanted records out.
pub(super) fn cut(
    shape: &RecordShape,
    body: &Bytes,
    wanted: &[usize],
) -> Result<Vec<Bytes>, Fault> {
    let mut cut = Cut {
        body,
        wanted,
        index: 0,
        records: Vec::with_capacity(wanted.len()),
    };
    let walked = if wanted.is_empty() {
        Ok(())
    } else {
        walk(shape, body, &mut cut)
    };
    match walked {
        _ if cut.records.len() == wanted.len() => Ok(cut.records),
        Err(fault) => Err(fault),
        Ok(()) => Err(Fault::NotARecord { index: cut.index }),
    }
}

/// What is done with the items of the list.
trait Items<'de> {
    /// Takes the next item; false at the end of the list.
    fn take<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error>;

    /// The index of the item at hand.
    fn index(&self) -> usize;
}

/// Reads rows without looking at a record's whole text; stops at one without a version.
struct Quick<'s, F> {
    shape: &'s RecordShape,
    visit: F,
    index: usize,
    versionless: bool,
}

impl<'de, F: FnMut(Row<'_>)> Items<'de> for Quick<'_, F> {
    #[inline]
    fn take<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let mut found = Found::default();
        if list
            .next_element_seed(RecordSeed {
                tree: &self.shape.fields,
                found: &mut found,
            })?
            .is_none()
        {
            return Ok(false);
        }
        if !found.has_version() {
            self.versionless = true;
            return Err(A::Error::custom("a record without a version"));
        }
        (self.visit)(found.row(self.shape, self.index, None));
        self.index += 1;
        Ok(true)
    }

    fn index(&self) -> usize {
        self.index
    }
}

/// Reads rows whose version may be a digest; those already shown are passed over.
struct Thorough<'s, F> {
    shape: &'s RecordShape,
    visit: F,
    index: usize,
    shown: usize,
}

impl<'de, F: FnMut(Row<'_>)> Items<'de> for Thorough<'_, F> {
    fn take<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(raw) = list.next_element::<&'de RawValue>()? else {
            return Ok(false);
        };
        let found = Found::read(self.shape, raw.get()).map_err(A::Error::custom)?;
        if self.index >= self.shown {
            (self.visit)(found.row(self.shape, self.index, Some(raw.get())));
        }
        self.index += 1;
        Ok(true)
    }

    fn index(&self) -> usize {
        self.index
    }
}

/// Cuts records out and stops behind the last.
struct Cut<'b> {
    body: &'b Bytes,
    wanted: &'b [usize],
    index: usize,
    records: Vec<Bytes>,
}

impl<'de: 'b, 'b> Items<'de> for Cut<'b> {
    fn take<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(next) = self.wanted.get(self.records.len()) else {
            return Err(A::Error::custom("all are cut"));
        };
        let some = if *next == self.index {
            let raw = list.next_element::<&'de RawValue>()?;
            self.records
                .extend(raw.map(|raw| self.body.slice_ref(raw.get().as_bytes())));
            raw.is_some()
        } else {
            list.next_element::<IgnoredAny>()?.is_some()
        };
        self.index += usize::from(some);
        Ok(some)
    }

    fn index(&self) -> usize {
        self.index
    }
}

fn walk<'de>(
    shape: &RecordShape,
    body: &'de Bytes,
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
            let failure = node.wanted().iter().find_map(|part| match part {
                BodyPart::Failure(index) => Some(*index),
                BodyPart::Records => None,
            });
            if let Some(index) = failure {
                self.found
                    .stated
                    .push((index, map.next_value::<&'de RawValue>()?.get()));
            } else {
                map.next_value_seed(BodySeed {
                    tree: node,
                    items: &mut *self.items,
                    found: &mut *self.found,
                })?;
            }
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
