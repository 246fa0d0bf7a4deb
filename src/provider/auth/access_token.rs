//! An access token and when it ends.

use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::SecretString;
use tokio::time::Instant;

/// An access token, ready for use.
#[derive(Clone, Debug)]
pub(super) struct AccessToken {
    pub(super) authorization: HeaderValue,
    lifetime: Option<Lifetime>,
}

#[derive(Clone, Copy, Debug)]
struct Lifetime {
    refresh_at: Instant,
    expires_at: Instant,
}

/// The longest time before its expiry at which a token is renewed.
const MARGIN: Duration = Duration::from_secs(60);

impl AccessToken {
    /// A token asked for at `asked_at`: its life began there, not when the answer arrived.
    pub(super) fn new(
        authorization: HeaderValue,
        lifetime: Option<Duration>,
        asked_at: Instant,
    ) -> Self {
        let lifetime = lifetime.and_then(|lifetime| {
            let expires_at = asked_at.checked_add(lifetime)?;
            // Five-minute tokens exist: a fixed margin would renew some of them at every request.
            let refresh_at = expires_at.checked_sub(MARGIN.min(lifetime / 10))?;
            Some(Lifetime {
                refresh_at,
                expires_at,
            })
        });
        Self {
            authorization,
            lifetime,
        }
    }

    /// The token itself, behind the scheme.
    pub(super) fn secret(&self) -> Option<SecretString> {
        let value = self.authorization.to_str().ok()?;
        Some(value.rsplit(' ').next()?.into())
    }

    /// Far from its end.
    pub(super) fn is_fresh(&self) -> bool {
        self.lifetime
            .is_none_or(|lifetime| Instant::now() < lifetime.refresh_at)
    }

    /// Near its end perhaps, but not over.
    pub(super) fn is_alive(&self) -> bool {
        self.lifetime
            .is_none_or(|lifetime| Instant::now() < lifetime.expires_at)
    }
}
