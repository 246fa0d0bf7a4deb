//! Refresh tokens that providers issued, in Secrets of Pollen's own.
//!
//! They stand in the operator's namespace, where alone it may write Secrets, named by a digest of
//! the instance's namespace and name, and without an owner: an instance that is deleted and made
//! again finds its token.

mod record;
mod sweep;

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{Api, Client, api::PostParams};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

pub(super) use sweep::sweep;

use self::record::{Awaited, Mark, mark_of, read, set_mark, set_tried, tried_of, write};
use super::{
    budget::{Write, WriteBudget},
    item::Key,
};
use crate::{
    clock::Clock,
    provider::auth::{StoredToken, TokenStore, TokenStoreError, TriedPassword},
};

/// Names the instance that a token Secret belongs to, as `NAMESPACE/NAME`.
const INSTANCE: &str = "pollen.dev/instance";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const COMPONENT: &str = "app.kubernetes.io/component";
/// The release: another one in the same namespace must not sweep this one's tokens.
const RELEASE: &str = "app.kubernetes.io/instance";

/// Attempts to store a rotated token: it is the only one that the provider still accepts.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Where token Secrets are, and who writes them: shared by all instances' stores.
#[derive(Clone)]
pub(super) struct TokenSecrets {
    pub(super) client: Client,
    pub(super) namespace: String,
    /// The name of this release.
    pub(super) release: String,
    /// The namespaces whose instances are seen; all when empty.
    pub(super) watched: Vec<String>,
    pub(super) identity: String,
    pub(super) clock: Clock,
    pub(super) budget: WriteBudget,
}

/// The token Secret of one instance.
pub(super) struct KubeTokenStore {
    secrets: Api<Secret>,
    shared: TokenSecrets,
    instance: Key,
    name: String,
    /// The Secret as last read or written; the fence of the next write.
    seen: Mutex<Option<Secret>>,
    /// Another replica's refresh.
    awaited: Mutex<Option<Awaited>>,
}

impl TokenSecrets {
    fn watches(&self, namespace: &str) -> bool {
        self.watched.is_empty() || self.watched.iter().any(|watched| watched == namespace)
    }

    /// The store of one instance.
    pub(super) fn of(&self, instance: &Key) -> KubeTokenStore {
        KubeTokenStore {
            secrets: Api::namespaced(self.client.clone(), &self.namespace),
            shared: self.clone(),
            instance: instance.clone(),
            name: secret_name(instance),
            seen: Mutex::default(),
            awaited: Mutex::default(),
        }
    }
}

fn secret_name(instance: &Key) -> String {
    let digest = Sha256::digest(instance.to_string());
    let hex: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("pollen-token-{hex}")
}

impl KubeTokenStore {
    async fn read(&self) -> Result<Option<Secret>, TokenStoreError> {
        self.secrets
            .get_opt(&self.name)
            .await
            .map_err(|error| self.unavailable("read", &error))
    }

    async fn mark_refresh(&self) -> Result<(), TokenStoreError> {
        let mut seen = self.seen.lock().await;
        if seen.is_none() {
            *seen = self.read().await?;
        }
        let now = self.shared.clock.now();
        let mut secret = seen.clone().unwrap_or_else(|| self.blank());
        if self.waits(mark_of(&secret)).await {
            *seen = None;
            return Err(TokenStoreError::Busy);
        }
        set_mark(
            &mut secret,
            Some(&Mark {
                by: self.shared.identity.clone(),
                at: now,
            }),
        );
        match self.put(&secret).await {
            Ok(written) => {
                *seen = Some(written);
                Ok(())
            }
            Err(error) => {
                *seen = None;
                Err(if is_conflict(&error) {
                    TokenStoreError::Busy
                } else {
                    self.unavailable("mark", &error)
                })
            }
        }
    }

    async fn read_tried(&self) -> Result<Option<TriedPassword>, TokenStoreError> {
        let mut seen = self.seen.lock().await;
        *seen = self.read().await?;
        let tried = seen.as_ref().map_or(Ok(None), tried_of);
        tried.map_err(|error| {
            let message = format!(
                "entry triedPassword of token Secret {}/{} is damaged ({error}): remove the entry",
                self.shared.namespace, self.name
            );
            TokenStoreError::Unavailable(message)
        })
    }

    async fn write_tried(&self, tried: Option<&TriedPassword>) -> Result<(), TokenStoreError> {
        let mut seen = self.seen.lock().await;
        let mut secret = seen.take().unwrap_or_else(|| self.blank());
        set_tried(&mut secret, tried);
        match self.put(&secret).await {
            Ok(written) => {
                *seen = Some(written);
                Ok(())
            }
            Err(error) if is_conflict(&error) => Err(TokenStoreError::Busy),
            Err(error) => Err(self.unavailable("write", &error)),
        }
    }

