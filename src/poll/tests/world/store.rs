//! A store in memory.

use std::sync::{Arc, Mutex};

use crate::{
    api::Checkpoint,
    poll::{CheckpointStore, Progress, StoreError},
};

/// A store that survives what happens to the poll, as JSON.
#[derive(Clone, Default)]
pub(in crate::poll::tests) struct Store {
    stored: Arc<Mutex<Option<String>>>,
    pub(in crate::poll::tests) writes: Arc<Mutex<Vec<Progress>>>,
    /// What the next writes fail of.
    pub(in crate::poll::tests) failing: Arc<Mutex<Vec<StoreError>>>,
    pub(in crate::poll::tests) capacity: Option<usize>,
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
}

impl CheckpointStore for Store {
    fn window_capacity(&self) -> usize {
        self.capacity.unwrap_or(100_000)
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        Ok(self
            .stored
            .lock()
            .unwrap()
            .as_ref()
            .map(|stored| serde_json::from_str(stored).unwrap()))
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        progress: &Progress,
    ) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        if let Some(error) = self.failing.lock().unwrap().pop() {
            return Err(error);
        }
        *self.stored.lock().unwrap() = Some(serde_json::to_string(checkpoint).unwrap());
        self.writes.lock().unwrap().push(progress.clone());
        tokio::task::yield_now().await;
        Ok(())
    }
}
