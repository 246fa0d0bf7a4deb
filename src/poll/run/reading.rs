//! Reading one list, a page at a time.

use chrono::{DateTime, TimeDelta, Utc};

use super::{GOES_ON, Poll, fetch, no_page};
use crate::{
    callback::Callback,
    poll::{
        CheckpointStore, End, Track,
        change::{Change, Comparison},
        scan::scan,
        sweep::{Next, PageFacts, Sweep},
    },
    provider::{Ask, Page, PageSource, Step},
};

const CLOCK_SET_BACK: &str = "the provider's clock was set back: polling goes on from there, and changes dated since may be \
     delivered again";

/// How a list's watermark may move.
pub(super) struct Pace {
    /// The provider's clock when the sweep began: the watermark never passes it.
    pub(super) clock: DateTime<Utc>,
    /// Whether the watermark may follow what is settled, or must wait for the sweep's end.
    pub(super) follows: bool,
}

impl Pace {
    pub(super) const fn at(clock: DateTime<Utc>) -> Self {
        Self {
            clock,
            follows: true,
        }
    }
}

/// The sweep of one list under way.
pub(super) struct Reading<'a, S> {
    track: Track,
    source: &'a S,
    sweep: Sweep,
    /// The next question; `None` once everything is read.
    ask: Option<Ask>,
    is_begun: bool,
    /// What the page at hand showed, until its changes are settled.
    facts: Option<PageFacts>,
    /// The latest date of all pages.
    newest: Option<DateTime<Utc>>,
    /// The last question for everything that was left, and how much that was.
    rest: Option<(Ask, u64)>,
}

impl<'a, S: PageSource> Reading<'a, S> {
    pub(super) fn begin<C, K>(poll: &Poll<'_, S, C, K>, track: Track, source: &'a S) -> Self {
        let (sweep, ask) = poll.first_question(track, source, poll.clock.now());
        Self {
            track,
            source,
            sweep,
            ask: Some(ask),
            is_begun: false,
            facts: None,
            newest: None,
            rest: None,
        }
    }

    pub(super) const fn source(&self) -> &'a S {
        self.source
    }

    /// The question for the latest of what is left, where the provider counts it.
    pub(super) fn for_latest(&self) -> Option<Ask> {
        let (asked, total) = self.rest.as_ref()?;
        let paging = self.source.paging();
        let behind = total.saturating_sub(paging.page_size.into());
        paging.by_offset.then(|| Ask {
            step: Step::Offset(behind),
            ..asked.clone()
        })
    }

    /// Whether everything is read.
    pub(super) const fn is_complete(&self) -> bool {
        self.ask.is_none()
    }

    /// The latest date of the page at hand.
    pub(super) fn newest_of_page(&self) -> Option<DateTime<Utc>> {
        self.facts.as_ref().and_then(|facts| facts.newest)
    }

    /// Whether no page had a row with a date.
    pub(super) const fn showed_nothing(&self) -> bool {
        self.newest.is_none()
    }

    pub(super) fn shows_rows(&self) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.rows > 0)
    }

    /// Whether the page at hand is said to have rows, and access rules hide all of them.
    pub(super) fn is_hidden(&self) -> bool {
        let is_hidden =
            |facts: &PageFacts| facts.rows == 0 && facts.total.is_some_and(|total| total > 0);
        self.facts.as_ref().is_some_and(is_hidden)
    }
}

impl<S: PageSource, C, K> Poll<'_, S, C, K> {
    fn first_question(&self, track: Track, source: &S, clock: DateTime<Utc>) -> (Sweep, Ask) {
        let bound = source.bound(self.state.of(track).bound(self.plan.reach_of(track)));
        Sweep::begin(source.paging(), self.plan.unit_of(track), clock, bound)
    }
}

