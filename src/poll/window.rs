//! The window: fingerprints of the versions settled inside the reach.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasherDefault, Hasher},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};

/// Settled versions by fingerprint, each with its updated date.
///
/// In a checkpoint the entries stand grouped by date, as base64 of: per date, ascending, the
/// difference to the date before it in microseconds (varint; the first is zigzag-encoded), the
/// number of fingerprints (varint), and the fingerprints, ascending, eight bytes each,
/// little-endian.
#[derive(Clone, Default)]
pub(super) struct Window {
    dates: HashMap<u64, i64, BuildHasherDefault<Already>>,
}

/// A fingerprint is already a hash.
#[derive(Default)]
struct Already(u64);

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}

/// Entries of a checkpoint that are no window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the window's entries are damaged: {0}")]
pub(super) struct DamagedWindow(&'static str);

impl Window {
    pub(super) fn len(&self) -> usize {
        self.dates.len()
    }

    pub(super) fn contains(&self, fingerprint: u64) -> bool {
        self.dates.contains_key(&fingerprint)
    }

    /// The date under which `fingerprint` was entered.
    pub(super) fn date(&self, fingerprint: u64) -> Option<DateTime<Utc>> {
        let micros = self.dates.get(&fingerprint)?;
        DateTime::from_timestamp_micros(*micros)
    }

    pub(super) fn insert(&mut self, fingerprint: u64, date: DateTime<Utc>) {
        self.dates.insert(fingerprint, date.timestamp_micros());
    }

    /// Drops every entry dated before `since` that `keep` doesn't hold on to.
    pub(super) fn prune(&mut self, since: DateTime<Utc>, keep: impl Fn(u64) -> bool) {
        let since = since.timestamp_micros();
        self.dates
            .retain(|fingerprint, date| *date >= since || keep(*fingerprint));
    }

    /// The earliest date from which on at most `capacity` entries remain, but not before `since`;
    /// `None` where even the entries dated `latest` or later are more.
    pub(super) fn fitting_since(
        &self,
        since: DateTime<Utc>,
        latest: DateTime<Utc>,
        capacity: usize,
    ) -> Option<DateTime<Utc>> {
        if self.dates.len() <= capacity {
            return Some(since);
        }
        let groups = self.groups(since.timestamp_micros());
        let mut kept = 0;
        let mut fitting = None;
        for (date, fingerprints) in groups.iter().rev() {
            kept += fingerprints.len();
            if kept > capacity {
                let fitting = fitting?;
                return (fitting <= latest.timestamp_micros())
                    .then(|| DateTime::from_timestamp_micros(fitting))
                    .flatten();
            }
            fitting = Some(*date);
        }
        Some(since)
    }

    /// The entries dated `since` or later, as a checkpoint holds them, and their number.
    pub(super) fn encode(&self, since: DateTime<Utc>) -> (String, usize) {
        let groups = self.groups(since.timestamp_micros());
        let mut bytes = Vec::new();
        let mut count = 0;
        let mut before = None;
        for (date, mut fingerprints) in groups {
            fingerprints.sort_unstable();
            count += fingerprints.len();
            let delta = match before {
                None => zigzag(date),
                Some(before) => date.abs_diff(before),
            };
            before = Some(date);
            put_varint(&mut bytes, delta);
            put_varint(&mut bytes, fingerprints.len() as u64);
            for fingerprint in fingerprints {
                bytes.extend_from_slice(&fingerprint.to_le_bytes());
            }
        }
        (STANDARD.encode(bytes), count)
    }

    /// Reads entries back; `count` is what the checkpoint says that they are.
    pub(super) fn decode(entries: &str, count: i64) -> Result<Self, DamagedWindow> {
        let bytes = STANDARD
            .decode(entries)
            .map_err(|_| DamagedWindow("no base64"))?;
        let mut rest = bytes.as_slice();
        let mut window = Self::default();
        window.dates.reserve(rest.len() / size_of::<u64>());
        let mut before: Option<i64> = None;
        while !rest.is_empty() {
            let delta = take_varint(&mut rest)?;
            let date = match before {
                None => unzigzag(delta),
                Some(before) => before
                    .checked_add_unsigned(delta)
                    .ok_or(DamagedWindow("a date overflows"))?,
            };
            before = Some(date);
            let size = take_varint(&mut rest)?;
            for _ in 0..size {
                let (fingerprint, after) = rest
                    .split_first_chunk::<8>()
                    .ok_or(DamagedWindow("it is cut short"))?;
                rest = after;
                window.dates.insert(u64::from_le_bytes(*fingerprint), date);
            }
        }
        if i64::try_from(window.len()) == Ok(count) {
            Ok(window)
        } else {
            Err(DamagedWindow("its count is another"))
        }
    }

    fn groups(&self, since: i64) -> BTreeMap<i64, Vec<u64>> {
        let mut groups: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
        for (fingerprint, date) in &self.dates {
            if *date >= since {
                groups.entry(*date).or_default().push(*fingerprint);
            }
        }
        groups
    }
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take_varint(rest: &mut &[u8]) -> Result<u64, DamagedWindow> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first().ok_or(DamagedWindow("it is cut short"))?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(DamagedWindow("a number is too long"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(micros).unwrap()
    }

    fn window(entries: &[(u64, i64)]) -> Window {
        let mut window = Window::default();
        for (fingerprint, date) in entries {
            window.insert(*fingerprint, at(*date));
        }
        window
    }

    #[test]
    fn entries_before_the_cut_are_not_encoded() {
        let (entries, count) = window(&[(1, 10), (2, 20), (3, 20)]).encode(at(20));
        let read = Window::decode(&entries, 2).unwrap();
        assert_eq!(count, 2);
        assert!(!read.contains(1) && read.contains(2) && read.contains(3));
    }

    #[test]
    fn pruning_keeps_what_it_is_told_to_keep() {
        let mut window = window(&[(1, 10), (2, 10), (3, 20)]);
        window.prune(at(20), |fingerprint| fingerprint == 2);
        assert!(!window.contains(1) && window.contains(2) && window.contains(3));
    }

    #[test]
    fn a_full_window_gives_up_whole_dates_oldest_first() {
        let window = window(&[(1, 10), (2, 20), (3, 20), (4, 30)]);
        assert_eq!(window.fitting_since(at(0), at(30), 4), Some(at(0)));
        assert_eq!(window.fitting_since(at(0), at(30), 3), Some(at(20)));
        assert_eq!(window.fitting_since(at(0), at(30), 2), Some(at(30)));
        assert_eq!(
            window.fitting_since(at(0), at(20), 2),
            None,
            "the current unit is never cut"
        );
        assert_eq!(window.fitting_since(at(0), at(30), 0), None);
    }

    #[test]
    fn a_window_that_was_cut_short_is_refused() {
        let (entries, _) = window(&[(1, 10), (2, 20)]).encode(at(0));
        let bytes = STANDARD.decode(entries).unwrap();
        for end in 1..bytes.len() {
            assert!(
                Window::decode(&STANDARD.encode(&bytes[..end]), 2).is_err(),
                "cut at {end}"
            );
        }
        assert!(Window::decode("", 2).is_err());
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(entries in proptest::collection::btree_map(any::<u64>(), -4_000_000_000_000_000_i64..4_000_000_000_000_000, 0..60)) {
            let list: Vec<_> = entries.iter().map(|(fingerprint, date)| (*fingerprint, *date)).collect();
            let (encoded, count) = window(&list).encode(at(-4_000_000_000_000_000));
            let read = Window::decode(&encoded, i64::try_from(count).unwrap()).unwrap();
            prop_assert_eq!(read.dates.len(), entries.len());
            for (fingerprint, date) in entries {
                prop_assert_eq!(read.dates.get(&fingerprint), Some(&date));
            }
        }

        #[test]
        fn arbitrary_text_is_read_or_refused(text in ".{0,80}", count in any::<i64>()) {
            let _ = Window::decode(&text, count);
        }
    }
}
