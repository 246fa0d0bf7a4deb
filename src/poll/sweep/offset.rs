//! A stretch of rows read by offset, where nothing better steps through a tie.

use chrono::{DateTime, Utc};

use super::{MAX_PASSES, PageFacts, more};
use crate::provider::{Ask, Bound, Step as PageStep};

/// Rows behind one anchor, half a page at a time, repeated until a pass shows nothing unseen: a
/// row that leaves the stretch shifts those behind it by one, and the half that overlaps catches
/// them.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    until: Option<DateTime<Utc>>,
    offset: u64,
    pass: u32,
    unseen: usize,
    shown: Shown,
}

/// Why an offset leads no further.
pub(super) const IGNORED: &str = "the provider ignores the offset and answers with the same records again, so that those \
     behind the first page cannot be read: raise spec.pageSize";

/// The page that was read last, to tell a provider that ignores the offset.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    last_id: Option<String>,
    rows: usize,
}

impl Shown {
    /// Whether a page at a further offset ends with the same record and is no shorter.
    pub(super) fn again(&mut self, facts: &PageFacts) -> bool {
        let again =
            facts.last_id.is_some() && facts.last_id == self.last_id && facts.rows >= self.rows;
        self.last_id.clone_from(&facts.last_id);
        self.rows = facts.rows;
        again
    }
}

pub(super) enum Step {
    Ask(Ask),
    /// A pass showed nothing unseen.
    Done,
    /// Every pass showed something unseen.
    Unsettled(String),
}

impl Stretch {
    pub(super) fn begin(bound: Bound, until: Option<DateTime<Utc>>) -> (Self, Ask) {
        let stretch = Self {
            until,
            offset: 0,
            pass: 1,
            unseen: 0,
            shown: Shown::default(),
        };
        let ask = stretch.ask(bound);
        (stretch, ask)
    }

    pub(super) fn next(
        &mut self,
        asked: &Ask,
        facts: &PageFacts,
        bound_at: &impl Fn(DateTime<Utc>) -> Bound,
    ) -> Step {
        self.unseen += facts.unseen;
        if self.shown.again(facts) {
            return Step::Unsettled(IGNORED.to_owned());
        }
        let past = facts
            .last
            .is_some_and(|last| bound_at(last).text != asked.bound.text);
        if !past && more(facts, self.offset) {
            self.offset += u64::from((facts.limit / 2).max(1));
            return Step::Ask(self.ask(asked.bound.clone()));
        }
        self.end_of_pass(asked)
    }

    fn end_of_pass(&mut self, asked: &Ask) -> Step {
        if self.unseen == 0 {
            return Step::Done;
        }
        if self.pass == MAX_PASSES {
            return Step::Unsettled(format!(
                "records dated {} change faster than they can be read by offset",
                asked.bound.text
            ));
        }
        self.pass += 1;
        self.offset = 0;
        self.unseen = 0;
        self.shown = Shown::default();
        Step::Ask(self.ask(asked.bound.clone()))
    }

    fn ask(&self, bound: Bound) -> Ask {
        Ask {
            bound,
            until: self.until,
            step: PageStep::Offset(self.offset),
        }
    }
}
