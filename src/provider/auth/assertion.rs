//! Signed assertions (JWT), by which a client shows who it is (RFC 7523 §2.2) or whom it acts for
//! (RFC 7523 §2.1).

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::{entries::Entries, signing_key::SigningKey};
use crate::{
    catalog::{AssertionDefinition, SigningAlgorithm},
    category::ConfigurationError,
};

/// Clocks differ: an assertion from the future is refused, one that is a little old is not.
const BACKDATED: TimeDelta = TimeDelta::seconds(30);

/// What stands for the client's id in a definition.
const CLIENT_ID: &str = "{clientId}";

/// Makes the assertions of one client.
#[derive(Clone)]
pub struct Assertions {
    key: SigningKey,
    /// Which of the client's keys it is, where the provider knows several.
    key_id: Option<SecretString>,
    issuer: SecretString,
    subject: SecretString,
    audience: String,
    lifetime: Duration,
}

/// Whom an assertion is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The client itself, which shows who it is.
    Client,
    /// The entry `subject` of the Secret: a user for whom tokens are asked.
    Subject,
}

impl Assertions {
    /// Assertions signed with the entry `privateKey` of the Secret; `keyId` names the key.
    ///
    /// # Errors
    ///
    /// An entry is missing, or the key cannot be used.
    pub fn new(
        entries: &Entries<'_>,
        definition: &AssertionDefinition,
        about: About,
        token_url: &Url,
    ) -> Result<Self, ConfigurationError> {
        let client = entries.required("clientId")?;
        let subject = match about {
            About::Client => client.clone(),
            About::Subject => entries.required("subject")?,
        };
        let audience = definition.audience.as_deref().unwrap_or(token_url.as_str());
        let pem = entries.required("privateKey")?;
        let key = SigningKey::read(&pem, definition.algorithm);
        Ok(Self {
            key: key.map_err(|error| entries.wrong("privateKey", &error))?,
            key_id: entries.optional("keyId")?,
            audience: audience.replace(CLIENT_ID, client.expose_secret()),
            issuer: client,
            subject,
            lifetime: Duration::from_secs(definition.lifetime_seconds.into()),
        })
    }

    /// An assertion made at `now`, good for one request.
    ///
    /// # Errors
    ///
    /// The machine has no randomness left.
    pub(super) fn make(&self, now: DateTime<Utc>) -> Result<SecretString, Unsigned> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&self.header()), part(&self.claims(now)));
        let signature = self.key.sign(message.as_bytes()).map_err(|_| Unsigned)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }

    fn header(&self) -> Value {
        let mut header = Map::new();
        header.insert("alg".to_owned(), self.algorithm().to_string().into());
        header.insert("typ".to_owned(), "JWT".into());
        if let Some(key_id) = &self.key_id {
            header.insert("kid".to_owned(), key_id.expose_secret().into());
        }
        header.into()
    }

    fn claims(&self, now: DateTime<Utc>) -> Value {
        let issued = (now - BACKDATED).timestamp();
        let lifetime = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX);
        json!({
            "iss": self.issuer.expose_secret(),
            "sub": self.subject.expose_secret(),
            "aud": self.audience,
            "iat": issued,
            "exp": issued.saturating_add(lifetime),
            // A provider that remembers assertions takes none twice.
            "jti": format!("{:032x}", rand::random::<u128>()),
        })
    }

    const fn algorithm(&self) -> SigningAlgorithm {
        self.key.algorithm()
    }
}

impl fmt::Debug for Assertions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertions")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// No assertion could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the assertion could not be signed: the machine has no randomness")]
pub(super) struct Unsigned;

#[cfg(test)]
pub(super) mod tests;
