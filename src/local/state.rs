//! The state folder: what a process without a cluster remembers from one run to the next.
//!
//! ```text
//! lock                               held by the one process that uses the folder
//! instances/NAMESPACE/NAME.json      the connector, a deferral of the provider, a callback that is gone
//! checkpoints/NAMESPACE/NAME.json    uid, first seen, instance, resource, checkpoint
//! segments/NAMESPACE/NAME/SHA256     parts of that checkpoint, where it is large
//! tokens/NAMESPACE/NAME.json         the refresh token of an instance, alone
//! passwords/NAMESPACE/NAME.json      that its password is left alone, and until when; never the password
//! ```

mod checkpoint_store;
mod instance_record;
mod poller_record;
mod segment_folder;
mod token_store;

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

pub(super) use checkpoint_store::FileCheckpointStore;
pub(super) use instance_record::InstanceRecord;
pub(super) use poller_record::PollerRecord;
pub(super) use segment_folder::SegmentFolder;
pub(super) use token_store::{FileTokenStore, OnlyRead};

use super::{durable, problem::ObjectName};
use crate::api::unknown_field;

/// Format of the files that this build writes, beside the checkpoint's own.
const FORMAT: i32 = 1;

/// Keeps the folder, and with it the refresh tokens, out of git.
const IGNORE_ALL: &[u8] = b"*\n";

/// A state folder, this process's alone while the value lives.
#[derive(Debug)]
pub(super) struct StateFolder {
    root: PathBuf,
    _lock: Option<File>,
}

/// Why a state folder or one of its files cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("{}: another pollen process holds this lock: stop it, or give this one a folder of its own with --state", .0.display())]
    InUse(PathBuf),
    #[error("{}: {error}: make room or mend its rights, or give pollen another folder with --state", .path.display())]
    Unusable { path: PathBuf, error: io::Error },
    #[error("{}: {error}: restore the file from a backup, or delete it to start anew without what it remembers", .path.display())]
    Damaged { path: PathBuf, error: io::Error },
    #[error("{}: written by a newer pollen in format {format}: run that version, or give this one a folder of its own with --state", .path.display())]
    TooNew { path: PathBuf, format: i32 },
    #[error("{}: this pollen does not know the field {field}, and would drop it: run the version that wrote it, or give this one a folder of its own with --state", .path.display())]
    UnknownField { path: PathBuf, field: String },
}

impl StateFolder {
    /// Opens the folder `root`, made when missing, and locks it.
    ///
    /// # Errors
    ///
    /// Another process has it, or it cannot be written.
    pub(super) fn open(root: &Path) -> Result<Self, StateError> {
        let is_new = !root.exists();
        durable::create_folder(root).map_err(|error| unusable(root, error))?;
        let lock = lock(&root.join("lock"))?;
        if is_new {
            durable::write(&root.join(".gitignore"), IGNORE_ALL)
                .map_err(|error| unusable(root, error))?;
        }
        Ok(Self {
            root: root.to_owned(),
            _lock: Some(lock),
        })
    }

    /// A folder to read from alone, also while another process has it: its files are replaced whole.
    pub(super) fn look(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            _lock: None,
        }
    }

    /// Where an [`InstanceRecord`] stands.
    pub(super) fn instance_path(&self, instance: &ObjectName) -> PathBuf {
        file_path(&self.root, "instances", instance)
    }

    /// The pollers that have a record, as far as the folder can be listed.
    pub(super) fn pollers(&self) -> Vec<ObjectName> {
        let namespaces = entries(&self.root.join("checkpoints"));
        let records = namespaces.flat_map(|(namespace, path)| {
            let names =
                entries(&path).filter_map(|(file, _)| Some(file.strip_suffix(".json")?.to_owned()));
            names.map(move |name| ObjectName {
                namespace: namespace.clone(),
                name,
            })
        });
        records.collect()
    }

    /// Where a [`PollerRecord`] stands.
    pub(super) fn checkpoint_path(&self, poller: &ObjectName) -> PathBuf {
        file_path(&self.root, "checkpoints", poller)
    }

    /// Where the segments of a poller's checkpoint stand.
    pub(super) fn segments(&self, poller: &ObjectName) -> SegmentFolder {
        let all = self.root.join("segments");
        SegmentFolder::new(all.join(&poller.namespace).join(&poller.name))
    }
}

