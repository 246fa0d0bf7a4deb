//! How far one stream of changes is settled: records, or deletions.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    CheckpointStore, End, Plan, Segment, Track,
    fingerprint::Fingerprints,
    segment::LoadError,
    unusable::Unusable,
    window::{Unread, Window},
};
use crate::api::Stream as Stored;

/// Fingerprints that cost little to keep: 4 KiB of them.
pub(super) const FEW: usize = 512;

/// One stream at work: its watermark and its window, decoded.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    /// Of what.
    track: Track,
    pub(super) fingerprints: Fingerprints,
    pub(super) window: Window,
    pub(super) watermark: DateTime<Utc>,
    /// The watermark when the unfinished sweep began.
    pub(super) settled_at_start: DateTime<Utc>,
    /// A time by the provider's clock no later than when the last sweep asked for its first page.
    pub(super) swept_at: Option<DateTime<Utc>>,
    window_since: DateTime<Utc>,
    unfinished: bool,
    /// The window holds less than the reach, since a checkpoint holds no more.
    pub(super) is_cut: bool,
}

impl Stream {
    /// A stream as it is stored when it starts at `instant`.
    pub(super) const fn starting(instant: DateTime<Utc>) -> Stored {
        Stored {
            watermark: instant,
            settled_at_start: None,
            swept_at: None,
            window_since: instant,
            window: None,
            content_ignored: None,
            position: None,
        }
    }

    /// Takes up a stored stream, with the segments that it names.
    pub(super) async fn resume<K: CheckpointStore>(
        track: Track,
        stored: &Stored,
        store: &mut K,
    ) -> Result<Self, End> {
        let mut stream = Self::begin(track, stored.watermark);
        if let Some(window) = &stored.window {
            stream.fingerprints = fingerprints(&window.key)?;
            stream.window = Window::load(window, store).await.map_err(unread)?;
        }
        stream.swept_at = stored.swept_at;
        stream.window_since = stored.window_since;
        if let Some(settled_at_start) = stored.settled_at_start {
            stream.settled_at_start = settled_at_start;
            stream.unfinished = true;
        }
        Ok(stream)
    }

    /// A stream of which nothing is settled that is dated after `instant`.
    pub(super) fn begin(track: Track, instant: DateTime<Utc>) -> Self {
        Self {
            track,
            fingerprints: Fingerprints::new(rand::random()),
            window: Window::default(),
            watermark: instant,
            settled_at_start: instant,
            swept_at: None,
            window_since: instant,
            unfinished: false,
            is_cut: false,
        }
    }

    /// That `id` is back from its deletion is delivered.
    pub(super) fn restore(&mut self, id: &str, deleted: DateTime<Utc>) {
        let mark = self.fingerprints.restored_mark(id, deleted);
        self.window.insert(mark, deleted);
    }

    /// When `id` was deleted, where that was delivered and nothing since that it is back.
    pub(super) fn deleted_at(&self, id: &str) -> Option<DateTime<Utc>> {
        let deleted = self.window.date(self.fingerprints.deleted_mark(id))?;
        let restored = self.fingerprints.restored_mark(id, deleted);
        (!self.window.contains(restored)).then_some(deleted)
    }

    /// The instant from which a sweep reads: behind the watermark by the reach, but no further
    /// back than the window knows what was settled.
    pub(super) fn bound(&self, reach: TimeDelta) -> DateTime<Utc> {
        (self.watermark - reach).max(self.window_since.min(self.watermark))
    }

    /// What is dated before this is settled, and read no more. A unit in which a sweep begins is read as
    /// a whole, unless the window begins later.
    pub(super) fn settled_before(&self, plan: &Plan) -> DateTime<Utc> {
        let bound = self.bound(plan.reach_of(self.track));
        let over = TimeDelta::microseconds(1) - plan.unit_of(self.track);
        let before = bound.checked_add_signed(over).unwrap_or(bound);
        before.max(self.window_since.min(bound))
    }

    /// From behind which date on, by the reach, the window is stored: the watermark; and where that
    /// costs little what an unfinished sweep goes back to, should its order prove false.
    pub(super) fn kept_from(&self) -> DateTime<Utc> {
        if self.unfinished && self.window.len() <= FEW {
            self.settled_at_start.min(self.watermark)
        } else {
            self.watermark
        }
    }

    /// A sweep begins, or goes on that an earlier poll left unfinished.
    pub(super) const fn begin_sweep(&mut self) {
        if !self.unfinished {
            self.settled_at_start = self.watermark;
            self.unfinished = true;
        }
    }

    /// The provider's clock was set back to `clock`: the watermark goes back to it.
    pub(super) fn follow_back(&mut self, clock: DateTime<Utc>, reach: TimeDelta) {
        self.swept_at = None;
        self.watermark = clock;
        self.settled_at_start = clock;
        self.window_since = self.window_since.min(clock - reach);
    }

    /// The next bound reads back to `answered`, whatever the window covers.
    pub(super) fn read_back(&mut self, answered: Option<DateTime<Utc>>, reach: TimeDelta) {
        self.swept_at = None;
        self.watermark = answered.map_or(self.watermark, |answered| self.watermark.min(answered));
        self.settled_at_start = self.settled_at_start.min(self.watermark);
        self.window_since = self.window_since.min(self.watermark - reach);
    }

