use chrono::DateTime;

use super::*;
use crate::poll::Progress;

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
    matches!(holds.enter(), Entry::Wait(_))
}

fn holds() -> Holds {
    Holds::new(
        Clock::starting_at(DateTime::UNIX_EPOCH),
        &Earlier::default(),
    )
}

#[tokio::test(start_paused = true)]
async fn behind_an_unavailable_callback_one_poll_probes_and_the_others_wait() {
    let holds = holds();
    assert_eq!(holds.enter(), Entry::Poll);
    holds.leave(&unavailable());
    assert!(waits(&holds));
    tokio::time::advance(FIRST_HOLD).await;
    assert_eq!(holds.enter(), Entry::Probe);
    assert!(waits(&holds), "another beside the probe");
    holds.leave_probe(&delivered());
    assert_eq!(holds.enter(), Entry::Poll);
    assert_eq!(holds.state().borrow().callback, Some(Ok(())));
}

#[tokio::test(start_paused = true)]
async fn each_failed_probe_waits_longer_up_to_five_minutes() {
    let holds = holds();
    holds.leave(&unavailable());
    for _ in 0..12 {
        tokio::time::advance(LONGEST_HOLD).await;
        assert_eq!(holds.enter(), Entry::Probe);
        holds.leave_probe(&unavailable());
    }
    tokio::time::advance(LONGEST_HOLD / 2 - Duration::from_secs(1)).await;
    assert!(waits(&holds));
    tokio::time::advance(LONGEST_HOLD).await;
    assert_eq!(holds.enter(), Entry::Probe);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_names_a_time_is_left_alone_until_then() {
    let holds = holds();
    holds.leave(&failed(Category::RateLimited, Some(900)));
    tokio::time::advance(Duration::from_secs(899)).await;
    assert!(waits(&holds));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(holds.enter(), Entry::Probe);
}

#[tokio::test(start_paused = true)]
async fn a_deferral_of_an_earlier_process_is_honoured() {
    let clock = Clock::starting_at(DateTime::UNIX_EPOCH);
    let earlier = Earlier {
        deferred_until: Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(60)),
        ..Earlier::default()
    };
    let holds = Holds::new(clock, &earlier);
    assert!(waits(&holds));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(holds.enter(), Entry::Probe);
}

