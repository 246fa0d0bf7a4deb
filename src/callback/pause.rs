//! How long a receiver is left alone, whoever would post to it.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::time::Instant;

use super::Unavailable;

/// The wait that a receiver asked for by `Retry-After`, with what it said. It concerns whoever posts there:
/// the notifications of an instance's other pollers would be answered alike.
#[derive(Debug, Default)]
pub(super) struct Pause {
    /// Whether anything may keep notifications back: while nothing does, none takes the lock.
    stands: AtomicBool,
    until: Mutex<Option<(Instant, String)>>,
}

impl Pause {
    /// Takes what an answer asks for. One that asks for less than another shortens nothing.
    pub(super) fn begin(&self, failure: &Unavailable) {
        let Some(wait) = failure.retry_after else {
            return;
        };
        let until = Instant::now() + wait;
        let mut standing = self.lock();
        if standing.as_ref().is_none_or(|(known, _)| *known < until) {
            *standing = Some((until, failure.message.clone()));
        }
        self.stands.store(true, Ordering::Release);
    }

    /// What keeps a notification back, as long as anything does.
    pub(super) fn standing(&self) -> Option<Unavailable> {
        if !self.stands.load(Ordering::Acquire) {
            return None;
        }
        let mut standing = self.lock();
        let now = Instant::now();
        standing.take_if(|(until, _)| *until <= now);
        self.stands.store(standing.is_some(), Ordering::Release);
        standing.as_ref().map(|(until, message)| Unavailable {
            message: message.clone(),
            retry_after: Some(*until - now),
        })
    }

    /// Ends it: a person wants to know how the receiver is.
    pub(super) fn end(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, String)>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn asks(seconds: u64) -> Unavailable {
        Unavailable {
            message: format!("in {seconds} s"),
            retry_after: Some(Duration::from_secs(seconds)),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_wait_that_was_asked_for_stands_until_its_end() {
        let pause = Pause::default();
        for failure in [asks(5), asks(60), asks(5)] {
            pause.begin(&failure);
        }
        tokio::time::advance(Duration::from_secs(59)).await;
        let left = Unavailable {
            retry_after: Some(Duration::from_secs(1)),
            ..asks(60)
        };
        assert_eq!(pause.standing(), Some(left));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(pause.standing(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_asks_for_nothing_keeps_nobody_else_waiting() {
        let pause = Pause::default();
        pause.begin(&Unavailable {
            retry_after: None,
            ..asks(5)
        });
        assert_eq!(pause.standing(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_can_end_it() {
        let pause = Pause::default();
        pause.begin(&asks(60));
        pause.end();
        assert_eq!(pause.standing(), None);
    }
}
