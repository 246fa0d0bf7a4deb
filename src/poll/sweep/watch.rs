//! The records that a pass has shown, and what the next page tells beside them.

use std::collections::{HashMap, HashSet};

use super::PageFacts;

/// Records of one pass that are watched: some megabytes of them.
const MOST_WATCHED: usize = 100_000;

/// The pages of one pass that have been read.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// The version of each record that they showed, up to [`MOST_WATCHED`].
    versions: HashMap<u64, u64>,
    /// The last record of a full page, from which the next one is asked for.
    edge: Option<u64>,
    /// What the last one counted.
    total: Option<u64>,
    /// A page was not asked for from within the one before it, so that nothing shows for certain that
    /// it follows it.
    is_loose: bool,
    is_begun: bool,
    /// The records of the pass before.
    before: Option<HashSet<u64>>,
}

/// What a page shows beside the pages before it.
pub(super) struct Seen {
    /// A record that they did not show.
    pub(super) is_new: bool,
    /// A record in another version than theirs, or one more than are watched.
    pub(super) is_moved: bool,
    /// What they read was taken away in part, so that unread rows moved up to where they had been.
    pub(super) is_torn: bool,
}

impl Watch {
    /// Watches another pass over the same list.
    pub(super) fn again(self) -> Self {
        Self {
            before: Some(self.versions.into_keys().collect()),
            ..Self::default()
        }
    }

    /// Whether the pass that ends here has shown everything that was there when this one, or the one
    /// before, began: each page follows the one before it, or all that the pass before read is still
    /// there, so that nothing had moved up while it read.
    ///
    /// A total that stays the same is no sign of it: as many may have come as were taken away.
    pub(super) fn is_whole(&self) -> bool {
        let is_there = |record: &u64| self.versions.contains_key(record);
        let agrees = |before: &HashSet<u64>| before.iter().all(is_there);
        !self.is_loose || self.before.as_ref().is_some_and(agrees)
    }

    pub(super) fn see(&mut self, facts: &PageFacts) -> Seen {
        // Rows that cannot be told apart may be new, all of them.
        let mut seen = Seen {
            is_new: facts.rows > 0 && facts.shown.is_empty(),
            is_moved: false,
            is_torn: self.is_torn(facts),
        };
        for row in &facts.shown {
            let before = self.versions.get(&row.record);
            seen.is_new |= before.is_none();
            seen.is_moved |= match before {
                Some(before) => *before != row.version,
                None => self.versions.len() >= MOST_WATCHED,
            };
            if self.versions.len() < MOST_WATCHED {
                self.versions.insert(row.record, row.version);
            }
        }
        seen
    }

    /// The next page is not asked for from within this one.
    pub(super) const fn leave(&mut self) {
        self.edge = None;
    }

    /// Whether the row is missing with which this page had to begin, or to go on. Where rows are
    /// withheld, or the pages are the provider's own, only a total that fell tells.
    fn is_torn(&mut self, facts: &PageFacts) -> bool {
        let before = std::mem::replace(&mut self.total, facts.total);
        let is_less = before
            .zip(facts.total)
            .is_some_and(|(before, now)| now < before);
        let edge = std::mem::replace(&mut self.edge, edge_of(facts));
        self.is_loose |= edge.is_none() && self.is_begun;
        self.is_begun = true;
        edge.map_or(is_less, |edge| {
            facts.shown.iter().all(|row| row.record != edge)
        })
    }
}

/// The last record of a page of which every row is shown and can be told from others.
fn edge_of(facts: &PageFacts) -> Option<u64> {
    let is_full = facts.rows == facts.limit as usize && facts.shown.len() == facts.rows;
    let last = facts.shown.last().filter(|_| is_full && facts.rows > 1);
    last.map(|row| row.record)
}
