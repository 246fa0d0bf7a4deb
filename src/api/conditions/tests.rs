//! kstatus' invariants over every history of calls, and the examples that explain them.

use proptest::prelude::*;

use super::*;
use crate::api::reasons;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn status<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a str> {
    find(conditions, kind).map(|condition| condition.status.as_str())
}

#[test]
fn an_equal_condition_is_not_written_again() {
    let mut first = Conditions::new(Vec::new(), Some(1), at(10));
    first.ready(reasons::SUCCEEDED, "polls every 15m");
    assert!(first.changed());

    let mut second = Conditions::new(first.clone().into_vec(), Some(1), at(20));
    second.ready(reasons::SUCCEEDED, "polls every 15m");
    assert!(!second.changed());
    assert_eq!(second.into_vec(), first.into_vec());
}

#[test]
fn a_new_reason_keeps_the_moment_of_the_last_transition() {
    let mut first = Conditions::new(Vec::new(), Some(1), at(10));
    first.failing(reasons::RATE_LIMITED, "the provider asked to wait");
    let mut second = Conditions::new(first.into_vec(), Some(2), at(20));
    second.failing(reasons::PROVIDER_UNAVAILABLE, "the provider answered 503");

    let conditions = second.into_vec();
    let ready = find(&conditions, "Ready").unwrap();
    assert_eq!(time::from_kube(&ready.last_transition_time), at(10));
    assert_eq!(ready.observed_generation, Some(2));
    assert_eq!(ready.reason, "ProviderUnavailable");
}

#[test]
fn conditions_of_others_are_left_alone() {
    let foreign = Condition {
        last_transition_time: time::to_kube(at(1)),
        message: "theirs".to_owned(),
        observed_generation: None,
        reason: "Theirs".to_owned(),
        status: "True".to_owned(),
        type_: "example.com/Theirs".to_owned(),
    };
    let mut conditions = Conditions::new(vec![foreign.clone()], Some(1), at(10));
    conditions.stalled(
        reasons::INVALID_SPEC,
        "spec.url: no placeholder of that name",
    );
    assert_eq!(
        find(&conditions.into_vec(), "example.com/Theirs"),
        Some(&foreign)
    );
}

#[test]
fn a_long_or_broken_message_becomes_one_bounded_line() {
    let mut conditions = Conditions::new(Vec::new(), Some(1), at(10));
    conditions.failing(
        reasons::PROVIDER_UNAVAILABLE,
        &format!("<html>\n{}", "ü".repeat(5000)),
    );
    let conditions = conditions.into_vec();
    let message = &find(&conditions, "Ready").unwrap().message;
    assert_eq!(message.chars().count(), MESSAGE_LIMIT);
    assert!(message.starts_with("<html> ü") && message.ends_with('…'));
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Ready,
    Reconciling,
    Failing,
    Stalled,
    Set(Aspect, Status),
    Clear(Aspect),
}

fn calls() -> impl Strategy<Value = Vec<(Call, &'static str, i64)>> {
    let aspect = prop_oneof![Just(Aspect::Authenticated), Just(Aspect::CallbackAccepting)];
    let status = prop_oneof![
        Just(Status::True),
        Just(Status::False),
        Just(Status::Unknown)
    ];
    let call = prop_oneof![
        Just(Call::Ready),
        Just(Call::Reconciling),
        Just(Call::Failing),
        Just(Call::Stalled),
        (aspect.clone(), status).prop_map(|(aspect, status)| Call::Set(aspect, status)),
        aspect.prop_map(Call::Clear),
    ];
    proptest::collection::vec(
        (
            call,
            prop_oneof![Just("one thing"), Just("another")],
            1..4_i64,
        ),
        1..20,
    )
}

fn apply(conditions: &mut Conditions, call: Call, message: &str) {
    match call {
        Call::Ready => conditions.ready(reasons::SUCCEEDED, message),
        Call::Reconciling => conditions.reconciling(reasons::PROGRESSING, message),
        Call::Failing => conditions.failing(reasons::PROVIDER_UNAVAILABLE, message),
        Call::Stalled => conditions.stalled(reasons::INVALID_SPEC, message),
        Call::Set(aspect, status) => {
            conditions.set(aspect, status, reasons::CALLBACK_REJECTED, message)
        }
        Call::Clear(aspect) => conditions.clear(aspect),
    }
}

/// What Flux's checker of conditions demands of a controller (`runtime/conditions/check`).
fn assert_kstatus(conditions: &[Condition]) {
    let (ready, reconciling, stalled) = (
        status(conditions, "Ready"),
        status(conditions, "Reconciling"),
        status(conditions, "Stalled"),
    );
    assert!(
        matches!(reconciling, None | Some("True")),
        "an abnormal condition is absent when not true"
    );
    assert!(
        matches!(stalled, None | Some("True")),
        "an abnormal condition is absent when not true"
    );
    assert!(
        reconciling.is_none() || stalled.is_none(),
        "work is under way or waits for a person, not both"
    );
    if ready == Some("True") {
        assert_eq!((reconciling, stalled), (None, None));
    }
    if stalled.is_some() {
        assert_eq!(ready, Some("False"));
    }
    let mut kinds: Vec<_> = conditions
        .iter()
        .map(|condition| &condition.type_)
        .collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), conditions.len(), "one condition of a type");
    for condition in conditions {
        assert!(!condition.reason.is_empty() && condition.observed_generation.is_some());
    }
}

proptest! {
    #[test]
    fn every_history_keeps_the_invariants_of_kstatus(history in calls()) {
        let mut stored = Vec::new();
        for (second, (call, message, generation)) in (1..).zip(history) {
            let mut conditions = Conditions::new(stored.clone(), Some(generation), at(second));
            apply(&mut conditions, call, message);
            let (changed, now) = (conditions.changed(), conditions.into_vec());
            prop_assert_eq!(changed, now != stored);
            assert_kstatus(&now);
            for condition in &now {
                let moved = time::from_kube(&condition.last_transition_time) == at(second);
                prop_assert_eq!(moved, status(&stored, &condition.type_) != Some(condition.status.as_str()));
            }
            stored = now;
        }
    }
}
