//! Whether what arrives was signed by one of the keys in hand.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;

/// How far an attempt's time may be from the receiver's, as the libraries of Standard Webhooks have it.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// What the check of one scheme came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    Valid,
    /// There is a key and no header of the scheme.
    Missing,
    Wrong,
    /// There is no key of the scheme.
    NotChecked,
}

/// The keys of a receiver.
#[derive(Default)]
pub(super) struct Keys {
    /// Open Connectors signs with the key's text as it is.
    texts: Vec<String>,
    /// Standard Webhooks signs with what `whsec_` encodes; `None` is no base64 and verifies nothing.
    decoded: Vec<Option<Vec<u8>>>,
}

impl Keys {
    pub(super) fn new(keys: &[&str]) -> Self {
        let secrets = keys.iter().filter_map(|key| key.strip_prefix("whsec_"));
        Self {
            texts: keys.iter().map(ToString::to_string).collect(),
            decoded: secrets.map(|secret| STANDARD.decode(secret).ok()).collect(),
        }
    }

    /// Checks `Elements-Webhook-Signature: sha256=BASE64(HMAC-SHA256(key, body))`.
    pub(super) fn open_connectors(&self, headers: &HeaderMap, body: &[u8]) -> Signature {
        if self.texts.is_empty() {
            return Signature::NotChecked;
        }
        match only(headers, "elements-webhook-signature") {
            Header::Absent => Signature::Missing,
            Header::Ambiguous => Signature::Wrong,
            Header::Text(text) => verdict(
                text.strip_prefix("sha256=")
                    .and_then(|mac| STANDARD.decode(mac).ok())
                    .is_some_and(|mac| {
                        self.texts
                            .iter()
                            .any(|key| signs(key.as_bytes(), &[body], &mac))
                    }),
            ),
        }
    }

    /// Checks the three headers of Standard Webhooks 1.0; one good `v1` signature among several is enough.
    pub(super) fn standard_webhooks(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Signature {
        if self.decoded.is_empty() {
            return Signature::NotChecked;
        }
        let [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"]
            .map(|name| only(headers, name));
        match (id, timestamp, signatures) {
            (Header::Absent, Header::Absent, Header::Absent) => Signature::Missing,
            (Header::Text(id), Header::Text(timestamp), Header::Text(signatures)) => {
                let signed = [id, ".", timestamp, "."].map(str::as_bytes);
                let signed = [signed.as_slice(), &[body]].concat();
                verdict(is_recent(timestamp, now) && self.any_signs(&signed, signatures))
            }
            _ => Signature::Wrong,
        }
    }

    fn any_signs(&self, signed: &[&[u8]], signatures: &str) -> bool {
        signatures
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .filter_map(|mac| STANDARD.decode(mac).ok())
            .any(|mac| {
                let mut keys = self.decoded.iter().flatten();
                keys.any(|key| signs(key, signed, &mac))
            })
    }
}

const fn verdict(valid: bool) -> Signature {
    if valid {
        Signature::Valid
    } else {
        Signature::Wrong
    }
}

enum Header<'a> {
    Absent,
    Text(&'a str),
    /// Several values, or one that is no text: which of them is signed nobody can say.
    Ambiguous,
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Header<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Header::Absent,
        (Some(value), None) => value.to_str().map_or(Header::Ambiguous, Header::Text),
        _ => Header::Ambiguous,
    }
}

fn is_recent(timestamp: &str, now: DateTime<Utc>) -> bool {
    timestamp
        .parse()
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .is_some_and(|at| (now - at).abs() <= TOLERANCE)
}

fn signs(key: &[u8], parts: &[&[u8]], mac: &[u8]) -> bool {
    Hmac::<Sha256>::new_from_slice(key).is_ok_and(|mut hmac| {
        parts.iter().for_each(|part| hmac.update(part));
        hmac.verify_slice(mac).is_ok()
    })
}

#[cfg(test)]
mod tests;
