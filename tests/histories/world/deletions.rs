//! Records that are deleted and come back.

use super::{
    Inner, World,
    provider::{Deleted, floor},
    version::Version,
};
use crate::settings::Deletes;

impl World {
    pub(super) fn remove(&self, record: u32, eighths: u32) {
        let (now, late) = (self.now(), self.lateness(eighths));
        let number = record % self.settings.records;
        let mut inner = self.inner();
        let provider = &mut inner.provider;
        let date = floor(self.settings.stored(), now + provider.skew);
        let deletion = Version::deletion(number, floor(self.settings.field, date));
        let is_there = provider.records.get(&number).is_some_and(|it| !it.removed);
        // By its date a deletion is told from others of its record.
        if !is_there || self.is_listed(provider.deletions.iter(), deletion) {
            return;
        }
        let promise = provider.promise(date, now + late, self.promised_reach());
        provider.deletions.push(Deleted {
            record: number,
            date,
            written: now,
            shown_from: now + late,
            promise,
            promised_from: now,
        });
        if let Some(record) = provider.records.get_mut(&number) {
            record.removed = true;
        }
    }

    pub(crate) fn is_listed<'a>(
        &self,
        mut rows: impl Iterator<Item = &'a Deleted>,
        deletion: Version,
    ) -> bool {
        rows.any(|row| self.deletion(row) == deletion)
    }

    /// A row of the list, as it shows it.
    pub(crate) fn deletion(&self, row: &Deleted) -> Version {
        Version::deletion(row.record, floor(self.settings.field, row.date))
    }

    pub(super) fn restore(&self, record: u32) {
        if self.settings.forgets_what_is_gone() {
            return;
        }
        let (now, reach) = (self.now(), self.promised_reach());
        let number = record % self.settings.records;
        let mut inner = self.inner();
        let Some(updated) = inner.provider.records.get(&number).map(|it| it.updated) else {
            return;
        };
        let promise = inner.provider.promise(updated, now, reach);
        if let Some(record) = inner.provider.records.get_mut(&number)
            && record.removed
        {
            (record.removed, record.promise) = (false, promise);
            (record.shown_from, record.promised_from) = (now, now);
        }
    }

    /// A person confirms what the stored checkpoint says to wait.
    pub(crate) fn confirm(&self) {
        let mut inner = self.inner();
        let checkpoint = inner.stored.checkpoint();
        let part = checkpoint.and_then(|checkpoint| checkpoint.reconcile);
        let missing = part.and_then(|part| part.missing);
        let Some(missing) = missing.filter(|missing| missing.held) else {
            return;
        };
        let found_at = missing.deleted_at.timestamp_millis();
        inner.ledger.confirmed.insert(found_at);
        if let Some(plan) = &mut inner.plan.reconcile {
            plan.confirmed = Some(missing.id);
        }
    }

    /// The last deletion of each record that is gone, where the provider lists them.
    pub(crate) fn deleted<'a>(&'a self, inner: &'a Inner) -> impl Iterator<Item = &'a Deleted> {
        let is_listed = self.settings.deletes == Deletes::Listed;
        let rows = inner.provider.deletions.iter().enumerate();
        rows.filter(move |(place, row)| {
            let mut later = inner.provider.deletions[place + 1..].iter();
            is_listed
                && inner.provider.records[&row.record].removed
                && later.all(|later| later.record != row.record)
        })
        .map(|(_, row)| row)
    }
}
