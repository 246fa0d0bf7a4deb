//! A receiver that fails, as the log tells of it.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::event::Origin;

/// Least time between two lines about a receiver that fails now and then.
const BETWEEN: Duration = Duration::from_secs(60);

/// Whether a receiver fails. A poll tells of it when it has given up, which takes a minute; whoever watches
/// the log hears of it at the first failure, once until the receiver has answered again, and no more than
/// once a minute.
#[derive(Debug, Default)]
pub(super) struct Outage {
    fails: AtomicBool,
    told: Mutex<Option<Instant>>,
}

impl Outage {
    /// A notification failed, and is posted again in `pause`.
    pub(super) fn tell(&self, origin: &Origin, message: &str, pause: Duration) {
        if self.fails.swap(true, Ordering::Relaxed) || !self.is_due() {
            return;
        }
        let (namespace, instance) = (origin.namespace.as_str(), origin.instance.as_str());
        let seconds = pause.as_secs_f64();
        tracing::warn!(
            namespace,
            instance,
            "{message}; it is tried again in {seconds:.1} s, and ever less often after that"
        );
    }

    /// The receiver has answered.
    pub(super) fn end(&self) {
        self.fails.store(false, Ordering::Relaxed);
    }

    fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.is_none_or(|told| now - told >= BETWEEN);
        if is_due {
            *told = Some(now);
        }
        is_due
    }
}
