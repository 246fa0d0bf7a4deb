//! Both samples were printed by receivers of the original service; all that differs here is the
//! white space, which the samples' printing added.

use proptest::prelude::*;

use super::*;
use crate::event::{EventId, Identity};

const NETSUITE: &str = include_str!("netsuite.json");
const QUICKBOOKS: &str = include_str!("quickbooks.json");

fn event(object_id: &str, changed_at: &str, record: &str) -> Event {
    Event {
        id: EventId::new(format!("id-of-{object_id}")),
        kind: Kind::Created,
        object_id: object_id.to_owned(),
        changed_at: changed_at.parse().unwrap(),
        record: Bytes::copy_from_slice(record.as_bytes()),
    }
}

/// The JSON without the white space between its tokens.
fn compact(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let is_kept = |c: &char| {
        let kept = in_text || !c.is_ascii_whitespace();
        in_text ^= *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        kept
    };
    json.chars().filter(is_kept).collect()
}

/// The first record in the sample, byte for byte.
fn record(sample: &str) -> String {
    let start = sample.find("[{").unwrap() + 1;
    let end = start + sample[start..].find("}],\"pollDate\"").unwrap() + 1;
    sample[start..end].to_owned()
}

fn netsuite_origin() -> Origin {
    Origin {
        namespace: "finance".to_owned(),
        instance: "netsuite".to_owned(),
        resource: "invoices".to_owned(),
        connector: "netsuiteerpv2".to_owned(),
        hub: "erp".to_owned(),
        tags: vec!["Local netsuite".to_owned()],
        identity: Identity {
            instance_id: 7_950_647,
            account_id: 874,
            company_id: 291,
            user_id: 2749,
            instance_name: "Local netsuite".to_owned(),
        },
    }
}

fn quickbooks_origin() -> Origin {
    Origin {
        namespace: "finance".to_owned(),
        instance: "quickbooks".to_owned(),
        resource: "invoices".to_owned(),
        connector: "quickbooks".to_owned(),
        hub: "finance".to_owned(),
        tags: vec!["Demoday".to_owned()],
        identity: Identity {
            instance_id: 8_948_659,
            account_id: 643,
            company_id: 280,
            user_id: 2374,
            instance_name: "Demoday".to_owned(),
        },
    }
}

fn body(origin: &Origin, notification: &Notification, created: &str, ids: [&str; 2]) -> String {
    let [id, event_id] = ids;
    let polled_at = to_the_second(notification.polled_at);
    let created_at = created.parse().unwrap();
    let envelope = Envelope {
        origin,
        notification,
        created_at,
        polled_at,
        id,
        event_id,
    };
    String::from_utf8(envelope.body().to_vec()).unwrap()
}

#[test]
fn the_netsuite_sample_is_reproduced_byte_for_byte() {
    let sample = compact(NETSUITE);
    let notification = Notification {
        events: vec![event("14682", "2018-08-20T15:29:06Z", &record(&sample))],
        polled_at: "2018-08-20T15:29:34.827Z".parse().unwrap(),
    };
    let ids = ["1496771", "AWVX9OTIhdQRdI1F7Q7v"];
    let body = body(
        &netsuite_origin(),
        &notification,
        "2018-08-20T15:30:07.9Z",
        ids,
    );
    assert_eq!(body, sample);
}

/// The sample's receiver left `pollDate` and `objectType` out of `raw`.
#[test]
fn the_quickbooks_sample_is_reproduced_but_for_what_it_left_out() {
    let trailer = r#","pollDate":1582303419000,"objectType":"invoices"},"userId""#;
    let sample = compact(QUICKBOOKS).replace(r#"},"userId""#, trailer);
    let notification = Notification {
        events: vec![event("2|0", "2020-02-21T16:43:41Z", &record(&sample))],
        polled_at: "2020-02-21T16:43:39Z".parse().unwrap(),
    };
    let ids = ["69182068", "AXBooiL_qrZEur0mJV08"];
    let body = body(
        &quickbooks_origin(),
        &notification,
        "2020-02-21T16:43:41Z",
        ids,
    );
    assert_eq!(body, sample);
}

#[test]
fn records_and_events_stand_in_the_same_order_and_records_are_untouched() {
    let mut notification = Notification {
        events: vec![
            event(
                "1",
                "2024-01-01T00:00:00Z",
                r#"{ "id":1, "v": 1.0e0, "é":"\u00e9" }"#,
            ),
            event(
                "2\"",
                "2024-01-02T00:00:00.999Z",
                r#"{"id":"2\"","big":12345678901234567890}"#,
            ),
        ],
        polled_at: "2024-01-03T00:00:00Z".parse().unwrap(),
    };
    notification.events[0].kind = Kind::Updated;
    notification.events[1].kind = Kind::Deleted;
    let body = body(
        &netsuite_origin(),
        &notification,
        "2024-01-03T00:00:05Z",
        ["1", "a"],
    );
    assert!(body.contains(concat!(
        r#""raw":{"invoices":[{ "id":1, "v": 1.0e0, "é":"\u00e9" },"#,
        r#"{"id":"2\"","big":12345678901234567890}],"pollDate":1704240000000,"#
    )));
    let read: serde_json::Value = serde_json::from_str(&body).unwrap();
    let events = &read["message"]["events"];
    assert_eq!(events[0]["eventType"], "UPDATED");
    assert_eq!(events[1]["eventType"], "DELETED");
    assert_eq!(events[1]["objectId"], "2\"");
    assert_eq!(events[1]["date"], "2024-01-02T00:00:00Z");
}

#[test]
fn a_repeated_notification_is_the_same_and_another_has_other_ids() {
    let notification = |object_id| Notification {
        events: vec![event(object_id, "2024-01-01T00:00:00Z", "{}")],
        polled_at: "2024-01-03T00:00:00Z".parse().unwrap(),
    };
    let at = "2024-01-03T00:00:05Z".parse().unwrap();
    let [first, again, other] =
        ["1", "1", "2"].map(|id| encode(&netsuite_origin(), &notification(id), at));
    assert_eq!(first, again);
    assert_ne!(first.elements_id, other.elements_id);
    assert_ne!(first.message_id, other.message_id);
    let event_id = |payload: &Payload| {
        let read: serde_json::Value = serde_json::from_slice(&payload.body).unwrap();
        assert_eq!(read["id"].as_str(), payload.elements_id.as_deref());
        read["message"]["eventId"].as_str().unwrap().to_owned()
    };
    assert_eq!(event_id(&first).len(), 20);
    assert_ne!(event_id(&first), event_id(&other));
    let id = first.elements_id.unwrap();
    assert!(id.bytes().all(|b| b.is_ascii_digit()));
}

#[test]
fn a_day_of_one_digit_is_padded_as_in_java() {
    let date = "2018-08-05T05:03:07Z".parse().unwrap();
    assert_eq!(java_date(date), "Sun Aug 05 05:03:07 UTC 2018");
}

proptest! {
    #[test]
    fn dates_are_those_of_the_pattern_that_java_prints(second in 0..253_402_300_800_i64) {
        let date = DateTime::from_timestamp(second, 0).unwrap();
        let expected = date.format("%a %b %d %H:%M:%S UTC %Y").to_string();
        prop_assert_eq!(java_date(date), expected);
    }
}
