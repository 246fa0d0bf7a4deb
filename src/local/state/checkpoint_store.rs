//! Checkpoints in files.

use std::{
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{PollerRecord, StateError, unusable};
use crate::{
    api::Checkpoint,
    poll::{CheckpointStore, Progress, StoreError},
};

/// Fingerprints in one file: it is bounded by memory alone, as no API server stands behind it.
const WINDOW_CAPACITY: usize = 1_000_000;

/// Stores one poller's checkpoint in its file.
#[derive(Clone, Debug)]
pub(in crate::local) struct FileCheckpointStore(Arc<Mutex<PollerFile>>);

#[derive(Debug)]
struct PollerFile {
    path: PathBuf,
    record: PollerRecord,
    stamp: Stamp,
}

/// Which file stands at a path: every write renames a new one into place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl FileCheckpointStore {
    /// A store that writes to `path`, where `record` stands.
    ///
    /// # Errors
    ///
    /// There is no file at `path`.
    pub(in crate::local) fn new(path: PathBuf, record: PollerRecord) -> Result<Self, StateError> {
        let stamp = Stamp::at(&path).map_err(|error| unusable(&path, error))?;
        Ok(Self(Arc::new(Mutex::new(PollerFile {
            path,
            record,
            stamp,
        }))))
    }
}

impl FileCheckpointStore {
    /// Runs `work`, which waits for the disk, beside the runtime.
    ///
    /// The file's state moves with it, so that a caller who goes away in between does not leave a
    /// fence behind that knows nothing of a write.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PollerFile) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = Arc::clone(&self.0);
        let work = move || work(&mut file.lock().unwrap_or_else(PoisonError::into_inner));
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
    }
}

impl CheckpointStore for FileCheckpointStore {
    fn window_capacity(&self) -> usize {
        WINDOW_CAPACITY
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        self.blocking(PollerFile::load).await
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        _progress: &Progress,
    ) -> Result<(), StoreError> {
        let checkpoint = checkpoint.clone();
        self.blocking(move |file| file.save(checkpoint)).await
    }
}

impl PollerFile {
    fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        let refused = |error: StateError| StoreError::Refused(error.to_string());
        let stamp = Stamp::at(&self.path).map_err(|error| refused(unusable(&self.path, error)))?;
        let Some(record) = super::read::<PollerRecord>(&self.path).map_err(refused)? else {
            return Err(self.lost());
        };
        if record.uid != self.record.uid {
            return Err(self.lost());
        }
        (self.record, self.stamp) = (record, stamp);
        Ok(self.record.checkpoint.clone())
    }

    fn lost(&self) -> StoreError {
        let path = self.path.display();
        StoreError::ClaimLost(format!(
            "{path} was replaced while pollen ran: start it again"
        ))
    }

    fn save(&mut self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        if Stamp::at(&self.path).ok() != Some(self.stamp) {
            return Err(self.lost());
        }
        self.record.checkpoint = Some(checkpoint);
        super::write(&self.path, &self.record)
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.stamp =
            Stamp::at(&self.path).map_err(|error| StoreError::ClaimLost(error.to_string()))?;
        Ok(())
    }
}

impl Stamp {
    fn at(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|metadata| Self::of(&metadata))
    }

    fn of(metadata: &Metadata) -> Self {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Self {
            inode: metadata.ino(),
            length: metadata.len(),
            modified,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::{
        super::{read, write},
        *,
    };
    use crate::api::{CHECKPOINT_VERSION, Stream};

    fn checkpoint(watermark: DateTime<Utc>) -> Checkpoint {
        let records = Stream {
            watermark,
            settled_at_start: None,
            window_since: watermark,
            window: None,
            content_ignored: None,
            position: None,
        };
        Checkpoint {
            version: CHECKPOINT_VERSION,
            uid: "u".into(),
            query_fingerprint: "q".into(),
            started_at: watermark,
            swept_at: None,
            records,
            deletes: None,
            reconcile: None,
            replay: None,
        }
    }

    fn store(root: &Path) -> (PathBuf, FileCheckpointStore) {
        let path = root.join("accounts.json");
        let record = PollerRecord::new("i", "accounts", DateTime::UNIX_EPOCH);
        write(&path, &record).unwrap();
        (
            path.clone(),
            FileCheckpointStore::new(path, record).unwrap(),
        )
    }

    #[tokio::test]
    async fn a_saved_checkpoint_is_read_by_the_next_process() {
        let root = tempfile::tempdir().unwrap();
        let (path, mut store) = store(root.path());
        for second in 1..3 {
            let checkpoint = checkpoint(DateTime::from_timestamp(second, 0).unwrap());
            store.save(&checkpoint, &Progress::default()).await.unwrap();
            assert_eq!(
                read::<PollerRecord>(&path).unwrap().unwrap().checkpoint,
                Some(checkpoint)
            );
        }
    }

    #[tokio::test]
    async fn a_checkpoint_that_someone_else_wrote_is_not_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let (path, mut store) = store(root.path());
        let theirs = PollerRecord::new("i", "accounts", DateTime::UNIX_EPOCH);
        write(&path, &theirs).unwrap();
        let error = store
            .save(&checkpoint(DateTime::UNIX_EPOCH), &Progress::default())
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::ClaimLost(_)), "{error}");
        assert_eq!(read::<PollerRecord>(&path).unwrap(), Some(theirs));
    }

    #[tokio::test]
    async fn what_is_stored_is_read_again_but_not_another_pollers() {
        let root = tempfile::tempdir().unwrap();
        let (path, mut store) = store(root.path());
        assert_eq!(store.load().await, Ok(None));
        let saved = checkpoint(DateTime::UNIX_EPOCH);
        store.save(&saved, &Progress::default()).await.unwrap();
        assert_eq!(store.load().await, Ok(Some(saved)));
        write(
            &path,
            &PollerRecord::new("i", "accounts", DateTime::UNIX_EPOCH),
        )
        .unwrap();
        assert!(matches!(store.load().await, Err(StoreError::ClaimLost(_))));
    }

    #[tokio::test]
    async fn a_full_or_readonly_disk_is_said_and_can_be_tried_again() {
        let root = tempfile::tempdir().unwrap();
        let (path, mut store) = store(root.path());
        let blocked = root.path().join("accounts.json.new");
        std::fs::create_dir(&blocked).unwrap();
        let error = store
            .save(&checkpoint(DateTime::UNIX_EPOCH), &Progress::default())
            .await
            .unwrap_err();
        assert!(
            matches!(&error, StoreError::Unavailable(text) if text.contains("accounts.json")),
            "{error}"
        );
        std::fs::remove_dir(&blocked).unwrap();
        store
            .save(&checkpoint(DateTime::UNIX_EPOCH), &Progress::default())
            .await
            .unwrap();
        assert!(
            read::<PollerRecord>(&path)
                .unwrap()
                .unwrap()
                .checkpoint
                .is_some()
        );
    }
}
