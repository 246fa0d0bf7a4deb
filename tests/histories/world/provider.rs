//! What the provider holds.

use std::collections::{BTreeMap, HashSet};

use pollen::{
    provider::{DateReader, RecordShape, ShapeSettings},
    template::{DatePattern, Unit, Zone},
};

use super::{instant, version::Version};
use crate::settings::Settings;

/// The class that a poller of its own may take.
pub(crate) const CHILD: &str = "child";

/// Whether a version must be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// It was visible within the overlap of its date.
    Kept,
    /// So it was, but by a clock that had been set back behind what was read before: only a poller
    /// that sees this in two polls running goes back, to where it stood in the first.
    AfterJump,
    /// It was not: only a reconciliation would find it.
    Outside,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// As stored, in milliseconds.
    pub(crate) updated: i64,
    pub(crate) created: i64,
    pub(crate) version: u32,
    /// From when on listings show it, by our clock.
    pub(crate) shown_from: i64,
    /// When it was written last, by our clock.
    pub(crate) written: i64,
    pub(crate) hidden: bool,
    pub(crate) removed: bool,
    pub(crate) promise: Promise,
    /// Since when that holds, by our clock.
    pub(crate) promised_from: i64,
}

/// A row of the list of deletions; its place there is its key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Deleted {
    pub(crate) record: u32,
    /// As stored, in milliseconds.
    pub(crate) date: i64,
    /// When it was written, and from when on it is listed, by our clock.
    pub(crate) written: i64,
    pub(crate) shown_from: i64,
    pub(crate) promise: Promise,
    /// Since when that holds, by our clock.
    pub(crate) promised_from: i64,
}

pub(crate) struct Provider {
    pub(crate) records: BTreeMap<u32, Record>,
    pub(crate) deletions: Vec<Deleted>,
    /// Every version there ever was.
    pub(crate) versions: HashSet<Version>,
    /// How far its clock is ahead of ours.
    pub(crate) skew: i64,
    /// The latest that its clock ever showed in an answer.
    pub(crate) latest_told: i64,
    /// Its clock was set back at any time.
    pub(crate) is_set_back: bool,
    field: Unit,
}

