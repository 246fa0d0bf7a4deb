//! What is recorded of a password that was sent and not accepted.

use std::{num::NonZeroU32, time::Duration};

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    pbkdf2::{PBKDF2_HMAC_SHA256, derive},
};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::provider::page::hex;

/// A common rule is five failures within a quarter of an hour: the first pause is as long as that.
const FIRST_PAUSE: Duration = Duration::from_secs(15 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(4 * 60 * 60);
/// Where an answer was lost, which says nothing of the password: four times in a quarter of an hour is less
/// than any rule allows.
const PAUSE_WITHOUT_ANSWER: Duration = Duration::from_secs(5 * 60);
/// The part of a pause that a person's request must wait for too.
const UNSHORTENED: u32 = 4;

/// One password takes some hundredths of a second, so that guessing a weak one by the record takes long.
const ROUNDS: NonZeroU32 = match NonZeroU32::new(if cfg!(test) { 1 } else { 200_000 }) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};

/// A user and password that were sent and not accepted, and how long they are left alone.
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TriedPassword {
    /// Which they are.
    #[serde(flatten)]
    print: Print,
    /// When they were last sent.
    at: DateTime<Utc>,
    pause_seconds: u64,
    /// What was answered, in one bounded line without a secret; `None` where no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

/// By what a password is known again.
///
/// Whoever reads it must not learn the password, even a weak one: the digest is salted, and slow to make. The
/// Secret's resourceVersion would reveal nothing at all, but a label or an annotation changes it too, and
/// without a cluster there is none.
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Print {
    salt: String,
    digest: String,
}

impl Print {
    /// That of everything on which a refusal may rest.
    pub(super) async fn of(sent: Vec<SecretString>) -> Self {
        let salt: [u8; 16] = rand::random();
        let salt = hex(&salt);
        Self {
            digest: digest(sent, salt.clone()).await,
            salt,
        }
    }

    /// Whether it is that of what was `sent`.
    async fn is_of(&self, sent: Vec<SecretString>) -> bool {
        let digest = digest(sent, self.salt.clone()).await;
        verify_slices_are_equal(digest.as_bytes(), self.digest.as_bytes()).is_ok()
    }
}

/// On a thread for work that takes long.
async fn digest(sent: Vec<SecretString>, salt: String) -> String {
    let made = tokio::task::spawn_blocking(move || {
        let mut joined = Vec::new();
        for secret in &sent {
            let text = secret.expose_secret().as_bytes();
            // Lengths keep two neighbours from being taken for others that join to the same bytes.
            joined.extend((text.len() as u64).to_be_bytes());
            joined.extend(text);
        }
        let mut digest = [0; 32];
        derive(
            PBKDF2_HMAC_SHA256,
            ROUNDS,
            salt.as_bytes(),
            &joined,
            &mut digest,
        );
        hex(&digest)
    });
    // Nothing is like an empty one.
    made.await.unwrap_or_default()
}

impl TriedPassword {
    /// It is about to be sent, perhaps not for the first time: what becomes of it, nobody may live to tell.
    pub(super) fn once_more(before: Option<&Self>, print: Print, now: DateTime<Utc>) -> Self {
        let pause = before.map_or(FIRST_PAUSE, |before| {
            (before.pause() * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE)
        });
        Self {
            print,
            at: now,
            pause_seconds: pause.as_secs(),
            answer: None,
        }
    }

    /// The same, refused.
    pub(super) fn refused(self, answer: String) -> Self {
        let answer = Some(answer);
        Self { answer, ..self }
    }

    /// The same, whose answer was lost: it is left alone as long as `before`.
    pub(super) fn unanswered(self, before: Option<&Self>) -> Self {
        let pause = before.map_or(PAUSE_WITHOUT_ANSWER, Self::pause);
        Self {
            pause_seconds: pause.as_secs(),
            ..self
        }
    }

    pub(super) async fn is_of(&self, sent: Vec<SecretString>) -> bool {
        self.print.is_of(sent).await
    }

    pub(super) const fn print(&self) -> &Print {
        &self.print
    }

    /// When it was last sent.
    pub(in crate::provider::auth) const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    pub(in crate::provider::auth) fn answer(&self) -> Option<&str> {
        self.answer.as_deref()
    }

    /// How long it is left alone from `now` on; less long where a person `asks` for it.
    pub(super) fn left(&self, now: DateTime<Utc>, asks: bool) -> Duration {
        let pause = self.pause_where(asks);
        let left = (behind(self.at, pause) - now).to_std().unwrap_or_default();
        // A clock that was set back prolongs nothing.
        left.min(pause)
    }

    /// From when on it may be sent; sooner where a person `asks` for it.
    pub(in crate::provider::auth) fn until(&self, asks: bool) -> DateTime<Utc> {
        behind(self.at, self.pause_where(asks))
    }

    fn pause_where(&self, asks: bool) -> Duration {
        let pause = self.pause();
        if asks { pause / UNSHORTENED } else { pause }
    }

    fn pause(&self) -> Duration {
        Duration::from_secs(self.pause_seconds).min(LONGEST_PAUSE)
    }
}

fn behind(instant: DateTime<Utc>, pause: Duration) -> DateTime<Utc> {
    let pause = TimeDelta::from_std(pause).unwrap_or_default();
    instant.checked_add_signed(pause).unwrap_or(instant)
}
