//! A token store in memory that can be told to fail, to wait, or to change in between, and what every token
//! store is to do.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use chrono::DateTime;
use futures::{FutureExt as _, future::BoxFuture};
use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;

use crate::provider::auth::{
    EarlierToken, StoredToken, TokenStore, TokenStoreError, TriedPassword,
};

const PERMITS: usize = 1_000;

pub(crate) struct MemoryStore {
    token: Mutex<Option<StoredToken>>,
    failure: Mutex<Option<TokenStoreError>>,
    replacement: Mutex<Option<StoredToken>>,
    tried: Mutex<Option<TriedPassword>>,
    /// Each write takes a permit for good.
    writes: Semaphore,
    pub(crate) waiting: Semaphore,
    /// Tokens.
    pub(crate) written: AtomicUsize,
    /// What has become of passwords.
    pub(crate) noted: AtomicUsize,
    pub(crate) begun: AtomicUsize,
}

impl MemoryStore {
    pub(crate) fn new(token: Option<StoredToken>) -> Self {
        Self {
            token: Mutex::new(token),
            failure: Mutex::new(None),
            replacement: Mutex::new(None),
            tried: Mutex::new(None),
            writes: Semaphore::new(PERMITS),
            waiting: Semaphore::new(0),
            written: AtomicUsize::new(0),
            noted: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
        }
    }

    /// Lets writes wait until [`resume`](Self::resume).
    pub(crate) fn pause(&self) {
        self.writes.forget_permits(PERMITS);
    }

    pub(crate) fn resume(&self) {
        self.writes.add_permits(PERMITS);
    }

    pub(crate) fn fail(&self, failure: Option<TokenStoreError>) {
        *self.failure.lock().unwrap() = failure;
    }

    pub(crate) fn put(&self, token: StoredToken) {
        *self.token.lock().unwrap() = Some(token);
    }

    /// Puts another replica's token in place once this one has read the present one.
    pub(crate) fn replace_after_next_load(&self, token: StoredToken) {
        *self.replacement.lock().unwrap() = Some(token);
    }

    pub(crate) fn stored(&self) -> Option<StoredToken> {
        self.token.lock().unwrap().clone()
    }

    /// The refresh token that is stored.
    pub(crate) fn refresh_token(&self) -> Option<String> {
        Some(self.stored()?.refresh_token?.expose_secret().to_owned())
    }

    /// What stands there as it is written, if a password is left alone.
    pub(crate) fn tried_as_written(&self) -> Option<String> {
        let tried = self.tried.lock().unwrap();
        tried
            .as_ref()
            .map(|tried| serde_json::to_string(tried).unwrap())
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

    fn tried(&self) -> BoxFuture<'_, Result<Option<TriedPassword>, TokenStoreError>> {
        async {
            self.outcome()?;
            Ok(self.tried.lock().unwrap().clone())
        }
        .boxed()
    }

    fn note_tried(
        &self,
        tried: Option<TriedPassword>,
    ) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        async {
            self.writes.acquire().await.unwrap().forget();
            self.outcome()?;
            *self.tried.lock().unwrap() = tried;
            self.noted.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        .boxed()
    }
}

/// A refresh token that grew from anything.
pub(crate) fn token(text: &str) -> StoredToken {
    StoredToken {
        refresh_token: Some(text.into()),
        grown_from: "digest".into(),
        issued_at: DateTime::UNIX_EPOCH,
        expires_at: None,
        earlier: None,
    }
}

/// The token in whose place a code would bring one is kept beside it, until one comes.
pub(crate) async fn assert_keeps_a_token_beside_a_code(store: &dyn TokenStore) {
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
    store.store(token("second")).await.unwrap();
    assert!(store.load().await.unwrap().unwrap().earlier.is_none());
}

/// A password that was refused.
pub(crate) fn tried() -> TriedPassword {
    let text = r#"{"salt": "5a", "digest": "d1", "at": "2024-01-01T00:00:00Z", "pauseSeconds": 900, "answer": "401"}"#;
    serde_json::from_str(text).unwrap()
}

/// What is recorded of a password is found again beside a token, and neither costs the other.
pub(crate) async fn assert_keeps_what_was_tried(store: &dyn TokenStore) {
    assert!(store.tried().await.unwrap().is_none());
    store.store(token("first")).await.unwrap();
    store.note_tried(Some(tried())).await.unwrap();
    assert!(store.tried().await.unwrap() == Some(tried()));
    store.store(token("second")).await.unwrap();
    assert!(store.tried().await.unwrap().is_some());
    store.note_tried(None).await.unwrap();
    assert!(store.tried().await.unwrap().is_none());
    let loaded = store.load().await.unwrap().unwrap();
    assert_eq!(loaded.refresh_token.unwrap().expose_secret(), "second");
    store.note_tried(None).await.unwrap();
}
