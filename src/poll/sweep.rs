//! The order of requests in one sweep: pure, from what a page showed to the next question.

mod facts;
mod offset;
mod promise;
mod unordered;
mod watch;

use chrono::{DateTime, TimeDelta, Utc};

pub(super) use self::facts::{PageFacts, Shown, key_order, more};
use self::promise::{Hidden, Patience};
use crate::provider::{Ask, Bound, Paging, Step};

/// How often a stretch that keeps showing unseen versions is read before the poll ends.
const MAX_PASSES: u32 = 3;

/// One sweep's way through the pages.
///
/// An anchored sweep asks again with the last record's date as the bound, so that a record touched
/// meanwhile cannot push another across a page's edge; ties are stepped through by key, or by
/// offset; where access rules hide a whole page, the range of dates is halved until its total fits
/// one page. Anything else is an unordered sweep: repeated until a pass shows nothing unseen.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    paging: Paging,
    unit: TimeDelta,
    /// The provider's clock when the sweep began.
    clock: DateTime<Utc>,
    /// The bound that the sweep began with.
    begun_at: Bound,
    mode: Mode,
    hidden: Hidden,
    patience: Patience,
}

#[derive(Clone, Debug)]
enum Mode {
    /// Pages from an anchor.
    Anchored,
    /// Inside the records dated at the bound, by key.
    Tie,
    /// Inside the records dated at the bound, by offset.
    Offset(offset::Stretch),
    /// A range of dates whose first page was hidden.
    Range { until: DateTime<Utc> },
    /// Passes over everything from the bound on.
    Unordered(unordered::Passes),
}

/// What is to be known of a page's rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    /// Whether they come in the order of their dates, as they should.
    pub(super) ordered: bool,
    /// Which records they are, beside those of other pages.
    pub(super) watched: bool,
}

/// What comes after a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    Ask(Ask),
    /// Everything was read.
    Complete,
    /// Something remains, for this reason; the next poll goes on.
    Unfinished(String),
}

impl Sweep {
    /// A sweep from `bound`, and its first question.
    pub(super) fn begin(
        paging: Paging,
        unit: TimeDelta,
        clock: DateTime<Utc>,
        bound: Bound,
    ) -> (Self, Ask) {
        let mode = if paging.anchored {
            Mode::Anchored
        } else {
            Mode::Unordered(unordered::Passes::default())
        };
        let ask = first(bound.clone());
        (
            Self {
                paging,
                unit,
                clock,
                begun_at: bound,
                mode,
                hidden: Hidden::default(),
                patience: Patience::default(),
            },
            ask,
        )
    }

    /// The provider's clock is known only from the first answer.
    pub(super) const fn set_clock(&mut self, clock: DateTime<Utc>) {
        self.clock = clock;
    }

    /// Whether the pages come in the order of their dates, so that the watermark may follow them.
    pub(super) const fn is_ordered(&self) -> bool {
        !matches!(self.mode, Mode::Unordered(_))
    }

    /// Whether the watermark may move to the last date of the page just read: not while an offset
    /// stretch may still show earlier rows.
    pub(super) const fn follows_pages(&self) -> bool {
        !matches!(self.mode, Mode::Unordered(_) | Mode::Offset(_))
    }

    /// What the sweep of an earlier poll settled, with which this one goes on, is not: where the
    /// order is given up, all is read from `bound` on.
    pub(super) fn go_back(&mut self, bound: Bound) {
        if bound.instant < self.begun_at.instant {
            self.begun_at = bound;
        }
    }

    /// What is to be known of the rows of the page that was asked for.
    pub(super) const fn look(&self) -> Look {
        Look {
            ordered: self.is_ordered(),
            watched: !self.follows_pages(),
        }
    }

    /// Gives up the order: the rest of the sweep, from its beginning, is unordered.
    fn give_up_order(&mut self) -> Next {
        self.mode = Mode::Unordered(unordered::Passes::default());
        Next::Ask(first(self.begun_at.clone()))
    }

    /// The next question after `asked` was answered with `facts`; `bound_at` renders a bound.
    pub(super) fn next(
        &mut self,
        asked: &Ask,
        facts: &PageFacts,
        bound_at: impl Fn(DateTime<Utc>) -> Bound,
    ) -> Next {
        if self.is_ordered() && facts.disorder.is_some() {
            return self.give_up_order();
        }
        if facts.rows > 0 {
            self.hidden = Hidden::default();
        }
        match self.next_in_mode(asked, facts, &bound_at) {
            Next::Ask(next) => match self.patience.judge(&asked.bound.text) {
                Some(reason) => Next::Unfinished(reason),
                None => Next::Ask(next),
            },
            end => end,
        }
    }

    fn next_in_mode(
        &mut self,
        asked: &Ask,
        facts: &PageFacts,
        bound_at: &impl Fn(DateTime<Utc>) -> Bound,
    ) -> Next {
        match &mut self.mode {
            Mode::Unordered(passes) => passes.next(&self.paging, &self.begun_at, asked, facts),
            Mode::Offset(stretch) => match stretch.next(asked, facts, bound_at) {
                offset::Step::Ask(ask) => Next::Ask(ask),
                offset::Step::Unsettled(reason) => Next::Unfinished(reason),
                offset::Step::Done => self.behind_stretch(asked, facts, bound_at),
            },
            Mode::Tie => self.next_in_tie(asked, facts, bound_at),
            Mode::Range { until } => {
                let until = *until;
                self.next_in_range(until, asked, facts, bound_at)
            }
            Mode::Anchored => self.next_anchored(asked, facts, bound_at),
        }
    }

