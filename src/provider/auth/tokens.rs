//! From a grant to an access token, with the refresh token safe at every step.
//!
//! A provider that rotates refresh tokens may have forgotten the old one when it answers, so whatever
//! comes must be stored before anything else happens. The old one is kept until then, and tried again
//! where an answer was lost: only the provider knows whether it still serves. `docs/authentication.md`
//! tells what becomes of a crash at each step.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::{
    EarlierToken, Grant, StoredToken, TokenStore, TokenStoreError,
    access_token::AccessToken,
    answer::{Issued, Refusal, RefusalKind},
    endpoint::Endpoint,
    grant::refresh_form,
    lockout::{Lockout, Verdict},
    words,
};
use crate::{clock::Clock, provider::FetchError};

/// How long tokens live where the token service doesn't say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token's; unknown, it is used until the provider answers 401.
    pub access: Option<Duration>,
    /// A refresh token's.
    pub refresh: Option<Duration>,
}

/// Two statements of one end differ by rounding and by the time that answers take.
const SAME_END: TimeDelta = TimeDelta::seconds(60);

/// What one renewal leaves for the next.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// What the store would not take: the only copy of a rotated token.
    unsaved: Option<Unsaved>,
    /// The life of the refresh token in use.
    pub(super) refresh_life: Option<RefreshLife>,
    /// From what the tokens in use grow; nothing for grants that have none.
    grown_from: Option<String>,
    /// What a code that is recorded keeps beside it.
    pub(super) earlier: Option<EarlierToken>,
    /// What the last exchange of the code came to.
    pub(super) failed_exchange: Option<String>,
    /// The store shows others that a refresh runs.
    is_marked: bool,
    /// Somebody sees to it that what is unsaved gets stored.
    pub(super) is_saved_for: bool,
}

impl Held {
    /// Forgets what concerns another tree alone. What is unsaved stays: there is no other copy.
    fn turn_to(&mut self, grown_from: Option<&str>) {
        if self.grown_from.as_deref() != grown_from {
            self.grown_from = grown_from.map(str::to_owned);
            self.refresh_life = None;
            self.failed_exchange = None;
        }
    }

    /// Whether everything that was issued is stored.
    pub(super) const fn is_stored(&self) -> bool {
        self.unsaved.is_none()
    }

    /// Whether what is unsaved is of the tree in use.
    fn is_own(&self) -> bool {
        let unsaved = self.unsaved.as_ref();
        unsaved.map(|unsaved| &unsaved.token.grown_from) == self.grown_from.as_ref()
    }
}

#[derive(Debug)]
struct Unsaved {
    token: StoredToken,
    access: Option<AccessToken>,
}

/// From when to when a refresh token is valid.
#[derive(Clone, Copy, Debug)]
pub(super) struct RefreshLife {
    pub(super) issued_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

/// Obtains access tokens, one call at a time.
pub(super) struct Tokens {
    pub(super) endpoint: Endpoint,
    pub(super) grant: Grant,
    /// Scopes, with spaces between (RFC 6749 §3.3).
    pub(super) scope: String,
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) clock: Clock,
    pub(super) lifetimes: Lifetimes,
    /// Where a refusal may lock a user out.
    pub(super) lockout: Option<Arc<Lockout>>,
}

impl Tokens {
    /// A new access token. When it is returned, everything that came with it is stored.
    pub(super) async fn obtain(&self, held: &mut Held) -> Result<AccessToken, FetchError> {
        let Some(seed) = self.grant.seed() else {
            held.turn_to(None);
            return self.ask_directly().await;
        };
        let grown_from = self.endpoint.credentials.grown_from(&seed);
        held.turn_to(Some(&grown_from));
        let is_own = held.is_own();
        let saved = self.save(held).await?;
        if let Some(access) = saved.filter(|access| is_own && access.is_fresh()) {
            return Ok(access);
        }
        let stored = self.stored(&grown_from, held).await?;
        let token = stored
            .as_ref()
            .and_then(|stored| stored.refresh_token.clone());
        match (token, stored, &self.grant) {
            (Some(token), ..) => self.refresh(&token, &grown_from, held).await,
            (None, Some(sent), Grant::AuthorizationCode { .. }) => {
                self.exchange_again(&sent, held).await
            }
            (None, None, Grant::AuthorizationCode { .. }) => self.exchange(&grown_from, held).await,
            (None, _, Grant::Authorized) => Err(words::unauthorized(&self.endpoint)),
            // What is recorded as a code stood in the wrong entry of the Secret.
            (None, ..) => self.refresh(&seed, &grown_from, held).await,
        }
    }

