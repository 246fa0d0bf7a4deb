//! When a poller polls: on a grid of its own, so that a fleet spreads by itself.

use std::{hash::Hasher as _, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use siphasher::sip::SipHasher13;

/// Least wait after a poll that failed.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// The grid of one poller: an interval and a phase that its uid decides, so that a restart changes
/// nothing and no next-poll time needs storing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    interval: Duration,
    phase: Duration,
}

impl Grid {
    /// The grid of the poller with this uid.
    pub(super) fn new(uid: &str, interval: Duration) -> Self {
        let interval = interval.max(Duration::from_millis(1));
        let mut hasher = SipHasher13::new();
        hasher.write(uid.as_bytes());
        let millis = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        Self {
            interval,
            phase: Duration::from_millis(hasher.finish() % millis),
        }
    }

    pub(super) const fn interval(&self) -> Duration {
        self.interval
    }

    /// How long it is from `now` to the next grid point.
    pub(super) fn until_next(&self, now: DateTime<Utc>) -> Duration {
        let millis = i64::try_from(self.interval.as_millis()).unwrap_or(i64::MAX);
        let phase = TimeDelta::from_std(self.phase)
            .unwrap_or_default()
            .num_milliseconds();
        let past = (now.timestamp_millis() - phase).rem_euclid(millis);
        Duration::from_millis(u64::try_from(millis - past).unwrap_or(1))
    }

    /// How long to wait after the `failures`th failed poll in a row: doubling from five seconds,
    /// jittered, and never beyond the interval.
    pub(super) fn retry_after(&self, failures: u32, jitter: f64) -> Duration {
        backoff(FIRST_RETRY, self.interval, failures, jitter)
    }
}

/// Exponential backoff with full jitter over its upper half: `jitter` is a number from 0 to 1.
pub(super) fn backoff(first: Duration, most: Duration, failures: u32, jitter: f64) -> Duration {
    let doubled = first.saturating_mul(1_u32 << failures.saturating_sub(1).min(20));
    let capped = doubled.min(most.max(first));
    capped.mul_f64(f64::midpoint(1.0, jitter.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(millis).unwrap()
    }

    #[test]
    fn grid_points_are_one_interval_apart_wherever_the_process_starts() {
        let grid = Grid::new("a-uid", Duration::from_secs(60));
        let first = at(1_000_000) + grid.until_next(at(1_000_000));
        for offset in [1, 500, 30_000, 59_999] {
            let start = first + TimeDelta::milliseconds(offset);
            assert_eq!(
                start + grid.until_next(start),
                first + TimeDelta::seconds(60)
            );
        }
    }

    #[test]
    fn a_poll_on_a_grid_point_waits_a_whole_interval() {
        let grid = Grid::new("a-uid", Duration::from_secs(60));
        let point = at(0) + grid.until_next(at(0));
        assert_eq!(grid.until_next(point), Duration::from_secs(60));
    }

    #[test]
    fn pollers_are_spread_over_the_interval() {
        let mut quarters = [0; 4];
        for uid in 0..400 {
            let grid = Grid::new(&format!("uid-{uid}"), Duration::from_secs(60));
            quarters[usize::try_from(grid.phase.as_secs() / 15).unwrap()] += 1;
        }
        assert!(
            quarters.iter().all(|count| (60..=140).contains(count)),
            "{quarters:?}"
        );
    }

    #[test]
    fn retries_double_and_never_wait_longer_than_the_interval() {
        let grid = Grid::new("a-uid", Duration::from_secs(60));
        let waits: Vec<_> = (1..=6)
            .map(|failures| grid.retry_after(failures, 1.0).as_secs())
            .collect();
        assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
        assert_eq!(grid.retry_after(1, 0.0), Duration::from_millis(2500));
        assert_eq!(grid.retry_after(u32::MAX, 1.0), Duration::from_secs(60));
    }
}
