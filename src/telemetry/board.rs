//! The last poll of each poller, as `/debug/pollers` shows it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use serde::Serialize;

/// The pollers at work and how their last polls went, shared by all who write and show it.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<BTreeMap<(String, String), Line>>>);

/// One poller on the [`Board`].
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
}

impl Board {
    /// Replaces the poller's line.
    pub fn put(&self, line: Line) {
        self.lines()
            .insert((line.namespace.clone(), line.name.clone()), line);
    }

    /// Takes a poller off that polls no more.
    pub fn remove(&self, namespace: &str, name: &str) {
        self.lines()
            .remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// All lines, by namespace and name.
    #[must_use]
    pub fn all(&self) -> Vec<Line> {
        self.lines().values().cloned().collect()
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<(String, String), Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
