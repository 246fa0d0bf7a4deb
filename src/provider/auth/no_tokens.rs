//! A store for those who keep no tokens.

use futures::{
    FutureExt as _,
    future::{BoxFuture, ready},
};

use super::{StoredToken, TokenStore, TokenStoreError};

/// Keeps nothing: for grants that need no more than the Secret.
#[derive(Debug)]
pub struct NoTokens;

impl TokenStore for NoTokens {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredToken>, TokenStoreError>> {
        ready(Ok(None)).boxed()
    }

    fn begin_refresh(&self) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        ready(Ok(())).boxed()
    }

    fn store(&self, _token: StoredToken) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        ready(Ok(())).boxed()
    }
}
