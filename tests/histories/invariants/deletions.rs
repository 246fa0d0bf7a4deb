//! What must hold of deletions: of the list of them, and of what a comparison finds.

use pollen::{
    api::{Checkpoint, Stream},
    poll::{End, Outcome},
};

use super::{Invariant, Violation, writes::Write};
use crate::{
    settings::Deletes,
    world::{Inner, Process, Promise, Settled, Version, World, checkpoints::deletions_watermark},
};

impl Process {
    /// A poll that read everything settled the deletions of all that was gone before it.
    pub(super) fn untold(&self, inner: &mut Inner, outcome: &Outcome) -> Option<Violation> {
        let memory = inner.ledger.memory(self.number).clone();
        let clock = memory.list_clock.filter(|_| outcome.end == End::Complete)?;
        let mut promised = self.world.promised_deletions(inner, memory.began - 1);
        let (lost, _) = promised.find(|(deletion, written)| {
            deletion.date <= clock && !memory.settled.is_deleted_since(deletion.record, *written)
        })?;
        let expected = format!("{lost:?} is settled when a poll is complete");
        let came = "it is not";
        Some(Violation::new(Invariant::AtLeastOnce, expected, came))
    }
}

pub(super) fn is_unfinished(stream: Option<&Stream>) -> bool {
    stream.is_some_and(|stream| stream.settled_at_start.is_some())
}

impl World {
    /// The deletions that must be told of records gone since before `until`, with when each was
    /// written.
    pub(super) fn promised_deletions<'a>(
        &'a self,
        inner: &'a Inner,
        until: i64,
    ) -> impl Iterator<Item = (Version, i64)> + 'a {
        let since = inner.stored.deletes_since().unwrap_or(i64::MAX);
        self.deleted(inner)
            .filter(move |row| {
                row.promise == Promise::Kept
                    && row.promised_from <= until
                    && row.written <= until
                    && row.shown_from <= until
                    && !self.settings.is_excluded(row.record)
                    && inner.concerns(self, row.record)
                    && !inner.apart.ever_filtered
            })
            .map(|row| (self.deletion(row), row.written))
            .filter(move |(deletion, _)| deletion.date >= since)
    }

    /// What a comparison should have found: a record that is gone, or back, of which `process` has
    /// not told so. What the first list after an edit shows that was not known counts as let in by it.
    pub(super) fn missed(&self, inner: &mut Inner, process: usize) -> Option<Version> {
        self.settings.id_list()?;
        let settled = inner.ledger.memory(process).settled.clone();
        let mut records = inner.provider.records.values();
        // A list that lacks what is hidden may lack other records too.
        if records.any(|record| record.hidden && !record.removed) {
            return None;
        }
        let inner = &*inner;
        // Whose class is another's shows in the list too.
        let anew_at = inner.apart.changed_at.max(Some(inner.edited_at));
        let anew_at = anew_at.unwrap_or(inner.edited_at);
        let records = inner.provider.records.iter();
        let mut records = records.filter(|(number, _)| inner.concerns(self, **number));
        let (number, record) = records.find(|(number, record)| match record.removed {
            true => settled.is_told(**number),
            false => settled.is_gone_since(**number, anew_at),
        })?;
        Some(match record.removed {
            true => Version::deletion(*number, record.updated),
            false => inner.provider.version(*number),
        })
    }

    /// Whether the list of deletions shows none that is not settled; whether a record is back nobody
    /// knows without asking.
    pub(super) fn has_no_deletions(
        &self,
        inner: &Inner,
        settled: &Settled,
        checkpoint: &Checkpoint,
    ) -> bool {
        let Some(watermark) = deletions_watermark(checkpoint) else {
            return self.settings.deletes == Deletes::Ignored;
        };
        let read_since = watermark - inner.plan.reach.num_milliseconds();
        let (now, read_since) = (self.now(), self.settings.floor(read_since));
        inner.provider.deletions.iter().all(|row| {
            let deletion = self.deletion(row);
            row.shown_from <= now
                && (self.is_left(checkpoint, row.record, deletion.date)
                    || deletion.date < read_since
                    || settled.forbids(deletion, false))
        })
    }
}

impl Write<'_> {
    /// What holds of records holds of the list of deletions too, whose watermark is another.
    pub(super) fn of_deletions(
        &self,
        checkpoint: &Checkpoint,
        world: &World,
        inner: &Inner,
        now: i64,
    ) -> Option<Violation> {
        let memory = self.memory;
        let (after, clock) = (deletions_watermark(checkpoint)?, memory.list_clock?);
        let before = memory.before.as_ref().and_then(deletions_watermark)?;
        let least = memory.followed_back_to.unwrap_or(before).min(before);
        let least = if memory.takes_back { after } else { least };
        if after < least || after > before.max(clock) {
            let expected = format!("a watermark of deletions from {before} to {clock}");
            let came = after.to_string();
            return Some(Violation::new(Invariant::Settled, expected, came));
        }
        let since = checkpoint.deletes.as_ref()?.window_since;
        let reach = inner.plan.reach.num_milliseconds();
        let next = world.next_bound(after, since.timestamp_millis(), reach);
        let (lost, _) = world
            .promised_deletions(inner, now)
            .find(|(deletion, written)| {
                deletion.date < next && !memory.settled.is_deleted_since(deletion.record, *written)
            })?;
        let expected = format!("a checkpoint from which {lost:?} is still read");
        let came = format!("the next bound is {next}");
        Some(Violation::new(Invariant::Settled, expected, came))
    }
}
