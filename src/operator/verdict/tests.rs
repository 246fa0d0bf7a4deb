use rstest::rstest;

use super::*;
use crate::{
    api::conditions::{Conditions, Status},
    callback::{Rejection, Unavailable},
    fleet::Failure,
    operator::status::conditions::status_of,
    poll::Progress,
    provider::FetchError,
};

fn failed(category: Category) -> Outcome {
    Outcome::of(End::ProviderFailed(FetchError::new(category, "no")))
}

fn blocked() -> Outcome {
    let rejection = Rejection {
        status: 422,
        message: "422 Unprocessable".into(),
        ..Rejection::default()
    };
    Outcome::of(End::Blocked {
        object_id: "7".into(),
        rejection,
        dead_letter: None,
    })
}

fn unavailable() -> Outcome {
    Outcome::of(End::CallbackUnavailable(Unavailable {
        message: "503".into(),
        retry_after: None,
    }))
}

/// Ready's status and reason and whether Stalled stands beside it, after a healthy time.
fn after_health(standing: &Standing) -> String {
    let mut all = Vec::new();
    Standing::ready(reasons::SUCCEEDED, "").apply(&mut all, 1, DateTime::UNIX_EPOCH);
    standing.apply(&mut all, 1, DateTime::UNIX_EPOCH);
    let stalled = if status_of(&all, "Stalled").is_some() {
        " stalled"
    } else {
        ""
    };
    format!("{} {}{stalled}", all[0].status, all[0].reason)
}

#[rstest]
#[case(Outcome::of(End::Complete), "True Succeeded", "True Succeeded")]
#[case(
    failed(Category::Provider),
    "True ProviderUnavailable",
    "False ProviderUnavailable"
)]
#[case(failed(Category::RateLimited), "True RateLimited", "False RateLimited")]
#[case(unavailable(), "True CallbackUnavailable", "False CallbackUnavailable")]
#[case(
    failed(Category::Authentication),
    "False AuthenticationFailed",
    "False AuthenticationFailed"
)]
#[case(
    failed(Category::Permission),
    "False PermissionDenied stalled",
    "False PermissionDenied stalled"
)]
#[case(
    failed(Category::Configuration),
    "False InvalidSpec stalled",
    "False InvalidSpec stalled"
)]
#[case(
    blocked(),
    "False CallbackRejected stalled",
    "False CallbackRejected stalled"
)]
#[case(
    Outcome::of(End::CallbackGone),
    "False CallbackGone",
    "False CallbackGone"
)]
fn a_poll_that_ends_so_shows(
    #[case] outcome: Outcome,
    #[case] at_first: &str,
    #[case] overdue: &str,
) {
    assert_eq!(after_health(&of_poll(&outcome, false).unwrap()), at_first);
    assert_eq!(after_health(&of_poll(&outcome, true).unwrap()), overdue);
}

#[test]
fn a_stopped_poll_and_a_lost_claim_change_no_condition() {
    assert_eq!(of_poll(&Outcome::of(End::Stopped), true), None);
    assert_eq!(
        of_poll(
            &Outcome::of(End::StoreFailed(StoreError::ClaimLost(String::new()))),
            true
        ),
        None
    );
}

#[test]
fn a_bad_record_is_named_and_the_poller_stays_ready() {
    let progress = Progress {
        bad_records: 3,
        bad_samples: vec!["record 4: no id".into()],
        ..Progress::default()
    };
    let standing = of_poll(
        &Outcome {
            progress,
            ..Outcome::of(End::Complete)
        },
        false,
    )
    .unwrap();
    let mut all = Vec::new();
    standing.apply(&mut all, 1, DateTime::UNIX_EPOCH);
    assert_eq!(all[0].status, "True");
    assert_eq!(
        all[0].message,
        "records that cannot be read are left out: record 4: no id"
    );
}