    /// The grants that bring no token worth keeping.
    async fn ask_directly(&self) -> Result<AccessToken, FetchError> {
        let Some(lockout) = &self.lockout else {
            return self
                .ask_once()
                .await
                .map_err(|refusal| self.explain(refusal));
        };
        let trial = lockout.begin().await?;
        let outcome = self.ask_once().await;
        trial.end(verdict(&outcome)).await;
        let refusal = match outcome {
            Ok(access) => return Ok(access),
            Err(refusal) => refusal,
        };
        let left_alone = match refusal.kind {
            RefusalKind::Grant => lockout.pause().await,
            _ => None,
        };
        Err(left_alone.unwrap_or_else(|| self.explain(refusal)))
    }

    async fn ask_once(&self) -> Result<AccessToken, Refusal> {
        let asked_at = Instant::now();
        let issued = self.ask(&self.scope).await?;
        Ok(self.access_token(&issued, asked_at))
    }

    /// Asks with what the user gave, for these scopes if any.
    pub(super) async fn ask(&self, scope: &str) -> Result<Issued, Refusal> {
        let mut form = self.grant.form(self.clock.now())?;
        if !scope.is_empty() {
            form.push(("scope", scope.into()));
        }
        self.endpoint.request(form, self.grant.secrets()).await
    }

    /// Refreshes with `token`; where it is refused, with the one that another replica or
    /// a person has stored meanwhile.
    async fn refresh(
        &self,
        token: &SecretString,
        grown_from: &str,
        held: &mut Held,
    ) -> Result<AccessToken, FetchError> {
        let refusal = match self.refresh_once(token, grown_from, held).await? {
            Ok(access) => return Ok(access),
            Err(refusal) => refusal,
        };
        if refusal.kind == RefusalKind::Grant
            && let Some(stored) = self.stored(grown_from, held).await?
            && let Some(newer) = stored.refresh_token
            && newer.expose_secret() != token.expose_secret()
        {
            let second = self.refresh_once(&newer, grown_from, held).await?;
            return second.map_err(|refusal| words::refresh_refused(&self.endpoint, refusal));
        }
        Err(words::refresh_refused(&self.endpoint, refusal))
    }

    async fn refresh_once(
        &self,
        token: &SecretString,
        grown_from: &str,
        held: &mut Held,
    ) -> Result<Result<AccessToken, Refusal>, FetchError> {
        self.begin(held).await?;
        let asked_at = Instant::now();
        let issued = match self
            .endpoint
            .request(refresh_form(token), vec![token.clone()])
            .await
        {
            Ok(issued) => issued,
            Err(refusal) => {
                self.salvage(&refusal, Some(token), grown_from, held)
                    .await?;
                return Ok(Err(refusal));
            }
        };
        let access = self.access_token(&issued, asked_at);
        let rotated = issued
            .refresh_token
            .as_ref()
            .is_some_and(|new| new.expose_secret() != token.expose_secret());
        if rotated {
            self.keep(self.grown(&issued, grown_from), access, held)
                .await
                .map(Ok)
        } else {
            held.refresh_life = self
                .restated_life(&issued, held.refresh_life)
                .or(held.refresh_life);
            Ok(Ok(access))
        }
    }

    /// Stores what was issued, then gives the access token away.
    pub(super) async fn keep(
        &self,
        token: StoredToken,
        access: AccessToken,
        held: &mut Held,
    ) -> Result<AccessToken, FetchError> {
        held.refresh_life = life(&token);
        held.unsaved = Some(Unsaved {
            token,
            access: Some(access.clone()),
        });
        self.save(held).await?;
        Ok(access)
    }

    /// Keeps a refresh token that came without a usable access token: the one `sent` may be dead.
    pub(super) async fn salvage(
        &self,
        refusal: &Refusal,
        sent: Option<&SecretString>,
        grown_from: &str,
        held: &mut Held,
    ) -> Result<(), FetchError> {
        // Its request may yet be carried out: nobody else is to send the token meanwhile.
        held.is_marked &= refusal.kind != RefusalKind::Unclear;
        let is_new = |token: &&SecretString| {
            sent.is_none_or(|sent| sent.expose_secret() != token.expose_secret())
        };
        let Some(token) = refusal.refresh_token.as_ref().filter(is_new) else {
            return Ok(());
        };
        let token = self.stored_as(Some(token.clone()), self.lifetimes.refresh, grown_from);
        held.refresh_life = life(&token);
        self.keep_alone(token, held).await
    }

    /// Stores what came without an access token.
    pub(super) async fn keep_alone(
        &self,
        token: StoredToken,
        held: &mut Held,
    ) -> Result<(), FetchError> {
        let access = None;
        held.unsaved = Some(Unsaved { token, access });
        self.save(held).await.map(drop)
    }

    /// Stores what the store has not taken yet, and returns the access token that waited for it.
    async fn save(&self, held: &mut Held) -> Result<Option<AccessToken>, FetchError> {
        let Some(unsaved) = &held.unsaved else {
            return Ok(None);
        };
        let error = match self.store.store(unsaved.token.clone()).await {
            Ok(()) => {
                held.is_marked = false;
                return Ok(held.unsaved.take().and_then(|saved| saved.access));
            }
            Err(error) => error,
        };
        if error == TokenStoreError::Busy && self.is_outdated(&unsaved.token).await? {
            held.unsaved = None;
            return Ok(None);
        }
        Err(self.unstored(&error))
    }

