//! A receiver that fails, as the log tells of it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::event::Origin;

/// Whether a receiver fails. A poll tells of it when it has given up, which takes a minute; whoever watches
/// the log hears of it at the first failure, once until the receiver has answered again.
#[derive(Debug, Default)]
pub(super) struct Outage(AtomicBool);

impl Outage {
    /// A notification failed, and is posted again in `pause`.
    pub(super) fn tell(&self, origin: &Origin, message: &str, pause: Duration) {
        if self.0.swap(true, Ordering::Relaxed) {
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
        self.0.store(false, Ordering::Relaxed);
    }
}
