//! A walk over JSON that has been parsed before, so that its spelling is known to be right.

use std::borrow::Cow;

use super::scalar::string;

/// A place in a value's raw text.
pub(super) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(raw: &'a str) -> Self {
        Self { rest: raw }
    }

    /// The first byte of the next value.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.rest = self
            .rest
            .trim_start_matches([' ', '\t', '\r', '\n', ',', ':']);
        self.rest.bytes().next()
    }

    pub(super) fn is_nested(&mut self) -> bool {
        matches!(self.peek(), Some(b'{' | b'['))
    }

    /// Steps into the object or list that comes next.
    pub(super) fn open(&mut self) {
        self.peek();
        self.take(1);
    }

    /// The key of the next member; at the end of the object steps out of it.
    pub(super) fn next_key(&mut self) -> Option<Cow<'a, str>> {
        self.has_item().then(|| {
            let raw = self.scalar();
            string(raw).unwrap_or(Cow::Borrowed(raw))
        })
    }

    /// Whether there is another item; at the end steps out.
    pub(super) fn has_item(&mut self) -> bool {
        match self.peek() {
            None => false,
            Some(b'}' | b']') => {
                self.take(1);
                false
            }
            Some(_) => true,
        }
    }

    /// The text of a string, number, boolean or null.
    pub(super) fn scalar(&mut self) -> &'a str {
        let length = match self.peek() {
            Some(b'"') => string_length(self.rest),
            _ => self
                .rest
                .find([',', ':', ']', '}', ' ', '\t', '\r', '\n'])
                .unwrap_or(self.rest.len()),
        };
        // Never nothing, so that a walk comes to an end whatever it walks over.
        self.take(length.max(1))
    }

    /// The text of an object or list, to its closing bracket.
    pub(super) fn nested(&mut self) -> &'a str {
        let (mut depth, mut length) = (0_usize, 0);
        while let Some(byte) = self.rest.as_bytes().get(length) {
            match byte {
                b'"' => length += string_length(self.rest.get(length..).unwrap_or_default()) - 1,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            length += 1;
            if depth == 0 {
                break;
            }
        }
        self.take(length)
    }

    /// Passes the next value over.
    pub(super) fn skip(&mut self) {
        if self.is_nested() {
            self.nested();
        } else {
            self.scalar();
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}

/// The bytes of the string at the start of a text, its quotes included.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
