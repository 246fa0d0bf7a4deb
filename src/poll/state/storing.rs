//! What of a checkpoint is stored, and when.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Since, State};
use crate::{
    api::Checkpoint,
    poll::{
        Plan, Segment, Track,
        change::Change,
        held::{Due, Held},
        stream::Stream,
        unusable::Unusable,
    },
};

/// How long a watermark that moved without an event may stay unwritten.
const QUIET_WRITE_INTERVAL: TimeDelta = TimeDelta::minutes(10);

impl State {
    /// Whether what these changes enter into the windows can be stored: else nothing of them may be
    /// delivered.
    pub(in crate::poll) fn check_room(
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

    /// Whether the stored checkpoint lacks something that a restart would repeat.
    pub(in crate::poll) fn is_due(&self) -> bool {
        self.due == Due::Settled
    }

    /// A watermark moved by records without events is written at most every ten minutes.
    pub(super) fn quiet_write(&mut self, clock: DateTime<Utc>) {
        if self.due == Due::Watermark && clock - self.written >= QUIET_WRITE_INTERVAL {
            self.due = Due::Settled;
        }
    }

    /// The checkpoint as it must be stored now, for next bounds that read what is dated `since`.
    pub(in crate::poll) fn checkpoint(
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
    pub(in crate::poll) fn unstored(&self, checkpoint: &Checkpoint) -> Vec<Segment> {
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
    pub(super) fn replayed(&self) -> Option<&Stream> {
        match &self.replaying {
            None => self.replayed.as_deref(),
            Some(_) => Some(&self.records),
        }
    }

    /// What a restart must know has changed.
    pub(in crate::poll) const fn must_be_written(&mut self) {
        self.due = Due::Settled;
    }

    /// `checkpoint` is stored now.
    pub(in crate::poll) fn stored(&mut self, checkpoint: Checkpoint) {
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
        self.is_naming_in_doubt = false;
        self.stored = checkpoint;
        self.due = Due::Nothing;
    }

    /// What to go on from in this process.
    pub(in crate::poll) fn into_held(mut self, plan: &Plan, since: Since, capacity: usize) -> Held {
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
            refusal: self.refusal,
            fresh: self.known.into_fresh(),
            due,
            is_naming_in_doubt: self.is_naming_in_doubt,
            written,
        }
    }
}