/// A poll whose provider ignored what was asked, which a finding must not hide.
#[rstest]
#[case(End::Complete, "it ignores the order; a note")]
#[case(End::Unfinished("pages remain".into()), "it ignores the order; pages remain")]
fn a_definition_that_is_false_about_the_provider_is_the_reason(
    #[case] end: End,
    #[case] message: &str,
) {
    let outcome = Outcome {
        progress: Progress {
            unordered: Some("it ignores the order".into()),
            notes: vec!["a note".into()],
            ..Progress::default()
        },
        ..Outcome::of(end)
    };
    let standing = of_poll(&outcome, false).unwrap();
    assert_eq!(after_health(&standing), "True QueryUnordered");
    let mut all = Vec::new();
    standing.apply(&mut all, 1, DateTime::UNIX_EPOCH);
    assert_eq!(all[0].message, message);
}

#[rstest]
#[case(Subject::Field, "False InvalidSpec stalled")]
#[case(Subject::Connector, "False UnknownConnector stalled")]
#[case(Subject::Address, "False AddressRefused stalled")]
#[case(Subject::Secret, "False SecretNotFound")]
fn a_spec_that_cannot_be_built_shows(#[case] subject: Subject, #[case] expected: &str) {
    let error = ConfigurationError::new("spec.url", "it is wrong").about(subject);
    assert_eq!(after_health(&of_configuration(&error)), expected);
}

fn refused(category: Category) -> Option<Result<(), Failure>> {
    Some(Err(Failure {
        category,
        message: "no".into(),
    }))
}

fn down() -> Option<Result<(), CallbackFailure>> {
    Some(Err(CallbackFailure::Unavailable("no".into())))
}

#[rstest]
#[case(InstanceState::default(), "Unknown Progressing")]
#[case(InstanceState { authenticated: Some(Ok(())), ..InstanceState::default() }, "True Succeeded")]
#[case(InstanceState { authenticated: refused(Category::Authentication), ..InstanceState::default() }, "False AuthenticationFailed stalled")]
#[case(InstanceState { authenticated: refused(Category::Provider), ..InstanceState::default() }, "True ProviderUnavailable")]
#[case(InstanceState { unreached: Some("DNS knows no such host".into()), ..InstanceState::default() }, "True ProviderUnavailable")]
#[case(InstanceState { callback: down(), ..InstanceState::default() }, "True CallbackUnavailable")]
#[case(InstanceState { callback_gone: true, ..InstanceState::default() }, "False CallbackGone stalled")]
fn an_instance_in_this_state_shows(#[case] state: InstanceState, #[case] expected: &str) {
    let past = Past {
        has_accepted: true,
        ..Past::default()
    };
    assert_eq!(after_health(&of_instance(&state, past)), expected);
}

#[test]
fn a_provider_that_is_down_says_nothing_of_the_credentials() {
    let mut all = Vec::new();
    let state = InstanceState {
        authenticated: refused(Category::Provider),
        ..InstanceState::default()
    };
    let known = Circumstances::default();
    set_aspects(&state, &known, &mut all, 1, DateTime::UNIX_EPOCH);
    assert_eq!(status_of(&all, "Authenticated"), None);
}

/// Ready's status and reason of an instance that polled well before, and whose callback did what
/// `callback` says, when that refuses an event or cannot be reached.
fn once_the_callback_fails(failure: CallbackFailure, callback: Option<Status>) -> String {
    let mut all = Vec::new();
    let mut conditions = Conditions::new(Vec::new(), Some(1), DateTime::UNIX_EPOCH);
    conditions.ready(reasons::SUCCEEDED, "");
    if let Some(status) = callback {
        conditions.set(Aspect::CallbackAccepting, status, reasons::SUCCEEDED, "");
    }
    all.extend(conditions.into_vec());
    let state = InstanceState {
        callback: Some(Err(failure)),
        ..InstanceState::default()
    };
    // Twice: the second report goes by what the first has stored.
    for _ in 0..2 {
        let past = Past {
            has_accepted: has_accepted(&all, 1),
            ..Past::default()
        };
        of_instance(&state, past).apply(&mut all, 1, DateTime::UNIX_EPOCH);
        let known = Circumstances::default();
        set_aspects(&state, &known, &mut all, 1, DateTime::UNIX_EPOCH);
    }
    let accepting = find(&all, "CallbackAccepting").unwrap();
    assert_eq!(accepting.status, "False");
    format!("{} {}, {}", all[0].status, all[0].reason, accepting.reason)
}

