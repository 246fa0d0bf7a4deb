//! Finding secrets in a remote host's text, which may show them as they were encoded for it.

use std::ops::Range;

use secrecy::{ExposeSecret as _, SecretString};

/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";

/// With these begins a letter that is encoded.
const ENCODED: [char; 4] = ['%', '+', '\\', '&'];

/// How much of a text is looked at: far more than is ever shown.
const SEARCHED: usize = 4 * 1024;
/// How much longer than the secret its encoding may be.
const STRETCHED: usize = 16;

/// The beginning of the text, of at most 4 KiB, with none of `secrets` in it: neither as they are nor in the encodings of forms, URLs, JSON
/// and HTML, whichever letters an encoder changed, and if one encoded what another had.
pub(super) fn redacted(text: &str, secrets: &[SecretString]) -> String {
    let mut shown = String::new();
    let mut end = 0;
    for found in merged(found(text, secrets)) {
        shown.push_str(text.get(end..found.start).unwrap_or_default());
        shown.push_str(REDACTED);
        end = found.end;
    }
    let searched = text.floor_char_boundary(SEARCHED);
    shown.push_str(text.get(end..searched).unwrap_or_default());
    shown
}

/// Where secrets are, in the order in which they begin.
fn found(text: &str, secrets: &[SecretString]) -> Vec<Range<usize>> {
    let secrets = secrets.iter().map(|secret| secret.expose_secret().trim());
    let secrets: Vec<_> = secrets.filter(|secret| !secret.is_empty()).collect();
    let mut found = Vec::new();
    let starts = text.char_indices().map(|(start, _)| start);
    for start in starts.take_while(|start| *start < SEARCHED) {
        let rest = text.get(start..).unwrap_or_default();
        // A stranger's text may be one long run of what could belong to a secret.
        let length = secrets.iter().filter_map(|secret| {
            let reach = rest.floor_char_boundary(STRETCHED * secret.len());
            length_in(rest.get(..reach)?, secret)
        });
        found.extend(length.max().map(|length| start..start + length));
    }
    found
}

/// Those that overlap as one: cut out one by one they would leave ends of each other.
fn merged(found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// How much of the beginning of `text` is `secret`; `None` where it doesn't begin with it.
fn length_in(text: &str, secret: &str) -> Option<usize> {
    // Most letters of a text begin no secret, and this is asked of each.
    if !text.starts_with(ENCODED) && !text.starts_with(secret.chars().next()?) {
        return None;
    }
    let mut behind = vec![text];
    let mut before = None;
    for letter in secret.chars() {
        // An encoder doubles a backslash, so that a run of them says nothing of its length.
        if letter == '\\' && before == Some(letter) {
            continue;
        }
        before = Some(letter);
        behind = behind
            .into_iter()
            .flat_map(|text| behind_letter(text, letter))
            .collect();
        behind.dedup();
        if behind.is_empty() {
            return None;
        }
    }
    let shortest = behind.into_iter().map(str::len).min()?;
    Some(text.len() - shortest)
}

/// What may follow where `text` begins with `letter` in some encoding.
fn behind_letter(text: &str, letter: char) -> Vec<&str> {
    if letter == '\\' {
        return behind_backslashes(text);
    }
    let bare = text.trim_start_matches('\\');
    let is_escaped = bare.len() < text.len();
    let escapes = [behind_code_units(bare, letter), behind_escape(bare, letter)];
    let escapes = escapes.into_iter().flatten().filter(|_| is_escaped);
    let plain = [
        bare.strip_prefix(letter),
        behind_percent(bare, letter),
        behind_entity(bare, letter),
    ];
    plain.into_iter().flatten().chain(escapes).collect()
}

/// A run of them, as one encoder or several write it; the last one may be the next letter's.
fn behind_backslashes(text: &str) -> Vec<&str> {
    let next = |text| behind_percent(text, '\\').or_else(|| behind_entity(text, '\\'));
    let mut rest = text.trim_start_matches('\\');
    while let Some(more) = next(rest) {
        rest = more.trim_start_matches('\\');
    }
    let length = text.len() - rest.len();
    let but_the_last = length.checked_sub(1).filter(|length| *length > 0);
    let but_the_last = but_the_last.and_then(|length| text.get(length..));
    let whole = (length > 0).then_some(rest);
    let last = but_the_last.filter(|rest| rest.starts_with('\\'));
    whole.into_iter().chain(last).collect()
}

/// `%2B` or, encoded again, `%252B`; a form writes a space as `+`.
fn behind_percent(text: &str, letter: char) -> Option<&str> {
    if letter == ' '
        && let Some(rest) = text.strip_prefix('+')
    {
        return Some(rest);
    }
    let mut rest = text;
    for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
        rest = rest.strip_prefix('%')?;
        while let Some(again) = rest
            .strip_prefix("25")
            .filter(|rest| hex(rest, 2).is_some())
        {
            rest = again;
        }
        let (value, behind) = hex(rest, 2)?;
        rest = (value == u32::from(byte)).then_some(behind)?;
    }
    Some(rest)
}

/// `\u002b`, of which the backslash is behind: UTF-16.
fn behind_code_units(text: &str, letter: char) -> Option<&str> {
    let mut rest = text;
    for unit in letter.encode_utf16(&mut [0; 2]) {
        let digits = rest.trim_start_matches('\\').strip_prefix('u')?;
        let (value, behind) = hex(digits, 4)?;
        rest = (value == u32::from(*unit)).then_some(behind)?;
    }
    Some(rest)
}

/// `\n`, of which the backslash is behind.
fn behind_escape(text: &str, letter: char) -> Option<&str> {
    let short = match letter {
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        _ => return None,
    };
    text.strip_prefix(short)
}

/// `&amp;`, `&#38;`, `&#x26;` or, encoded again, `&amp;amp;`.
fn behind_entity(text: &str, letter: char) -> Option<&str> {
    let mut name = text.strip_prefix('&')?;
    let mut is_ampersand = false;
    while let Some(again) = name.strip_prefix("amp;") {
        (name, is_ampersand) = (again, true);
    }
    if letter == '&' && is_ampersand {
        return Some(name);
    }
    let (name, rest) = name.split_once(';')?;
    let named = match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => numbered(name),
    };
    (named == Some(letter)).then_some(rest)
}

fn numbered(name: &str) -> Option<char> {
    let number = name.strip_prefix('#')?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    char::from_u32(code.ok()?)
}

/// So many hexadecimal digits, and what follows them.
fn hex(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    Some((u32::from_str_radix(number, 16).ok()?, rest))
}
