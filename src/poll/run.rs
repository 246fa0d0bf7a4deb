//! One poll, step by step.

mod reconciling;
mod writing;

use std::collections::HashSet;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    CheckpointStore, End, Held, Outcome, Plan, Progress,
    carried::bytes_of,
    change::{Change, Comparison},
    delivering::Delivering,
    scan::{Scan, scan},
    state::State,
    sweep::{Next, Sweep},
    trail::Trail,
};
use crate::{
    callback::Callback,
    clock::Clock,
    provider::{Ask, FetchError, Page, PageError, PageSource, Step},
};

/// Records that must vary in content alone before their content is left out.
const LEAST_VARYING: u64 = 10;

/// How a stretch of a replay ends that leaves pages to the next.
pub(super) const GOES_ON: &str = "the replay goes on after the next poll";

const CLOCK_SET_BACK: &str = "the provider's clock was set back: polling goes on from there, and changes dated since may be \
     delivered again";
const WINDOW_CUT: &str = "more versions lie inside the overlap than one checkpoint holds: what arrives later than the \
     window reaches back is not seen; shorten spec.overlap";
const CONTENT_VARIES: &str = "most records come with other content under an unchanged date: their content is left out of the \
     comparison; name the fields that vary in spec.ignoreFields to take the rest into account";

/// What a poll talks to.
pub struct Edges<'a, S, C, K> {
    pub source: &'a S,
    pub callback: &'a C,
    pub store: &'a mut K,
}

/// Polls once, from the checkpoint in `held` to a new one.
///
/// Nothing that was not acknowledged moves the checkpoint. On `stop` a request is dropped, a
/// notification in flight gets five seconds, and what was acknowledged is stored.
pub async fn poll<S: PageSource, C: Callback, K: CheckpointStore>(
    plan: &Plan,
    held: Held,
    edges: Edges<'_, S, C, K>,
    clock: &Clock,
    stop: &CancellationToken,
) -> Outcome {
    let state = match State::resume(plan, held, edges.store).await {
        Ok(state) => state,
        Err(end) => return Outcome::of(end),
    };
    let mut poll = Poll::new(plan, state, edges, clock, stop);
    let swept = match poll.sweep().await {
        Ok(()) => poll.reconcile().await,
        failed => failed,
    };
    poll.finish(swept).await
}

/// One request, dropped on `stop`.
pub(super) async fn fetch<S: PageSource>(
    source: &S,
    ask: &Ask,
    stop: &CancellationToken,
) -> Result<Page, End> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(End::Stopped),
        page = source.fetch(ask) => page.map_err(End::ProviderFailed),
    }
}

/// A poll under way, or a stretch of a replay.
pub(super) struct Poll<'a, S, C, K> {
    plan: &'a Plan,
    edges: Edges<'a, S, C, K>,
    clock: &'a Clock,
    stop: &'a CancellationToken,
    state: State,
    pub(super) progress: Progress,
    /// What is read at most, where that is not everything.
    pub(super) limit: Option<Limit>,
    /// The provider's clock when the sweep began: the watermark never passes it.
    sweep_clock: DateTime<Utc>,
    /// Whether the watermark may follow what is settled, or must wait for the sweep's end.
    watermark_follows: bool,
    written: Option<Instant>,
    known_bad: HashSet<String>,
    /// What this sweep returned, where the window must keep it.
    returned: HashSet<u64>,
    /// Changes of records that were settled under the same date, with other content.
    content_only: u64,
    trail: Trail,
}

/// What a stretch of a replay reads at most.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    /// Nothing dated later, whatever the provider's clock.
    pub(super) until: DateTime<Utc>,
    /// No page behind so many requests, if the rest can be asked for later.
    pub(super) requests: u64,
}

impl<'a, S: PageSource, C: Callback, K: CheckpointStore> Poll<'a, S, C, K> {
    pub(super) fn new(
        plan: &'a Plan,
        state: State,
        edges: Edges<'a, S, C, K>,
        clock: &'a Clock,
        stop: &'a CancellationToken,
    ) -> Self {
        let bound = edges.source.bound(state.records.bound(plan.reach));
        let trail = Trail::begin(plan, &state, bound);
        Self {
            plan,
            edges,
            clock,
            stop,
            state,
            progress: Progress::default(),
            limit: None,
            sweep_clock: clock.now(),
            watermark_follows: true,
            written: None,
            known_bad: HashSet::new(),
            returned: HashSet::new(),
            content_only: 0,
            trail,
        }
    }
}

