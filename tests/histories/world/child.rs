//! What is done to a child: it is made, edited, suspended and deleted.

use chrono::TimeDelta;
use pollen::{
    api::StartFrom,
    fleet::Stored as Seen,
    poll::{Plan, Start},
};

use super::{
    CHILD, Inner, Version, World, apart::Applied, checkpoints, goings::Going, instant,
    store::Stored,
};

impl World {
    /// It is made; with `back` it starts so many intervals ago.
    pub(crate) fn apply_child(&self, parent: &Self, back: u32, is_seen: bool) {
        let now = self.clock.now();
        let skew = parent.inner().provider.skew;
        let mut inner = self.inner();
        if inner.apart.applied.is_some() {
            return;
        }
        let plan = checkpoints::plan(&self.settings, now);
        let past = now + TimeDelta::milliseconds(skew - self.settings.interval * i64::from(back));
        let (reach, apart) = (inner.plan.reach, &mut inner.apart);
        apart.made += 1;
        let uid = format!("child {}", apart.made);
        apart.applied = Some(Applied { uid: uid.clone() });
        (apart.filtered, apart.suspended, apart.ever_filtered) = (false, false, false);
        (apart.edits, apart.is_start_lost) = (0, false);
        inner.plan = Plan { uid, ..plan };
        inner.set_reach(reach);
        if back > 0 {
            let past = instant(past.timestamp_millis());
            inner.plan.start = Start::At(past);
            inner.plan.start_from = StartFrom::At(past);
        }
        inner.ask_as_child();
        inner.stored = Stored::default();
        inner.ledger.ids.clear();
        inner.ledger.versions.clear();
        inner.apart.polled = i64::MIN;
        drop(inner);
        self.meet_house(parent);
        parent.inner().apart.stale = if is_seen { 1 } else { 2 };
    }

    /// Both pollers know what is stored of a new child: nothing.
    fn meet_house(&self, parent: &Self) {
        let seen = Seen::default();
        self.inner().apart.house.child = seen.clone();
        parent.inner().apart.house.child = seen;
        parent.house_of_running();
    }

    fn house_of_running(&self) {
        let house = self.inner().apart.house.clone();
        let mut running = self.take_running();
        if let Some(running) = &mut running {
            running.move_to(house);
        }
        self.put_running(running);
    }

    pub(crate) async fn discard_child(&self, parent: &Self, is_seen: bool) {
        self.stop().await;
        let mut inner = self.inner();
        let Some(applied) = inner.apart.applied.take() else {
            return;
        };
        let seen = inner.apart.house.child.clone();
        let started_at = inner.stored.started_at();
        let times = (inner.apart.polled, self.unit());
        let is_known = inner.apart.is_known;
        let stored = std::mem::take(&mut inner.stored);
        drop(inner);
        let mut inner = parent.inner();
        let mut going = Going::of(&applied.uid, &stored, &inner.stored, times);
        let is_known = is_known || self.settings.remembers_gone;
        let checkpoint = inner.stored.checkpoint().filter(|_| !is_known);
        if let (Some(going), Some(checkpoint)) = (&mut going, checkpoint) {
            going.forget(&checkpoint, self.unit());
        }
        inner.joint.go(going);
        if self.settings.remembers_gone {
            inner.apart.gone.push((applied.uid, seen));
        }
        inner.apart.stale = if is_seen { 1 } else { 2 };
        if let Some(started_at) = started_at {
            parent.forget_class(&mut inner, started_at);
        }
    }

    /// What the parent has told of the class from `date` on may come again: it was the child's, and is
    /// read back for.
    fn forget_class(&self, inner: &mut Inner, date: i64) {
        let settings = &self.settings;
        let is_theirs =
            |version: Version| settings.is_childs(version.record) && version.date >= date;
        inner.stored.settled.allow_again(&is_theirs);
        for memory in &mut inner.ledger.memories {
            memory.settled.allow_again(&is_theirs);
        }
    }

    pub(crate) async fn edit_child(&self, parent: &Self, filters: bool, is_seen: bool) {
        self.stop().await;
        let mut inner = self.inner();
        if inner.apart.applied.is_none() {
            return;
        }
        if filters {
            inner.apart.filtered = !inner.apart.filtered;
            inner.apart.ever_filtered = true;
            let plan = checkpoints::plan(&self.settings, self.clock.now());
            let is_filtered = inner.apart.filtered;
            inner.plan.deletions = plan.deletions.filter(|_| !is_filtered);
            let reach = inner.plan.reach;
            inner.set_reach(reach);
        } else {
            inner.apart.edits += 1;
        }
        inner.ask_as_child();
        inner.edited_at = self.now();
        let started_at = inner.stored.started_at();
        let uid = inner.plan.uid.clone();
        let times = (inner.apart.polled, self.unit());
        let own = parent.inner();
        let mut going = Going::of(&uid, &inner.stored, &own.stored, times);
        if let Some(going) = &mut going {
            going.is_edited = true;
        }
        drop((own, inner));
        let mut inner = parent.inner();
        inner.joint.go(going);
        inner.apart.stale = if is_seen { 1 } else { 2 };
        if let Some(started_at) = started_at {
            parent.forget_class(&mut inner, started_at);
        }
    }

    /// It polls no more, or again.
    pub(crate) fn suspend(&self, is_suspended: bool) {
        self.inner().apart.suspended = is_suspended;
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.inner().apart.suspended
    }

    /// Its task ends, and stores what it can.
    pub(crate) async fn stop(&self) {
        if let Some(running) = self.take_running() {
            running.stop().await;
        }
    }
}

impl Inner {
    fn ask_as_child(&mut self) {
        let (edits, filtered) = (self.apart.edits, self.apart.filtered);
        self.plan.query_fingerprint = format!("of the child, edited {edits} times, {filtered}");
        if let Some(deletions) = &mut self.plan.deletions {
            deletions.classes = [CHILD.to_owned()].into();
            deletions.from_start |= matches!(self.plan.start, Start::At(_));
        }
    }
}
