//! Names of records, singly and in ranges.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

/// Records by name: `a`, `r01..r30`, or a list of such.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(pub(crate) Vec<String>);

/// The names that one text stands for.
///
/// # Errors
///
/// The ends of a range don't match.
pub(super) fn expand(text: &str) -> Result<Vec<String>, String> {
    let Some((first, last)) = text.split_once("..") else {
        return Ok(vec![text.to_owned()]);
    };
    let wrong = || format!("{text:?} is no range of records: write it like r01..r30");
    let stem = first.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let (from, to) = (first.strip_prefix(stem), last.strip_prefix(stem));
    let (from, to) = from.zip(to).ok_or_else(wrong)?;
    let bounds = from.parse::<usize>().ok().zip(to.parse::<usize>().ok());
    let (low, high) = bounds.filter(|(low, high)| low <= high).ok_or_else(wrong)?;
    let width = from.len();
    Ok((low..=high)
        .map(|number| format!("{stem}{number:0width$}"))
        .collect())
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

pub(super) struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record's name, a range such as r01..r30, or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Names, E> {
        expand(text).map(Names).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
        let mut names = Names::default();
        while let Some(text) = list.next_element::<String>()? {
            names.0.extend(expand(&text).map_err(A::Error::custom)?);
        }
        Ok(names)
    }
}
