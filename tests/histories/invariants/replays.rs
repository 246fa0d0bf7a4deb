//! What must hold after a stretch of a replay.

use pollen::poll::{End, Outcome};

use super::{Invariant, Violation, polls::miscounted};
use crate::world::{Inner, Process, checkpoints::watermark};

impl Process {
    /// After a stretch of a replay of which the process lived to see the end.
    pub(crate) fn check_replay(&self, outcome: &Outcome) {
        let mut inner = self.world.inner();
        let memory = inner.ledger.memory(self.number);
        let (counted, before) = (memory.answered, memory.watermark());
        let found = miscounted(counted, outcome)
            .or_else(|| moved(before, outcome))
            .or_else(|| self.unreplayed(&mut inner, outcome));
        if let Some(found) = found {
            inner.violate(found);
        }
    }

    /// A replay that is done delivered all that stood still since it began.
    fn unreplayed(&self, inner: &mut Inner, outcome: &Outcome) -> Option<Violation> {
        let memory = inner.ledger.memory(self.number).clone();
        let replay = memory.replaying?;
        let held = outcome.checkpoint.as_ref();
        let progress = held.and_then(|held| held.checkpoint.replay.as_ref());
        let is_done = progress.is_some_and(|progress| progress.done.contains(&replay.id));
        let is_done = is_done && outcome.end == End::Complete;
        let began = *inner.ledger.replays.get(&replay.id).filter(|_| is_done)? - 1;
        let (lost, _) = inner.provider.visible(began).find(|(version, record)| {
            record.written <= began
                && replay.reaches(version.date)
                && !self.world.settings.is_excluded(version.record)
                && inner.concerns(&self.world, version.record)
                && !memory
                    .settled
                    .is_replayed(&replay.id, *version, memory.content_ignored)
        })?;
        let expected = format!("{lost:?} is replayed");
        let came = "it is not";
        Some(Violation::new(Invariant::AtLeastOnce, expected, came))
    }
}

fn moved(before: i64, outcome: &Outcome) -> Option<Violation> {
    let after = watermark(&outcome.checkpoint.as_ref()?.checkpoint);
    (after != before).then(|| {
        let came = format!("it moved from {before} to {after}");
        Violation::new(Invariant::Kept, "a replay leaves the watermark", came)
    })
}
