//! A checkpoint between two polls of one process.

use chrono::{DateTime, Utc};

use crate::api::Checkpoint;

/// A checkpoint as this process goes on from it, and what of it is not stored yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub checkpoint: Checkpoint,
    pub(super) due: Due,
    /// The provider's clock at the sweep that was stored last.
    pub(super) written: DateTime<Utc>,
}

/// What a write would tell that the stored checkpoint doesn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Nothing,
    /// Only the watermark, moved by records that need no event.
    Watermark,
    Settled,
}

impl Held {
    /// Whether events are settled here that a restart would deliver again.
    #[must_use]
    pub fn is_unwritten(&self) -> bool {
        self.due == Due::Settled
    }
}

/// A checkpoint as it is stored.
impl From<Checkpoint> for Held {
    fn from(checkpoint: Checkpoint) -> Self {
        Self {
            due: Due::Nothing,
            written: checkpoint.swept_at.unwrap_or(checkpoint.started_at),
            checkpoint,
        }
    }
}
