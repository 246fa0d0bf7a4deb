//! Files that a crash leaves whole: the old content or the new, never a part of either.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

/// Makes `folder` and what is missing above it, for its owner alone (mode 0700).
///
/// # Errors
///
/// The file system refuses, or something that is no folder stands there.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = parent(folder);
    create_folder(parent)?;
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(parent)?.sync_all(),
    }
}

/// Stores `value` as JSON at `path`, mode 0600, and returns when it survives a crash.
///
/// The folder must exist, and one process alone may write there.
///
/// # Errors
///
/// The file system refuses; what stood at `path` is untouched then.
pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let mut content = serde_json::to_vec_pretty(value)?;
    content.push(b'\n');
    write(path, &content)
}

/// What [`write_json`] stored at `path`; `None` where there is no file.
///
/// # Errors
///
/// The file cannot be read, or is not what was stored. The error never repeats the content.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let content = match std::fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    serde_json::from_slice(&content).map(Some).map_err(|error| {
        let message = format!(
            "damaged at line {}, column {}",
            error.line(),
            error.column()
        );
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

/// Writes `content` beside `path` and renames it into place.
///
/// The name beside it is fixed, so that a process that was killed leaves one file, which the next
/// write takes over.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    File::open(parent(path))?.sync_all()
}

/// Removes the file at `path`, if there is one, and returns when that survives a crash.
///
/// # Errors
///
/// The file system refuses.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Ok(()) => File::open(parent(path))?.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn folders_and_files_are_for_their_owner_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        create_folder(&folder).unwrap();
        let path = folder.join("x.json");
        write_json(&path, &1).unwrap();
        assert_eq!(
            (mode(&folder), mode(&root.path().join("a")), mode(&path)),
            (0o700, 0o700, 0o600)
        );
    }

    #[test]
    fn what_was_written_is_read_back_and_replaces_what_stood_there() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.json");
        assert_eq!(read_json::<String>(&path).unwrap(), None);
        write_json(&path, &"a longer first value").unwrap();
        write_json(&path, &"second").unwrap();
        assert_eq!(
            read_json::<String>(&path).unwrap().as_deref(),
            Some("second")
        );
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_content() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.json");
        write_json(&path, &"old").unwrap();
        // A folder where the new content would be written first: the write fails half way.
        std::fs::create_dir(root.path().join("x.json.new")).unwrap();
        write_json(&path, &"new").unwrap_err();
        assert_eq!(read_json::<String>(&path).unwrap().as_deref(), Some("old"));
    }

    #[test]
    fn what_a_killed_process_left_half_written_is_never_read_and_is_taken_over() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.json");
        std::fs::write(
            root.path().join("x.json.new"),
            "\"a half that is longer than the next",
        )
        .unwrap();
        assert_eq!(read_json::<String>(&path).unwrap(), None);
        write_json(&path, &"next").unwrap();
        assert_eq!(read_json::<String>(&path).unwrap().as_deref(), Some("next"));
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_error_of_a_damaged_file_does_not_repeat_its_content() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.json");
        std::fs::write(&path, "{\"refreshToken\": 12345}").unwrap();
        let error = read_json::<std::collections::BTreeMap<String, String>>(&path).unwrap_err();
        assert!(
            error.to_string().starts_with("damaged at line 1"),
            "{error}"
        );
        assert!(!error.to_string().contains("12345"), "{error}");
    }
}
