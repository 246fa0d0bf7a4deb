//! What must hold of each event: its form, its id, that it comes once, and its kind.

use pollen::{
    api::CreatedCheck,
    event::{Event, Kind, Notification},
};

use super::{Invariant, Violation};
use crate::{
    settings::{Deletes, Part},
    world::{Absence, Inner, Memory, Process, Version, floor},
};

/// Fewer deletions than this are no mass.
const LEAST_HELD: usize = 10;

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
        let is_wanted = self.is_in_time(inner, version)
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

    /// A list of ids finds what no poll does, and so does a replay.
    fn is_in_time(&self, inner: &mut Inner, version: Version) -> bool {
        let started_at = self.started_at(inner);
        let replaying = inner.ledger.memory(self.number).replaying.as_ref();
        version.date >= started_at
            || replaying.is_some_and(|replay| replay.reaches(version.date))
            || self.world.settings.id_list().is_some()
    }

    /// Whether the provider told this process of this deletion, and said last that the record is gone.
    fn is_deletion(&self, inner: &mut Inner, deletion: Version) -> bool {
        let rows = inner.provider.deletions.iter();
        let is_found = self.world.settings.id_list().is_some();
        let is_told = is_found || self.world.is_listed(rows, deletion);
        let seen_gone = &inner.ledger.memory(self.number).seen_gone;
        is_told && seen_gone.contains(&deletion.record)
    }

    /// One id for each version, and one version for each id (I2).
    fn check_id(&self, inner: &mut Inner, event: &Event, version: Version) {
        let id = event.id.as_str().to_owned();
        let is_found = self.is_found_by_id(inner, version);
        let overtaken = inner.ledger.memory(self.number).revision != inner.stored.revision;
        let ledger = &mut inner.ledger;
        if is_found {
            ledger.listed.insert(version);
        }
        let is_listed = ledger.listed.contains(&version);
        let memory = ledger.memory(self.number);
        let times_deleted = memory.times_deleted.get(&version).copied();
        let times_deleted = times_deleted.unwrap_or_default();
        // One that another has overtaken may not know of the deletion that a record is back from.
        if overtaken && times_deleted > 0 {
            return;
        }
        let naming = if is_listed {
            Naming::Free
        } else {
            memory.naming(version, times_deleted)
        };
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

    /// Only a list of ids has shown it: its id names the comparison too.
    fn is_found_by_id(&self, inner: &mut Inner, version: Version) -> bool {
        let memory = inner.ledger.memory(self.number);
        self.world.settings.id_list().is_some()
            && !version.is_deletion()
            && !memory.shown.contains(&version)
    }

    /// An event as the receiver takes it.
    pub(crate) fn check_taken(&self, inner: &mut Inner, event: &Event, version: Version) {
        let memory = inner.ledger.memory(self.number);
        if memory.forbids(version) {
            let expected = "a version is delivered once while its acknowledgement is known";
            let came = format!("{version:?} again");
            inner.violate(Violation::new(Invariant::Once, expected, came));
        }
        self.check_apart(inner, version);
        if version.is_deletion() {
            self.check_share(inner, version);
        } else {
            self.check_kind(inner, event, version);
        }
    }

    /// More deletions than the share are found by one comparison only once they are confirmed.
    fn check_share(&self, inner: &mut Inner, deletion: Version) {
        let Deletes::Compared(comparing) = self.world.settings.deletes else {
            return;
        };
        let (records, share) = (self.world.settings.records, comparing.max_share_percent);
        let ledger = &mut inner.ledger;
        let told = ledger.found.entry(deletion.date).or_default();
        told.insert(deletion.record);
        let is_much = told.len() >= LEAST_HELD && told.len() * 100 > (records * share) as usize;
        if is_much && !ledger.confirmed.contains(&deletion.date) {
            let expected = format!("no more than {share} % of the records without a person's word");
            let came = format!("{} deletions", told.len());
            inner.violate(Violation::new(Invariant::Truly, expected, came));
        }
    }

    /// Created or updated (polling rule 12), where the process's memory tells which.
    fn check_kind(&self, inner: &mut Inner, event: &Event, version: Version) {
        let settings = &self.world.settings;
        let record = &inner.provider.records[&version.record];
        // What only a list of ids shows is created, if it is from before the bound.
        if record.version != version.number || self.is_found_by_id(inner, version) {
            return;
        }
        let record = &inner.provider.records[&version.record];
        let created = floor(settings.field, record.created);
        let by_dates = (version.date - created).abs() <= settings.tolerance;
        let reach = inner.plan.reach.num_milliseconds();
        let is_childs = settings.part == Part::Parent && settings.is_childs(version.record);
        let memory = inner.ledger.memory(self.number);
        let takes_back = memory.takes_back || is_childs;
        let by_dates_alone =
            settings.created_check == CreatedCheck::OpenConnectors || memory.replaying.is_some();
        let expected = match memory.settled.absence(version.record) {
            Absence::Sure => Some(true),
            Absence::Unsure => None,
            Absence::Unknown if by_dates_alone => Some(by_dates),
            // What was settled before this sweep depends on how far a child had come.
            Absence::Unknown if takes_back => None,
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
    /// Whether it names the deletion, or the comparison, nobody knows.
    Free,
}

impl Memory {
    fn naming(&self, version: Version, times_deleted: u32) -> Naming {
        if version.is_deletion() || times_deleted == 0 {
            return Naming::Sure;
        }
        // A repeat from where a clock or an edit led back may not know any more that it is a restore.
        if self.settled.may_repeat(version) || self.replaying.is_some() {
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
