//! Replays: stretches of time that are read once more.

use pollen::{
    api::Checkpoint,
    poll::{Plan, Replay},
};

use super::{Process, World, instant};

/// A replay under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replaying {
    pub(crate) id: String,
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl Replaying {
    pub(crate) const fn reaches(&self, date: i64) -> bool {
        date >= self.from && date <= self.until
    }
}

impl World {
    /// The spec names a stretch of time to be read once more.
    pub(super) fn ask_to_replay(&self, back: u32, length: u32) {
        let (now, interval) = (self.now(), self.settings.interval);
        let mut inner = self.inner();
        let from = now + inner.provider.skew - interval * i64::from(back);
        let to = (length > 0).then(|| instant(from + interval * i64::from(length)));
        let id = format!("replay at {now}");
        inner.plan.replay = Some(Replay {
            id,
            from: instant(from),
            to,
        });
    }
}

impl Process {
    /// A stretch of the plan's replay is to be read from `before` on.
    pub(crate) fn begin_replay(&self, plan: &Plan, before: &Checkpoint) {
        let Some(asked) = &plan.replay else {
            return;
        };
        let running = before.running_replay();
        let running = running.filter(|running| running.id == asked.id);
        let reached = before.records.watermark;
        let until = asked.to.map_or(reached, |to| to.min(reached));
        let replaying = Replaying {
            id: asked.id.clone(),
            from: asked.from.timestamp_millis(),
            until: running
                .map_or(until, |running| running.until)
                .timestamp_millis(),
        };
        let now = self.world.now();
        let mut inner = self.world.inner();
        inner.ledger.replays.entry(asked.id.clone()).or_insert(now);
        inner.ledger.memory(self.number).replaying = Some(replaying);
    }
}
