//! The version of a record that has none: a digest of what it says.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{cursor::Cursor, scalar::string};
use crate::provider::path::FieldPath;

/// Objects nested deeper than this are taken as they are spelled.
const MAX_DEPTH: usize = 64;

/// Hex digest of a record's content with its keys sorted, so that their order and the blanks
/// between them make no version, and without the ignored fields.
pub(super) fn content(raw: &str, ignore: &[FieldPath]) -> String {
    let mut hasher = Sha256::new();
    let ignored = ignore
        .iter()
        .map(|path| path.names().collect())
        .collect::<Vec<_>>();
    value(&mut hasher, &mut Cursor::new(raw), &ignored, 0);
    hex(&hasher.finalize())
}

/// Lower-case hexadecimal digits.
pub(in crate::provider) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// A member of an object, until its turn among the sorted keys.
enum Member<'a> {
    Scalar(&'a str),
    /// The digest of an object or a list.
    Nested([u8; 32]),
}

/// Hashes one value and leaves `cursor` behind it: each byte is looked at once, however deep.
fn value(hasher: &mut Sha256, cursor: &mut Cursor<'_>, ignored: &[Vec<&str>], depth: usize) {
    match cursor.peek() {
        Some(b'{') if depth < MAX_DEPTH => object(hasher, cursor, ignored, depth),
        Some(b'[') if depth < MAX_DEPTH => list(hasher, cursor, depth),
        Some(b'{' | b'[') => part(hasher, b'r', cursor.nested().as_bytes()),
        _ => scalar(hasher, cursor.scalar()),
    }
}

fn object(hasher: &mut Sha256, cursor: &mut Cursor<'_>, ignored: &[Vec<&str>], depth: usize) {
    let mut members = BTreeMap::new();
    cursor.open();
    while let Some(key) = cursor.next_key() {
        let below = below(ignored, &key);
        if below.iter().any(Vec::is_empty) {
            cursor.skip();
        } else {
            members.insert(key, member(cursor, &below, depth));
        }
    }
    hasher.update(b"{");
    for (key, member) in members {
        part(hasher, b'k', key.as_bytes());
        match member {
            Member::Scalar(raw) => scalar(hasher, raw),
            Member::Nested(digest) => part(hasher, b'n', &digest),
        }
    }
    hasher.update(b"}");
}

fn member<'a>(cursor: &mut Cursor<'a>, ignored: &[Vec<&str>], depth: usize) -> Member<'a> {
    if !cursor.is_nested() {
        return Member::Scalar(cursor.scalar());
    }
    let mut hasher = Sha256::new();
    value(&mut hasher, cursor, ignored, depth + 1);
    Member::Nested(hasher.finalize().into())
}

/// What is left of the ignored paths that begin with `key`.
fn below<'p>(ignored: &[Vec<&'p str>], key: &str) -> Vec<Vec<&'p str>> {
    let begun = ignored
        .iter()
        .filter(|names| names.first().is_some_and(|first| *first == key));
    begun
        .filter_map(|names| names.get(1..))
        .map(<[_]>::to_vec)
        .collect()
}

fn list(hasher: &mut Sha256, cursor: &mut Cursor<'_>, depth: usize) {
    hasher.update(b"[");
    cursor.open();
    while cursor.has_item() {
        value(hasher, cursor, &[], depth + 1);
    }
    hasher.update(b"]");
}

fn scalar(hasher: &mut Sha256, raw: &str) {
    match string(raw) {
        Some(text) => part(hasher, b's', text.as_bytes()),
        None => part(hasher, b'r', raw.as_bytes()),
    }
}

/// The length before the bytes keeps two parts from looking like one.
fn part(hasher: &mut Sha256, kind: u8, bytes: &[u8]) {
    hasher.update([kind]);
    hasher.update((bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}
