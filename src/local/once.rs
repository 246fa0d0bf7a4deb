//! One poll of each poller, with retries for a bounded time.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attention;
use crate::poll::{End, Outcome};

/// The first wait before a retry; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait, so that a callback that comes back is noticed soon.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// Polls until all is settled, or a retry cannot help, or would begin later than `patience` after
/// the first failure; returns whether all is settled.
///
/// A poll that got ahead counts as no failure: a backlog may take as long as it takes.
pub(super) async fn settle(
    mut poll: impl AsyncFnMut() -> Outcome,
    patience: Duration,
    stop: &CancellationToken,
) -> bool {
    let mut failing = None;
    loop {
        let outcome = poll().await;
        let Some(asked) = attention::retry(&outcome.end) else {
            return outcome.end == End::Complete;
        };
        if outcome.progress.settled() > 0 {
            failing = None;
        }
        let (since, waits) = failing.get_or_insert_with(|| (Instant::now(), waits()));
        let wait = asked.or_else(|| waits.next()).unwrap_or(LONGEST_WAIT);
        if since.elapsed() + wait > patience || stopped_within(wait, stop).await {
            return false;
        }
    }
}

fn waits() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_WAIT)
        .with_max_delay(LONGEST_WAIT)
        .without_max_times()
        .build()
}

async fn stopped_within(wait: Duration, stop: &CancellationToken) -> bool {
    tokio::time::timeout(wait, stop.cancelled()).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{callback::Unavailable, category::Category, poll::Progress, provider::FetchError};

    fn outcome(end: End, created: u64) -> Outcome {
        let progress = Progress {
            created,
            ..Progress::default()
        };
        Outcome {
            progress,
            ..Outcome::of(end)
        }
    }

    fn failed(category: Category) -> End {
        End::ProviderFailed(FetchError::new(category, "503"))
    }

    fn down() -> End {
        failed(Category::Provider)
    }

    fn throttled(seconds: u64) -> End {
        End::ProviderFailed(FetchError {
            retry_after: Some(Duration::from_secs(seconds)),
            ..FetchError::new(Category::RateLimited, "429")
        })
    }

    /// Plays `ends` in order, the last one again and again: whether all was settled, after how
    /// many polls and how many seconds.
    async fn play(ends: &[(End, u64)], patience: u64) -> (bool, usize, u64) {
        let begun = Instant::now();
        let mut polls = 0;
        let poll = async || {
            let (end, created) = ends[polls.min(ends.len() - 1)].clone();
            polls += 1;
            outcome(end, created)
        };
        let settled = settle(
            poll,
            Duration::from_secs(patience),
            &CancellationToken::new(),
        )
        .await;
        (settled, polls, begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_complete_poll_is_not_repeated() {
        assert_eq!(play(&[(End::Complete, 3)], 20).await, (true, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_comes_back_is_polled_after_waits_that_double() {
        let ends = [(down(), 0), (down(), 0), (End::Complete, 1)];
        assert_eq!(play(&ends, 20).await, (true, 3, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn retries_end_before_the_bound() {
        assert_eq!(play(&[(down(), 0)], 20).await, (false, 5, 15));
        assert_eq!(play(&[(down(), 0)], 0).await, (false, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_the_other_side_asks_for_is_kept_or_not_begun() {
        assert_eq!(
            play(&[(throttled(5), 0), (End::Complete, 1)], 20).await,
            (true, 2, 5)
        );
        assert_eq!(play(&[(throttled(30), 0)], 20).await, (false, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_only_a_person_can_mend_is_not_repeated() {
        for category in [
            Category::Authentication,
            Category::Permission,
            Category::Configuration,
        ] {
            assert_eq!(play(&[(failed(category), 0)], 20).await, (false, 1, 0));
        }
        assert_eq!(play(&[(End::CallbackGone, 0)], 20).await, (false, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_callback_whose_retries_are_used_up_is_not_given_them_again() {
        let unavailable = Unavailable {
            message: "503".into(),
            retry_after: None,
        };
        let ends = [(End::CallbackUnavailable(unavailable), 0)];
        assert_eq!(play(&ends, 20).await, (false, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_backlog_that_gets_smaller_is_followed_to_its_end() {
        let mut ends = vec![(End::Unfinished("pages remain".into()), 10); 40];
        ends.push((End::Complete, 1));
        let (settled, polls, _) = play(&ends, 20).await;
        assert_eq!((settled, polls), (true, 41));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_to_stop_ends_the_wait() {
        let stop = CancellationToken::new();
        stop.cancel();
        let mut polls = 0;
        let poll = async || {
            polls += 1;
            outcome(failed(Category::Provider), 0)
        };
        assert!(!settle(poll, Duration::from_secs(20), &stop).await);
        assert_eq!(polls, 1);
    }
}
