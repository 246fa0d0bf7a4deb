//! What must hold after a poll: I1 and I3.

use pollen::{
    api::Checkpoint,
    poll::{End, Outcome},
};

use super::{Invariant, Violation, deletions::is_unfinished};
use crate::settings::Part;
use crate::world::{
    Inner, Process, Promise, Version, World,
    checkpoints::{deletions_watermark, watermark},
};

/// Least time between two writes of a watermark that moved without an event.
const QUIET: i64 = 600_000;

impl Process {
    /// After a poll of which the process lived to see the end.
    pub(crate) fn check_outcome(&self, outcome: &Outcome) {
        let mut inner = self.world.inner();
        let counted = inner.ledger.memory(self.number).answered;
        let found = unusable(outcome)
            .or_else(|| miscounted(counted, outcome))
            .or_else(|| self.unsettled(&mut inner, outcome))
            .or_else(|| self.untold(&mut inner, outcome));
        if let Some(found) = found {
            inner.violate(found);
        }
        if let Some(held) = &outcome.checkpoint {
            let (records, deletions) = self.world.kept_since(&inner, &held.checkpoint);
            let memory = inner.ledger.memory(self.number);
            memory.settled.leave_behind(records, deletions);
        }
    }

    /// A poll that read everything settled all that stood still meanwhile (I1).
    fn unsettled(&self, inner: &mut Inner, outcome: &Outcome) -> Option<Violation> {
        let memory = inner.ledger.memory(self.number).clone();
        let clock = memory
            .sweep_clock
            .filter(|_| outcome.end == End::Complete)?;
        let ignored = outcome
            .checkpoint
            .as_ref()
            .is_some_and(|held| held.checkpoint.records.content_ignored.is_some());
        let lost = self
            .world
            .promised(inner, memory.began - 1)
            .find(|version| version.date <= clock && !memory.settled.covers(*version, ignored))?;
        let expected = format!("{lost:?} is settled when a poll is complete");
        Some(Violation::new(
            Invariant::AtLeastOnce,
            expected,
            "it is not",
        ))
    }
}

fn unusable(outcome: &Outcome) -> Option<Violation> {
    let End::Unusable(reason) = &outcome.end else {
        return None;
    };
    let expected = "a checkpoint that the next poll can go on from";
    Some(Violation::new(Invariant::Settled, expected, reason.clone()))
}

pub(super) fn miscounted(counted: u64, outcome: &Outcome) -> Option<Violation> {
    let told = outcome.progress.events();
    (told != counted).then(|| {
        let expected = format!("{counted} events counted");
        Violation::new(Invariant::Delivery, expected, told.to_string())
    })
}

impl World {
    /// What must be delivered of what stands unchanged and visible since `until`.
    pub(super) fn promised<'a>(
        &'a self,
        inner: &'a Inner,
        until: i64,
    ) -> impl Iterator<Item = Version> + 'a {
        let started_at = inner.stored.started_at().unwrap_or(i64::MAX);
        inner
            .provider
            .visible(until)
            .filter(move |(version, record)| {
                record.promise == Promise::Kept
                    && record.promised_from <= until
                    && record.written <= until
                    && version.date >= started_at
                    && !self.settings.is_excluded(version.record)
                    && inner.concerns(self, version.record)
            })
            .map(|(version, _)| version)
    }

    /// When nothing changes any more and every fault is over, nothing is left (I1).
    pub(crate) fn check_end(&self, process: Option<usize>) {
        let mut inner = self.inner();
        let stored = inner.stored.checkpoint();
        let ignored = stored.is_some_and(|stored| stored.records.content_ignored.is_some());
        let taken = inner.ledger.taken.clone();
        let lost = self
            .promised(&inner, self.now())
            .find(|version| !taken.covers(*version, ignored));
        let untold = self
            .promised_deletions(&inner, self.now())
            .find(|(deletion, written)| !taken.is_deleted_since(deletion.record, *written))
            .map(|(deletion, _)| deletion);
        let missed = process.and_then(|process| self.missed(&mut inner, process));
        if let Some(lost) = lost.or(untold).or(missed) {
            let expected = format!("{lost:?} is delivered");
            inner.violate(Violation::new(
                Invariant::AtLeastOnce,
                expected,
                "it never is",
            ));
        }
    }

    /// Whether a row of a record is not this poller's: another is there that takes it, or it is of no
    /// class of the poller's.
    pub(super) fn is_left(&self, checkpoint: &Checkpoint, record: u32, date: i64) -> bool {
        match self.settings.part {
            Part::Alone => false,
            Part::Child => !self.settings.is_childs(record),
            Part::Parent => {
                let entries = checkpoint.children.iter();
                let mut there = entries.filter(|entry| entry.settled_before.is_none());
                self.settings.is_childs(record)
                    && there.any(|entry| entry.started_at.timestamp_millis() <= date)
            }
        }
    }

    /// Whether a poll of `process` now would find nothing new: everything visible is settled, and no
    /// clock is about to be followed back.
    pub(crate) fn is_idle(&self, process: usize, checkpoint: &Checkpoint) -> bool {
        let mut inner = self.inner();
        let now = self.now();
        let started_at = checkpoint.started_at.timestamp_millis();
        let reached = deletions_watermark(checkpoint).max(Some(watermark(checkpoint)));
        let reached = reached.unwrap_or_default() - inner.plan.reach.num_milliseconds();
        let swept = checkpoint.swept_at.map(|swept| swept.timestamp_millis());
        let settled = inner.ledger.memory(process).settled.clone();
        // A clock without fractions of a second may stand one second behind.
        inner.plan.query_fingerprint == checkpoint.query_fingerprint
            && checkpoint.records.settled_at_start.is_none()
            && !is_unfinished(checkpoint.deletes.as_ref())
            && swept
                .unwrap_or(i64::MAX)
                .min(now + inner.provider.skew - 1_000)
                >= reached
            && inner
                .provider
                .records
                .values()
                .all(|record| record.shown_from <= now)
            && inner.provider.visible(now).all(|(version, _)| {
                version.date < started_at
                    || self.is_left(checkpoint, version.record, version.date)
                    || !inner.shows(self, version.record)
                    || self.settings.is_excluded(version.record)
                    || settled.forbids(version, false)
            })
            && self.has_no_deletions(&inner, &settled, checkpoint)
    }

    /// After a poll that was idle (I3): `sent` notifications, and what was stored before and after.
    pub(crate) fn check_idle(&self, sent: u64, before: &Checkpoint, after: &Checkpoint) {
        if sent > 0 {
            self.violate(Violation::new(
                Invariant::Idle,
                "no event",
                format!("{sent} notifications"),
            ));
        }
        let since = before
            .swept_at
            .unwrap_or(before.started_at)
            .timestamp_millis();
        let now = after
            .swept_at
            .map_or(since, |swept| swept.timestamp_millis());
        // Watermarks moved by records without event are written, but not often.
        let moved = watermark(after) > watermark(before)
            || after.children != before.children
            || deletions_watermark(after) > deletions_watermark(before);
        let is_quiet = moved && now - since >= QUIET;
        if after != before && !is_quiet {
            let expected = "no write, or none but of a watermark every ten minutes";
            let came = format!("{before:?} became {after:?}");
            self.violate(Violation::new(Invariant::Idle, expected, came));
        }
    }
}
