//! The version of a record that has none: a digest of what it says.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::scalar::string;
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
    value(&mut hasher, raw, &ignored, 0);
    hex(&hasher.finalize())
}

/// Lower-case hexadecimal digits.
pub(in crate::provider) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn value(hasher: &mut Sha256, raw: &str, ignored: &[Vec<&str>], depth: usize) {
    match raw.as_bytes().first() {
        Some(b'{') if depth < MAX_DEPTH => object(hasher, raw, ignored, depth),
        Some(b'[') if depth < MAX_DEPTH => list(hasher, raw, depth),
        Some(b'"') => part(
            hasher,
            b's',
            string(raw).unwrap_or(Cow::Borrowed(raw)).as_bytes(),
        ),
        _ => part(hasher, b'r', raw.as_bytes()),
    }
}

fn object(hasher: &mut Sha256, raw: &str, ignored: &[Vec<&str>], depth: usize) {
    let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(raw) else {
        return part(hasher, b'r', raw.as_bytes());
    };
    hasher.update(b"{");
    for (key, member) in &members {
        let below = ignored
            .iter()
            .filter(|names| names.first() == Some(&key.as_str()));
        let below = below
            .filter_map(|names| names.get(1..))
            .map(<[_]>::to_vec)
            .collect::<Vec<_>>();
        if !below.iter().any(Vec::is_empty) {
            part(hasher, b'k', key.as_bytes());
            value(hasher, member.get(), &below, depth + 1);
        }
    }
    hasher.update(b"}");
}

fn list(hasher: &mut Sha256, raw: &str, depth: usize) {
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw) else {
        return part(hasher, b'r', raw.as_bytes());
    };
    hasher.update(b"[");
    for item in items {
        value(hasher, item.get(), &[], depth + 1);
    }
    hasher.update(b"]");
}

/// The length before the bytes keeps two parts from looking like one.
fn part(hasher: &mut Sha256, kind: u8, bytes: &[u8]) {
    hasher.update([kind]);
    hasher.update((bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}
