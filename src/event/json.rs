//! JSON written straight into a body, so that a record's bytes can stand in it untouched.

use std::io::Write as _;

/// An object being written, a field at a time, in the order of the calls.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Object<'a> {
    /// Writes an object whose fields `fields` writes.
    pub(super) fn write(out: &'a mut Vec<u8>, fields: impl FnOnce(&mut Object<'_>)) {
        out.push(b'{');
        let mut object = Object {
            out,
            is_empty: true,
        };
        fields(&mut object);
        object.out.push(b'}');
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        write_text(self.field(name), value);
    }

    pub(super) fn number(&mut self, name: &str, value: i64) {
        let out = self.field(name);
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{value}");
    }

    /// A field whose value is JSON already.
    pub(super) fn json(&mut self, name: &str, value: &[u8]) {
        self.field(name).extend_from_slice(value);
    }

    pub(super) fn object(&mut self, name: &str, fields: impl FnOnce(&mut Object<'_>)) {
        Object::write(self.field(name), fields);
    }

    /// A field with an array of `items`, each written by `item`.
    pub(super) fn array<T>(&mut self, name: &str, items: &[T], item: impl Fn(&mut Vec<u8>, &T)) {
        let out = self.field(name);
        out.push(b'[');
        for (index, value) in items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            item(out, value);
        }
        out.push(b']');
    }

    fn field(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        write_text(self.out, name);
        self.out.push(b':');
        self.out
    }
}

/// Writes a string, escaping what RFC 8259 §7 demands and nothing more.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    // What needs no escape goes in one piece.
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| needs_escape(*byte)) {
        let (plain, escaped) = rest.split_at(at);
        out.extend_from_slice(plain);
        if let Some((byte, behind)) = escaped.split_first() {
            write_escaped(out, *byte);
            rest = behind;
        }
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

const fn needs_escape(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..=0x1f)
}

fn write_escaped(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            let _ = write!(out, "\\u{byte:04X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_stand_in_the_order_they_were_written() {
        let mut out = Vec::new();
        Object::write(&mut out, |object| {
            object.text("b", "x");
            object.object("a", |inner| inner.number("n", -7));
            object.array("empty", &[], |out, text: &&str| write_text(out, text));
            object.array("c", &["y", "z"], |out, text| write_text(out, text));
        });
        let expected = r#"{"b":"x","a":{"n":-7},"empty":[],"c":["y","z"]}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn every_text_is_read_back_as_it_was(value in "(.|[\\x00-\\x1f\"\\\\])*") {
            let mut out = Vec::new();
            write_text(&mut out, &value);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), value);
        }
    }
}
