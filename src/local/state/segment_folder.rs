//! The segments of one poller's checkpoint: a file each, named by its content.

use std::{collections::BTreeSet, io, path::PathBuf};

use bytes::Bytes;

use super::{StateError, unusable};
use crate::{
    local::durable,
    poll::{Segment, SegmentName},
};

/// The folder of one poller's segments; it is made when the first one is stored.
#[derive(Clone, Debug)]
pub(in crate::local) struct SegmentFolder(PathBuf);

impl SegmentFolder {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The content of a segment; `None` where there is no such file.
    pub(super) fn read(&self, name: &SegmentName) -> Result<Option<Bytes>, StateError> {
        let path = self.0.join(name.as_str());
        match std::fs::read(&path) {
            Ok(content) => Ok(Some(content.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(&path, error)),
        }
    }

    /// Stores segments; each survives a crash when this returns.
    pub(super) fn write(&self, segments: &[Segment]) -> Result<(), StateError> {
        if segments.is_empty() {
            return Ok(());
        }
        durable::create_folder(&self.0).map_err(|error| unusable(&self.0, error))?;
        for segment in segments {
            let path = self.0.join(segment.name().as_str());
            durable::write(&path, segment.content()).map_err(|error| unusable(&path, error))?;
        }
        Ok(())
    }

    /// Removes every file but the segments of these names.
    pub(super) fn keep(&self, named: &BTreeSet<&str>) -> Result<(), StateError> {
        let files = match std::fs::read_dir(&self.0) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unusable(&self.0, error)),
        };
        for file in files {
            let file = file.map_err(|error| unusable(&self.0, error))?;
            let is_named = file
                .file_name()
                .to_str()
                .is_some_and(|name| named.contains(name));
            if !is_named {
                let path = file.path();
                std::fs::remove_file(&path).map_err(|error| unusable(&path, error))?;
            }
        }
        Ok(())
    }
}
