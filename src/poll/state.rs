//! A checkpoint at work: decoded once when a poll begins, encoded when it is stored.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Plan,
    change::Change,
    children::Children,
    held::{Due, Held},
    intact,
    stream::Stream,
    unusable::Unusable,
};
use crate::{
    api::{CHECKPOINT_VERSION, Checkpoint, CreatedCheck, WHOLE_CHECKPOINT_VERSION},
    event::Kind,
};

/// How long a watermark that moved without an event may stay unwritten.
const QUIET_WRITE_INTERVAL: TimeDelta = TimeDelta::minutes(10);

/// A checkpoint at work.
pub(super) struct State {
    /// The checkpoint as it was last stored or read; the parts that a poll of records doesn't
    /// touch are carried over from it.
    stored: Checkpoint,
    pub(super) records: Stream,
    pub(super) children: Children,
    swept_at: Option<DateTime<Utc>>,
    /// The content of records is no part of their versions.
    pub(super) content_ignored: bool,
    due: Due,
    /// The provider's clock at the sweep that was stored last.
    written: DateTime<Utc>,
}

impl State {
    /// The checkpoint of a poller that starts at `started_at`.
    pub(super) fn starting(plan: &Plan, started_at: DateTime<Utc>) -> Checkpoint {
        Checkpoint {
            version: WHOLE_CHECKPOINT_VERSION,
            uid: plan.uid.clone(),
            query_fingerprint: plan.query_fingerprint.clone(),
            started_at,
            asked_since: None,
            swept_at: None,
            records: Stream::starting(started_at),
            deletes: None,
            reconcile: None,
            replay: None,
            children: Vec::new(),
        }
    }

    /// Takes up a stored checkpoint.
    pub(super) fn resume(plan: &Plan, held: Held) -> Result<Self, Unusable> {
        let Held {
            checkpoint,
            due,
            written,
        } = held;
        check(plan, &checkpoint)?;
        let records = Stream::resume(&checkpoint.records)?;
        let ignored = &checkpoint.records.content_ignored;
        let mut state = Self {
            records,
            children: Children::resume(&checkpoint.children),
            swept_at: checkpoint.swept_at,
            content_ignored: ignored.is_some() && *ignored == plan.content,
            due,
            written,
            stored: checkpoint,
        };
        if state.stored.query_fingerprint != plan.query_fingerprint {
            state.ask_otherwise(plan);
        }
        state.meet_children(plan);
        Ok(state)
    }

    /// Takes note of who takes which class by now. The class of a poller that is gone is read again
    /// from where that one stopped (polling rule 17).
    fn meet_children(&mut self, plan: &Plan) {
        let met = self.children.meet(plan, self.records.bound(plan.reach));
        if let Some(instant) = met.read_again {
            self.records.take_back(instant.max(self.started_at()));
        }
        self.due = self.due.max(met.due);
    }

    /// After an edit of what is asked, the next bound reads back to where the old question was
    /// last answered, whatever the window covers (polling rules 22 and 23).
    fn ask_otherwise(&mut self, plan: &Plan) {
        // A start in the future lies behind the clock at which the sweeps before it began.
        let answered = self.swept_at.map(|swept| swept.max(self.started_at()));
        self.records.read_back(answered, plan.reach);
        self.stored
            .query_fingerprint
            .clone_from(&plan.query_fingerprint);
        self.stored.asked_since = Some(self.records.watermark);
        self.due = Due::Settled;
    }

    /// Where the poller started: records dated before are not delivered.
    pub(super) const fn started_at(&self) -> DateTime<Utc> {
        self.stored.started_at
    }

    /// A sweep begins at the provider's time `clock`; answers whether that clock was set back.
    pub(super) fn begin_sweep(&mut self, plan: &Plan, clock: DateTime<Utc>) -> bool {
        let set_back = self.follow_clock_back(plan, clock);
        self.records.begin_sweep();
        self.quiet_write(clock);
        self.swept_at = Some(clock);
        set_back
    }

    /// A clock that stands before the reach in two polls running was set back: what is dated by it
    /// from now on lies before the bound, so the watermark goes back to where it stood in the first
    /// of them (polling rule 22).
    ///
    /// The first of the two polls stores what it saw, since the second may be another process's.
    fn follow_clock_back(&mut self, plan: &Plan, clock: DateTime<Utc>) -> bool {
        let reached = self.records.watermark - plan.reach;
        let behind = self.stored.swept_at.filter(|swept| *swept < reached);
        let is_behind = clock < reached;
        if behind.is_some() != is_behind {
            self.due = Due::Settled;
        }
        let Some(first) = behind.filter(|_| is_behind) else {
            return false;
        };
        let back = first.min(clock);
        self.records.follow_back(back, plan.reach);
        self.stored.started_at = self.stored.started_at.min(back);
        self.due = Due::Settled;
        true
    }

