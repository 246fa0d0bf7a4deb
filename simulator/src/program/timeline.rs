//! When each version became visible.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use simulator::{
    receiver::{Event, Notification},
    servicenow::Instance,
};

/// A version of a record: its `sys_id` and `sys_mod_count`.
type Key = (String, u64);

/// The visible versions with their times, shared by those who make and those who watch them.
#[derive(Clone, Default)]
pub(super) struct Timeline(Arc<Mutex<Times>>);

#[derive(Default)]
struct Times {
    /// How much of the instance's history is in here.
    known: usize,
    visible: HashMap<Key, DateTime<Utc>>,
}

impl Timeline {
    /// Everything that became visible since the last call did so just now.
    pub(super) fn catch_up(&self, instance: &Instance) {
        let (history, now) = (instance.history(), instance.now());
        let mut times = self.times();
        for version in history.iter().skip(times.known) {
            let key = (version.sys_id.clone(), version.mod_count);
            times.visible.insert(key, now);
        }
        times.known = history.len();
    }

    /// How long after it became visible a version arrived; `None` for one that never was.
    pub(super) fn age(&self, sys_id: &str, mod_count: u64, at: DateTime<Utc>) -> Option<Duration> {
        let times = self.times();
        let since = times.visible.get(&(sys_id.to_owned(), mod_count))?;
        Some((at - since).to_std().unwrap_or_default())
    }

    /// How old the acknowledged versions were when they arrived, the youngest first.
    pub(super) fn delays(
        &self,
        notifications: &[Notification],
        acknowledged: &[Event],
    ) -> Vec<Duration> {
        let age = |event: &Event| {
            let arrived = notifications.get(event.position)?.at;
            self.age(&event.object_id, event.mod_count(), arrived)
        };
        let mut delays: Vec<_> = acknowledged.iter().filter_map(age).collect();
        delays.sort_unstable();
        delays
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
