//! Refresh tokens in files: one file for each instance, mode 0600, and nothing else in it. Beside them, in
//! files of their own, passwords that are left alone.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use futures::{FutureExt as _, future::BoxFuture};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{StateError, read, remove, write};
use crate::provider::auth::{
    EarlierRecord, EarlierToken, StoredToken, TokenStore, TokenStoreError, TriedPassword,
};

/// Keeps one instance's refresh token in a file, and in another that its password is left alone.
#[derive(Clone, Debug)]
pub(in crate::local) struct FileTokenStore {
    path: PathBuf,
    password_path: PathBuf,
}

/// The content of the file about a password.
#[derive(Deserialize, Serialize)]
struct TriedRecord {
    format: i32,
    #[serde(flatten)]
    tried: TriedPassword,
}

/// The file's content. It has no `Debug`: the token stands in it as it is.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenRecord {
    format: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    grown_from: String,
    issued_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earlier: Option<EarlierRecord>,
}

impl FileTokenStore {
    /// A store in the files at these paths, which are made with the first token and the first password that
    /// is sent.
    pub(in crate::local) const fn new(path: PathBuf, password_path: PathBuf) -> Self {
        Self {
            path,
            password_path,
        }
    }

    /// Where the refresh token stands.
    pub(in crate::local) fn path(&self) -> &Path {
        &self.path
    }
}

/// What [`FileTokenStore`] holds for somebody who looks on while another process has the state folder: a password
/// that was refused stays alone, and nothing is written.
pub(in crate::local) struct OnlyRead(pub(in crate::local) FileTokenStore);

impl TokenStore for OnlyRead {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredToken>, TokenStoreError>> {
        self.0.load()
    }

    fn begin_refresh(&self) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        self.0.begin_refresh()
    }

    fn store(&self, _token: StoredToken) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        futures::future::ready(Ok(())).boxed()
    }

    fn tried(&self) -> BoxFuture<'_, Result<Option<TriedPassword>, TokenStoreError>> {
        self.0.tried()
    }
}

/// Runs `work`, which waits for the disk, beside the runtime.
fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> Result<T, StateError> + Send + 'static,
) -> BoxFuture<'static, Result<T, TokenStoreError>> {
    let path = path.to_owned();
    let done =
        tokio::task::spawn_blocking(move || work(&path).map_err(|error| unavailable(&error)));
    done.map(|result| {
        result.unwrap_or_else(|error| Err(TokenStoreError::Unavailable(error.to_string())))
    })
    .boxed()
}

impl TokenStore for FileTokenStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredToken>, TokenStoreError>> {
        blocking(&self.path, |path| {
            let record = read::<TokenRecord>(path)?;
            Ok(record.map(StoredToken::from))
        })
    }

    /// Nothing to say: the lock on the state folder keeps every other process out.
    fn begin_refresh(&self) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        futures::future::ready(Ok(())).boxed()
    }

    fn store(&self, token: StoredToken) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        blocking(&self.path, move |path| {
            write(path, &TokenRecord::from(token))
        })
    }

    fn tried(&self) -> BoxFuture<'_, Result<Option<TriedPassword>, TokenStoreError>> {
        blocking(&self.password_path, |path| {
            let record = read::<TriedRecord>(path)?;
            Ok(record.map(|record| record.tried))
        })
    }

    fn note_tried(
        &self,
        tried: Option<TriedPassword>,
    ) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        let format = super::FORMAT;
        blocking(&self.password_path, move |path| match tried {
            Some(tried) => write(path, &TriedRecord { format, tried }),
            None => remove(path),
        })
    }
}

fn unavailable(error: &StateError) -> TokenStoreError {
    TokenStoreError::Unavailable(error.to_string())
}

impl From<TokenRecord> for StoredToken {
    fn from(record: TokenRecord) -> Self {
        Self {
            refresh_token: record.refresh_token.map(SecretString::from),
            grown_from: record.grown_from,
            issued_at: record.issued_at,
            expires_at: record.expires_at,
            earlier: record.earlier.map(EarlierToken::from),
        }
    }
}

impl From<StoredToken> for TokenRecord {
    fn from(token: StoredToken) -> Self {
        Self {
            format: super::FORMAT,
            refresh_token: token
                .refresh_token
                .map(|secret| secret.expose_secret().to_owned()),
            grown_from: token.grown_from,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            earlier: token.earlier.as_ref().map(EarlierRecord::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{
        local::{problem::ObjectName, state::token_store},
        provider::auth::fixtures::{
            assert_keeps_a_token_beside_a_code, assert_keeps_what_was_tried, token, tried,
        },
    };

    fn store_in(root: &Path) -> FileTokenStore {
        token_store(
            root,
            &ObjectName {
                namespace: "helpdesk".into(),
                name: "prod".into(),
            },
        )
    }

    #[tokio::test]
    async fn a_rotated_token_is_what_the_next_process_reads() {
        let root = tempfile::tempdir().unwrap();
        let store = store_in(root.path());
        assert!(store.load().await.unwrap().is_none());
        store.store(token("first")).await.unwrap();
        store.store(token("second")).await.unwrap();
        let loaded = store_in(root.path()).load().await.unwrap().unwrap();
        assert_eq!(loaded.refresh_token.unwrap().expose_secret(), "second");
        assert_eq!(
            (loaded.grown_from.as_str(), loaded.issued_at),
            ("digest", DateTime::UNIX_EPOCH)
        );
    }

    #[tokio::test]
    async fn the_token_in_whose_place_a_code_would_bring_one_is_kept_beside_it() {
        let root = tempfile::tempdir().unwrap();
        assert_keeps_a_token_beside_a_code(&store_in(root.path())).await;
    }

    #[tokio::test]
    async fn that_a_password_is_left_alone_outlasts_the_process() {
        let root = tempfile::tempdir().unwrap();
        assert_keeps_what_was_tried(&store_in(root.path())).await;
    }

    #[tokio::test]
    async fn who_looks_on_sees_that_a_password_is_left_alone_and_writes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let looking = OnlyRead(store_in(root.path()));
        looking.note_tried(Some(tried())).await.unwrap();
        assert!(looking.tried().await.unwrap().is_none());
        store_in(root.path())
            .note_tried(Some(tried()))
            .await
            .unwrap();
        looking.note_tried(None).await.unwrap();
        assert!(looking.tried().await.unwrap().is_some());
    }

    #[tokio::test]
    async fn the_file_and_its_folder_are_for_their_owner_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tokens/helpdesk/prod.json");
        store_in(root.path()).store(token("x")).await.unwrap();
        let mode =
            |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&path), mode(&root.path().join("tokens"))),
            (0o600, 0o700)
        );
    }

    #[tokio::test]
    async fn a_damaged_file_is_an_error_and_not_a_missing_token() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tokens/helpdesk/prod.json");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "{\"format\": 1, \"refreshToken\": \"hunter2\"").unwrap();
        let error = store_in(root.path()).load().await.unwrap_err().to_string();
        assert!(
            error.contains("damaged") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
