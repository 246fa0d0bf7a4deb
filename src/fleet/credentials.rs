//! The credentials of an instance, which may be exchanged for others while its pollers poll.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::{FutureExt as _, future::BoxFuture};
use reqwest::header::HeaderValue;
use secrecy::SecretString;

use crate::provider::{
    FetchError,
    auth::{Authenticator, Authorize, FixedCredential, Place},
};

/// How long the end of a process, or of credentials, waits for a token that is being renewed. A poll
/// may have taken five seconds to stop before.
const RENEWAL_GRACE: Duration = Duration::from_secs(3);

/// What puts the credentials of an instance on its requests.
#[derive(Clone)]
pub(super) enum Credentials {
    /// Access tokens, renewed.
    Tokens(Arc<Authenticator>),
    /// What the Secret holds, as it is.
    Fixed(Arc<FixedCredential>),
}

impl Credentials {
    fn authorizer(&self) -> &dyn Authorize {
        match self {
            Self::Tokens(tokens) => &**tokens,
            Self::Fixed(fixed) => &**fixed,
        }
    }

    /// What a provider's text may repeat beside the entries of Secrets.
    fn in_hand(&self) -> Vec<SecretString> {
        match self {
            Self::Tokens(tokens) => tokens.access_tokens(),
            Self::Fixed(fixed) => fixed.in_hand(),
        }
    }

    /// Waits until no token is being renewed.
    async fn rest(&self) {
        if let Self::Tokens(tokens) = self {
            let _ = tokio::time::timeout(RENEWAL_GRACE, tokens.rest()).await;
        }
    }

    fn are(&self, others: &Self) -> bool {
        match (self, others) {
            (Self::Tokens(these), Self::Tokens(those)) => Arc::ptr_eq(these, those),
            (Self::Fixed(these), Self::Fixed(those)) => Arc::ptr_eq(these, those),
            _ => false,
        }
    }
}

/// The credentials that count now.
pub(super) struct CurrentCredentials {
    state: Mutex<State>,
    place: Option<Place>,
}

struct State {
    credentials: Credentials,
    /// The entries of all Secrets that counted so far.
    secrets: Vec<SecretString>,
}

impl CurrentCredentials {
    /// `secrets` are the entries of the instance's Secrets.
    pub(super) fn new(credentials: Credentials, secrets: Vec<SecretString>) -> Self {
        let place = credentials.authorizer().place().cloned();
        Self {
            state: Mutex::new(State {
                credentials,
                secrets,
            }),
            place,
        }
    }

    /// Lets others count from now on, once the present ones renew no token: two refreshes at one time
    /// would use up one refresh token.
    pub(super) async fn replace(&self, credentials: Credentials, secrets: Vec<SecretString>) {
        self.current().rest().await;
        let mut state = self.state();
        state.credentials = credentials;
        state.secrets.extend(secrets);
    }

    /// Every secret that a provider's text may repeat.
    pub(super) fn in_hand(&self) -> Vec<SecretString> {
        let (credentials, mut secrets) = {
            let state = self.state();
            (state.credentials.clone(), state.secrets.clone())
        };
        secrets.extend(credentials.in_hand());
        secrets
    }

    /// Waits until no token is being renewed, a few seconds at most.
    pub(super) async fn rest(&self) {
        self.current().rest().await;
    }

    pub(super) fn reauthorization_due(&self) -> Option<DateTime<Utc>> {
        match self.current() {
            Credentials::Tokens(tokens) => tokens.reauthorization_due(),
            Credentials::Fixed(_) => None,
        }
    }

    fn current(&self) -> Credentials {
        self.state().credentials.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authorize for CurrentCredentials {
    fn authorization(&self) -> BoxFuture<'_, Result<HeaderValue, FetchError>> {
        async {
            loop {
                let current = self.current();
                let outcome = current.authorizer().authorization().await;
                // What credentials were refused that count no more says nothing of those that do.
                if outcome.is_ok() || current.are(&self.current()) {
                    return outcome;
                }
            }
        }
        .boxed()
    }

    fn refused<'a>(&'a self, used: &'a HeaderValue) -> BoxFuture<'a, Result<(), FetchError>> {
        async move {
            let current = self.current();
            current.authorizer().refused(used).await
        }
        .boxed()
    }

    fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}
