use chrono::DateTime;
use serde_json::json;

use super::*;

fn version(sys_id: &str, mod_count: u64) -> Version {
    Version {
        table: "incident".to_owned(),
        sys_id: sys_id.to_owned(),
        mod_count,
        updated: "2026-01-01 00:00:00".to_owned(),
        deleted: false,
    }
}

fn event(sys_id: &str, mod_count: u64, event_id: &str) -> Event {
    Event {
        event_id: event_id.to_owned(),
        kind: "UPDATED".to_owned(),
        object_id: sys_id.to_owned(),
        object_type: "incident".to_owned(),
        date: "2026-01-01T00:00:00Z".to_owned(),
        record: json!({"sys_mod_count": mod_count.to_string()}),
        acknowledged: true,
        position: 0,
    }
}

fn reckon(history: &[Version], begun: usize, events: &[Event]) -> Reckoning {
    Reckoning::new(history, begun, &[], events)
}

#[test]
fn what_was_there_before_the_changes_need_not_arrive() {
    let history = [version("old", 0), version("a", 0)];
    let reckoning = reckon(&history, 1, &[event("a", 0, "1")]);
    assert!(reckoning.is_faithful());
    assert_eq!((reckoning.changes, reckoning.delivered), (1, 1));
}

#[test]
fn a_version_is_lost_if_it_is_the_latest_and_superseded_if_not() {
    let history = [
        version("a", 0),
        version("a", 1),
        version("b", 0),
        version("b", 1),
    ];
    let reckoning = reckon(&history, 0, &[event("a", 1, "1"), event("b", 0, "2")]);
    assert_eq!(reckoning.superseded, 1);
    assert_eq!(reckoning.lost, [version("b", 1)]);
    assert!(!reckoning.is_faithful());
}

#[test]
fn a_version_that_never_was_is_invented_and_delivers_nothing() {
    let history = [version("a", 0)];
    let reckoning = reckon(&history, 0, &[event("a", 0, "1"), event("a", 1, "2")]);
    assert_eq!(reckoning.delivered, 1);
    assert_eq!(reckoning.invented, [event("a", 1, "2")]);
    assert!(reckoning.is_complete() && !reckoning.is_faithful());
}

#[test]
fn a_deletion_is_not_delivered_by_the_event_of_what_was_deleted() {
    let deletion = Version {
        deleted: true,
        ..version("a", 0)
    };
    let history = [version("a", 0), deletion.clone()];
    assert_eq!(reckon(&history, 0, &[event("a", 0, "1")]).lost, [deletion]);
    let deleted = Event {
        kind: "DELETED".to_owned(),
        record: json!(null),
        ..event("a", 0, "2")
    };
    assert!(reckon(&history, 0, &[deleted]).is_faithful());
}

#[test]
fn repetitions_are_counted_and_those_that_a_receiver_cannot_tell() {
    let history = [version("a", 0)];
    let same = event("a", 0, "1");
    let events = [same.clone(), same.clone(), event("a", 0, "2"), same];
    let reckoning = reckon(&history, 0, &events);
    assert_eq!((reckoning.repeated, reckoning.renamed), (3, 1));
    assert_eq!(reckoning.delivered, 1);
}

#[test]
fn a_signature_that_is_not_good_is_unfaithful() {
    let notification = |signature| Notification {
        path: "/".to_owned(),
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::new(),
        enclosed: Ok(0),
        signature,
        standard_webhooks: Signature::NotChecked,
        status: Some(200),
        at: DateTime::UNIX_EPOCH,
    };
    for (signature, faithful) in [
        (Signature::Valid, true),
        (Signature::NotChecked, true),
        (Signature::Missing, false),
        (Signature::Wrong, false),
    ] {
        let reckoning = Reckoning::new(&[], 0, &[notification(signature)], &[]);
        assert_eq!(reckoning.is_faithful(), faithful, "{signature:?}");
    }
}
