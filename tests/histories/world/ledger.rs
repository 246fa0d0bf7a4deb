//! What each process was told, so that the invariants can be checked exactly.

use std::collections::{HashMap, HashSet};

use pollen::api::Checkpoint;

/// One state of one record, as a listing shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) record: u32,
    /// Its updated date, in milliseconds, cut to the field's unit.
    pub(crate) date: i64,
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
    pub(crate) fn named(self, content_ignored: bool) -> Named {
        Named {
            record: self.record,
            date: self.date,
            number: (!content_ignored).then_some(self.number),
        }
    }
}

/// What a process must remember: the versions whose acknowledgement it has seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settled {
    pub(crate) versions: HashSet<Version>,
    /// Versions of which a repeat is allowed.
    repeatable: HashSet<Version>,
    /// Versions that lay before the reach of a watermark, as it was then: the window may hold them no
    /// more, also where a clock or an edit leads back there under a longer reach.
    left_behind: HashSet<Version>,
    /// The latest date under which a record was delivered as created.
    pub(crate) created: HashMap<u32, i64>,
    /// What was dated before this may have left the window.
    pub(crate) sure_since: i64,
}

impl Settled {
    /// Whether a version is settled; where contents count no more, under its date.
    pub(crate) fn covers(&self, version: Version, content_ignored: bool) -> bool {
        is_among(&self.versions, version, content_ignored)
            || is_among(&self.repeatable, version, content_ignored)
    }

    /// Whether a version is settled and must not come again.
    pub(crate) fn forbids(&self, version: Version, content_ignored: bool) -> bool {
        is_among(&self.versions, version, content_ignored)
    }

    /// The watermark has come so far that nothing before `date` is read again.
    pub(crate) fn leave_behind(&mut self, date: i64) {
        let left = self.versions.iter().filter(|version| version.date < date);
        self.left_behind.extend(left);
        self.sure_since = self.sure_since.max(date);
    }

    /// Versions dated before `date` may be repeated, once, and so may those left behind.
    pub(crate) fn forget_before(&mut self, date: i64) {
        let left = std::mem::take(&mut self.left_behind);
        let forgotten = self
            .versions
            .extract_if(|version| version.date < date || left.contains(version));
        self.repeatable.extend(forgotten);
        self.sure_since = self.sure_since.max(date);
    }
}

fn is_among(versions: &HashSet<Version>, version: Version, content_ignored: bool) -> bool {
    let named = version.named(content_ignored);
    versions.contains(&version)
        || content_ignored && versions.iter().any(|other| other.named(true) == named)
}

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
    /// Records in the notifications in flight.
    pub(crate) flying: Vec<Vec<u32>>,
    /// The provider's clock at this poll's first answer; where answers tell no time, ours at the
    /// question.
    pub(crate) sweep_clock: Option<i64>,
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
    /// It asks another question than the one before.
    pub(crate) edited: bool,
    /// The provider's clock was set back, and this poll's watermark with it.
    pub(crate) followed_back_to: Option<i64>,
}

/// All processes, and what the receiver knows.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) memories: Vec<Memory>,
    /// Every version has one event id, and every id one version.
    pub(crate) ids: HashMap<Named, String>,
    pub(crate) versions: HashMap<String, Named>,
    /// Records whose events the callback refuses.
    pub(crate) refused: HashSet<u32>,
    /// Versions that the callback has taken at least once.
    pub(crate) taken: Settled,
    /// Notifications taken.
    pub(crate) notifications: u64,
}

impl Ledger {
    /// A process that goes on from what is stored.
    pub(crate) fn begin_process(&mut self, settled: Settled, content_ignored: bool) -> usize {
        self.memories.push(Memory {
            settled,
            content_ignored,
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
    pub(crate) fn begin_poll(&mut self, before: Option<Checkpoint>, now: i64) {
        *self = Self {
            settled: std::mem::take(&mut self.settled),
            content_ignored: self.content_ignored,
            before,
            began: now,
            ..Self::default()
        };
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
