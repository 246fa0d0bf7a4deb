//! Holds: what keeps all pollers of an instance waiting, and the one poll that probes.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{sync::watch, time::Instant};

use super::schedule::backoff;
use crate::{
    category::Category,
    clock::Clock,
    poll::{End, Outcome},
};

/// Waits between probes of an instance that is held: doubling from the first to the last.
const FIRST_HOLD: Duration = Duration::from_secs(5);
const LONGEST_HOLD: Duration = Duration::from_secs(300);

/// What is known of an instance, for its conditions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceState {
    /// `None` until the first token was had or refused.
    pub authenticated: Option<Result<(), Failure>>,
    /// `None` until the first notification was answered.
    pub callback: Option<Result<(), Failure>>,
    /// The callback answered 410 and waits for a person.
    pub callback_gone: bool,
    /// Until when the provider asked to be left alone.
    pub deferred_until: Option<DateTime<Utc>>,
    /// Until when the callback is left alone.
    pub held_until: Option<DateTime<Utc>>,
}

/// A failure as a condition shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub category: Category,
    pub message: String,
}

/// The holds of one instance.
pub(super) struct Holds {
    clock: Clock,
    hold: Mutex<Option<Hold>>,
    state: watch::Sender<InstanceState>,
}

struct Hold {
    cause: Cause,
    /// `None`: until a person acts.
    until: Option<Instant>,
    reason: String,
    failures: u32,
    probing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Callback,
    Provider,
    Authentication,
}

/// Leave to poll.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Nothing holds, or this poll is the probe.
    Poll,
    /// Wait, at most until then, for the reason given.
    Wait(Option<Instant>, String),
}

impl Holds {
    pub(super) fn new(clock: Clock, deferred_until: Option<DateTime<Utc>>) -> Self {
        let left = deferred_until.and_then(|until| (until - clock.now()).to_std().ok());
        let hold = left.map(|left| Hold {
            cause: Cause::Provider,
            until: Some(Instant::now() + left),
            reason: "the provider asked to be left alone".to_owned(),
            failures: 1,
            probing: false,
        });
        let state = InstanceState {
            deferred_until: left.and(deferred_until),
            ..InstanceState::default()
        };
        Self {
            clock,
            hold: Mutex::new(hold),
            state: watch::channel(state).0,
        }
    }

    pub(super) fn state(&self) -> watch::Receiver<InstanceState> {
        self.state.subscribe()
    }

    /// Whether a poll may begin now; the first to ask behind a hold's end is its probe.
    pub(super) fn enter(&self) -> Entry {
        let mut held = self.lock();
        let Some(hold) = held.as_mut() else {
            return Entry::Poll;
        };
        if hold.probing || hold.until.is_none_or(|until| until > Instant::now()) {
            let until = if hold.probing { None } else { hold.until };
            return Entry::Wait(until, hold.reason.clone());
        }
        hold.probing = true;
        Entry::Poll
    }

    /// Takes what a poll that [entered](Self::enter) ended with.
    pub(super) fn leave(&self, outcome: &Outcome) {
        let mut held = self.lock();
        let answered = outcome.progress.events() > 0;
        match failure_of(&outcome.end) {
            Some((cause, failure, retry_after)) => {
                self.fail(&mut held, cause, failure, retry_after)
            }
            None if outcome.end == End::Stopped => {
                if let Some(hold) = held.as_mut() {
                    hold.probing = false;
                }
            }
            None => {
                if held.as_ref().is_some_and(|hold| hold.probing || answered) {
                    *held = None;
                }
            }
        }
        drop(held);
        self.publish(outcome, answered);
    }

    /// Ends every hold: a person asked, or what caused it has changed.
    pub(super) fn release(&self) {
        *self.lock() = None;
        self.state.send_modify(|state| {
            state.callback_gone = false;
            state.held_until = None;
            state.deferred_until = None;
        });
    }

    fn fail(
        &self,
        held: &mut Option<Hold>,
        cause: Cause,
        failure: &str,
        retry_after: Option<Duration>,
    ) {
        let failures = match held {
            Some(hold) if hold.cause == cause && !hold.probing => return,
            Some(hold) if hold.cause == cause => hold.failures + 1,
            _ => 1,
        };
        let wait = backoff(FIRST_HOLD, LONGEST_HOLD, failures, rand::random())
            .max(retry_after.unwrap_or_default());
        let until = Some(Instant::now() + wait);
        *held = Some(Hold {
            cause,
            until,
            reason: failure.to_owned(),
            failures,
            probing: false,
        });
        let until = self.clock.now() + TimeDelta::from_std(wait).unwrap_or_default();
        self.state.send_modify(|state| match cause {
            Cause::Callback => state.held_until = Some(until),
            Cause::Provider | Cause::Authentication => state.deferred_until = Some(until),
        });
    }

