//! What must hold of a class that two pollers share: each change of it comes from one of them.

use super::{Invariant, Violation};
use crate::{
    settings::{Deletes, Part},
    world::{Going, Inner, Process, Promise, Version, World},
};

impl Process {
    /// What one of two pollers has told and stored the other does not tell too.
    pub(super) fn check_apart(&self, inner: &mut Inner, version: Version) {
        let world = &self.world;
        if !world.settings.is_childs(version.record) {
            return;
        }
        if version.date > world.now() + inner.provider.skew {
            inner.joint.ahead.insert(version);
        }
        let Some(kin) = world.kin() else {
            return;
        };
        if world.is_told_by_other(inner, &kin.inner(), self.number, version) {
            let expected = "a version is delivered by one of two pollers";
            let came = format!("{version:?} by the other too");
            inner.violate(Violation::new(Invariant::Once, expected, came));
        }
    }
}

impl World {
    /// Whether the other poller has told of it, which must know so.
    fn is_told_by_other(
        &self,
        inner: &mut Inner,
        other: &Inner,
        process: usize,
        version: Version,
    ) -> bool {
        let memory = inner.ledger.memory(process);
        let is_led_back = memory.replaying.is_some() || memory.followed_back_to.is_some();
        // A clock or an edit led back, or may have while another polled.
        if is_led_back
            || inner.provider.is_set_back
            || inner.joint.is_led_back
            || inner.edited_at > i64::MIN
            || inner.joint.ahead.contains(&version)
            || self.settings.id_list().is_some()
        {
            return false;
        }
        let is_stored = other.stored.settled.forbids(version, false);
        match self.settings.part {
            Part::Alone => false,
            Part::Child => is_stored && self.takes_from_now(inner, version),
            Part::Parent => {
                let mut goings = inner.joint.goings.iter();
                goings.any(|going| going.has_told(version))
                    || is_stored && self.takes_from_now(other, version)
            }
        }
    }

    /// When nothing changes any more and every fault is over, what happened to each record of the
    /// class has come from one of both pollers.
    pub(crate) fn check_class(&self, child: &Self) {
        let child = child.inner();
        let mut inner = self.inner();
        let lost = self
            .lost(&inner, &child)
            .or_else(|| self.untold_by_both(&inner, &child));
        if let Some(lost) = lost {
            let expected = format!("{lost:?} is delivered by one of two pollers");
            inner.violate(Violation::new(
                Invariant::AtLeastOnce,
                expected,
                "it never is",
            ));
        }
    }

    fn lost(&self, inner: &Inner, child: &Inner) -> Option<Version> {
        let started_at = inner.stored.started_at()?;
        let is_ignored = |inner: &Inner| {
            let stored = inner.stored.checkpoint();
            stored.is_some_and(|stored| stored.records.content_ignored.is_some())
        };
        let ignored = is_ignored(inner) || is_ignored(child);
        let taken = |version| {
            inner.ledger.taken.covers(version, ignored)
                || child.ledger.taken.covers(version, ignored)
        };
        let visible = inner.provider.visible(self.now());
        let mut promised = visible.filter(|(version, record)| {
            record.promise == Promise::Kept
                && version.date >= started_at
                && self.settings.is_childs(version.record)
                && !self.is_missed(inner, |going, unit| {
                    going.misses_record(*version, record, unit_of(inner, unit))
                })
        });
        let (lost, _) = promised.find(|(version, _)| !taken(*version))?;
        Some(lost)
    }

    /// What became visible behind the back of a child that is gone.
    fn is_missed(&self, inner: &Inner, misses: impl Fn(&Going, i64) -> bool) -> bool {
        let unit = self.settings.unit().duration().num_milliseconds();
        let mut goings = inner.joint.goings.iter();
        goings.any(|going| misses(going, unit))
    }

    fn untold_by_both(&self, inner: &Inner, child: &Inner) -> Option<Version> {
        let since = inner.stored.deletes_since()?;
        let mut rows = self.deleted(inner).filter(|row| {
            row.promise == Promise::Kept
                && row.shown_from <= self.now()
                && self.settings.is_childs(row.record)
                && self.settings.deletes == Deletes::Listed
                && !self.is_missed(inner, |going, unit| {
                    going.misses_deletion(self.deletion(row).date, row, unit_of(inner, unit))
                })
        });
        let is_told = |inner: &Inner, record, written| {
            let taken = &inner.ledger.taken;
            taken.is_deleted_since(record, written)
        };
        let row = rows.find(|row| {
            self.deletion(row).date >= since
                && !is_told(inner, row.record, row.written)
                && !is_told(child, row.record, row.written)
        })?;
        Some(self.deletion(row))
    }
}

/// What is dated by a clock that was set back may be dated as what a child had settled.
const fn unit_of(inner: &Inner, unit: i64) -> i64 {
    if inner.provider.is_set_back { 0 } else { unit }
}