/// What a folder holds, by name.
fn entries(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    let listed = std::fs::read_dir(folder).into_iter().flatten().flatten();
    listed.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
}

/// What of an instance's credentials outlasts a process, below the state folder `root`.
pub(super) fn token_store(root: &Path, instance: &ObjectName) -> FileTokenStore {
    FileTokenStore::new(
        file_path(root, "tokens", instance),
        file_path(root, "passwords", instance),
    )
}

fn file_path(root: &Path, folder: &str, object: &ObjectName) -> PathBuf {
    root.join(folder)
        .join(&object.namespace)
        .join(format!("{}.json", object.name))
}

fn lock(path: &Path) -> Result<File, StateError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    let file = file.map_err(|error| unusable(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StateError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(path, error)),
    }
}

/// The formats in a file, read before the rest, so that a newer one is not taken for damage.
#[derive(Deserialize)]
struct Formats {
    format: i32,
    checkpoint: Option<CheckpointFormat>,
}

#[derive(Deserialize)]
struct CheckpointFormat {
    version: i32,
}

/// The record at `path`; `None` where there is none.
///
/// # Errors
///
/// The file is damaged, newer, or cannot be read.
pub(super) fn read<T: DeserializeOwned + Serialize>(path: &Path) -> Result<Option<T>, StateError> {
    let damaged = |error| StateError::Damaged {
        path: path.to_owned(),
        error,
    };
    let Some(formats) = durable::read_json::<Formats>(path).map_err(damaged)? else {
        return Ok(None);
    };
    let checkpoint = formats
        .checkpoint
        .map_or(0, |checkpoint| checkpoint.version);
    for (format, known) in [
        (formats.format, FORMAT),
        (checkpoint, crate::api::CHECKPOINT_VERSION),
    ] {
        if format > known {
            return Err(StateError::TooNew {
                path: path.to_owned(),
                format,
            });
        }
    }
    let Some(record) = durable::read_json::<T>(path).map_err(damaged)? else {
        return Ok(None);
    };
    let stored: Option<Value> = durable::read_json(path).map_err(damaged)?;
    match stored.and_then(|stored| unknown_field(&stored, &record)) {
        Some(field) => Err(StateError::UnknownField {
            path: path.to_owned(),
            field,
        }),
        None => Ok(Some(record)),
    }
}

/// Stores a record at `path`, durably; its folder is made when missing.
///
/// # Errors
///
/// The file system refuses.
pub(super) fn write<T: serde::Serialize>(path: &Path, record: &T) -> Result<(), StateError> {
    let folder = path.parent().map_or(Ok(()), durable::create_folder);
    folder
        .and_then(|()| durable::write_json(path, record))
        .map_err(|error| unusable(path, error))
}

/// Takes a record at `path` away, durably.
///
/// # Errors
///
/// The file system refuses.
pub(super) fn remove(path: &Path) -> Result<(), StateError> {
    durable::remove(path).map_err(|error| unusable(path, error))
}

fn unusable(path: &Path, error: io::Error) -> StateError {
    StateError::Unusable {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_processes_never_share_a_state_folder() {
        let root = tempfile::tempdir().unwrap();
        let first = StateFolder::open(root.path()).unwrap();
        let error = StateFolder::open(root.path()).unwrap_err().to_string();
        assert!(
            error.contains(&root.path().join("lock").display().to_string()),
            "{error}"
        );
        drop(first);
        StateFolder::open(root.path()).unwrap();
    }

    #[test]
    fn a_folder_that_pollen_makes_stays_out_of_git() {
        let root = tempfile::tempdir().unwrap();
        StateFolder::open(&root.path().join(".pollen")).unwrap();
        assert_eq!(
            std::fs::read(root.path().join(".pollen/.gitignore")).unwrap(),
            IGNORE_ALL
        );
    }
}
