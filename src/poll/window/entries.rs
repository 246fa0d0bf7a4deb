//! Settled versions as bytes: grouped by date, so that a date is written once.
//!
//! Per date, ascending: the difference to the date before it in microseconds (a varint; the first
//! date is zigzag-encoded), the number of fingerprints (a varint), and the fingerprints, ascending,
//! eight bytes each, little-endian.

use crate::poll::varint::{put_varint, take_varint};

/// A settled version: its updated date in microseconds since 1970, and its fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) date: i64,
    pub(super) fingerprint: u64,
}

/// Entries that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the window's entries are damaged: {0}")]
pub(in crate::poll) struct DamagedWindow(pub(super) &'static str);

const FINGERPRINT: usize = size_of::<u64>();

/// Encodes entries that are in order.
pub(super) fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * FINGERPRINT * 3 / 2);
    let mut before = None;
    for group in entries.chunk_by(same_date) {
        let Some(date) = group.first().map(|entry| entry.date) else {
            continue;
        };
        put_varint(&mut bytes, delta(before, date));
        put_varint(&mut bytes, group.len() as u64);
        for entry in group {
            bytes.extend_from_slice(&entry.fingerprint.to_le_bytes());
        }
        before = Some(date);
    }
    bytes
}

/// How many of the first of these entries, which are in order, fit into `limit` bytes.
pub(super) fn fitting(entries: &[Entry], limit: usize) -> usize {
    let mut size = 0;
    let mut before = None;
    let fits = entries.iter().take_while(|entry| {
        if before != Some(entry.date) {
            size += varint_len(delta(before, entry.date)) + varint_len(limit as u64);
            before = Some(entry.date);
        }
        size += FINGERPRINT;
        size <= limit
    });
    fits.count()
}

/// Reads entries; after an error nothing follows.
pub(super) const fn decode(bytes: &[u8]) -> Entries<'_> {
    Entries {
        rest: bytes,
        date: None,
        left: 0,
    }
}

/// Entries as they are read.
pub(super) struct Entries<'a> {
    rest: &'a [u8],
    date: Option<i64>,
    /// Fingerprints of this date that are still to come.
    left: u64,
}

impl Entries<'_> {
    fn read(&mut self) -> Result<Entry, DamagedWindow> {
        while self.left == 0 {
            let delta = take_varint(&mut self.rest).ok_or(NO_NUMBER)?;
            self.date = Some(match self.date {
                None => unzigzag(delta),
                Some(before) => before
                    .checked_add_unsigned(delta)
                    .ok_or(DamagedWindow("a date overflows"))?,
            });
            self.left = take_varint(&mut self.rest).ok_or(NO_NUMBER)?;
        }
        let (fingerprint, rest) = self.rest.split_first_chunk::<FINGERPRINT>().ok_or(CUT)?;
        self.rest = rest;
        self.left -= 1;
        Ok(Entry {
            date: self.date.unwrap_or_default(),
            fingerprint: u64::from_le_bytes(*fingerprint),
        })
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, DamagedWindow>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() && self.left == 0 {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            (self.rest, self.left) = (&[], 0);
        }
        Some(read)
    }
}

const CUT: DamagedWindow = DamagedWindow("it is cut short");
const NO_NUMBER: DamagedWindow = DamagedWindow("a number is cut short or too long");

const fn same_date(one: &Entry, other: &Entry) -> bool {
    one.date == other.date
}

const fn delta(before: Option<i64>, date: i64) -> u64 {
    match before {
        None => zigzag(date),
        Some(before) => date.abs_diff(before),
    }
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

const fn varint_len(value: u64) -> usize {
    (u64::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        // Few dates, so that groups form, and far apart, so that every length of a delta occurs.
        let date = prop_oneof![-9_i64..9, any::<i64>()];
        let entry =
            (date, any::<u64>()).prop_map(|(date, fingerprint)| Entry { date, fingerprint });
        proptest::collection::btree_set(entry, 0..60)
            .prop_map(|entries| entries.into_iter().collect())
    }

    fn read(bytes: &[u8]) -> Result<Vec<Entry>, DamagedWindow> {
        decode(bytes).collect()
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(entries in entries()) {
            prop_assert_eq!(read(&encode(&entries)), Ok(entries));
        }

        #[test]
        fn what_is_said_to_fit_fits(entries in entries(), limit in 0..600_usize) {
            let fits = fitting(&entries, limit);
            prop_assert!(encode(&entries[..fits]).len() <= limit);
            // Room for a longer count of each group is left, no more.
            prop_assert!(fits == entries.len() || encode(&entries[..=fits]).len() + 120 > limit);
        }

        #[test]
        fn arbitrary_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = read(&bytes);
        }
    }

    #[test]
    fn entries_that_were_cut_short_are_refused() {
        let entries = [(10, 1), (20, 2), (20, 3)];
        let entries = entries.map(|(date, fingerprint)| Entry { date, fingerprint });
        let bytes = encode(&entries);
        for end in 1..bytes.len() {
            let whole = read(&bytes[..end]).is_ok_and(|read| read.len() == entries.len());
            assert!(!whole, "cut at {end}");
        }
    }
}
