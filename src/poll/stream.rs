//! How far one stream of changes is settled: records, or deletions.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Plan, fingerprint::Fingerprints, unusable::Unusable, window::Window};
use crate::api::{Stream as Stored, Window as Encoded};

/// One stream at work: its watermark and its window, decoded.
pub(super) struct Stream {
    pub(super) fingerprints: Fingerprints,
    pub(super) window: Window,
    pub(super) watermark: DateTime<Utc>,
    /// The watermark when the unfinished sweep began.
    pub(super) settled_at_start: DateTime<Utc>,
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
            window_since: instant,
            window: None,
            content_ignored: None,
            position: None,
        }
    }

    /// Takes up a stored stream.
    pub(super) fn resume(stored: &Stored) -> Result<Self, Unusable> {
        let (fingerprints, window) = match &stored.window {
            None => (Fingerprints::new(rand::random()), Window::default()),
            Some(encoded) => decode(encoded)?,
        };
        Ok(Self {
            fingerprints,
            window,
            watermark: stored.watermark,
            settled_at_start: stored.settled_at_start.unwrap_or(stored.watermark),
            window_since: stored.window_since,
            unfinished: stored.settled_at_start.is_some(),
            is_cut: false,
        })
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

    /// A sweep begins, or goes on that an earlier poll left unfinished.
    pub(super) const fn begin_sweep(&mut self) {
        if !self.unfinished {
            self.settled_at_start = self.watermark;
            self.unfinished = true;
        }
    }

    /// The provider's clock was set back to `clock`: the watermark goes back to it.
    pub(super) fn follow_back(&mut self, clock: DateTime<Utc>, reach: TimeDelta) {
        self.watermark = clock;
        self.settled_at_start = clock;
        self.window_since = self.window_since.min(clock - reach);
    }

    /// The next bound reads back to `answered`, whatever the window covers.
    pub(super) fn read_back(&mut self, answered: Option<DateTime<Utc>>, reach: TimeDelta) {
        self.watermark = answered.map_or(self.watermark, |answered| self.watermark.min(answered));
        self.settled_at_start = self.settled_at_start.min(self.watermark);
        self.window_since = self.window_since.min(self.watermark - reach);
    }

    /// What is dated after `instant` is to be read again.
    pub(super) fn take_back(&mut self, instant: DateTime<Utc>) {
        self.watermark = self.watermark.min(instant);
        self.settled_at_start = self.settled_at_start.min(self.watermark);
    }

    /// Everything dated at or before `date` is settled; answers whether that moved the watermark.
    pub(super) fn advance(&mut self, date: DateTime<Utc>) -> bool {
        let moves = date > self.watermark;
        self.watermark = self.watermark.max(date);
        moves
    }

    /// The sweep so far proved nothing about order: the watermark goes back to its start.
    pub(super) const fn retreat(&mut self) {
        self.watermark = self.settled_at_start;
    }

    /// A sweep has read everything: the window is cut to what the next bound reads, `since`.
    pub(super) fn complete_sweep(&mut self, since: DateTime<Utc>, keep: impl Fn(u64) -> bool) {
        self.window.prune(since, keep);
        self.window_since = self.window_since.max(since);
        self.unfinished = false;
    }

    /// The stream as it must be stored now, for a next bound that reads what is dated `since`.
    pub(super) fn stored(
        &mut self,
        plan: &Plan,
        since: DateTime<Utc>,
        capacity: usize,
    ) -> Result<Stored, Unusable> {
        let since = self.fit(plan, since, capacity)?;
        let (entries, count) = self.window.encode(since);
        Ok(Stored {
            watermark: self.watermark,
            settled_at_start: self.unfinished.then_some(self.settled_at_start),
            window_since: self.window_since.max(since),
            window: (count > 0).then(|| Encoded {
                key: self.fingerprints.encoded_key(),
                count: i64::try_from(count).unwrap_or(i64::MAX),
                entries,
                segments: Vec::new(),
            }),
            content_ignored: None,
            position: None,
        })
    }

    /// Since when the stored window must hold what was settled: `since`, or where that is too
    /// much, whole dates less.
    fn fit(
        &mut self,
        plan: &Plan,
        since: DateTime<Utc>,
        capacity: usize,
    ) -> Result<DateTime<Utc>, Unusable> {
        if !plan.drop_before_bound {
            // Rows of any date come again, so nothing may be given up.
            let fits = self.window.len() <= capacity;
            return fits
                .then_some(DateTime::<Utc>::MIN_UTC)
                .ok_or(Unusable::WindowTooLarge(capacity));
        }
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
}

fn decode(encoded: &Encoded) -> Result<(Fingerprints, Window), Unusable> {
    let fingerprints = Fingerprints::from_encoded(&encoded.key)
        .ok_or_else(|| Unusable::Damaged("the window's key is no 16 bytes in base64".to_owned()))?;
    let window = Window::decode(&encoded.entries, encoded.count)
        .map_err(|damage| Unusable::Damaged(damage.to_string()))?;
    Ok((fingerprints, window))
}
