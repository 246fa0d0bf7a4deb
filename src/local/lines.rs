//! Where the fields of a document stand in its file.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// The lines of a document's fields, from 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lines {
    line: u64,
    fields: Vec<(String, Lines)>,
    elements: Vec<Lines>,
}

impl Lines {
    /// The line of the field at this path, such as `spec.events.callback.url` or
    /// `spec.excludeClasses[1]`; where it is missing, that of what should hold it.
    pub(super) fn of(&self, path: &str) -> u64 {
        match self.step(path.strip_prefix('.').unwrap_or(path)) {
            Some((below, rest)) => below.of(rest),
            None => self.line,
        }
    }

    /// The lines of the elements of the list at `field`.
    pub(super) fn elements(&self, field: &str) -> &[Self] {
        let mut fields = self.fields.iter();
        let found = fields.find(|(name, _)| name == field);
        found.map_or(&[], |(_, below)| &below.elements)
    }

    /// What the first part of a path leads to, and the rest of it. Names may hold dots themselves.
    fn step<'a>(&self, path: &'a str) -> Option<(&Self, &'a str)> {
        if let Some((index, rest)) = path.strip_prefix('[').and_then(|path| path.split_once(']')) {
            return Some((self.elements.get(index.parse::<usize>().ok()?)?, rest));
        }
        let ends = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
        self.fields.iter().find_map(|(name, below)| {
            let rest = path.strip_prefix(name.as_str());
            Some((below, rest.filter(|rest| ends(rest))?))
        })
    }
}

/// A value, and where it stands.
pub(super) struct Located {
    pub(super) value: Value,
    pub(super) lines: Lines,
}

impl Located {
    fn scalar(value: impl Into<Value>) -> Self {
        Self {
            value: value.into(),
            lines: Lines::default(),
        }
    }

    /// The same, known to stand at `line`.
    pub(super) fn at(mut self, line: u64) -> Self {
        self.lines.line = line;
        self
    }
}

impl<'de> Deserialize<'de> for Located {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Located;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of YAML or JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Located, E> {
        Ok(Located::scalar(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Located, E> {
        Ok(Located::scalar(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Located, E> {
        Ok(Located::scalar(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Located, E> {
        Ok(Located::scalar(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Located, E> {
        Ok(Located::scalar(value))
    }

    fn visit_none<E>(self) -> Result<Located, E> {
        Ok(Located::scalar(Value::Null))
    }

    fn visit_unit<E>(self) -> Result<Located, E> {
        Ok(Located::scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Located, D::Error> {
        Located::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Located, A::Error> {
        let (mut values, mut lines) = (Vec::new(), Lines::default());
        while let Some(element) = sequence.next_element::<Spanned<Located>>()? {
            let located = element.value.at(element.referenced.line());
            values.push(located.value);
            lines.elements.push(located.lines);
        }
        let value = Value::Array(values);
        Ok(Located { value, lines })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Located, A::Error> {
        let (mut values, mut lines) = (Map::new(), Lines::default());
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let located = map.next_value::<Located>()?.at(key.referenced.line());
            lines.fields.push((key.value.clone(), located.lines));
            values.insert(key.value, located.value);
        }
        let value = Value::Object(values);
        Ok(Located { value, lines })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const MANIFEST: &str = "\
kind: ConnectorInstance
metadata: {name: prod}
spec:
  configuration:
    servicenow.subdomain: acme
  tags: [a, b]
  events:
    callback:
      url: >-
        https://a.example
      schemes:
        - OpenConnectors
        - Other
";

    fn read(text: &str) -> Located {
        let located: Spanned<Located> = serde_saphyr::from_str(text).unwrap();
        located.value.at(located.referenced.line())
    }

    #[rstest]
    #[case::the_document("", 1)]
    #[case::a_field("kind", 1)]
    #[case::a_map_on_a_line("metadata.name", 2)]
    #[case::a_map("spec", 3)]
    #[case::a_name_with_a_dot("spec.configuration.servicenow.subdomain", 5)]
    #[case::a_list_on_a_line("spec.tags[1]", 6)]
    #[case::a_field_before_its_value("spec.events.callback.url", 9)]
    #[case::an_element("spec.events.callback.schemes[1]", 13)]
    #[case::a_missing_field("spec.events.callback.timeout", 8)]
    #[case::a_longer_name("spec.eventsEnabled", 3)]
    #[case::a_missing_element("spec.tags[7]", 6)]
    fn a_field_is_found_by_its_path(#[case] path: &str, #[case] line: u64) {
        assert_eq!(read(MANIFEST).lines.of(path), line);
    }

    #[test]
    fn the_value_is_the_one_that_json_has() {
        let text = "a: [1, -2, 0.5, true, null, ~, 'x', \"1\"]\nb: {c: 2026-01-01, d: 18446744073709551615}\n3: e\n";
        let value: Value = serde_saphyr::from_str(text).unwrap();
        assert_eq!(read(text).value, value);
        assert_eq!(value["b"]["d"], json!(u64::MAX));
    }
}
