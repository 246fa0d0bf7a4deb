//! Signatures by which a receiver knows that a notification is Pollen's.

use std::ops::RangeInclusive;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;
use sha2::Sha256;

use crate::{
    api::{SignatureScheme, Signing},
    category::ConfigurationError,
    event::Payload,
    secrets::Secrets,
};

const ELEMENTS_SIGNATURE: HeaderName = HeaderName::from_static("elements-webhook-signature");
const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// The bytes of a key (Standard Webhooks 1.0, "Signature scheme").
const KEY_SIZES: RangeInclusive<usize> = 24..=64;

/// A key of Open Connectors that is shorter can be guessed; its users bring keys of any length.
const SHORTEST: usize = 16;

/// Where the spec names the Secret of the keys.
pub const SIGNING_SECRET: &str = "spec.events.callback.signing.secretRef";

/// What signs the notifications of one callback, as `spec.events.callback.signing` says.
#[derive(Clone, Default)]
pub struct Signer {
    open_connectors: Option<Key>,
    /// The current key first; all of them sign, so that a receiver may know either.
    standard_webhooks: Vec<Key>,
    /// What is to be known of the key of Open Connectors, though it is used as it is.
    doubts: Vec<String>,
}

/// A body with the signatures that the configuration demands: all that can be posted.
///
/// Only a [`Signer`] makes one; where signing is off its headers are empty.
#[derive(Clone, Debug)]
pub struct SignedBody {
    body: Bytes,
    headers: HeaderMap,
}

impl SignedBody {
    /// The bytes that are signed and posted, and the headers with their signatures.
    #[must_use]
    pub fn into_parts(self) -> (Bytes, HeaderMap) {
        (self.body, self.headers)
    }
}

impl Signer {
    /// The signer for a callback; without `signing` it leaves bodies unsigned.
    ///
    /// # Errors
    ///
    /// A key is missing, or is none that its scheme can use.
    pub fn new(signing: Option<&Signing>, secrets: &Secrets) -> Result<Self, ConfigurationError> {
        let Some(signing) = signing else {
            return Ok(Self::default());
        };
        let standard_webhooks = signing.schemes.contains(&SignatureScheme::StandardWebhooks);
        let open_connectors = signing.schemes.is_empty()
            || signing.schemes.contains(&SignatureScheme::OpenConnectors);
        let name = &signing.secret_ref.name;
        let current = secrets.entry(SIGNING_SECRET, name, "key")?.expose_secret();
        let mut signer = Self::default();
        if open_connectors {
            signer.open_connectors = Some(Key::new(current.as_bytes())?);
            signer.doubts = doubts(name, current);
        }
        if standard_webhooks {
            signer
                .standard_webhooks
                .push(Key::decoded(name, "key", current)?);
            if let Some(previous) = secrets.optional(SIGNING_SECRET, name, "previousKey")? {
                let previous = Key::decoded(name, "previousKey", previous.expose_secret())?;
                signer.standard_webhooks.push(previous);
            }
        }
        Ok(signer)
    }

    /// What a person should know of the keys, for a condition: never a key.
    pub(super) fn doubts(&self) -> &[String] {
        &self.doubts
    }

    /// Signs a payload for an attempt made `now`.
    ///
    /// `Elements-Webhook-Signature` is of the body alone; that of Standard Webhooks covers the
    /// attempt's time, so each attempt is signed anew.
    #[must_use]
    pub fn sign(&self, payload: &Payload, now: DateTime<Utc>) -> SignedBody {
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.open_connectors {
            let signature = format!("sha256={}", key.signature(&[&payload.body]));
            insert(&mut headers, ELEMENTS_SIGNATURE, &signature);
        }
        if !self.standard_webhooks.is_empty() {
            let id = payload.message_id.as_str();
            let timestamp = now.timestamp().to_string();
            insert(
                &mut headers,
                WEBHOOK_SIGNATURE,
                &self.v1(id, &timestamp, &payload.body),
            );
            insert(&mut headers, WEBHOOK_ID, id);
            insert(&mut headers, WEBHOOK_TIMESTAMP, &timestamp);
        }
        SignedBody {
            body: payload.body.clone(),
            headers,
        }
    }

    fn v1(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
        let signatures = self.standard_webhooks.iter();
        let signatures = signatures.map(|key| format!("v1,{}", key.signature(&signed)));
        signatures.collect::<Vec<_>>().join(" ")
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("open_connectors", &self.open_connectors.is_some())
            .field("standard_webhooks", &self.standard_webhooks.len())
            .finish()
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// What is odd about a key of which every byte counts.
fn doubts(name: &str, key: &str) -> Vec<String> {
    let has_blanks = (key.trim() != key).then(|| {
        format!(
            "the entry \"key\" of Secret {name:?} begins or ends with blanks or a line break, which OpenConnectors signs \
             with as they are: write the key without them (printf %s KEY, not echo), unless the receiver's has them too"
        )
    });
    let is_short = (key.len() < SHORTEST).then(|| {
        format!(
            "the entry \"key\" of Secret {name:?} is shorter than {SHORTEST} bytes, and so can be guessed: make one with \
             openssl rand -hex 32, write it there, and give it to the receiver too"
        )
    });
    has_blanks.into_iter().chain(is_short).collect()
}

/// An HMAC-SHA256 that has taken in its key.
#[derive(Clone)]
struct Key(Hmac<Sha256>);

impl Key {
    fn new(key: &[u8]) -> Result<Self, ConfigurationError> {
        let hmac = Hmac::new_from_slice(key)
            .map_err(|error| ConfigurationError::new(SIGNING_SECRET, error.to_string()))?;
        Ok(Self(hmac))
    }

    /// The key that Standard Webhooks writes as `whsec_` and base64, 24 to 64 bytes of it.
    fn decoded(name: &str, entry: &str, text: &str) -> Result<Self, ConfigurationError> {
        let refused = |problem: &str| {
            ConfigurationError::new(
                SIGNING_SECRET,
                format!(
                    "the entry {entry:?} of Secret {name:?} {problem}: make a key with \
                     echo whsec_$(openssl rand -base64 32), write it there, and give it to the receiver too"
                ),
            )
        };
        let encoded = text.trim().strip_prefix("whsec_");
        let encoded = encoded
            .ok_or_else(|| refused("is no key of StandardWebhooks, which begins with whsec_"))?;
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| refused("has something other than base64 behind whsec_"))?;
        if KEY_SIZES.contains(&bytes.len()) {
            return Self::new(&bytes);
        }
        Err(refused(&format!(
            "is a key of {} bytes, and StandardWebhooks asks for {} to {}",
            bytes.len(),
            KEY_SIZES.start(),
            KEY_SIZES.end()
        )))
    }

    fn signature(&self, parts: &[&[u8]]) -> String {
        let mut hmac = self.0.clone();
        for part in parts {
            hmac.update(part);
        }
        STANDARD.encode(hmac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests;
