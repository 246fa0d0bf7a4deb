//! A checkpoint at work: decoded once when a poll begins, encoded when it is stored.

mod clock;
mod resume;
mod storing;

use chrono::{DateTime, Utc};

use super::{
    Plan, Track,
    change::Change,
    children::{Bounds, Children},
    held::Due,
    reconcile::{Known, Reconciling},
    refusal::Refusal,
    replay::Replaying,
    stream::Stream,
};
use crate::{
    api::{Checkpoint, CreatedCheck, Stream as Stored},
    event::Kind,
};

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
    /// The provider refused its list of deletions.
    pub(super) refusal: Option<Refusal>,
    swept_at: Option<DateTime<Utc>>,
    /// The content of records is no part of their versions.
    pub(super) content_ignored: bool,
    /// A restart may not know that, or that a record is back, or may still know of its deletion, and name
    /// the record's versions otherwise.
    is_naming_in_doubt: bool,
    due: Due,
    /// The format of what is stored: it still has what that names, and the write behind the next
    /// shows that it was removed.
    least_version: i32,
    /// The provider's clock at the sweep that was stored last.
    written: DateTime<Utc>,
}

impl State {
    /// Where the poller, or the replay, started: records dated before are not delivered.
    pub(super) fn started_at(&self) -> DateTime<Utc> {
        let replaying = self.replaying.as_ref();
        replaying.map_or(self.stored.started_at, Replaying::from)
    }

    /// From now on the content of records is no part of their versions.
    pub(super) fn ignore_content(&mut self) {
        self.content_ignored = true;
        self.is_naming_in_doubt = true;
        self.due = Due::Settled;
    }

    /// Whether another process might name one of `changes` otherwise, and so repeat it under another
    /// id: it may not know that contents count no more, or may know more of a record that is back.
    pub(super) fn names_otherwise(&self, changes: &[Change]) -> bool {
        let is_back = |change: &Change| change.restores.is_some();
        self.is_naming_in_doubt || changes.iter().any(is_back)
    }

    /// A change is settled: its version enters the window, and must be written.
    pub(super) fn settle(&mut self, plan: &Plan, change: &Change) {
        self.known.settle(change);
        if let Some(run) = &mut self.reconciling.run
            && change.kind != Kind::Deleted
        {
            run.meet(&change.id);
        }
        for (fingerprint, date) in self.entries_of(plan, change) {
            self.of_mut(change.track).window.insert(fingerprint, date);
        }
        if let Some(deleted) = change.restores {
            // Where the deletion left its mark.
            self.of_mut(Track::Deletions).restore(&change.id, deleted);
            self.is_naming_in_doubt = true;
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

    /// What is known of one track; of the poller's own records, where there is no list of deletions.
    pub(super) fn of(&self, track: Track) -> &Stream {
        match (track, &self.deletes, &self.replaying) {
            (Track::Deletions, Some(deletes), _) => deletes,
            (Track::Deletions, None, Some(replaying)) => &replaying.own,
            _ => &self.records,
        }
    }

    pub(super) const fn of_mut(&mut self, track: Track) -> &mut Stream {
        match (track, &mut self.deletes, &mut self.replaying) {
            (Track::Deletions, Some(deletes), _) => deletes,
            (Track::Deletions, None, Some(replaying)) => &mut replaying.own,
            _ => &mut self.records,
        }
    }

    const fn has_marks_of_deletions(&self, track: Track) -> bool {
        matches!(track, Track::Deletions) || self.deletes.is_none()
    }

    const fn stored_of(&self, track: Track) -> Option<&Stored> {
        match track {
            Track::Records => Some(&self.stored.records),
            Track::Deletions => self.stored.deletes.as_ref(),
        }
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
        let forgets = self.of_mut(track).complete_sweep(plan, since, keep);
        if let Some(replaying) = &mut self.replaying {
            replaying.complete();
            // A restart would read all of it again.
            self.due = Due::Settled;
            return;
        }
        // What is stored still has the marks of deletions that were dropped.
        self.is_naming_in_doubt |= forgets && self.has_marks_of_deletions(track);
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
        if plan.drop_before_bound && self.children.retire(self.read_from(plan, since)) {
            self.due = self.due.max(Due::Watermark);
        }
        if let Some(clock) = self.swept_at {
            self.quiet_write(clock);
        }
    }

    /// Where the next sweeps begin, that of the records at `records`.
    pub(super) fn read_from(&self, plan: &Plan, records: DateTime<Utc>) -> Bounds {
        let deletes = self.deletes.as_ref();
        Bounds {
            records,
            deletions: deletes.map(|deletes| deletes.bound(plan.reach_of(Track::Deletions))),
        }
    }
}
