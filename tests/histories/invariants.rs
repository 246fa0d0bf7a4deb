//! What must hold in every history, and exactly what each invariant promises.
//!
//! Outside the promise, and so in no history: a date set back beyond the overlap, or a record that
//! becomes visible later than that (nothing but a reconciliation finds it); records that access
//! rules hide while offsets are the only way through a listing; a connector that states an order
//! of dates or keys which the provider doesn't keep and no page shows.

use std::fmt;

use pollen::{
    api::Checkpoint,
    poll::{End, Outcome},
};

use crate::world::{Process, Promise, Version, World, checkpoints::watermark};

/// Least time between two writes of a watermark that moved without an event.
const QUIET: i64 = 600_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invariant {
    /// I1: what was visible within the overlap of its date is acknowledged at least once.
    AtLeastOnce,
    /// I2: acknowledged once by a process that knows of it, always under one event id.
    Once,
    /// I3: an idle poll sends and writes nothing.
    Idle,
    /// I4: no restart and no edit loses how far a poller had come.
    Kept,
    /// I5: nothing unsettled moves a checkpoint, and no watermark passes the provider's clock.
    Settled,
    /// Events are created or updated as their dates and the window say.
    Kind,
    /// Notifications are formed, ordered and ended as the plan says.
    Delivery,
    /// Every poll ends, and when nothing changes any more, with everything read.
    Ends,
}

/// The first thing in a history that should not be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Violation {
    pub(crate) invariant: Invariant,
    pub(crate) expected: String,
    pub(crate) came: String,
}

impl fmt::Display for Invariant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::AtLeastOnce => "I1 (no change is lost)",
            Self::Once => "I2 (a version is acknowledged once, under one id)",
            Self::Idle => "I3 (an idle poll sends and writes nothing)",
            Self::Kept => "I4 (no restart or edit moves a checkpoint)",
            Self::Settled => "I5 (nothing unsettled moves a checkpoint)",
            Self::Kind => "the kind of an event",
            Self::Delivery => "the form and order of notifications",
            Self::Ends => "every poll ends",
        };
        out.write_str(name)
    }
}

impl Process {
    /// I5, at every write.
    pub(crate) fn check_write(&self, checkpoint: &Checkpoint) {
        let world = &self.world;
        let now = world.now();
        let mut inner = world.inner();
        let reach = inner.plan.reach.num_milliseconds();
        let memory = inner.ledger.memory(self.number).clone();
        let Some(clock) = memory.sweep_clock else {
            return;
        };
        // Where answers tell no time, our clock when the engine had the answer counts.
        let clock = if world.settings.tells_time {
            clock
        } else {
            now
        };
        let (before, after) = (memory.watermark(), watermark(checkpoint));
        if after < memory.least_watermark() {
            let expected = format!("no watermark before {}", memory.least_watermark());
            inner.violate(Invariant::Kept, expected, after.to_string());
        }
        if after > before.max(clock) {
            let expected = format!("no watermark behind the provider's clock, {clock}");
            inner.violate(Invariant::Settled, expected, after.to_string());
        }
        let ignored = checkpoint.records.content_ignored.is_some();
        let unsettled = |version: &Version| !memory.settled.covers(*version, ignored);
        let passed = memory
            .shown
            .iter()
            .find(|version| after > before && version.date <= after && unsettled(version));
        if let Some(version) = passed {
            let expected =
                format!("a watermark before {version:?}, which was read and is not settled");
            inner.violate(Invariant::Settled, expected, after.to_string());
        }
        if !(world.settings.ignores_filter && !world.settings.drop_before_bound) {
            let since = checkpoint.records.window_since.timestamp_millis();
            let next = world.next_bound(after, since, reach);
            let lost = world.promised(&inner, now, Some(Promise::Kept));
            let lost = lost
                .into_iter()
                .find(|version| version.date < next && unsettled(version));
            if let Some(version) = lost {
                let expected = format!("a checkpoint from which {version:?} is still read");
                inner.violate(
                    Invariant::Settled,
                    expected,
                    format!("the next bound is {next}"),
                );
            }
        }
    }

