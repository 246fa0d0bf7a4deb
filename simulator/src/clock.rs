//! The time of day outside of what is simulated.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// The machine's time of day, or one that moves with tokio's timer and stands still with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock(Option<Started>);

#[derive(Clone, Copy, Debug)]
struct Started {
    at: DateTime<Utc>,
    since: Instant,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that shows `at` now and runs with tokio's timer from here.
    #[must_use]
    pub fn starting_at(at: DateTime<Utc>) -> Self {
        let since = Instant::now();
        Self(Some(Started { at, since }))
    }

    /// The present instant.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's clock is read"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        match self.0 {
            None => Utc::now(),
            Some(Started { at, since }) => {
                at + TimeDelta::from_std(since.elapsed()).unwrap_or(TimeDelta::MAX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_started_clock_moves_with_the_paused_timer_alone() {
        let noon = "2026-01-02T12:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(noon);
        assert_eq!(clock.now(), noon);
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now(), noon + TimeDelta::seconds(90));
    }
}
