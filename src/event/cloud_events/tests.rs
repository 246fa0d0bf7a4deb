use bytes::Bytes;
use chrono::{DateTime, Utc};
use jsonschema::Validator;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::Value;

use super::*;
use crate::event::{EventId, Identity};

/// The specification's own.
const SCHEMA: &str = include_str!("../../../tests/vectors/cloudevents.schema.json");

fn origin() -> Origin {
    Origin {
        namespace: "helpdesk".to_owned(),
        instance: "servicenow-prod".to_owned(),
        resource: "incident".to_owned(),
        connector: "servicenowoauth".to_owned(),
        hub: "helpdesk".to_owned(),
        tags: vec!["production".to_owned()],
        identity: Identity::new("helpdesk", "servicenow-prod", None),
    }
}

fn event(kind: Kind, object_id: &str, changed_at: &str, record: &str) -> Event {
    Event {
        id: EventId::new(format!("id-of-{object_id}")),
        kind,
        object_id: object_id.to_owned(),
        changed_at: changed_at.parse().unwrap(),
        record: Bytes::copy_from_slice(record.as_bytes()),
    }
}

fn notification(events: Vec<Event>) -> Notification {
    Notification {
        events,
        polled_at: "2026-01-02T03:05:00Z".parse().unwrap(),
    }
}

fn text(payload: &Payload) -> &str {
    std::str::from_utf8(&payload.body).unwrap()
}

fn schema() -> Validator {
    let schema = serde_json::from_str(SCHEMA).unwrap();
    let options = jsonschema::draft7::options().should_validate_formats(true);
    options.build(&schema).unwrap()
}

#[test]
fn one_event_in_structured_mode_byte_for_byte() {
    let record = r#"{ "sys_id":"a1", "n": 1.0e0, "é":"\u00e9", "big":12345678901234567890}"#;
    let events = vec![event(Kind::Updated, "a1", "2026-01-02T03:04:05Z", record)];
    let payload = structured(&origin(), &notification(events));
    let expected = concat!(
        r#"{"specversion":"1.0","id":"id-of-a1","#,
        r#""source":"/namespaces/helpdesk/connectorinstances/servicenow-prod","#,
        r#""type":"dev.pollen.record.updated.v1","subject":"incident/a1","#,
        r#""time":"2026-01-02T03:04:05Z","datacontenttype":"application/json","#,
        r#""connector":"servicenowoauth","#,
        r#""data":{ "sys_id":"a1", "n": 1.0e0, "é":"\u00e9", "big":12345678901234567890}}"#
    );
    assert_eq!(text(&payload), expected);
    assert_eq!(payload.content_type, "application/cloudevents+json");
    assert_eq!(payload.elements_id, None);
}

#[test]
fn several_events_in_a_batch_byte_for_byte() {
    let events = vec![
        event(Kind::Created, "a", "2026-01-02T03:04:05Z", r#"{"n":1}"#),
        event(
            Kind::Deleted,
            "b",
            "2026-01-02T03:04:06.789Z",
            r#"{"sys_id":"b"}"#,
        ),
    ];
    let payload = batched(&origin(), &notification(events));
    let expected = concat!(
        r#"[{"specversion":"1.0","id":"id-of-a","#,
        r#""source":"/namespaces/helpdesk/connectorinstances/servicenow-prod","#,
        r#""type":"dev.pollen.record.created.v1","subject":"incident/a","#,
        r#""time":"2026-01-02T03:04:05Z","datacontenttype":"application/json","#,
        r#""connector":"servicenowoauth","data":{"n":1}},"#,
        r#"{"specversion":"1.0","id":"id-of-b","#,
        r#""source":"/namespaces/helpdesk/connectorinstances/servicenow-prod","#,
        r#""type":"dev.pollen.record.deleted.v1","subject":"incident/b","#,
        r#""time":"2026-01-02T03:04:06.789Z","datacontenttype":"application/json","#,
        r#""connector":"servicenowoauth","data":{"sys_id":"b"}}]"#
    );
    assert_eq!(text(&payload), expected);
    assert_eq!(payload.content_type, "application/cloudevents-batch+json");
}

#[test]
fn a_batch_of_one_is_still_a_batch() {
    let events = vec![event(Kind::Created, "a", "2026-01-02T03:04:05Z", "{}")];
    let payload = batched(&origin(), &notification(events));
    assert!(text(&payload).starts_with('[') && text(&payload).ends_with(']'));
}

#[test]
fn a_notification_repeated_has_the_same_message_id_and_bytes() {
    let make = |id| {
        structured(
            &origin(),
            &notification(vec![event(Kind::Created, id, "2026-01-02T03:04:05Z", "{}")]),
        )
    };
    assert_eq!(make("a"), make("a"));
    assert_ne!(make("a").message_id, make("b").message_id);
}

#[rstest]
#[case::plain("a/b c%20", "a/b c%20")]
#[case::unicode("größe-☃", "größe-☃")]
#[case::control("a\nb\u{7f}", "a%0Ab%7F")]
#[case::high_control("a\u{85}", "a%C2%85")]
#[case::noncharacters("\u{fdd0}\u{1ffff}", "%EF%B7%90%F0%9F%BF%BF")]
fn a_subject_holds_no_character_that_the_specification_forbids(
    #[case] id: &str,
    #[case] expected: &str,
) {
    let events = vec![event(Kind::Created, id, "2026-01-02T03:04:05Z", "{}")];
    let payload = structured(&origin(), &notification(events));
    let read: Value = serde_json::from_str(text(&payload)).unwrap();
    assert_eq!(read["subject"], format!("incident/{expected}"));
}

proptest! {
    #[test]
    fn every_event_keeps_to_the_schema_and_carries_its_record_untouched(
        kind in prop_oneof![Just(Kind::Created), Just(Kind::Updated), Just(Kind::Deleted)],
        object_id in ".{1,40}",
        millis in -62_135_596_800_000_i64..253_402_300_799_999,
        value in ".*",
    ) {
        let record = serde_json::json!({"sys_id": object_id, "text": value}).to_string();
        let changed_at: DateTime<Utc> = DateTime::from_timestamp_millis(millis).unwrap();
        let one = event(kind, &object_id, &changed_at.to_rfc3339(), &record);
        let (origin, schema) = (origin(), schema());
        let payload = structured(&origin, &notification(vec![one.clone()]));
        let read: Value = serde_json::from_slice(&payload.body).unwrap();
        prop_assert!(schema.is_valid(&read), "{read}");
        prop_assert_eq!(&read["data"], &serde_json::from_str::<Value>(&record).unwrap());
        prop_assert!(text(&payload).contains(&record));
        let batch = batched(&origin, &notification(vec![one.clone(), one]));
        let both: Vec<Value> = serde_json::from_slice(&batch.body).unwrap();
        prop_assert_eq!(both, vec![read; 2]);
    }
}

#[test]
fn the_schema_refuses_what_lacks_an_attribute_or_has_a_bad_date() {
    let schema = schema();
    let whole = serde_json::json!({"specversion": "1.0", "id": "a", "source": "/a", "type": "b", "time": "2026-01-02T03:04:05Z"});
    assert!(schema.is_valid(&whole));
    for (attribute, value) in [
        ("id", Value::Null),
        ("time", "yesterday".into()),
        ("source", "a b".into()),
    ] {
        let mut broken = whole.clone();
        broken[attribute] = value;
        assert!(!schema.is_valid(&broken), "{broken}");
    }
}
