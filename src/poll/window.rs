//! The window: fingerprints of the versions settled inside the reach.

mod entries;
#[cfg(test)]
mod figures;
mod index;
mod sealed;
mod stored;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
};

use chrono::{DateTime, Utc};

pub(super) use self::stored::Unread;
use self::{
    entries::{DamagedWindow, Entry},
    index::Index,
    sealed::Sealed,
};

/// Settled versions by fingerprint, each with its updated date.
///
/// A small window is a map and stands in the checkpoint. What is too much for that is sealed in
/// segments, which never change: of those the window keeps the bytes, and an index of their
/// fingerprints beside the map.
#[derive(Clone, Default)]
pub(super) struct Window {
    /// What no segment holds.
    fresh: HashMap<u64, i64, BuildHasherDefault<Already>>,
    sealed: Vec<Sealed>,
    /// The fingerprints in segments.
    index: Index,
    /// The index holds fingerprints that are in no segment any more.
    is_index_stale: bool,
}

/// A fingerprint is already a hash.
#[derive(Clone, Copy, Default)]
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

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("fresh", &self.fresh.len())
            .field("sealed", &self.sealed)
            .finish_non_exhaustive()
    }
}

impl Window {
    pub(super) fn len(&self) -> usize {
        let sealed = self.sealed.iter().map(|sealed| sealed.count);
        self.fresh.len() + sealed.sum::<usize>()
    }

    /// Whether it takes more than a checkpoint to store it: such a window is worth keeping from
    /// one poll to the next.
    pub(super) const fn is_large(&self) -> bool {
        !self.sealed.is_empty()
    }

    pub(super) fn contains(&self, fingerprint: u64) -> bool {
        self.index.contains(fingerprint) || self.fresh.contains_key(&fingerprint)
    }

    /// The latest date under which `fingerprint` was entered: a look through the segments where they
    /// have it, so for marks that are rare.
    pub(super) fn date(&self, fingerprint: u64) -> Option<DateTime<Utc>> {
        let fresh = self.fresh.get(&fingerprint).copied();
        let micros = fresh.max(self.sealed_date(fingerprint))?;
        DateTime::from_timestamp_micros(micros)
    }

    fn sealed_date(&self, fingerprint: u64) -> Option<i64> {
        if !self.index.contains(fingerprint) {
            return None;
        }
        let entries = self.sealed.iter().flat_map(Sealed::entries);
        let same = entries.filter(|entry| entry.fingerprint == fingerprint);
        same.map(|entry| entry.date).max()
    }

    pub(super) fn insert(&mut self, fingerprint: u64, date: DateTime<Utc>) {
        self.enter(Entry {
            date: date.timestamp_micros(),
            fingerprint,
        });
    }

    /// The later of two dates of one fingerprint stays.
    fn enter(&mut self, entry: Entry) {
        let date = self.fresh.entry(entry.fingerprint).or_insert(entry.date);
        *date = entry.date.max(*date);
    }

    /// Drops what is dated before `since` and `keep` doesn't hold on to: at once where it is in no
    /// segment, else with its whole segment.
    pub(super) fn prune(&mut self, since: DateTime<Utc>, keep: impl Fn(u64) -> bool) {
        let since = since.timestamp_micros();
        self.fresh
            .retain(|fingerprint, date| *date >= since || keep(*fingerprint));
        for sealed in std::mem::take(&mut self.sealed) {
            if sealed.until >= since {
                self.sealed.push(sealed);
                continue;
            }
            let kept: Vec<_> = sealed
                .entries()
                .filter(|entry| keep(entry.fingerprint))
                .collect();
            if is_worth_keeping(kept.len(), sealed.count) {
                self.sealed.push(sealed);
            } else {
                self.extend(kept);
                self.is_index_stale = true;
            }
        }
        self.refresh_index();
    }

    /// The earliest date from which on at most `capacity` entries remain, but not before `since`;
    /// `None` where even the entries dated `latest` or later are more.
    pub(super) fn fitting_since(
        &self,
        since: DateTime<Utc>,
        latest: DateTime<Utc>,
        capacity: usize,
    ) -> Option<DateTime<Utc>> {
        if self.len() <= capacity {
            return Some(since);
        }
        let mut dates: Vec<_> = self
            .entries_since(since.timestamp_micros())
            .map(|entry| entry.date)
            .collect();
        dates.sort_unstable_by(|one, other| other.cmp(one));
        let Some(first_too_many) = dates.get(capacity) else {
            return Some(since);
        };
        let kept = dates.partition_point(|date| date > first_too_many);
        let fitting = *dates.get(kept.checked_sub(1)?)?;
        (fitting <= latest.timestamp_micros())
            .then(|| DateTime::from_timestamp_micros(fitting))
            .flatten()
    }

    fn entries_since(&self, since: i64) -> impl Iterator<Item = Entry> {
        let sealed = self
            .sealed
            .iter()
            .filter(move |sealed| sealed.until >= since);
        sealed
            .flat_map(Sealed::entries)
            .chain(self.fresh_entries())
            .filter(move |entry| entry.date >= since)
    }

    fn fresh_entries(&self) -> impl Iterator<Item = Entry> {
        self.fresh
            .iter()
            .map(|(&fingerprint, &date)| Entry { date, fingerprint })
    }

    fn extend(&mut self, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            self.enter(entry);
        }
    }

    fn refresh_index(&mut self) {
        if std::mem::take(&mut self.is_index_stale) {
            let entries = self.sealed.iter().flat_map(Sealed::entries);
            self.index = Index::of(entries.map(|entry| entry.fingerprint));
        }
    }
}

/// A segment is written anew when an eighth of it is of no use any more.
const fn is_worth_keeping(kept: usize, count: usize) -> bool {
    kept * 8 >= count * 7
}
