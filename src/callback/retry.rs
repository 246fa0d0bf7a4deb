//! Trying again: how often, how far apart, for how long.

use std::{future::Future, time::Duration};

use rand::{Rng, RngExt as _};
use tokio::time::{Instant, sleep};

/// How a delivery is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The longest pause before the first repetition; each further one may be twice as long.
    pub first: Duration,
    /// The longest pause of all, but for a `Retry-After`.
    pub max: Duration,
    /// No repetition begins later than this after the first failure. An attempt may have waited for its turn
    /// before that, as long as the callback's rate asks.
    pub give_up_after: Duration,
}

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attempt<T, E> {
    Settled(T),
    /// Worth another attempt, not before `retry_after`.
    Failed {
        error: E,
        retry_after: Option<Duration>,
    },
}

impl RetryPolicy {
    /// Makes attempts until one settles, or returns the error of the last one that fits into
    /// `give_up_after`. Of each failure behind which another is made `told` hears, with the pause before that.
    ///
    /// Pauses are drawn from the whole range up to the exponential bound (full jitter), so that
    /// the many pollers of a callback that comes back do not return all at once.
    pub(super) async fn run<T, E, F: Future<Output = Attempt<T, E>>>(
        &self,
        rng: &mut impl Rng,
        mut attempt: impl FnMut() -> F,
        told: impl Fn(&E, Duration),
    ) -> Result<T, E> {
        let mut deadline = None;
        let mut bound = self.first.min(self.max);
        loop {
            let (error, retry_after) = match attempt().await {
                Attempt::Settled(outcome) => return Ok(outcome),
                Attempt::Failed { error, retry_after } => (error, retry_after),
            };
            let pause =
                retry_after.unwrap_or_default() + bound.mul_f64(rng.random_range(0.0..=1.0));
            let now = Instant::now();
            // Without an end where the clock has none.
            let deadline = *deadline.get_or_insert_with(|| now.checked_add(self.give_up_after));
            if deadline.is_some_and(|deadline| now + pause > deadline) {
                return Err(error);
            }
            told(&error, pause);
            sleep(pause).await;
            bound = bound.saturating_mul(2).min(self.max);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        first: Duration::from_secs(1),
        max: Duration::from_secs(30),
        give_up_after: Duration::from_secs(300),
    };

    /// When each attempt began, in seconds since the first, for a callback that never recovers.
    async fn attempts(policy: RetryPolicy, seed: u64, retry_after: Option<u64>) -> Vec<f64> {
        let start = Instant::now();
        let mut began = Vec::new();
        let mut rng = StdRng::seed_from_u64(seed);
        let attempt = || {
            began.push(start.elapsed().as_secs_f64());
            let retry_after = retry_after.map(Duration::from_secs);
            ready(Attempt::<(), _>::Failed {
                error: "down",
                retry_after,
            })
        };
        assert_eq!(policy.run(&mut rng, attempt, |_, _| {}).await, Err("down"));
        began
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_stay_below_a_bound_that_doubles_up_to_the_longest() {
        for seed in 0..50 {
            let began = attempts(POLICY, seed, None).await;
            let mut bound = 1.0_f64;
            for pair in began.windows(2) {
                let pause = pair[1] - pair[0];
                assert!(
                    pause <= bound + 0.002,
                    "seed {seed}: {pause} s over {bound} s"
                );
                bound = (bound * 2.0).min(30.0);
            }
            let last = began.last().unwrap();
            assert!(
                (270.0..=300.1).contains(last),
                "seed {seed}: gave up after {last} s"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_differ_between_two_pollers() {
        assert_ne!(
            attempts(POLICY, 1, None).await,
            attempts(POLICY, 2, None).await
        );
        assert_eq!(
            attempts(POLICY, 1, None).await,
            attempts(POLICY, 1, None).await
        );
    }

    #[tokio::test(start_paused = true)]
    async fn no_attempt_comes_before_the_time_that_was_asked_for() {
        let began = attempts(POLICY, 1, Some(60)).await;
        assert!(began.windows(2).all(|pair| pair[1] - pair[0] >= 60.0));
        assert!((4..=5).contains(&began.len()), "{began:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_end_is_not_begun() {
        let start = Instant::now();
        assert_eq!(attempts(POLICY, 1, Some(3_600)).await.len(), 1);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_attempt_is_made_even_without_time_to_repeat_it() {
        let policy = RetryPolicy {
            give_up_after: Duration::ZERO,
            ..POLICY
        };
        assert_eq!(attempts(policy, 1, None).await.len(), 1);
    }

    /// As one does whose rate the callback limits.
    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_waits_for_its_turn_is_repeated_as_well() {
        let mut made = 0;
        let attempt = || {
            made += 1;
            async {
                sleep(POLICY.give_up_after * 2).await;
                Attempt::<(), _>::Failed {
                    error: "down",
                    retry_after: None,
                }
            }
        };
        let mut rng = StdRng::seed_from_u64(1);
        assert_eq!(POLICY.run(&mut rng, attempt, |_, _| {}).await, Err("down"));
        assert_eq!(made, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_settled_attempt_ends_it() {
        let mut left = 3;
        let attempt = || {
            left -= 1;
            ready(if left == 0 {
                Attempt::Settled("done")
            } else {
                Attempt::Failed {
                    error: "down",
                    retry_after: None,
                }
            })
        };
        assert_eq!(
            POLICY
                .run(&mut StdRng::seed_from_u64(1), attempt, |_, _| {})
                .await,
            Ok("done")
        );
        assert_eq!(left, 0);
    }
}
