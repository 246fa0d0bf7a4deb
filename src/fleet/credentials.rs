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
    auth::{Attempt, Authenticator, Authorize, FixedCredential, Place},
};

/// How long the end of a process waits for a token that is being renewed: a provider that rotates
/// refresh tokens may have spent the old one when it answers, and an answer that nobody waits for is
/// lost. What is slower than this has most likely failed.
pub const RENEWAL_GRACE: Duration = Duration::from_secs(16);

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

    /// Waits until no token is being renewed and no password is on trial.
    async fn rest(&self) {
        let rest = async {
            match self {
                Self::Tokens(tokens) => tokens.rest().await,
                Self::Fixed(fixed) => fixed.rest().await,
            }
        };
        let _ = tokio::time::timeout(RENEWAL_GRACE, rest).await;
    }

    /// Sends a password that was refused sooner, if not at once; false where there is none.
    fn ask_anew(&self) -> bool {
        match self {
            Self::Tokens(tokens) => tokens.ask_anew(),
            Self::Fixed(fixed) => fixed.ask_anew(),
        }
    }

    /// Has them renew nothing any more.
    fn retire(&self) {
        if let Self::Tokens(tokens) = self {
            tokens.retire();
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
    /// The entries of all the Secrets that the instance was built with: some count until it ends.
    built_with: Vec<SecretString>,
    /// The entries that count since.
    secrets: Vec<SecretString>,
    /// What counted before, which an answer on its way may still repeat.
    before: Option<(Credentials, Vec<SecretString>)>,
}

impl CurrentCredentials {
    /// `secrets` are the entries of the instance's Secrets.
    pub(super) fn new(credentials: Credentials, secrets: Vec<SecretString>) -> Self {
        let place = credentials.authorizer().place().cloned();
        Self {
            state: Mutex::new(State {
                credentials,
                built_with: secrets,
                secrets: Vec::new(),
                before: None,
            }),
            place,
        }
    }

    /// Lets others count from now on, which share the [renewals](crate::provider::auth::Renewals) of
    /// the present ones: they wait for a token that these are renewing, and go on from it.
    pub(super) fn replace(&self, credentials: Credentials, secrets: Vec<SecretString>) {
        let mut state = self.state();
        let credentials = std::mem::replace(&mut state.credentials, credentials);
        let secrets = std::mem::replace(&mut state.secrets, secrets);
        credentials.retire();
        state.before = Some((credentials, secrets));
    }

    /// Every secret that a provider's text may repeat.
    pub(super) fn in_hand(&self) -> Vec<SecretString> {
        let state = self.state();
        let mut all = state.credentials.in_hand();
        all.extend_from_slice(&state.built_with);
        all.extend_from_slice(&state.secrets);
        if let Some((credentials, secrets)) = &state.before {
            all.extend(credentials.in_hand());
            all.extend_from_slice(secrets);
        }
        all
    }

    /// Waits until no token is being renewed and no password is on trial, [`RENEWAL_GRACE`] at most.
    pub(super) async fn rest(&self) {
        self.current().rest().await;
    }

    /// Sends a password that was refused sooner, if not at once; false where there is none.
    pub(super) fn ask_anew(&self) -> bool {
        self.current().ask_anew()
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

    fn attempt(&self) -> BoxFuture<'_, Result<Attempt, FetchError>> {
        async {
            loop {
                let current = self.current();
                let outcome = current.authorizer().attempt().await;
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
            let outcome = current.authorizer().refused(used).await;
            if outcome.is_ok() || current.are(&self.current()) {
                return outcome;
            }
            self.authorization().await.map(drop)
        }
        .boxed()
    }

    fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

#[cfg(test)]
mod tests;
