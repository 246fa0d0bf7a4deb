//! Where an instance's pollers started, so that a parent's poller knows what is left to a child's.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

/// How long a parent's first poll waits for the children to start.
const PATIENCE: Duration = Duration::from_secs(5);

/// The starts of one instance's pollers, by the poller's uid: one that is made again under its name
/// has yet to start.
pub(super) struct Starts(watch::Sender<HashMap<String, DateTime<Utc>>>);

impl Starts {
    pub(super) fn new() -> Self {
        Self(watch::channel(HashMap::new()).0)
    }

    /// The poller with this uid has its start stored.
    pub(super) fn record(&self, uid: &str, started_at: DateTime<Utc>) {
        self.0.send_if_modified(|starts| {
            starts.insert(uid.to_owned(), started_at) != Some(started_at)
        });
    }

    pub(super) fn of(&self, uid: &str) -> Option<DateTime<Utc>> {
        self.0.borrow().get(uid).copied()
    }

    /// Waits until all of `uids` have started, but no longer than a few seconds: one that cannot
    /// start leaves its records to the parent.
    pub(super) async fn wait_for(&self, uids: &[String]) {
        let mut starts = self.0.subscribe();
        let all = starts.wait_for(|starts| uids.iter().all(|uid| starts.contains_key(uid)));
        let _ = tokio::time::timeout(PATIENCE, all).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_parent_waits_for_a_child_that_starts() {
        let starts = Starts::new();
        let children = ["child".to_owned()];
        let waiting = starts.wait_for(&children);
        tokio::pin!(waiting);
        assert!(futures::poll!(&mut waiting).is_pending());
        starts.record("child", DateTime::UNIX_EPOCH);
        assert!(futures::poll!(&mut waiting).is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn a_child_that_never_starts_delays_its_parent_by_seconds() {
        let starts = Starts::new();
        let begun = tokio::time::Instant::now();
        starts.wait_for(&["child".to_owned()]).await;
        assert_eq!(begun.elapsed(), PATIENCE);
        assert_eq!(starts.of("child"), None);
    }
}
