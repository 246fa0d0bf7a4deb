//! One access token for all requests of an instance, renewed by one request at a time.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt as _, future::BoxFuture};
use reqwest::{Url, header::HeaderValue};
use secrecy::SecretString;
use tokio::{
    sync::{Notify, OwnedMutexGuard},
    time::{Instant, sleep, timeout},
};

use super::{
    Authorize, ClientCredentials, Grant, Lifetimes, TokenStore,
    access_token::AccessToken,
    endpoint::Endpoint,
    held::{Held, RefreshLife},
    lockout::{Lockout, Turn},
    tokens::Tokens,
    words,
};
use crate::{
    catalog::TokenBody, category::Category, clock::Clock, network::GuardedClient,
    provider::FetchError,
};

/// How long a failure stands before the token service is asked again: credentials that were
/// refused, so that no user is locked out by polls; and anything else, so that the many requests
/// of an instance don't each ask.
const REFUSED: Duration = Duration::from_secs(60);
const FAILED: Duration = Duration::from_secs(5);

/// How often the store is tried again while the end of the process waits for it.
const ENDING: Duration = Duration::from_secs(1);

/// How long before the end of a refresh token a person is asked to authorize again.
const NOTICE: TimeDelta = TimeDelta::days(7);

/// What an [`Authenticator`] is made from.
#[derive(Clone)]
pub struct AuthenticatorSettings {
    pub client: GuardedClient,
    /// Where tokens are asked for, such as `https://acme.service-now.com/oauth_token.do`.
    pub token_url: Url,
    /// How a request for tokens is written.
    pub token_body: TokenBody,
    pub grant: Grant,
    /// Scopes to ask for, where the connector names some; a code and a refresh token carry theirs.
    pub scopes: Vec<String>,
    /// What every token request says besides, such as the audience.
    pub parameters: BTreeMap<String, String>,
    pub credentials: ClientCredentials,
    /// Where refresh tokens are kept; asked only for grants that have one.
    pub store: Arc<dyn TokenStore>,
    /// Those of the instance, where it had an authenticator before.
    pub renewals: Renewals,
    pub clock: Clock,
    /// What the connector knows of lifetimes where the token service is silent.
    pub lifetimes: Lifetimes,
}

impl AuthenticatorSettings {
    /// The digest beside which tokens that grow from this grant are stored
    /// ([`StoredToken::grown_from`](super::StoredToken::grown_from)); `None` where none are.
    #[must_use]
    pub fn grown_from(&self) -> Option<String> {
        Some(self.credentials.grown_from(&self.grant.seed()?))
    }
}

/// The renewals of one instance, which its authenticators share, one after another: one request for
/// tokens at a time, whoever asks, and what the store would not take yet passes on.
#[derive(Clone, Default)]
pub struct Renewals {
    held: Arc<tokio::sync::Mutex<Held>>,
    /// Whether the one under way may bring a refresh token, of which there is no other copy, or sends a
    /// password.
    is_precious: Arc<AtomicBool>,
    /// What the store would not take must not wait.
    hurry: Arc<Notify>,
    /// Of the passwords that may be wrong.
    turn: Turn,
}

impl Renewals {
    /// Whether nobody has a clone of them, and nothing is in them that the store would not take.
    #[must_use]
    pub fn are_at_rest(&self) -> bool {
        Arc::strong_count(&self.held) == 1
            && self.held.try_lock().is_ok_and(|held| held.is_stored())
            && self.turn.try_lock().is_ok()
    }

    /// Waits until no renewal is under way that may bring a refresh token, what came is stored, and no
    /// password is on trial. Before a process ends: a provider that rotates them has forgotten the old one
    /// when it answers.
    pub async fn rest(&self) {
        while self.is_precious.load(Ordering::SeqCst) {
            if self.held.lock().await.is_stored() {
                break;
            }
            self.hurry.notify_waiters();
            sleep(ENDING).await;
        }
        drop(self.turn.lock().await);
    }

    pub(super) fn turn(&self) -> Turn {
        Arc::clone(&self.turn)
    }

    /// One that is under way until the answer is dropped, and may bring a refresh token.
    #[cfg(test)]
    pub(crate) fn under_way(&self) -> impl Send + use<> {
        self.is_precious.store(true, Ordering::SeqCst);
        Arc::clone(&self.held).try_lock_owned().unwrap()
    }
}

