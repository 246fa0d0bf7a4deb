//! Holds: what keeps all pollers of an instance waiting, and the one poll that probes.

mod restored;
mod state;

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
pub(super) use restored::Earlier;
pub use state::{CallbackFailure, CallbackHold, Failure, InstanceState};
use tokio::{sync::watch, time::Instant};

use super::schedule::backoff;
use crate::{
    callback::Unavailable,
    category::Category,
    clock::Clock,
    poll::{End, Outcome},
    provider::FetchError,
};

/// Waits between probes of an instance that is held: doubling from the first to the last.
const FIRST_HOLD: Duration = Duration::from_secs(5);
const LONGEST_HOLD: Duration = Duration::from_secs(300);

/// The holds of one instance.
pub(super) struct Holds {
    clock: Clock,
    hold: Mutex<Option<Hold>>,
    /// A person asked for a probe of the callback, and none has begun since.
    probe_now: AtomicBool,
    state: watch::Sender<InstanceState>,
}

struct Hold {
    cause: Cause,
    /// How the poll ended that showed it.
    end: End,
    /// `None`: until a person acts.
    until: Option<Instant>,
    /// Whoever is to be left alone asked for it.
    asked: bool,
    failures: u32,
    probing: bool,
}

impl Hold {
    /// Whether a person may have its callback tried before its end.
    fn can_be_probed(&self) -> bool {
        self.cause == Cause::Callback && self.until.is_some() && !self.probing
    }