    /// After a poll that read everything: I1 for all that stood still meanwhile.
    pub(crate) fn check_complete(&self, outcome: &Outcome) {
        let mut inner = self.world.inner();
        let counted = inner.ledger.memory(self.number).answered;
        if counted != outcome.progress.events() {
            let expected = format!("{counted} events counted");
            inner.violate(
                Invariant::Delivery,
                expected,
                outcome.progress.events().to_string(),
            );
        }
        let memory = inner.ledger.memory(self.number).clone();
        let (Some(clock), End::Complete) = (memory.sweep_clock, &outcome.end) else {
            return;
        };
        let ignored = outcome
            .checkpoint
            .as_ref()
            .is_some_and(|held| held.checkpoint.records.content_ignored.is_some());
        let lost = self
            .world
            .promised(&inner, memory.began - 1, Some(Promise::Kept));
        let lost = lost
            .into_iter()
            .find(|version| version.date <= clock && !memory.settled.covers(*version, ignored));
        if let Some(version) = lost {
            let expected = format!("{version:?} is settled when a poll is complete");
            inner.violate(Invariant::AtLeastOnce, expected, "it is not");
        }
    }
}

impl World {
    /// What must be delivered of what stands unchanged since `until`, by how much is promised of it.
    fn promised(
        &self,
        inner: &crate::world::Inner,
        until: i64,
        promise: Option<Promise>,
    ) -> Vec<Version> {
        let started_at = inner.stored.started_at().unwrap_or(i64::MAX);
        inner
            .provider
            .visible(until)
            .filter(|(version, record)| {
                record.written <= until
                    && version.date >= started_at
                    && !self.settings.is_excluded(version.record)
                    && match promise {
                        Some(promise) => record.promise == promise,
                        None => record.promise != Promise::Outside,
                    }
            })
            .map(|(version, _)| version)
            .collect()
    }

    /// I1, when nothing changes any more and every fault is over.
    pub(crate) fn check_end(&self) {
        let mut inner = self.inner();
        let content_ignored = inner
            .stored
            .checkpoint()
            .is_some_and(|stored| stored.records.content_ignored.is_some());
        let promised = self.promised(&inner, self.now(), None);
        let is_taken =
            |version: &Version| {
                inner.ledger.taken.contains(version)
                    || content_ignored
                        && inner.ledger.taken.iter().any(|taken| {
                            (taken.record, taken.date) == (version.record, version.date)
                        })
            };
        if let Some(version) = promised.iter().find(|version| !is_taken(version)) {
            let expected = format!("{version:?} is delivered");
            inner.violate(Invariant::AtLeastOnce, expected, "it never is");
        }
    }

    /// Whether a poll now would find nothing new: everything visible is settled, and no clock is
    /// about to be followed back.
    pub(crate) fn is_idle(&self, process: usize, checkpoint: &Checkpoint) -> bool {
        let mut inner = self.inner();
        let now = self.now();
        let started_at = checkpoint.started_at.timestamp_millis();
        let reached = watermark(checkpoint) - inner.plan.reach.num_milliseconds();
        let swept = checkpoint
            .swept_at
            .map_or(i64::MAX, |swept| swept.timestamp_millis());
        let settled = inner.ledger.memory(process).settled.clone();
        // A clock without fractions of a second may stand one second behind.
        inner.plan.query_fingerprint == checkpoint.query_fingerprint
            && checkpoint.records.settled_at_start.is_none()
            && swept.min(now + inner.provider.skew - 1_000) >= reached
            && inner.provider.visible(now).all(|(version, _)| {
                version.date < started_at
                    || self.settings.is_excluded(version.record)
                    || settled.versions.contains(&version)
            })
    }

    /// I3, after a poll that was idle.
    pub(crate) fn check_idle(&self, sent: u64, before: &Checkpoint, wrote: bool) {
        let mut inner = self.inner();
        if sent > 0 {
            inner.violate(Invariant::Idle, "no event", format!("{sent} notifications"));
        }
        let Some(after) = inner.stored.checkpoint().filter(|_| wrote) else {
            return;
        };
        let since = before
            .swept_at
            .unwrap_or(before.started_at)
            .timestamp_millis();
        let now = after
            .swept_at
            .map_or(since, |swept| swept.timestamp_millis());
        // Watermarks moved by records without event are written, but not often.
        let is_quiet = watermark(&after) > watermark(before) && now - since >= QUIET;
        if !is_quiet {
            let expected = "no write, or none but of a watermark every ten minutes";
            inner.violate(
                Invariant::Idle,
                expected,
                format!("{before:?} became {after:?}"),
            );
        }
    }
}
