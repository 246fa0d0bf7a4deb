use chrono::TimeDelta;

use super::*;
use crate::api::time::to_kube;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

#[test]
fn an_equal_condition_is_not_written_again() {
    let mut all = Vec::new();
    Standing::ready(reasons::SUCCEEDED, "polls").apply(&mut all, 1, at(0));
    let before = all.clone();
    Standing::ready(reasons::SUCCEEDED, "polls").apply(&mut all, 1, at(60));
    assert_eq!(all, before);
}

#[test]
fn the_transition_time_moves_with_the_status_alone() {
    let mut all = Vec::new();
    Standing::ready(reasons::SUCCEEDED, "polls").apply(&mut all, 1, at(0));
    Standing::ready(reasons::SUSPENDED, "suspended").apply(&mut all, 2, at(60));
    assert_eq!(
        find(&all, "Ready").unwrap().last_transition_time,
        to_kube(at(0))
    );
    Standing::waiting(reasons::INSTANCE_NOT_FOUND, "no instance").apply(&mut all, 2, at(120));
    assert_eq!(
        find(&all, "Ready").unwrap().last_transition_time,
        to_kube(at(120))
    );
}

#[test]
fn a_transient_failure_keeps_what_ready_said() {
    let mut all = Vec::new();
    Standing::transient(reasons::PROVIDER_UNAVAILABLE, "503").apply(&mut all, 1, at(0));
    assert_eq!(status_of(&all, "Ready"), Some("Unknown"));
    Standing::ready(reasons::SUCCEEDED, "polls").apply(&mut all, 1, at(1));
    Standing::transient(reasons::PROVIDER_UNAVAILABLE, "503").apply(&mut all, 1, at(2));
    let ready = find(&all, "Ready").unwrap();
    assert_eq!(
        (ready.status.as_str(), ready.reason.as_str()),
        ("True", "ProviderUnavailable")
    );
}

#[test]
fn after_any_two_standings_the_conditions_keep_kstatus_rules() {
    let standings = [
        Standing::ready(reasons::SUCCEEDED, ""),
        Standing::waiting(reasons::INSTANCE_NOT_FOUND, ""),
        Standing::stalled(reasons::CALLBACK_REJECTED, ""),
        Standing::progressing(""),
        Standing::transient(reasons::PROVIDER_UNAVAILABLE, ""),
    ];
    for first in &standings {
        for second in &standings {
            let mut all = Vec::new();
            first.apply(&mut all, 1, at(0));
            second.apply(&mut all, 2, at(1));
            let ready = status_of(&all, "Ready").unwrap();
            let (reconciling, stalled) =
                (status_of(&all, "Reconciling"), status_of(&all, "Stalled"));
            assert!(
                ready != "True" || (reconciling.is_none() && stalled.is_none()),
                "{all:?}"
            );
            assert!(stalled.is_none() || ready == "False", "{all:?}");
            assert!(
                all.iter()
                    .all(|condition| condition.observed_generation == Some(2)),
                "{all:?}"
            );
        }
    }
}
