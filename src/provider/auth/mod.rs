//! Credentials as they are, and living on tokens: grants, one refresh at a time, rotation that survives a crash.

mod access_token;
mod answer;
mod assertion;
mod authenticator;
mod authorization;
mod endpoint;
mod entries;
mod exchange;
mod fixed;
mod grant;
mod lockout;
mod no_tokens;
mod place;
mod redirect_uri;
mod signing_key;
mod tokens;
mod words;

use chrono::{DateTime, Utc};
use futures::{
    FutureExt as _,
    future::{BoxFuture, ready},
};
use reqwest::header::HeaderValue;
use secrecy::SecretString;

pub use assertion::{About, Assertions};
#[cfg(test)]
pub(crate) use authenticator::tests::faults;
pub use authenticator::{Authenticator, AuthenticatorSettings, Renewals};
pub use authorization::{AnswerError, AuthorizationRequest, AuthorizationTerms};
pub use entries::Entries;
pub use fixed::FixedCredential;
pub use grant::{ClientCredentials, ClientProof, Grant};
pub use no_tokens::NoTokens;
pub use place::Place;
pub use redirect_uri::RedirectUri;
pub use tokens::Lifetimes;

use super::FetchError;

/// What puts the `Authorization` on a request to a provider.
pub trait Authorize: Send + Sync {
    /// The header's value for the next request, renewed first where it is about to expire.
    fn authorization(&self) -> BoxFuture<'_, Result<HeaderValue, FetchError>>;

    /// Says that the provider answered a request that carried `used` with 401. `Ok` means that
    /// [`authorization`](Self::authorization) has another value by now, worth one more try.
    fn refused<'a>(&'a self, used: &'a HeaderValue) -> BoxFuture<'a, Result<(), FetchError>>;

    /// Where the value stands in a request; `None`: in the connector's own header.
    fn place(&self) -> Option<&Place> {
        None
    }
}

/// Where a refresh token that the provider issued is kept: a file or a Secret of Pollen's own.
pub trait TokenStore: Send + Sync {
    /// The stored token, as it stands now.
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredToken>, TokenStoreError>>;

    /// Says that a refresh begins, so that no second replica begins one; a compare-and-swap
    /// against what was loaded.
    fn begin_refresh(&self) -> BoxFuture<'_, Result<(), TokenStoreError>>;

    /// Says that a refresh has ended that leaves nothing to store. Where that fails, the others wait as
    /// they do for a replica that has died.
    fn end_refresh(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    /// Stores a token durably. A rotated one is stored before its access token is used.
    fn store(&self, token: StoredToken) -> BoxFuture<'_, Result<(), TokenStoreError>>;
}

/// A refresh token and what it grew from.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The refresh token; `None` records only that a one-time code was sent.
    pub refresh_token: Option<SecretString>,
    /// Digest of the client id and of the user's code or refresh token from which it grew: used
    /// only while that matches, so a newer token of the user wins.
    pub grown_from: String,
    /// When the refresh token was issued, or the code was sent.
    pub issued_at: DateTime<Utc>,
    /// When the refresh token expires, where the provider says so. Of a code whose fate is unknown:
    /// until when it may be sent again; `None` once it is settled.
    pub expires_at: Option<DateTime<Utc>>,
    /// Beside a code: the token in whose place it would come, until one comes of it. A code that is
    /// mistyped or spent must not cost a token that the provider still takes.
    pub earlier: Option<EarlierToken>,
}

/// A refresh token of another tree, which counts again where the user's Secret says so.
#[derive(Clone, Debug)]
pub struct EarlierToken {
    pub refresh_token: SecretString,
    pub grown_from: String,
    pub issued_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
}

impl StoredToken {
    /// The token that grew from `grown_from`, if it is here.
    fn of(self, grown_from: &str) -> Option<Self> {
        if self.grown_from == grown_from {
            return Some(self);
        }
        let earlier = self
            .earlier
            .filter(|earlier| earlier.grown_from == grown_from)?;
        Some(Self {
            refresh_token: Some(earlier.refresh_token),
            grown_from: earlier.grown_from,
            issued_at: earlier.issued_at,
            expires_at: earlier.expires_at,
            earlier: None,
        })
    }

    /// What is lost where a code of `grown_from` is recorded in its place.
    fn earlier_than(&self, grown_from: &str) -> Option<EarlierToken> {
        match &self.refresh_token {
            Some(refresh_token) if self.grown_from != grown_from => Some(EarlierToken {
                refresh_token: refresh_token.clone(),
                grown_from: self.grown_from.clone(),
                issued_at: self.issued_at,
                expires_at: self.expires_at,
            }),
            Some(_) => None,
            None => self.earlier.clone(),
        }
    }
}

/// A store that could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenStoreError {
    /// Another replica is refreshing or has changed the token.
    #[error("the token of this instance is being refreshed elsewhere")]
    Busy,
    /// The store failed.
    #[error("{0}")]
    Unavailable(String),
}
