//! What happens to the provider, the clock and the spec between two polls.

use chrono::TimeDelta;

use super::{World, provider::floor};
use crate::steps::Step;

impl World {
    /// The overlap that held at any time of the history: what is promised.
    const fn promised_reach(&self) -> i64 {
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
            Step::Remove(record) => self.with_record(record, |record| record.removed = true),
            Step::Hide(record) => self.hide(record),
            Step::Show(record) => self.show(record),
            Step::Jump(eighths) => self.set_clock(eighths),
            Step::Refuse(record) => {
                let record = record % self.settings.records;
                self.inner().ledger.refused.insert(record);
            }
            Step::Accept => self.inner().ledger.refused.clear(),
            Step::AskOtherwise => self.inner().plan.query_fingerprint.push('x'),
            Step::NarrowReach => self.set_reach(self.settings.narrow_reach),
            Step::WidenReach => self.set_reach(self.settings.reach),
            Step::Poll(_) | Step::Restart | Step::Pass(_) => {}
        }
    }

    pub(crate) fn touch(&self, record: u32) {
        self.date(record, 0, 0);
    }

    /// Creates or updates a record between two pages of a poll. Where rows of any date come again
    /// and in no order, one that slips from page to page is gone for that sweep, and news in the next.
    pub(crate) fn touch_in_sweep(&self, record: u32) {
        if self.settings.drop_before_bound || !self.settings.ignores_filter {
            self.touch(record);
        }
    }

    /// It is shown within the overlap of its date as a listing shows it.
    fn touch_late(&self, record: u32, eighths: u32) {
        let date = self.now() + self.inner().provider.skew;
        let age = date - floor(self.settings.field, floor(self.settings.stored(), date));
        let rest = (self.promised_reach() - age).max(0);
        self.date(record, 0, rest * i64::from(eighths) / 8);
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

    fn set_reach(&self, reach: i64) {
        self.inner().plan.reach = TimeDelta::milliseconds(reach);
    }

    /// Lets every fault end, and every date and delay pass.
    pub(crate) async fn settle_down(&self) {
        self.change(&Step::Accept);
        let now = self.now();
        let rest = {
            let provider = &self.inner().provider;
            let ahead = provider
                .records
                .values()
                .map(|record| (record.shown_from - now).max(record.updated - now - provider.skew));
            ahead.max().unwrap_or_default()
        };
        self.pass(rest.max(0) + 1_000).await;
    }
}
