//! From a grant to an access token, with the refresh token safe at every step.
//!
//! A provider that rotates refresh tokens has forgotten the old one when it answers, so whatever
//! comes must be stored before anything else happens; and a code or a rotated token that was sent
//! is gone whether or not its answer arrived.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::{
    Grant, StoredToken, TokenStore, TokenStoreError,
    access_token::AccessToken,
    answer::{Issued, Refusal, RefusalKind},
    endpoint::Endpoint,
    grant::refresh_form,
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
}

impl Tokens {
    /// A new access token. When it is returned, everything that came with it is stored.
    pub(super) async fn obtain(&self, held: &mut Held) -> Result<AccessToken, FetchError> {
        if let Some(access) = self.save(held).await?.filter(AccessToken::is_fresh) {
            return Ok(access);
        }
        let Some(seed) = self.grant.seed() else {
            return self.ask_directly().await;
        };
        let grown_from = self.endpoint.credentials.grown_from(seed);
        match (self.stored(&grown_from, held).await?, &self.grant) {
            (
                Some(StoredToken {
                    refresh_token: Some(token),
                    ..
                }),
                _,
            ) => self.refresh(&token, &grown_from, held).await,
            (Some(_), _) => Err(words::code_used(&self.endpoint)),
            (None, Grant::AuthorizationCode { .. }) => self.exchange(&grown_from, held).await,
            (None, _) => self.refresh(seed, &grown_from, held).await,
        }
    }

    /// The grants that bring no token worth keeping.
    async fn ask_directly(&self) -> Result<AccessToken, FetchError> {
        let asked_at = Instant::now();
        let mut form = self.grant.form();
        if !self.scope.is_empty() {
            form.push(("scope", &self.scope));
        }
        let issued = self.endpoint.request(form, self.grant.secrets()).await;
        let issued = issued.map_err(|refusal| self.explain(refusal))?;
        Ok(self.access_token(&issued, asked_at))
    }

    async fn exchange(&self, grown_from: &str, held: &mut Held) -> Result<AccessToken, FetchError> {
        self.begin().await?;
        let asked_at = Instant::now();
        match self
            .endpoint
            .request(self.grant.form(), self.grant.secrets())
            .await
        {
            Ok(issued) => {
                let access = self.access_token(&issued, asked_at);
                self.keep(self.grown(&issued, grown_from), access, held)
                    .await
            }
            Err(refusal) if matches!(refusal.kind, RefusalKind::Grant | RefusalKind::Unclear) => {
                let token = self.used_code(grown_from);
                held.unsaved = Some(Unsaved {
                    token,
                    access: None,
                });
                self.save(held).await?;
                Err(words::code_refused(&self.endpoint, &refusal))
            }
            Err(refusal) => Err(self.explain(refusal)),
        }
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
        self.begin().await?;
        let asked_at = Instant::now();
        let issued = match self
            .endpoint
            .request(refresh_form(token), vec![token.clone()])
            .await
        {
            Ok(issued) => issued,
            Err(refusal) => return Ok(Err(refusal)),
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
    async fn keep(
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

    /// Stores what the store has not taken yet, and returns the access token that waited for it.
    async fn save(&self, held: &mut Held) -> Result<Option<AccessToken>, FetchError> {
        let Some(unsaved) = &held.unsaved else {
            return Ok(None);
        };
        let error = match self.store.store(unsaved.token.clone()).await {
            Ok(()) => return Ok(held.unsaved.take().and_then(|saved| saved.access)),
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
        let own = stored.filter(|token| token.grown_from == grown_from);
        held.refresh_life = own.as_ref().and_then(life).or(held.refresh_life);
        Ok(own)
    }

    async fn begin(&self) -> Result<(), FetchError> {
        self.store
            .begin_refresh()
            .await
            .map_err(|error| self.unstored(&error))
    }

    fn access_token(&self, issued: &Issued, asked_at: Instant) -> AccessToken {
        let lifetime = issued.expires_in.or(self.lifetimes.access);
        AccessToken::new(issued.authorization.clone(), lifetime, asked_at)
    }

    fn grown(&self, issued: &Issued, grown_from: &str) -> StoredToken {
        let issued_at = self.clock.now();
        let lifetime = issued.refresh_expires_in.or(self.lifetimes.refresh);
        StoredToken {
            refresh_token: issued.refresh_token.clone(),
            grown_from: grown_from.to_owned(),
            issued_at,
            expires_at: lifetime.and_then(|lifetime| after(issued_at, lifetime)),
        }
    }

    fn used_code(&self, grown_from: &str) -> StoredToken {
        StoredToken {
            refresh_token: None,
            grown_from: grown_from.to_owned(),
            issued_at: self.clock.now(),
            expires_at: None,
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

    fn explain(&self, refusal: Refusal) -> FetchError {
        words::refused(&self.endpoint, &self.grant, refusal)
    }

    fn unstored(&self, error: &TokenStoreError) -> FetchError {
        words::unstored(&self.endpoint, error)
    }
}

fn life(token: &StoredToken) -> Option<RefreshLife> {
    Some(RefreshLife {
        issued_at: token.issued_at,
        expires_at: token.expires_at?,
    })
}

fn after(instant: DateTime<Utc>, lifetime: Duration) -> Option<DateTime<Utc>> {
    instant.checked_add_signed(TimeDelta::from_std(lifetime).ok()?)
}
