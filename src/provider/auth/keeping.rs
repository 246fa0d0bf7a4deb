//! Where what was issued is kept, before anything is done with it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    StoredToken, TokenStoreError,
    access_token::AccessToken,
    answer::{Issued, Refusal, RefusalKind},
    held::{Held, RefreshLife, Unsaved},
    tokens::Tokens,
};
use crate::provider::FetchError;

/// Two statements of one end differ by rounding and by the time that answers take.
const SAME_END: TimeDelta = TimeDelta::seconds(60);

impl Tokens {
    /// Stores what was issued, then gives the access token away.
    pub(super) async fn keep(
        &self,
        token: StoredToken,
        access: AccessToken,
        held: &mut Held,
    ) -> Result<AccessToken, FetchError> {
        held.refresh_life = RefreshLife::of(&token);
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
        held.refresh_life = RefreshLife::of(&token);
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
    pub(super) async fn save(&self, held: &mut Held) -> Result<Option<AccessToken>, FetchError> {
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
    pub(super) async fn stored(
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
        held.refresh_life = own.as_ref().and_then(RefreshLife::of).or(held.refresh_life);
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
    pub(super) fn restated_life(
        &self,
        issued: &Issued,
        known: Option<RefreshLife>,
    ) -> Option<RefreshLife> {
        let now = self.clock.now();
        let expires_at = after(now, issued.refresh_expires_in?)?;
        let same = known.filter(|known| expires_at <= known.expires_at + SAME_END);
        Some(RefreshLife {
            issued_at: same.map_or(now, |known| known.issued_at),
            expires_at,
        })
    }
}

fn after(instant: DateTime<Utc>, lifetime: Duration) -> Option<DateTime<Utc>> {
    instant.checked_add_signed(TimeDelta::from_std(lifetime).ok()?)
}
