//! Entries in a segment.

use chrono::{DateTime, Utc};

use super::entries::{DamagedWindow, Entry, decode, encode, fitting};
use crate::{
    api::WindowSegment,
    poll::segment::{Holds, Segment},
};

/// A segment of the window, and what a look at it would tell.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    pub(super) segment: Segment,
    pub(super) since: i64,
    pub(super) until: i64,
    pub(super) count: usize,
    /// The stored checkpoint names it, so that the store has it.
    pub(super) is_stored: bool,
}

impl Sealed {
    /// Seals entries, which are in order, in as few segments as hold them.
    pub(super) fn seal_all(mut entries: &[Entry]) -> Vec<Self> {
        let mut all = Vec::new();
        while let Some((part, rest)) = entries.split_at_checked(fitting(entries, Segment::BODY))
            && let Some((first, last)) = part.first().zip(part.last())
        {
            all.push(Self {
                segment: Segment::seal(Holds::Window, &encode(part)),
                since: first.date,
                until: last.date,
                count: part.len(),
                is_stored: false,
            });
            entries = rest;
        }
        all
    }

    /// Takes a stored segment, if it holds what the checkpoint says of it.
    pub(super) fn open(segment: Segment, told: &WindowSegment) -> Result<Self, DamagedWindow> {
        let (mut since, mut until, mut count) = (None, None, 0);
        for entry in decode(segment.body()) {
            let date = entry?.date;
            since.get_or_insert(date);
            until = Some(date);
            count += 1;
        }
        let (Some(since), Some(until)) = (since, until) else {
            return Err(DamagedWindow("a segment is empty"));
        };
        let sealed = Self {
            segment,
            since,
            until,
            count,
            is_stored: true,
        };
        if sealed.told() == *told {
            Ok(sealed)
        } else {
            Err(DamagedWindow(
                "the checkpoint says something else of a segment than it holds",
            ))
        }
    }

    /// What a checkpoint says of it.
    pub(super) fn told(&self) -> WindowSegment {
        let date = |micros| DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
        WindowSegment {
            name: self.segment.name().to_string(),
            since: date(self.since),
            until: date(self.until),
            count: i64::try_from(self.count).unwrap_or(i64::MAX),
        }
    }

    /// Its entries, in order: they were read or written whole before.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        decode(self.segment.body()).map_while(Result::ok)
    }

    /// Whether there is room in it for little more.
    pub(super) fn is_full(&self) -> bool {
        self.segment.body().len() >= Segment::BODY / 8 * 7
    }
}