    /// Whether another replica may be refreshing, as the mark in the Secret says.
    async fn waits(&self, mark: Option<Mark>) -> bool {
        let mut awaited = self.awaited.lock().await;
        let others = mark.filter(|mark| mark.by != self.shared.identity);
        *awaited = others.map(|mark| Awaited::of(mark, awaited.take()));
        awaited.as_ref().is_some_and(Awaited::binds)
    }

    /// Takes this replica's mark away, where nothing has changed since it was set.
    async fn unmark(&self) {
        let mut seen = self.seen.lock().await;
        let Some(mut secret) = seen.take() else {
            return;
        };
        set_mark(&mut secret, None);
        match self.put(&secret).await {
            Ok(written) => *seen = Some(written),
            Err(error) => {
                tracing::debug!(instance = %self.instance, %error, "the mark of a refresh is left to go stale");
            }
        }
    }

    /// Stores a token, again and again: after a rotation there is no other.
    async fn keep(&self, token: StoredToken) -> Result<(), TokenStoreError> {
        let mut seen = self.seen.lock().await;
        let mut pause = PAUSE;
        let mut failure = TokenStoreError::Busy;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            match self.keep_once(&mut seen, &token).await {
                Ok(()) => return Ok(()),
                Err(TokenStoreError::Busy) => return Err(TokenStoreError::Busy),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn keep_once(
        &self,
        seen: &mut Option<Secret>,
        token: &StoredToken,
    ) -> Result<(), TokenStoreError> {
        let mut secret = seen.clone().unwrap_or_else(|| self.blank());
        write(&mut secret, token);
        match self.put(&secret).await {
            Ok(written) => {
                *seen = Some(written);
                Ok(())
            }
            Err(error) => {
                tracing::warn!(instance = %self.instance, %error, "a token is not stored yet");
                let stored = self.read().await?;
                if stored
                    .as_ref()
                    .is_some_and(|stored| !self.is_ours(stored, seen.as_ref(), &secret))
                {
                    return Err(TokenStoreError::Busy);
                }
                *seen = stored;
                Err(self.unavailable("store", &error))
            }
        }
    }

    /// Whether nobody has written a token since this store did: what is stored is what was read
    /// before, what was carried (its answer was lost), or shows this replica's mark.
    fn is_ours(&self, stored: &Secret, seen: Option<&Secret>, carried: &Secret) -> bool {
        stored.data == carried.data
            || seen.is_some_and(|seen| seen.data == stored.data)
            || mark_of(stored).is_some_and(|mark| mark.by == self.shared.identity)
    }

    /// Creates the Secret, or replaces the version that was read.
    async fn put(&self, secret: &Secret) -> Result<Secret, kube::Error> {
        self.shared.budget.acquire(Write::Token).await;
        if secret.metadata.resource_version.is_some() {
            self.secrets
                .replace(&self.name, &PostParams::default(), secret)
                .await
        } else {
            self.secrets.create(&PostParams::default(), secret).await
        }
    }

    fn blank(&self) -> Secret {
        let labels = [
            (MANAGED_BY, "pollen"),
            (COMPONENT, "token"),
            (RELEASE, self.shared.release.as_str()),
        ];
        Secret {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                labels: Some(
                    labels
                        .map(|(key, value)| (key.to_owned(), value.to_owned()))
                        .into(),
                ),
                annotations: Some([(INSTANCE.to_owned(), self.instance.to_string())].into()),
                ..ObjectMeta::default()
            },
            ..Secret::default()
        }
    }

    fn unavailable(&self, what: &str, error: &kube::Error) -> TokenStoreError {
        let message = format!(
            "cannot {what} token Secret {}/{}: {error}",
            self.shared.namespace, self.name
        );
        TokenStoreError::Unavailable(message)
    }
}

fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_conflict() || status.is_already_exists())
}

impl TokenStore for KubeTokenStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredToken>, TokenStoreError>> {
        async {
            let mut seen = self.seen.lock().await;
            *seen = self.read().await?;
            Ok(seen.as_ref().and_then(read))
        }
        .boxed()
    }

    fn begin_refresh(&self) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        self.mark_refresh().boxed()
    }

    fn end_refresh(&self) -> BoxFuture<'_, ()> {
        self.unmark().boxed()
    }

    fn store(&self, token: StoredToken) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        self.keep(token).boxed()
    }

    fn tried(&self) -> BoxFuture<'_, Result<Option<TriedPassword>, TokenStoreError>> {
        self.read_tried().boxed()
    }

    fn note_tried(
        &self,
        tried: Option<TriedPassword>,
    ) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        async move { self.write_tried(tried.as_ref()).await }.boxed()
    }
}

#[cfg(test)]
mod tests;
