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
    first: FirstPage,
    /// Rows in the last page that showed how many the provider gives at most.
    given: Option<u64>,
}

/// Why an offset leads no further.
pub(super) const IGNORED: &str = "the provider ignores the offset and answers with the same records again, so that those \
     behind the first page cannot be read: raise spec.pageSize";

/// The first page of a pass, to tell a provider that ignores the offset.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstPage {
    last_key: Option<String>,
    rows: usize,
}

impl FirstPage {
    /// Whether the page at `offset`, which can share no row with the first one, is that one again.
    pub(super) fn is_shown_again(&mut self, offset: u64, facts: &PageFacts) -> bool {
        if offset == 0 {
            self.last_key.clone_from(&facts.last_key);
            self.rows = facts.rows;
        }
        offset >= u64::from(facts.limit)
            && facts.last_key.is_some()
            && (&facts.last_key, facts.rows) == (&self.last_key, self.rows)
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
            first: FirstPage::default(),
            given: None,
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
        if self.first.is_shown_again(self.offset, facts) {
            return Step::Unsettled(IGNORED.to_owned());
        }
        let past = facts
            .last
            .is_some_and(|last| bound_at(last).text != asked.bound.text);
        if !past && more(facts, self.offset) {
            self.offset += self.stride(facts);
            return Step::Ask(self.ask(asked.bound.clone()));
        }
        self.end_of_pass(asked)
    }

    /// Half a page: of what was asked for, or where a next link shows that the provider gave less,
    /// of what it gave.
    fn stride(&mut self, facts: &PageFacts) -> u64 {
        if facts.next.is_some() && facts.rows > 0 {
            self.given = Some(facts.rows as u64);
        }
        let page = self.given.unwrap_or(u64::from(facts.limit));
        (page / 2).max(1)
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
