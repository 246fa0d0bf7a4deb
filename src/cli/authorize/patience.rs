//! Trying again what may pass: the code in hand works once, and a person has gone to the browser for it.

use std::{fmt::Display, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::time::sleep;

use super::super::output;

/// Half a minute in all: a person waits, and a code lives for minutes.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(Duration::from_secs(8))
    .with_max_times(6);

/// Makes attempts for half a minute while what they end with may pass, and says so before each other one.
pub(super) async fn patiently<T, E: Display>(
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
    may_pass: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut pauses = PAUSES.build();
    loop {
        let outcome = attempt().await;
        let pause = match &outcome {
            Err(error) if may_pass(error) => pauses.next(),
            _ => None,
        };
        match (outcome, pause) {
            (Err(error), Some(pause)) => {
                output::note("trying again", error);
                sleep(pause).await;
            }
            (outcome, _) => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// Attempts of which the first `failing` fail: how many there were and how long they took.
    async fn play(failing: u32, may_pass: bool) -> (Result<(), &'static str>, u32, Duration) {
        let begun = Instant::now();
        let mut attempts = 0;
        let attempt = async || {
            attempts += 1;
            if attempts > failing {
                Ok(())
            } else {
                Err("503")
            }
        };
        let outcome = patiently(attempt, |_| may_pass).await;
        (outcome, attempts, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_for_half_a_minute_and_nothing_else_twice() {
        let second = Duration::from_secs(1);
        assert_eq!(play(2, true).await, (Ok(()), 3, 3 * second));
        assert_eq!(play(u32::MAX, true).await, (Err("503"), 7, 31 * second));
        assert_eq!(play(1, false).await, (Err("503"), 1, Duration::ZERO));
    }
}
