//! Where a poller started, for those who must not wait for a write under way.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::api::PollerResourceStatus;

/// Where a poller started, once that is stored; clones show the same poller.
#[derive(Clone, Debug, Default)]
pub(in crate::operator) struct Started(Arc<Mutex<Option<DateTime<Utc>>>>);

impl Started {
    /// The start, once it is stored.
    pub(in crate::operator) fn get(&self) -> Option<DateTime<Utc>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of the status as it is stored.
    pub(super) fn note(&self, status: &PollerResourceStatus) {
        let started_at = status
            .checkpoint
            .as_ref()
            .map(|checkpoint| checkpoint.started_at);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = started_at;
    }
}
