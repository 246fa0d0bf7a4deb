//! What is kept of a provider's tokens.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

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

/// How an [`EarlierToken`] is written where tokens are kept. It has no `Debug`: the token stands in it as it
/// is.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EarlierRecord {
    refresh_token: String,
    grown_from: String,
    issued_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
}

impl StoredToken {
    /// The token that grew from `grown_from`, if it is here.
    pub(super) fn of(self, grown_from: &str) -> Option<Self> {
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
    pub(super) fn earlier_than(&self, grown_from: &str) -> Option<EarlierToken> {
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

impl From<EarlierRecord> for EarlierToken {
    fn from(record: EarlierRecord) -> Self {
        Self {
            refresh_token: record.refresh_token.into(),
            grown_from: record.grown_from,
            issued_at: record.issued_at,
            expires_at: record.expires_at,
        }
    }
}

impl From<&EarlierToken> for EarlierRecord {
    fn from(token: &EarlierToken) -> Self {
        Self {
            refresh_token: token.refresh_token.expose_secret().to_owned(),
            grown_from: token.grown_from.clone(),
            issued_at: token.issued_at,
            expires_at: token.expires_at,
        }
    }
}
