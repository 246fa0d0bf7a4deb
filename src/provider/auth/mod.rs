//! Living on tokens: grants, one refresh at a time, rotation that survives a crash.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use secrecy::SecretString;

/// Where a refresh token that the provider issued is kept: a file or a Secret of Pollen's own.
pub trait TokenStore: Send + Sync {
    /// The stored token, as it stands now.
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredToken>, TokenStoreError>>;

    /// Says that a refresh begins, so that no second replica begins one; a compare-and-swap
    /// against what was loaded.
    fn begin_refresh(&self) -> BoxFuture<'_, Result<(), TokenStoreError>>;

    /// Stores a token durably. A rotated one is stored before its access token is used.
    fn store(&self, token: StoredToken) -> BoxFuture<'_, Result<(), TokenStoreError>>;
}

/// A refresh token and what it grew from.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The refresh token; `None` records only that a one-time code was used.
    pub refresh_token: Option<SecretString>,
    /// Digest of the client id and of the user's code or refresh token from which it grew: used
    /// only while that matches, so a newer token of the user wins.
    pub grown_from: String,
    /// When the refresh token was issued.
    pub issued_at: DateTime<Utc>,
    /// When it expires, where the provider says so.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A store that could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenStoreError {
    /// Another replica is refreshing or has changed the token.
    #[error("the token of this instance is being refreshed elsewhere")]
    Busy,
    /// The store failed.
    #[error("{0}")]
    Unavailable(String),
}
