//! Text and dates out of a JSON value's raw text.

use std::borrow::Cow;

use super::DateRead;
use crate::provider::shape::DateReader;

/// The text of a string, number or boolean; `None` for null, blank text, lists and objects.
pub(super) fn text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'"' => string(raw).filter(|text| !text.trim().is_empty()),
        b'n' | b'[' | b'{' => None,
        _ => Some(Cow::Borrowed(raw)),
    }
}

pub(super) fn date<'a>(raw: Option<&'a str>, reader: Option<&DateReader>) -> DateRead<'a> {
    let (Some(raw), Some(reader)) = (raw, reader) else {
        return DateRead::Absent;
    };
    match text(raw) {
        Some(text) => match reader.pattern.read(&text, reader.zone) {
            Ok(instant) => DateRead::At(instant),
            Err(_) => DateRead::Unreadable(text),
        },
        None if raw.starts_with(['[', '{']) => DateRead::Unreadable(Cow::Borrowed(raw)),
        None => DateRead::Absent,
    }
}

/// A string's text: borrowed unless it has escapes.
pub(super) fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}
