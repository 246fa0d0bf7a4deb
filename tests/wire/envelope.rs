//! The body and headers as receivers of Open Connectors know them.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Value, json};

use crate::harness::World;

/// Takes a field that differs from run to run out of the body.
fn take(body: &mut Value, pointer: &str) -> Value {
    body.pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer} is missing"))
        .take()
}

#[tokio::test]
async fn the_envelope_is_that_of_open_connectors_field_by_field() {
    let world = World::with_incidents().await;
    world.set_callback(
        "openConnectors",
        json!({
            "instanceId": 7_950_647, "accountId": 874, "companyId": 291, "userId": 2749,
            "instanceName": "Local ServiceNow",
        }),
    );
    world.instance.create(
        "incident",
        &[
            ("sys_id", "5137153cc611227c000bbd1bd8cd2007"),
            ("sys_created_on", "2026-01-02 03:04:05"),
            ("sys_updated_on", "2026-01-02 03:04:05"),
            ("short_description", "the \"coffee\" machine"),
        ],
    );
    let before = world.instance.now();
    world.poll_well().await;
    let notification = world.receiver.notifications().remove(0);
    let mut body: Value = serde_json::from_slice(&notification.body).unwrap();

    let created = take(&mut body, "/createdDate");
    let format = "%a %b %d %H:%M:%S UTC %Y";
    NaiveDateTime::parse_from_str(created.as_str().unwrap(), format).unwrap();

    let polled = take(&mut body, "/message/events/0/pollDate");
    let polled: DateTime<Utc> = polled.as_str().unwrap().parse().unwrap();
    let milliseconds = take(&mut body, "/message/raw/pollDate").as_i64().unwrap();
    assert_eq!(milliseconds / 1000, polled.timestamp());
    let passed = before.timestamp_millis()..=notification.at.timestamp_millis();
    assert!(passed.contains(&milliseconds));

    let id = take(&mut body, "/id");
    assert!(id.as_str().unwrap().parse::<u64>().is_ok(), "{id}");
    assert_eq!(
        notification.headers["elements-webhook-id"],
        id.as_str().unwrap()
    );
    let event_id = take(&mut body, "/message/eventId");
    assert!(
        (1..=20).contains(&event_id.as_str().unwrap().len()),
        "{event_id}"
    );

    let record = take(&mut body, "/message/raw/incident/0");
    let stored = world.instance.record("5137153cc611227c000bbd1bd8cd2007");
    assert_eq!(record, serde_json::to_value(stored.unwrap()).unwrap());

    assert_eq!(notification.headers["content-type"], "application/json");
    let expected = json!({
        "severity": "medium",
        "createdDate": null,
        "topic": "instance-7950647-servicenowoauth-events",
        "action": "create",
        "id": null,
        "message": {
            "elementKey": "servicenowoauth",
            "accountId": 874,
            "eventId": null,
            "companyId": 291,
            "instanceId": 7_950_647,
            "instance_id": 7_950_647,
            "instanceName": "Local ServiceNow",
            "instanceTags": ["production"],
            "raw": {"incident": [null], "pollDate": null, "objectType": "incident"},
            "userId": 2749,
            "events": [{
                "date": "2026-01-02T03:04:05Z",
                "elementKey": "servicenowoauth",
                "pollDate": null,
                "eventType": "CREATED",
                "hubKey": "helpdesk",
                "objectId": "5137153cc611227c000bbd1bd8cd2007",
                "objectType": "incident",
            }],
        },
        "user": "notifications@cloud-elements.com",
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn without_stated_numbers_the_envelope_has_stable_ones_of_its_own() {
    let world = World::with_incidents().await;
    for _ in 0..2 {
        world.instance.create("incident", &[]);
        world.poll_well().await;
    }
    let numbers: Vec<_> = world
        .receiver
        .notifications()
        .iter()
        .map(|notification| {
            let body: Value = serde_json::from_slice(&notification.body).unwrap();
            ["instanceId", "accountId", "companyId", "userId"]
                .map(|field| body["message"][field].as_u64().unwrap())
        })
        .collect();
    assert_eq!(numbers.len(), 2);
    assert_eq!(numbers[0], numbers[1]);
    assert!(
        numbers[0]
            .iter()
            .all(|number| (1..1 << 53).contains(number))
    );
}
