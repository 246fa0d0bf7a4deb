//! Refresh tokens in files: one file for each instance, mode 0600, and nothing else in it.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use futures::{FutureExt as _, future::BoxFuture};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{StateError, read, write};
use crate::provider::auth::{
    EarlierRecord, EarlierToken, StoredToken, TokenStore, TokenStoreError,
};

/// Keeps one instance's refresh token in a file.
#[derive(Clone, Debug)]
pub(in crate::local) struct FileTokenStore {
    path: PathBuf,
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
    /// A store in the file at `path`, which is made with the first token.
    pub(in crate::local) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Runs `work`, which waits for the disk, beside the runtime.
    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, TokenStoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, TokenStoreError>> {
        let path = self.path.clone();
        let done = tokio::task::spawn_blocking(move || work(&path));
        done.map(|result| {
            result.unwrap_or_else(|error| Err(TokenStoreError::Unavailable(error.to_string())))
        })
        .boxed()
    }
}

impl TokenStore for FileTokenStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredToken>, TokenStoreError>> {
        self.blocking(|path| {
            let record = read::<TokenRecord>(path).map_err(|error| unavailable(&error))?;
            Ok(record.map(StoredToken::from))
        })
    }

    /// Nothing to say: the lock on the state folder keeps every other process out.
    fn begin_refresh(&self) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        futures::future::ready(Ok(())).boxed()
    }

    fn store(&self, token: StoredToken) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        self.blocking(move |path| {
            write(path, &TokenRecord::from(token)).map_err(|error| unavailable(&error))
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

    fn token(text: &str) -> StoredToken {
        StoredToken {
            refresh_token: Some(text.to_owned().into()),
            grown_from: "digest".into(),
            issued_at: DateTime::UNIX_EPOCH,
            expires_at: None,
            earlier: None,
        }
    }

    #[tokio::test]
    async fn a_rotated_token_is_what_the_next_process_reads() {
        let root = tempfile::tempdir().unwrap();
        let store = FileTokenStore::new(root.path().join("tokens/helpdesk/prod.json"));
        assert!(store.load().await.unwrap().is_none());
        store.store(token("first")).await.unwrap();
        store.store(token("second")).await.unwrap();
        let loaded = FileTokenStore::new(store.path.clone())
            .load()
            .await
            .unwrap()
            .unwrap();
        assert_eq!(loaded.refresh_token.unwrap().expose_secret(), "second");
        assert_eq!(
            (loaded.grown_from.as_str(), loaded.issued_at),
            ("digest", DateTime::UNIX_EPOCH)
        );
    }

    #[tokio::test]
    async fn the_token_in_whose_place_a_code_would_bring_one_is_kept_beside_it() {
        let root = tempfile::tempdir().unwrap();
        let store = FileTokenStore::new(root.path().join("prod.json"));
        let earlier = EarlierToken {
            refresh_token: "first".into(),
            grown_from: "another digest".into(),
            issued_at: DateTime::UNIX_EPOCH,
            expires_at: None,
        };
        let code = StoredToken {
            refresh_token: None,
            earlier: Some(earlier),
            ..token("")
        };
        store.store(code).await.unwrap();
        let loaded = store.load().await.unwrap().unwrap().earlier.unwrap();
        assert_eq!(loaded.refresh_token.expose_secret(), "first");
        assert_eq!(loaded.grown_from, "another digest");
    }

    #[tokio::test]
    async fn the_file_and_its_folder_are_for_their_owner_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tokens/helpdesk/prod.json");
        FileTokenStore::new(path.clone())
            .store(token("x"))
            .await
            .unwrap();
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
        let path = root.path().join("prod.json");
        std::fs::write(&path, "{\"format\": 1, \"refreshToken\": \"hunter2\"").unwrap();
        let error = FileTokenStore::new(path)
            .load()
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("damaged") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
