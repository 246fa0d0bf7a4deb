//! The store: fenced, and checked at every write.

use std::collections::BTreeMap;

use bytes::Bytes;
use pollen::{
    api::Checkpoint,
    poll::{CheckpointStore, Progress, Segment, SegmentName, StoreError},
};

use super::{Process, checkpoints::deletions_watermark, faults::Failed, settled::Settled};
use crate::{invariants::Violation, settings::Part};

/// What is stored durably.
#[derive(Default)]
pub(crate) struct Stored {
    /// As JSON, so that a restart reads what a file or an API server would give.
    text: Option<String>,
    segments: BTreeMap<String, Bytes>,
    pub(crate) revision: u64,
    started_at: Option<i64>,
    /// Since when deletions count.
    deletes_since: Option<i64>,
    /// What was settled when it was written.
    pub(crate) settled: Settled,
    /// It says that contents are no part of versions.
    pub(crate) content_ignored: bool,
}

impl Stored {
    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        let text = self.text.as_ref()?;
        Some(serde_json::from_str(text).unwrap())
    }

    pub(crate) const fn started_at(&self) -> Option<i64> {
        self.started_at
    }

    /// Since when deletions count: those before the start do not.
    pub(crate) fn deletes_since(&self) -> Option<i64> {
        self.started_at.max(self.deletes_since)
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
    fn write(&mut self, checkpoint: &Checkpoint, asked: Asked) -> Result<u64, StoreError> {
        let now = self.process.world.now();
        let mut inner = self.process.world.inner();
        let stored = &mut inner.stored;
        // Its own write, though it didn't hear so.
        let is_own = self.tried.is_some() && stored.text == self.tried;
        if stored.revision != self.revision && !is_own {
            inner.silence(self.process.number, "another process polls");
            return Err(StoreError::ClaimLost("another revision".to_owned()));
        }
        let text = serde_json::to_string(checkpoint).unwrap();
        stored.text = Some(text.clone());
        stored.revision += 1;
        stored.settled = asked.settled;
        stored.content_ignored = checkpoint.records.content_ignored.is_some();
        stored.deletes_since = stored
            .deletes_since
            .or_else(|| deletions_watermark(checkpoint));
        stored.started_at = Some(checkpoint.started_at.timestamp_millis());
        self.tried = Some(text);
        let (revision, content_ignored) = (stored.revision, stored.content_ignored);
        let memory = inner.ledger.memory(self.process.number);
        (memory.content_ignored, memory.revision) = (content_ignored, revision);
        if let Some(violation) = asked.violation {
            inner.violate(violation);
        }
        if let Some(back) = asked.followed_back_to {
            let from = back - inner.plan.reach.num_milliseconds();
            inner.joint.is_led_back = true;
            // Of two pollers the other may not have seen it yet.
            if self.process.world.settings.part == Part::Alone {
                inner.provider.read_again_from(from, now);
            }
        }
        Ok(revision)
    }

    /// Removes what the stored checkpoint doesn't name.
    fn keep_segments(&self, checkpoint: &Checkpoint) {
        let named: Vec<&str> = checkpoint.segments().collect();
        let stored = &mut self.process.world.inner().stored;
        let segments = &mut stored.segments;
        segments.retain(|name, _| named.contains(&name.as_str()));
    }
}

/// What held when the engine asked for a write, before any of it happened.
struct Asked {
    settled: Settled,
    followed_back_to: Option<i64>,
    violation: Option<Violation>,
}

impl Process {
    /// What its process knows to be stored of it.
    fn seen(&self) -> &pollen::fleet::Stored {
        self.house.seen(self.world.settings.part)
    }

    fn ask_to_write(&self, checkpoint: &Checkpoint) -> Asked {
        let violation = self.check_write(checkpoint);
        let mut inner = self.world.inner();
        let (records, deletions) = self.world.kept_since(&inner, checkpoint);
        let memory = inner.ledger.memory(self.number);
        memory.settled.leave_behind(records, deletions);
        Asked {
            settled: memory.settled.clone(),
            followed_back_to: memory.followed_back_to,
            violation,
        }
    }

    async fn store_segment(&self, segment: &Segment) -> Result<(), Failed> {
        let (name, content) = (segment.name().to_string(), segment.content().clone());
        self.world.inner().stored.segments.insert(name, content);
        self.point().await
    }
}

impl CheckpointStore for Store {
    fn window_capacity(&self) -> usize {
        100_000
    }

    fn known_capacity(&self) -> usize {
        100_000
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        let inner = self.process.world.inner();
        self.revision = inner.stored.revision;
        self.tried = None;
        let checkpoint = inner.stored.checkpoint();
        drop(inner);
        self.process.seen().note(checkpoint.as_ref());
        Ok(checkpoint)
    }

    async fn load_segment(&mut self, name: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        let stored = &self.process.world.inner().stored;
        Ok(stored.segments.get(name.as_str()).cloned())
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        segments: &[Segment],
        _: &Progress,
    ) -> Result<(), StoreError> {
        let lost = |_| StoreError::Unavailable("the store did not answer".to_owned());
        let process = self.process.clone();
        let asked = process.ask_to_write(checkpoint);
        process.point().await.map_err(lost)?;
        for segment in segments {
            process.store_segment(segment).await.map_err(lost)?;
        }
        let revision = self.write(checkpoint, asked)?;
        process.world.tell(|| {
            let records = &checkpoint.records;
            format!(
                "      process {} stored watermark {}, window since {}",
                process.number, records.watermark, records.window_since
            )
        });
        process.point().await.map_err(lost)?;
        self.keep_segments(checkpoint);
        process.seen().note(Some(checkpoint));
        (self.revision, self.tried) = (revision, None);
        Ok(())
    }
}
