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

/// What a process must remember: the versions whose acknowledgement it has seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settled {
    pub(crate) versions: HashSet<Version>,
    /// Versions of which a repeat is allowed.
    repeatable: HashSet<Version>,
    /// The latest date under which a record was delivered as created.
    pub(crate) created: HashMap<u32, i64>,
    /// What was dated before this may have left the window.
    pub(crate) sure_since: i64,
}

impl Settled {
    /// Whether a version is settled; where contents count no more, under its date.
    pub(crate) fn covers(&self, version: Version, content_ignored: bool) -> bool {
        let mut all = self.versions.union(&self.repeatable);
        self.versions.contains(&version)
            || self.repeatable.contains(&version)
            || content_ignored
                && all.any(|other| (other.record, other.date) == (version.record, version.date))
    }

    /// Versions dated before `date` may be repeated, once.
    pub(crate) fn forget_before(&mut self, date: i64) {
        let forgotten = self.versions.extract_if(|version| version.date < date);
        self.repeatable.extend(forgotten);
        self.sure_since = self.sure_since.max(date);
    }
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
    /// The provider's clock at this poll's first answer.
    pub(crate) sweep_clock: Option<i64>,
    /// Our clock when this poll began.
    pub(crate) began: i64,
    pub(crate) requests: u32,
    /// Events acknowledged in this poll.
    pub(crate) answered: u64,
    /// Why nothing more may be sent in this poll.
    pub(crate) silenced: Option<&'static str>,
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
    pub(crate) ids: HashMap<Version, String>,
    pub(crate) versions: HashMap<String, Version>,
    /// Records whose events the callback refuses.
    pub(crate) refused: HashSet<u32>,
    /// Versions that the callback has taken at least once.
    pub(crate) taken: Settled,
    /// Notifications taken.
    pub(crate) notifications: u64,
}

impl Ledger {
    /// A process that goes on from what is stored.
    pub(crate) fn begin_process(&mut self, settled: Settled) -> usize {
        self.memories.push(Memory {
            settled,
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
            before,
            began: now,
            ..Self::default()
        };
    }
}
