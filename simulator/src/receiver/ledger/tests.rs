use serde_json::json;

use super::*;

fn notification(object_ids: &[&str]) -> Notification {
    let event = |id: &&str| json!({"eventType": "CREATED", "objectId": id, "objectType": "incident", "date": "2026-01-01T00:00:00Z"});
    let events: Vec<_> = object_ids.iter().map(event).collect();
    let message = json!({"eventId": "E", "raw": {}, "events": events});
    Notification {
        path: "/events".to_owned(),
        headers: HeaderMap::new(),
        body: json!({"message": message}).to_string().into(),
        enclosed: Ok(object_ids.len()),
        signature: Signature::NotChecked,
        standard_webhooks: Signature::NotChecked,
        status: None,
        at: DateTime::UNIX_EPOCH,
    }
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| &*event.object_id).collect()
}

#[test]
fn an_event_is_acknowledged_by_a_success_alone() {
    let ledger = Ledger::default();
    for (id, status) in [("a", 199), ("b", 200), ("c", 299), ("d", 300)] {
        ledger.settle(ledger.enter(notification(&[id])), status);
    }
    ledger.enter(notification(&["unanswered"]));
    assert_eq!(ids(&ledger.acknowledged()), ["b", "c"]);
    assert_eq!(ids(&ledger.events()), ["a", "b", "c", "d", "unanswered"]);
}

#[test]
fn events_keep_the_order_of_arrival_whatever_is_answered_first() {
    let ledger = Ledger::default();
    let [first, second] = [["a", "b"], ["c", "d"]].map(|ids| ledger.enter(notification(&ids)));
    ledger.settle(second, 200);
    ledger.settle(first, 200);
    let events = ledger.acknowledged();
    assert_eq!(ids(&events), ["a", "b", "c", "d"]);
    let positions: Vec<_> = events.iter().map(|event| event.position).collect();
    assert_eq!(positions, [0, 0, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_event_that_was_waited_for() {
    let ledger = Ledger::default();
    let arrival = ledger.enter(notification(&["a", "b"]));
    let waiting = ledger.await_events(2, Duration::from_secs(1));
    let (events, ()) = tokio::join!(waiting, async { ledger.settle(arrival, 204) });
    assert_eq!(ids(&events.unwrap()), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn waiting_in_vain_says_what_came_instead() {
    let ledger = Ledger::default();
    ledger.settle(ledger.enter(notification(&["a"])), 200);
    ledger.settle(ledger.enter(notification(&["b"])), 503);
    let shortage = ledger.await_events(2, Duration::from_secs(1)).await;
    let shortage = shortage.unwrap_err();
    assert!(
        shortage.contains("fewer than 2 events within 1s"),
        "{shortage}"
    );
    assert!(shortage.contains("CREATED incident a"), "{shortage}");
    assert!(shortage.contains("503"), "{shortage}");
}

#[tokio::test(start_paused = true)]
async fn what_came_before_a_clear_counts_no_more_even_when_it_is_answered_later() {
    let ledger = Ledger::default();
    ledger.settle(ledger.enter(notification(&["a"])), 200);
    let late = ledger.enter(notification(&["b"]));
    ledger.clear();
    ledger.enter(notification(&["c"]));
    ledger.settle(late, 200);
    assert_eq!(ids(&ledger.events()), ["c"]);
    assert!(
        ledger
            .await_events(1, Duration::from_secs(1))
            .await
            .is_err()
    );
}