    /// What is dated after `instant` is to be read again.
    pub(super) fn take_back(&mut self, instant: DateTime<Utc>) {
        self.swept_at = None;
        self.watermark = self.watermark.min(instant);
        self.settled_at_start = self.settled_at_start.min(self.watermark);
    }

    /// Names versions by `fingerprints`; those in the window that were named with another are forgotten.
    pub(super) fn rename(&mut self, fingerprints: Fingerprints) {
        if self.fingerprints != fingerprints {
            self.fingerprints = fingerprints;
            self.window = Window::default();
        }
    }

    /// Everything dated at or before `date` is settled; answers whether that moved the watermark.
    pub(super) fn advance(&mut self, date: DateTime<Utc>) -> bool {
        let moves = date > self.watermark;
        self.watermark = self.watermark.max(date);
        moves
    }

    /// Everything dated before `instant` is settled, and the next bound lies there.
    pub(super) fn settle_before(&mut self, instant: DateTime<Utc>) {
        self.watermark = self.watermark.max(instant);
        self.window_since = self.window_since.max(instant);
    }

    /// The sweep so far proved nothing about order: the watermark goes back to its start.
    pub(super) const fn retreat(&mut self) {
        self.watermark = self.settled_at_start;
    }

    /// A sweep has read everything: the window is cut to what the next bound reads, `since`, or
    /// less where it is complete for less. Answers whether that dropped anything.
    pub(super) fn complete_sweep(
        &mut self,
        plan: &Plan,
        since: DateTime<Utc>,
        keep: impl Fn(u64) -> bool,
    ) -> bool {
        let held = self.window.len();
        let complete = self.window_since.min(self.watermark) - plan.unit_of(self.track);
        self.window.prune(since.max(complete), keep);
        self.is_cut &= self.window_since > since;
        self.window_since = self.window_since.max(since);
        self.unfinished = false;
        self.window.len() < held
    }

    /// The stream as it must be stored now, for a next bound that reads what is dated `since`.
    pub(super) fn stored(
        &mut self,
        plan: &Plan,
        since: DateTime<Utc>,
        capacity: usize,
    ) -> Result<Stored, Unusable> {
        let since = self.fit(plan, since, capacity)?;
        let key = self.fingerprints.encoded_key();
        Ok(Stored {
            watermark: self.watermark,
            settled_at_start: self.unfinished.then_some(self.settled_at_start),
            swept_at: self.swept_at,
            window_since: self.window_since.max(since),
            window: self.window.store(key, since, capacity),
            content_ignored: None,
            position: None,
        })
    }

    /// The segments that `stored` names and the store has not.
    pub(super) fn unstored(&self, stored: &Stored) -> Vec<Segment> {
        let window = stored.window.as_ref();
        window.map_or_else(Vec::new, |stored| self.window.unstored(stored))
    }

    /// `stored` is stored now.
    pub(super) fn note_stored(&mut self, stored: &Stored) {
        self.window.note_stored(stored.window.as_ref());
    }

    /// Whether `more` entries could be stored beside those that are there.
    pub(super) fn check_room(
        &self,
        plan: &Plan,
        more: usize,
        since: DateTime<Utc>,
        capacity: usize,
    ) -> Result<(), Unusable> {
        let room = capacity.checked_sub(more);
        let fitting = room.and_then(|room| self.fitting_since(plan, since, room));
        fitting
            .map(drop)
            .ok_or_else(|| self.too_large(plan, capacity))
    }

    fn too_large(&self, plan: &Plan, capacity: usize) -> Unusable {
        if plan.drops_before_bound(self.track) {
            Unusable::WindowTooLarge(capacity)
        } else {
            Unusable::EveryDateTooLarge(capacity)
        }
    }

    /// Since when the stored window must hold what was settled: `since`, or where that is too
    /// much, whole dates less.
    fn fit(
        &mut self,
        plan: &Plan,
        since: DateTime<Utc>,
        capacity: usize,
    ) -> Result<DateTime<Utc>, Unusable> {
        let fitting = self
            .fitting_since(plan, since, capacity)
            .ok_or_else(|| self.too_large(plan, capacity))?;
        if fitting > since {
            // A bound there is rounded down, by less than a unit.
            self.window_since = self.window_since.max(fitting + plan.unit_of(self.track));
            self.is_cut = true;
        }
        Ok(fitting)
    }

    /// Since when the window holds at most `capacity` entries; `None` where nothing more may be
    /// given up.
    fn fitting_since(
        &self,
        plan: &Plan,
        since: DateTime<Utc>,
        capacity: usize,
    ) -> Option<DateTime<Utc>> {
        if plan.drops_before_bound(self.track) {
            let latest = self.watermark - plan.unit_of(self.track);
            return self.window.fitting_since(since, latest, capacity);
        }
        // Rows of any date come again.
        let fits = self.window.len() <= capacity;
        fits.then_some(DateTime::<Utc>::MIN_UTC)
    }
}

fn fingerprints(key: &str) -> Result<Fingerprints, Unusable> {
    let damaged = || Unusable::Damaged("the window's key is no 16 bytes in base64".to_owned());
    Fingerprints::from_encoded(key).ok_or_else(damaged)
}

fn unread(unread: Unread) -> End {
    match unread {
        Unread::Segment(LoadError::Store(error)) => End::StoreFailed(error),
        Unread::Segment(LoadError::Damaged(damage)) => Unusable::Segment(damage).into(),
        Unread::Damaged(damage) => Unusable::Damaged(damage.to_string()).into(),
    }
}
