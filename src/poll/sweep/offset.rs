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
