//! Checkpoints that live as long as the test.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use pollen::{
    api::Checkpoint,
    poll::{CheckpointStore, Progress, Segment, SegmentName, StoreError},
};

/// A checkpoint as the text that would be stored.
#[derive(Clone, Default)]
pub(crate) struct Checkpoints(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    checkpoint: Option<String>,
    segments: BTreeMap<String, Bytes>,
}

impl Checkpoints {
    /// The size of what is stored.
    pub(crate) fn bytes(&self) -> usize {
        self.0
            .lock()
            .unwrap()
            .checkpoint
            .as_ref()
            .map_or(0, String::len)
    }
}

impl CheckpointStore for Checkpoints {
    fn window_capacity(&self) -> usize {
        1_000_000
    }

    fn known_capacity(&self) -> usize {
        0
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        let stored = self.0.lock().unwrap().checkpoint.clone();
        Ok(stored.map(|text| serde_json::from_str(&text).unwrap()))
    }

    async fn load_segment(&mut self, name: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .segments
            .get(&name.to_string())
            .cloned())
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        segments: &[Segment],
        _: &Progress,
    ) -> Result<(), StoreError> {
        let mut kept = self.0.lock().unwrap();
        let segments = segments.iter();
        kept.segments.extend(
            segments.map(|segment| (segment.name().to_string(), segment.content().clone())),
        );
        kept.checkpoint = Some(serde_json::to_string(checkpoint).unwrap());
        Ok(())
    }
}
