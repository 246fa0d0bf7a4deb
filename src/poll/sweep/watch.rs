//! The records that a pass has shown, and what the next page tells beside them.

use std::collections::HashMap;

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
