//! One poll, step by step.

mod deletions;
mod reading;
mod reconciling;
mod writing;

use std::collections::HashSet;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::{
    deletions::Queue,
    reading::{Pace, Reading},
};
use super::{
    CheckpointStore, End, Held, Outcome, Plan, Progress, Track,
    carried::bytes_of,
    change::Change,
    delivering::Delivering,
    returned::Returned,
    state::{Since, State},
    stream::Stream,
    trail::Trail,
};
use crate::{
    callback::Callback,
    clock::Clock,
    provider::{Ask, Page, PageError, PageSource, Step},
};

/// Records that must vary in content alone before their content is left out.
const LEAST_VARYING: u64 = 10;

/// How a stretch of a replay ends that leaves pages to the next.
pub(super) const GOES_ON: &str = "the replay goes on after the next poll";

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
        // What changes too fast to be read to its end is compared all the same.
        Err(End::Unfinished(why)) => poll.reconcile().await.and(Err(End::Unfinished(why))),
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
    polled_at: DateTime<Utc>,
    records: Pace,
    deletions: Pace,
    written: Option<Instant>,
    known_bad: HashSet<String>,
    /// The provider's clock was set back: the list of deletions was asked for from too late a bound.
    is_set_back: bool,
    /// What this sweep returned, where the window must keep it.
    returned: Returned,
    /// Records that were settled before.
    unchanged: u64,
    /// Changes of records that were settled under the same date, with other content.
    content_only: u64,
    trail: Trail,
}

/// What a stretch of a replay reads at most: records, and no deletions.
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
            polled_at: clock.now(),
            records: Pace::at(clock.now()),
            deletions: Pace::at(clock.now()),
            written: None,
            known_bad: HashSet::new(),
            is_set_back: false,
            returned: Returned::default(),
            unchanged: 0,
            content_only: 0,
            trail,
        }
    }

    /// Reads both lists and delivers what they show in the order of its dates, of each no more than
    /// a page at a time; deletions are read before the records that come beside them.
    pub(super) async fn sweep(&mut self) -> Result<(), End> {
        let mut deletions = Queue::begin(self);
        self.fill(&mut deletions).await?;
        let swept = self.sweep_records(&mut deletions).await;
        if matches!(swept, Ok(()) | Err(End::Unfinished(_))) {
            self.weigh_contents();
            self.deliver_rest(&mut deletions).await?;
        }
        swept.and_then(|()| deletions.end())
    }

    async fn sweep_records(&mut self, deletions: &mut Queue<'a, S>) -> Result<(), End> {
        let mut records = Reading::begin(self, Track::Records, self.edges.source);
        while let Some((page, changes)) = self.read(&mut records).await? {
            if std::mem::take(&mut self.is_set_back) {
                *deletions = Queue::begin(self);
                self.fill(deletions).await?;
            }
            self.deliver_beside(&page, changes, deletions).await?;
            self.turn(&mut records)?;
        }
        self.complete();
        Ok(())
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

    /// Whether contents are part of versions. Where they vary from answer to answer, every pass of an
    /// unordered sweep shows further versions, and it never ends otherwise.
    fn weigh_contents(&mut self) {
        if self.limit.is_some() {
            return;
        }
        let known = self.unchanged + self.content_only;
        if self.content_only >= LEAST_VARYING && self.content_only * 2 > known {
            self.state.ignore_content();
        }
        if self.state.content_ignored {
            self.progress.notes.push(CONTENT_VARIES.to_owned());
        }
    }

    /// The sweep has read every record.
    fn complete(&mut self) {
        let returned = std::mem::take(&mut self.returned);
        let since = self.next_bounds().records;
        self.state
            .complete_sweep(self.plan, Track::Records, since, |fingerprint| {
                returned.contains(fingerprint)
            });
    }

    /// What the next poll reads is dated at or after this: its bounds are rounded down as they will
    /// be rendered, and the windows must reach as far.
    fn next_bounds(&self) -> Since {
        self.bounds_behind(|stream| stream.watermark)
    }

    /// From where on the windows are stored.
    fn kept_since(&self) -> Since {
        self.bounds_behind(Stream::kept_from)
    }

    fn bounds_behind(&self, date: impl Fn(&Stream) -> DateTime<Utc>) -> Since {
        let bound = |source: &S, track| {
            let reached = date(self.state.of(track)) - self.plan.reach_of(track);
            source.bound(reached).instant
        };
        let source = self.edges.source;
        let list = source.deletions().unwrap_or(source);
        Since {
            records: bound(source, Track::Records),
            deletions: bound(list, Track::Deletions),
        }
    }

    /// Delivers `changes`, which are in the order of their dates; rows among them are of `page`.
    async fn deliver(&mut self, page: Option<&Page>, changes: Vec<Change>) -> Result<(), End> {
        if changes.is_empty() {
            return Ok(());
        }
        let records = bytes_of(page, &changes).map_err(no_page)?;
        self.send(changes, records, self.polled_at).await
    }

    /// Delivers changes with the bytes that their events carry.
    async fn send(
        &mut self,
        changes: Vec<Change>,
        records: Vec<Bytes>,
        polled_at: DateTime<Utc>,
    ) -> Result<(), End> {
        let (since, capacity) = (self.kept_since(), self.edges.store.window_capacity());
        self.state
            .check_room(self.plan, &changes, since, capacity)?;
        if self.state.names_otherwise(&changes) {
            self.write().await?;
        }
        let (plan, callback, stop) = (self.plan, self.edges.callback, self.stop);
        Delivering::new(plan, callback, polled_at, stop, changes, records)
            .run(self)
            .await
    }

    const fn pace(&mut self, track: Track) -> &mut Pace {
        match track {
            Track::Records => &mut self.records,
            Track::Deletions => &mut self.deletions,
        }
    }
}

fn no_page(error: PageError) -> End {
    End::ProviderFailed(error.into())
}