#[test]
fn a_callback_that_has_never_taken_an_event_makes_the_instance_not_ready_at_once() {
    let unknown = "the callback x.invalid: no connection could be made: DNS knows no such host";
    let unavailable = || CallbackFailure::Unavailable(unknown.to_owned());
    assert_eq!(
        once_the_callback_fails(unavailable(), None),
        "False CallbackUnavailable, CallbackUnavailable"
    );
    assert_eq!(
        once_the_callback_fails(unavailable(), Some(Status::True)),
        "True CallbackUnavailable, CallbackUnavailable"
    );
}

#[test]
fn an_instance_whose_callback_refuses_an_event_says_so() {
    let rejects = || CallbackFailure::Rejects("422 Unprocessable".to_owned());
    assert_eq!(
        once_the_callback_fails(rejects(), Some(Status::True)),
        "True CallbackRejected, CallbackRejected"
    );
    assert_eq!(
        once_the_callback_fails(rejects(), None),
        "False CallbackRejected, CallbackRejected"
    );
}

#[test]
fn that_a_callback_took_events_before_an_edit_says_nothing_of_it_now() {
    let mut conditions = Conditions::new(Vec::new(), Some(1), DateTime::UNIX_EPOCH);
    conditions.set(
        Aspect::CallbackAccepting,
        Status::True,
        reasons::SUCCEEDED,
        "",
    );
    let all = conditions.into_vec();
    assert!(has_accepted(&all, 1) && !has_accepted(&all, 2));
}

/// Until then it would say that its pollers poll, while none can.
#[test]
fn an_instance_whose_provider_has_never_been_reached_is_not_ready_and_names_the_host() {
    let message = "GET / of acme.invalid: no connection could be made: DNS knows no such host";
    let state = InstanceState {
        unreached: Some(message.to_owned()),
        ..InstanceState::default()
    };
    let past = |is_overdue| Past {
        has_answered: true,
        is_overdue,
        has_accepted: false,
    };
    let mut all = Vec::new();
    for (is_overdue, status) in [(false, "Unknown"), (true, "False")] {
        of_instance(&state, past(is_overdue)).apply(&mut all, 1, DateTime::UNIX_EPOCH);
        let shown = (all[0].status.as_str(), all[0].reason.as_str());
        assert_eq!(shown, (status, "ProviderUnavailable"));
        assert_eq!(all[0].message, message);
    }
    assert_eq!(
        after_health(&of_instance(&state, past(false))),
        "True ProviderUnavailable",
        "what worked before may pass"
    );
}

/// Reason and message of an aspect of an instance that is well.
fn aspect_of_a_well_instance(known: &Circumstances, kind: &str) -> (String, String) {
    let state = InstanceState {
        authenticated: Some(Ok(())),
        callback: Some(Ok(())),
        ..InstanceState::default()
    };
    let mut all = Vec::new();
    set_aspects(&state, known, &mut all, 1, DateTime::UNIX_EPOCH);
    let found = all
        .iter()
        .find(|condition| condition.type_ == kind)
        .unwrap();
    assert_eq!(found.status, "True");
    (found.reason.clone(), found.message.clone())
}

#[test]
fn an_authorization_that_ends_soon_is_told_with_its_end() {
    let known = Circumstances {
        reauthorization_due: Some(DateTime::UNIX_EPOCH + TimeDelta::days(3)),
        ..Circumstances::default()
    };
    let (reason, message) = aspect_of_a_well_instance(&known, "Authenticated");
    assert_eq!(reason, "AuthorizationExpiring");
    assert!(message.contains("1970-01-04T00:00:00Z"), "{message}");
}

#[test]
fn a_callback_over_plain_http_is_told() {
    let known = Circumstances {
        plain_callback: true,
        ..Circumstances::default()
    };
    let (reason, message) = aspect_of_a_well_instance(&known, "CallbackAccepting");
    assert_eq!(reason, "CallbackUnencrypted");
    assert!(message.contains("https"), "{message}");
}

#[test]
fn dead_letters_over_plain_http_are_told_beside_it() {
    for plain_callback in [false, true] {
        let known = Circumstances {
            plain_callback,
            plain_dead_letters: true,
            ..Circumstances::default()
        };
        let (reason, message) = aspect_of_a_well_instance(&known, "CallbackAccepting");
        assert_eq!(reason, "CallbackUnencrypted");
        assert!(message.contains("deadLetter.url"), "{message}");
        let names_callback = message.contains("spec.events.callback.url");
        assert_eq!(names_callback, plain_callback, "{message}");
    }
}

