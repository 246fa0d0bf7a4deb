//! How a token, the mark of a running refresh, and a password that is left alone are written into a Secret.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::provider::auth::{EarlierRecord, EarlierToken, StoredToken, TriedPassword};

const REFRESH_TOKEN: &str = "refreshToken";
const GROWN_FROM: &str = "grownFrom";
const ISSUED_AT: &str = "issuedAt";
const EXPIRES_AT: &str = "expiresAt";
const EARLIER: &str = "earlier";
const REFRESHING: &str = "refreshing";
const TRIED_PASSWORD: &str = "triedPassword";

/// Another replica's mark that stays for so long was left by one that died.
const STALE: Duration = Duration::from_secs(60);

/// Who is refreshing, and since when.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Mark {
    pub(super) by: String,
    pub(super) at: DateTime<Utc>,
}

/// Another replica's mark, and since when its end has been waited for.
///
/// Its own time says nothing: clocks differ, and a replica that lives cannot store what it has while no API
/// server answers, however long that is.
#[derive(Debug)]
pub(super) struct Awaited {
    mark: Mark,
    since: Instant,
}

impl Awaited {
    /// What is known of this mark from now on, if it was `known` or is new.
    pub(super) fn of(mark: Mark, known: Option<Self>) -> Self {
        let known = known.filter(|known| known.mark == mark);
        known.unwrap_or_else(|| Self {
            mark,
            since: Instant::now(),
        })
    }

    /// Whether it keeps this replica from refreshing.
    pub(super) fn binds(&self) -> bool {
        self.since.elapsed() < STALE
    }
}

/// The mark in the Secret, if a refresh runs.
pub(super) fn mark_of(secret: &Secret) -> Option<Mark> {
    serde_json::from_str(&entry(secret, REFRESHING)?).ok()
}

pub(super) fn set_mark(secret: &mut Secret, mark: Option<&Mark>) {
    let text = mark.and_then(|mark| serde_json::to_string(mark).ok());
    set(secret, REFRESHING, text);
}

/// The token in the Secret; `None` where it holds only a mark.
pub(super) fn read(secret: &Secret) -> Option<StoredToken> {
    let instant = |key| entry(secret, key)?.parse().ok();
    Some(StoredToken {
        refresh_token: entry(secret, REFRESH_TOKEN).map(SecretString::from),
        grown_from: entry(secret, GROWN_FROM)?,
        issued_at: instant(ISSUED_AT)?,
        expires_at: instant(EXPIRES_AT),
        earlier: earlier(secret),
    })
}

/// Puts the token into the Secret and ends the refresh.
pub(super) fn write(secret: &mut Secret, token: &StoredToken) {
    let text = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Millis, true);
    let refresh_token = token
        .refresh_token
        .as_ref()
        .map(|token| token.expose_secret().to_owned());
    set(secret, REFRESH_TOKEN, refresh_token);
    set(secret, GROWN_FROM, Some(token.grown_from.clone()));
    set(secret, ISSUED_AT, Some(text(token.issued_at)));
    set(secret, EXPIRES_AT, token.expires_at.map(text));
    set(secret, EARLIER, token.earlier.as_ref().and_then(text_of));
    set_mark(secret, None);
}

/// The password that is left alone, if one is. What cannot be read was written by a newer Pollen.
pub(super) fn tried_of(secret: &Secret) -> Result<Option<TriedPassword>, serde_json::Error> {
    let text = entry(secret, TRIED_PASSWORD);
    text.map(|text| serde_json::from_str(&text)).transpose()
}

pub(super) fn set_tried(secret: &mut Secret, tried: Option<&TriedPassword>) {
    let text = tried.and_then(|tried| serde_json::to_string(tried).ok());
    set(secret, TRIED_PASSWORD, text);
}

fn earlier(secret: &Secret) -> Option<EarlierToken> {
    let earlier: EarlierRecord = serde_json::from_str(&entry(secret, EARLIER)?).ok()?;
    Some(earlier.into())
}

fn text_of(earlier: &EarlierToken) -> Option<String> {
    serde_json::to_string(&EarlierRecord::from(earlier)).ok()
}

fn entry(secret: &Secret, key: &str) -> Option<String> {
    String::from_utf8(secret.data.as_ref()?.get(key)?.0.clone()).ok()
}

fn set(secret: &mut Secret, key: &str, value: Option<String>) {
    let data = secret.data.get_or_insert_default();
    match value {
        Some(value) => data.insert(key.to_owned(), ByteString(value.into_bytes())),
        None => data.remove(key),
    };
}
