//! The instance's own time of day.

use chrono::{DateTime, TimeDelta, Utc};

use super::Instance;

/// A time of day that runs with the machine's or stands still.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    frozen: Option<DateTime<Utc>>,
    ahead: TimeDelta,
}

impl Clock {
    pub(super) const fn new() -> Self {
        Self {
            frozen: None,
            ahead: TimeDelta::zero(),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's clock is read"
    )]
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.frozen.unwrap_or_else(|| Utc::now() + self.ahead)
    }

    fn shift(&mut self, by: TimeDelta) {
        match &mut self.frozen {
            Some(at) => *at += by,
            None => self.ahead += by,
        }
    }
}

impl Instance {
    /// The time by which the instance dates records, ends tokens and writes the `Date` header.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.state().clock.now()
    }

    /// Stops the clock at an instant.
    pub fn freeze_at(&self, at: DateTime<Utc>) {
        self.state().clock.frozen = Some(at);
    }

    /// Lets the clock run again, as far ahead of the machine's as it was before it stood still.
    pub fn unfreeze(&self) {
        self.state().clock.frozen = None;
    }

    /// Sets the clock forward, or back by a negative delta; a frozen clock stays frozen.
    pub fn shift(&self, by: TimeDelta) {
        self.state().clock.shift(by);
    }
}
