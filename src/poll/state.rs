//! A checkpoint at work: decoded once when a poll begins, encoded when it is stored.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Plan,
    change::Change,
    fingerprint::Fingerprints,
    held::{Due, Held},
    unusable::Unusable,
    window::Window,
};
use crate::{
    api::{CHECKPOINT_VERSION, Checkpoint, CreatedCheck, Stream, Window as Encoded},
    event::Kind,
};

/// How long a watermark that moved without an event may stay unwritten.
const QUIET_WRITE_INTERVAL: TimeDelta = TimeDelta::minutes(10);

/// A checkpoint at work.
pub(super) struct State {
    /// The checkpoint as it was last stored or read; the parts that a poll of records doesn't
    /// touch are carried over from it.
    stored: Checkpoint,
    pub(super) fingerprints: Fingerprints,
    pub(super) window: Window,
    pub(super) watermark: DateTime<Utc>,
    /// The watermark when the unfinished sweep began.
    pub(super) settled_at_start: DateTime<Utc>,
    window_since: DateTime<Utc>,
    swept_at: Option<DateTime<Utc>>,
    unfinished: bool,
    /// The content of records is no part of their versions.
    pub(super) content_ignored: bool,
    due: Due,
    /// The provider's clock at the sweep that was stored last.
    written: DateTime<Utc>,
    /// The window holds less than the reach, since a checkpoint holds no more.
    pub(super) is_cut: bool,
}

impl State {
    /// The checkpoint of a poller that starts at `started_at`.
    pub(super) fn starting(plan: &Plan, started_at: DateTime<Utc>) -> Checkpoint {
        Checkpoint {
            version: CHECKPOINT_VERSION,
            uid: plan.uid.clone(),
            query_fingerprint: plan.query_fingerprint.clone(),
            started_at,
            swept_at: None,
            records: Stream {
                watermark: started_at,
                settled_at_start: None,
                window_since: started_at,
                window: None,
                content_ignored: None,
                position: None,
            },
            deletes: None,
            reconcile: None,
            replay: None,
        }
    }

    /// Takes up a stored checkpoint.
    pub(super) fn resume(plan: &Plan, held: Held) -> Result<Self, Unusable> {
        let Held {
            checkpoint,
            due,
            written,
        } = held;
        if checkpoint.version > CHECKPOINT_VERSION {
            return Err(Unusable::TooNew(checkpoint.version));
        }
        if checkpoint.version < 1 {
            return Err(Unusable::Damaged(format!(
                "its version is {}",
                checkpoint.version
            )));
        }
        if checkpoint.uid != plan.uid {
            return Err(Unusable::Foreign(checkpoint.uid));
        }
        let (fingerprints, window) = match &checkpoint.records.window {
            None => (Fingerprints::new(rand::random()), Window::default()),
            Some(encoded) => decode(encoded)?,
        };
        let asked_otherwise = checkpoint.query_fingerprint != plan.query_fingerprint;
        let ignored = &checkpoint.records.content_ignored;
        let content_ignored = ignored.is_some() && *ignored == plan.content;
        let mut state = Self::at(checkpoint, fingerprints, window);
        state.content_ignored = content_ignored;
        (state.due, state.written) = (due, written);
        if asked_otherwise {
            state.ask_otherwise(plan);
        }
        Ok(state)
    }

    fn at(stored: Checkpoint, fingerprints: Fingerprints, window: Window) -> Self {
        let records = &stored.records;
        Self {
            fingerprints,
            window,
            watermark: records.watermark,
            settled_at_start: records.settled_at_start.unwrap_or(records.watermark),
            window_since: records.window_since,
            swept_at: stored.swept_at,
            unfinished: records.settled_at_start.is_some(),
            content_ignored: false,
            due: Due::Nothing,
            written: stored.started_at,
            is_cut: false,
            stored,
        }
    }

    /// After an edit of what is asked, the next bound reads back to where the old question was
    /// last answered, whatever the window covers (polling rules 22 and 23).
    fn ask_otherwise(&mut self, plan: &Plan) {
        self.watermark = self
            .swept_at
            .map_or(self.watermark, |swept| self.watermark.min(swept));
        self.settled_at_start = self.settled_at_start.min(self.watermark);
        self.window_since = self.window_since.min(self.watermark - plan.reach);
        self.stored
            .query_fingerprint
            .clone_from(&plan.query_fingerprint);
        self.due = Due::Settled;
    }

    /// Where the poller started: records dated before are not delivered.
    pub(super) const fn started_at(&self) -> DateTime<Utc> {
        self.stored.started_at
    }

    /// The instant from which a sweep reads: behind the watermark by the reach, but no further
    /// back than the window knows what was settled.
    pub(super) fn bound(&self, plan: &Plan) -> DateTime<Utc> {
        (self.watermark - plan.reach).max(self.window_since.min(self.watermark))
    }

    /// A sweep begins at the provider's time `clock`; answers whether that clock was set back.
    pub(super) fn begin_sweep(&mut self, plan: &Plan, clock: DateTime<Utc>) -> bool {
        let set_back = self.follow_clock_back(plan, clock);
        if !self.unfinished {
            self.settled_at_start = self.watermark;
            self.unfinished = true;
        }
        self.quiet_write(clock);
        self.swept_at = Some(clock);
        set_back
    }

