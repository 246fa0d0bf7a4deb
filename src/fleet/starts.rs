//! What an instance's pollers know of each other while they run: who has started with what, and
//! which parents sweep.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::sync::{OwnedMutexGuard, watch};

use super::{Relative, Stored};

/// How long a parent's first poll waits for the children to start.
const PATIENCE: Duration = Duration::from_secs(5);

/// When a parent last polled, by our clock; locked while it does.
type Polled = Arc<tokio::sync::Mutex<Option<DateTime<Utc>>>>;

/// A sweep of a parent, or its rest, while this lasts.
pub type Sweep = OwnedMutexGuard<Option<DateTime<Utc>>>;

/// The pollers of one instance that have started, by uid: one that is made again under its name has
/// yet to start.
#[derive(Debug, Default)]
pub struct Starts {
    kin: watch::Sender<Known>,
    parents: Mutex<HashMap<String, Parent>>,
}

#[derive(Debug, Default)]
struct Known {
    /// Grows with each poller that starts.
    edition: u64,
    known: HashMap<String, Started>,
}

/// A poller that has started.
#[derive(Clone, Debug)]
struct Started {
    /// The class of its records, where its query has no condition but the date.
    class: Option<String>,
    query_fingerprint: String,
    stored: Stored,
    /// The edition that it came with.
    edition: u64,
}

#[derive(Debug)]
struct Parent {
    table: String,
    polled: Polled,
}

impl Starts {
    /// The poller with this uid has its start stored.
    pub(super) fn record(
        &self,
        uid: &str,
        class: Option<&str>,
        query_fingerprint: &str,
        stored: &Stored,
    ) {
        self.kin.send_if_modified(|kin| {
            let known = kin.known.get(uid);
            if known.is_some_and(|known| known.is(class, query_fingerprint)) {
                return false;
            }
            kin.edition += 1;
            let started = Started {
                class: class.map(str::to_owned),
                query_fingerprint: query_fingerprint.to_owned(),
                stored: stored.clone(),
                edition: kin.edition,
            };
            kin.known.insert(uid.to_owned(), started);
            true
        });
    }

    /// Which pollers have started by now: those that come later are [newcomers](Self::newcomers).
    pub fn edition(&self) -> u64 {
        self.kin.borrow().edition
    }

    /// The pollers that have started since `edition` and have a class.
    pub(super) fn newcomers(&self, edition: u64) -> Vec<Relative> {
        let kin = self.kin.borrow();
        let since = kin.known.iter().filter(|(_, it)| it.edition > edition);
        let with_class = since.filter_map(|(uid, known)| {
            Some(Relative {
                uid: uid.clone(),
                class: known.class.clone()?,
                query_fingerprint: known.query_fingerprint.clone(),
                stored: known.stored.clone(),
            })
        });
        with_class.collect()
    }

    /// What is stored of the poller with this uid, if it has started while this process ran.
    pub(super) fn stored(&self, uid: &str) -> Option<Stored> {
        let kin = self.kin.borrow();
        kin.known.get(uid).map(|known| known.stored.clone())
    }

    /// Waits until all of `uids` have started, but no longer than a few seconds: one that cannot
    /// start leaves its records to the parent.
    pub(super) async fn wait_for(&self, uids: &[String]) {
        let mut kin = self.kin.subscribe();
        let all = kin.wait_for(|kin| uids.iter().all(|uid| kin.known.contains_key(uid)));
        let _ = tokio::time::timeout(PATIENCE, all).await;
    }

    /// Begins a sweep of a parent's, which lasts as long as the guard: no child starts meanwhile.
    pub async fn sweep(&self, uid: &str, table: &str) -> Sweep {
        let polled = {
            let mut parents = self.lock();
            let parent = parents.entry(uid.to_owned()).or_insert_with(|| Parent {
                table: table.to_owned(),
                polled: Polled::default(),
            });
            table.clone_into(&mut parent.table);
            Arc::clone(&parent.polled)
        };
        polled.lock_owned().await
    }

    /// Waits until none sweeps of the parents whose table `is_parent`, and keeps them from it while
    /// the guards last.
    pub async fn rest(&self, is_parent: impl Fn(&str) -> bool) -> Vec<Sweep> {
        let mut resting = Vec::new();
        for polled in self.parents(is_parent) {
            resting.push(polled.lock_owned().await);
        }
        resting
    }

    /// In one order for all, so that no two who wait for several wait for each other.
    fn parents(&self, is_parent: impl Fn(&str) -> bool) -> Vec<Polled> {
        let parents = self.lock();
        let mut found: Vec<_> = parents
            .iter()
            .filter(|(_, parent)| is_parent(&parent.table))
            .collect();
        found.sort_by_key(|(uid, _)| *uid);
        let polled = found.into_iter().map(|(_, parent)| &parent.polled);
        polled.map(Arc::clone).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Parent>> {
        self.parents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Started {
    fn is(&self, class: Option<&str>, query_fingerprint: &str) -> bool {
        self.class.as_deref() == class && self.query_fingerprint == query_fingerprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(starts: &Starts, uid: &str) {
        starts.record(uid, Some("incident"), "query", &Stored::default());
    }

    #[tokio::test(start_paused = true)]
    async fn a_parent_waits_for_a_child_that_starts() {
        let starts = Starts::default();
        let children = ["child".to_owned()];
        let waiting = starts.wait_for(&children);
        tokio::pin!(waiting);
        assert!(futures::poll!(&mut waiting).is_pending());
        start(&starts, "child");
        assert!(futures::poll!(&mut waiting).is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn a_child_that_never_starts_delays_its_parent_by_seconds() {
        let starts = Starts::default();
        let begun = tokio::time::Instant::now();
        starts.wait_for(&["child".to_owned()]).await;
        assert_eq!(begun.elapsed(), PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_child_starts_between_two_sweeps_of_its_parent_and_of_no_other() {
        let starts = Starts::default();
        let (parent, stranger) = (
            starts.sweep("parent", "task").await,
            starts.sweep("stranger", "sys_user").await,
        );
        let resting = starts.rest(|table| table == "task");
        tokio::pin!(resting);
        assert!(futures::poll!(&mut resting).is_pending());
        drop(parent);
        let resting = resting.await;
        let sweep = starts.sweep("parent", "task");
        tokio::pin!(sweep);
        assert!(futures::poll!(&mut sweep).is_pending());
        drop(resting);
        assert!(futures::poll!(&mut sweep).is_ready());
        drop(stranger);
    }

    #[test]
    fn who_starts_after_an_edition_is_a_newcomer_to_it_once() {
        let starts = Starts::default();
        start(&starts, "first");
        let edition = starts.edition();
        start(&starts, "first");
        start(&starts, "second");
        starts.record("filtered", None, "query", &Stored::default());
        let new = starts.newcomers(edition);
        let uids: Vec<_> = new.iter().map(|new| new.uid.as_str()).collect();
        assert_eq!(uids, ["second"]);
    }
}
