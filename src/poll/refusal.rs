//! A list of deletions that the account may not read, and when it is asked for again.

use chrono::{DateTime, TimeDelta, Utc};

/// How long it is not asked for: a right is granted by a person, and once an hour costs no budget.
const PAUSE: TimeDelta = TimeDelta::hours(1);

/// The provider's last refusal. It is not stored: another process asks once more.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    at: DateTime<Utc>,
    why: String,
}

impl Refusal {
    pub(super) const fn new(at: DateTime<Utc>, why: String) -> Self {
        Self { at, why }
    }

    /// Whether it is too early to ask again; a clock that was set back keeps nothing waiting.
    pub(super) fn stands(&self, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..PAUSE).contains(&(now - self.at))
    }

    /// What a person should know of it; the same from one refusal to the next.
    pub(super) fn told(&self) -> String {
        format!("{}; it is asked for again every hour", self.why)
    }
}