    /// A clock that stands before the reach in two polls running was set back: what is dated by it
    /// from now on lies before the bound, so the watermark goes back to it (polling rule 22).
    ///
    /// The first of the two polls stores what it saw, since the second may be another process's.
    fn follow_clock_back(&mut self, plan: &Plan, clock: DateTime<Utc>) -> bool {
        let reached = self.watermark - plan.reach;
        let was_behind = self.stored.swept_at.is_some_and(|swept| swept < reached);
        let is_behind = clock < reached;
        if was_behind != is_behind {
            self.due = Due::Settled;
        }
        if !(was_behind && is_behind) {
            return false;
        }
        self.watermark = clock;
        self.settled_at_start = clock;
        self.window_since = self.window_since.min(clock - plan.reach);
        self.stored.started_at = self.stored.started_at.min(clock);
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
        self.window.insert(change.fingerprint, change.updated);
        if plan.content.is_some() {
            let dated = self.fingerprints.version(&change.id, change.updated, "");
            self.window.insert(dated, change.updated);
        }
        if change.kind == Kind::Created && plan.created_check == CreatedCheck::Watermark {
            self.window
                .insert(self.fingerprints.created_mark(&change.id), change.updated);
        }
        self.due = Due::Settled;
    }

    /// Everything dated at or before `date` is settled.
    pub(super) fn advance(&mut self, date: DateTime<Utc>) {
        if date > self.watermark {
            self.watermark = date;
            self.due = self.due.max(Due::Watermark);
        }
    }

    /// The sweep so far proved nothing about order: the watermark goes back to its start.
    pub(super) fn retreat(&mut self) {
        self.watermark = self.settled_at_start;
        if self.stored.records.watermark > self.watermark {
            self.due = Due::Settled;
        }
    }

    /// A sweep has read everything: the window is cut to the reach.
    pub(super) fn complete_sweep(&mut self, plan: &Plan, keep: impl Fn(u64) -> bool) {
        let since = self.watermark - plan.reach;
        self.window.prune(since, keep);
        self.window_since = self.window_since.max(since);
        self.unfinished = false;
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

    /// The checkpoint as it must be stored now.
    pub(super) fn checkpoint(
        &mut self,
        plan: &Plan,
        capacity: usize,
    ) -> Result<Checkpoint, Unusable> {
        let since = self.fit(plan, capacity)?;
        let (entries, count) = self.window.encode(since);
        let mut checkpoint = self.stored.clone();
        checkpoint.swept_at = self.swept_at;
        checkpoint.records = Stream {
            watermark: self.watermark,
            settled_at_start: self.unfinished.then_some(self.settled_at_start),
            window_since: self.window_since.max(since),
            window: (count > 0).then(|| Encoded {
                key: self.fingerprints.encoded_key(),
                count: i64::try_from(count).unwrap_or(i64::MAX),
                entries,
            }),
            content_ignored: plan.content.clone().filter(|_| self.content_ignored),
            position: None,
        };
        Ok(checkpoint)
    }

    /// Since when the stored window must hold what was settled: the reach, or where that is too
    /// much, whole dates less.
    fn fit(&mut self, plan: &Plan, capacity: usize) -> Result<DateTime<Utc>, Unusable> {
        if !plan.drop_before_bound {
            // Rows of any date come again, so nothing may be given up.
            let fits = self.window.len() <= capacity;
            return fits
                .then_some(DateTime::<Utc>::MIN_UTC)
                .ok_or(Unusable::WindowTooLarge(capacity));
        }
        let since = self.watermark - plan.reach;
        let fitting = self
            .window
            .fitting_since(since, self.watermark - plan.unit, capacity)
            .ok_or(Unusable::WindowTooLarge(capacity))?;
        if fitting > since {
            self.window_since = self.window_since.max(fitting);
            self.is_cut = true;
        }
        Ok(fitting)
    }

    /// `checkpoint` is stored now.
    pub(super) fn stored(&mut self, checkpoint: Checkpoint) {
        self.written = checkpoint.swept_at.unwrap_or(checkpoint.started_at);
        self.stored = checkpoint;
        self.due = Due::Nothing;
    }

    /// What to go on from in this process.
    pub(super) fn into_held(mut self, plan: &Plan, capacity: usize) -> Held {
        let (due, written) = (self.due, self.written);
        let is_stored = due == Due::Nothing && self.stored.records.watermark == self.watermark;
        let checkpoint = if is_stored {
            self.stored
        } else {
            self.checkpoint(plan, capacity).unwrap_or(self.stored)
        };
        Held {
            checkpoint,
            due,
            written,
        }
    }
}

fn decode(encoded: &Encoded) -> Result<(Fingerprints, Window), Unusable> {
    let fingerprints = Fingerprints::from_encoded(&encoded.key)
        .ok_or_else(|| Unusable::Damaged("the window's key is no 16 bytes in base64".to_owned()))?;
    let window = Window::decode(&encoded.entries, encoded.count)
        .map_err(|damage| Unusable::Damaged(damage.to_string()))?;
    Ok((fingerprints, window))
}