    /// Whether a poll that ended so shows that its cause is over: an idle one tried no callback, and
    /// one that reached nobody tried no provider. `probed`: it began when the wait was over; one that was
    /// under way before may have been answered before the callback asked to be left alone.
    fn is_over(&self, outcome: &Outcome, probed: bool) -> bool {
        match self.cause {
            Cause::Callback => {
                self.until.is_some() && (probed || !self.asked) && has_callback_answered(outcome)
            }
            Cause::Provider | Cause::Authentication => probed && has_provider_answered(outcome),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Callback,
    Provider,
    Authentication,
}

/// Leave to poll.
#[derive(Debug, PartialEq)]
pub(super) enum Entry {
    /// Nothing holds.
    Poll,
    /// A hold is over: this poll shows whether its cause is.
    Probe,
    Wait(Wait),
}

/// What a poll that is held waits for.
#[derive(Debug, PartialEq)]
pub(super) struct Wait {
    /// At most until then; without it for a change of the instance's state.
    pub(super) until: Option<Instant>,
    end: Box<End>,
}

impl Wait {
    /// Why, in words for a person.
    pub(super) fn reason(&self) -> &str {
        match &*self.end {
            End::CallbackUnavailable(unavailable) => &unavailable.message,
            End::ProviderFailed(error) => &error.message,
            _ => GONE,
        }
    }

    /// How a poll ends that does not wait.
    pub(super) fn into_end(self) -> End {
        let left = self
            .until
            .map(|until| until.saturating_duration_since(Instant::now()));
        match *self.end {
            End::CallbackUnavailable(unavailable) => End::CallbackUnavailable(Unavailable {
                retry_after: left,
                ..unavailable
            }),
            End::ProviderFailed(error) => End::ProviderFailed(FetchError {
                retry_after: left,
                ..error
            }),
            end => end,
        }
    }
}

const GONE: &str = "the callback answered 410 Gone, or webhook-delivery: disable";

impl Holds {
    pub(super) fn state(&self) -> watch::Receiver<InstanceState> {
        self.state.subscribe()
    }

    /// Whether anything holds, if only until a probe.
    pub(super) fn is_held(&self) -> bool {
        self.lock().is_some()
    }

    /// Whether a poll may begin now; the first to ask behind a hold's end is its probe.
    pub(super) fn enter(&self) -> Entry {
        let mut held = self.lock();
        let Some(hold) = held.as_mut() else {
            self.probe_now.store(false, Ordering::Relaxed);
            return Entry::Poll;
        };
        let at_once = hold.can_be_probed() && self.probe_now.swap(false, Ordering::Relaxed);
        if at_once {
            hold.until = Some(Instant::now());
        }
        if hold.probing || hold.until.is_none_or(|until| until > Instant::now()) {
            return Entry::Wait(Wait {
                until: hold.until.filter(|_| !hold.probing),
                end: Box::new(hold.end.clone()),
            });
        }
        hold.probing = true;
        Entry::Probe
    }

    /// The probe was given up before it showed anything: another poll may probe.
    pub(super) fn give_up(&self) {
        if let Some(hold) = self.lock().as_mut() {
            hold.probing = false;
        }
        // Those who wait look again.
        self.state.send_modify(|_| {});
    }

    /// Takes what a poll that [entered](Self::enter) ended with.
    pub(super) fn leave(&self, outcome: &Outcome) {
        self.learn(outcome, false);
    }

    /// Takes what a probe ended with. One that showed nothing of the cause, since it had nothing to
    /// deliver or was stopped, leaves the next probe to whoever waits.
    pub(super) fn leave_probe(&self, outcome: &Outcome) {
        self.learn(outcome, true);
    }

    fn learn(&self, outcome: &Outcome, probed: bool) {
        let mut held = self.lock();
        let probed = probed && held.as_ref().is_some_and(|hold| hold.probing);
        if let Some((cause, retry_after)) = failure_of(&outcome.end) {
            self.fail(&mut held, probed, cause, &outcome.end, retry_after);
        } else {
            held.take_if(|hold| hold.is_over(outcome, probed));
        }
        if let Some(hold) = held.as_mut().filter(|_| probed) {
            hold.probing = false;
        }
        drop(held);
        self.publish(outcome);
    }

    /// Ends a hold whose cause is the callback: a person asked. What the provider asked for itself, and
    /// credentials that it refuses, stand.
    pub(super) fn release_callback(&self) {
        self.lock().take_if(|hold| hold.cause == Cause::Callback);
        self.state.send_modify(|state| {
            if std::mem::take(&mut state.callback_gone) {
                // Nobody knows what it says now.
                state.callback = None;
            }
            state.held = None;
        });
    }

    /// Has one poll, the next that would wait for the callback, probe it at once. Where a probe is under
    /// way, which may have failed already, that is the one behind it.
    pub(super) fn probe_now(&self) {
        self.probe_now.store(true, Ordering::Relaxed);
        // Those who wait look again.
        self.state.send_modify(|_| {});
    }

    /// Ends a hold whose cause is the credentials: there are others now.
    pub(super) fn release_authentication(&self) {
        self.lock()
            .take_if(|hold| hold.cause == Cause::Authentication);
        // Those who wait look again.
        self.state.send_modify(|_| {});
    }

    /// A poll that was under way when the hold began can lengthen it, never shorten it.
    fn fail(
        &self,
        held: &mut Option<Hold>,
        probed: bool,
        cause: Cause,
        end: &End,
        retry_after: Option<Duration>,
    ) {
        let standing = held.as_ref().filter(|_| !probed);
        if standing.is_some_and(|hold| hold.cause == cause && retry_after.is_none()) {
            return;
        }
        let failures = match &*held {
            Some(hold) if hold.cause == cause => hold.failures + u32::from(probed),
            _ => 1,
        };
        let wait = backoff(FIRST_HOLD, LONGEST_HOLD, failures, rand::random())
            .max(retry_after.unwrap_or_default());
        let until = Instant::now() + wait;
        if standing.is_some_and(|hold| hold.until.is_none_or(|standing| standing >= until)) {
            return;
        }
        *held = Some(Hold {
            cause,
            end: end.clone(),
            until: Some(until),
            asked: retry_after.is_some_and(|asked| asked >= wait),
            failures,
            probing: false,
        });
        let until = self.clock.now() + TimeDelta::from_std(wait).unwrap_or_default();
        self.state.send_modify(|state| match cause {
            Cause::Callback => {
                let asked = retry_after.is_some_and(|asked| asked >= wait);
                state.held = Some(CallbackHold { until, asked });
            }
            Cause::Provider => state.deferred_until = Some(until),
            Cause::Authentication => {}
        });
    }

    fn publish(&self, outcome: &Outcome) {
        let gone = outcome.end == End::CallbackGone;
        if gone {
            *self.lock() = Some(Hold {
                cause: Cause::Callback,
                end: End::CallbackGone,
                until: None,
                asked: true,
                failures: 1,
                probing: false,
            });
        }
        let free = self.lock().is_none();
        self.state.send_modify(|state| {
            if outcome.progress.settled() > 0 {
                state.callback = Some(Ok(()));
            }
            if is_accepted(outcome) {
                state.authenticated = Some(Ok(()));
                state.unreached = None;
            }
            if free {
                state.held = None;
                state.deferred_until = None;
            }
            state.callback_gone |= gone;
            state.learn(&outcome.end);
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Hold>> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a poll that ended so shows that its instance is out of order.
pub(super) fn fails_instance(end: &End) -> bool {
    failure_of(end).is_some()
}

/// What holds the whole instance; anything else concerns one poller alone.
fn failure_of(end: &End) -> Option<(Cause, Option<Duration>)> {
    match end {
        End::CallbackUnavailable(unavailable) => Some((Cause::Callback, unavailable.retry_after)),
        End::ProviderFailed(error) => match error.category {
            Category::Authentication => Some((Cause::Authentication, None)),
            Category::RateLimited => Some((Cause::Provider, error.retry_after)),
            Category::Provider if error.retry_after.is_some() => {
                Some((Cause::Provider, error.retry_after))
            }
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

/// Whether the callback has taken or refused an event; other failures of it hold.
fn has_callback_answered(outcome: &Outcome) -> bool {
    outcome.progress.settled() > 0 || matches!(outcome.end, End::Blocked { .. })
}

/// Whether the provider has answered at all, if only to refuse this one resource.
fn has_provider_answered(outcome: &Outcome) -> bool {
    let refused = |category| matches!(category, Category::Permission | Category::Configuration);
    is_accepted(outcome)
        || matches!(&outcome.end, End::ProviderFailed(error) if refused(error.category))
}

#[cfg(test)]
mod tests;
