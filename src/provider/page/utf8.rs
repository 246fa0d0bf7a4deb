//! A body that is UTF-8, and what of it was so when it came.

use bytes::Bytes;

/// Stands where a byte was that is no UTF-8, so that every other byte keeps its place.
const REPLACEMENT: u8 = b'?';

/// A body as UTF-8.
///
/// JSON is UTF-8 (RFC 8259 §8.1), but providers hand through what was imported into them in another
/// encoding. Such a body is mended as a whole, or its first wrong byte would make it no JSON.
#[derive(Clone, Debug)]
pub(super) struct Utf8Body {
    body: Bytes,
    /// The bytes as they came, where they are not the body's.
    sent: Option<Bytes>,
}

impl Utf8Body {
    /// Looks at `sent` once, and copies it only where it must be mended.
    pub(super) fn new(sent: Bytes) -> Self {
        match std::str::from_utf8(&sent) {
            Ok(_) => Self {
                body: sent,
                sent: None,
            },
            Err(_) => Self {
                body: mended(&sent).into(),
                sent: Some(sent),
            },
        }
    }

    pub(super) const fn bytes(&self) -> &Bytes {
        &self.body
    }

    pub(super) const fn is_as_sent(&self) -> bool {
        self.sent.is_none()
    }

    /// Whether a part of the body was UTF-8 when it came.
    pub(super) fn was_utf8(&self, part: &str) -> bool {
        let Some(sent) = &self.sent else { return true };
        let start = (part.as_ptr() as usize).checked_sub(self.body.as_ptr() as usize);
        let as_sent = start.and_then(|start| sent.get(start..start.checked_add(part.len())?));
        as_sent.is_some_and(|part| std::str::from_utf8(part).is_ok())
    }
}

fn mended(sent: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(sent.len());
    for chunk in sent.utf8_chunks() {
        body.extend_from_slice(chunk.valid().as_bytes());
        body.extend(chunk.invalid().iter().map(|_| REPLACEMENT));
    }
    body
}