    fn next_anchored(
        &mut self,
        asked: &Ask,
        facts: &PageFacts,
        bound_at: &impl Fn(DateTime<Utc>) -> Bound,
    ) -> Next {
        if !more(facts, 0) {
            return Next::Complete;
        }
        let (Some(first_date), Some(last)) = (facts.first, facts.last) else {
            return self.hidden(asked, facts, bound_at);
        };
        if last > self.clock {
            return Next::Complete;
        }
        let bound = bound_at(last);
        let all_tied = bound_at(first_date).text == bound.text;
        if all_tied && self.paging.by_key {
            return self.tie(bound, facts);
        }
        if bound.text != asked.bound.text {
            return Next::Ask(first(bound));
        }
        self.offset(bound)
    }

    /// The whole page shares one date: on by key.
    fn tie(&mut self, bound: Bound, facts: &PageFacts) -> Next {
        let Some(after) = facts.last_key.clone().filter(|_| !facts.keys_disordered) else {
            return self.offset(bound);
        };
        self.mode = Mode::Tie;
        Next::Ask(Ask {
            bound,
            until: None,
            step: Step::AfterKey(after),
        })
    }

    fn next_in_tie(
        &mut self,
        asked: &Ask,
        facts: &PageFacts,
        bound_at: &impl Fn(DateTime<Utc>) -> Bound,
    ) -> Next {
        if !more(facts, 0) {
            return self.after(asked.bound.instant, bound_at);
        }
        match &facts.last_key {
            Some(after) if !facts.keys_disordered && is_behind(after, &asked.step) => {
                Next::Ask(Ask {
                    bound: asked.bound.clone(),
                    until: None,
                    step: Step::AfterKey(after.clone()),
                })
            }
            // By offset also where the provider ignores the key: it would show the same for ever.
            _ => self.offset(asked.bound.clone()),
        }
    }

    /// What is behind a stretch of which the last page is at hand: whatever is dated before the end
    /// of that page was read.
    fn behind_stretch(
        &mut self,
        asked: &Ask,
        facts: &PageFacts,
        bound_at: &impl Fn(DateTime<Utc>) -> Bound,
    ) -> Next {
        if asked.until.is_some() {
            self.hidden.cross(facts.total.unwrap_or_default());
            return self.after(asked.bound.instant, bound_at);
        }
        self.mode = Mode::Anchored;
        match offset::past(asked, facts, bound_at) {
            Some(last) if last <= self.clock => Next::Ask(first(bound_at(last))),
            _ => Next::Complete,
        }
    }

    /// Everything dated in the unit at `instant` was read: on from the next unit.
    fn after(
        &mut self,
        instant: DateTime<Utc>,
        bound_at: &impl Fn(DateTime<Utc>) -> Bound,
    ) -> Next {
        self.mode = Mode::Anchored;
        // A day counts as 25 hours, for the one on which clocks go back.
        let next = bound_at(instant + self.unit);
        if next.instant > self.clock {
            // Whatever is dated later is the next poll's, which begins behind it.
            return Next::Complete;
        }
        Next::Ask(first(next))
    }

    /// No readable row, though more rows are said to be there: access rules hide them, or they
    /// are all bad.
    fn hidden(
        &mut self,
        asked: &Ask,
        facts: &PageFacts,
        bound_at: &impl Fn(DateTime<Utc>) -> Bound,
    ) -> Next {
        if let Some(total) = facts.total.filter(|_| self.paging.bisectable) {
            if let Some(reason) = self.hidden.judge(total, facts.limit) {
                return Next::Unfinished(reason);
            }
            let until = asked.until.unwrap_or(self.clock);
            return self.halve(asked.bound.clone(), until, bound_at);
        }
        self.offset(asked.bound.clone())
    }

    fn halve(
        &mut self,
        from: Bound,
        until: DateTime<Utc>,
        bound_at: &impl Fn(DateTime<Utc>) -> Bound,
    ) -> Next {
        let span = until - from.instant;
        if span < self.unit {
            return self.offset_within(from, until);
        }
        let middle = bound_at(from.instant + span / 2).instant;
        self.mode = Mode::Range { until: middle };
        Next::Ask(Ask {
            bound: from,
            until: Some(middle),
            step: Step::First,
        })
    }

    fn next_in_range(
        &mut self,
        until: DateTime<Utc>,
        asked: &Ask,
        facts: &PageFacts,
        bound_at: &impl Fn(DateTime<Utc>) -> Bound,
    ) -> Next {
        if more(facts, 0) {
            return self.halve(asked.bound.clone(), until, bound_at);
        }
        self.hidden.cross(facts.total.unwrap_or_default());
        self.after(until, bound_at)
    }

    fn offset(&mut self, bound: Bound) -> Next {
        self.start_offset(bound, None)
    }

    fn offset_within(&mut self, bound: Bound, until: DateTime<Utc>) -> Next {
        self.start_offset(bound, Some(until))
    }

    fn start_offset(&mut self, bound: Bound, until: Option<DateTime<Utc>>) -> Next {
        if !self.paging.by_offset {
            return Next::Unfinished(format!(
                "more records share the date {} than one page of {} holds, and the connector can \
                 step through them neither by key nor by offset: raise spec.pageSize",
                bound.text, self.paging.page_size,
            ));
        }
        let (stretch, ask) = offset::Stretch::begin(bound, until);
        self.mode = Mode::Offset(stretch);
        Next::Ask(ask)
    }
}

/// Whether a page that was asked for behind a key ends behind it.
fn is_behind(last_key: &str, step: &Step) -> bool {
    match step {
        Step::AfterKey(key) => key_order(key, last_key).is_lt(),
        _ => true,
    }
}

fn first(bound: Bound) -> Ask {
    Ask {
        bound,
        until: None,
        step: Step::First,
    }
}

#[cfg(test)]
mod tests;
