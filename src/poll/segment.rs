//! Immutable parts of a checkpoint that stand beside it, each named by the digest of its content.

use std::fmt;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{CheckpointStore, StoreError};

/// Most bytes of one segment: in base64, and with what an object has around it, it stays below the
/// mebibyte that an API server takes.
pub const SEGMENT_SIZE: usize = 512 * 1024;

/// The format of the segments that this build writes.
const FORMAT: u8 = 1;

/// Bytes before the body: the format, and what the body is.
const HEADER: usize = 2;

/// What a segment holds, so that one kind is never read as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Versions settled, as the window encodes them.
    Window = 1,
    /// Ids, front-coded.
    Ids = 2,
}

/// The name of a segment: the SHA-256 of its content, as 64 lower-case hexadecimal digits, so that
/// it may stand in a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName(String);

/// A sealed segment: a header, the body, and the name that both have.
#[derive(Clone, PartialEq, Eq)]
pub struct Segment {
    name: SegmentName,
    content: Bytes,
}

/// Why a segment is not what the checkpoint names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DamagedSegment {
    #[error("{0:?} is no digest")]
    Misnamed(String),
    #[error("segment {0} is missing")]
    Missing(SegmentName),
    #[error("segment {0} holds something else than was stored")]
    Changed(SegmentName),
    #[error("segment {name} has format {format} and this build of Pollen reads {FORMAT}")]
    Format { name: SegmentName, format: u8 },
    #[error("segment {0} holds another part of a checkpoint")]
    Misplaced(SegmentName),
}

/// A segment that was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LoadError {
    #[error(transparent)]
    Damaged(#[from] DamagedSegment),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SegmentName {
    /// Reads a name out of a checkpoint; `None` where it is no digest.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 64 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    fn of(content: &[u8]) -> Self {
        let mut name = String::with_capacity(64);
        for byte in Sha256::digest(content) {
            for digit in [byte >> 4, byte & 15] {
                name.extend(char::from_digit(u32::from(digit), 16));
            }
        }
        Self(name)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("name", &self.name)
            .field("size", &self.content.len())
            .finish()
    }
}

impl Segment {
    /// Most bytes of a body.
    pub(super) const BODY: usize = SEGMENT_SIZE - HEADER;

    /// Seals a body of at most [`BODY`](Self::BODY) bytes.
    pub(super) fn seal(holds: Holds, body: &[u8]) -> Self {
        let mut content = Vec::with_capacity(HEADER + body.len());
        content.extend([FORMAT, holds as u8]);
        content.extend_from_slice(body);
        Self {
            name: SegmentName::of(&content),
            content: content.into(),
        }
    }

    /// Takes what a store has under `name`, if it is what was stored there.
    pub(super) fn open(
        name: SegmentName,
        content: Bytes,
        holds: Holds,
    ) -> Result<Self, DamagedSegment> {
        if SegmentName::of(&content) != name {
            return Err(DamagedSegment::Changed(name));
        }
        match content.first_chunk::<HEADER>() {
            Some([FORMAT, kind]) if *kind == holds as u8 => Ok(Self { name, content }),
            Some([FORMAT, _]) | None => Err(DamagedSegment::Misplaced(name)),
            Some([format, _]) => Err(DamagedSegment::Format {
                name,
                format: *format,
            }),
        }
    }

    /// A segment for the tests of stores, which take any.
    #[cfg(test)]
    pub(crate) fn of(body: &str) -> Self {
        Self::seal(Holds::Window, body.as_bytes())
    }

    #[must_use]
    pub const fn name(&self) -> &SegmentName {
        &self.name
    }

    /// What a store keeps: header and body.
    #[must_use]
    pub const fn content(&self) -> &Bytes {
        &self.content
    }

    /// Reads the segment that a checkpoint calls `name`; a missing one is never taken for an empty
    /// one.
    pub(super) async fn load<K: CheckpointStore>(
        store: &mut K,
        name: &str,
        holds: Holds,
    ) -> Result<Self, LoadError> {
        let name =
            SegmentName::parse(name).ok_or_else(|| DamagedSegment::Misnamed(name.to_owned()))?;
        let stored = store.load_segment(&name).await?;
        let content = stored.ok_or_else(|| DamagedSegment::Missing(name.clone()))?;
        Ok(Self::open(name, content, holds)?)
    }

    pub(super) fn body(&self) -> &[u8] {
        self.content.get(HEADER..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reopened(content: &[u8]) -> Result<Segment, DamagedSegment> {
        let sealed = Segment::seal(Holds::Window, b"body");
        Segment::open(sealed.name, Bytes::copy_from_slice(content), Holds::Window)
    }

    #[test]
    fn a_segment_is_opened_as_it_was_sealed() {
        let sealed = Segment::seal(Holds::Window, b"body");
        assert_eq!(sealed.body(), b"body");
        assert_eq!(reopened(sealed.content()), Ok(sealed));
    }

    #[test]
    fn equal_bodies_have_one_name_and_others_another() {
        let name = |body| Segment::seal(Holds::Window, body).name;
        assert_eq!(name(b"body"), name(b"body"));
        assert_ne!(name(b"body"), name(b"bodz"));
    }

    #[test]
    fn content_that_was_cut_or_changed_is_refused() {
        let sealed = Segment::seal(Holds::Window, b"body");
        let content = sealed.content();
        for end in 0..content.len() {
            let cut = reopened(&content[..end]);
            assert!(matches!(cut, Err(DamagedSegment::Changed(_))), "{end}");
        }
        let mut changed = content.to_vec();
        changed[3] ^= 1;
        assert!(reopened(&changed).is_err());
    }

    #[test]
    fn another_format_and_another_kind_are_refused_under_their_true_names() {
        for (content, told) in [
            (&[2_u8, 1][..], "has format 2"),
            (&[1, 9], "another part"),
            (&[], "another part"),
        ] {
            let name = SegmentName::of(content);
            let opened = Segment::open(name, Bytes::copy_from_slice(content), Holds::Window);
            let error = opened.unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_name_that_is_no_digest_never_becomes_a_path() {
        let digest = Segment::seal(Holds::Window, b"").name;
        assert_eq!(SegmentName::parse(digest.as_str()), Some(digest));
        for text in ["", "../../etc/passwd", &"A".repeat(64), &"a".repeat(63)] {
            assert_eq!(SegmentName::parse(text), None);
        }
    }
}
