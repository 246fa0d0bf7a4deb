//! Leave to send one request.

use reqwest::header::HeaderValue;

use super::lockout::{Trial, Verdict};

/// Leave to send one request with this `Authorization`.
pub struct Attempt {
    pub(in crate::provider) authorization: HeaderValue,
    /// Where a refusal may lock somebody out.
    trial: Option<Trial>,
}

impl Attempt {
    pub(super) const fn new(authorization: HeaderValue) -> Self {
        Self {
            authorization,
            trial: None,
        }
    }

    pub(super) const fn with(authorization: HeaderValue, trial: Trial) -> Self {
        let trial = Some(trial);
        Self {
            authorization,
            trial,
        }
    }

    /// Whether what becomes of it must be heard to the end, whoever waits for the answer.
    pub(in crate::provider) fn is_on_trial(&self) -> bool {
        self.trial.as_ref().is_some_and(Trial::is_under_way)
    }

    /// Says what was answered.
    pub(in crate::provider) async fn end(self, verdict: Verdict) {
        if let Some(trial) = self.trial {
            trial.end(verdict).await;
        }
    }
}
