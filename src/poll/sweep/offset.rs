//! A stretch of rows read by offset, where nothing better steps through a tie.

use chrono::{DateTime, Utc};

use super::{MAX_PASSES, PageFacts, more, promise::Promise, watch::Watch};
use crate::provider::{Ask, Bound, Step as PageStep};

/// Rows behind one anchor, half a page at a time, repeated until a pass shows nothing unseen: a
/// row that leaves the stretch shifts those behind it by one, and the half that overlaps catches
/// them. Where it doesn't, since more have left, two more passes at most do.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    until: Option<DateTime<Utc>>,
    offset: u64,
    pass: u32,
    unseen: usize,
    /// Rows may have moved up past the half that overlaps.
    torn: bool,
    watch: Watch,
    promise: Promise,
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
    total: Option<u64>,
}

impl FirstPage {
    /// Whether the page at `offset`, which can share some rows with the first one or none, is that
    /// one again. Rows that came before it may have pushed it there; then more are counted.
    pub(super) fn is_shown_again(&mut self, offset: u64, facts: &PageFacts) -> bool {
        if offset == 0 {
            self.last_key.clone_from(&facts.last_key);
            (self.rows, self.total) = (facts.rows, facts.total);
            return false;
        }
        let shared = u64::from(facts.limit).saturating_sub(offset);
        let is_still = facts.total.is_some() && facts.total == self.total;
        facts.last_key.is_some()
            && (&facts.last_key, facts.rows) == (&self.last_key, self.rows)
            && (shared == 0 || is_still && facts.rows as u64 > shared)
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
        let stretch = Self::at_start(until);
        let ask = stretch.ask(bound);
        (stretch, ask)
    }

    fn at_start(until: Option<DateTime<Utc>>) -> Self {
        Self {
            until,
            offset: 0,
            pass: 1,
            unseen: 0,
            torn: false,
            watch: Watch::default(),
            promise: Promise::default(),
            first: FirstPage::default(),
            given: None,
        }
    }

    pub(super) fn next(
        &mut self,
        asked: &Ask,
        facts: &PageFacts,
        bound_at: &impl Fn(DateTime<Utc>) -> Bound,
    ) -> Step {
        self.unseen += facts.unseen;
        let seen = self.watch.see(facts);
        self.torn |= seen.is_torn;
        if self.first.is_shown_again(self.offset, facts) {
            return Step::Unsettled(IGNORED.to_owned());
        }
        if past(asked, facts, bound_at).is_none() && more(facts, self.offset) {
            let stride = self.stride(facts);
            if let Some(reason) = self.promise.judge(seen.is_new, facts.total, stride) {
                return Step::Unsettled(reason);
            }
            self.offset += stride;
            return Step::Ask(self.ask(asked.bound.clone()));
        }
        self.end_of_pass(asked)
    }

    /// Half a page: of what was asked for, or where a next link shows that the provider gave less,
    /// of what it gave. Where neither a link nor a total tells, of the most that it
    /// ever gave, but no further than the rows of this page: the provider may cut each one otherwise.
    fn stride(&mut self, facts: &PageFacts) -> u64 {
        if facts.next.is_some() && facts.rows > 0 {
            self.given = Some(facts.rows as u64);
        } else if facts.total.is_none() {
            self.given = self.given.max(Some(facts.rows as u64));
        }
        let page = self.given.unwrap_or(u64::from(facts.limit));
        let half = (page / 2).max(1);
        if facts.next.is_none() && facts.total.is_none() {
            return half.min(facts.rows as u64).max(1);
        }
        half
    }

    fn end_of_pass(&mut self, asked: &Ask) -> Step {
        let is_last = self.pass == MAX_PASSES;
        if self.unseen == 0 && (!self.torn || is_last) {
            return Step::Done;
        }
        if is_last {
            return Step::Unsettled(format!(
                "records dated {} change faster than they can be read by offset",
                asked.bound.text
            ));
        }
        *self = Self {
            pass: self.pass + 1,
            given: self.given,
            ..Self::at_start(self.until)
        };
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

/// The last date of a page that goes on behind the unit in which the stretch begins.
pub(super) fn past(
    asked: &Ask,
    facts: &PageFacts,
    bound_at: &impl Fn(DateTime<Utc>) -> Bound,
) -> Option<DateTime<Utc>> {
    let is_past = |last: &DateTime<Utc>| bound_at(*last).text != asked.bound.text;
    facts.last.filter(is_past)
}
