//! What each process was told, so that the invariants can be checked exactly.

use std::collections::{HashMap, HashSet};

use pollen::api::Checkpoint;

use super::{
    replays::Replaying,
    settled::Settled,
    store::Stored,
    version::{Named, Version},
};

/// Why a process may send nothing more in a poll.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Silence {
    pub(crate) reason: &'static str,
    /// The turn of the engine in which it hears so.
    pub(crate) since: u64,
    /// What was not in flight then, and may have been on its way out: it departs in the same turn.
    pub(crate) on_the_way: usize,
}

/// One process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) settled: Settled,
    /// The checkpoint that its poll began from.
    pub(crate) before: Option<Checkpoint>,
    /// Versions that this poll was shown and that need an event.
    pub(crate) shown: HashSet<Version>,
    /// How often each record had been deleted when this process was shown a version of it.
    pub(crate) times_deleted: HashMap<Version, u32>,
    /// Records that the last answer about them showed to be gone: in this poll, or where ids are
    /// compared, which takes more than one, since anything was acknowledged of them.
    pub(crate) seen_gone: HashSet<u32>,
    /// Records in the notifications in flight.
    pub(crate) flying: Vec<Vec<u32>>,
    /// The provider's clock at this poll's first answer; where answers tell no time, ours at the
    /// question.
    pub(crate) sweep_clock: Option<i64>,
    /// The same of its list of deletions.
    pub(crate) list_clock: Option<i64>,
    /// That list is read anew since the clock was set back.
    pub(crate) reads_anew: bool,
    /// Our clock when this poll began.
    pub(crate) began: i64,
    pub(crate) requests: u32,
    /// Events acknowledged in this poll.
    pub(crate) answered: u64,
    /// Why nothing more may be sent in this poll.
    pub(crate) silenced: Option<Silence>,
    /// It knows that contents are no part of versions, and so does whoever goes on from what it
    /// stored.
    pub(crate) content_ignored: bool,
    /// The replay of which this reads a stretch.
    pub(crate) replaying: Option<Replaying>,
    /// What was stored last when this process read or wrote it.
    pub(crate) revision: u64,
    /// It reads again what a child took that is gone.
    pub(crate) takes_back: bool,
    /// It asks another question than the one before.
    pub(crate) edited: bool,
    /// The provider's clock was set back, and this poll's watermark with it.
    pub(crate) followed_back_to: Option<i64>,
}

/// All processes, and what the receiver knows.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) memories: Vec<Memory>,
    /// Every version has one event id, and another when it is back from a deletion; every id has one
    /// version.
    pub(crate) ids: HashMap<(Named, u32), String>,
    pub(crate) versions: HashMap<String, Named>,
    /// Records whose events the callback refuses.
    pub(crate) refused: HashSet<u32>,
    /// When each replay began, by our clock.
    pub(crate) replays: HashMap<String, i64>,
    /// Versions that only a list of ids showed: their ids name the comparison too, and no poll that
    /// a clock leads back to them knows it.
    pub(crate) listed: HashSet<Version>,
    /// Records whose deletions were found by comparing ids, by the date of their comparison.
    pub(crate) found: HashMap<i64, HashSet<u32>>,
    /// The comparisons whose deletions a person confirmed.
    pub(crate) confirmed: HashSet<i64>,
    /// Versions that the callback has taken at least once.
    pub(crate) taken: Settled,
    /// Notifications taken.
    pub(crate) notifications: u64,
}

impl Ledger {
    /// A process that goes on from what is stored.
    pub(crate) fn begin_process(&mut self, stored: &Stored) -> usize {
        self.memories.push(Memory {
            settled: stored.settled.clone(),
            content_ignored: stored.content_ignored,
            revision: stored.revision,
            ..Memory::default()
        });
        self.memories.len() - 1
    }

    pub(crate) fn memory(&mut self, process: usize) -> &mut Memory {
        &mut self.memories[process]
    }
}

impl Memory {
    /// A poll begins from `before`.
    pub(crate) fn begin_poll(&mut self, before: Option<Checkpoint>, now: i64, compares: bool) {
        let seen_gone = std::mem::take(&mut self.seen_gone);
        *self = Self {
            seen_gone: if compares { seen_gone } else { HashSet::new() },
            settled: std::mem::take(&mut self.settled),
            times_deleted: std::mem::take(&mut self.times_deleted),
            content_ignored: self.content_ignored,
            revision: self.revision,
            before,
            began: now,
            ..Self::default()
        };
    }

    /// Whether this poll was shown a version, or it is settled.
    pub(super) fn knows(&self, version: Version) -> bool {
        self.shown.contains(&version) || self.settled.covers(version, self.content_ignored)
    }

    /// Whether a version must not come now: a replay brings each once more.
    pub(crate) fn forbids(&self, version: Version) -> bool {
        let (settled, ignored) = (&self.settled, self.content_ignored);
        match &self.replaying {
            Some(replay) => {
                !replay.reaches(version.date) || settled.is_replayed(&replay.id, version, ignored)
            }
            None => settled.forbids(version, ignored),
        }
    }

    /// Why nothing may depart in this turn, where that is so.
    pub(crate) fn silence_broken(&mut self, turn: u64) -> Option<&'static str> {
        let silence = self.silenced.as_mut()?;
        if silence.since == turn && silence.on_the_way > 0 {
            silence.on_the_way -= 1;
            return None;
        }
        Some(silence.reason)
    }
}