    /// Whether the store has a token that was issued later. Reading it also shows the store what
    /// the next write is to replace.
    async fn is_outdated(&self, token: &StoredToken) -> Result<bool, FetchError> {
        let stored = self
            .store
            .load()
            .await
            .map_err(|error| self.unstored(&error))?;
        Ok(stored.is_some_and(|stored| stored.issued_at > token.issued_at))
    }

    /// The stored token, if it grew from what the user's Secret holds now.
    async fn stored(
        &self,
        grown_from: &str,
        held: &mut Held,
    ) -> Result<Option<StoredToken>, FetchError> {
        let stored = self
            .store
            .load()
            .await
            .map_err(|error| self.unstored(&error))?;
        let earlier = stored.as_ref();
        held.earlier = earlier.and_then(|stored| stored.earlier_than(grown_from));
        let own = stored.and_then(|stored| stored.of(grown_from));
        held.refresh_life = own.as_ref().and_then(life).or(held.refresh_life);
        Ok(own)
    }

    pub(super) async fn begin(&self, held: &mut Held) -> Result<(), FetchError> {
        let begun = self.store.begin_refresh().await;
        begun.map_err(|error| self.unstored(&error))?;
        held.is_marked = true;
        Ok(())
    }

    /// Ends what [began](Self::begin) and left nothing to store.
    pub(super) async fn end(&self, held: &mut Held) {
        if std::mem::take(&mut held.is_marked) && held.is_stored() {
            self.store.end_refresh().await;
        }
    }

    /// Has the store take what it would not take; the access token that waited for it, where it may be
    /// used.
    pub(super) async fn save_again(&self, held: &mut Held) -> Option<AccessToken> {
        let is_own = held.is_own();
        let saved = self.save(held).await.ok()?;
        saved.filter(|access| is_own && access.is_fresh())
    }

    pub(super) fn access_token(&self, issued: &Issued, asked_at: Instant) -> AccessToken {
        let lifetime = issued.expires_in.or(self.lifetimes.access);
        AccessToken::new(issued.authorization.clone(), lifetime, asked_at)
    }

    pub(super) fn grown(&self, issued: &Issued, grown_from: &str) -> StoredToken {
        let lifetime = issued.refresh_expires_in.or(self.lifetimes.refresh);
        self.stored_as(issued.refresh_token.clone(), lifetime, grown_from)
    }

    pub(super) fn stored_as(
        &self,
        refresh_token: Option<SecretString>,
        lifetime: Option<Duration>,
        grown_from: &str,
    ) -> StoredToken {
        let issued_at = self.clock.now();
        // An end without a token would be that of a code which may be sent again.
        let lifetime = lifetime.filter(|_| refresh_token.is_some());
        StoredToken {
            refresh_token,
            grown_from: grown_from.to_owned(),
            issued_at,
            expires_at: lifetime.and_then(|lifetime| after(issued_at, lifetime)),
            earlier: None,
        }
    }

    /// The life of a refresh token that stays, where the service states how much is left: a new
    /// one only where its end has moved.
    fn restated_life(&self, issued: &Issued, known: Option<RefreshLife>) -> Option<RefreshLife> {
        let now = self.clock.now();
        let expires_at = after(now, issued.refresh_expires_in?)?;
        let same = known.filter(|known| expires_at <= known.expires_at + SAME_END);
        Some(RefreshLife {
            issued_at: same.map_or(now, |known| known.issued_at),
            expires_at,
        })
    }

    pub(super) fn explain(&self, refusal: Refusal) -> FetchError {
        words::refused(&self.endpoint, &self.grant, refusal)
    }

    pub(super) fn unstored(&self, error: &TokenStoreError) -> FetchError {
        words::unstored(&self.endpoint, error)
    }
}

/// What a token service's answer says of the password that was sent.
fn verdict(outcome: &Result<AccessToken, Refusal>) -> Verdict {
    match outcome {
        Ok(_) => Verdict::Accepted,
        Err(refusal) => match refusal.kind {
            RefusalKind::Grant => Verdict::Refused(refusal.words.clone()),
            RefusalKind::Unclear => Verdict::Unanswered,
            _ => Verdict::Unlooked,
        },
    }
}

fn life(token: &StoredToken) -> Option<RefreshLife> {
    token.refresh_token.as_ref()?;
    Some(RefreshLife {
        issued_at: token.issued_at,
        expires_at: token.expires_at?,
    })
}

fn after(instant: DateTime<Utc>, lifetime: Duration) -> Option<DateTime<Utc>> {
    instant.checked_add_signed(TimeDelta::from_std(lifetime).ok()?)
}
