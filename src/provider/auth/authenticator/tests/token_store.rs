//! A token store in memory that can be told to fail, to wait, or to change in between.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use futures::{FutureExt as _, future::BoxFuture};
use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;

use crate::provider::auth::{StoredToken, TokenStore, TokenStoreError};

const PERMITS: usize = 1_000;

pub(super) struct MemoryStore {
    token: Mutex<Option<StoredToken>>,
    failure: Mutex<Option<TokenStoreError>>,
    replacement: Mutex<Option<StoredToken>>,
    /// Each write takes a permit for good.
    writes: Semaphore,
    pub(super) waiting: Semaphore,
    pub(super) written: AtomicUsize,
    pub(super) begun: AtomicUsize,
}

impl MemoryStore {
    pub(super) fn new(token: Option<StoredToken>) -> Self {
        Self {
            token: Mutex::new(token),
            failure: Mutex::new(None),
            replacement: Mutex::new(None),
            writes: Semaphore::new(PERMITS),
            waiting: Semaphore::new(0),
            written: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
        }
    }

    /// Lets writes wait until [`resume`](Self::resume).
    pub(super) fn pause(&self) {
        self.writes.forget_permits(PERMITS);
    }

    pub(super) fn resume(&self) {
        self.writes.add_permits(PERMITS);
    }

    pub(super) fn fail(&self, failure: Option<TokenStoreError>) {
        *self.failure.lock().unwrap() = failure;
    }

    pub(super) fn put(&self, token: StoredToken) {
        *self.token.lock().unwrap() = Some(token);
    }

    /// Puts another replica's token in place once this one has read the present one.
    pub(super) fn replace_after_next_load(&self, token: StoredToken) {
        *self.replacement.lock().unwrap() = Some(token);
    }

    pub(super) fn stored(&self) -> Option<StoredToken> {
        self.token.lock().unwrap().clone()
    }

    /// The refresh token that is stored.
    pub(super) fn refresh_token(&self) -> Option<String> {
        Some(self.stored()?.refresh_token?.expose_secret().to_owned())
    }

    fn outcome(&self) -> Result<(), TokenStoreError> {
        self.failure.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

impl TokenStore for MemoryStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredToken>, TokenStoreError>> {
        async {
            let read = self.stored();
            if let Some(token) = self.replacement.lock().unwrap().take() {
                self.put(token);
            }
            Ok(read)
        }
        .boxed()
    }

    fn begin_refresh(&self) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        async { Ok(()) }.boxed()
    }

    fn store(&self, token: StoredToken) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        async {
            self.waiting.add_permits(1);
            self.writes.acquire().await.unwrap().forget();
            self.outcome()?;
            self.put(token);
            self.written.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        .boxed()
    }
}
