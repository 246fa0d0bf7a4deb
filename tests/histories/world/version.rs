//! States of records, and what their events are named by.

use std::fmt;

use super::instant;

/// One state of one record, as a listing shows it, or that it is gone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) record: u32,
    /// Its updated date, in milliseconds, cut to the field's unit; when it was deleted.
    pub(crate) date: i64,
    /// Counted from 1; 0 is the deletion.
    pub(crate) number: u32,
}

/// What an event id stands for: a version; where contents count no more, all that a record shows
/// under one date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Named {
    record: u32,
    date: i64,
    number: Option<u32>,
}

impl Version {
    pub(crate) const fn deletion(record: u32, date: i64) -> Self {
        Self {
            record,
            date,
            number: 0,
        }
    }

    pub(crate) const fn is_deletion(self) -> bool {
        self.number == 0
    }

    pub(crate) fn named(self, content_ignored: bool) -> Named {
        Named {
            record: self.record,
            date: self.date,
            number: (self.is_deletion() || !content_ignored).then_some(self.number),
        }
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (record, date) = (self.record, instant(self.date).format("%F %T%.3f"));
        match self.number {
            0 => write!(out, "(deletion of {record}, {date})"),
            number => write!(out, "({record} v{number}, {date})"),
        }
    }
}
