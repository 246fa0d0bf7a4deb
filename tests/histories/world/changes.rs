//! What happens to the provider, the clock and the spec between two polls.

use chrono::TimeDelta;

use super::{Inner, World, provider::floor};
use crate::{
    settings::{Listing, Part},
    steps::Step,
};

impl World {
    /// The overlap that held at any time of the history: what is promised.
    pub(super) const fn promised_reach(&self) -> i64 {
        self.settings.narrow_reach
    }

    pub(crate) fn change(&self, step: &Step) {
        match *step {
            Step::Touch(record) => self.touch(record),
            Step::Tie(first, count) => (first..first + count).for_each(|record| self.touch(record)),
            Step::Late(record, eighths) => self.touch_late(record, eighths),
            Step::Ahead(record, intervals) => {
                self.date(record, self.settings.interval * i64::from(intervals), 0);
            }
            Step::Remove(record, eighths) => self.remove(record, eighths),
            Step::Clear(first, count) => {
                (first..first + count).for_each(|record| self.remove(record, 0));
            }
            Step::Confirm => self.confirm(),
            Step::Replay(back, length) => self.ask_to_replay(back, length),
            Step::Restore(record) => self.restore(record),
            Step::Hide(record) => self.hide(record),
            Step::Show(record) => self.show(record),
            Step::Jump(eighths) => self.set_clock(eighths),
            Step::Refuse(record) => {
                let record = record % self.settings.records;
                self.inner().ledger.refused.insert(record);
            }
            Step::Accept => self.inner().ledger.refused.clear(),
            Step::AskOtherwise => self.ask_otherwise(),
            Step::NarrowReach => self.set_reach(self.settings.narrow_reach),
            Step::WidenReach => self.set_reach(self.settings.reach),
            Step::Poll(_)
            | Step::Restart
            | Step::Pass(_)
            | Step::Apply(..)
            | Step::Discard(_)
            | Step::Edit(..)
            | Step::Suspend
            | Step::ChildPoll(_) => {}
        }
    }

    pub(crate) fn touch(&self, record: u32) {
        self.date(record, 0, 0);
    }

    /// Creates or updates a record between two pages of a poll, unless what slips from page to page
    /// then is news.
    pub(crate) fn touch_in_sweep(&self, record: u32, process: usize) {
        if self.settings.forgets_what_is_gone() {
            return;
        }
        if self.moves_unseen(record) {
            self.promise_only_what_is_read(process);
        }
        self.touch(record);
    }

    /// Whether others may slip from page to page as this one moves, and no page shows that it did.
    fn moves_unseen(&self, record: u32) -> bool {
        let number = record % self.settings.records;
        let is_unordered = matches!(self.settings.listing, Listing::Unordered { .. });
        let inner = self.inner();
        let record = inner.provider.records.get(&number);
        is_unordered && record.is_some_and(|record| record.hidden && !record.removed)
    }

    /// What the poll of `process` has not read yet may slip from it.
    fn promise_only_what_is_read(&self, process: usize) {
        let now = self.now();
        let mut inner = self.inner();
        let Inner {
            provider, ledger, ..
        } = &mut *inner;
        let memory = ledger.memory(process);
        let settings = &self.settings;
        let versions = provider.visible(now).map(|(version, _)| version);
        let versions =
            versions.filter(|it| settings.part != Part::Child || settings.is_own(it.record));
        let unread: Vec<u32> = versions
            .filter(|version| !memory.knows(*version))
            .map(|version| version.record)
            .collect();
        for number in unread {
            provider.promise_nothing_of(number);
        }
    }

    /// It is shown within the overlap of its date as a listing shows it.
    fn touch_late(&self, record: u32, eighths: u32) {
        self.date(record, 0, self.lateness(eighths));
    }

    /// How much later a row may be shown that is written now.
    pub(super) fn lateness(&self, eighths: u32) -> i64 {
        let date = self.now() + self.inner().provider.skew;
        let age = date - floor(self.settings.field, floor(self.settings.stored(), date));
        let rest = (self.promised_reach() - age).max(0);
        rest * i64::from(eighths) / 8
    }

    /// Writes a record now, dated so much ahead and shown so much later.
    fn date(&self, record: u32, ahead: i64, late: i64) {
        let now = self.now();
        let mut inner = self.inner();
        let date = floor(self.settings.stored(), now + inner.provider.skew + ahead);
        let times = (now, now + late);
        inner
            .provider
            .date(&self.settings, record, date, times, self.promised_reach());
    }

    fn hide(&self, record: u32) {
        // Where rows of any date come again, one that was gone for a whole sweep is news.
        if self.settings.hides && self.settings.drop_before_bound {
            self.with_record(record, |record| record.hidden = true);
        }
    }

    fn show(&self, record: u32) {
        let (now, reach) = (self.now(), self.promised_reach());
        let number = record % self.settings.records;
        let inner = self.inner();
        let Some(record) = inner.provider.records.get(&number).cloned() else {
            return;
        };
        if record.hidden && !record.removed && record.shown_from <= now {
            let promise = inner.provider.promise(record.updated, now, reach);
            drop(inner);
            self.with_record(number, |record| {
                (record.hidden, record.promise) = (false, promise);
                (record.shown_from, record.promised_from) = (now, now);
            });
        }
    }

    fn with_record(&self, record: u32, change: impl FnOnce(&mut super::provider::Record)) {
        let number = record % self.settings.records;
        if let Some(record) = self.inner().provider.records.get_mut(&number) {
            change(record);
        }
    }

    fn set_clock(&self, eighths: i32) {
        let now = self.now();
        if self.settings.tells_time {
            let by = self.settings.interval * i64::from(eighths) / 8;
            self.inner().provider.set_clock(by, now);
        }
    }

    fn ask_otherwise(&self) {
        let now = self.now();
        let mut inner = self.inner();
        inner.plan.query_fingerprint.push('x');
        inner.edited_at = now;
    }

    fn set_reach(&self, reach: i64) {
        self.inner().set_reach(TimeDelta::milliseconds(reach));
    }

    /// Lets every fault end, and every date and delay pass.
    pub(crate) async fn settle_down(&self) {
        self.change(&Step::Accept);
        let now = self.now();
        let rest = {
            let provider = &self.inner().provider;
            let records = provider.records.values();
            let rows = provider.deletions.iter();
            let times = records.map(|record| (record.shown_from, record.updated));
            let times = times.chain(rows.map(|row| (row.shown_from, row.date)));
            let ahead = times.map(|(shown_from, date)| {
                let by_its_clock = date - provider.skew;
                shown_from.max(by_its_clock) - now
            });
            ahead.max().unwrap_or_default()
        };
        self.pass(rest.max(0) + 1_000).await;
    }
}

impl Inner {
    pub(super) fn set_reach(&mut self, reach: TimeDelta) {
        self.plan.reach = reach;
        if let Some(deletions) = &mut self.plan.deletions {
            deletions.reach = reach;
        }
    }
}
