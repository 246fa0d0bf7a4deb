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

impl CheckpointStore for FileCheckpointStore {
    fn window_capacity(&self) -> usize {
        WINDOW_CAPACITY
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        _progress: &Progress,
    ) -> Result<(), StoreError> {
        let (file, checkpoint) = (Arc::clone(&self.0), checkpoint.clone());
        // The file's state moves with the write, so that a caller who goes away in between does
        // not leave a fence behind that knows nothing of it.
        let write = move || {
            file.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .save(checkpoint)
        };
        match tokio::task::spawn_blocking(write).await {
            Ok(result) => result,
            Err(error) => Err(StoreError::Unavailable(format!(
                "the checkpoint was not written: {error}"
            ))),
        }
    }
}

impl PollerFile {
    fn save(&mut self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        if Stamp::at(&self.path).ok() != Some(self.stamp) {
            let path = self.path.display();
            return Err(StoreError::ClaimLost(format!(
                "{path} was changed or removed while pollen ran: start it again"
            )));
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
