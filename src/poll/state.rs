//! A checkpoint at work: decoded once when a poll begins, encoded when it is stored.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    CheckpointStore, End, Plan, Segment, Track,
    change::Change,
    children::Children,
    fingerprint::Fingerprints,
    held::{Due, Held},
    intact,
    reconcile::{Known, Reconciling},
    replay::Replaying,
    stream::Stream,
    unusable::Unusable,
};
use crate::{
    api::{
        CHECKPOINT_VERSION, Checkpoint, CreatedCheck, RunningReplay, StartFrom, Stream as Stored,
        WHOLE_CHECKPOINT_VERSION,
    },
    event::Kind,
};

/// How long a watermark that moved without an event may stay unwritten.
const QUIET_WRITE_INTERVAL: TimeDelta = TimeDelta::minutes(10);

/// From where on the next poll reads each track.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since {
    pub(super) records: DateTime<Utc>,
    pub(super) deletions: DateTime<Utc>,
}

impl Since {
    pub(super) const fn of(self, track: Track) -> DateTime<Utc> {
        match track {
            Track::Records => self.records,
            Track::Deletions => self.deletions,
        }
    }
}

/// A checkpoint at work.
pub(super) struct State {
    /// The checkpoint as it was last stored or read; the parts that a poll doesn't touch are carried
    /// over from it.
    stored: Checkpoint,
    /// The stream that is read: the poller's own, or that of a replay.
    pub(super) records: Stream,
    /// The replay that is read, and the poller's own stream meanwhile.
    replaying: Option<Replaying>,
    /// The stream of a replay between two of its stretches, where its window is large.
    replayed: Option<Box<Stream>>,
    /// The provider's list of deletions, from the sweep on that first saw it in use.
    pub(super) deletes: Option<Stream>,
    pub(super) children: Children,
    /// The ids known, where they are compared with the provider's.
    pub(super) known: Known,
    pub(super) reconciling: Reconciling,
    swept_at: Option<DateTime<Utc>>,
    /// The content of records is no part of their versions.
    pub(super) content_ignored: bool,
    due: Due,
    /// The format of what is stored: it still has what that names, and the write behind the next
    /// shows that it was removed.
    least_version: i32,
    /// The provider's clock at the sweep that was stored last.
    written: DateTime<Utc>,
}

