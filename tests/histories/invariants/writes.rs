//! What each checkpoint must keep to when it is written: I4 and I5.

use pollen::api::Checkpoint;

use super::{Invariant, Violation};
use crate::world::{Inner, Memory, Process, Version, World, checkpoints::watermark};

/// A checkpoint about to be written, beside what its process knows.
pub(super) struct Write<'a> {
    pub(super) memory: &'a Memory,
    /// The provider's clock when the sweep began.
    clock: i64,
    before: i64,
    after: i64,
    window_since: i64,
    content_ignored: bool,
}

impl Process {
    /// What a write would violate, at the moment when the engine asks for it.
    pub(crate) fn check_write(&self, checkpoint: &Checkpoint) -> Option<Violation> {
        let world = &self.world;
        let now = world.now();
        let mut inner = world.inner();
        let memory = inner.ledger.memory(self.number).clone();
        let clock = memory.sweep_clock?;
        let write = Write {
            before: memory.watermark(),
            after: watermark(checkpoint),
            window_since: checkpoint.records.window_since.timestamp_millis(),
            clock,
            content_ignored: checkpoint.records.content_ignored.is_some(),
            memory: &memory,
        };
        write
            .goes_back()
            .or_else(|| write.passes_the_clock())
            .or_else(|| write.passes_a_change())
            .or_else(|| write.loses(world, &inner, now))
            .or_else(|| write.of_deletions(checkpoint, world, &inner, now))
    }
}

impl Write<'_> {
    fn is_unsettled(&self, version: &Version) -> bool {
        !self.memory.settled.covers(*version, self.content_ignored)
    }

    fn goes_back(&self) -> Option<Violation> {
        let least = self.memory.least_watermark();
        (self.after < least).then(|| {
            let expected = format!("no watermark before {least}");
            Violation::new(Invariant::Kept, expected, self.after.to_string())
        })
    }

    fn passes_the_clock(&self) -> Option<Violation> {
        (self.after > self.before.max(self.clock)).then(|| {
            let expected = format!("no watermark behind the provider's clock, {}", self.clock);
            Violation::new(Invariant::Settled, expected, self.after.to_string())
        })
    }

    /// A watermark that moved passed nothing that this poll read and that is not settled. What is
    /// dated exactly at it may be: the next bound reads that again.
    fn passes_a_change(&self) -> Option<Violation> {
        let moved = self.after > self.before;
        let passed = self
            .memory
            .shown
            .iter()
            .find(|version| moved && version.date < self.after && self.is_unsettled(version))?;
        let expected = format!("a watermark before {passed:?}, which was read and is not settled");
        Some(Violation::new(
            Invariant::Settled,
            expected,
            self.after.to_string(),
        ))
    }

    /// Whatever is promised and not settled lies where the next poll reads.
    fn loses(&self, world: &World, inner: &Inner, now: i64) -> Option<Violation> {
        if world.settings.ignores_filter && !world.settings.drop_before_bound {
            return None;
        }
        let reach = inner.plan.reach.num_milliseconds();
        let next = world.next_bound(self.after, self.window_since, reach);
        let lost = world
            .promised(inner, now)
            .find(|version| version.date < next && self.is_unsettled(version))?;
        let expected = format!("a checkpoint from which {lost:?} is still read");
        let came = format!("the next bound is {next}");
        Some(Violation::new(Invariant::Settled, expected, came))
    }
}
