//! The time of day, passed in so that a test can set it and a paused runtime can carry it on.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// Where the engine, the callers of providers and the retries read the time of day.
///
/// Waiting is tokio's business; a clock that was [started](Clock::starting_at) moves with tokio's
/// timer, so that under a paused runtime both agree.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Source);

#[derive(Clone, Copy, Debug)]
enum Source {
    System,
    Started { at: DateTime<Utc>, since: Instant },
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that shows `at` now and runs with tokio's timer from here.
    ///
    /// It must be called inside a runtime.
    #[must_use]
    pub fn starting_at(at: DateTime<Utc>) -> Self {
        Self(Source::Started {
            at,
            since: Instant::now(),
        })
    }

    /// The present instant.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's clock is read"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        match self.0 {
            Source::System => Utc::now(),
            Source::Started { at, since } => {
                at + TimeDelta::from_std(since.elapsed()).unwrap_or(TimeDelta::MAX)
            }
        }
    }
}
