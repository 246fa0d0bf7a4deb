//! From a grant to an access token, with the refresh token safe at every step.
//!
//! A provider that rotates refresh tokens may have forgotten the old one when it answers, so whatever
//! comes must be stored before anything else happens. The old one is kept until then, and tried again
//! where an answer was lost: only the provider knows whether it still serves. `docs/authentication.md`
//! tells what becomes of a crash at each step.

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::{
    Grant, TokenStore, TokenStoreError,
    access_token::AccessToken,
    answer::{Issued, Refusal, RefusalKind},
    endpoint::Endpoint,
    grant::refresh_form,
    held::Held,
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

    pub(super) fn access_token(&self, issued: &Issued, asked_at: Instant) -> AccessToken {
        let lifetime = issued.expires_in.or(self.lifetimes.access);
        AccessToken::new(issued.authorization.clone(), lifetime, asked_at)
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