#[tokio::test(start_paused = true)]
async fn a_table_without_records_shows_that_the_credentials_are_accepted_again() {
    let holds = holds();
    holds.leave(&failed(Category::Authentication, None));
    tokio::time::advance(LONGEST_HOLD).await;
    assert_eq!(holds.enter(), Entry::Probe);
    let progress = Progress {
        requests: 1,
        ..Progress::default()
    };
    holds.leave_probe(&Outcome {
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
    holds.release_callback();
    assert_eq!(holds.enter(), Entry::Poll);
    let state = holds.state().borrow().clone();
    assert!(
        !state.callback_gone && state.callback.is_none(),
        "{state:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_an_earlier_process_found_gone_waits_for_a_person() {
    let earlier = Earlier {
        is_gone: true,
        ..Earlier::default()
    };
    let holds = Holds::new(Clock::starting_at(DateTime::UNIX_EPOCH), &earlier);
    tokio::time::advance(Duration::from_secs(86_400)).await;
    assert!(waits(&holds));
    assert!(holds.state().borrow().callback_gone);
    holds.release_callback();
    assert_eq!(holds.enter(), Entry::Poll);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_resumes_delivery_lifts_no_wait_of_the_provider() {
    let asked = Some(600);
    for cause in [
        failed(Category::RateLimited, asked),
        failed(Category::Authentication, None),
    ] {
        let holds = holds();
        holds.leave(&cause);
        let before = holds.state().borrow().deferred_until;
        holds.release_callback();
        assert!(waits(&holds));
        assert_eq!(holds.state().borrow().deferred_until, before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_is_left_to_another() {
    let holds = holds();
    holds.leave(&unavailable());
    tokio::time::advance(FIRST_HOLD).await;
    assert_eq!(holds.enter(), Entry::Probe);
    let mut changed = holds.state();
    holds.leave_probe(&Outcome::of(End::Stopped));
    assert!(changed.has_changed().unwrap(), "nobody who waits was told");
    changed.mark_unchanged();
    assert_eq!(holds.enter(), Entry::Probe);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_does_not_wait_ends_as_the_one_that_showed_why() {
    let holds = holds();
    holds.leave(&failed(Category::RateLimited, Some(900)));
    tokio::time::advance(Duration::from_secs(100)).await;
    let Entry::Wait(wait) = holds.enter() else {
        panic!("nothing holds")
    };
    assert_eq!(wait.reason(), "the provider refused");
    let expected = failed(Category::RateLimited, Some(800)).end;
    assert_eq!(wait.into_end(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_one_resource_holds_nobody_else() {
    let holds = holds();
    holds.leave(&failed(Category::Permission, None));
    assert_eq!(holds.enter(), Entry::Poll);
}

fn failed(category: Category, retry_after: Option<u64>) -> Outcome {
    Outcome::of(End::ProviderFailed(FetchError {
        retry_after: retry_after.map(Duration::from_secs),
        ..FetchError::new(category, "the provider refused")
    }))
}

/// A person who renews a Secret starts again, and must not wait for what an earlier process stored.
#[tokio::test(start_paused = true)]
async fn refused_credentials_hold_but_are_no_wish_of_the_provider_to_be_left_alone() {
    let holds = holds();
    holds.leave(&failed(Category::Authentication, None));
    assert!(waits(&holds));
    assert_eq!(holds.state().borrow().deferred_until, None);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_was_under_way_ends_no_deferral_of_the_provider() {
    let holds = holds();
    holds.leave(&failed(Category::RateLimited, Some(900)));
    holds.leave(&delivered());
    tokio::time::advance(Duration::from_secs(899)).await;
    assert!(waits(&holds));
    assert!(holds.state().borrow().deferred_until.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_was_under_way_shows_that_the_callback_is_back() {
    let holds = holds();
    holds.leave(&unavailable());
    holds.leave(&delivered());
    assert_eq!(holds.enter(), Entry::Poll);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_a_poll_under_way_shortens_no_hold() {
    let holds = holds();
    holds.leave(&failed(Category::RateLimited, Some(900)));
    holds.leave(&unavailable());
    holds.leave(&failed(Category::RateLimited, Some(10)));
    tokio::time::advance(Duration::from_secs(899)).await;
    assert!(waits(&holds));
}

#[tokio::test(start_paused = true)]
async fn the_longest_of_the_times_that_polls_under_way_are_told_counts() {
    let holds = holds();
    holds.leave(&failed(Category::RateLimited, None));
    holds.leave(&failed(Category::RateLimited, Some(900)));
    tokio::time::advance(Duration::from_secs(899)).await;
    assert!(waits(&holds));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(holds.enter(), Entry::Probe);
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_is_gone_stays_so_whatever_polls_under_way_end_with() {
    let holds = holds();
    holds.leave(&Outcome::of(End::CallbackGone));
    holds.leave(&unavailable());
    holds.leave(&delivered());
    tokio::time::advance(Duration::from_secs(86_400)).await;
    assert!(waits(&holds));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_and_says_for_how_long_is_left_alone() {
    let holds = holds();
    holds.leave(&failed(Category::Provider, Some(120)));
    tokio::time::advance(Duration::from_secs(119)).await;
    assert!(waits(&holds));
    assert!(holds.state().borrow().deferred_until.is_some());
}

fn idle() -> Outcome {
    let progress = Progress {
        requests: 1,
        ..Progress::default()
    };
    Outcome {
        progress,
        ..Outcome::of(End::Complete)
    }
}

fn blocked() -> Outcome {
    Outcome::of(End::Blocked {
        object_id: "a".to_owned(),
        rejection: crate::callback::Rejection {
            status: 400,
            message: "no".to_owned(),
            ..Default::default()
        },
        dead_letter: None,
    })
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_tries_no_callback_hands_the_probe_to_the_next_poll() {
    let holds = holds();
    holds.leave(&unavailable());
    tokio::time::advance(LONGEST_HOLD).await;
    for untried in [idle(), failed(Category::Permission, None)] {
        assert_eq!(holds.enter(), Entry::Probe);
        let mut changed = holds.state();
        holds.leave_probe(&untried);
        assert!(changed.has_changed().unwrap(), "nobody who waits was told");
        changed.mark_unchanged();
    }
    assert!(holds.state().borrow().held.is_some());
    assert_eq!(holds.enter(), Entry::Probe);
    assert!(waits(&holds));
    holds.leave_probe(&unavailable());
    tokio::time::advance(FIRST_HOLD).await;
    assert!(waits(&holds), "the failures before are forgotten");
}

#[tokio::test(start_paused = true)]
async fn an_idle_poll_that_ends_beside_a_probe_lifts_nothing() {
    for cause in [unavailable(), failed(Category::RateLimited, None)] {
        let holds = holds();
        holds.leave(&cause);
        tokio::time::advance(LONGEST_HOLD).await;
        assert_eq!(holds.enter(), Entry::Probe);
        holds.leave(&idle());
        holds.leave(&cause);
        assert!(waits(&holds), "two probes at once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_refuses_an_event_is_there_again() {
    let holds = holds();
    holds.leave(&unavailable());
    tokio::time::advance(LONGEST_HOLD).await;
    assert_eq!(holds.enter(), Entry::Probe);
    holds.leave_probe(&blocked());
    assert_eq!(holds.enter(), Entry::Poll);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_does_not_reach_the_provider_ends_no_deferral_of_it() {
    let holds = holds();
    holds.leave(&failed(Category::RateLimited, Some(60)));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(holds.enter(), Entry::Probe);
    holds.leave_probe(&failed(Category::Provider, None));
    assert_eq!(holds.enter(), Entry::Probe);
    holds.leave_probe(&failed(Category::Permission, None));
    assert_eq!(holds.enter(), Entry::Poll);
}

#[tokio::test(start_paused = true)]
async fn that_the_provider_cannot_be_reached_is_known_until_it_answers_whatever_it_says() {
    let holds = holds();
    let unreached = Outcome::of(End::ProviderFailed(FetchError {
        is_unreached: true,
        ..FetchError::new(Category::Provider, "acme.invalid: DNS knows no such host")
    }));
    for answer in [
        failed(Category::Permission, None),
        failed(Category::Provider, None),
        delivered(),
    ] {
        holds.leave(&unreached);
        let known = holds.state().borrow().unreached.clone();
        assert!(known.is_some_and(|known| known.contains("acme.invalid")));
        assert_eq!(holds.enter(), Entry::Poll, "each poller paces itself");
        holds.leave(&failed(Category::Internal, None));
        assert!(holds.state().borrow().unreached.is_some());
        holds.leave(&answer);
        assert_eq!(holds.state().borrow().unreached, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_refuses_an_event_is_told_from_one_that_is_down() {
    let holds = holds();
    let rejection = crate::callback::Rejection {
        message: "422".to_owned(),
        ..Default::default()
    };
    let blocked = End::Blocked {
        object_id: "7".to_owned(),
        rejection,
        dead_letter: None,
    };
    holds.leave(&Outcome::of(blocked));
    let known = holds.state().borrow().callback.clone();
    assert_eq!(known, Some(Err(CallbackFailure::Rejects("422".to_owned()))));
}

fn throttled() -> Outcome {
    Outcome::of(End::CallbackUnavailable(Unavailable {
        message: "the callback answered 429".to_owned(),
        retry_after: Some(Duration::from_secs(600)),
    }))
}

/// What it delivered may have been taken before another poller was told to wait.
#[tokio::test(start_paused = true)]
async fn a_poll_that_was_under_way_ends_no_wait_that_the_callback_asked_for() {
    let holds = holds();
    assert_eq!((holds.enter(), holds.enter()), (Entry::Poll, Entry::Poll));
    holds.leave(&throttled());
    holds.leave(&delivered());
    tokio::time::advance(Duration::from_secs(599)).await;
    assert!(waits(&holds));
    assert!(holds.state().borrow().held.is_some_and(|held| held.asked));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(holds.enter(), Entry::Probe);
    holds.leave_probe(&delivered());
    assert_eq!(holds.enter(), Entry::Poll);
}

#[tokio::test(start_paused = true)]
async fn a_person_has_a_callback_that_is_held_probed_at_once_and_once() {
    for failure in [unavailable(), throttled()] {
        let holds = holds();
        holds.leave(&failure);
        let mut changed = holds.state();
        changed.mark_unchanged();
        holds.probe_now();
        assert!(changed.has_changed().unwrap(), "nobody who waits was told");
        assert_eq!(holds.enter(), Entry::Probe);
        assert!(waits(&holds), "another beside the probe");
        holds.leave_probe(&failure);
        assert!(waits(&holds), "probed again for the same request");
    }
}

/// The probe may have failed already when a person mends the callback, and only repeats its last attempt.
#[tokio::test(start_paused = true)]
async fn a_person_who_asks_during_a_probe_gets_the_next_one_right_behind_it() {
    let holds = holds();
    holds.leave(&unavailable());
    tokio::time::advance(FIRST_HOLD).await;
    assert_eq!(holds.enter(), Entry::Probe);
    holds.probe_now();
    assert!(waits(&holds));
    holds.leave_probe(&unavailable());
    assert_eq!(holds.enter(), Entry::Probe);
    holds.leave_probe(&unavailable());
    assert!(waits(&holds));
}

#[tokio::test(start_paused = true)]
async fn a_request_of_a_person_lifts_no_other_hold_and_is_forgotten_where_nothing_holds() {
    for cause in [
        failed(Category::RateLimited, Some(600)),
        Outcome::of(End::CallbackGone),
    ] {
        let holds = holds();
        holds.leave(&cause);
        holds.probe_now();
        assert!(waits(&holds), "{cause:?}");
    }
    let holds = holds();
    holds.probe_now();
    assert_eq!(holds.enter(), Entry::Poll);
    holds.leave(&unavailable());
    assert!(waits(&holds), "a request of before the failure");
}