    /// From now on the content of records is no part of their versions.
    pub(super) fn ignore_content(&mut self) {
        self.content_ignored = true;
        self.due = Due::Settled;
    }

    /// A change is settled: its version enters the window, and must be written.
    pub(super) fn settle(&mut self, plan: &Plan, change: &Change) {
        let Stream {
            window,
            fingerprints,
            ..
        } = &mut self.records;
        window.insert(change.fingerprint, change.updated);
        if plan.content.is_some() {
            let dated = fingerprints.version(&change.id, change.updated, "");
            window.insert(dated, change.updated);
        }
        if change.kind == Kind::Created && plan.created_check == CreatedCheck::Watermark {
            window.insert(fingerprints.created_mark(&change.id), change.updated);
        }
        if change.kind == Kind::Deleted {
            window.insert(fingerprints.deleted_mark(&change.id), change.updated);
        }
        if let Some(deleted) = change.restores {
            window.insert(fingerprints.restored_mark(&change.id, deleted), deleted);
        }
        self.due = Due::Settled;
    }

    /// Everything dated at or before `date` is settled.
    pub(super) fn advance(&mut self, date: DateTime<Utc>) {
        if self.records.advance(date) {
            self.due = self.due.max(Due::Watermark);
        }
    }

    /// The sweep so far proved nothing about order: the watermark goes back to its start.
    pub(super) fn retreat(&mut self) {
        self.records.retreat();
        if self.stored.records.watermark > self.records.watermark {
            self.due = Due::Settled;
        }
    }

    /// A sweep has read everything: the window is cut to what the next bound reads, `since`.
    pub(super) fn complete_sweep(
        &mut self,
        plan: &Plan,
        since: DateTime<Utc>,
        keep: impl Fn(u64) -> bool,
    ) {
        self.records.complete_sweep(since, keep);
        // Where rows of any date come again, those that a child settled do too.
        if plan.drop_before_bound && self.children.retire(since) {
            self.due = self.due.max(Due::Watermark);
        }
        if self.stored.records.settled_at_start.is_some() {
            self.due = Due::Settled;
        }
        if let Some(clock) = self.swept_at {
            self.quiet_write(clock);
        }
    }

    /// Whether the stored checkpoint lacks something that a restart would repeat.
    pub(super) fn is_due(&self) -> bool {
        self.due == Due::Settled
    }

    /// A watermark moved by records without events is written at most every ten minutes.
    fn quiet_write(&mut self, clock: DateTime<Utc>) {
        if self.due == Due::Watermark && clock - self.written >= QUIET_WRITE_INTERVAL {
            self.due = Due::Settled;
        }
    }

    /// The checkpoint as it must be stored now, for a next bound that reads what is dated `since`.
    pub(super) fn checkpoint(
        &mut self,
        plan: &Plan,
        since: DateTime<Utc>,
        capacity: usize,
    ) -> Result<Checkpoint, Unusable> {
        let mut records = self.records.stored(plan, since, capacity)?;
        records.content_ignored = plan.content.clone().filter(|_| self.content_ignored);
        Ok(Checkpoint {
            swept_at: self.swept_at,
            records,
            children: self.children.stored(),
            ..self.stored.clone()
        })
    }

    /// `checkpoint` is stored now.
    pub(super) fn stored(&mut self, checkpoint: Checkpoint) {
        self.written = checkpoint.swept_at.unwrap_or(checkpoint.started_at);
        self.stored = checkpoint;
        self.due = Due::Nothing;
    }

    /// What to go on from in this process.
    pub(super) fn into_held(mut self, plan: &Plan, since: DateTime<Utc>, capacity: usize) -> Held {
        let (due, written) = (self.due, self.written);
        let is_stored =
            due == Due::Nothing && self.stored.records.watermark == self.records.watermark;
        let checkpoint = if is_stored {
            self.stored
        } else {
            self.checkpoint(plan, since, capacity)
                .unwrap_or(self.stored)
        };
        Held {
            checkpoint,
            due,
            written,
        }
    }
}

/// Whether a poll of this plan may go on from `checkpoint`.
fn check(plan: &Plan, checkpoint: &Checkpoint) -> Result<(), Unusable> {
    let version = checkpoint.version;
    if version > CHECKPOINT_VERSION {
        return Err(Unusable::TooNew(version));
    }
    if version < 1 {
        return Err(Unusable::Damaged(format!("its version is {version}")));
    }
    if checkpoint.uid != plan.uid {
        return Err(Unusable::Foreign(checkpoint.uid.clone()));
    }
    intact::check(checkpoint).map_err(Unusable::Damaged)
}