/// The tokens of one instance.
///
/// A renewal runs on a task of its own: dropping a request that waits for it cannot lose a
/// refresh token between the provider's answer and the store.
pub struct Authenticator(Arc<Shared>);

struct Shared {
    tokens: Tokens,
    state: Mutex<State>,
    renewals: Renewals,
}

#[derive(Default)]
struct State {
    token: Option<AccessToken>,
    /// The one before, which an answer on its way may still repeat.
    replaced: Option<AccessToken>,
    failure: Option<Failure>,
    refresh_life: Option<RefreshLife>,
    /// Another authenticator has taken its place.
    is_retired: bool,
}

struct Failure {
    error: FetchError,
    until: Instant,
}

impl Authenticator {
    /// An authenticator that has asked for nothing yet.
    #[must_use]
    pub fn new(settings: AuthenticatorSettings) -> Self {
        let AuthenticatorSettings {
            client,
            token_url: url,
            token_body: body,
            grant,
            scopes,
            parameters,
            credentials,
            store,
            renewals,
            clock,
            lifetimes,
        } = settings;
        let lockout = matches!(grant, Grant::Password { .. }).then(|| {
            let mut sent = credentials.beside(grant.secrets());
            sent.extend(scopes.iter().map(String::as_str).map(SecretString::from));
            let told = parameters.iter().flat_map(|(name, text)| [name, text]);
            sent.extend(told.map(String::as_str).map(SecretString::from));
            let store = Arc::clone(&store);
            let turn = renewals.turn();
            Lockout::new(store, turn, clock, &url, &credentials.secret_name, sent)
        });
        let endpoint = Endpoint {
            client,
            url,
            body,
            parameters,
            credentials,
            clock,
        };
        Self(Arc::new(Shared {
            tokens: Tokens {
                endpoint,
                grant,
                scope: scopes.join(" "),
                store,
                clock,
                lifetimes,
                lockout,
            },
            state: Mutex::default(),
            renewals,
        }))
    }

    /// The access tokens in hand, which a provider's text may repeat.
    #[must_use]
    pub fn access_tokens(&self) -> Vec<SecretString> {
        let state = self.0.state();
        let tokens = state.token.iter().chain(&state.replaced);
        tokens.filter_map(AccessToken::secret).collect()
    }

    /// Waits as [`Renewals::rest`] does.
    pub async fn rest(&self) {
        self.0.renewals.rest().await;
    }

    /// Sends a password that was refused sooner, if not at once: its user may have been unlocked. False where
    /// there is none.
    #[must_use]
    pub fn ask_anew(&self) -> bool {
        let Some(lockout) = &self.0.tokens.lockout else {
            return false;
        };
        lockout.ask();
        let mut state = self.0.state();
        let failure = &mut state.failure;
        failure.take_if(|failure| failure.error.category == Category::Authentication);
        true
    }

    /// Has it renew nothing any more: with what its user gave before, it would write a spent token over
    /// the one of its successor. What is under way goes on, and the successor waits for it.
    pub fn retire(&self) {
        self.0.state().is_retired = true;
    }

    /// When the refresh token expires, once that is less than 7 days ahead (or a tenth of its life,
    /// where that is shorter): a person must authorize again before.
    #[must_use]
    pub fn reauthorization_due(&self) -> Option<DateTime<Utc>> {
        let RefreshLife {
            issued_at,
            expires_at,
        } = self.0.state().refresh_life?;
        let notice = NOTICE.min((expires_at - issued_at) / 10);
        (self.0.tokens.clock.now() >= expires_at - notice).then_some(expires_at)
    }
}

