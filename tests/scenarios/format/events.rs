//! Events that must arrive, as lines.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Unexpected, Visitor},
};

use super::names::expand;

/// The events of one poll.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExpectedEvents {
    pub(crate) events: Vec<Expected>,
    /// The order in which they are written is that in which they must arrive.
    pub(crate) in_order: bool,
    /// Whatever arrives is right: another step looks at it.
    pub(crate) any: bool,
}

/// One event: `created a`, `updated a state=3`, `deleted a of problem`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// `CREATED`, `UPDATED` or `DELETED`.
    pub(crate) kind: String,
    pub(crate) record: String,
    /// Fields of the record in it.
    pub(crate) fields: Vec<(String, String)>,
    /// Its objectType.
    pub(crate) of: Option<String>,
}

/// The events that one line stands for.
fn read(line: &str) -> Result<Vec<Expected>, String> {
    let wrong = || {
        format!(
            "{line:?} is no event: write created, updated or deleted, the record, perhaps FIELD=VALUE, \
             and perhaps of OBJECTTYPE"
        )
    };
    let mut words = line.split(' ');
    let kind = words.next().unwrap_or_default();
    if !["created", "updated", "deleted"].contains(&kind) {
        return Err(wrong());
    }
    let records = expand(words.next().ok_or_else(wrong)?)?;
    let (mut fields, mut of) = (Vec::new(), None);
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some((field, value)) => fields.push((field.to_owned(), value.to_owned())),
            None if word == "of" => of = Some(words.next().ok_or_else(wrong)?.to_owned()),
            None => return Err(wrong()),
        }
    }
    let event = |record| Expected {
        kind: kind.to_uppercase(),
        record,
        fields: fields.clone(),
        of: of.clone(),
    };
    Ok(records.into_iter().map(event).collect())
}

impl<'de> Deserialize<'de> for ExpectedEvents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EventsVisitor)
    }
}

struct EventsVisitor;

impl<'de> Visitor<'de> for EventsVisitor {
    type Value = ExpectedEvents;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a list of events such as [created a, updated b], inAnyOrder: with such a list, or any",
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ExpectedEvents, E> {
        if text != "any" {
            return Err(E::invalid_value(Unexpected::Str(text), &self));
        }
        Ok(ExpectedEvents {
            any: true,
            ..ExpectedEvents::default()
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ExpectedEvents, A::Error> {
        let mut events = Vec::new();
        while let Some(line) = list.next_element::<String>()? {
            events.extend(read(&line).map_err(A::Error::custom)?);
        }
        Ok(ExpectedEvents {
            events,
            in_order: true,
            any: false,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ExpectedEvents, A::Error> {
        let mut expected = ExpectedEvents::default();
        while let Some(key) = map.next_key::<String>()? {
            if key != "inAnyOrder" {
                return Err(A::Error::unknown_field(&key, &["inAnyOrder"]));
            }
            expected = map.next_value()?;
        }
        expected.in_order = false;
        Ok(expected)
    }
}