impl State {
    /// The checkpoint of a poller that starts at `started_at` and is made at `now`, both by the
    /// provider's clock.
    pub(super) fn starting(
        plan: &Plan,
        started_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Checkpoint {
        let deletes = plan.deletions.as_ref().map(|deletions| {
            let from = if deletions.from_start {
                started_at
            } else {
                now
            };
            Stream::starting(from)
        });
        Checkpoint {
            version: WHOLE_CHECKPOINT_VERSION,
            uid: plan.uid.clone(),
            query_fingerprint: plan.query_fingerprint.clone(),
            started_at,
            start_from: Some(plan.start_from),
            asked_since: None,
            swept_at: None,
            records: Stream::starting(started_at),
            deletes,
            reconcile: None,
            replay: None,
            children: Vec::new(),
        }
    }

    /// Takes up a checkpoint, reading from the store what this process doesn't hold.
    pub(super) async fn resume<K: CheckpointStore>(
        plan: &Plan,
        held: Held,
        store: &mut K,
    ) -> Result<Self, End> {
        let Held {
            checkpoint,
            records,
            deletes,
            replayed,
            reconciling,
            fresh,
            due,
            written,
        } = held;
        check(plan, &checkpoint)?;
        let mut records = match records {
            Some(records) => *records,
            None => Stream::resume(Track::Records, &checkpoint.records, store).await?,
        };
        if let Some(key) = key_of_replay(&checkpoint).filter(|_| records.window.len() == 0) {
            records.rename(key);
        }
        let known = Known::resume(
            checkpoint.reconcile.as_ref(),
            plan.reconcile.as_ref(),
            fresh,
        )?;
        let least_version = match due {
            Due::Nothing => checkpoint.least_version(),
            // It is not stored, and was made with regard to what is.
            _ => checkpoint.version,
        };
        let is_dropped = known.part().is_none() && checkpoint.reconcile.is_some();
        let due = if is_dropped { Due::Settled } else { due };
        let listed = checkpoint
            .deletes
            .as_ref()
            .filter(|_| plan.deletions.is_some());
        let deletes = match (listed, deletes) {
            (Some(_), Some(deletes)) => Some(*deletes),
            (Some(stored), None) => Some(Stream::resume(Track::Deletions, stored, store).await?),
            (None, _) => None,
        };
        let is_given_up = deletes.is_none() && checkpoint.deletes.is_some();
        let ignored = &checkpoint.records.content_ignored;
        let mut state = Self {
            records,
            replaying: None,
            replayed,
            deletes,
            children: Children::resume(&checkpoint.children),
            known,
            reconciling,
            swept_at: checkpoint.swept_at,
            content_ignored: ignored.is_some() && *ignored == plan.content,
            due: if is_given_up { Due::Settled } else { due },
            least_version,
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
        if let Some(answered) = answered {
            self.children.read_back(answered - plan.reach);
        }
        self.stored
            .query_fingerprint
            .clone_from(&plan.query_fingerprint);
        self.stored.asked_since = Some(self.records.watermark);
        self.due = Due::Settled;
    }

    /// Reads a replay from here on, as far as it is settled, and leaves the poller's own stream as it
    /// is but for what is delivered inside its reach: from `since` on, where the next poll begins.
    pub(super) async fn replay<K: CheckpointStore>(
        &mut self,
        plan: &Plan,
        replay: &RunningReplay,
        since: DateTime<Utc>,
        store: &mut K,
    ) -> Result<(), End> {
        let running = self.stored.running_replay();
        let is_held = running.is_some_and(|running| running.id == replay.id);
        let mut records = match self.replayed.take().filter(|_| is_held) {
            Some(replayed) => *replayed,
            None => Stream::resume(Track::Records, &replay.records, store).await?,
        };
        records.rename(self.records.fingerprints);
        let own = std::mem::replace(&mut self.records, records);
        self.children.renew();
        self.replaying = Some(Replaying::new(plan, replay, own, since));
        // The position is stored however the stretch ends.
        self.due = Due::Settled;
        Ok(())
    }

    /// Where the poller, or the replay, started: records dated before are not delivered.
    pub(super) fn started_at(&self) -> DateTime<Utc> {
        let replaying = self.replaying.as_ref();
        replaying.map_or(self.stored.started_at, Replaying::from)
    }

    /// A sweep begins at the provider's time `clock`; answers whether that clock was set back.
    pub(super) fn begin_sweep(&mut self, plan: &Plan, clock: DateTime<Utc>) -> bool {
        if self.replaying.is_some() {
            self.records.begin_sweep();
            return false;
        }
        let set_back = self.follow_clock_back(plan, clock);
        self.records.begin_sweep();
        self.begin_deletes(plan, clock);
        self.quiet_write(clock);
        self.swept_at = Some(clock);
        set_back
    }

    /// Deletions that are asked for from now on count from now on.
    fn begin_deletes(&mut self, plan: &Plan, clock: DateTime<Utc>) {
        if plan.deletions.is_some() && self.deletes.is_none() {
            self.deletes = Some(Stream::begin(Track::Deletions, clock));
            self.due = Due::Settled;
        }
    }

    /// A clock that stands before the reach in two polls running was set back: what is dated by it
    /// from now on lies before the bound, so the watermark goes back to where that began
    /// (polling rule 22).
    ///
    /// The first of the two polls stores what it saw, since the second may be another process's.
    fn follow_clock_back(&mut self, plan: &Plan, clock: DateTime<Utc>) -> bool {
        if self.is_awaiting_start(clock) {
            return false;
        }
        let reached = self.records.watermark - plan.reach;
        let behind = self.stored.swept_at.filter(|swept| *swept < reached);
        let is_behind = clock < reached;
        if behind.is_some() != is_behind {
            self.due = Due::Settled;
        }
        let Some(first) = behind.filter(|_| is_behind) else {
            return false;
        };
        // When it was set is not known: an interval before the first of them at most, and an
        // interval lies between the two.
        let back = first.min(clock) - (clock - first).max(TimeDelta::zero());
        self.records.follow_back(back, plan.reach);
        self.children.read_back(back - plan.reach);
        if let Some(deletes) = &mut self.deletes {
            let back = back.min(deletes.watermark);
            deletes.follow_back(back, plan.reach_of(Track::Deletions));
        }
        self.stored.started_at = self.stored.started_at.min(back);
        self.due = Due::Settled;
        true
    }

    /// Whether `startFrom` is still to come, and everything settled with it.
    fn is_awaiting_start(&self, clock: DateTime<Utc>) -> bool {
        let is_to_come =
            matches!(self.stored.start_from, Some(StartFrom::At(start)) if start > clock);
        is_to_come && self.records.watermark == self.stored.started_at
    }

    /// From now on the content of records is no part of their versions.
    pub(super) fn ignore_content(&mut self) {
        self.content_ignored = true;
        self.due = Due::Settled;
    }

    /// A change is settled: its version enters the window, and must be written.
    pub(super) fn settle(&mut self, plan: &Plan, change: &Change) {
        self.known.settle(change);
        for (fingerprint, date) in self.entries_of(plan, change) {
            self.of_mut(change.track).window.insert(fingerprint, date);
        }
        if let Some(deleted) = change.restores {
            // Where the deletion left its mark.
            self.of_mut(Track::Deletions).restore(&change.id, deleted);
        }
        if let Some(mut replaying) = self.replaying.take() {
            replaying.settle(change, |plan| self.entries_of(plan, change));
            self.replaying = Some(replaying);
        }
        self.due = Due::Settled;
    }

    /// The row of a deletion needs no event, since the record exists.
    pub(super) fn pass_over(&mut self, change: &Change) {
        let window = &mut self.of_mut(change.track).window;
        window.insert(change.fingerprint, change.updated);
        self.due = self.due.max(Due::Watermark);
    }

    /// When `id` was deleted, where that was delivered and nothing since that it is back.
    pub(super) fn deleted_at(&self, id: &str) -> Option<DateTime<Utc>> {
        self.of(Track::Deletions).deleted_at(id)
    }

    /// What is known of one track; of records, where there is no list of deletions.
    pub(super) fn of(&self, track: Track) -> &Stream {
        match (track, &self.deletes) {
            (Track::Deletions, Some(deletes)) => deletes,
            _ => &self.records,
        }
    }

    pub(super) const fn of_mut(&mut self, track: Track) -> &mut Stream {
        match (track, &mut self.deletes) {
            (Track::Deletions, Some(deletes)) => deletes,
            _ => &mut self.records,
        }
    }

    const fn stored_of(&self, track: Track) -> Option<&Stored> {
        match track {
            Track::Records => Some(&self.stored.records),
            Track::Deletions => self.stored.deletes.as_ref(),
        }
    }

    /// Whether what these changes enter into the windows can be stored: else nothing of them may be
    /// delivered.
    pub(super) fn check_room(
        &self,
        plan: &Plan,
        changes: &[Change],
        since: Since,
        capacity: usize,
    ) -> Result<(), Unusable> {
        for track in Track::ALL {
            let entries = changes
                .iter()
                .filter(|change| change.track == track)
                .map(|change| {
                    self.entries_of(plan, change).count() + usize::from(change.restores.is_some())
                });
            let entries = entries.sum();
            if let Some(replaying) = self.replaying.as_ref().filter(|_| track == Track::Records) {
                replaying.check_room(entries, capacity)?;
            }
            self.of(track)
                .check_room(plan, entries, since.of(track), capacity)?;
        }
        Ok(())
    }

    /// What a change enters into the window of its track under its date: its version, where that is a
    /// digest also its date alone, and marks of its creation or deletion.
    fn entries_of(
        &self,
        plan: &Plan,
        change: &Change,
    ) -> impl Iterator<Item = (u64, DateTime<Utc>)> + use<> {
        let fingerprints = &self.of(change.track).fingerprints;
        let (id, updated) = (&change.id, change.updated);
        let is_marked =
            change.kind == Kind::Created && plan.created_check == CreatedCheck::Watermark;
        let is_dated = plan.content.is_some() && change.track == Track::Records;
        let dated = is_dated.then(|| fingerprints.version(id, updated, ""));
        let created = is_marked.then(|| fingerprints.created_mark(id));
        let deleted = (change.kind == Kind::Deleted).then(|| fingerprints.deleted_mark(id));
        [Some(change.fingerprint), dated, created, deleted]
            .into_iter()
            .flatten()
            .map(move |fingerprint| (fingerprint, updated))
    }

    /// Everything of one track dated at or before `date` is settled.
    pub(super) fn advance(&mut self, track: Track, date: DateTime<Utc>) {
        if self.of_mut(track).advance(date) {
            self.due = self.due.max(Due::Watermark);
        }
    }

    /// Everything of one track dated before `instant` is settled, and is not read again: what is
    /// left begins there.
    pub(super) fn settle_before(&mut self, track: Track, instant: DateTime<Utc>) {
        self.of_mut(track).settle_before(instant);
        self.due = Due::Settled;
    }

    /// The sweep so far proved nothing about order: the watermark goes back to its start.
    pub(super) fn retreat(&mut self, track: Track) {
        self.of_mut(track).retreat();
        let stored = self.stored_of(track).map(|stored| stored.watermark);
        if stored.is_some_and(|stored| stored > self.of(track).watermark) {
            self.due = Due::Settled;
        }
    }

    /// A sweep has read everything: the window is cut to what the next bound reads, `since`.
    pub(super) fn complete_sweep(
        &mut self,
        plan: &Plan,
        track: Track,
        since: DateTime<Utc>,
        keep: impl Fn(u64) -> bool,
    ) {
        self.of_mut(track).complete_sweep(plan, since, keep);
        if let Some(replaying) = &mut self.replaying {
            replaying.complete();
            return;
        }
        if track == Track::Records {
            self.complete_records(plan, since);
        }
        let stored = self.stored_of(track);
        if stored.is_some_and(|stored| stored.settled_at_start.is_some()) {
            self.due = Due::Settled;
        }
    }

    fn complete_records(&mut self, plan: &Plan, since: DateTime<Utc>) {
        // Where rows of any date come again, those that a child settled do too.
        if plan.drop_before_bound && self.children.retire(since) {
            self.due = self.due.max(Due::Watermark);
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

    /// The checkpoint as it must be stored now, for next bounds that read what is dated `since`.
    pub(super) fn checkpoint(
        &mut self,
        plan: &Plan,
        since: Since,
        capacity: usize,
    ) -> Result<Checkpoint, Unusable> {
        let mut records = self.records.stored(plan, since.records, capacity)?;
        let mut replay = self.stored.replay.clone();
        if let Some(replaying) = &mut self.replaying {
            replay = Some(replaying.progress(replay.unwrap_or_default(), records));
            records = replaying.own(capacity)?;
        }
        let deletes = self.deletes.as_mut();
        let deletes = deletes.map(|deletes| deletes.stored(plan, since.deletions, capacity));
        records.content_ignored = plan.content.clone().filter(|_| self.content_ignored);
        let mut checkpoint = Checkpoint {
            swept_at: self.swept_at,
            records,
            replay,
            deletes: deletes.transpose()?,
            children: self.children.stored(),
            reconcile: self.known.stored(),
            ..self.stored.clone()
        };
        checkpoint.version = checkpoint.least_version().max(self.least_version);
        Ok(checkpoint)
    }

    /// The segments that `checkpoint` names and the store has not.
    pub(super) fn unstored(&self, checkpoint: &Checkpoint) -> Vec<Segment> {
        let mut segments = match &self.replaying {
            None => self.records.unstored(&checkpoint.records),
            Some(replaying) => replaying.own.unstored(&checkpoint.records),
        };
        let replayed = self.replayed().zip(checkpoint.running_replay());
        if let Some((replayed, running)) = replayed {
            segments.extend(replayed.unstored(&running.records));
        }
        if let (Some(deletes), Some(stored)) = (&self.deletes, &checkpoint.deletes) {
            segments.extend(deletes.unstored(stored));
        }
        segments.extend(self.known.unstored(checkpoint.reconcile.as_ref()));
        segments
    }

    /// The stream of a replay, read now or between two stretches.
    fn replayed(&self) -> Option<&Stream> {
        match &self.replaying {
            None => self.replayed.as_deref(),
            Some(_) => Some(&self.records),
        }
    }

    /// What a restart must know has changed.
    pub(super) const fn must_be_written(&mut self) {
        self.due = Due::Settled;
    }

    /// `checkpoint` is stored now.
    pub(super) fn stored(&mut self, checkpoint: Checkpoint) {
        self.known.note_stored();
        self.written = checkpoint.swept_at.unwrap_or(checkpoint.started_at);
        match &mut self.replaying {
            None => self.records.note_stored(&checkpoint.records),
            Some(replaying) => replaying.own.note_stored(&checkpoint.records),
        }
        let replayed = match &self.replaying {
            None => self.replayed.as_deref_mut(),
            Some(_) => Some(&mut self.records),
        };
        if let (Some(replayed), Some(running)) = (replayed, checkpoint.running_replay()) {
            replayed.note_stored(&running.records);
        }
        if let (Some(deletes), Some(stored)) = (&mut self.deletes, &checkpoint.deletes) {
            deletes.note_stored(stored);
        }
        self.least_version = checkpoint.least_version();
        self.stored = checkpoint;
        self.due = Due::Nothing;
    }

    /// What to go on from in this process.
    pub(super) fn into_held(mut self, plan: &Plan, since: Since, capacity: usize) -> Held {
        let (due, written) = (self.due, self.written);
        let is_stored = due == Due::Nothing
            && self.replaying.is_none()
            && self.stored.records.watermark == self.records.watermark;
        let checkpoint = if is_stored {
            self.stored
        } else {
            self.checkpoint(plan, since, capacity)
                .unwrap_or(self.stored)
        };
        let large = |stream: Stream| stream.window.is_large().then(|| Box::new(stream));
        let (records, replayed) = match self.replaying {
            None => (self.records, self.replayed),
            Some(replaying) => (replaying.own, large(self.records)),
        };
        Held {
            replayed: replayed.filter(|_| checkpoint.running_replay().is_some()),
            checkpoint,
            records: large(records),
            deletes: self.deletes.and_then(large),
            reconciling: self.reconciling,
            fresh: self.known.into_fresh(),
            due,
            written,
        }
    }
}

/// What a running replay names versions with: a window without one must name them alike, or what the
/// replay delivers could not enter it.
fn key_of_replay(checkpoint: &Checkpoint) -> Option<Fingerprints> {
    let window = checkpoint.running_replay()?.records.window.as_ref()?;
    Fingerprints::from_encoded(&window.key)
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