impl<S: PageSource, C: Callback, K: CheckpointStore> Poll<'_, S, C, K> {
    /// The next page and the changes that it shows; `None` once everything is read.
    pub(super) async fn read(
        &mut self,
        reading: &mut Reading<'_, S>,
    ) -> Result<Option<(Page, Vec<Change>)>, End> {
        while let Some(ask) = reading.ask.clone() {
            self.progress.requests += 1;
            let asked_at = self.clock.now();
            let page = fetch(reading.source, &ask, self.stop).await?;
            if reading.is_begun || self.begin(reading, &page, asked_at) {
                let changes = self.take(reading, &page, &ask)?;
                return Ok(Some((page, changes)));
            }
        }
        Ok(None)
    }

    /// A sweep begins at the time of the provider that its first page shows; false where its clock
    /// was set back, so that the sweep must begin further back.
    ///
    /// Where the page shows none, our own counts, of when it was asked for: what became visible since
    /// may be on it or not.
    fn begin(
        &mut self,
        reading: &mut Reading<'_, S>,
        page: &Page,
        asked_at: DateTime<Utc>,
    ) -> bool {
        let (track, clock) = (reading.track, page.server_time.unwrap_or(asked_at));
        reading.is_begun = true;
        self.pace(track).clock = self.limit.map_or(clock, |limit| limit.until);
        if self.begin_track(track, clock, asked_at) {
            self.is_set_back = true;
            self.progress.notes.push(CLOCK_SET_BACK.to_owned());
            let (sweep, ask) = self.first_question(track, reading.source, clock);
            (reading.sweep, reading.ask) = (sweep, Some(ask));
            return false;
        }
        reading.sweep.set_clock(self.pace(track).clock);
        true
    }

    /// Answers whether the clock was set back.
    fn begin_track(&mut self, track: Track, clock: DateTime<Utc>, asked_at: DateTime<Utc>) -> bool {
        let is_set_back = match track {
            Track::Records => {
                self.trail.provider_clock = Some(clock);
                self.state.begin_sweep(self.plan, clock)
            }
            Track::Deletions => {
                self.state.of_mut(track).begin_sweep();
                false
            }
        };
        // The provider may have read its list as early as it was asked, and dated its answer later.
        let taken = (self.clock.now() - asked_at).max(TimeDelta::zero());
        self.state.of_mut(track).swept_at = Some(clock - taken);
        is_set_back
    }

    fn take(
        &mut self,
        reading: &mut Reading<'_, S>,
        page: &Page,
        ask: &Ask,
    ) -> Result<Vec<Change>, End> {
        let track = reading.track;
        let comparison = Comparison {
            plan: self.plan,
            state: &self.state,
            track,
            any_date: false,
            bound: ask.bound.instant,
            clock: match track {
                Track::Records => self.records.clock,
                Track::Deletions => self.deletions.clock,
            },
        };
        let mut scan = scan(page, &comparison, reading.sweep.look()).map_err(no_page)?;
        if track == Track::Records {
            self.unchanged += scan.counts.unchanged;
            self.content_only += scan.content_only;
            self.returned.extend(scan.returned.drain(..));
        }
        if self.progress.unlisted_class.is_none() {
            self.progress.unlisted_class = scan.unlisted.take();
        }
        scan.report(&mut self.progress, &mut self.known_bad);
        reading.newest = reading.newest.max(scan.facts.newest);
        if ask.until.is_none() && ask.step == Step::First {
            reading.rest = page.total.map(|total| (ask.clone(), total));
        }
        let clock = self.pace(track).clock;
        let newest = reading.newest.map(|newest| newest.min(clock));
        scan.facts.advances = newest > Some(self.state.of(track).watermark);
        let in_order = scan.facts.disorder.is_none();
        if !in_order {
            self.state.retreat(track);
            let bound = self.state.of(track).bound(self.plan.reach_of(track));
            reading.sweep.go_back(reading.source.bound(bound));
        }
        self.pace(track).follows = in_order && reading.sweep.follows_pages();
        reading.facts = Some(scan.facts);
        Ok(scan.changes)
    }

    /// Everything on the page at hand is settled: on to the next.
    pub(super) fn turn(&mut self, reading: &mut Reading<'_, S>) -> Result<(), End> {
        let Some(facts) = reading.facts.take() else {
            return Ok(());
        };
        let Some(asked) = reading.ask.take() else {
            return Ok(());
        };
        let track = reading.track;
        let &mut Pace { clock, follows } = self.pace(track);
        if let Some(last) = facts.last.filter(|_| follows) {
            self.state.advance(track, last.min(clock));
        }
        let source = reading.source;
        let next = reading
            .sweep
            .next(&asked, &facts, |instant| source.bound(instant));
        match next {
            Next::Ask(next) if self.is_enough(&next, reading.sweep.is_ordered()) => {
                self.state.settle_before(track, next.bound.instant);
                return Err(End::Unfinished(GOES_ON.to_owned()));
            }
            Next::Ask(next) => reading.ask = Some(next),
            Next::Unfinished(reason) => return Err(End::Unfinished(reason)),
            Next::Complete => {
                if let Some(newest) = reading.newest {
                    self.state.advance(track, newest.min(clock));
                }
            }
        }
        Ok(())
    }
}
