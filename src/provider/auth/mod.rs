//! Credentials as they are, and living on tokens: grants, one refresh at a time, rotation that survives a crash.

mod access_token;
mod answer;
mod assertion;
mod attempt;
mod authenticator;
mod authorization;
mod endpoint;
mod entries;
mod exchange;
mod fixed;
#[cfg(test)]
pub(crate) mod fixtures;
mod grant;
mod held;
mod keeping;
mod lockout;
mod no_tokens;
mod place;
mod redirect_uri;
mod signing_key;
mod stored_token;
mod tokens;
mod words;

use futures::{
    FutureExt as _, TryFutureExt as _,
    future::{BoxFuture, ready},
};
use reqwest::header::HeaderValue;

pub use assertion::{About, Assertions};
pub use attempt::Attempt;
#[cfg(test)]
pub(crate) use authenticator::tests::faults;
pub use authenticator::{Authenticator, AuthenticatorSettings, Renewals};
pub use authorization::{AnswerError, AuthorizationRequest, AuthorizationTerms};
pub use entries::Entries;
pub use fixed::FixedCredential;
pub use grant::{ClientCredentials, ClientProof, Grant};
pub use lockout::TriedPassword;
pub(super) use lockout::Verdict;
pub use no_tokens::NoTokens;
pub use place::Place;
pub use redirect_uri::RedirectUri;
pub use stored_token::{EarlierRecord, EarlierToken, StoredToken};
pub use tokens::Lifetimes;

use super::FetchError;

/// What puts the `Authorization` on a request to a provider.
pub trait Authorize: Send + Sync {
    /// The header's value for the next request, renewed first where it is about to expire.
    fn authorization(&self) -> BoxFuture<'_, Result<HeaderValue, FetchError>>;

    /// Says that the provider answered a request that carried `used` with 401. `Ok` means that
    /// [`authorization`](Self::authorization) has another value by now, worth one more try.
    fn refused<'a>(&'a self, used: &'a HeaderValue) -> BoxFuture<'a, Result<(), FetchError>>;

    /// Leave to send one request with it, and to say what was answered.
    fn attempt(&self) -> BoxFuture<'_, Result<Attempt, FetchError>> {
        self.authorization().map_ok(Attempt::new).boxed()
    }

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

    /// The password that was sent last and is not accepted yet, as it is recorded now.
    fn tried(&self) -> BoxFuture<'_, Result<Option<TriedPassword>, TokenStoreError>> {
        ready(Ok(None)).boxed()
    }

    /// Records a password durably before it is sent, or that none is to be left alone any more; a
    /// compare-and-swap against what was read.
    fn note_tried(
        &self,
        tried: Option<TriedPassword>,
    ) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        drop(tried);
        ready(Ok(())).boxed()
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
