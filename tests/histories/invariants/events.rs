//! What must hold of each event: its form, its id, that it comes once, and its kind.

use pollen::{
    api::CreatedCheck,
    event::{Event, Kind, Notification},
};

use super::{Invariant, Violation};
use crate::world::{Absence, Inner, Memory, Process, Version, floor};

impl Process {
    /// A notification as it goes out.
    pub(crate) fn check_form(
        &self,
        inner: &mut Inner,
        notification: &Notification,
        versions: &[Version],
    ) {
        let most = inner.plan.max_events;
        if versions.is_empty() || versions.len() > most {
            let expected = format!("1 to {most} events in a notification");
            let came = versions.len().to_string();
            inner.violate(Violation::new(Invariant::Delivery, expected, came));
        }
        if !versions.is_sorted_by_key(|version| version.date) {
            let expected = "events in the order of their updated date";
            let came = format!("{versions:?}");
            inner.violate(Violation::new(Invariant::Delivery, expected, came));
        }
        for (event, version) in notification.events.iter().zip(versions) {
            self.check_truth(inner, event, *version);
            self.check_id(inner, event, *version);
        }
    }

    /// It tells what the provider shows, or that a record is gone (I6).
    fn check_truth(&self, inner: &mut Inner, event: &Event, version: Version) {
        let is_true = match version.is_deletion() {
            true => self.is_deletion(inner, version),
            false => inner.provider.versions.contains(&version),
        };
        let is_wanted = version.date >= self.started_at(inner)
            && !self.world.settings.is_excluded(version.record)
            && event.changed_at.timestamp_millis() == version.date;
        if is_true && is_wanted {
            return;
        }
        let expected = "an event of a change since the start, as the provider shows it";
        let invariant = match version.is_deletion() {
            true => Invariant::Truly,
            false => Invariant::Once,
        };
        inner.violate(Violation::new(invariant, expected, format!("{version:?}")));
    }

    /// Whether the provider told this process of this deletion, and said last that the record is gone.
    fn is_deletion(&self, inner: &mut Inner, deletion: Version) -> bool {
        let rows = inner.provider.deletions.iter();
        let is_told = self.world.is_listed(rows, deletion);
        let seen_gone = &inner.ledger.memory(self.number).seen_gone;
        is_told && seen_gone.contains(&deletion.record)
    }

    /// One id for each version, and one version for each id (I2).
    fn check_id(&self, inner: &mut Inner, event: &Event, version: Version) {
        let id = event.id.as_str().to_owned();
        let overtaken = inner.ledger.memory(self.number).revision != inner.stored.revision;
        let ledger = &mut inner.ledger;
        let memory = ledger.memory(self.number);
        let times_deleted = memory.times_deleted.get(&version).copied();
        let times_deleted = times_deleted.unwrap_or_default();
        // One that another has overtaken may not know of the deletion that a record is back from.
        if overtaken && times_deleted > 0 {
            return;
        }
        let naming = memory.naming(version, times_deleted);
        let named = version.named(memory.content_ignored);
        let same_id = naming == Naming::Free || {
            let known = ledger.ids.entry((named, times_deleted));
            *known.or_insert_with(|| id.clone()) == id || naming == Naming::Late
        };
        let known = ledger.versions.entry(id).or_insert(named);
        if !same_id || *known != named {
            let expected = "one event id for each version, in every process";
            let came = format!("another for {version:?}");
            inner.violate(Violation::new(Invariant::Once, expected, came));
        }
    }

    /// An event as the receiver takes it.
    pub(crate) fn check_taken(&self, inner: &mut Inner, event: &Event, version: Version) {
        let memory = inner.ledger.memory(self.number);
        if memory.settled.forbids(version, memory.content_ignored) {
            let expected = "a version is delivered once while its acknowledgement is known";
            let came = format!("{version:?} again");
            inner.violate(Violation::new(Invariant::Once, expected, came));
        }
        if !version.is_deletion() {
            self.check_kind(inner, event, version);
        }
    }

    /// Created or updated (polling rule 12), where the process's memory tells which.
    fn check_kind(&self, inner: &mut Inner, event: &Event, version: Version) {
        let settings = &self.world.settings;
        let record = &inner.provider.records[&version.record];
        if record.version != version.number {
            return;
        }
        let record = &inner.provider.records[&version.record];
        let created = floor(settings.field, record.created);
        let by_dates = (version.date - created).abs() <= settings.tolerance;
        let reach = inner.plan.reach.num_milliseconds();
        let memory = inner.ledger.memory(self.number);
        let by_dates_alone = settings.created_check == CreatedCheck::OpenConnectors;
        let expected = match memory.settled.absence(version.record) {
            Absence::Sure => Some(true),
            Absence::Unsure => None,
            Absence::Unknown if by_dates_alone => Some(by_dates),
            Absence::Unknown => memory.is_created(version.record, created, by_dates, reach),
        };
        if expected.is_some_and(|created| created != (event.kind == Kind::Created)) {
            let expected = "created by its dates or since the sweep began, and once";
            let came = format!("{:?} of {version:?}, created at {created}", event.kind);
            inner.violate(Violation::new(Invariant::Kind, expected, came));
        }
    }
}

/// How far what a process knows settles the id of an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// It is the one that the version has.
    Sure,
    /// The deletion that the record is back from may have left the window since it was named by it;
    /// who knows of the deletion later must not name the version otherwise.
    Late,
    /// Whether it names the deletion nobody knows.
    Free,
}

impl Memory {
    fn naming(&self, version: Version, times_deleted: u32) -> Naming {
        if version.is_deletion() || times_deleted == 0 {
            return Naming::Sure;
        }
        // A repeat from where a clock or an edit led back may not know any more that it is a restore.
        if self.settled.may_repeat(version) {
            return Naming::Free;
        }
        match self.settled.absence(version.record) {
            Absence::Unsure => Naming::Late,
            Absence::Sure | Absence::Unknown => Naming::Sure,
        }
    }

    /// Whether a record is created; `None` where the mark of its creation may have left the window.
    fn is_created(&self, record: u32, created: i64, by_dates: bool, reach: i64) -> Option<bool> {
        let Some(marked) = self.settled.created.get(&record) else {
            return Some(by_dates || created > self.settled_at_start());
        };
        let sure_since = self.settled.records.sure_since;
        let remembered_since = (self.watermark() - reach).max(self.window_since());
        (*marked >= sure_since.max(remembered_since)).then_some(false)
    }
}
