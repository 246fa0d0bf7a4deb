//! Whether a poller's sweeps come to no end any more.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::MISSED;
use crate::{api::time, operator::status::conditions::unswept, poll::End};

/// Polls in a row that left pages unread, in this process. Since when they do, and that it has lasted,
/// stands in the poller's conditions, which outlast it.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::operator) struct Unfinished(u32);

impl Unfinished {
    /// A poll has ended. One that failed says nothing of the sweep.
    pub(in crate::operator) const fn note(&mut self, end: &End) {
        match end {
            End::Complete => self.0 = 0,
            End::Unfinished(_) => self.0 = self.0.saturating_add(1),
            _ => {}
        }
    }

    /// Whether it has lasted by what is stored of the poller: three intervals, and three polls, since
    /// those that are tried again or asked for come sooner, and one may take longer than an interval.
    pub(in crate::operator) fn lasts(
        self,
        stored: &[Condition],
        generation: i64,
        interval: Duration,
        now: DateTime<Utc>,
    ) -> bool {
        unswept(stored, generation).is_some_and(|unswept| {
            let since = time::from_kube(&unswept.last_transition_time);
            let is_long =
                TimeDelta::from_std(interval * MISSED).is_ok_and(|span| now - since >= span);
            unswept.status == "False" || self.0 >= MISSED && is_long
        })
    }
}

#[cfg(test)]
mod tests;
