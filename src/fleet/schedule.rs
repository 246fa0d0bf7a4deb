//! When a poller polls: on a grid of its own, so that a fleet spreads by itself.

use std::{hash::Hasher as _, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use siphasher::sip::SipHasher13;

/// Least wait after a poll that failed.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// Over how long the polls are spread that make up for grid points missed while nothing ran.
const LONGEST_SPREAD: Duration = Duration::from_secs(60);

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

    /// How long to wait at `now` before the first poll of a poller that an earlier process polled
    /// last at `swept_at`, as far as that is stored.
    ///
    /// A missed grid point is made up once, on a grid of half the interval, so that a fleet that
    /// starts again polls at no more than twice its usual rate; or within a minute, at the rate of a
    /// fleet that is polled each minute.
    pub(super) fn until_first(
        &self,
        swept_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Duration {
        let next = self.until_next(now);
        let has_missed = |swept: DateTime<Utc>| {
            (now - swept)
                .to_std()
                .is_ok_and(|since| since > self.interval)
        };
        if !swept_at.is_none_or(has_missed) {
            return next;
        }
        let spread = (self.interval / 2).clamp(Duration::from_millis(1), LONGEST_SPREAD);
        let millis = next.as_millis() % spread.as_millis();
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
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

    /// When the first polls of 600 pollers come that are due again, in seconds.
    fn first_polls(interval: u64, swept_at: Option<DateTime<Utc>>) -> Vec<u64> {
        let first = |uid: u32| {
            let grid = Grid::new(&format!("uid-{uid}"), Duration::from_secs(interval));
            grid.until_first(swept_at, at(10_000_000)).as_secs()
        };
        (0..600).map(first).collect()
    }

    #[test]
    fn a_fleet_that_starts_again_makes_up_for_missed_polls_at_twice_its_rate() {
        for missed in [None, Some(at(10_000_000) - TimeDelta::seconds(61))] {
            let firsts = first_polls(60, missed);
            let early = firsts.iter().filter(|first| **first < 15).count();
            assert!((240..=360).contains(&early), "{early}");
            assert!(firsts.iter().all(|first| *first < 30));
        }
        assert!(first_polls(86_400, None).iter().all(|first| *first < 60));
    }

    #[test]
    fn a_poller_that_missed_no_poll_waits_for_its_grid() {
        let swept = at(10_000_000) - TimeDelta::seconds(30);
        let firsts = first_polls(60, Some(swept));
        let late = firsts.iter().filter(|first| **first >= 30).count();
        assert!((240..=360).contains(&late), "{late}");
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
