//! What each poller did: its last poll, as `/debug/pollers` shows it, and its totals for the metrics.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use serde::Serialize;

/// The pollers at work and what they did, shared by all who write and show it.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<Rows>>);

/// By namespace and name.
type Rows = BTreeMap<(String, String), Arc<Row>>;

/// One poller on the [`Board`]. A poll replaces it, so that whoever reads never makes a poll wait.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) line: Line,
    pub(super) counts: Counts,
    /// Polls that ended, by how they ended.
    pub(super) polls: Vec<(&'static str, u64)>,
}

/// The last poll of one poller.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    pub namespace: String,
    pub name: String,
    pub instance: String,
    /// When the last poll ended.
    pub last_poll: DateTime<Utc>,
    /// `complete`, or how the poll ended instead.
    pub result: &'static str,
    /// Records that the poll read.
    pub read: u64,
    /// Events that the poll had acknowledged.
    pub events: u64,
    /// Up to where everything is settled.
    pub watermark: Option<DateTime<Utc>>,
    /// Deletions that wait for a person.
    pub deletes_held: u64,
}

/// What one poll did, or all of a poller's since this process began to run it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests for pages.
    pub requests: u64,
    /// Records by what became of them: a record is one of these each time it is read.
    pub unchanged: u64,
    pub excluded: u64,
    pub out_of_range: u64,
    pub changed: u64,
    /// Records that cannot be events, by what is wrong with them.
    pub no_id: u64,
    pub no_date: u64,
    pub unreadable_date: u64,
    pub not_utf8: u64,
    pub no_class: u64,
    /// Events acknowledged, by kind.
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
    /// Events that the callback refused, by what became of them.
    pub dead_lettered: u64,
    pub skipped: u64,
}

impl Board {
    /// Replaces the poller's line, and adds to its totals.
    pub fn polled(&self, line: Line, counts: &Counts) {
        let key = (line.namespace.clone(), line.name.clone());
        let mut rows = self.lock();
        let before = rows.get(&key);
        let mut row = Row {
            counts: before.map_or_else(Counts::default, |row| row.counts),
            polls: before.map_or_else(Vec::new, |row| row.polls.clone()),
            line,
        };
        row.add(counts);
        rows.insert(key, Arc::new(row));
    }

    /// Adds to the totals of a poller what it did between two polls.
    pub fn replayed(&self, namespace: &str, name: &str, counts: &Counts) {
        let key = (namespace.to_owned(), name.to_owned());
        if let Some(row) = self.lock().get_mut(&key) {
            Arc::make_mut(row).counts.add(counts);
        }
    }

    /// Takes a poller off that polls no more, and its totals with it.
    pub fn remove(&self, namespace: &str, name: &str) {
        self.lock().remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// All lines, by namespace and name.
    #[must_use]
    pub fn all(&self) -> Vec<Line> {
        self.rows().iter().map(|row| row.line.clone()).collect()
    }

    /// All rows, by namespace and name.
    pub(super) fn rows(&self) -> Vec<Arc<Row>> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Row {
    fn add(&mut self, counts: &Counts) {
        self.counts.add(counts);
        let result = self.line.result;
        match self.polls.iter_mut().find(|(known, _)| *known == result) {
            Some((_, count)) => *count += 1,
            None => self.polls.push((result, 1)),
        }
    }
}

impl Counts {
    const fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.unchanged += other.unchanged;
        self.excluded += other.excluded;
        self.out_of_range += other.out_of_range;
        self.changed += other.changed;
        self.no_id += other.no_id;
        self.no_date += other.no_date;
        self.unreadable_date += other.unreadable_date;
        self.not_utf8 += other.not_utf8;
        self.no_class += other.no_class;
        self.created += other.created;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.dead_lettered += other.dead_lettered;
        self.skipped += other.skipped;
    }

    /// Records that cannot be events.
    pub(super) const fn bad(&self) -> u64 {
        self.no_id + self.no_date + self.unreadable_date + self.not_utf8 + self.no_class
    }

    /// Records read: each is counted as one of these outcomes.
    pub(super) const fn read(&self) -> u64 {
        self.unchanged + self.excluded + self.out_of_range + self.changed + self.bad()
    }
}