impl Provider {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            records: BTreeMap::new(),
            deletions: Vec::new(),
            versions: HashSet::new(),
            skew: settings.skew,
            latest_told: i64::MIN,
            is_set_back: false,
            field: settings.field,
        }
    }

    /// Records from before the poller was created.
    pub(crate) fn fill(&mut self, settings: &Settings, now: i64) {
        for record in (0..settings.records).step_by(3) {
            let age = i64::from(record + 1) * 200 * 86_400_000;
            self.touch(settings, record, now - age, 0);
        }
    }

    /// Creates or updates a record; dates are the provider's.
    pub(crate) fn touch(&mut self, settings: &Settings, record: u32, now: i64, reach: i64) {
        let date = floor(settings.stored(), now + self.skew);
        self.date(settings, record, date, (now, now), reach);
    }

    /// Writes a record at `now` under `date`, shown from then on.
    pub(crate) fn date(
        &mut self,
        settings: &Settings,
        record: u32,
        date: i64,
        (now, shown_from): (i64, i64),
        reach: i64,
    ) {
        let number = record % settings.records;
        let promise = self.promise(date, shown_from, reach);
        let written = self.records.entry(number).or_insert_with(|| Record {
            updated: date,
            created: date,
            version: 0,
            shown_from,
            written: now,
            hidden: false,
            removed: false,
            promise,
            promised_from: now,
        });
        if std::mem::take(&mut written.removed) {
            written.created = date;
        }
        written.updated = date;
        written.version += 1;
        (written.written, written.promised_from) = (now, now);
        (written.shown_from, written.promise) = (shown_from, promise);
        let version = self.version(number);
        self.versions.insert(version);
    }

    /// What is promised of a version dated `date` that becomes visible at `shown_from`.
    pub(crate) fn promise(&self, date: i64, shown_from: i64, reach: i64) -> Promise {
        let shown_date = floor(self.field, date);
        if shown_from + self.skew - shown_date > reach {
            Promise::Outside
        } else if shown_date < self.latest_told.saturating_sub(reach) {
            Promise::AfterJump
        } else {
            Promise::Kept
        }
    }

    /// Sets its clock by so much. What is still to appear does so by another clock than it was
    /// dated by, so that nothing is promised of it.
    pub(crate) fn set_clock(&mut self, by: i64, now: i64) {
        self.skew += by;
        self.is_set_back |= by < 0;
        let records = self.records.values_mut();
        let times = records.map(|record| (record.shown_from, &mut record.promise));
        let rows = self.deletions.iter_mut();
        let times = times.chain(rows.map(|row| (row.shown_from, &mut row.promise)));
        for (shown_from, promise) in times {
            if shown_from > now {
                *promise = Promise::Outside;
            }
        }
    }

    /// A poller has seen that the clock was set back, and reads again from `date` on.
    pub(crate) fn read_again_from(&mut self, date: i64, now: i64) {
        let field = self.field;
        let records = self.records.values_mut();
        let dates = records.map(|it| (it.updated, &mut it.promise, &mut it.promised_from));
        let rows = self.deletions.iter_mut();
        let rows = rows.map(|row| (row.date, &mut row.promise, &mut row.promised_from));
        for (updated, promise, promised_from) in dates.chain(rows) {
            if *promise == Promise::AfterJump && floor(field, updated) >= date {
                (*promise, *promised_from) = (Promise::Kept, now);
            }
        }
    }

    pub(super) fn promise_nothing_of(&mut self, number: u32) {
        if let Some(record) = self.records.get_mut(&number) {
            record.promise = Promise::Outside;
        }
    }

    /// The record's state as a listing shows it.
    pub(crate) fn version(&self, number: u32) -> Version {
        self.version_of(number, &self.records[&number])
    }

    pub(super) fn times_deleted(&self, number: u32) -> u32 {
        let rows = self.deletions.iter();
        rows.filter(|row| row.record == number).count() as u32
    }

    pub(crate) fn version_of(&self, number: u32, record: &Record) -> Version {
        Version {
            record: number,
            date: floor(self.field, record.updated),
            number: record.version,
        }
    }

    /// The records that a listing shows at `now`, before access rules.
    pub(crate) fn listed(&self, now: i64) -> impl Iterator<Item = (u32, &Record)> {
        self.records
            .iter()
            .map(|(number, record)| (*number, record))
            .filter(move |(_, record)| !record.removed && record.shown_from <= now)
    }

    /// What the provider holds for a poller to see at `now`.
    pub(crate) fn visible(&self, now: i64) -> impl Iterator<Item = (Version, &Record)> {
        self.listed(now)
            .filter(|(_, record)| !record.hidden)
            .map(|(number, record)| (self.version_of(number, record), record))
    }
}

impl Settings {
    pub(crate) fn is_excluded(&self, record: u32) -> bool {
        self.excludes && record.is_multiple_of(5)
    }

    pub(super) fn class(&self, record: u32) -> &'static str {
        if self.is_excluded(record) {
            "excluded"
        } else if self.is_childs(record) {
            CHILD
        } else {
            "plain"
        }
    }

    pub(crate) fn id(&self, record: u32) -> String {
        if self.numeric_ids {
            record.to_string()
        } else {
            format!("r{record:02}")
        }
    }
}

pub(crate) fn floor(unit: Unit, milliseconds: i64) -> i64 {
    unit.floor(instant(milliseconds), Zone::Utc)
        .timestamp_millis()
}

pub(crate) fn shape(settings: &Settings) -> RecordShape {
    let date = |field: &str| DateReader {
        field: field.to_owned(),
        pattern: DatePattern::parse("milliseconds").unwrap(),
        zone: Zone::Utc,
    };
    RecordShape::new(ShapeSettings {
        records: "result".to_owned(),
        id: "id".to_owned(),
        updated: Some(date("updated")),
        created: Some(date("created")),
        version: settings.versioned.then(|| "version".to_owned()),
        class: Some("class".to_owned()),
        ..ShapeSettings::default()
    })
    .unwrap()
}