#[test]
fn what_is_odd_about_a_signing_key_is_told_beside_a_callback_over_plain_http() {
    let doubtful = |plain_callback| Circumstances {
        plain_callback,
        doubts: vec!["the entry \"key\" ends with a line break".to_owned()],
        ..Circumstances::default()
    };
    for (plain, expected) in [(false, "SigningKeyDoubtful"), (true, "CallbackUnencrypted")] {
        let (reason, message) = aspect_of_a_well_instance(&doubtful(plain), "CallbackAccepting");
        assert_eq!(reason, expected);
        assert!(message.contains("line break"), "{message}");
    }
}

#[test]
fn a_deferral_is_stored_from_a_minute_on_and_not_again_while_it_says_the_same() {
    let now = DateTime::UNIX_EPOCH;
    let at = |seconds| Some(now + TimeDelta::seconds(seconds));
    assert_eq!(stored_deferral(None, at(59), now), None);
    assert_eq!(stored_deferral(None, at(60), now), at(60));
    assert_eq!(stored_deferral(at(60), at(63), now), at(60));
    assert_eq!(stored_deferral(at(60), at(600), now), at(600));
    assert_eq!(stored_deferral(at(60), None, now), None);
    assert_eq!(
        stored_deferral(at(30), at(30), now),
        at(30),
        "stays until it has passed"
    );
}

#[test]
fn that_a_callback_is_left_alone_is_stored_at_once_and_how_long_from_a_minute_on() {
    let now = DateTime::UNIX_EPOCH;
    let held = |seconds, callback: &str| {
        Some(HeldCallback {
            callback: callback.to_owned(),
            until: now + TimeDelta::seconds(seconds),
            asked: false,
        })
    };
    assert_eq!(stored_hold(None, held(5, "a"), now), held(5, "a"));
    assert_eq!(stored_hold(held(5, "a"), held(40, "a"), now), held(5, "a"));
    assert_eq!(stored_hold(held(5, "a"), held(80, "a"), now), held(80, "a"));
    assert_eq!(
        stored_hold(held(80, "a"), held(85, "a"), now),
        held(80, "a")
    );
    assert_eq!(stored_hold(held(80, "a"), held(5, "b"), now), held(5, "b"));
    assert_eq!(stored_hold(held(80, "a"), None, now), None);
}

#[test]
fn a_poller_whose_dead_letter_is_not_taken_is_not_ready_and_says_both() {
    let mut outcome = blocked();
    let End::Blocked { dead_letter, .. } = &mut outcome.end else {
        panic!()
    };
    *dead_letter = Some(Unavailable {
        message: "the receiver of dead letters answered 503".into(),
        retry_after: None,
    });
    let standing = of_poll(&outcome, false).unwrap();
    assert_eq!(after_health(&standing), "False CallbackRejected");
    let mut all = Vec::new();
    standing.apply(&mut all, 1, DateTime::UNIX_EPOCH);
    let message = &all[0].message;
    assert!(
        message.contains("422 Unprocessable") && message.contains("503"),
        "{message}"
    );
}

#[test]
fn a_callback_that_is_down_for_three_intervals_makes_the_instance_not_ready() {
    let state = InstanceState {
        callback: down(),
        ..InstanceState::default()
    };
    let past = Past {
        has_answered: true,
        is_overdue: true,
        has_accepted: true,
    };
    assert_eq!(
        after_health(&of_instance(&state, past)),
        "False CallbackUnavailable"
    );
}

#[test]
fn a_poller_that_waits_after_its_own_failed_probe_goes_on_showing_that() {
    let failing = of_poll(&unavailable(), false).unwrap();
    assert_eq!(of_wait("held", Some(&failing), false), failing);
    assert_eq!(
        after_health(&of_wait("held", Some(&failing), true)),
        "False CallbackUnavailable"
    );
    assert_eq!(
        after_health(&of_wait("held", None, false)),
        "True InstanceNotReady"
    );
}