    fn publish(&self, outcome: &Outcome, answered: bool) {
        let gone = outcome.end == End::CallbackGone;
        if gone {
            *self.lock() = Some(Hold {
                cause: Cause::Callback,
                until: None,
                reason: "the callback answered 410 Gone".to_owned(),
                failures: 1,
                probing: false,
            });
        }
        let free = self.lock().is_none();
        self.state.send_modify(|state| {
            if answered {
                state.callback = Some(Ok(()));
            }
            if is_accepted(outcome) {
                state.authenticated = Some(Ok(()));
            }
            if free {
                state.held_until = None;
                state.deferred_until = None;
            }
            state.callback_gone |= gone;
            report(state, &outcome.end);
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Hold>> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What holds the whole instance; anything else concerns one poller alone.
fn failure_of(end: &End) -> Option<(Cause, &str, Option<Duration>)> {
    match end {
        End::CallbackUnavailable(unavailable) => Some((
            Cause::Callback,
            &unavailable.message,
            unavailable.retry_after,
        )),
        End::ProviderFailed(error) => match error.category {
            Category::Authentication => Some((Cause::Authentication, &error.message, None)),
            Category::RateLimited => Some((Cause::Provider, &error.message, error.retry_after)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the provider has taken the credentials: it answered, though perhaps without a record.
fn is_accepted(outcome: &Outcome) -> bool {
    let answered = matches!(outcome.end, End::Complete | End::Unfinished(_));
    outcome.progress.requests > 0 && (answered || outcome.progress.read > 0)
}

fn report(state: &mut InstanceState, end: &End) {
    let failure = |category, message: &str| {
        Some(Err(Failure {
            category,
            message: message.to_owned(),
        }))
    };
    match end {
        End::CallbackUnavailable(unavailable) => {
            state.callback = failure(Category::Callback, &unavailable.message);
        }
        End::Blocked { rejection, .. } => {
            state.callback = failure(Category::Callback, &rejection.message);
        }
        End::CallbackGone => {
            state.callback = failure(Category::Callback, "the callback answered 410 Gone");
        }
        End::ProviderFailed(error) if error.category == Category::Authentication => {
            state.authenticated = failure(Category::Authentication, &error.message);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{callback::Unavailable, poll::Progress, provider::FetchError};

    fn unavailable() -> Outcome {
        Outcome::of(End::CallbackUnavailable(Unavailable {
            message: "the callback answered 503".to_owned(),
            retry_after: None,
        }))
    }

    fn delivered() -> Outcome {
        let progress = Progress {
            updated: 1,
            read: 1,
            requests: 1,
            ..Progress::default()
        };
        Outcome {
            progress,
            ..Outcome::of(End::Complete)
        }
    }

    fn waits(holds: &Holds) -> bool {
        matches!(holds.enter(), Entry::Wait(..))
    }

    fn holds() -> Holds {
        Holds::new(Clock::starting_at(DateTime::UNIX_EPOCH), None)
    }

    #[tokio::test(start_paused = true)]
    async fn behind_an_unavailable_callback_one_poll_probes_and_the_others_wait() {
        let holds = holds();
        assert_eq!(holds.enter(), Entry::Poll);
        holds.leave(&unavailable());
        assert!(waits(&holds));
        tokio::time::advance(FIRST_HOLD).await;
        assert_eq!(holds.enter(), Entry::Poll, "the probe");
        assert!(waits(&holds), "another beside the probe");
        holds.leave(&delivered());
        assert_eq!(holds.enter(), Entry::Poll);
        assert_eq!(holds.state().borrow().callback, Some(Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn each_failed_probe_waits_longer_up_to_five_minutes() {
        let holds = holds();
        holds.leave(&unavailable());
        for _ in 0..12 {
            tokio::time::advance(LONGEST_HOLD).await;
            assert_eq!(holds.enter(), Entry::Poll);
            holds.leave(&unavailable());
        }
        tokio::time::advance(LONGEST_HOLD / 2 - Duration::from_secs(1)).await;
        assert!(waits(&holds));
        tokio::time::advance(LONGEST_HOLD).await;
        assert_eq!(holds.enter(), Entry::Poll);
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_names_a_time_is_left_alone_until_then() {
        let holds = holds();
        holds.leave(&Outcome::of(End::ProviderFailed(FetchError {
            category: Category::RateLimited,
            message: "the provider answered 429".to_owned(),
            retry_after: Some(Duration::from_secs(900)),
        })));
        tokio::time::advance(Duration::from_secs(899)).await;
        assert!(waits(&holds));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(holds.enter(), Entry::Poll);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deferral_of_an_earlier_process_is_honoured() {
        let clock = Clock::starting_at(DateTime::UNIX_EPOCH);
        let holds = Holds::new(clock, Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(60)));
        assert!(waits(&holds));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(holds.enter(), Entry::Poll);
    }

    #[tokio::test(start_paused = true)]
    async fn a_table_without_records_shows_that_the_credentials_are_accepted_again() {
        let holds = holds();
        holds.leave(&Outcome::of(End::ProviderFailed(FetchError {
            category: Category::Authentication,
            message: "401".to_owned(),
            retry_after: None,
        })));
        tokio::time::advance(LONGEST_HOLD).await;
        assert_eq!(holds.enter(), Entry::Poll);
        let progress = Progress {
            requests: 1,
            ..Progress::default()
        };
        holds.leave(&Outcome {
            progress,
            ..Outcome::of(End::Complete)
        });
        assert_eq!(holds.state().borrow().authenticated, Some(Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_callback_that_is_gone_waits_for_a_person() {
        let holds = holds();
        holds.leave(&Outcome::of(End::CallbackGone));
        tokio::time::advance(Duration::from_secs(86_400)).await;
        assert!(waits(&holds));
        holds.release();
        assert_eq!(holds.enter(), Entry::Poll);
        assert!(!holds.state().borrow().callback_gone);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_probe_leaves_the_probe_to_another() {
        let holds = holds();
        holds.leave(&unavailable());
        tokio::time::advance(FIRST_HOLD).await;
        assert_eq!(holds.enter(), Entry::Poll);
        holds.leave(&Outcome::of(End::Stopped));
        assert_eq!(holds.enter(), Entry::Poll);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_of_one_resource_holds_nobody_else() {
        let holds = holds();
        holds.leave(&Outcome::of(End::ProviderFailed(FetchError {
            category: Category::Permission,
            message: "403".to_owned(),
            retry_after: None,
        })));
        assert_eq!(holds.enter(), Entry::Poll);
    }
}
