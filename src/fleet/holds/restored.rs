//! Holds that outlast a process.

use std::{
    sync::{Mutex, atomic::AtomicBool},
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use tokio::{sync::watch, time::Instant};

use super::{
    CallbackFailure, CallbackHold, Cause, FIRST_HOLD, Hold, Holds, InstanceState, LONGEST_HOLD,
    backoff,
};
use crate::{
    callback::Unavailable,
    category::Category,
    clock::Clock,
    poll::{End, Outcome},
    provider::FetchError,
};

const FAILED_BEFORE: &str =
    "the callback failed before this process began, and is tried again before long";

/// What an earlier process stored of an instance.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::fleet) struct Earlier {
    /// Until when the provider asked to be left alone.
    pub(in crate::fleet) deferred_until: Option<DateTime<Utc>>,
    /// The callback failed. Also where that time is over, one poll probes before the others poll: a
    /// process that starts again and again must not flood a receiver that is down.
    pub(in crate::fleet) held: Option<CallbackHold>,
    /// The callback answered 410.
    pub(in crate::fleet) is_gone: bool,
}

impl Holds {
    /// What an earlier process stored still holds.
    pub(in crate::fleet) fn new(clock: Clock, earlier: &Earlier) -> Self {
        let left = |until: DateTime<Utc>| (until - clock.now()).to_std().ok();
        let deferred = earlier
            .deferred_until
            .and_then(|until| Some((until, left(until)?)));
        let held = earlier
            .held
            .map(|held| (held, left(held.until).unwrap_or_default()));
        // One hold at a time: what ends later keeps polls from both ends.
        let by_provider = deferred.map(|(until, left)| deferral(until, left));
        let by_callback = held.map(|(held, left)| callback_hold(held, left));
        let hold = by_provider
            .into_iter()
            .chain(by_callback)
            .max_by_key(|hold| hold.until);
        let state = InstanceState {
            deferred_until: deferred.map(|(until, _)| until),
            held: earlier.held,
            callback: earlier
                .held
                .map(|_| Err(CallbackFailure::Unavailable(FAILED_BEFORE.to_owned()))),
            ..InstanceState::default()
        };
        let holds = Self {
            clock,
            hold: Mutex::new(hold),
            probe_now: AtomicBool::new(false),
            state: watch::channel(state).0,
        };
        if earlier.is_gone {
            holds.leave(&Outcome::of(End::CallbackGone));
        }
        holds
    }
}

fn deferral(until: DateTime<Utc>, left: Duration) -> Hold {
    let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
    let message = format!("the provider asked to be left alone until {until}");
    let end = End::ProviderFailed(FetchError::new(Category::RateLimited, message));
    hold(Cause::Provider, end, left, true, 1)
}

fn callback_hold(held: CallbackHold, left: Duration) -> Hold {
    let end = End::CallbackUnavailable(Unavailable {
        message: FAILED_BEFORE.to_owned(),
        retry_after: None,
    });
    let failures = if held.asked { 1 } else { failures_behind(left) };
    hold(Cause::Callback, end, left, held.asked, failures)
}

fn hold(cause: Cause, end: End, left: Duration, asked: bool, failures: u32) -> Hold {
    Hold {
        cause,
        end,
        until: Some(Instant::now() + left),
        asked,
        failures,
        probing: false,
    }
}

/// How many failures in a row a wait of `left` follows: the next one waits longer.
fn failures_behind(left: Duration) -> u32 {
    let reaches = |failures: &u32| backoff(FIRST_HOLD, LONGEST_HOLD, *failures, 1.0) >= left;
    (1..10).find(reaches).unwrap_or(10)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::fleet::holds::Entry;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn restored(earlier: Earlier) -> Holds {
        Holds::new(Clock::starting_at(at(0)), &earlier)
    }

    fn held_until(second: i64) -> Option<CallbackHold> {
        let until = at(second);
        Some(CallbackHold {
            until,
            asked: false,
        })
    }

    fn waits(holds: &Holds) -> bool {
        matches!(holds.enter(), Entry::Wait(_))
    }

    fn unavailable() -> Outcome {
        Outcome::of(End::CallbackUnavailable(Unavailable {
            message: "503".to_owned(),
            retry_after: None,
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_callback_that_failed_before_a_restart_is_left_alone_as_long_as_it_would_have_been() {
        let held = held_until(240);
        let holds = restored(Earlier {
            held,
            ..Earlier::default()
        });
        assert_eq!(holds.state().borrow().held, held);
        tokio::time::advance(Duration::from_secs(239)).await;
        assert!(waits(&holds));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(holds.enter(), Entry::Probe);
        assert!(waits(&holds), "another beside the probe");
        holds.leave_probe(&unavailable());
        tokio::time::advance(LONGEST_HOLD / 2 - Duration::from_secs(1)).await;
        assert!(
            waits(&holds),
            "the failures before the restart are forgotten"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn behind_the_end_of_its_hold_one_poll_probes_the_callback_of_an_earlier_process() {
        let holds = restored(Earlier {
            held: held_until(-60),
            ..Earlier::default()
        });
        assert_eq!(holds.enter(), Entry::Probe);
        assert!(waits(&holds), "all pollers at once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_dies_in_every_hold_waits_longer_each_time() {
        let clock = Clock::starting_at(at(0));
        let mut held = None;
        let mut waits = Vec::new();
        for _ in 0..12 {
            let holds = Holds::new(
                clock,
                &Earlier {
                    held,
                    ..Earlier::default()
                },
            );
            let (Entry::Poll | Entry::Probe) = holds.enter() else {
                panic!("tried within the hold")
            };
            holds.leave_probe(&unavailable());
            holds.leave(&unavailable());
            held = holds.state().borrow().held;
            let wait = held.unwrap().until - clock.now();
            waits.push(wait.num_seconds());
            // Restarted half way, it waits for the rest.
            let half = wait.to_std().unwrap() / 2;
            tokio::time::advance(half).await;
            let again = Holds::new(
                clock,
                &Earlier {
                    held,
                    ..Earlier::default()
                },
            );
            assert!(matches!(again.enter(), Entry::Wait(_)), "{waits:?}");
            tokio::time::advance(half + Duration::from_millis(1)).await;
        }
        assert!(waits.iter().all(|wait| *wait >= 2), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_holds_of_an_earlier_process_the_longer_counts() {
        for (deferred, held) in [(60, 240), (240, 60)] {
            let holds = restored(Earlier {
                deferred_until: Some(at(deferred)),
                held: held_until(held),
                is_gone: false,
            });
            tokio::time::advance(Duration::from_secs(239)).await;
            assert!(waits(&holds), "{deferred} {held}");
            tokio::time::advance(Duration::from_secs(1)).await;
            assert_eq!(holds.enter(), Entry::Probe);
        }
    }
}
