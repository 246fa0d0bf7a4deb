//! A checkpoint between two polls of one process.

use chrono::{DateTime, Utc};

use super::{
    CheckpointStore, Progress, Segment, StoreError, reconcile::Reconciling, refusal::Refusal,
    stream::Stream,
};
use crate::api::Checkpoint;

/// A checkpoint as this process goes on from it, and what of it is not stored yet.
#[derive(Clone, Debug)]
pub struct Held {
    pub checkpoint: Checkpoint,
    /// The records' stream at work, where its window is too large to be read anew at every poll.
    pub(super) records: Option<Box<Stream>>,
    /// The same of the list of deletions.
    pub(super) deletes: Option<Box<Stream>>,
    /// The same of a replay between two stretches.
    pub(super) replayed: Option<Box<Stream>>,
    /// The comparison of ids under way.
    pub(super) reconciling: Reconciling,
    /// The provider refused its list of deletions.
    pub(super) refusal: Option<Refusal>,
    /// Segments of ids that the store may lack.
    pub(super) fresh: Vec<Segment>,
    pub(super) due: Due,
    /// A restart may name a version otherwise than what is not stored yet says.
    pub(super) is_naming_in_doubt: bool,
    /// The provider's clock at the sweep that was stored last.
    pub(super) written: DateTime<Utc>,
}

/// What a write would tell that the stored checkpoint doesn't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    #[default]
    Nothing,
    /// Only the watermark, moved by records that need no event.
    Watermark,
    Settled,
}

impl Held {
    /// Whether a comparison of ids is under way, which goes on at once and not with the next poll.
    #[must_use]
    pub fn is_comparing(&self) -> bool {
        self.reconciling.run.is_some() && !self.reconciling.is_pausing()
    }

    /// Whether events are settled here that a restart would deliver again.
    #[must_use]
    pub fn is_unwritten(&self) -> bool {
        self.due == Due::Settled
    }

    /// Somebody asks for a poll: what was refused is asked for again.
    pub fn ask_anew(&mut self) {
        self.refusal = None;
    }

    /// Stores it, at the end of a process that polls no more.
    ///
    /// # Errors
    ///
    /// It is not stored; what is unwritten will be delivered again.
    pub async fn save<S: CheckpointStore>(&self, store: &mut S) -> Result<(), StoreError> {
        let mut segments = self.unstored();
        segments.extend(self.fresh.iter().cloned());
        store
            .save(&self.checkpoint, &segments, &Progress::default())
            .await
    }

    fn unstored(&self) -> Vec<Segment> {
        let records = self.records.iter().zip([&self.checkpoint.records]);
        let deletes = self.deletes.iter().zip(&self.checkpoint.deletes);
        let running = self.checkpoint.running_replay();
        let replayed = running.map(|running| &running.records);
        records
            .chain(deletes)
            .chain(self.replayed.iter().zip(replayed))
            .flat_map(|(stream, stored)| stream.unstored(stored))
            .collect()
    }
}

/// A checkpoint as it is stored.
impl From<Checkpoint> for Held {
    fn from(checkpoint: Checkpoint) -> Self {
        Self {
            reconciling: Reconciling::default(),
            refusal: None,
            fresh: Vec::new(),
            due: Due::Nothing,
            is_naming_in_doubt: false,
            written: checkpoint.swept_at.unwrap_or(checkpoint.started_at),
            records: None,
            deletes: None,
            replayed: None,
            checkpoint,
        }
    }
}
