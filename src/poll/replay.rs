//! Replays: a stretch of time that is read once more, between the polls (polling rule 21).
//!
//! A replay is a sweep of a stream of its own, which begins empty: what the poller's window holds is
//! delivered again, under the same event ids. The poller's watermark stays; what the replay
//! delivers inside the reach enters the poller's window, so that no poll repeats it.

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::{
    CheckpointStore, Edges, End, Held, Outcome, Plan, Progress,
    change::Change,
    run::{GOES_ON, Limit, Poll},
    state::State,
    stream::Stream,
    unusable::Unusable,
};
use crate::{
    api::{
        Checkpoint, CreatedCheck, REPLAYS_REMEMBERED, ReplayProgress, RunningReplay,
        Stream as Stored,
    },
    callback::Callback,
    clock::Clock,
    provider::PageSource,
};

/// Pages that one stretch of a replay reads: a poll that falls due meanwhile waits no longer.
const PAGES: u64 = 10;

/// A stretch of time to be read once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// What tells it from earlier ones: each id is run once.
    pub id: String,
    pub from: DateTime<Utc>,
    pub to: Option<DateTime<Utc>>,
}

/// The replay that is to be read now, with how far it is. One that begins behind the watermark waits
/// until there is something to read again.
fn due(plan: &Plan, checkpoint: &Checkpoint) -> Option<RunningReplay> {
    let asked = plan.replay.as_ref()?;
    let progress = checkpoint.replay.as_ref();
    if progress.is_some_and(|progress| progress.done.contains(&asked.id)) {
        return None;
    }
    let running = progress.and_then(|progress| progress.running.as_ref());
    if let Some(running) = running.filter(|running| running.id == asked.id) {
        return Some(running.clone());
    }
    let watermark = checkpoint.records.watermark;
    (asked.from <= watermark).then(|| RunningReplay {
        id: asked.id.clone(),
        from: asked.from,
        until: asked.to.map_or(watermark, |to| to.min(watermark)),
        records: Stream::starting(asked.from),
    })
}

/// Whether a replay is to be read behind a poll that left `held`.
#[must_use]
pub fn is_replaying(plan: &Plan, held: &Held) -> bool {
    due(plan, &held.checkpoint).is_some()
}

/// Reads a stretch of the replay that is due, from the checkpoint in `held` to a new one.
///
/// Never beside a poll: both write the one checkpoint. What is done adds to `progress`, that of a
/// poll right before.
pub async fn replay<S: PageSource, C: Callback, K: CheckpointStore>(
    plan: &Plan,
    held: Held,
    progress: Progress,
    edges: Edges<'_, S, C, K>,
    clock: &Clock,
    stop: &CancellationToken,
) -> Outcome {
    let Some(due) = due(plan, &held.checkpoint) else {
        return Outcome {
            checkpoint: Some(held),
            progress,
            ..Outcome::of(End::Complete)
        };
    };
    let limit = Limit {
        until: due.until,
        requests: progress.requests + PAGES,
    };
    let reading = reading(plan);
    let since = held.checkpoint.records.watermark - plan.reach;
    let since = edges.source.bound(since).instant;
    let state = match resume(plan, held, &due, since, edges.store).await {
        Ok(state) => state,
        Err(end) => return Outcome::of(end),
    };
    let mut poll = Poll::new(&reading, state, edges, clock, stop);
    poll.progress = progress;
    poll.limit = Some(limit);
    let swept = poll.sweep().await;
    let mut outcome = poll.finish(swept).await;
    if outcome.end == End::Unfinished(GOES_ON.to_owned()) {
        outcome.end = End::Complete;
    }
    outcome
}

async fn resume<K: CheckpointStore>(
    plan: &Plan,
    held: Held,
    due: &RunningReplay,
    since: DateTime<Utc>,
    store: &mut K,
) -> Result<State, End> {
    let mut state = State::resume(plan, held, store).await?;
    state.replay(plan, due, since, store).await?;
    Ok(state)
}

/// The plan of a poller while a replay is read: kinds by the dates alone, nothing outside the
/// stretch, and no further back at each resumption than the unit in which it was left.
fn reading(plan: &Plan) -> Plan {
    Plan {
        created_check: CreatedCheck::OpenConnectors,
        drop_before_bound: true,
        drop_after_clock: true,
        reach: plan.unit,
        ..plan.clone()
    }
}

/// A replay under way, and the poller's own stream beside it.
pub(super) struct Replaying {
    id: String,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    complete: bool,
    /// What the poller's own polls go by.
    plan: Plan,
    pub(super) own: Stream,
    /// What the next poll reads is dated at or after this.
    since: DateTime<Utc>,
}

impl Replaying {
    pub(super) fn new(
        plan: &Plan,
        replay: &RunningReplay,
        own: Stream,
        since: DateTime<Utc>,
    ) -> Self {
        Self {
            id: replay.id.clone(),
            from: replay.from,
            until: replay.until,
            complete: false,
            since,
            plan: plan.clone(),
            own,
        }
    }

    pub(super) const fn from(&self) -> DateTime<Utc> {
        self.from
    }

    /// A change that the replay read is settled; `entries` are what it enters into a window.
    pub(super) fn settle<E>(&mut self, change: &Change, entries: impl FnOnce(&Plan) -> E)
    where
        E: Iterator<Item = (u64, DateTime<Utc>)>,
    {
        if self.plan.drop_before_bound && change.updated < self.since {
            return;
        }
        for (fingerprint, date) in entries(&self.plan) {
            self.own.window.insert(fingerprint, date);
        }
    }

    /// Whether `more` entries could be stored in the poller's own window too.
    pub(super) fn check_room(&self, more: usize, capacity: usize) -> Result<(), Unusable> {
        self.own.check_room(&self.plan, more, self.since, capacity)
    }

    /// Everything is read.
    pub(super) const fn complete(&mut self) {
        self.complete = true;
    }

    /// The poller's own stream as it must be stored now.
    pub(super) fn own(&mut self, capacity: usize) -> Result<Stored, Unusable> {
        self.own.stored(&self.plan, self.since, capacity)
    }

    /// The replays done, and how far this one is with `records`.
    pub(super) fn progress(&self, before: ReplayProgress, records: Stored) -> ReplayProgress {
        let mut progress = ReplayProgress {
            running: None,
            ..before
        };
        if !self.complete {
            progress.running = Some(RunningReplay {
                id: self.id.clone(),
                from: self.from,
                until: self.until,
                records,
            });
        } else if !progress.done.contains(&self.id) {
            progress.done.push(self.id.clone());
        }
        let surplus = progress.done.len().saturating_sub(REPLAYS_REMEMBERED);
        progress.done.drain(..surplus);
        progress
    }
}
