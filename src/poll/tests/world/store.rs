//! A store in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;

use crate::{
    api::Checkpoint,
    poll::{CheckpointStore, Progress, Segment, SegmentName, StoreError},
};

/// A store that survives what happens to the poll, as JSON.
#[derive(Clone, Default)]
pub(in crate::poll::tests) struct Store {
    stored: Arc<Mutex<Option<String>>>,
    /// The segments that are there, by name.
    pub(in crate::poll::tests) segments: Arc<Mutex<BTreeMap<String, Bytes>>>,
    pub(in crate::poll::tests) writes: Arc<Mutex<Vec<Progress>>>,
    /// The formats of the checkpoints written.
    pub(in crate::poll::tests) formats: Arc<Mutex<Vec<i32>>>,
    /// What the next writes fail of, after their segments are stored.
    pub(in crate::poll::tests) failing: Arc<Mutex<Vec<StoreError>>>,
    /// What the next reads of a segment fail of.
    pub(in crate::poll::tests) failing_reads: Arc<Mutex<Vec<StoreError>>>,
    pub(in crate::poll::tests) capacity: Option<usize>,
    /// How often a segment was read.
    pub(in crate::poll::tests) segment_reads: Arc<AtomicUsize>,
    pub(in crate::poll::tests) known_capacity: Option<usize>,
}

impl Store {
    pub(in crate::poll::tests) fn written(&self) -> usize {
        self.writes.lock().unwrap().len()
    }

    pub(in crate::poll::tests) fn checkpoint(&self) -> Checkpoint {
        serde_json::from_str(self.stored.lock().unwrap().as_ref().unwrap()).unwrap()
    }

    pub(in crate::poll::tests) fn edit(&self, edit: impl FnOnce(&mut Checkpoint)) {
        let mut checkpoint = self.checkpoint();
        edit(&mut checkpoint);
        *self.stored.lock().unwrap() = Some(serde_json::to_string(&checkpoint).unwrap());
    }

    async fn store_segments(&self, segments: &[Segment]) {
        for segment in segments {
            let (name, content) = (segment.name().to_string(), segment.content().clone());
            self.segments.lock().unwrap().insert(name, content);
            tokio::task::yield_now().await;
        }
    }

    async fn keep_segments(&self, checkpoint: &Checkpoint) {
        let named: BTreeSet<_> = checkpoint.segments().collect();
        while let Some(name) = self.unnamed_segment(&named) {
            self.segments.lock().unwrap().remove(&name);
            tokio::task::yield_now().await;
        }
    }

    fn unnamed_segment(&self, named: &BTreeSet<&str>) -> Option<String> {
        let segments = self.segments.lock().unwrap();
        let mut names = segments.keys();
        names.find(|name| !named.contains(name.as_str())).cloned()
    }
}

impl CheckpointStore for Store {
    fn window_capacity(&self) -> usize {
        self.capacity.unwrap_or(100_000)
    }

    fn known_capacity(&self) -> usize {
        self.known_capacity.unwrap_or(100_000)
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        Ok(self
            .stored
            .lock()
            .unwrap()
            .as_ref()
            .map(|stored| serde_json::from_str(stored).unwrap()))
    }

    async fn load_segment(&mut self, name: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        tokio::task::yield_now().await;
        self.segment_reads.fetch_add(1, Ordering::Relaxed);
        if let Some(error) = self.failing_reads.lock().unwrap().pop() {
            return Err(error);
        }
        Ok(self.segments.lock().unwrap().get(name.as_str()).cloned())
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        segments: &[Segment],
        progress: &Progress,
    ) -> Result<(), StoreError> {
        self.store_segments(segments).await;
        tokio::task::yield_now().await;
        if let Some(error) = self.failing.lock().unwrap().pop() {
            return Err(error);
        }
        *self.stored.lock().unwrap() = Some(serde_json::to_string(checkpoint).unwrap());
        self.writes.lock().unwrap().push(progress.clone());
        self.formats.lock().unwrap().push(checkpoint.version);
        tokio::task::yield_now().await;
        self.keep_segments(checkpoint).await;
        Ok(())
    }
}