impl<S: PageSource, C: Callback, K: CheckpointStore> Poll<'_, S, C, K> {
    pub(super) async fn sweep(&mut self) -> Result<(), End> {
        let polled_at = self.clock.now();
        let source = self.edges.source;
        let bound = source.bound(self.state.records.bound(self.plan.reach));
        let (mut sweep, mut ask) =
            Sweep::begin(source.paging(), self.plan.unit, self.sweep_clock, bound);
        let mut begun = false;
        let mut newest: Option<DateTime<Utc>> = None;
        loop {
            self.progress.requests += 1;
            let page = fetch(source, &ask, self.stop).await?;
            if !begun {
                begun = true;
                let set_back = self.begin(page.server_time.unwrap_or_else(|| self.clock.now()));
                if set_back {
                    let bound = source.bound(self.state.records.bound(self.plan.reach));
                    (sweep, ask) =
                        Sweep::begin(source.paging(), self.plan.unit, self.sweep_clock, bound);
                    continue;
                }
                sweep.set_clock(self.sweep_clock);
            }
            let mut scan = self.scan(&page, &ask, sweep.is_ordered())?;
            scan.report(&mut self.progress, &mut self.known_bad);
            self.returned.extend(scan.returned.drain(..));
            self.content_only += scan.content_only;
            newest = newest.max(scan.facts.newest);
            let in_order = scan.facts.disorder.is_none();
            if !in_order {
                self.state.retreat();
            }
            self.watermark_follows = in_order && sweep.follows_pages();
            self.deliver(&page, std::mem::take(&mut scan.changes), polled_at)
                .await?;
            if self.watermark_follows
                && let Some(last) = scan.facts.last
            {
                self.state.advance(last.min(self.sweep_clock));
            }
            match sweep.next(&ask, &scan.facts, |instant| source.bound(instant)) {
                Next::Ask(next) if self.is_enough(&next, sweep.is_ordered()) => {
                    return Err(End::Unfinished(GOES_ON.to_owned()));
                }
                Next::Ask(next) => ask = next,
                Next::Complete => break,
                Next::Unfinished(reason) => return Err(End::Unfinished(reason)),
            }
        }
        if let Some(newest) = newest {
            self.state.advance(newest.min(self.sweep_clock));
        }
        self.complete();
        Ok(())
    }

    /// The sweep begins at this time of the provider; answers whether its clock was set back, so
    /// that the sweep must begin further back.
    fn begin(&mut self, provider_now: DateTime<Utc>) -> bool {
        self.sweep_clock = self.limit.map_or(provider_now, |limit| limit.until);
        self.trail.provider_clock = Some(provider_now);
        let set_back = self.state.begin_sweep(self.plan, provider_now);
        if set_back {
            self.progress.notes.push(CLOCK_SET_BACK.to_owned());
        }
        set_back
    }

    /// Whether the rest is left to the next stretch: only where it begins behind what was read, as
    /// neither a tie nor an unordered sweep can be left and taken up again.
    fn is_enough(&self, next: &Ask, ordered: bool) -> bool {
        let is_spent = |limit: Limit| self.progress.requests >= limit.requests;
        self.limit.is_some_and(is_spent)
            && ordered
            && next.step == Step::First
            && next.until.is_none()
    }

    /// The sweep has read everything.
    fn complete(&mut self) {
        let known = self.progress.unchanged + self.content_only;
        let is_poll = self.limit.is_none();
        if is_poll && self.content_only >= LEAST_VARYING && self.content_only * 2 > known {
            self.state.ignore_content();
        }
        if is_poll && self.state.content_ignored {
            self.progress.notes.push(CONTENT_VARIES.to_owned());
        }
        let returned = std::mem::take(&mut self.returned);
        let since = self.next_bound();
        self.state.complete_sweep(self.plan, since, |fingerprint| {
            returned.contains(&fingerprint)
        });
    }

    /// What the next poll reads is dated at or after this: its bound is rounded down as it will be
    /// rendered, and the window must reach as far.
    fn next_bound(&self) -> DateTime<Utc> {
        let reached = self.state.records.watermark - self.plan.reach;
        self.edges.source.bound(reached).instant
    }

    fn scan(&self, page: &Page, ask: &Ask, ordered: bool) -> Result<Scan, End> {
        let comparison = Comparison {
            plan: self.plan,
            state: &self.state,
            bound: ask.bound.instant,
            clock: self.sweep_clock,
            any_date: false,
        };
        scan(page, &comparison, ordered).map_err(no_page)
    }

    async fn deliver(
        &mut self,
        page: &Page,
        changes: Vec<Change>,
        polled_at: DateTime<Utc>,
    ) -> Result<(), End> {
        if changes.is_empty() {
            return Ok(());
        }
        let records = bytes_of(page, &changes).map_err(no_page)?;
        self.send(changes, records, polled_at).await
    }

    /// Delivers changes with the bytes that their events carry.
    async fn send(
        &mut self,
        changes: Vec<Change>,
        records: Vec<Bytes>,
        polled_at: DateTime<Utc>,
    ) -> Result<(), End> {
        let (since, capacity) = (self.next_bound(), self.edges.store.window_capacity());
        self.state
            .check_room(self.plan, &changes, since, capacity)?;
        let (plan, callback, stop) = (self.plan, self.edges.callback, self.stop);
        Delivering::new(plan, callback, polled_at, stop, changes, records)
            .run(self)
            .await
    }
}

fn no_page(error: PageError) -> End {
    End::ProviderFailed(FetchError {
        category: error.category,
        message: error.message,
        retry_after: None,
    })
}
