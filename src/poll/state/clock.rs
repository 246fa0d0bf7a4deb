//! The provider's clock, and what follows when it was set back.

use chrono::{DateTime, TimeDelta, Utc};

use super::State;
use crate::{
    api::StartFrom,
    poll::{Plan, Track, held::Due, stream::Stream},
};

impl State {
    /// A sweep begins at the provider's time `clock`; answers whether that clock was set back.
    pub(in crate::poll) fn begin_sweep(&mut self, plan: &Plan, clock: DateTime<Utc>) -> bool {
        if self.replaying.is_some() {
            self.records.begin_sweep();
            return false;
        }
        let set_back = self.follow_clock_back(plan, clock);
        self.records.begin_sweep();
        self.begin_deletes(plan, clock);
        self.quiet_write(clock);
        self.swept_at = Some(clock);
        set_back
    }

    /// Deletions that are asked for from now on count from now on.
    fn begin_deletes(&mut self, plan: &Plan, clock: DateTime<Utc>) {
        if plan.deletions.is_some() && self.deletes.is_none() {
            self.deletes = Some(Stream::begin(Track::Deletions, clock));
            self.due = Due::Settled;
        }
    }

    /// A clock that stands before the reach in two polls running was set back: what is dated by it
    /// from now on lies before the bound, so the watermark goes back to where that began
    /// (polling rule 22).
    ///
    /// The first of the two polls stores what it saw, since the second may be another process's.
    fn follow_clock_back(&mut self, plan: &Plan, clock: DateTime<Utc>) -> bool {
        if self.is_awaiting_start(clock) {
            return false;
        }
        let reached = self.reached(plan);
        let behind = self.stored.swept_at.filter(|swept| *swept < reached);
        let is_behind = clock < reached;
        if behind.is_some() != is_behind {
            self.due = Due::Settled;
        }
        let Some(first) = behind.filter(|_| is_behind) else {
            return false;
        };
        // When it was set is not known: an interval before the first of them at most, and an
        // interval lies between the two.
        let back = first.min(clock) - (clock - first).max(TimeDelta::zero());
        let records = back.min(self.records.watermark);
        self.records.follow_back(records, plan.reach);
        self.children.read_back(records - plan.reach);
        if let Some(deletes) = &mut self.deletes {
            let back = back.min(deletes.watermark);
            deletes.follow_back(back, plan.reach_of(Track::Deletions));
        }
        self.stored.started_at = self.stored.started_at.min(back);
        self.due = Due::Settled;
        true
    }

    /// From where on something of a list is still read, the later of both, when the poll began: the
    /// list of deletions may have been read already.
    fn reached(&self, plan: &Plan) -> DateTime<Utc> {
        let records = self.records.watermark - plan.reach;
        let deletes = self.stored.deletes.as_ref();
        let deletes = deletes.map(|stored| stored.watermark - plan.reach_of(Track::Deletions));
        deletes.map_or(records, |deletes| deletes.max(records))
    }

    /// Whether `startFrom` is still to come, and everything settled with it.
    fn is_awaiting_start(&self, clock: DateTime<Utc>) -> bool {
        let is_to_come =
            matches!(self.stored.start_from, Some(StartFrom::At(start)) if start > clock);
        is_to_come && self.records.watermark == self.stored.started_at
    }
}
