//! Whether the process has read what it works from.

use std::sync::Arc;

use tokio::sync::watch;

/// Counts the caches that have not seen a complete list yet; ready at none.
///
/// Leadership is no part of it: a replica in waiting is ready, else a rolling update stands still.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<watch::Sender<usize>>);

/// One cache that is not complete yet; see [`Readiness::expect_cache`].
#[derive(Debug)]
pub struct Unsynced(Option<Readiness>);

impl Readiness {
    /// Announces one more cache to wait for.
    #[must_use]
    pub fn expect_cache(&self) -> Unsynced {
        self.0.send_modify(|pending| *pending += 1);
        Unsynced(Some(self.clone()))
    }

    /// Whether all announced caches are complete.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.0.borrow() == 0
    }

    /// Waits until all announced caches are complete.
    pub async fn ready(&self) {
        // An error would mean that the sender is gone, which `self` holds.
        let _ = self.0.subscribe().wait_for(|pending| *pending == 0).await;
    }
}

impl Unsynced {
    /// Says that the cache is complete; only the first call counts.
    pub fn synced(&mut self) {
        if let Some(readiness) = self.0.take() {
            readiness
                .0
                .send_modify(|pending| *pending = pending.saturating_sub(1));
        }
    }
}
