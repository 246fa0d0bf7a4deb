//! The window as it is stored: up to 4 KiB in the checkpoint, the rest in segments.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};

use super::{
    DamagedWindow, Window,
    entries::{Entry, decode, encode},
    sealed::Sealed,
};
use crate::{
    api,
    poll::{
        CheckpointStore,
        segment::{Holds, LoadError, Segment},
    },
};

/// Most bytes of entries in a checkpoint: 4 KiB in base64.
const INLINE: usize = 3 * 1024;

/// A stored window that was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::poll) enum Unread {
    #[error(transparent)]
    Damaged(#[from] DamagedWindow),
    #[error(transparent)]
    Segment(#[from] LoadError),
}

impl Window {
    /// Reads a window back, with its segments.
    pub(in crate::poll) async fn load<K: CheckpointStore>(
        stored: &api::Window,
        store: &mut K,
    ) -> Result<Self, Unread> {
        let mut window = Self::default();
        let bytes = STANDARD
            .decode(&stored.entries)
            .map_err(|_| DamagedWindow("no base64"))?;
        let fresh = decode(&bytes).collect::<Result<Vec<_>, _>>()?;
        window.extend(fresh);
        for told in &stored.segments {
            let segment = Segment::load(store, &told.name, Holds::Window).await?;
            window.sealed.push(Sealed::open(segment, told)?);
        }
        window.is_index_stale = window.is_large();
        window.refresh_index();
        if i64::try_from(window.len()) == Ok(stored.count) {
            Ok(window)
        } else {
            Err(DamagedWindow("its count is another").into())
        }
    }

    /// What a checkpoint holds of the entries dated `since` or later, which are `capacity` at most;
    /// `None` where there are none. What is too much for a checkpoint is sealed first.
    pub(in crate::poll) fn store(
        &mut self,
        key: String,
        since: DateTime<Utc>,
        capacity: usize,
    ) -> Option<api::Window> {
        let since = since.timestamp_micros();
        let mut fresh = self.seal(since, capacity);
        fresh.sort_unstable();
        let segments: Vec<_> = self.named(since).map(Sealed::told).collect();
        let sealed: i64 = segments.iter().map(|segment| segment.count).sum();
        let count = sealed.saturating_add(i64::try_from(fresh.len()).unwrap_or(i64::MAX));
        (count > 0).then(|| api::Window {
            key,
            count,
            entries: STANDARD.encode(encode(&fresh)),
            segments,
        })
    }

    /// The segments that `stored` names and the store has not.
    pub(in crate::poll) fn unstored(&self, stored: &api::Window) -> Vec<Segment> {
        let named = |sealed: &&Sealed| !sealed.is_stored && names(stored, sealed);
        let unstored = self.sealed.iter().filter(named);
        unstored.map(|sealed| sealed.segment.clone()).collect()
    }

    /// `stored` is stored now: the store has the segments that it names, and no others for long.
    pub(in crate::poll) fn note_stored(&mut self, stored: Option<&api::Window>) {
        for sealed in &mut self.sealed {
            sealed.is_stored = stored.is_some_and(|stored| names(stored, sealed));
        }
    }

    fn named(&self, since: i64) -> impl Iterator<Item = &Sealed> {
        self.sealed
            .iter()
            .filter(move |sealed| sealed.until >= since)
    }

    /// Seals what is too much for a checkpoint; answers with what is left for it.
    fn seal(&mut self, since: i64, capacity: usize) -> Vec<Entry> {
        let fresh: Vec<_> = self
            .fresh_entries()
            .filter(|entry| entry.date >= since)
            .collect();
        let sealed = self.named(since).map(|sealed| sealed.count);
        let is_over = fresh.len() + sealed.sum::<usize>() > capacity;
        if !is_over && fits_inline(&fresh) {
            return fresh;
        }
        self.fresh.retain(|_, date| *date < since);
        self.fresh.shrink_to_fit();
        let fingerprints = fresh.iter().map(|entry| entry.fingerprint).collect();
        self.index = std::mem::take(&mut self.index).with(fingerprints);
        let entries = self.merge(fresh, since, is_over);
        self.sealed.extend(Sealed::seal_all(&entries));
        self.sealed
            .sort_by_key(|sealed| (sealed.since, sealed.until));
        Vec::new()
    }

    /// The entries to be sealed, with those of segments that are better written anew: in order.
    ///
    /// A segment is, when it is at most twice as large as what is sealed. So each entry is written
    /// a few times at most, and the segments that are not full are few.
    fn merge(&mut self, mut entries: Vec<Entry>, since: i64, is_over: bool) -> Vec<Entry> {
        let is_cut = |sealed: &Sealed| sealed.since < since && sealed.until >= since;
        let is_small = |sealed: &Sealed, beside: usize| {
            sealed.count <= 2 * beside && sealed.until >= since && !sealed.is_full()
        };
        while let Some(position) = self
            .sealed
            .iter()
            .rposition(|sealed| is_small(sealed, entries.len()) || (is_over && is_cut(sealed)))
        {
            let sealed = self.sealed.remove(position);
            let (stored, passed): (Vec<_>, Vec<_>) =
                sealed.entries().partition(|entry| entry.date >= since);
            entries.extend(stored);
            // The sweep still needs them, and the watermark may go back.
            self.is_index_stale |= !passed.is_empty();
            self.extend(passed);
        }
        entries.sort_unstable();
        entries.dedup();
        entries
    }
}

fn fits_inline(fresh: &[Entry]) -> bool {
    if fresh.len() * size_of::<u64>() > INLINE {
        return false;
    }
    let mut fresh = fresh.to_vec();
    fresh.sort_unstable();
    encode(&fresh).len() <= INLINE
}

fn names(stored: &api::Window, sealed: &Sealed) -> bool {
    let name = sealed.segment.name().as_str();
    stored.segments.iter().any(|told| told.name == name)
}
