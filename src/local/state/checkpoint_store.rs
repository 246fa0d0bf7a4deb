//! Checkpoints in files.

use std::{
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use super::{PollerRecord, SegmentFolder, StateError, unusable};
use crate::{
    api::Checkpoint,
    fleet::Stored,
    poll::{CheckpointStore, Progress, Segment, SegmentName, StoreError},
};

/// Fingerprints in one file: it is bounded by memory alone, as no API server stands behind it.
const WINDOW_CAPACITY: usize = 1_000_000;

/// Ids in one file to be compared with the provider's, for the same reason.
const KNOWN_CAPACITY: usize = 1_000_000;

/// Stores one poller's checkpoint in its file.
#[derive(Clone, Debug)]
pub(in crate::local) struct FileCheckpointStore(Arc<Mutex<PollerFile>>);

#[derive(Debug)]
struct PollerFile {
    path: PathBuf,
    record: PollerRecord,
    stamp: Stamp,
    segments: SegmentFolder,
    /// What siblings see of the record.
    stored: Stored,
}

/// Which file stands at a path: every write renames a new one into place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl FileCheckpointStore {
    /// A store that writes to `path`, where `record` stands, and into `segments`, and notes in
    /// `stored` what it wrote.
    ///
    /// # Errors
    ///
    /// There is no file at `path`.
    pub(in crate::local) fn new(
        path: PathBuf,
        segments: SegmentFolder,
        record: PollerRecord,
        stored: Stored,
    ) -> Result<Self, StateError> {
        let stamp = Stamp::at(&path).map_err(|error| unusable(&path, error))?;
        Ok(Self(Arc::new(Mutex::new(PollerFile {
            path,
            record,
            stamp,
            segments,
            stored,
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

    fn known_capacity(&self) -> usize {
        KNOWN_CAPACITY
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        self.blocking(PollerFile::load).await
    }

    async fn load_segment(&mut self, name: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        let name = name.clone();
        self.blocking(move |file| file.segments.read(&name).map_err(unavailable))
            .await
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        segments: &[Segment],
        _progress: &Progress,
    ) -> Result<(), StoreError> {
        let (checkpoint, segments) = (checkpoint.clone(), segments.to_vec());
        self.blocking(move |file| file.save(checkpoint, &segments))
            .await
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
        self.stored.note(self.record.checkpoint.as_ref());
        Ok(self.record.checkpoint.clone())
    }

    fn lost(&self) -> StoreError {
        let path = self.path.display();
        StoreError::ClaimLost(format!(
            "{path} was replaced while pollen ran: start it again"
        ))
    }

    fn save(&mut self, checkpoint: Checkpoint, segments: &[Segment]) -> Result<(), StoreError> {
        if Stamp::at(&self.path).ok() != Some(self.stamp) {
            return Err(self.lost());
        }
        self.segments.write(segments).map_err(unavailable)?;
        self.record.checkpoint = Some(checkpoint);
        super::write(&self.path, &self.record).map_err(unavailable)?;
        self.stored.note(self.record.checkpoint.as_ref());
        self.stamp =
            Stamp::at(&self.path).map_err(|error| StoreError::ClaimLost(error.to_string()))?;
        self.drop_unnamed_segments();
        Ok(())
    }

    /// The checkpoint is stored, whatever becomes of what it no longer names: that is tried again
    /// with the next one.
    fn drop_unnamed_segments(&mut self) {
        let named = self.record.checkpoint.iter();
        let named = named.flat_map(Checkpoint::segments).collect();
        if let Err(error) = self.segments.keep(&named) {
            tracing::debug!(%error, "segments that no checkpoint names are left behind");
        }
    }
}

fn unavailable(error: StateError) -> StoreError {
    StoreError::Unavailable(error.to_string())
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
    use crate::api::{Stream, WHOLE_CHECKPOINT_VERSION, Window, WindowSegment};

    fn checkpoint(watermark: DateTime<Utc>) -> Checkpoint {
        let records = Stream {
            watermark,
            settled_at_start: None,
            swept_at: None,
            window_since: watermark,
            window: None,
            content_ignored: None,
            position: None,
        };
        Checkpoint {
            version: WHOLE_CHECKPOINT_VERSION,
            uid: "u".into(),
            query_fingerprint: "q".into(),
            started_at: watermark,
            start_from: None,
            asked_since: None,
            swept_at: None,
            records,
            deletes: None,
            reconcile: None,
            replay: None,
            children: Vec::new(),
        }
    }

    fn naming(segments: &[Segment]) -> Checkpoint {
        let named = segments.iter().map(|segment| WindowSegment {
            name: segment.name().to_string(),
            since: DateTime::UNIX_EPOCH,
            until: DateTime::UNIX_EPOCH,
            count: 1,
        });
        let mut checkpoint = checkpoint(DateTime::UNIX_EPOCH);
        checkpoint.records.window = Some(Window {
            key: String::new(),
            count: 1,
            entries: String::new(),
            segments: named.collect(),
        });
        checkpoint
    }

    fn store(root: &Path) -> (PathBuf, FileCheckpointStore) {
        let path = root.join("accounts.json");
        let record = PollerRecord::new("i", "accounts", DateTime::UNIX_EPOCH);
        write(&path, &record).unwrap();
        (
            path.clone(),
            FileCheckpointStore::new(
                path,
                SegmentFolder::new(root.join("segments")),
                record,
                Stored::default(),
            )
            .unwrap(),
        )
    }

    #[tokio::test]
    async fn a_saved_checkpoint_is_read_by_the_next_process() {
        let root = tempfile::tempdir().unwrap();
        let (path, mut store) = store(root.path());
        for second in 1..3 {
            let checkpoint = checkpoint(DateTime::from_timestamp(second, 0).unwrap());
            store
                .save(&checkpoint, &[], &Progress::default())
                .await
                .unwrap();
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
            .save(&checkpoint(DateTime::UNIX_EPOCH), &[], &Progress::default())
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
        store.save(&saved, &[], &Progress::default()).await.unwrap();
        assert_eq!(store.load().await, Ok(Some(saved)));
        write(
            &path,
            &PollerRecord::new("i", "accounts", DateTime::UNIX_EPOCH),
        )
        .unwrap();
        assert!(matches!(store.load().await, Err(StoreError::ClaimLost(_))));
    }

    #[tokio::test]
    async fn segments_stand_beside_the_checkpoint_for_as_long_as_it_names_them() {
        let root = tempfile::tempdir().unwrap();
        let (_, mut store) = store(root.path());
        let segments = [Segment::of("first"), Segment::of("second")];
        let orphan = root.path().join("segments/left by a crash");
        std::fs::create_dir(root.path().join("segments")).unwrap();
        std::fs::write(&orphan, "half").unwrap();
        let both = naming(&segments);
        store
            .save(&both, &segments, &Progress::default())
            .await
            .unwrap();
        assert!(!orphan.exists());
        for segment in &segments {
            let read = store.load_segment(segment.name()).await.unwrap();
            assert_eq!(read.as_ref(), Some(segment.content()));
        }
        let [first, second] = &segments;
        let one = naming(std::slice::from_ref(second));
        store.save(&one, &[], &Progress::default()).await.unwrap();
        assert_eq!(store.load_segment(first.name()).await, Ok(None));
        assert!(store.load_segment(second.name()).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_checkpoint_is_not_stored_without_its_segments_and_removes_none_then() {
        let root = tempfile::tempdir().unwrap();
        let (path, mut store) = store(root.path());
        let segments = [Segment::of("first"), Segment::of("second")];
        let [first, second] = &segments;
        let one = std::slice::from_ref(first);
        store
            .save(&naming(one), one, &Progress::default())
            .await
            .unwrap();
        // A folder where the second segment would be written first: the write fails.
        let blocked = format!("segments/{}.new", second.name());
        std::fs::create_dir(root.path().join(blocked)).unwrap();
        let other = std::slice::from_ref(second);
        let failed = store
            .save(&naming(other), other, &Progress::default())
            .await;
        assert!(
            matches!(failed, Err(StoreError::Unavailable(_))),
            "{failed:?}"
        );
        let stored = read::<PollerRecord>(&path).unwrap().unwrap().checkpoint;
        assert_eq!(stored, Some(naming(one)));
        assert!(store.load_segment(first.name()).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_full_or_readonly_disk_is_said_and_can_be_tried_again() {
        let root = tempfile::tempdir().unwrap();
        let (path, mut store) = store(root.path());
        let blocked = root.path().join("accounts.json.new");
        std::fs::create_dir(&blocked).unwrap();
        let error = store
            .save(&checkpoint(DateTime::UNIX_EPOCH), &[], &Progress::default())
            .await
            .unwrap_err();
        assert!(
            matches!(&error, StoreError::Unavailable(text) if text.contains("accounts.json")),
            "{error}"
        );
        std::fs::remove_dir(&blocked).unwrap();
        store
            .save(&checkpoint(DateTime::UNIX_EPOCH), &[], &Progress::default())
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
