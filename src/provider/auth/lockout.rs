//! Passwords that were refused. A provider locks its user out who fails too often, and often counts on
//! while he goes on failing.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::provider::FetchError;

/// A common rule is five failures within a quarter of an hour: the first pause is as long as that.
const FIRST_PAUSE: Duration = Duration::from_secs(15 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(4 * 60 * 60);

/// A user and password that the provider has refused, and until when they are left alone.
#[derive(Debug)]
pub(super) struct RefusedPassword {
    /// With whatever else went with them, and where to: once one of these is another, all are tried.
    sent: Vec<SecretString>,
    error: FetchError,
    pause: Duration,
    until: Instant,
}

impl RefusedPassword {
    /// What was `sent` is refused with `error`, perhaps once more.
    pub(super) fn new(before: Option<Self>, sent: Vec<SecretString>, error: FetchError) -> Self {
        let pause = before
            .filter(|before| before.is_of(&sent))
            .map_or(FIRST_PAUSE, |before| (before.pause * 2).min(LONGEST_PAUSE));
        Self {
            sent,
            error,
            pause,
            until: Instant::now() + pause,
        }
    }

    /// The refusal, while it stands for what is to be `sent` now.
    pub(super) fn stands_for(&self, sent: &[SecretString]) -> Option<FetchError> {
        let left = self.until.saturating_duration_since(Instant::now());
        (self.is_of(sent) && !left.is_zero()).then(|| FetchError {
            retry_after: Some(left),
            ..self.error.clone()
        })
    }

    /// Lets them be tried now; refused again, they are left alone for longer still.
    pub(super) fn lapse(&mut self) {
        self.until = Instant::now();
    }

    fn is_of(&self, sent: &[SecretString]) -> bool {
        let these = self.sent.iter().map(ExposeSecret::expose_secret);
        these.eq(sent.iter().map(ExposeSecret::expose_secret))
    }
}
