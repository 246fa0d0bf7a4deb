//! The store: fenced, and checked at every write.

use std::collections::BTreeMap;

use bytes::Bytes;
use pollen::{
    api::Checkpoint,
    poll::{CheckpointStore, Progress, Segment, SegmentName, StoreError},
};

use super::{Process, ledger::Settled};

/// What is stored durably.
#[derive(Default)]
pub(crate) struct Stored {
    /// As JSON, so that a restart reads what a file or an API server would give.
    text: Option<String>,
    segments: BTreeMap<String, Bytes>,
    revision: u64,
    started_at: Option<i64>,
    /// What was settled when it was written.
    pub(crate) settled: Settled,
    pub(crate) writes: u64,
}

impl Stored {
    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        let text = self.text.as_ref()?;
        Some(serde_json::from_str(text).unwrap())
    }

    pub(crate) const fn started_at(&self) -> Option<i64> {
        self.started_at
    }
}

/// One process's access to the store.
pub(crate) struct Store {
    pub(crate) process: Process,
    /// The revision that it last read or wrote.
    revision: u64,
    /// A write of which the answer was lost.
    tried: Option<String>,
}

impl Store {
    pub(crate) fn open(process: Process) -> Self {
        Self {
            process,
            revision: 0,
            tried: None,
        }
    }

    /// Writes, unless another did.
    fn write(&mut self, text: &str, settled: Settled) -> Result<u64, StoreError> {
        let mut inner = self.process.world.inner();
        let stored = &mut inner.stored;
        // Its own write, though it didn't hear so.
        let is_own = self.tried.is_some() && stored.text == self.tried;
        if stored.revision != self.revision && !is_own {
            inner.ledger.memory(self.process.number).silenced = Some("another process polls");
            return Err(StoreError::ClaimLost("another revision".to_owned()));
        }
        stored.text = Some(text.to_owned());
        stored.revision += 1;
        stored.writes += 1;
        stored.settled = settled;
        let checkpoint = stored.checkpoint().unwrap();
        stored.started_at = Some(checkpoint.started_at.timestamp_millis());
        Ok(stored.revision)
    }
}

impl Store {
    /// Removes what the stored checkpoint doesn't name.
    fn keep_segments(&self, checkpoint: &Checkpoint) {
        let named: Vec<&str> = checkpoint.segments().collect();
        let mut inner = self.process.world.inner();
        inner
            .stored
            .segments
            .retain(|name, _| named.contains(&name.as_str()));
    }
}

impl CheckpointStore for Store {
    fn window_capacity(&self) -> usize {
        100_000
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        let inner = self.process.world.inner();
        self.revision = inner.stored.revision;
        self.tried = None;
        Ok(inner.stored.checkpoint())
    }

    async fn load_segment(&mut self, name: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        Ok(self
            .process
            .world
            .inner()
            .stored
            .segments
            .get(name.as_str())
            .cloned())
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        segments: &[Segment],
        _: &Progress,
    ) -> Result<(), StoreError> {
        let lost = |_| StoreError::Unavailable("the store did not answer".to_owned());
        let number = self.process.number;
        let settled = self
            .process
            .world
            .inner()
            .ledger
            .memory(number)
            .settled
            .clone();
        self.process.check_write(checkpoint);
        self.process.point().await.map_err(lost)?;
        for segment in segments {
            let (name, content) = (segment.name().to_string(), segment.content().clone());
            self.process
                .world
                .inner()
                .stored
                .segments
                .insert(name, content);
            self.process.point().await.map_err(lost)?;
        }
        let text = serde_json::to_string(checkpoint).unwrap();
        let revision = self.write(&text, settled)?;
        self.process.world.tell(|| {
            let records = &checkpoint.records;
            format!(
                "      process {number} stored watermark {}, window since {}",
                records.watermark, records.window_since
            )
        });
        self.tried = Some(text);
        self.process.point().await.map_err(lost)?;
        self.keep_segments(checkpoint);
        (self.revision, self.tried) = (revision, None);
        Ok(())
    }
}
