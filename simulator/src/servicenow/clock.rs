//! The instance's own time of day.

use chrono::{DateTime, TimeDelta, Utc};

use super::Instance;
use crate::clock;

/// A time of day that runs with the world's or stands still.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    world: clock::Clock,
    frozen: Option<DateTime<Utc>>,
    ahead: TimeDelta,
}

impl Clock {
    pub(super) const fn new(world: clock::Clock) -> Self {
        Self {
            world,
            frozen: None,
            ahead: TimeDelta::zero(),
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.frozen.unwrap_or_else(|| self.world.now() + self.ahead)
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

    /// Lets the clock run again, as far ahead of the world's as it was before it stood still.
    pub fn unfreeze(&self) {
        self.state().clock.frozen = None;
    }

    /// Sets the clock forward, or back by a negative delta; a frozen clock stays frozen.
    pub fn shift(&self, by: TimeDelta) {
        self.state().clock.shift(by);
    }
}