impl Authorize for Authenticator {
    fn authorization(&self) -> BoxFuture<'_, Result<HeaderValue, FetchError>> {
        async {
            match self.0.known() {
                Some(outcome) => outcome,
                None => Arc::clone(&self.0).renewed().await,
            }
        }
        .boxed()
    }

    fn refused<'a>(&'a self, used: &'a HeaderValue) -> BoxFuture<'a, Result<(), FetchError>> {
        async {
            self.0.forget(used);
            self.authorization().await.map(drop)
        }
        .boxed()
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("host", &self.0.tokens.endpoint.host())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// What can be said without asking: a fresh token, or a failure that still stands. Meanwhile
    /// a token near its end serves until it is over.
    fn known(&self) -> Option<Result<HeaderValue, FetchError>> {
        let state = self.state();
        let usable = |wanted: fn(&AccessToken) -> bool| {
            state
                .token
                .as_ref()
                .filter(|token| wanted(token))
                .map(|t| t.authorization.clone())
        };
        if let Some(fresh) = usable(AccessToken::is_fresh) {
            return Some(Ok(fresh));
        }
        let failure = state
            .failure
            .as_ref()
            .filter(|failure| Instant::now() < failure.until)?;
        Some(usable(AccessToken::is_alive).ok_or_else(|| failure.error.clone()))
    }

    /// Drops the access token if it is the one that was refused, and not already a newer one.
    fn forget(&self, used: &HeaderValue) {
        let mut state = self.state();
        if let Some(refused) = state.token.take_if(|token| token.authorization == *used) {
            state.replaced = Some(refused);
        }
    }

    async fn renewed(self: Arc<Self>) -> Result<HeaderValue, FetchError> {
        let held = Arc::clone(&self.renewals.held).lock_owned().await;
        if self.state().is_retired {
            return Err(words::superseded());
        }
        // Whoever held the lock may have brought what is needed, or failed for all.
        if let Some(outcome) = self.known() {
            return outcome;
        }
        // What becomes of a password is to be recorded, or the next process leaves it alone.
        let is_of_password = self.tokens.lockout.is_some();
        let brings_token = self.tokens.grant.seed().is_some();
        let is_precious = brings_token || is_of_password || !held.is_stored();
        self.renewals
            .is_precious
            .store(is_precious, Ordering::SeqCst);
        let renewal = tokio::spawn(self.renew(held));
        renewal.await.unwrap_or_else(|_| Err(words::interrupted()))
    }

    async fn renew(
        self: Arc<Self>,
        mut held: OwnedMutexGuard<Held>,
    ) -> Result<HeaderValue, FetchError> {
        let outcome = self.tokens.obtain(&mut held).await;
        let answer = self.settle(outcome, held.refresh_life);
        // Whoever asked for the token need not wait for it.
        tokio::spawn(self.finish(held));
        answer
    }

    /// Leaves the store as others must find it, whether or not anybody asks for a token again: who leads
    /// next may be another process, and the token that was rotated is here alone.
    async fn finish(self: Arc<Self>, mut held: OwnedMutexGuard<Held>) {
        self.tokens.end(&mut held).await;
        if held.is_stored() || std::mem::replace(&mut held.is_saved_for, true) {
            return;
        }
        while !held.is_stored() {
            drop(held);
            let _ = timeout(FAILED, self.renewals.hurry.notified()).await;
            held = Arc::clone(&self.renewals.held).lock_owned().await;
            if let Some(access) = self.tokens.save_again(&mut held).await {
                let _ = self.settle(Ok(access), held.refresh_life);
            }
        }
        held.is_saved_for = false;
    }

    fn settle(
        &self,
        outcome: Result<AccessToken, FetchError>,
        refresh_life: Option<RefreshLife>,
    ) -> Result<HeaderValue, FetchError> {
        let mut state = self.state();
        state.refresh_life = refresh_life;
        match outcome {
            Ok(token) => {
                let authorization = token.authorization.clone();
                let before = state.token.replace(token);
                state.replaced = before.or(state.replaced.take());
                state.failure = None;
                Ok(authorization)
            }
            Err(error) => {
                let until = Instant::now() + pause(&error);
                state.failure = Some(Failure {
                    error: error.clone(),
                    until,
                });
                let alive = state.token.as_ref().filter(|token| token.is_alive());
                alive.map(|token| token.authorization.clone()).ok_or(error)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause(error: &FetchError) -> Duration {
    let own = match error.category {
        Category::Authentication | Category::Configuration | Category::Permission => REFUSED,
        _ => FAILED,
    };
    error.retry_after.unwrap_or(own)
}

#[cfg(test)]
pub(crate) mod tests;
