use serde_json::json;

use super::*;

/// A body that Open Connectors sent, in 2020.
const QUICKBOOKS: &[u8] = include_bytes!("quickbooks.json");

#[test]
fn a_real_envelope_is_read() {
    assert_eq!(count(QUICKBOOKS), Ok(1));
    let [event] = read(QUICKBOOKS).try_into().unwrap();
    assert_eq!(event.event_id, "AXBooiL_qrZEur0mJV08");
    assert_eq!(
        (event.kind.as_str(), event.object_id.as_str()),
        ("CREATED", "2|0")
    );
    assert_eq!(event.object_type, "invoices");
    assert_eq!(event.date, "2020-02-21T16:43:41Z");
    assert_eq!(event.record["balance"], 10_000);
}

fn envelope(events: &Value) -> Vec<u8> {
    let raw = json!({"incident": [{"n": 1}, {"n": 2}], "pollDate": 0, "objectType": "incident"});
    json!({"message": {"eventId": "E", "raw": raw, "events": events}})
        .to_string()
        .into()
}

fn event(object_id: &str) -> Value {
    let (kind, date) = ("UPDATED", "2026-01-01T00:00:00Z");
    json!({"eventType": kind, "objectId": object_id, "objectType": "incident", "date": date})
}

#[test]
fn each_event_has_the_record_at_its_place() {
    let events = read(&envelope(&json!([event("a"), event("b")])));
    let records: Vec<_> = events
        .iter()
        .map(|event| (&*event.object_id, &event.record["n"]))
        .collect();
    assert_eq!(records, [("a", &json!(1)), ("b", &json!(2))]);
}

#[test]
fn an_event_without_a_record_is_still_an_event() {
    let events = read(&envelope(&json!([event("a"), event("b"), event("c")])));
    assert_eq!(events[2].record, Value::Null);
}

#[test]
fn what_is_no_envelope_says_what_it_lacks() {
    let lacking = envelope(&json!([{"objectId": "a"}]));
    assert!(count(&lacking).unwrap_err().contains("`eventType`"));
    assert!(count(b"{}").unwrap_err().contains("`message`"));
    assert_eq!(read(b"{}"), []);
}
